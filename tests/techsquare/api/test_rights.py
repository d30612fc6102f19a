"""Every role tries every endpoint on what is another's: it is refused, and nothing has changed."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from techsquare.api.routes.projects import EVENTS
from techsquare.registry import tables as t
from techsquare.registry.base import Base
from tests.techsquare.api.stand import Stand
from tests.techsquare.registry.agreement import filled

if TYPE_CHECKING:
    from techsquare.catalogue.load import Catalogue
    from techsquare.registry.store import Registry

# A valid body of each writing endpoint; a new endpoint without one fails the test.
DAYS = {"baseline_from": "2026-05-01", "baseline_to": "2026-06-30", "installed": "2026-08-01"}
SPAN = {"low": 1, "high": 2}
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
BODIES: dict[str, Any] = {
    "forget_me": {"confirm": "somebody"},
    "new_token": {"membership": "{membership}", "name": "x", "scopes": ["read"]},
    "revoke": None,
    "register": {"kind": "factory", "id": "intruder", "name": "x", "region": "x", "industry": "x"},
    "invite": {"party": "alpha", "role": "owner", "email": "intruder@x.kr", "name": "x"},
    "end_membership": None,
    "leave": {"confirm": "alpha"},
    "say_rates": {},
    "say_budget": {"cash": [1, 1, 1], "staff_days": [1, 1, 1], "support": [1, 1, 1]},
    "exclude": {"supplier_id": "ada"},
    "include": None,
    "change_machine": {"name": "x"},
    "record_notice": {"contact": "x"},
    "end_scopes": {"scopes": ["entry"], "confirm": "alpha"},
    "assign_mentors": None,
    "task_done": {},
    "read_notification": None,
    "settle_line": {"factory": "alpha", "kind": "stale", "subject": "press-1"},
    "ask_visit": {"kind": "first"},
    "plan_visit": {"on": "2026-12-01"},
    "finish_visit": {"on": "2026-09-01"},
    "miss_visit": None,
    "drop_visit": None,
    "write_message": {"text": "x"},
    "write_about": {"text": "x"},
    "read_message": None,
    "add_cost": {"kind": "visit", "won": 1, "on": "2026-09-01"},
    "ask_fit": {"version_id": "v-bori"},
    "record_application": {"on": "2026-01-01"},
    "record_consent": {"agent_id": "edge", "scopes": []},
    "change_mentor": {"mentor_id": "former"},
    "say_answers": {"answers": {"hours_day": 8}},
    "say_levels": {"levels": {"strategy": 1}},
    "write_readings": {"lines": [{"machine": "press-1", "day": "2026-05-01", "kind": "pieces", "value": 1}]},
    "take_reading_back": None,
    "assess": None,
    "make_roadmap": {},
    "ask_reasons": None,
    "reset_password": None,
    "change_party": {"kind": "factory", "name": "x"},
    "match": None,
    "item_done": None,
    "item_not_done": None,
    "match_all": None,
    "answer_offer": {"answer": "wanted", "contact": True},
    "stop_job": None,
    "add_solution": {"family": "andon", "name": "x"},
    "add_version": {
        "version": "x", "processes": [], "interfaces": [], "regions": [], "remote": True, "price": SPAN,
        "yearly": SPAN, "leaving": SPAN,
    },
    "register_version": None,
    "withdraw_version": None,
    "declare_slots": {"declared": 1},
    "agree": None,
    "draft_contract": {"won": 1},
    "record_payment": {"on": "2026-09-01"},
    "project_unmeasured": None,
    "project_drill": {"proved": []},
    **{f"project_{event}": None for event in EVENTS},
    "file_accounts": {
        "year": 2025, "current_assets": 1, "current_liabilities": 1, "assets": 1, "liabilities": 1,
        "retained_earnings": 1, "ebit": 1, "equity": 1, "consent": True,
    },
    "take_accounts_back": None,
    "close_supplier": None,
    "deposit": {"place": "x", "hash": "0" * 64},
    "verify_deposit": {"built_by": "bori"},
    "hand_out_deposit": None,
    "offer_takeover": {"supplier": "bori"},
    "agree_takeover": {},
    "decline_takeover": None,
    "tick_takeover": {"done": []},
    "open_ticket": {"severity": "low", "text": "x"},
    "answer_ticket": {"text": "x"},
    "close_ticket": None,
    "reopen_ticket": None,
    "draft_plan": {"metric": "fault", "machines": ["press-1"], "least": 0.1, **DAYS},
    "promise_plan": None,
    "ask_provable": {"metric": "fault", "machines": ["press-1"]},
    "withdraw_plan": {"why": "x"},
    "decide_objection": {"decision": "upheld", "answer": "x"},
    "ask_effect": {"metric": "fault"},
    "agree_plan": None,
    "freeze_plan": None,
    "say_verdict": None,
    "object_to": {"about": "days", "text": "x"},
    "prepare_round": {"quarter": "2027-Q1", "opens": "2027-01-01", "closes": "2027-02-01"},
    "simulate_round": None,
    "forward_round": None,
    "publish_round": None,
    "hand_in": {"factory": "alpha", "agent": "edge-1", "public_key": "x"},
    "register_agent": {"agent_id": "edge-9", "public_key": KEY},
    "answer_key": {"public_key": KEY, "answer": "mine"},
}  # fmt: skip
OPEN = {"log_in", "accept", "log_out", "change_password"}  # no right is asked for, but a password
KEEPS_NOTHING = {"compute_roadmap", "compute_diagnosis", "compute_matching", "compute_verdict"}
# Who may do it to somebody else's rows at all, because that is his role.
HIS = {
    "operator": {"register", "invite", "reset_password", "change_party", "end_membership", "revoke",
                 "change_mentor", "record_application", "match_all", "assign_mentors", "write_message",
                 "add_cost", "ask_effect", "withdraw_plan", "decide_objection", "prepare_round",
                 "simulate_round", "forward_round", "publish_round", "close_supplier", "verify_deposit",
                 "hand_in", "register_agent"},
    "service": {"hand_in"},
}  # fmt: skip


def contents(registry: Registry) -> str:
    """Return a hash of everything in the database."""
    found = hashlib.sha256()
    with registry.reading() as session:
        for table in Base.metadata.sorted_tables:
            for row in session.execute(select(table).order_by(*table.primary_key.columns)):
                found.update(json.dumps([table.name, *row], default=str).encode())
    return found.hexdigest()


ROLES = ("owner", "supplier", "mentor", "operator", "risk", "service", "nobody")


def test_no_role_writes_what_is_anothers(registry: Registry, catalogue: Catalogue) -> None:
    filled(registry, 1)
    with Stand(registry, catalogue) as stand:
        with registry.reading() as session:
            keys = theirs(session)
        paths = stand.app.openapi()["paths"]
        for role in ROLES:
            party = {"owner": "delta", "supplier": "dara", "mentor": "former"}.get(role, "house")
            with registry.reading() as session:
                member = session.scalars(
                    select(t.Membership).where(
                        t.Membership.role == role, t.Membership.party_id == party, t.Membership.until.is_(None)
                    )
                ).first()  # fmt: skip
            assert (member is None) == (role == "nobody")
            client = stand.client(stand.token(member.id) if member else None)
            before, tried = contents(registry), 0
            for path, methods in paths.items():
                for method, about in methods.items():
                    name = about["operationId"]
                    if method == "get" or name in OPEN | KEEPS_NOTHING or name in HIS.get(role, ()):
                        continue
                    assert name in BODIES, f"{name}: add a body, so that every role tries it"
                    body = json.loads(json.dumps(BODIES[name]).replace("{membership}", keys["membership"]))
                    answer = client.request(method, path.format(**keys), json=body)
                    assert answer.status_code in {401, 403, 404, 422}, (role, name, answer.text)
                    assert answer.status_code != 422 or name == "forget_me", (role, name, answer.text)
                    tried += 1
            assert tried >= len(BODIES) - len(HIS.get(role, ()))
            assert contents(registry) == before, role


def theirs(session: Any) -> dict[str, str]:
    """Return ids of rows of alpha, which has to do with ada and mina."""

    def one(model: Any, *where: Any) -> str:
        key: str = session.scalars(select(model.id).where(*where).order_by(model.id)).first()
        assert key
        return key

    project = one(t.Engagement, t.Engagement.factory_id == "alpha")
    planned = session.execute(
        select(t.Outcome.id, t.MeasurementPlan.id)
        .join(t.MeasurementPlan, t.MeasurementPlan.id == t.Outcome.plan_id)
        .join(t.Engagement, t.Engagement.id == t.MeasurementPlan.engagement_id)
        .where(t.Engagement.factory_id != "delta", t.Engagement.supplier_id != "dara")
        .order_by(t.Outcome.id)
    ).first()
    assert planned is not None
    outcome, plan = planned
    return {
        "factory": "alpha", "party": "alpha", "machine": "press-1", "supplier": "ada", "quarter": "2026-Q3",
        "version": "v-ada", "solution": one(t.Solution, t.Solution.supplier_id == "ada"),
        "membership": one(t.Membership, t.Membership.party_id == "alpha"),
        "user": "u-alpha", "token": one(t.Token), "exclusion": one(t.Exclusion, t.Exclusion.factory_id == "alpha"),
        "roadmap_id": one(t.Roadmap, t.Roadmap.factory_id == "alpha"),
        "item": one(t.RoadmapItem, t.RoadmapItem.factory_id == "alpha"),
        "task": one(t.Task, t.Task.factory_id == "alpha", t.Task.party_id == "alpha"),
        "notification": one(t.Notification, t.Notification.user_id == "u-alpha"),
        "visit": one(t.Visit, t.Visit.factory_id == "alpha"), "mentor": "mina",
        "message": one(t.Message, t.Message.factory_id == "alpha", t.Message.party_id.is_(None)),
        "offer": one(t.Offer, t.Offer.factory_id == "alpha"), "engagement": project, "plan": plan,
        "outcome": outcome, "agent": "edge-1", "round_id": one(t.Round),
        "job": one(t.Job, t.Job.user_id == "u-alpha"), "reading": one(t.Reading, t.Reading.factory_id == "alpha"),
        "objection": one(t.Objection, t.Objection.outcome_id == outcome),
        "milestone": one(t.Milestone, t.Milestone.contract_id.in_(
            select(t.Contract.id).where(t.Contract.engagement_id == project))),
        "account": one(t.FiledAccount, t.FiledAccount.supplier_id == "ada"),
        "deposit_id": one(t.EscrowDeposit, t.EscrowDeposit.engagement_id == project),
        "takeover": one(t.Takeover, t.Takeover.engagement_id == project),
        "ticket": one(t.Ticket, t.Ticket.engagement_id == project),
    }  # fmt: skip
