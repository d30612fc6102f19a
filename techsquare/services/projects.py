"""A project's whole life as events of `mentoring.engagement`; the row and its dates follow.

    choose    a wanted offer, with leave to get in touch: the row begins, the supplier is asked
    take      the supplier says yes: a slot is used, the other offers of the item end; it draws up the contract
    events    refuse, sign, begin, deliver, accept, part, take_over, end by people, each with its day
    follow    what comes by itself: lapse, tell, extend, settle, alarm, finish, and the parting from who has closed

`Engagement.life` holds the `Life`; `state` is the engine's `STORED` of it, and the dates are those of the events.
An event is refused with everything that is lacking, and then nothing has moved. What the engine must know of a day
(`Facts`) is read from rows at that moment: contract, deposit, plan, outcomes, objections, exit drill, takeover.

Whether a supplier is gone is not claimed by anybody: it has closed, or has left a standing machine without an
answer for too long. Otherwise an owner who parts wants another one, which needs no reason and costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from techsquare.mentoring import engagement as engine
from techsquare.registry import tables as t
from techsquare.registry.ids import new_id
from techsquare.registry.store import add
from techsquare.services import contracts, lives, takeovers
from techsquare.services.days import day_of, quarter
from techsquare.services.refused import RefusedError
from techsquare.services.rights import for_factory, need, seen
from techsquare.services.slots import live, released
from techsquare.services.telling import over, tell
from techsquare.services.workdays import calendar

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

    from sqlalchemy.orm import Session

    from techsquare.mentoring.engagement import Event, Facts, Life
    from techsquare.services.rights import Caller

BEFORE_ACCEPTED = frozenset({"agreed", "signed", "installed"})
BY_PEOPLE: tuple[Event, ...] = (
    "refuse", "sign", "begin", "deliver", "accept", "part", "take_over", "finish", "end",
)  # fmt: skip


def choose(session: Session, offer: t.Offer, by: engine.Actor, now: int) -> t.Engagement:
    """Make a project of an offer whose supplier may get in touch."""
    on = day_of(now)
    life = lives.offered(session, offer, "choose", by, on)
    item = session.get_one(t.RoadmapItem, offer.item_id)
    row = t.Engagement(
        id=new_id(), factory_id=offer.factory_id, supplier_id=offer.supplier_id, version_id=offer.version_id,
        measure_id=offer.measure_id, item_id=offer.item_id, offer_id=offer.id, state="agreed",
        life=lives.plain(life),
    )  # fmt: skip
    item.state = "taken"
    add(session, row)
    tell(session, row.factory_id, "asked", row, now)
    return row


def take(session: Session, caller: Caller, offer: str) -> t.Engagement:
    """Say yes to a factory that has asked, as the supplier: one of its slots is used.

    Raises:
        RefusedError: `not_there`; `wrong_role`; `not_wanted`: nobody has asked it to get in touch, or does any
            more; `answered`: it has said yes; `slots_used`.
    """
    wanted = seen(session, caller, t.Offer, offer)
    need(caller, "supplier", wanted.supplier_id)
    row = session.scalars(select(t.Engagement).where(t.Engagement.offer_id == offer)).one_or_none()
    if row is None or row.state == "ended":
        raise RefusedError("not_wanted")
    if row.agreed_on is not None:
        raise RefusedError("answered")
    on = day_of(caller.now)
    if wanted.round_id is None:  # a place of a round has its slot already
        slot = session.get(t.Slot, (row.supplier_id, quarter(on)))
        if slot is None or takeovers.left(slot) < 1:
            raise RefusedError("slots_used")
        slot.used += 1
    row.agreed_on = on
    over(session, row.factory_id, "asked", row, caller.now)
    for other in session.scalars(live(wanted.item_id)):
        other.ended_at = caller.now
        if other.id != offer:
            released(session, other)
    return row


def say(session: Session, caller: Caller, engagement: str, event: Event, on: date | None = None) -> t.Engagement:
    """Say that something has happened with a project, or shall.

    Args:
        session: In `Registry.decide`.
        caller: Who says so.
        engagement: Which project.
        event: One of `BY_PEOPLE`.
        on: On which day; today where it is None.

    Raises:
        RefusedError: `not_there`; `wrong_role`; `step_refused`, with everything that is lacking.
    """
    row = seen(session, caller, t.Engagement, engagement)
    by = _actor(session, caller, row)
    return _move(session, row, event, by, on or day_of(caller.now), caller.now)


def possible(session: Session, caller: Caller, engagement: str) -> dict[str, Any]:
    """Return where a project stands, and each event that the caller could say now with what stands against it.

    Raises:
        RefusedError: `not_there`.
    """
    row = seen(session, caller, t.Engagement, engagement)
    by = _actor(session, caller, row)
    today = day_of(caller.now)
    life = lives.life_of(row)
    days = calendar(session, row.factory_id, today)
    found = engine.possible(life, by, today, lives.facts(session, row, life, today, caller.now), days)
    waiting = contracts.open_conditions(session, row) if life.state == "chosen" and by != "operator" else ()
    return {
        "life": lives.plain(life),
        "can": {event: [lives.why(one) for one in why] for event, why in found.items() if event in BY_PEOPLE},
        "conditions": list(waiting),
    }


def unmeasured(session: Session, caller: Caller, engagement: str) -> t.Engagement:
    """Write down that the owner wants nothing to be measured; a plan that is frozen stays.

    Raises:
        RefusedError: `not_there`; `wrong_role`; `decided`: the project is accepted, or over.
    """
    row = seen(session, caller, t.Engagement, engagement)
    if for_factory(session, caller, row.factory_id) != "owner":
        raise RefusedError("wrong_role", needed="owner")
    if row.state not in BEFORE_ACCEPTED:
        raise RefusedError("decided")
    row.unmeasured_at = row.unmeasured_at or caller.now
    return row


def drilled(
    session: Session, caller: Caller, engagement: str, proved: Collection[str], on: date | None
) -> t.Engagement:  # fmt: skip
    """Write down what an exit drill with the new system has shown, for the factory.

    Raises:
        RefusedError: `not_there`; `not_reached`: nothing is delivered on that day yet, or it is to come.
    """
    row = seen(session, caller, t.Engagement, engagement)
    by = for_factory(session, caller, row.factory_id)
    day = on or day_of(caller.now)
    if row.installed_on is None or not row.installed_on <= day <= day_of(caller.now):
        raise RefusedError("not_reached")
    row.drill = {"on": day.isoformat(), "proved": sorted(proved), "by": by}
    return row


def close(session: Session, caller: Caller, supplier: str) -> t.Supplier:
    """Write down that a supplier has closed, as the operator: its projects lose it at the same moment.

    Raises:
        RefusedError: `wrong_role`; `not_there`; `decided`: it is closed.
    """
    need(caller, "operator")
    found = session.get(t.Supplier, supplier)
    if found is None:
        raise RefusedError("not_there")
    if found.state == "closed":
        raise RefusedError("decided")
    shut(session, found, caller.now)
    return found


def shut(session: Session, supplier: t.Supplier, now: int) -> None:
    """Have a supplier be closed: nothing of it is offered any more, and its projects lose it at this moment."""
    supplier.state = "closed"
    session.flush()
    for offer in session.scalars(
        select(t.Offer)
        .where(t.Offer.supplier_id == supplier.id, t.Offer.ended_at.is_(None), t.Offer.contacted_at.is_(None))
        .order_by(t.Offer.id)
    ):
        offer.ended_at = now
        released(session, offer)
    for row in session.scalars(
        select(t.Engagement)
        .where(t.Engagement.supplier_id == supplier.id, t.Engagement.state != "ended")
        .order_by(t.Engagement.id)
    ):
        follow(session, row, now)


def given_up(session: Session, factory: str, now: int) -> None:
    """End the projects of a factory that leaves, as far as they wait for its word; what is measured goes on."""
    for row in session.scalars(
        select(t.Engagement)
        .where(t.Engagement.factory_id == factory, t.Engagement.state != "ended")
        .order_by(t.Engagement.id)
    ):
        if row.state in BEFORE_ACCEPTED or takeovers.open_of(session, row.id) is not None:
            _move(session, row, "end", "owner", max(day_of(now), lives.life_of(row).last), now)


def follow(session: Session, row: t.Engagement, now: int) -> list[Event]:
    """Let everything come that comes by itself, as far as rows have it; return the events, in order.

    A verdict moves the project when its outcome is stored; whoever stores one, or decides an objection, calls this.
    """
    came: list[Event] = []
    while (found := _next(session, row, now)) is not None:
        event, by, on = found
        _move(session, row, event, by, on, now)
        came.append(event)
    if row.state != "ended":
        contracts.refresh(session, row, day_of(now), now)
    return came


def _move(session: Session, row: t.Engagement, event: Event, by: engine.Actor, on: date, now: int) -> t.Engagement:
    """Move a project by an event, and everything that hangs on it; or refuse with everything that is lacking."""
    life = lives.life_of(row)
    today = day_of(now)
    known = lives.facts(session, row, life, on, now)
    moved = engine.move(life, event, by, on, known, calendar(session, row.factory_id, today))
    if moved.refused or on > today:
        lacking = [lives.why(one) for one in moved.refused]
        if on > today:
            lacking.append({"why": "future", "ko": "오지 않은 날짜입니다.", "en": "The day is still to come."})
        if "actor" in moved.refused or by not in engine.WHO[event]:
            raise RefusedError("wrong_role", event=event, lacking=lacking)
        more = {"conditions": sorted(known.conditions)} if "conditions" in moved.refused else {}
        raise RefusedError("step_refused", event=event, state=life.state, lacking=lacking, **more)
    after = moved.life
    if event == "take_over":
        after = _succeed(session, row, life, on, now)
    lives.put(row, after)
    _date(row, event, on)
    _effects(session, row, event, life, known, now)
    session.flush()
    contracts.refresh(session, row, on, now)
    return row


def _date(row: t.Engagement, event: Event, on: date) -> None:
    match event:
        case "sign":
            row.signed_on = on
        case "deliver":
            row.installed_on = on
        case "accept":
            row.accepted_on = on
        case "refuse" | "lapse" | "finish" | "end":
            row.ended_on = on
        case _:
            pass


def _effects(
    session: Session, row: t.Engagement, event: Event, before: Life, known: Facts, now: int
) -> None:  # fmt: skip
    """Do what an event brings with it beside the row itself."""
    match event:
        case "sign":
            paper = contracts.of(session, row.id)
            assert paper is not None, "without one its conditions are open"
            paper.owner_signed_at = now
            over(session, row.factory_id, "contract", paper, now)
        case "deliver":
            tell(session, row.factory_id, "accept_due", row, now)
        case "accept":
            _item(session, row, "done")
        case "tell":
            _told(session, row, now)
        case "part":
            takeovers.needed(session, row, known.parting or "unwanted", now)
        case "refuse" | "lapse" | "end":
            _over(session, row, before, now)
            tell(session, row.factory_id, "ended", row, now)
        case "finish":
            _over(session, row, before, now)
        case _:
            pass


def _over(session: Session, row: t.Engagement, before: Life, now: int) -> None:
    """Free what a project holds when it ends."""
    takeover = takeovers.open_of(session, row.id)
    if takeover is not None:
        takeover.state, takeover.ended_at = "dropped", now
    over(session, row.factory_id, "asked", row, now)
    paper = contracts.of(session, row.id)
    if paper is not None:
        over(session, row.factory_id, "contract", paper, now)
    offer = session.get(t.Offer, row.offer_id) if row.offer_id else None
    if offer is not None:
        offer.ended_at = offer.ended_at or now
    if before.state == "chosen":
        if offer is not None and offer.round_id is not None:
            released(session, offer)
        elif row.agreed_on is not None:
            slot = session.get(t.Slot, (row.supplier_id, quarter(row.agreed_on)))
            if slot is not None:
                slot.used = max(0, slot.used - 1)
    if row.accepted_on is None:
        shown = session.scalar(
            select(func.count()).where(t.Offer.item_id == row.item_id, t.Offer.ended_at.is_(None))
        )
        _item(session, row, "offered" if shown else "open")


def _told(session: Session, row: t.Engagement, now: int) -> None:
    """Tell the verdict that has just moved a project: there are ten days to object."""
    plan, look = contracts.plan_of(session, row.id), lives.life_of(row).look
    assert plan is not None, "there is a verdict"
    for outcome in session.scalars(select(t.Outcome).where(t.Outcome.plan_id == plan.id, t.Outcome.look == look)):
        tell(session, row.factory_id, "outcome", outcome, now)


def _item(session: Session, row: t.Engagement, state: Any) -> None:
    item = session.get(t.RoadmapItem, row.item_id) if row.item_id else None
    if item is not None and item.state == "taken":
        item.state = state


def _succeed(session: Session, row: t.Engagement, before: Life, on: date, now: int) -> Life:
    """Give a project to the successor who has agreed; return its life from then on."""
    takeover = takeovers.open_of(session, row.id)
    assert takeover is not None, "the engine has asked for a successor"
    assert takeover.to_supplier is not None, "who has agreed is named"
    row.supplier_id = takeover.to_supplier
    row.version_id = takeover.checklist.get("version") or row.version_id
    takeover.state, takeover.ended_at = "done", now
    return engine.resumed(before, on)


def _next(session: Session, row: t.Engagement, now: int) -> tuple[Event, engine.Actor, date] | None:
    """Return the event that comes by itself next, if one does."""
    life, today = lives.life_of(row), day_of(now)
    if life.last > today or life.state in engine.OVER:
        return None
    known = lives.facts(session, row, life, today, now)
    tries: list[tuple[Event, engine.Actor]] = []
    if life.state == "chosen" and (row.agreed_on is None or known.closed):
        tries.append(("lapse", "service"))
    if known.closed and life.parted is None:
        tries.append(("part", "operator"))
    tries += [("tell", "service"), ("finish", "service")]
    if life.state == "verdict" and not (known.word in engine.DECIDED or life.look > 1):
        tries.append(("extend", "service"))
    else:
        tries.append(("settle", "service"))
    if life.alarms == 0 and lives.decayed(session, row):
        tries.append(("alarm", "service"))
    days = calendar(session, row.factory_id, today)
    for event, by in tries:
        if not engine.refusals(life, event, by, today, known, days):
            return event, by, today
    return None


def _actor(session: Session, caller: Caller, row: t.Engagement) -> engine.Actor:
    """Return as what somebody speaks of a project that he may see.

    Raises:
        RefusedError: `not_there`.
    """
    if caller.has("supplier", row.supplier_id):
        return "supplier"
    if caller.has("operator"):
        return "operator"
    return lives.side(session, caller, row.factory_id)
