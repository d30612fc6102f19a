"""What must hold between the parts of a file: ids are unique, names lead somewhere, times fit together.

The checks read the plain data, not the models, so that they also speak when something else in the file is wrong;
whatever has not the expected shape is left to the models' own errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from agent.config.base import Every
from agent.config.sharing import shared_connections
from settings.base import Duration
from settings.language import Text
from settings.schedule import Planned, moment, overlap
from settings.suggest import nearest, slug
from settings.tree import List, Map, Problem, locate, of_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from settings.tree import Location

Finding = tuple["Location", Text]
_DURATION: TypeAdapter[int] = TypeAdapter(Duration)
_EVERY: TypeAdapter[int] = TypeAdapter(Every)


def check(root: Map) -> Iterator[Problem]:
    """Yield every contradiction in a file."""
    for findings in (
        _machines(root),
        _devices(root),
        _signals(root),
        _power(root),
        _bursts(root),
        _timeouts(root),
        _planned(root),
        shared_connections(root),
    ):
        for loc, text in findings:
            line, path = locate(root, loc)
            yield Problem(line, text, path)


def _items(holder: Any, key: str) -> Iterator[tuple[int, Map]]:
    """Yield index and mapping of each item of a list that should hold mappings."""
    found = holder.get(key) if isinstance(holder, Map) else None
    if isinstance(found, List):
        for index, item in enumerate(found):
            if isinstance(item, Map):
                yield index, item


def _id(item: Map, key: str = "id") -> str | None:
    found = item.get(key)
    return found if isinstance(found, str) else None


def _twice(items: Iterator[tuple[Location, str, int]]) -> Iterator[Finding]:
    """Complain about each id that was used before; items are (location of the id, id, line)."""
    first: dict[str, int] = {}
    for loc, name, line in items:
        if name in first:
            yield (
                loc,
                Text(
                    f"{name} is already used in line {first[name]}: ids must differ",
                    f"{first[name]}행에서 이미 사용한 id입니다({name}). 다른 id를 쓰십시오",
                ),
            )
        else:
            first[name] = line


def _line(item: Map) -> int:
    return item.lines["id"]


def _machines(root: Map) -> Iterator[Finding]:
    yield from _twice(
        (("machines", i, "id"), name, _line(item)) for i, item in _items(root, "machines") if (name := _id(item))
    )


def _devices(root: Map) -> Iterator[Finding]:
    yield from _twice(
        (("devices", i, "id"), name, _line(item)) for i, item in _items(root, "devices") if (name := _id(item))
    )
    for d, device in _items(root, "devices"):
        groups = list(_items(device, "groups"))
        yield from _twice(
            (("devices", d, "groups", g, "id"), name, _line(group)) for g, group in groups if (name := _id(group))
        )
        nameless = [g for g, group in groups if "id" not in group]
        for g in nameless[1:]:
            yield (
                ("devices", d, "groups", g, "id"),
                Text(
                    "is missing: a device with several groups needs an id for each",
                    "id가 없습니다. 그룹이 여러 개이면 그룹마다 id를 쓰십시오",
                ),
            )


def _signals(root: Map) -> Iterator[Finding]:
    """Signals are unique on their machine, whichever device reads them, and machines are declared."""
    declared = [name for _, item in _items(root, "machines") if (name := _id(item))]
    known = frozenset(declared) | {slug(name) for name in declared}  # a misspelt declaration is one mistake
    used: dict[str, dict[str, int]] = {}
    for d, device in _items(root, "devices"):
        if declared and (own := _id(device, "machine")) is not None and own not in known:
            yield ("devices", d, "machine"), _unknown_machine(own, declared)
        for g, group in _items(device, "groups"):
            for loc, at, signal, name in _written(("devices", d, "groups", g), group):
                named = _id(signal, "machine")
                if declared and named is not None and named not in known:
                    yield (*loc, "machine"), _unknown_machine(named, declared)
                machine = named or _id(device, "machine")
                if machine is None or name is None:
                    continue
                lines = used.setdefault(machine, {})
                if name in lines:
                    where = of_file(lines[name])
                    yield (
                        at,
                        Text(
                            f"machine {machine} already has a signal {name} in {where.en}: ids must differ",
                            f"설비 {machine}에 이미 있는 태그입니다({name}, {where.ko}). 다른 id를 쓰십시오",
                        ),
                    )
                else:
                    lines[name] = _line(signal)


def _power(root: Map) -> Iterator[Finding]:
    """What tells of a device's power is read, and from another device: this one cannot say that it is off."""
    readers: dict[str, set[int]] = {}
    for d, device in _items(root, "devices"):
        for _, group in _items(device, "groups"):
            for _, _, signal, name in _written((), group):
                machine = _id(signal, "machine") or _id(device, "machine")
                readers.setdefault(f"{machine}/{name}", set()).add(d)
    for d, device in _items(root, "devices"):
        wanted = _id(device, "power_signal")
        if wanted is None or wanted.count("/") != 1 or readers.get(wanted, set()) - {d}:
            continue
        if wanted in readers:
            text = Text(
                f"{wanted} is read from this device itself, which cannot say that it has no power: "
                "name a signal of another device",
                f"이 장치에서 읽는 태그입니다({wanted}). 전원이 꺼지면 읽을 수 없으니 다른 장치의 태그를 쓰십시오",
            )
        elif hint := nearest(wanted, [name for name, found in readers.items() if found != {d}]):
            text = Text(
                f"no device reads {wanted}; did you mean {hint}?",
                f"어느 장치에서도 읽지 않는 태그입니다({wanted}). 혹시 {hint}입니까?",
            )
        else:
            text = Text(
                f"no device reads {wanted}: write machine/signal of one that is read",
                f"어느 장치에서도 읽지 않는 태그입니다({wanted}). 수집 중인 태그를 설비/태그로 쓰십시오",
            )
        yield ("devices", d, "power_signal"), text


