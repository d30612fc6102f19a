"""Rows of what people have said, as the engines take them: the twenty answers, rates, the mentor's questionnaire.

What was said last holds. Rates that nobody has said come from the answers; what those say of a piece and of the
people beside a machine is about the one machine that the questions are about, and is used for that one alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from techsquare.diagnosis import load as questions_of_mentors
from techsquare.diagnosis.beside import Said
from techsquare.diagnosis.terms import Rates
from techsquare.entry import load as questions_of_entry
from techsquare.entry.provisional import rates_of, spans
from techsquare.entry.terms import MAIN
from techsquare.registry import tables as t
from techsquare.services.days import day_of
from techsquare.span import Span

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from techsquare.diagnosis.questionnaire import Questionnaire
    from techsquare.diagnosis.terms import Tell
    from techsquare.entry.model import Form

SPANS = (
    "contribution_piece", "scrap_piece", "staff_hour", "avoidable_hour", "tariff_kwh", "good_share",
)  # fmt: skip
"""Rates that lie between two numbers; names of `diagnosis.terms.Rates` and of the form."""


@cache
def form() -> Form:
    """Return the twenty questions."""
    return questions_of_entry.load()


@cache
def questionnaire() -> Questionnaire:
    """Return the mentor's questionnaire."""
    return questions_of_mentors.load()


@dataclass(frozen=True, slots=True)
class Told:
    """What people have said of a factory.

    Attributes:
        answers: To the twenty questions; None for "모름".
        machine: The one that they are about.
        when: Day of the last of them, ISO; None without any.
        levels: Of the mentor's questionnaire.
        rates: As said by form.
    """

    answers: Mapping[str, float | str | None]
    machine: str
    when: str | None
    levels: tuple[Said, ...]
    rates: Rates

    @property
    def answered(self) -> int:
        """How many of the twenty somebody knew."""
        return sum(value is not None for value in self.answers.values())

    @property
    def spans(self) -> dict[str, Span | None]:
        """What the answers to questions about a number say; None where nobody knew, or it cannot be."""
        found, priors, _ = spans(form(), self.answers)
        return {name: None if name in priors else span for name, span in found.items()}

    @property
    def days_week(self) -> float | None:
        """On how many days a week it is planned to run, as the owner says."""
        value = self.answers.get("days_week")
        return None if isinstance(value, str) or value is None or self.spans["days_week"] is None else float(value)

    def rates_for(self, machine: str, answered: Rates | None = None) -> Rates:
        """Return the rates of a machine: as said by form, then as answered; ranges of the file are nobody's word.

        Args:
            machine: Its id.
            answered: In place of the answers.
        """
        theirs = answered or rates_of(self.answers, self.spans, self.machine)
        return joined(self.rates, theirs, machine, whole=machine == self.machine)

    def guessed(self) -> Rates:
        """Return the rates for an account of answers: the file's ranges stand for what nobody knew."""
        return self.rates_for(self.machine, rates_of(self.answers, spans(form(), self.answers)[0], self.machine))


def joined(said: Rates, answered: Rates, machine: str, *, whole: bool) -> Rates:
    """Return rates as said, and as answered where nobody has said them.

    Args:
        said: By form.
        answered: Of the twenty questions.
        machine: Whose rates are asked for.
        whole: Whether the questions are about this machine; of others they tell the wage and whether orders wait.
    """
    orders = answered.orders_wait if said.orders_wait == "unknown" else said.orders_wait
    found = replace(said, orders_wait=orders, staff_hour=said.staff_hour or answered.staff_hour)
    if not whole:
        return found
    # Persons that somebody has counted beside it say more than the answers' product.
    counted = said.avoidable_hour is not None or (found.staff_hour is not None and machine in said.attended)
    here: Tell = said.limits.get(machine, "unknown")
    limits = {**said.limits, machine: answered.limits.get(machine, "unknown") if here == "unknown" else here}
    return replace(
        found,
        contribution_piece=said.contribution_piece or answered.contribution_piece,
        scrap_piece=said.scrap_piece or answered.scrap_piece,
        avoidable_hour=said.avoidable_hour if counted else answered.avoidable_hour,
        limits=limits,
    )


def told(session: Session, factory: str) -> Told:
    """Return what people have said of a factory, the latest of everything."""
    latest: dict[str, t.Answer] = {}
    for row in session.scalars(
        select(t.Answer).where(t.Answer.factory_id == factory).order_by(t.Answer.at, t.Answer.id)
    ):
        latest[row.question] = row
    entry = {str(q.id): latest[q.id] for q in form().questions if q.id in latest}
    machine, when = MAIN, None
    for row in sorted(entry.values(), key=lambda row: (row.at, row.id)):
        machine, when = row.machine_id or machine, day_of(row.at).isoformat()
    levels = tuple(
        Said(q.id, latest[q.id].value.get("level"), day_of(latest[q.id].at).isoformat())
        for q in questionnaire().questions
        if q.id in latest
    )
    answers = {name: row.value.get("value") for name, row in entry.items()}
    return Told(answers, machine, when, levels, rates(session, factory))


def rates(session: Session, factory: str) -> Rates:
    """Return the latest rates that were said by form; which machine limits output stands with the machine."""
    row = session.scalars(
        select(t.Rates).where(t.Rates.factory_id == factory).order_by(t.Rates.at.desc(), t.Rates.id.desc())
    ).first()
    body = {} if row is None else row.body
    limits = session.execute(
        select(t.Machine.id, t.Machine.limits_output).where(t.Machine.factory_id == factory).order_by(t.Machine.id)
    )
    named: dict[str, Any] = {name: _span(body.get(name)) for name in SPANS}
    return Rates(
        **named,
        limits=dict(limits.all()),
        orders_wait=body.get("orders_wait", "unknown"),
        attended=dict(sorted((body.get("attended") or {}).items())),
    )


def _span(value: Any) -> Span | None:
    """Return a span of a form, or of a pair as the simulation writes it."""
    if value is None:
        return None
    low, high = (value["low"], value["high"]) if isinstance(value, Mapping) else value
    return Span(float(low), float(high))
