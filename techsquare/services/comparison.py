"""Comparison machines for a project: those whose owners let them serve, of the same process, touched by no plan.

Their days are compared and never shown: who they are stands in `plan_machine`, for their own factory and the
operator's house. The factory's own machines are looked at first; other factories' days are read only where there
are too few at home, of so many factories at most, drawn by a hash of what is asked, so that nobody chooses them.
"""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from techsquare.registry import tables as t
from techsquare.services.refused import RefusedError
from techsquare.services.series import METRICS, rows, series
from techsquare.verdict import plan as planning
from techsquare.verdict.controls import Candidate, choose
from techsquare.verdict.phases import Window

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from techsquare.services.series import Pair
    from techsquare.verdict.controls import Choice
    from techsquare.verdict.terms import Over

MOST_DRAWN = 300
"""Machines of other factories that are looked at: twenty of them are taken at most."""


class Asked(NamedTuple):
    """What is to be compared: a metric of a factory's machines over these days."""

    factory: str
    machines: Sequence[str]
    metric: str
    baseline: tuple[date, date]
    installed: date
    days_after: int
    extension_days: int

    @property
    def ends(self) -> date:
        """The last day of the extension."""
        days = planning.BLACKOUT_DAYS + self.days_after + 1 + self.extension_days
        return self.installed + timedelta(days=days)


class Chosen(NamedTuple):
    """The treated machines, those to compare with in the order of how close they are, and where these stand."""

    treated: list[Pair]
    controls: list[Pair]
    over: Over


def comparison(session: Session, asked: Asked, key: str) -> Chosen:
    """Return what a project is compared with, by the state of this moment.

    Args:
        session: For reading.
        asked: What is asked.
        key: Decides which of too many machines are looked at.

    Raises:
        RefusedError: `plan_refused`: there is no such machine.
    """
    found = {name: session.get(t.Machine, (asked.factory, name)) for name in sorted(set(asked.machines))}
    if not found or None in found.values():
        raise RefusedError("plan_refused", why=["no_machine"])
    processes = {row.process or "" for row in found.values() if row}
    treated = [(asked.factory, name) for name in found]
    if len(processes) != 1 or not min(processes):
        return Chosen(treated, [], "none")
    process = min(processes)
    others = [one for one in _others(session, process) if one not in treated]
    home = [one for one in others if one[0] == asked.factory]
    choice = _choice(session, asked, process, treated, home)
    if choice.over != "site":
        far = [one for one in others if one[0] != asked.factory]
        drawn = sorted(far, key=lambda one: sha256("\x1f".join((key, *one)).encode()).digest())[:MOST_DRAWN]
        choice = _choice(session, asked, process, treated, home + sorted(drawn))
    pairs = {_name(one): one for one in others}
    return Chosen(treated, [pairs[name] for name in choice.controls], choice.over)


def _choice(
    session: Session, asked: Asked, process: str, treated: Sequence[Pair], others: Sequence[Pair]
) -> Choice:
    days = rows(session, [*treated, *others], asked.metric, *asked.baseline)
    touched = _touched(session, asked)
    of = {one: series(_name(one), one[0], days.get(one, [])) for one in (*treated, *others)}
    return choose(
        [of[one] for one in treated],
        process,
        [Candidate(of[one], process, touched=one in touched) for one in others],
        Window(*asked.baseline),
        METRICS[asked.metric].close,
    )


def _others(session: Session, process: str) -> list[Pair]:
    found = session.execute(
        select(t.Machine.factory_id, t.Machine.id)
        .where(t.Machine.process == process, t.Machine.comparable, t.Machine.retired_on.is_(None))
        .order_by(t.Machine.factory_id, t.Machine.id)
    )
    return [(factory, machine) for factory, machine in found]


def _touched(session: Session, asked: Asked) -> set[Pair]:
    """Return the machines that a plan changes in these days."""
    found = session.execute(
        select(t.PlanMachine.factory_id, t.PlanMachine.machine_id)
        .join(t.MeasurementPlan, t.MeasurementPlan.id == t.PlanMachine.plan_id)
        .where(
            t.PlanMachine.part == "treated", t.MeasurementPlan.withdrawn_at.is_(None),
            t.MeasurementPlan.baseline_from <= asked.ends, t.MeasurementPlan.extended_to >= asked.baseline[0],
        )
    )  # fmt: skip
    return {(factory, machine) for factory, machine in found}


def _name(pair: Pair) -> str:
    return "/".join(pair)
