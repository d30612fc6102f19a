"""Verdicts: what is told of a frozen plan on its two dates, what a party says against it, what comes of that.

    frozen --its date, installed--> first look --decided--> settled
                                        |--not decided, no open objection--> extension --> settled
    a look --within ten days, each party once--> objection --operator--> rejected | upheld: again, or withdrawn

The night computes what is due; a party may ask earlier on that day, and gets the same: a look is computed once,
from the days before its date. An outcome holds what the engine said, with the placebo dates, beside it the gain
as a share of the loss (`gain`, for matching) and how often the watch over it will find half of it lost (`watch`).

An objection computes nothing by itself. Upheld, it either withdraws the verdict ("cannot tell", and no extension)
or has it computed again on corrected days: without comparison machines that were touched, without days that were
wrong, with the real day of the installation. Of several `verdict.objection` says which holds.
"""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from sqlalchemy import select

from techsquare.registry import tables as t
from techsquare.registry.ids import new_id
from techsquare.registry.store import add
from techsquare.services.days import day_of
from techsquare.services.plain import plain
from techsquare.services.plans import machines_of, party_of, plan_of, terms_of
from techsquare.services.refused import RefusedError
from techsquare.services.rights import need, seen
from techsquare.services.series import Frozen, held, rows, series
from techsquare.verdict import decay, told
from techsquare.verdict import objection as objecting
from techsquare.verdict.gain import gain
from techsquare.verdict.phases import windows
from techsquare.verdict.terms import DECIDED, Placebo, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from techsquare.services.rights import Caller
    from techsquare.verdict.terms import Plan, Series

Then = Literal["again", "withdrawn"]
FIELDS = frozenset(field.name for field in fields(Verdict))


def verdict(session: Session, caller: Caller, plan: str) -> t.Outcome:
    """Compute what is due, as a party: the first look, or the extension of one that decided nothing.

    Raises:
        RefusedError: `not_there`; `not_agreed`: the plan is not frozen; `not_installed`; `too_early`; `decided`;
            `objection_open`; `baseline_changed`.
    """
    row, project = plan_of(session, caller, plan)
    party_of(session, caller, project)
    return judge(session, row, project, caller.now)


def judge(session: Session, row: t.MeasurementPlan, project: t.Engagement, now: int) -> t.Outcome:
    """Compute what is due of a plan and keep it.

    Raises:
        RefusedError: as of `verdict`.
    """
    if row.frozen_at is None:
        raise RefusedError("not_agreed")
    looks = session.scalars(select(t.Outcome).where(t.Outcome.plan_id == row.id).order_by(t.Outcome.look)).all()
    over = len(looks) == 2 or (looks and (looks[0].word in DECIDED or looks[0].body.get("withdrawn")))
    if over or row.withdrawn_at is not None:
        raise RefusedError("decided")
    on = row.extended_to if looks else row.verdict_on
    if day_of(now) < on:
        raise RefusedError("too_early", on=on.isoformat())
    if project.installed_on is None:
        raise RefusedError("not_installed")
    if looks and session.scalar(
        select(t.Objection.id).where(t.Objection.outcome_id == looks[0].id, t.Objection.decision.is_(None))
    ):
        raise RefusedError("objection_open")
    plan = terms_of(session, row)
    days, came = corrected(session, row, days_of(session, row, plan, on - timedelta(days=1)), project.installed_on)
    found = told.verdict(plan, days, verdict_of(looks[0].body) if looks else None, came)
    outcome = t.Outcome(
        id=new_id(), plan_id=row.id, look=found.look, on_date=on, word=found.word, estimate=found.estimate,
        low=found.low, high=found.high, body=_body(plan, days, found, came), at=now,
    )  # fmt: skip
    add(session, outcome)
    return outcome


def object_to(session: Session, caller: Caller, outcome: str, about: objecting.About, text: str) -> t.Objection:
    """Say within ten days that a verdict is wrong; once a party.

    Raises:
        RefusedError: `not_there`; `objection_refused`, with why.
    """
    row, plan, project = _of(session, caller, outcome)
    party_of(session, caller, project)
    supplier = caller.has("supplier", project.supplier_id)
    party = project.supplier_id if supplier else project.factory_id
    earlier = session.scalars(select(t.Objection).where(t.Objection.outcome_id == outcome)).all()
    said = objecting.Objection(party, "supplier" if supplier else "factory", day_of(caller.now), about, text)
    before = [replace(said, party=one.party_id) for one in earlier]
    why: str | None = objecting.refuse(said, day_of(row.at), (project.factory_id, project.supplier_id), before)
    later = select(t.Outcome.id).where(t.Outcome.plan_id == plan.id, t.Outcome.look > row.look)
    if why is None and session.scalar(later):
        why = "later_look"
    if why:
        raise RefusedError("objection_refused", why=why)
    made = t.Objection(id=new_id(), outcome_id=outcome, party_id=party, at=caller.now, text=f"[{about}] {text}")
    add(session, made)
    return made