def _bursts(root: Map) -> Iterator[Finding]:
    """A signal that is read in bursts may say whose it is: of one of the same machine that is read all the time."""
    steady: set[tuple[str | None, str]] = set()
    asked: list[tuple[Location, str | None, str, bool]] = []
    for d, device in _items(root, "devices"):
        for g, group in _items(device, "groups"):
            for loc, _, signal, name in _written(("devices", d, "groups", g), group):
                machine = _id(signal, "machine") or _id(device, "machine")
                if name is not None and "burst" not in group:
                    steady.add((machine, name))
                if (of := _id(signal, "burst_of")) is not None:
                    asked.append(((*loc, "burst_of"), machine, of, "burst" in group))
    for loc, machine, of, fast in asked:
        if not fast:
            text = Text(
                "burst_of belongs to the signals of a group with burst",
                "burst_of는 burst가 있는 그룹의 태그에만 쓸 수 있습니다",
            )
        elif (machine, of) not in steady:
            text = Text(
                f"machine {machine} has no signal {of} that is read all the time: name the one that is read fast",
                f"설비 {machine}에 상시 수집하는 태그가 없습니다({of}). 고속으로 읽는 태그의 id를 쓰십시오",
            )
        else:
            continue
        yield loc, text


def _written(loc: Location, group: Map) -> Iterator[tuple[Location, Location, Map, str | None]]:
    """Yield of each signal and alarm bit: where its entry stands, where its id does, the entry, and the id."""
    for s, signal in _items(group, "signals"):
        at = (*loc, "signals", s)
        yield at, (*at, "id"), signal, _id(signal)
    for a, alarm in _items(group, "alarms"):
        bits, word = alarm.get("bits"), _id(alarm)
        for bit in bits if isinstance(bits, Map) and word is not None else ():
            at = (*loc, "alarms", a)
            yield at, (*at, "bits", bit), alarm, f"{word}-{bit}"


def _unknown_machine(name: str, declared: Sequence[str]) -> Text:
    if hint := nearest(name, declared):
        return Text(
            f"machine {name} is not declared under machines; did you mean {hint}?",
            f"machines에 없는 설비입니다({name}). 혹시 {hint}입니까?",
        )
    return Text(
        f"machine {name} is not declared: add it under machines",
        f"machines에 없는 설비입니다({name}). machines에 추가하십시오",
    )


def _parsed(kind: TypeAdapter[int], value: Any) -> int | None:
    try:
        return kind.validate_python(value)
    except ValidationError:
        return None


def _mode(device: Map, group: Map) -> Any:
    return group.get("mode", "subscription" if device.get("type") == "opcua" else "poll")


def _timeouts(root: Map) -> Iterator[Finding]:
    """A written timeout fits into the shortest poll interval: one silent request must not skip a slot."""
    for d, device in _items(root, "devices"):
        timeout = _parsed(_DURATION, device.get("timeout"))
        polled = [
            (every, group["every"])
            for _, group in _items(device, "groups")
            if _mode(device, group) == "poll" and (every := _parsed(_EVERY, group.get("every"))) is not None
        ]
        if timeout is None or not polled:
            continue
        shortest, written = min(polled)
        if timeout > shortest:
            yield (
                ("devices", d, "timeout"),
                Text(
                    f"longer than the poll interval {written}: write at most {written}",
                    f"수집 주기 {written}보다 깁니다. {written} 이하로 쓰십시오",
                ),
            )


def _planned(root: Map) -> Iterator[Finding]:
    spans: list[Planned] = []
    indices: list[int] = []
    for index, item in _items(root.get("schedule"), "planned"):
        try:
            spans.append(Planned.model_validate(item))
        except ValidationError:
            continue
        indices.append(index)
    if (clash := overlap(spans)) is None:
        return
    first, second, minute = clash
    at = moment(minute)
    other = f"#{indices[first] + 1}"
    if first == second:
        yield (
            ("schedule", "planned", indices[second]),
            Text(
                f"runs into its own next day at {at}: shorten it",
                f"다음 날의 같은 시간대와 겹칩니다({at}). 줄이십시오",
            ),
        )
    else:
        yield (
            ("schedule", "planned", indices[second]),
            Text(
                f"overlaps planned[{other}] at {at}: shorten one",
                f"planned[{other}] 시간대와 겹칩니다({at}). 한쪽을 줄이십시오",
            ),
        )
