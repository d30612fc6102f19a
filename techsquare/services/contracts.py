"""The paper of a project: its price in three parts, and what must hold on the day its supplier is gone.

The supplier draws it up and stands by it from then on; a new draft replaces the old one until the owner signs.
What it has to hold is asked by the supplier's tier (`services.accounts`) at that moment, and stands in it as a
list: both parties see what is asked, neither is told why. It is met by the solution, a deposit, or the contract.

    conditions   {"asked": [...], "agreed": [...], "second": [suppliers trained to take over]}

Parts of the price are advice (`verdict.milestones`): 40 % delivery, 50 % functional acceptance and agreed use, 10 %
on the verdict's date unless it says worse or no change. The platform moves no money; it writes down when a part was
reached, and the owner when it was paid.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from settings.language import Text
from techsquare.matching.continuity import asked, unmet
from techsquare.registry import tables as t
from techsquare.registry.ids import new_id
from techsquare.registry.store import add
from techsquare.services import accounts, escrow, using
from techsquare.services.days import day_of
from techsquare.services.refused import RefusedError
from techsquare.services.rights import for_factory, need, seen
from techsquare.services.telling import tell
from techsquare.verdict.milestones import PARTS, milestones
from techsquare.verdict.use import UNUSED_DAYS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from techsquare.matching.continuity import Condition
    from techsquare.services.rights import Caller
    from techsquare.verdict.use import State

NO_CONTRACT = "contract"
"""Stands among open conditions while the supplier has drawn up nothing."""
ADVICE: Mapping[str, Text] = {
    "due": Text("Due: we advise to pay this part.", "지급 시점입니다. 이 대금의 지급을 권합니다."),
    "waiting:not_delivered": Text("Not due before delivery.", "납품 전에는 지급하지 마십시오."),
    "waiting:not_accepted": Text("Not due before functional acceptance.", "기능 검수 전에는 지급하지 마십시오."),
    "waiting:not_used": Text("Not due before it is used as agreed.", "합의한 활용이 확인된 뒤 지급하십시오."),
    "waiting:before_verdict": Text("Due on the verdict's date.", "효과 판정일에 지급합니다."),
    "held:objection": Text(
        "Held until the objection against the verdict is decided.", "판정 이의 신청이 처리될 때까지 보류합니다."
    ),
    "lapsed:worse": Text("Not due: the verdict says worse.", "판정이 '악화'이므로 지급 대상이 아닙니다."),
    "lapsed:no_change": Text(
        "Not due: the verdict says no change.", "판정이 '변화 없음'이므로 지급 대상이 아닙니다."
    ),
}
"""Column `advice` of a milestone -> what is said."""


def draft(
    session: Session, caller: Caller, engagement: str, *, won: int, agreed: Collection[Condition],
    second: Collection[str], funding: str | None,
) -> t.Contract:  # fmt: skip
    """Draw up the contract of a project that the supplier has agreed to, as the supplier, and stand by it.

    Raises:
        RefusedError: `not_there`; `wrong_role`; `not_agreed`: it has not said yes to the project; `decided`: it is
            signed, or over; `contract_refused`, with everything that is wrong: `price` above the offered version's,
            `second` (no active supplier other than itself, or promised and not named), `funding` (no programme).
    """
    row = seen(session, caller, t.Engagement, engagement)
    need(caller, "supplier", row.supplier_id)
    if row.state != "agreed":
        raise RefusedError("decided")
    if row.agreed_on is None:
        raise RefusedError("not_agreed")
    why = _wrong(session, row, won, agreed, second, funding)
    if why:
        raise RefusedError("contract_refused", why=why)
    tier = accounts.risk(session, row.supplier_id, day_of(caller.now))
    conditions = {
        "asked": list(asked(tier)),
        "agreed": sorted({*agreed, "milestones"}),  # its parts are the milestones
        "second": sorted(second),
    }
    said = {"engagement": engagement, "won": won, "funding": funding, "conditions": conditions, "parts": PARTS}
    digest = hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
    paper = of(session, engagement)
    if paper is None:
        paper = t.Contract(id=new_id(), engagement_id=engagement, won=won, conditions=conditions, hash=digest)
        paper.funding_id, paper.supplier_signed_at = funding, caller.now
        add(session, paper)
    else:
        for part in _parts(session, paper):
            session.delete(part)
        session.flush()
        paper.won, paper.conditions, paper.hash = won, conditions, digest
        paper.funding_id, paper.supplier_signed_at = funding, caller.now
    found = milestones(won, delivered=False, accepted=False, use=None, word=None)
    add(
        session,
        *(
            t.Milestone(
                id=new_id(), contract_id=paper.id, kind=one.name, share=one.percent / 100, won=one.won,
                advice=f"{one.status}:{one.because}",
            )
            for one in found
        ),
    )  # fmt: skip
    tell(session, row.factory_id, "contract", paper, caller.now)
    return paper


def open_conditions(session: Session, row: t.Engagement) -> Sequence[str]:
    """Return what a project's contract has to hold and does not; that there is none, where there is none."""
    paper = of(session, row.id)
    if paper is None or paper.supplier_signed_at is None:
        return (NO_CONTRACT,)
    version = session.get_one(t.SolutionVersion, row.version_id)
    said = paper.conditions
    return unmet(
        said.get("asked", ()), frozenset(version.continuity), escrow.level(session, row),
        frozenset(said.get("agreed", ())),
    )  # fmt: skip


