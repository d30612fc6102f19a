"""Device profiles: a register map once, for many devices of one kind.

    devices:
      - {id: meter-1, machine: press-1, host: 10.0.0.11, extends: eastron/sdm630}
      - id: meter-2
        machine: press-2
        host: 10.0.0.12
        extends: eastron/sdm630
        drop: [harmonics]                         # a whole group
        groups:
          - id: fast
            every: 5s                             # instead of the profile's
            drop: [frequency]                     # a signal, an alarm word or one of its bits
            signals:
              - {id: energy, role: energy}        # one key of a signal that the profile has
              - {id: relay, address: "holding:7", type: uint16}     # one more

A profile holds `profile: 1`, `name`, `source` (the public documents that confirm it), `unsure` (what they do not),
perhaps `extends` for another profile, and `device`: the keys of an entry of `devices`. It is put under each entry
before anything is validated: mappings key by key, groups, signals and alarm words by their id, anything else as a
whole; what stands in the entry goes before. A signal of a profile may have `browse`, a path of names below the
machine, where addresses belong to each maker: it is left out of an entry that does not give its address or node.
Each line is remembered with its file, so that a mistake is said where somebody made it; a file may be used by many
devices, so the complaint names the line with `extends` as well.

Profiles are data of the same trust as the file, but of any size: their number, depth and length are limited, and a
name cannot lead out of the folders (`settings.base.ProfileName`). Pure; `agent.config.library` finds the files.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from pydantic import Field, ValidationError

from settings.base import PROFILE, Model, Name, ProfileName
from settings.document import parse
from settings.explain import PATTERNS, problems
from settings.language import Text
from settings.suggest import nearest
from settings.tree import Line, List, Map, Problem, locate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from settings.tree import Location

BYTES_LIMIT = 500_000
"""Of one profile."""
DEPTH_LIMIT = 4
"""Profiles that extend one another."""
VALUES_LIMIT = 500_000
"""Values that all profiles together may put into one file."""

_PLACES = ("address", "node")
_BY_ID = {"groups": "main", "signals": None, "alarms": None}
"""Lists that are merged by id, and the id of an entry that has none."""


class Profile(Model):
    """What a profile file holds."""

    profile: Literal[1] = Field(description="version of this format")
    name: Name = Field(description="what it is a profile of")
    source: tuple[Name, ...] = Field(min_length=1, description="public documents that confirm it")
    unsure: tuple[Name, ...] = Field((), description="what they do not confirm")
    extends: ProfileName | None = Field(None, description="profile that it is made from")
    device: dict[str, Any] = Field(description="keys of a device, without id and machine")


class Library(Protocol):
    """Where profiles are."""

    def names(self) -> Sequence[str]:
        """Return the names of all profiles."""

    def read(self, name: str) -> tuple[str, bytes] | None:
        """Return the file of a profile, as it is shown, and its content; None when there is none."""


class _Stop(Exception):  # noqa: N818 - ends one device, never leaves this module
    def __init__(self, *found: Problem) -> None:
        super().__init__()
        self.found = found


class _Use(NamedTuple):
    """One `extends` in the technician's file."""

    line: int
    path: str
    library: Library
    room: list[int]  # values that may still be copied
    read: dict[str, tuple[str, Map, Profile]]  # profiles by name, once they were read


def complete(root: Map, library: Library) -> tuple[Sequence[Problem], Sequence[str]]:
    """Put profiles under the devices that extend them, in place.

    Args:
        root: The file.
        library: Its profiles.

    Returns:
        What is wrong with profiles, and the paths of the devices that therefore make no sense.
    """
    devices = root.get("devices")
    if not isinstance(devices, List):
        return (), ()
    found: list[Problem] = []
    silent: list[str] = []
    room = [VALUES_LIMIT]
    known: dict[str, tuple[str, Map, Profile]] = {}
    for index, device in enumerate(devices):
        if not isinstance(device, Map) or not isinstance(name := device.get("extends"), str):
            continue
        line, path = locate(root, ("devices", index, "extends"))
        use = _Use(line, path, library, room, known)
        try:
            base = _resolved(name, use, ())
            merged, wrong = _overlaid(base, device, ("devices", index))
            _without_templates(merged)
        except _Stop as stop:
            found += stop.found
            silent.append(locate(root, ("devices", index))[1])
            continue
        for loc, text in wrong:
            at, where = locate(root, loc)
            found.append(Problem(at, text, where))
        devices[index] = merged
    return found, silent