def decide(
    session: Session, caller: Caller, objection: str, *, upheld: bool, answer: str, then: Then = "again",
    without: Sequence[str] = (), days: Sequence[tuple[date, date]] = (), installed: date | None = None,
) -> t.Objection:  # fmt: skip
    """Decide an objection, as the operator; what was told is told anew where it was upheld.

    Args:
        session: In a decision.
        caller: An operator.
        objection: Which.
        upheld: Whether it was right.
        answer: Why, for both parties.
        then: Of one that was upheld.
        without: Comparison machines that are left out, by their names in the plan.
        days: First and last of days that are left out.
        installed: When the installation really was; None: as the project says.

    Raises:
        RefusedError: `wrong_role`; `not_there`; `decided`; `plan_refused`: no such comparison machine.
    """
    need(caller, "operator")
    row = seen(session, caller, t.Objection, objection)
    if row.decision is not None:
        raise RefusedError("decided")
    outcome = session.get_one(t.Outcome, row.outcome_id)
    row.decision, row.decided_at, row.answer = "upheld" if upheld else "rejected", caller.now, answer
    if upheld and then == "withdrawn":
        row.follows = {"then": "withdrawn"}
    elif upheld:
        plan_row = session.get_one(t.MeasurementPlan, outcome.plan_id)
        project = session.get_one(t.Engagement, plan_row.engagement_id)
        plan = terms_of(session, plan_row)
        if set(without) - set(plan.controls):
            raise RefusedError("plan_refused", why=["no_machine"])
        seen_then = days_of(session, plan_row, plan, outcome.on_date - timedelta(days=1))
        before_this, came = corrected(session, plan_row, seen_then, project.installed_on)
        came = installed or came
        found = [_without(one, days) for one in before_this if one.machine not in without]
        first = None
        if outcome.look == 2:
            before = select(t.Outcome).where(t.Outcome.plan_id == plan_row.id, t.Outcome.look == 1)
            first = verdict_of(session.scalars(before).one().body)
        again = told.verdict(plan, found, first, came)
        row.follows = {
            "then": "again", "without": sorted(set(without)), "days": plain(days), "installed": plain(installed),
            "outcome": _body(plan, found, again, came),
        }  # fmt: skip
    session.flush()
    _settle(session, outcome, day_of(caller.now))
    return row


def standing(session: Session, outcome: t.Outcome, today: date) -> objecting.Standing:
    """Return what counts of an outcome, by all that was said against it."""
    project = session.execute(
        select(t.Engagement)
        .join(t.MeasurementPlan, t.MeasurementPlan.engagement_id == t.Engagement.id)
        .where(t.MeasurementPlan.id == outcome.plan_id)
    ).scalar_one()
    said = [
        objecting.Objection(
            party=one.party_id, side="supplier" if one.party_id == project.supplier_id else "factory",
            on=day_of(one.at), about="other", text=one.text, decision=_decision(one),
            decided_on=None if one.decided_at is None else day_of(one.decided_at),
            replacement=verdict_of(one.follows["outcome"]) if one.follows and "outcome" in one.follows else None,
        )
        for one in session.scalars(select(t.Objection).where(t.Objection.outcome_id == outcome.id))
    ]  # fmt: skip
    return objecting.standing(verdict_of(outcome.body.get("told", outcome.body)), day_of(outcome.at), said, today)


def verdict_of(body: Mapping[str, Any]) -> Verdict:
    """Return a stored verdict as the engine said it.

    Raises:
        RefusedError: `outdated`: it was not computed here.
    """
    if not set(body) >= FIELDS:
        raise RefusedError("outdated")
    found = {name: body[name] for name in FIELDS}
    pairs = {name: tuple(body[name]) for name in ("days", "dropped", "why")}
    own = body["own"]
    shown = tuple(Placebo(date.fromisoformat(one["on"]), one["estimate"]) for one in body["placebos"])
    return Verdict(**{**found, **pairs, "own": None if own is None else tuple(own), "placebos": shown})


