"""What differs between two configurations, in words, and what of it a running agent can take over.

Devices come, go and change while the agent runs, and so do the inventory of machines and the name of the site. The
rest (who we are, where data is kept and sent, the calendar that cuts days) is fixed for the life of a process.

Pure: no clock, file, socket or logger.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from agent.config.model import AgentConfig
from settings.base import written
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from agent.config.model import Device

Kind = Literal["added", "removed", "changed"]
LIVE = ("name", "machines")
DURATIONS = frozenset({"every", "timeout", "request_gap", "warmup", "sampling"})
"""Fields in nanoseconds, shown as they are written."""
SHOWN = 40  # characters of a value
LISTED = 12  # ids in a line

_KINDS: Mapping[Kind, Text] = {
    "added": Text("added", "추가"),
    "removed": Text("removed", "삭제"),
    "changed": Text("changed", "변경"),
}


@dataclass(frozen=True, slots=True)
class Setting:
    """A field that has another value. Lists and maps are told by their size."""

    field: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class GroupChange:
    """What became of a group, which is a source. Signals are ids in the order of the file."""

    id: str
    kind: Kind
    settings: tuple[Setting, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    details: tuple[tuple[str, tuple[Setting, ...]], ...] = ()
    """What differs in each changed signal."""


@dataclass(frozen=True, slots=True)
class DeviceChange:
    """What became of a device."""

    id: str
    kind: Kind
    settings: tuple[Setting, ...] = ()
    groups: tuple[GroupChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """All of it.

    Attributes:
        fixed: Parts of the file that only a restart takes over.
        live: Parts that change at once and concern no device.
        devices: Devices that differ.
    """

    fixed: tuple[str, ...] = ()
    live: tuple[str, ...] = ()
    devices: tuple[DeviceChange, ...] = field(default=())

    def __bool__(self) -> bool:
        return bool(self.fixed or self.live or self.devices)

    def of(self, *kinds: Kind) -> list[str]:
        """Return the ids of devices with which one of these happened."""
        return [device.id for device in self.devices if device.kind in kinds]


def compare(old: AgentConfig | Mapping[str, Any], new: AgentConfig) -> Changes:
    """Return what differs; the old one may be its dump as JSON."""
    after = new.model_dump(mode="json")
    before = old.model_dump(mode="json") if isinstance(old, AgentConfig) else old
    parts = [name for name in after if name != "devices" and before.get(name) != after[name]]
    pairs = _pairs(before["devices"], after["devices"])
    devices = (_device(name, a, b) for name, a, b in pairs if a != b)
    return Changes(
        fixed=tuple(name for name in parts if name not in LIVE),
        live=tuple(name for name in parts if name in LIVE),
        devices=tuple(devices),
    )


def _pairs(old: Sequence[dict[str, Any]], new: Sequence[dict[str, Any]]) -> Iterator[tuple[str, Any, Any]]:
    """Yield id, old and new of each, None for what is not there: first what is new, in the order of the file."""
    before, after = {item["id"]: item for item in old}, {item["id"]: item for item in new}
    for name in (*after, *(name for name in before if name not in after)):
        yield name, before.get(name), after.get(name)


def _kind(old: object, new: object) -> Kind:
    return "added" if old is None else "removed" if new is None else "changed"


def _device(name: str, old: dict[str, Any] | None, new: dict[str, Any] | None) -> DeviceChange:
    groups = _pairs((old or {}).get("groups", ()), (new or {}).get("groups", ()))
    return DeviceChange(
        name,
        _kind(old, new),
        _settings(old, new, "groups"),
        tuple(_group(f"{name}.{group}", a, b) for group, a, b in groups if a != b),
    )


def _group(name: str, old: dict[str, Any] | None, new: dict[str, Any] | None) -> GroupChange:
    signals = list(_pairs((old or {}).get("signals", ()), (new or {}).get("signals", ())))
    return GroupChange(
        name,
        _kind(old, new),
        _settings(old, new, "signals"),
        added=tuple(signal for signal, a, _ in signals if a is None),
        removed=tuple(signal for signal, _, b in signals if b is None),
        changed=tuple(signal for signal, a, b in signals if a is not None and b is not None and a != b),
        details=tuple((signal, found) for signal, a, b in signals if (found := _settings(a, b, "id"))),
    )


def _settings(old: dict[str, Any] | None, new: dict[str, Any] | None, inner: str) -> tuple[Setting, ...]:
    if old is None or new is None:
        return ()
    return tuple(
        Setting(name, _shown(name, old.get(name)), _shown(name, new.get(name)))
        for name in dict.fromkeys((*new, *old))
        if name != inner and old.get(name) != new.get(name)
    )


def _shown(name: str, value: object) -> str:
    if name in DURATIONS and isinstance(value, int):
        return written(value)
    text = "-" if value is None else str(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def fresh(change: DeviceChange, device: Device) -> Device | None:
    """Return the device with only those of its signals that nobody has read as they stand now; None when none is.

    Args:
        change: What became of it.
        device: As it is configured now.
    """
    if change.kind == "added" or change.settings:
        return device
    wanted = {group.id: {*group.added, *group.changed} for group in change.groups}
    whole = {group.id for group in change.groups if group.kind == "added"}
    groups = []
    for group in device.groups:
        name = f"{device.id}.{group.id}"
        signals = tuple(s for s in group.signals if name in whole or s.id in wanted.get(name, ()))
        if signals:
            groups.append(group.model_copy(update={"signals": signals}))
    return device.model_copy(update={"groups": tuple(groups)}) if groups else None


def lines(changes: Changes) -> Iterator[Text]:
    """Yield what a person reads."""
    if not changes:
        yield Text("nothing differs", "달라진 것이 없습니다")
    if changes.fixed:
        parts = ", ".join(changes.fixed)
        yield Text(f"needs a restart of the agent: {parts}", f"에이전트를 다시 시작해야 적용되는 항목: {parts}")
    if changes.live:
        parts = ", ".join(changes.live)
        yield Text(f"changed at once: {parts}", f"바로 적용되는 항목: {parts}")
    for device in changes.devices:
        kind = _KINDS[device.kind]
        yield Text(f"device {device.id}: {kind.en}", f"장치 {device.id}: {kind.ko}")
        yield from _told(device.settings, "  ")
        for group in device.groups:
            yield from _group_lines(group)


def _group_lines(group: GroupChange) -> Iterator[Text]:
    kind = _KINDS[group.kind]
    yield Text(f"  source {group.id}: {kind.en}", f"  수집 단위 {group.id}: {kind.ko}")
    yield from _told(group.settings, "    ")
    for what, ids in (("added", group.added), ("removed", group.removed), ("changed", group.changed)):
        if ids:
            said = _KINDS[what]  # type: ignore[index]  # the three literals
            n, names = len(ids), ", ".join(ids[:LISTED]) + (", …" if len(ids) > LISTED else "")
            yield Text(f"    {n} signals {said.en}: {names}", f"    태그 {n}개 {said.ko}: {names}")
    for signal, settings in group.details[:LISTED]:
        yield from _told(settings, f"      {signal} ")


def _told(settings: Sequence[Setting], indent: str) -> Iterator[Text]:
    for setting in settings:
        line = f"{indent}{setting.field}: {setting.old} -> {setting.new}"
        yield Text(line, line)