def _resolved(name: str, use: _Use, above: tuple[str, ...]) -> Map:
    """Return the device of a profile with what that extends, its lines marked."""
    if name in above or len(above) >= DEPTH_LIMIT:
        chain = " -> ".join((*above, name))
        text = Text(
            f"profiles extend one another {DEPTH_LIMIT} times at most, never in a circle: {chain}",
            f"프로파일은 {DEPTH_LIMIT}단계까지만, 순환 없이 이어 쓸 수 있습니다: {chain}",
        )
        raise _Stop(Problem(use.line, text, use.path))
    if name not in use.read:
        use.read[name] = _read(name, use)
    file, root, head = use.read[name]
    device: Map = _marked(root["device"], file, use)
    for key in ("id", "machine", "extends"):
        if key in device:
            text = Text(f"remove {key}: each device writes its own", f"{key}은(는) 장치마다 따로 쓰므로 지우십시오")
            raise _Stop(Problem(device.lines[key], text, f"device.{key}"))
    if head.extends is not None:
        device, wrong_drops = _overlaid(_resolved(head.extends, use, (*above, name)), device, ("device",))
        for loc, said in wrong_drops:
            raise _Stop(Problem(Line(locate(root, loc)[0], file, use.line), said, locate(root, loc)[1]))
    _confess(device, root, file, use)
    return device


def _read(name: str, use: _Use) -> tuple[str, Map, Profile]:
    if not re.fullmatch(PROFILE, name):
        raise _Stop(Problem(use.line, PATTERNS[PROFILE], use.path))
    found = use.library.read(name)
    if found is None:
        known = use.library.names()
        hint = nearest(name, known)
        listed = ", ".join(known) or "-"
        text = (
            Text(f"no profile {name}; did you mean {hint}?", f"없는 프로파일입니다({name}). 혹시 {hint}입니까?")
            if hint
            else Text(f"no profile {name}; there are: {listed}", f"없는 프로파일입니다({name}). 있는 것: {listed}")
        )
        raise _Stop(Problem(use.line, text, use.path))
    file, raw = found
    if len(raw) > BYTES_LIMIT:
        size = Text("a profile has 500 kB at most", "프로파일 크기는 500 kB까지입니다")
        raise _Stop(Problem(Line(1, file, use.line), size))
    document = parse(raw)
    wrong = [Problem(Line(p.line, file, use.line), p.text, p.path) for p in document.problems]
    if not wrong and not isinstance(document.root, Map):
        wrong = [Problem(Line(1, file, use.line), Text("write `profile: 1` first", "`profile: 1`부터 쓰십시오"))]
    if wrong:
        raise _Stop(*wrong)
    root: Map = document.root
    try:
        return file, root, Profile.model_validate(root)
    except ValidationError as exc:
        found_wrong = problems(exc.errors(include_url=False), root, Profile)
        raise _Stop(*(Problem(Line(p.line, file, use.line), p.text, p.path) for p in found_wrong)) from None


def _marked(value: Any, file: str, use: _Use) -> Any:
    """Return a copy whose lines name their file; of signals, that their address comes from a profile."""
    use.room[0] -= 1
    if use.room[0] < 0:
        text = Text(
            f"the profiles put more than {VALUES_LIMIT:,} values into the file",
            f"프로파일로 들어오는 값이 {VALUES_LIMIT:,}개를 넘습니다",
        )
        raise _Stop(Problem(use.line, text, use.path))
    if isinstance(value, Map):
        made = Map()
        for key, inner in value.items():
            made[key] = _marked(inner, file, use)
            made.lines[key] = Line(value.lines[key], file, use.line)
        place = next((key for key in _PLACES if key in made), None)
        signal = "type" in made or isinstance(made.get("bits"), Map)
        if place is not None and signal and "found" not in made:
            made["found"], made.lines["found"] = "profile", made.lines[place]
        return made
    if isinstance(value, List):
        items = List()
        for inner, line in zip(value, value.lines, strict=True):
            items.append(_marked(inner, file, use))
            items.lines.append(Line(line, file, use.line))
        return items
    return value


def _confess(device: Map, root: Map, file: str, use: _Use) -> None:
    """Add what a profile is unsure of to what those are that it extends."""
    own = _marked(root.get("unsure"), file, use)
    if isinstance(own, List) and own:
        device["unsure"] = _joined(device.get("unsure", List()), own)
        device.lines.setdefault("unsure", Line(root.lines["unsure"], file, use.line))


def _joined(first: List, second: List) -> List:
    made = List()
    made += [*first, *second]
    made.lines += [*first.lines, *second.lines]
    return made