def days_of(session: Session, row: t.MeasurementPlan, plan: Plan, until: date) -> list[Series]:
    """Return the days of a frozen plan's machines, those of the baseline as they were when it was frozen.

    A comparison machine of which such a day was changed is left out, as if it had none.

    Raises:
        RefusedError: `baseline_changed`: a treated machine's was.
    """
    parts = machines_of(session, row.id)
    pairs = {one.alias: (one.factory_id, one.machine_id) for one in parts}
    found = rows(session, pairs.values(), row.metric, row.baseline_from, until)
    kept = []
    for one in parts:
        pair = pairs[one.alias]
        days = held(found.get(pair, []), plan.baseline, Frozen(one.days or "0", one.digest or ""))
        if days is None and one.part == "treated":
            raise RefusedError("baseline_changed", machine=one.machine_id)
        if days is not None:
            kept.append(series(one.alias, pair[0], days))
    return kept


def corrected(
    session: Session, row: t.MeasurementPlan, days: Sequence[Series], installed: date | None
) -> tuple[list[Series], date | None]:
    """Return a plan's days, and when it was installed, as upheld objections have put them right.

    What was found out once holds for everything that is computed afterwards: the extension, the watch.
    """
    without, wrong = set[str](), list[tuple[date, date]]()
    for follows in session.scalars(
        select(t.Objection.follows)
        .join(t.Outcome, t.Outcome.id == t.Objection.outcome_id)
        .where(t.Outcome.plan_id == row.id, t.Objection.decision == "upheld")
        .order_by(t.Objection.decided_at, t.Objection.party_id)
    ):
        if follows and follows["then"] == "again":
            without |= set(follows["without"])
            wrong += [(date.fromisoformat(first), date.fromisoformat(last)) for first, last in follows["days"]]
            installed = date.fromisoformat(follows["installed"]) if follows["installed"] else installed
    return [_without(one, wrong) for one in days if one.machine not in without], installed


def _of(session: Session, caller: Caller, outcome: str) -> tuple[t.Outcome, t.MeasurementPlan, t.Engagement]:
    row = seen(session, caller, t.Outcome, outcome)
    plan = session.get_one(t.MeasurementPlan, row.plan_id)
    return row, plan, session.get_one(t.Engagement, plan.engagement_id)


def _body(plan: Plan, days: Sequence[Series], found: Verdict, installed: date | None) -> dict[str, Any]:
    """Return a verdict as it is stored, with the gain as a share of the loss, and what a watch over it will see."""
    body: dict[str, Any] = plain(found)
    saved = gain(plan, days, found, installed)
    if saved is not None:
        body["gain"] = plain(saved)
    if found.word == "improved" and found.estimate is not None:
        watch = decay.start(plan, days, *windows(plan, found.look, installed), abs(found.estimate), seed_of(plan))
        finds = None if watch is None else decay.found(watch, abs(found.estimate), seed_of(plan))
        body["watch"] = {"finds": finds, "within": decay.WITHIN}
    return body


def seed_of(plan: Plan) -> int:
    """Return the seed of everything that is drawn for a plan."""
    return int(plan.hash[:8], 16)


def _without(one: Series, left_out: Sequence[tuple[date, date]]) -> Series:
    out = np.array([any(first <= day <= last for first, last in left_out) for day in one.days], np.bool_)
    return replace(one, coverage=np.where(out, 0.0, one.coverage)) if left_out else one


def _decision(row: t.Objection) -> objecting.Decision | None:
    if row.decision == "upheld":
        return "withdrawn" if not row.follows or row.follows["then"] == "withdrawn" else "replaced"
    return "stands" if row.decision == "rejected" else None


def _settle(session: Session, outcome: t.Outcome, today: date) -> None:
    """Have an outcome say what counts now; what was told first stays in it."""
    now = standing(session, outcome, today)
    first = outcome.body.get("told", outcome.body)
    gone = [
        one.follows or {}
        for one in session.scalars(
            select(t.Objection)
            .where(t.Objection.outcome_id == outcome.id, t.Objection.decision == "upheld")
            .order_by(t.Objection.decided_at, t.Objection.party_id)
        )
    ]
    if not gone:
        return
    if any(one.get("then") != "again" for one in gone):
        outcome.word, outcome.estimate, outcome.low, outcome.high = "cannot_tell", None, None, None
        outcome.body = {**plain(now.verdict), "word": "cannot_tell", "withdrawn": True, "told": first}
    else:
        found = now.verdict
        outcome.word, outcome.estimate, outcome.low, outcome.high = (
            found.word,
            found.estimate,
            found.low,
            found.high,
        )
        body = next(one["outcome"] for one in reversed(gone) if verdict_of(one["outcome"]) == found)
        outcome.body = {**body, "told": first}
    outcome.decayed_on = None
