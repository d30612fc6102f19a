"""What entry is made of: answers, what they say with how wide a span, what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from techsquare.diagnosis.terms import Account, Lacking, Loss, Rates
    from techsquare.span import Span

    Ledger = Callable[[Sequence[Account], Rates], Sequence[Loss]]
    """`techsquare.diagnosis.ledger.losses`, handed in by whoever calls."""
    Answers = Mapping[str, float | str | None]
    """Question -> number or choice; None or absent: "모름", nobody knows here."""

MAIN = "main"
"""The machine that the questions are about: the one that decides how much can be shipped."""
Conflict = Literal["stops_exceed_day", "unknown_question", "unknown_choice", "out_of_range"]


@dataclass(frozen=True, slots=True)
class Provisional:
    """A diagnosis that rests on answers alone, to be marked so wherever it is shown; its confidence is low.

    Attributes:
        account: Of the main machine, source `answered`.
        rates: As answered.
        losses: By the same ledger as measured ones.
        energy_won_year: Of the plant's bill.
        priors: Questions whose answer was "모름" and for which the file's own range was taken.
        open: Questions without an answer and without such a range.
        lacking: What losses in won would need.
        conflicts: Answers that cannot be, with the question; they count as "모름".
    """

    account: Account
    rates: Rates
    losses: Sequence[Loss]
    energy_won_year: Span | None
    priors: Sequence[str]
    open: Sequence[str]
    lacking: Sequence[Lacking]
    conflicts: Sequence[tuple[Conflict, str]]


@dataclass(frozen=True, slots=True)
class Next:
    """Something to measure: by how much it narrows what the losses may be, and what that costs.

    `narrows` is in `unit` a year: won where any loss has a price, otherwise hours.
    """

    check: str
    narrows: float
    unit: Literal["won", "hours"]
    cost_won: int


@dataclass(frozen=True, slots=True)
class Visit:
    """A mentor's first visit to be booked: what to measure together, what to ask for, what to clear up."""

    minutes: int
    checks: Sequence[str]
    ask: Sequence[str]  # questions without an answer, rates that are lacking
    clear: Sequence[str]  # questions whose answers cannot be