def _overlaid(base: Map, over: Map, loc: Location) -> tuple[Map, list[tuple[Location, Text]]]:
    """Return `base` with `over` put over it, and which dropped ids do not exist; both stay as they are."""
    wrong: list[tuple[Location, Text]] = []
    made = Map()
    for key in (*base, *(key for key in over if key not in base)):
        if key not in over:
            made[key], made.lines[key] = base[key], base.lines[key]
            continue
        value, line = over[key], over.lines[key]
        if key in base:
            if isinstance(value, Map) and isinstance(base[key], Map):
                value, inner = _overlaid(base[key], value, (*loc, key))
                wrong += inner
            elif key in _BY_ID and isinstance(value, List) and isinstance(base[key], List):
                value, inner = _by_id(base[key], value, (*loc, key), _BY_ID[key])
                wrong += inner
        if key != "drop":
            made[key], made.lines[key] = value, line
    if made.get("found") == "profile" and "found" not in over and any(key in over for key in _PLACES):
        del made["found"], made.lines["found"]  # somebody wrote another address
    wrong += _drop(made, over, loc)
    return made, wrong


def _by_id(base: List, over: List, loc: Location, nameless: str | None) -> tuple[List, list[tuple[Location, Text]]]:
    """Return a list with the entries of another put over those of the same id, or after them."""
    wrong: list[tuple[Location, Text]] = []
    made = _joined(base, List())
    places = {item.get("id", nameless): i for i, item in enumerate(base) if isinstance(item, Map)}
    for index, (item, line) in enumerate(zip(over, over.lines, strict=True)):
        same = places.get(item.get("id", nameless)) if isinstance(item, Map) else None
        if same is None:
            made.append(item)
            made.lines.append(line)
        else:
            made[same], inner = _overlaid(made[same], item, (*loc, index))
            made.lines[same] = line
            wrong += inner
    return made, wrong


def _without_templates(device: Map) -> None:
    """Leave out signals that only say how they are called, and groups of nothing else."""
    groups = device.get("groups")
    if not isinstance(groups, List):
        return
    for index in reversed(range(len(groups))):
        group = groups[index]
        signals = group.get("signals") if isinstance(group, Map) else None
        if not isinstance(signals, List) or not any(isinstance(s, Map) and "browse" in s for s in signals):
            continue
        kept = List()
        for signal, line in zip(signals, signals.lines, strict=True):
            if isinstance(signal, Map) and "browse" in signal:
                if not any(key in signal for key in _PLACES):
                    continue
                del signal["browse"], signal.lines["browse"]
            kept.append(signal)
            kept.lines.append(line)
        group["signals"] = kept
        if not kept and not group.get("alarms"):
            del groups[index], groups.lines[index]


def _drop(made: Map, over: Map, loc: Location) -> Iterator[tuple[Location, Text]]:
    """Take out of a merged device or group what its `drop` names; yield what is not there."""
    names = over.get("drop")
    if names is None:
        return
    if not isinstance(names, List) or not all(isinstance(name, str) for name in names):
        yield (*loc, "drop"), Text("write a list of ids: [a, b]", "id를 목록으로 쓰십시오: [a, b]")
        return
    for index, name in enumerate(names):
        if not any(_taken(made, key, name) for key in ("groups", "signals", "alarms")):
            there = [*_ids(made)]
            hint, listed = nearest(name, there), ", ".join(there)
            en = f"did you mean {hint}?" if hint else f"there are: {listed}"
            ko = f"혹시 {hint}입니까?" if hint else f"있는 것: {listed}"
            said = Text(f"the profile has no {name}; {en}", f"프로파일에 없습니다({name}). {ko}")
            yield (*loc, "drop", index), said


def _ids(made: Map) -> Iterator[str]:
    for key, nameless in _BY_ID.items():
        for item in made.get(key) or ():
            if isinstance(item, Map) and isinstance(name := item.get("id", nameless), str):
                yield name


def _taken(made: Map, key: str, name: str) -> bool:
    """Take an entry, or one bit of an alarm word, out of a list of a mapping; return whether it was there."""
    items = made.get(key)
    if not isinstance(items, List):
        return False
    for index, item in enumerate(items):
        if not isinstance(item, Map):
            continue
        own = item.get("id", _BY_ID[key])
        if own == name:
            kept = _joined(items, List())
            del kept[index], kept.lines[index]
            made[key] = kept
            return True
        bits = item.get("bits")
        bit = name.removeprefix(f"{own}-")
        if key == "alarms" and isinstance(bits, Map) and bit != name and bit in bits:
            fewer = Map()
            for number, meaning in bits.items():
                if number != bit:
                    fewer[number], fewer.lines[number] = meaning, bits.lines[number]
            item["bits"] = fewer
            return True
    return False
