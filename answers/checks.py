"""What must hold between the entries of a set of answers: nothing is answered twice, spans do not cross.

Like `agent.config.checks` these read the plain data, so that they also speak when something else is wrong.
"""

from __future__ import annotations

import datetime as dt
import itertools
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from answers.sections import Shift
from settings.language import Text
from settings.schedule import Planned, moment, overlap
from settings.suggest import nearest
from settings.tree import List, Map, Problem, locate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from settings.tree import Location

Finding = tuple["Location", Text]
KEYS = {
    "machines": ("id",),
    "signals": ("id",),
    "loops": ("machine", "name"),
    "products": ("id",),
    "hand_counts": ("machine", "from", "to"),
    "stop_reasons": ("machine", "from", "to"),
    "systems": ("id",),
    "use": ("day", "system", "account"),
    "bills": ("month",),
    "claims": ("metric", "machine", "by"),
    "onboardings": ("machine",),
}
"""What tells the entries of a section apart."""


def check(root: Map) -> Iterator[Problem]:
    """Yield every contradiction in a set of answers."""
    for findings in (
        *(_twice(root, section) for section in KEYS),
        _planned(root),
        _extra(root),
        _days(root),
        _systems(root),
        _later(root),
    ):
        for loc, text in findings:
            line, path = locate(root, loc)
            yield Problem(line, text, path)


def entries(root: Map, section: str) -> Iterator[tuple[int, Map]]:
    """Yield index and mapping of each entry of a section that is one."""
    found = root.get(section)
    if isinstance(found, List):
        for index, item in enumerate(found):
            if isinstance(item, Map):
                yield index, item


def _twice(root: Map, section: str) -> Iterator[Finding]:
    first: dict[tuple[str, ...], int] = {}
    fields = KEYS[section]
    for index, item in entries(root, section):
        values = [item.get(name) for name in fields]
        if any(isinstance(v, dict | list) or (v is None and section != "claims") for v in values):
            continue
        key = tuple("" if value is None else str(value).strip() for value in values)
        if key in first:
            said = " ".join(part for part in key if part)
            yield (
                (section, index, fields[0]),
                Text(
                    f"{said} is already answered in line {first[key]}: keep one of them",
                    f"{first[key]}행에 이미 있는 응답입니다({said}). 하나만 남기십시오",
                ),
            )
        else:
            first[key] = item.lines.get(fields[0], 1)


def _planned(root: Map) -> Iterator[Finding]:
    spans: list[Planned] = []
    indices: list[int] = []
    calendar = root.get("calendar")
    found = calendar.get("planned") if isinstance(calendar, Map) else None
    for index, item in enumerate(found if isinstance(found, List) else ()):
        try:
            spans.append(Planned.model_validate(item))
        except ValidationError:
            continue
        indices.append(index)
    if (clash := overlap(spans)) is not None:
        first, second, minute = clash
        other, at = f"#{indices[first] + 1}", moment(minute)
        yield (
            ("calendar", "planned", indices[second]),
            Text(
                f"overlaps planned[{other}] at {at}: shorten one",
                f"planned[{other}] 시간대와 겹칩니다({at}). 한쪽을 줄이십시오",
            ),
        )


def _extra(root: Map) -> Iterator[Finding]:
    """Extra shifts of one set do not cross: one of them would be a slip of the pen."""
    calendar = root.get("calendar")
    found = calendar.get("extra") if isinstance(calendar, Map) else None
    spans: list[tuple[dt.datetime, dt.datetime, int]] = []
    for index, item in enumerate(found if isinstance(found, List) else ()):
        try:
            shift = Shift.model_validate(item)
        except ValidationError:
            continue
        begin = dt.datetime.combine(shift.date, shift.from_)
        end = dt.datetime.combine(shift.date, shift.to)
        spans.append((begin, end if end > begin else end + dt.timedelta(days=1), index))
    spans.sort()
    for (_, until, first), (begin, _, second) in itertools.pairwise(spans):
        if begin < until:
            one, other = sorted((first, second))
            yield (
                ("calendar", "extra", other),
                Text(
                    f"overlaps extra[#{one + 1}] at {begin:%Y-%m-%d %H:%M}: shorten one",
                    f"extra[#{one + 1}] 시간대와 겹칩니다({begin:%Y-%m-%d %H:%M}). 한쪽을 줄이십시오",
                ),
            )


def _days(root: Map) -> Iterator[Finding]:
    calendar = root.get("calendar")
    if not isinstance(calendar, Map):
        return
    off, work = calendar.get("off"), calendar.get("work")
    if isinstance(off, List) and isinstance(work, List):
        for index, day in enumerate(work):
            if day in off:
                yield (
                    ("calendar", "work", index),
                    Text(
                        f"{day} stands under off too: keep one of them",
                        f"off에도 있는 날짜입니다({day}). 하나만 남기십시오",
                    ),
                )


def _systems(root: Map) -> Iterator[Finding]:
    """A use log names systems that are listed, wherever any is."""
    known: list[Any] = [item.get("id") for _, item in entries(root, "systems")]
    names = [name for name in known if isinstance(name, str)]
    told: set[str] = set()
    for index, item in entries(root, "use"):
        system = item.get("system")
        if names and isinstance(system, str) and system not in names and system not in told:
            told.add(system)
            hint = nearest(system, names)
            en, ko = (
                (f"; did you mean {hint}?", f". 혹시 {hint}입니까?") if hint else (": add it", ". 추가하십시오")
            )
            yield (
                ("use", index, "system"),
                Text(f"there is no {system} under systems{en}", f"systems에 없는 시스템입니다({system}){ko}"),
            )


HAPPENED = {
    "hand_counts": ("to",),
    "stop_reasons": ("to", "entered"),
    "use": ("day",),
    "onboardings": ("confirmed",),
}
"""Section -> fields that say when something has happened."""


def _later(root: Map) -> Iterator[Finding]:
    """Nothing has happened after the date of the set that tells it, or of the entry."""
    for section, names in HAPPENED.items():
        for index, item in entries(root, section):
            written = _date(item.get("on") or root.get("date"))
            for name in names:
                day = _date(item.get(name))
                if written is not None and day is not None and day > written:
                    yield (
                        (section, index, name),
                        Text(
                            f"{day} is later than the date of this answer, {written}: one of them is wrong",
                            f"응답한 날짜({written})보다 나중입니다({day}). 둘 중 하나를 고치십시오",
                        ),
                    )


def _date(value: Any) -> dt.date | None:
    try:
        return dt.date.fromisoformat(str(value)[:10])
    except ValueError:
        return None