def told(session: Session, caller: Caller, engagement: str) -> dict[str, Any]:
    """Return a project's contract for its two parties: price, conditions with what is open, parts with advice.

    Raises:
        RefusedError: `not_there`: no contract, or he is neither party.
    """
    row = seen(session, caller, t.Engagement, engagement)
    if not caller.has("supplier", row.supplier_id):
        for_factory(session, caller, row.factory_id)
    paper = of(session, engagement)
    if paper is None:
        raise RefusedError("not_there")
    return {
        "contract": paper.id, "won": paper.won, "funding": paper.funding_id, "hash": paper.hash,
        "owner_signed_at": paper.owner_signed_at, "supplier_signed_at": paper.supplier_signed_at,
        "conditions": {**paper.conditions, "open": list(open_conditions(session, row))},
        "milestones": [
            {
                "id": part.id, "kind": part.kind, "share": part.share, "won": part.won, "advice": part.advice,
                "reached_on": _iso(part.reached_on), "paid_on": _iso(part.paid_on), "said": _said(part.advice),
            }
            for part in _parts(session, paper)
        ],
    }  # fmt: skip


def refresh(session: Session, row: t.Engagement, on: date, now: int) -> None:
    """Write down which parts of the price are reached on a day; a part that was paid stays as it is."""
    paper = of(session, row.id)
    if paper is None:
        return
    judged = plan_of(session, row.id)  # a verdict of another plan says nothing of what was agreed here
    looks = [] if judged is None else session.scalars(
        select(t.Outcome).where(t.Outcome.plan_id == judged.id, t.Outcome.look == 1)
    ).all()  # fmt: skip
    contested = bool(looks) and bool(
        session.scalar(
            select(func.count()).where(t.Objection.outcome_id == looks[0].id, t.Objection.decision.is_(None))
        )
    )
    delivered, accepted = row.installed_on is not None, row.accepted_on is not None
    if accepted and row.unmeasured_at is not None and judged is None:
        word: Any = "cannot_tell"  # the owner wants no verdict: the last part waits for none
    else:
        word = looks[0].word if looks else None
    found = milestones(
        paper.won, delivered=delivered, accepted=accepted, use=_use(session, row, on), word=word,
        contested=contested,
    )  # fmt: skip
    by_kind = {part.kind: part for part in _parts(session, paper)}
    for one in found:
        part = by_kind.get(one.name)
        if part is None or part.paid_on is not None:
            continue
        part.advice = "due" if one.because is None else f"{one.status}:{one.because}"
        if one.status != "due":
            part.reached_on = None
        elif part.reached_on is None:
            part.reached_on = on
            tell(session, row.factory_id, "milestone", part, now)


