"""The mentor's answers about the simulated factory: `answers.yaml`, filled in with what follows from its past.

What people would have counted, entered or been billed is taken from the simulation's truth, never from what the
signals show: the light barrier of the conveyor misses pieces that a person who counts does not. People enter three
changeovers of four, and nobody opens the system on some days.

Pure: the same past gives the same text.
"""

from __future__ import annotations

import string
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from demo.machines import CARRIED_S
from demo.timeline import SECOND, State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from demo.machines import Machine
    from demo.timeline import Timeline
    from readiness.schedule import Calendar

LEAST_S = 360
"""Changeovers that are shorter are no stop to anybody."""
FORGOTTEN = 4
"""One changeover of so many is not entered."""
UNUSED = 5
"""On one day of so many nobody opens the system."""
REASONS = {
    "press-1": ("금형 교체", "소재 교체", "초품 검사"),
    "cnc-1": ("지그 교체", "공구 준비", "초품 검사"),
    "mold-1": ("금형 교체", "원료 교체", "조건 조정"),
}


def answers(template: str, machines: Mapping[str, Machine], calendar: Calendar, days: Sequence[date]) -> str:
    """Return the whole file.

    Args:
        template: `answers.yaml`.
        machines: By id, living through these days and later.
        calendar: Of the configuration.
        days: Production days of the history, oldest first, at least two of them planned.
    """
    worked = [day for day in days if calendar.planned_spans(day).length()]
    spans = calendar.planned_spans(worked[-2])
    start, stop = int(spans.start[0]), int(spans.end[-1])
    times = np.array([calendar.bounds(days[0])[0], calendar.bounds(days[-1])[1]])
    (energy,) = machines["meter-1"].columns(["energy"], times)
    return string.Template(template).substitute(
        visit=worked[-1].isoformat(),
        hand_counts="\n".join(_hand_counts(machines, calendar, start, stop)),
        stop_reasons="\n".join(_stop_reasons(machines, calendar, int(times[0]), stop)),
        use="\n".join(_use(worked)),
        month=f"{days[0]:%Y-%m}",
        kwh=round(float(energy[1] - energy[0]) * 30 / len(days)),
    )


def _hand_counts(machines: Mapping[str, Machine], calendar: Calendar, start: int, stop: int) -> Iterator[str]:
    """Yield what people who stood at each machine for the last shift have counted."""
    for name, machine in machines.items():
        if machine.always_on:
            continue
        life = machine.timeline
        ends = life.at(np.array([start, stop]))
        total, reject = (int(np.diff(column)[0]) for column in (ends.cycle, life.rejected(ends)))
        parts = f", good: {total - reject}, reject: {reject}" if "reject-count" in machine.signals else ""
        yield (
            f"  - {{machine: {name}, from: {_local(calendar, start)}, to: {_local(calendar, stop)}, "
            f"total: {total}{parts}, by: 최은지 품질팀}}"
        )


def _stop_reasons(machines: Mapping[str, Machine], calendar: Calendar, start: int, stop: int) -> Iterator[str]:
    for name, reasons in REASONS.items():
        for n, (from_ns, to_ns) in enumerate(_changeovers(machines[name].timeline, start, stop)):
            if n % FORGOTTEN < FORGOTTEN - 1:
                entered = _local(calendar, to_ns + CARRIED_S * SECOND)
                yield (
                    f"  - {{machine: {name}, from: {_local(calendar, from_ns)}, to: {_local(calendar, to_ns)}, "
                    f"reason: {reasons[n % len(reasons)]}, entered: {entered}}}"
                )


def _changeovers(life: Timeline, start: int, stop: int) -> Iterator[tuple[int, int]]:
    for index in np.flatnonzero(life.state[:-1] == State.SETUP).tolist():
        from_ns, to_ns = int(life.start_ns[index]), int(life.start_ns[index + 1])
        if start <= from_ns and to_ns <= stop and to_ns - from_ns >= LEAST_S * SECOND:
            yield from_ns, to_ns


def _use(worked: Sequence[date]) -> Iterator[str]:
    """Yield the use of the system by class of accounts, day by day."""
    for n, day in enumerate(worked):
        yield f"  - {{day: {day}, system: mes, account: kiosk, reads: 1440}}"
        if n % UNUSED != UNUSED - 1:
            told = f"reads: {9 + 7 * n % 13}, sessions: {2 + n % 3}"
            yield f"  - {{day: {day}, system: mes, account: operator, {told}}}"
        if day.weekday() == 0:
            yield f"  - {{day: {day}, system: mes, account: manager, reads: 12, sessions: 1}}"


def _local(calendar: Calendar, time_ns: int) -> str:
    return f"{datetime.fromtimestamp(time_ns // SECOND, ZoneInfo(calendar.zone)):%Y-%m-%d %H:%M}"
