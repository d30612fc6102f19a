"""Hand counts and meter readings by form, and the machine-days that they make.

A line stands for itself and is never changed: one that corrects it comes later and counts in its place, and what
was written for a wrong machine or day is taken back. After each change the factory's counted rows are what
`diagnosis.counted` makes of all its lines; measured rows are not touched.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from sqlalchemy import select

from techsquare.diagnosis.counted import Kind, Reading, Refused, counted
from techsquare.diagnosis.terms import MachineDay
from techsquare.registry import tables as t
from techsquare.registry.ids import new_id
from techsquare.registry.store import add
from techsquare.services.days import day_of
from techsquare.services.measured import NUMBERS
from techsquare.services.refused import RefusedError
from techsquare.services.rights import for_factory, seen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from techsquare.services.rights import Caller

UNITS: Mapping[str, str] = {
    **{kind: "min" for kind in get_args(Kind) if kind.endswith("_min")},
    "pieces": "1", "rejects": "1", "ideal_cycle_s": "s", "meter_kwh": "kWh",
}  # fmt: skip
assert set(UNITS) == set(get_args(Kind))
assert set(NUMBERS) <= {field.name for field in fields(MachineDay)}


class Line(NamedTuple):
    """What somebody writes into the form."""

    machine: str
    day: date
    kind: Kind
    value: float


class ByHand(NamedTuple):
    """What the lines of a factory make: machine-days, and lines that cannot be true."""

    days: Sequence[MachineDay]
    refused: Sequence[Refused]


def write(session: Session, caller: Caller, factory: str, lines: Sequence[Line]) -> tuple[list[t.Reading], ByHand]:
    """Keep lines of the form; of one machine, day and kind the latest counts.

    Raises:
        RefusedError: `not_there`: also a machine that is not registered; `in_future`: a day that has not come;
            `twice`: two lines of one machine, day and kind.
    """
    for_factory(session, caller, factory)
    places = {(one.machine, one.day, one.kind) for one in lines}
    if len(places) < len(lines):
        raise RefusedError("twice")
    here = session.scalars(select(t.Machine.id).where(t.Machine.factory_id == factory)).all()
    if any(one.machine not in here for one in lines):
        raise RefusedError("not_there")
    if any(one.day > day_of(caller.now) for one in lines):
        raise RefusedError("in_future")
    rows = [
        t.Reading(
            id=new_id(), factory_id=factory, machine_id=one.machine, day=one.day, kind=one.kind,
            value=one.value, unit=UNITS[one.kind], at=caller.now, by_user=caller.reader.user,
        )
        for one in lines
    ]  # fmt: skip
    add(session, *rows)
    return rows, _made(session, factory)


def take_back(session: Session, caller: Caller, reading: str) -> ByHand:
    """Delete a line: the one before it of the same machine, day and kind counts again.

    Raises:
        RefusedError: `not_there`.
    """
    row = seen(session, caller, t.Reading, reading)
    for_factory(session, caller, row.factory_id)
    session.delete(row)
    session.flush()
    return _made(session, row.factory_id)


def by_hand(session: Session, factory: str) -> ByHand:
    """Return what all lines of a factory make."""
    rows = session.scalars(select(t.Reading).where(t.Reading.factory_id == factory, t.Reading.kind.in_(UNITS)))
    return ByHand(*counted(Reading(r.machine_id, r.day, r.kind, r.value, r.at) for r in rows))  # type: ignore[arg-type]


def _made(session: Session, factory: str) -> ByHand:
    """Bring the factory's counted machine-days to what its lines make."""
    found = by_hand(session, factory)
    wanted = {(one.machine, one.day): _numbers(one) for one in found.days}
    rows = session.scalars(
        select(t.MetricDay).where(t.MetricDay.factory_id == factory, t.MetricDay.source == "counted")
    )
    there = {(row.machine_id, row.day): row for row in rows}
    for at, row in there.items():
        if at not in wanted:
            session.delete(row)
            continue
        for name, value in wanted[at].items():
            setattr(row, name, value)
    new = [
        t.MetricDay(factory_id=factory, machine_id=machine, day=day, source="counted", **wanted[machine, day])
        for machine, day in sorted(wanted.keys() - there.keys())
    ]
    add(session, *new)
    session.flush()
    return found


def _numbers(day: MachineDay) -> dict[str, Any]:
    return {name: getattr(day, name) for name in NUMBERS}
