"""Which three things to measure first: by how much each narrows what the losses may be, for a won of its cost.

Nobody knows what a measurement will say. So it is tried at the low end, the middle and the high end of what is
believed now: the answer is put there with the spread that it would have after measuring, losses are priced again
by the same ledger, and the mean of the three widths is what would be left. The second is looked for as if the first
had said the middle, so two that tell the same are not both proposed.

The width is that of all losses with a price, in won a year, or of hours where none has one. What turns hours into
won (a rate that nobody has said) narrows nothing that can be counted: it is asked for, not measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from techsquare.entry.provisional import account_of, rates_of, spans, spread
from techsquare.entry.terms import Next, Provisional, Visit
from techsquare.span import Span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from techsquare.entry.model import Check, Form
    from techsquare.entry.terms import Answers, Ledger

    Told = Mapping[str, Span | None]

MOST = 3
LEAST_NARROWING = 1e-9
"""Of the width before; below, a measurement tells nothing and is not proposed."""
VISIT_MINUTES, CHECK_MINUTES = 60, 20


def cheapest(form: Form, answers: Answers, ledger: Ledger, most: int = MOST) -> list[Next]:
    """Return what to measure next, the best first; fewer than `most` where others would tell nothing.

    Args:
        form: Questions and checks.
        answers: As given.
        ledger: See `terms.Ledger`.
        most: How many.
    """
    told: Told = spans(form, answers)[0]
    unit = _unit(answers, told, ledger)
    left = list(form.checks)
    found: list[Next] = []
    while left and len(found) < most:
        before = _width(answers, told, ledger, unit)
        tried = [(before - _after(answers, told, ledger, unit, check), check) for check in left]
        narrows, best = max(tried, key=lambda pair: (pair[0] / pair[1].won, -pair[1].won, pair[1].id))
        if narrows <= LEAST_NARROWING * before:
            break
        found.append(Next(best.id, narrows, unit, best.won))
        told = _measured(told, best, 0.5)
        left = [check for check in left if check is not best]
    return found


def _unit(answers: Answers, told: Told, ledger: Ledger) -> Literal["won", "hours"]:
    losses = ledger([account_of(told)[0]], rates_of(answers, told))
    return "won" if any(loss.won_year is not None for loss in losses) else "hours"


def _width(answers: Answers, told: Told, ledger: Ledger, unit: Literal["won", "hours"]) -> float:
    losses = ledger([account_of(told)[0]], rates_of(answers, told))
    found = [loss.won_year if unit == "won" else loss.hours_year for loss in losses]
    return sum(span.high - span.low for span in found if span is not None)


def _after(answers: Answers, told: Told, ledger: Ledger, unit: Literal["won", "hours"], check: Check) -> float:
    tried = [_width(answers, _measured(told, check, at), ledger, unit) for at in (0.0, 0.5, 1.0)]
    return sum(tried) / len(tried)


def _measured(told: Told, check: Check, at: float) -> Told:
    """Return what would be believed if a check said what lies `at` this share of what is believed now."""
    found = dict(told)
    for narrows in check.narrows:
        span = told.get(narrows.question)
        if span is None:
            continue
        said = spread(span.low + at * (span.high - span.low), narrows.factor, narrows.least)
        # What was believed still holds: a measurement never widens.
        found[narrows.question] = Span(max(span.low, said.low), min(span.high, said.high))
    return found


def visit(told: Provisional, checks: Sequence[Next]) -> Visit:
    """Return a mentor's first visit: an hour, and time for each thing to be measured."""
    clear = sorted({question for _, question in told.conflicts})
    return Visit(
        minutes=VISIT_MINUTES + CHECK_MINUTES * len(checks),
        checks=[one.check for one in checks],
        ask=list(dict.fromkeys([*told.open, *told.lacking])),
        clear=clear,
    )
