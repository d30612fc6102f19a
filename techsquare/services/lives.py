"""A project's life in its row: read, stored, and what the engine has to know of a day, from rows.

A row without a life (drawn up elsewhere) has the one that its state and dates say.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import func, select

from techsquare.mentoring import engagement as engine
from techsquare.registry import tables as t
from techsquare.services import contracts, takeovers
from techsquare.services.days import day_of
from techsquare.services.escrow import closed, gone
from techsquare.services.refused import RefusedError
from techsquare.services.rights import for_factory
from techsquare.services.workdays import calendar
from techsquare.verdict.objection import OBJECT_DAYS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from techsquare.mentoring.engagement import Actor, Event, Facts, Life
    from techsquare.services.rights import Caller

KEEPS = frozenset({"store", "tags", "interface", "export"})
"""What an exit drill has to show."""
_LIKE: Mapping[str, engine.State] = {
    "agreed": "chosen", "signed": "contracted", "installed": "commissioning", "accepted": "measuring",
    "decided": "verdict", "ended": "ended",
}  # fmt: skip


def life_of(row: t.Engagement) -> Life:
    """Return the life of a project; of a row without one, what its state and dates say."""
    if row.life is not None:
        said = dict(row.life)
        return engine.Life(
            said["state"], date.fromisoformat(said["since"]), date.fromisoformat(said["last"]), said["parted"],
            said["look"], said["alarms"],
        )  # fmt: skip
    state = _LIKE[row.state]
    dates = (row.ended_on, row.accepted_on, row.installed_on, row.signed_on, row.agreed_on)
    last = next(day for day in dates if day is not None)
    return engine.Life(state, last, last, look=1 if state == "verdict" else 0)


def facts(session: Session, row: t.Engagement, life: Life, on: date, now: int) -> Facts:
    """Return what is known of a project on a day."""
    plan = contracts.plan_of(session, row.id)
    looks = [] if plan is None else list(
        session.scalars(select(t.Outcome).where(t.Outcome.plan_id == plan.id).order_by(t.Outcome.look))
    )  # fmt: skip
    told = next((one for one in looks if one.look == life.look), None)
    due = next((one for one in looks if one.look == life.look + 1), None)
    waiting = [one.id for one in looks]
    takeover = takeovers.open_of(session, row.id)
    return engine.Facts(
        conditions=frozenset(contracts.open_conditions(session, row)),
        plan="frozen" if plan is not None else "none" if row.unmeasured_at is not None else None,
        baseline=plan is not None and plan.baseline_to < on,
        exit=set((row.drill or {}).get("proved", ())) >= KEEPS,
        verdict_on=None if due is None else due.on_date,
        word=None if told is None else told.word,
        objections=session.scalar(
            select(func.count()).where(t.Objection.outcome_id.in_(waiting), t.Objection.decision.is_(None))
        ) or 0,
        objecting_over=told is None or on > day_of(told.at) + timedelta(days=OBJECT_DAYS),
        successor=takeover is not None and takeover.state == "agreed",
        parting="gone" if gone(session, row, now) else "unwanted",
        closed=closed(session, row.supplier_id),
    )  # fmt: skip


def side(session: Session, caller: Caller, factory: str) -> Literal["owner", "mentor"]:
    """Return as what somebody speaks for a factory.

    Raises:
        RefusedError: `not_there`: he does not.
    """
    return "owner" if for_factory(session, caller, factory) == "owner" else "mentor"


def offered(session: Session, offer: t.Offer, event: Event, by: Actor, on: date) -> Life:
    """Return the life of an offer after an event; before it, it is an offer since it was shown.

    Raises:
        RefusedError: `step_refused`.
    """
    life = engine.offered(min(day_of(offer.shown_at), on))
    moved = engine.move(life, event, by, on, engine.Facts(), calendar(session, offer.factory_id, on))
    if moved.refused:
        raise RefusedError("step_refused", event=event, state=life.state, lacking=[why(w) for w in moved.refused])
    return moved.life


def decayed(session: Session, row: t.Engagement) -> bool:
    """Return whether a watch over the gain has said that it goes away."""
    plan = contracts.plan_of(session, row.id)
    return plan is not None and bool(
        session.scalar(select(func.count()).where(t.Outcome.plan_id == plan.id, t.Outcome.decayed_on.is_not(None)))
    )


def put(row: t.Engagement, life: Life) -> None:
    """Store a life in a row; its state follows."""
    state = engine.STORED[life.state]
    assert state is not None, "a row is neither an offer nor somebody else's"
    row.life, row.state = plain(life), state


def plain(life: Life) -> dict[str, Any]:
    """Return a life as JSON values."""
    return asdict(life) | {"since": life.since.isoformat(), "last": life.last.isoformat()}


def why(word: engine.Refusal) -> dict[str, str]:
    """Return what is lacking as a word and as texts."""
    text = engine.WORDS[word]
    return {"why": word, "ko": text.ko, "en": text.en}