def paid(session: Session, caller: Caller, milestone: str, on: date) -> t.Milestone:
    """Write down that a part was paid, as the owner.

    Raises:
        RefusedError: `not_there`; `wrong_role`; `not_reached`; `decided`: it was paid.
    """
    part = seen(session, caller, t.Milestone, milestone)
    paper = session.get_one(t.Contract, part.contract_id)
    row = session.get_one(t.Engagement, paper.engagement_id)
    if for_factory(session, caller, row.factory_id) != "owner":
        raise RefusedError("wrong_role", needed="owner")
    if part.paid_on is not None:
        raise RefusedError("decided")
    if part.reached_on is None or not part.reached_on <= on <= day_of(caller.now):
        raise RefusedError("not_reached", advice=part.advice)
    part.paid_on = on
    return part


def of(session: Session, engagement: str) -> t.Contract | None:
    """Return the contract of a project, if there is one."""
    return session.scalars(select(t.Contract).where(t.Contract.engagement_id == engagement)).one_or_none()


def plan_of(session: Session, engagement: str) -> t.MeasurementPlan | None:
    """Return the plan by which a project is judged: of those that are frozen the first."""
    return session.scalars(
        select(t.MeasurementPlan)
        .where(
            t.MeasurementPlan.engagement_id == engagement, t.MeasurementPlan.frozen_at.is_not(None),
            t.MeasurementPlan.withdrawn_at.is_(None),
        )
        .order_by(t.MeasurementPlan.frozen_at, t.MeasurementPlan.id)
    ).first()  # fmt: skip


def amounts(session: Session, row: t.Engagement) -> tuple[int, list[int]]:
    """Return the price of a project and what of it was paid, in won; 0 without a contract."""
    paper = of(session, row.id)
    if paper is None:
        return 0, []
    return paper.won, [part.won for part in _parts(session, paper) if part.paid_on is not None]


def _wrong(
    session: Session, row: t.Engagement, won: int, agreed: Collection[Condition], second: Collection[str],
    funding: str | None,
) -> list[str]:  # fmt: skip
    found = []
    if won > session.get_one(t.SolutionVersion, row.version_id).price_high:
        found.append("price")
    others = [session.get(t.Supplier, name) for name in sorted(second)]
    alone = any(one is None or one.state != "active" or one.id == row.supplier_id for one in others)
    if alone or ("second_supplier" in agreed and not others):
        found.append("second")
    if funding is not None and session.get(t.Funding, funding) is None:
        found.append("funding")
    return found


def _use(session: Session, row: t.Engagement, on: date) -> State | None:
    """Return what is known of agreed use: None where the plan names no signal.

    One word for the watch and for the price (`using`); a few days of use are not yet use as agreed. Where no day
    shows the signal, its agent tells `unused` for as long as that holds: so it is used where nothing of the kind
    was told for the rule's days, and the machines were measured on as many planned days since the installation.
    """
    plan = plan_of(session, row.id)
    if plan is None or plan.body.get("use") is None or row.installed_on is None:
        return None
    said = using.used(session, plan, row, on)
    if said.state == "not_used" or said.observed >= UNUSED_DAYS:
        return said.state
    return "used" if not said.observed and said.censored >= UNUSED_DAYS else "not_assessed"


def _parts(session: Session, paper: t.Contract) -> list[t.Milestone]:
    order = [name for name, _ in PARTS]
    found = session.scalars(select(t.Milestone).where(t.Milestone.contract_id == paper.id))
    return sorted(found, key=lambda part: order.index(part.kind))


def _said(advice: str | None) -> dict[str, str] | None:
    text = ADVICE.get(advice or "")
    return None if text is None else {"ko": text.ko, "en": text.en}


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
