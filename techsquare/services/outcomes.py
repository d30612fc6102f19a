"""What verified outcomes say of suppliers: counts and gains for matching, and the records that are published.

A plan counts once, by its latest look. What becomes of a verdict afterwards counts as well:

    an objection was upheld     it counts as what was computed again, which is in the outcome's row; withdrawn as
                                "cannot tell": nothing is known of it either way
    the gain has decayed        decided, and not improved: an offer is worth what lasts three years
    an objection is open        the verdict stands until it is decided

`Outcome.body["gain"]` is {"share", "error"}: the verified change as a share of the loss that it was about, and its
standard error. The product's supplier is who counts, also where another one has taken the project over.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from sqlalchemy import Text, case, cast, select

from techsquare.matching.record import Record
from techsquare.matching.terms import Counted
from techsquare.registry import tables as t
from techsquare.registry.audit import Actor, in_bulk, row_hash
from techsquare.registry.dialect import insert_new
from techsquare.registry.ids import new_id
from techsquare.services.days import day_of

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

ACTOR = Actor("night")
DECIDED = ("improved", "no_change", "worse")


class _Gain(msgspec.Struct):
    share: float
    error: float


class _Body(msgspec.Struct):
    gain: _Gain | None = None


class _Told(NamedTuple):
    """A plan's latest outcome, as it counts."""

    supplier: str
    family: str
    word: str
    gain: tuple[float, float] | None


_DECODER = msgspec.json.Decoder(_Body)


def decided() -> Select[Any]:
    """Return the statement of all projects with a decided outcome."""
    return (
        select(t.MeasurementPlan.engagement_id)
        .join(t.Outcome, t.Outcome.plan_id == t.MeasurementPlan.id)
        .where(t.Outcome.word.in_(DECIDED))
    )


def counted(session: Session, at: int | None = None) -> dict[tuple[str, str], Counted]:
    """Return (supplier, family) -> what is known of it.

    Args:
        session: For reading.
        at: What was known at this instant (ns since 1970); None: everything.
    """
    groups: dict[tuple[str, str], list[_Told]] = defaultdict(list)
    for told in _latest(session, at).values():
        groups[told.supplier, told.family].append(told)
    return {
        key: Counted(
            improved=sum(one.word == "improved" for one in found),
            decided=sum(one.word in DECIDED for one in found),
            cannot_tell=sum(one.word == "cannot_tell" for one in found),
            cause_not_shown=sum(one.word == "cause_not_shown" for one in found),
            gains=sorted(one.gain for one in found if one.gain is not None),
        )
        for key, found in sorted(groups.items())
    }


def _latest(session: Session, at: int | None) -> dict[str, _Told]:
    row, objection = t.Outcome, t.Objection
    upheld = select(objection.outcome_id, objection.follows).where(objection.decision == "upheld")
    if at is not None:
        upheld = upheld.where(objection.decided_at <= at)
    taken_back = {one for one, follows in session.execute(upheld) if (follows or {}).get("then") != "again"}
    asked = (
        select(
            row.id, row.plan_id, row.word, row.decayed_on, t.SolutionVersion.supplier_id, t.Solution.family,
            case((row.word == "improved", cast(row.body, Text))).label("body"),
        )
        .join(t.MeasurementPlan, t.MeasurementPlan.id == row.plan_id)
        .join(t.Engagement, t.Engagement.id == t.MeasurementPlan.engagement_id)
        .join(t.SolutionVersion, t.SolutionVersion.id == t.Engagement.version_id)
        .join(t.Solution, t.Solution.id == t.SolutionVersion.solution_id)
        .order_by(row.plan_id, row.look)
    )  # fmt: skip
    if at is not None:
        asked = asked.where(row.at <= at)
    found: dict[str, _Told] = {}
    for one in session.connection().execute(asked):
        word, gain = one.word, None
        if one.id in taken_back:
            word = "cannot_tell"
        elif word == "improved" and one.decayed_on is not None:
            word = "no_change"
        elif word == "improved":
            body = _DECODER.decode(one.body)
            gain = (body.gain.share, body.gain.error) if body.gain is not None else None
        found[one.plan_id] = _Told(one.supplier_id, one.family, word, gain)
    return found


def publish(session: Session, at: int) -> int:
    """Publish all records as they were known at an instant, once; return how many are new."""
    counts = counted(session, at)
    record = Record(counts)
    rows = []
    for (supplier, family), told in counts.items():
        rate = record.rate(supplier, family)
        rows.append(
            (
                new_id(), supplier, family, at, told.improved, told.decided, told.cannot_tell,
                told.cause_not_shown, rate.mean, min(rate.low, rate.mean), max(rate.high, rate.mean),
            )
        )  # fmt: skip
    columns = (
        "id", "supplier_id", "family", "at", "improved", "decided", "cannot_tell", "cause_not_shown", "mean", "low",
        "high",
    )  # fmt: skip
    new = len(insert_new(session.connection(), t.Record.__table__, columns, rows))  # type: ignore[arg-type]
    if new:
        in_bulk(session, ACTOR, "record", f"{day_of(at)} {new} records", row_hash({"rows": rows}))
    return new
