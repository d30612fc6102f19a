"""Objections: a party says within ten days that a verdict is wrong; until it is decided the verdict stands, marked.

Nothing is recomputed by an objection itself. Who decides (an operator who is no party) says one of three: it
stands; it is replaced, by a verdict of the same plan on corrected days; or it is withdrawn, and then nothing can be
told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from techsquare.verdict.terms import Verdict, Word

OBJECT_DAYS = 10
Side = Literal["factory", "supplier"]
About = Literal["days", "controls", "installation", "product", "other"]
Decision = Literal["stands", "replaced", "withdrawn"]
Refusal = Literal["too_early", "too_late", "no_party", "no_text", "already"]


@dataclass(frozen=True, slots=True)
class Objection:
    """Who says what against a verdict.

    About `days`: machine-days are wrong or ours; `controls`: one was touched; `installation`: it was on another
    day; `product`: another mix or other orders.
    """

    party: str
    side: Side
    on: date
    about: About
    text: str
    decision: Decision | None = None
    decided_on: date | None = None
    replacement: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What counts of a verdict now.

    `contested`: it is shown with a mark. `until`: the last day for an objection. `final`: that is over, and nothing
    is open.
    """

    word: Word
    verdict: Verdict
    contested: bool
    open: int
    until: date
    final: bool


def refuse(
    objection: Objection, told: date, parties: Sequence[str], earlier: Sequence[Objection] = ()
) -> Refusal | None:
    """Return why an objection is not taken, or None.

    Args:
        objection: As it came.
        told: When both parties were told the verdict.
        parties: Of the engagement.
        earlier: Objections against the same verdict: each party has one, which may say several things.
    """
    if objection.party not in parties:
        return "no_party"
    if objection.on < told:
        return "too_early"
    if objection.on > told + timedelta(days=OBJECT_DAYS):
        return "too_late"
    if not objection.text.strip():
        return "no_text"
    return "already" if any(one.party == objection.party for one in earlier) else None


def standing(verdict: Verdict, told: date, objections: Sequence[Objection], today: date) -> Standing:
    """Return what counts of a verdict on a day.

    A withdrawal counts before a replacement: with two decisions, the more careful one holds.

    Raises:
        ValueError: a replacement without a verdict, or of another plan or look.
    """
    for one in objections:
        if one.decision != "replaced":
            continue
        if one.replacement is None or (one.replacement.plan, one.replacement.look) != (verdict.plan, verdict.look):
            raise ValueError("a verdict is replaced by one of the same plan and the same look")
    waiting = sum(one.decision is None for one in objections)
    until = told + timedelta(days=OBJECT_DAYS)
    counted, word = verdict, verdict.word
    replaced = [one for one in objections if one.decision == "replaced"]
    if replaced:
        latest = max(replaced, key=lambda one: (one.decided_on or one.on, one.party))
        counted = latest.replacement or verdict
        word = counted.word
    if any(one.decision == "withdrawn" for one in objections):
        word = "cannot_tell"
    return Standing(word, counted, waiting > 0, waiting, until, not waiting and today > until)
