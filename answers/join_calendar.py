"""Planned time beyond the configuration's: weekdays, holidays, days off, shifts on single dates."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from settings.schedule import DAYS, Holidays

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import time

    from answers.hearing import Heard, Hearing, Voice
    from answers.sections import CalendarAnswer, Entry
    from readiness.schedule import Calendar


def hear(hearing: Hearing, answer: CalendarAnswer, voice: Callable[[Entry | None], Voice]) -> None:
    """Take down what a set says of the calendar, weekday by weekday and date by date."""
    own = voice(answer)
    by_weekday: dict[int, list[tuple[time, time]]] = defaultdict(list)
    for planned in answer.planned:
        for day in planned.days:
            by_weekday[day].append((planned.from_, planned.to))
    for day, pieces in by_weekday.items():
        hearing.add("calendar weekday", str(day), tuple(sorted(pieces)), own)
    if answer.country is not None:
        hearing.add("calendar", "country", answer.country, own)
    for day_off in answer.off:
        hearing.add("calendar date", day_off.isoformat(), "off", own)
    for day_on in answer.work:
        hearing.add("calendar date", day_on.isoformat(), "work", own)
    for shift in answer.extra:
        at = f"{shift.date} {shift.from_:%H:%M}"
        hearing.add("calendar extra", at, (shift.date, shift.from_, shift.to), voice(_with(shift, answer)))


def _with(shift: Entry, answer: CalendarAnswer) -> Entry:
    """Return a shift with the author and date of its section where it names none."""
    return shift.model_copy(update={"by": shift.by or answer.by, "on": shift.on or answer.on})


def calendar(hearing: Hearing, heard: Mapping[str, Mapping[str, Heard]], base: Calendar) -> Calendar:
    """Return the configured calendar with what people answered."""
    planned = dict(base.planned)
    for text, one in heard.get("calendar weekday", {}).items():
        day = int(text)
        if planned.get(day) and tuple(sorted(planned[day])) != one.value:
            written = replace(one, value=pieces(one.value))
            hearing.differs("configuration", "calendar", f"planned {DAYS[day]}", written, pieces(planned[day]))
        planned[day] = one.value
    off = set(base.holidays)
    if (country := heard.get("calendar", {}).get("country")) is not None:
        off |= Holidays(country=country.value).dates()
    for text, one in heard.get("calendar date", {}).items():
        (off.add if one.value == "off" else off.discard)(date.fromisoformat(text))
    extra: dict[date, list[tuple[time, time]]] = defaultdict(list)
    for one in heard.get("calendar extra", {}).values():
        on, begin, end = one.value
        extra[on].append((begin, end))
    return replace(
        base,
        planned={day: planned[day] for day in sorted(planned)},
        holidays=frozenset(off),
        extra={on: tuple(sorted(extra[on])) for on in sorted(extra)},
    )


def pieces(row: tuple[tuple[time, time], ...]) -> str:
    """Return pieces of a day as people write them."""
    return ", ".join(f"{begin:%H:%M}-{end:%H:%M}" for begin, end in row)
