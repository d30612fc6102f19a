"""What was said beside what was measured, and how much of each model anybody has looked at.

Nothing here overwrites anything: both stand side by side, and where they cannot both be true it is listed, as a
question for the next visit. Scales of other models are touched by their public structure only. A part of a model is
`measured` when the report tells anything of it, `answered` when a person has, `both`, or `nobody`; it is never a
rating by that model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from contract.report import Contradiction

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from contract.report import Band, Report
    from techsquare.diagnosis.questionnaire import Part, Questionnaire
    from techsquare.diagnosis.terms import Account

By = Literal["measured", "answered", "both", "nobody"]
DIGITS = 3


@dataclass(frozen=True, slots=True)
class Said:
    """An answer to the mentor's questionnaire: an entry of its scale from 0, None for "nobody knows here"."""

    question: str
    level: int | None
    when: str


@dataclass(frozen=True, slots=True)
class Beside:
    """A question that has a measured counterpart: what was said, and between what the evidence lies."""

    question: str
    band: str
    said: int | None
    low: int | None
    high: int | None
    agrees: bool | None  # None where one of them is missing


@dataclass(frozen=True, slots=True)
class Covered:
    """A part of a model, and who has told anything of it."""

    part: str
    by: By


@dataclass(frozen=True, slots=True)
class Coverage:
    """A model by its parts; `measured`, `answered` and `nobody` count them, `both` being in the first two."""

    model: str
    parts: Sequence[Covered]
    measured: int
    answered: int
    nobody: int


def beside(questionnaire: Questionnaire, said: Iterable[Said], report: Report | None) -> list[Beside]:
    """Return each question that is measured as well, in the questionnaire's order.

    An answer agrees when it lies within what the evidence leaves open, and above what is measurable always: there
    only a person can say.
    """
    told = _latest(said)
    bands = _bands(report)
    found = []
    for question in questionnaire.questions:
        if question.band is None:
            continue
        answer, band = told.get(question.id), bands.get(question.band)
        level = None if answer is None else answer.level
        low, high = (None, None) if band is None else (band.low, band.high)
        agrees = None if level is None or band is None else _fits(level, band)
        found.append(Beside(question.id, question.band, level, low, high, agrees))
    return found


def _fits(level: int, band: Band) -> bool:
    reached = band.high == band.measurable
    return band.low <= level and (level <= band.high or reached)


def contradictions(
    questionnaire: Questionnaire, said: Iterable[Said], report: Report | None, pairs: Iterable[Contradiction] = ()
) -> list[Contradiction]:
    """Return what cannot both be true: of the report, of the questionnaire, and `pairs`, in one order."""
    told = _latest(said)
    own = [
        Contradiction(
            code="band",
            subject=one.question,
            said=str(one.said),
            seen=f"{one.low}" if one.low == one.high else f"{one.low}-{one.high}",
            when=told[one.question].when,
        )
        for one in beside(questionnaire, told.values(), report)
        if one.agrees is False
    ]
    found = [*(() if report is None else report.contradictions), *own, *pairs]
    return sorted(found, key=lambda c: (c.code, c.subject, c.machine or "", c.said, c.seen, c.when))


def shares(said: Iterable[Account], seen: Iterable[Account], when: str) -> Iterator[Contradiction]:
    """Yield where an owner's word of a loss and the measurement of the same machine have nothing in common."""
    measured = {account.machine: account for account in seen}
    for told in said:
        other = measured.get(told.machine)
        if other is None:
            continue
        for bucket, span in told.shares.items():
            real = other.shares.get(bucket)
            if real is not None and (span.high < real.low or span.low > real.high):
                yield Contradiction(
                    code="loss_share",
                    subject=bucket,
                    said=f"{round(span.low, DIGITS):g}-{round(span.high, DIGITS):g}",
                    seen=f"{round(real.low, DIGITS):g}-{round(real.high, DIGITS):g}",
                    when=when,
                    machine=told.machine,
                )


def coverage(questionnaire: Questionnaire, said: Iterable[Said], report: Report | None) -> list[Coverage]:
    """Return of each model which parts were measured, answered, or by nobody, in the questionnaire's order."""
    told = {name for name, one in _latest(said).items() if one.level is not None}
    answered = {part for q in questionnaire.questions if q.id in told for part in q.parts}
    bands = _bands(report)
    assessed = set() if report is None else {v.metric for v in report.values if v.value is not None}
    found = []
    for model in questionnaire.models:
        parts = []
        for part in model.parts:
            seen = _measured(part, bands, assessed)
            heard = f"{model.id}/{part.id}" in answered
            by: By = "both" if seen and heard else "measured" if seen else "answered" if heard else "nobody"
            parts.append(Covered(part.id, by))
        found.append(
            Coverage(
                model.id,
                parts,
                measured=sum(p.by in {"measured", "both"} for p in parts),
                answered=sum(p.by in {"answered", "both"} for p in parts),
                nobody=sum(p.by == "nobody" for p in parts),
            )
        )
    return found


def _measured(part: Part, bands: Mapping[str, Band], assessed: set[str]) -> bool:
    band = bands.get(part.band) if part.band is not None else None
    # A band that is still open from the bottom to the top of what can be measured says nothing yet.
    if band is not None and not (band.low == 0 and band.high >= band.measurable):
        return True
    return bool(assessed & set(part.indicators))


def _bands(report: Report | None) -> dict[str, Band]:
    if report is None:
        return {}
    return {band.id: band for band in [*report.siri, *([report.acatech] if report.acatech else [])]}


def _latest(said: Iterable[Said]) -> dict[str, Said]:
    """Return the latest answer to each question; of two of one day the one that claims less."""
    ordered = sorted(said, key=lambda one: (one.when, -(99 if one.level is None else one.level)))
    return {one.question: one for one in ordered}
