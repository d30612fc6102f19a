"""Projects of a story: an offer shown, and each step of its life over HTTP, on any day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from techsquare.registry import access
from techsquare.registry import tables as t
from techsquare.registry.audit import Actor
from techsquare.registry.ids import new_id
from techsquare.registry.policy import Reader
from techsquare.registry.store import add
from techsquare.services import people
from techsquare.services.days import DAY_NS, day_of, quarter
from techsquare.services.rights import Caller
from tests.techsquare.api.story import Story

if TYPE_CHECKING:
    import httpx
    from sqlalchemy.orm import Session

    from techsquare.registry.privacy import PartyKind, Role
    from tests.techsquare.api.stand import Stand

PARTIES: dict[PartyKind, tuple[str, ...]] = {
    "factory": ("hana", "duri"), "supplier": ("ada", "bori"), "mentor": ("mina",),
}  # fmt: skip
ABOUT: dict[PartyKind, dict[str, Any]] = {
    "factory": {"region": "busan", "industry": "C29", "process": "press"},
    "supplier": {
        "size": "small", "regions": ["busan"], "industries": [], "state": "active", "joined_on": date(2026, 1, 1),
    },
    "mentor": {"skills": [], "regions": [], "capacity": 2, "state": "active"},
}  # fmt: skip
PRICE = 10_000_001
KEPT = ["store", "tags", "interface", "export"]


class Deals:
    """What people of a story do with projects; their tokens last as long as it goes on."""

    def __init__(self, stand: Stand) -> None:
        self.stand = stand
        self.members: dict[str, str] = stand.registry.decide(self._people, Actor("test"))
        self.who: dict[str, httpx.Client] = {}
        self._tokens()
        self.story = Story(stand, self.who)

    def _people(self, session: Session) -> dict[str, str]:
        """Register the same parties as a story, each with somebody, without asking over HTTP."""
        now, found = self.stand.now(), {}
        add(session, t.Party(id="house", kind="operator", name="House", created_at=now))
        op = Caller(Reader(None, frozenset({("operator", "house")})), now)
        for kind, names in PARTIES.items():
            for name in names:
                people.register(session, op, kind, name, name, ABOUT[kind])
        whole: list[tuple[str, str, Role]] = [("op", "house", "operator"), ("risk", "house", "risk")]
        whole += [(name, name, people.OWN[kind]) for kind, names in PARTIES.items() for name in names]
        for name, party, role in whole:
            user = t.User(id=new_id(), email=f"{name}@example.kr", name=name, language="ko", created_at=now)
            add(session, user)
            found[name] = access.join(session, user.id, party, role, now).id
        return found

    def _tokens(self) -> None:
        def work(session: Session) -> dict[str, str]:
            return {
                name: access.issue(session, member, "year", access.TOKEN_SCOPES, self.stand.now(), access.MOST_DAYS)
                for name, member in self.members.items()
            }

        for name, token in self.stand.registry.decide(work, Actor("test")).items():
            self.who[name] = self.stand.client(token)

    def pass_days(self, count: int) -> None:
        """Let days go by, and everybody whose token is over by then get another one."""
        self.stand.shift += count * DAY_NS
        if count > access.MOST_DAYS // 2:
            self._tokens()
        with self.stand.registry.reading() as session:
            declared = set(session.scalars(select(t.Slot.supplier_id)))
        for supplier in sorted(declared):
            self.slots(supplier)

    def slots(self, supplier: str) -> None:
        """Have a supplier declare enough slots for the quarter of this day."""
        now = quarter(day_of(self.stand.now()))
        answer = self.who[supplier].put(f"/v1/suppliers/{supplier}/slots/{now}", json={"declared": 20})
        assert answer.status_code == 200, answer.text

    def night(self) -> dict[str, Any]:
        """Let a night's tasks be done."""
        return self.stand.night()

    def offer(self, version: str, supplier: str, factory: str = "hana", slot: int = 1, item: str = "") -> str:
        """Show an offer to a factory, as a night of matching stores it; return its id."""
        now = self.stand.now()
        rows: list[Any] = []
        if not item:
            item = new_id()
            said = t.Assessment(
                id=new_id(), factory_id=factory, at=now, kind="measured", state="day28", coverage=0.9, body={},
                hash="h",
            )  # fmt: skip
            with self.stand.registry.reading() as session:
                number = len(list(session.query(t.Roadmap).filter(t.Roadmap.factory_id == factory)))
            plan = t.Roadmap(
                id=new_id(), factory_id=factory, assessment_id=said.id, version=number + 1, at=now, value=1.0,
                bound=1.0, proven=True, body={},
            )  # fmt: skip
            rows = [
                said, plan,
                t.RoadmapItem(
                    id=item, roadmap_id=plan.id, factory_id=factory, measure_id="andon", phase=0, solid=True,
                    depends=[], state="offered", most_won=PRICE,
                ),
            ]  # fmt: skip
        row = t.Offer(
            id=new_id(), item_id=item, factory_id=factory, version_id=version, supplier_id=supplier,
            measure_id="andon", slot=slot, shown_by="merit", cost=1.0, q10=1.0, mean=1.0, q90=1.0, terms={},
            reasons={}, shown_at=now,
        )  # fmt: skip
        self.stand.registry.decide(lambda s: add(s, *rows, row), Actor("test"))
        return row.id

    def chosen(self, offer: str, owner: str = "hana") -> str:
        """Want an offer and let its supplier get in touch; return the project."""
        said = self.who[owner].post(f"/v1/offers/{offer}/answer", json={"answer": "wanted", "contact": True})
        assert said.status_code == 200, said.text
        rows = self.who[owner].get("/v1/rows/engagement", params={"where": f"offer_id={offer}"}).json()["rows"]
        key: str = rows[0]["id"]
        return key

    def say(self, who: str, project: str, event: str, **body: Any) -> httpx.Response:
        """Say an event."""
        return self.who[who].post(f"/v1/engagements/{project}/{event.replace('_', '-')}", json=body or None)

    def said(self, who: str, project: str, event: str, **body: Any) -> dict[str, Any]:
        """Say an event that is taken; return the row."""
        answer = self.say(who, project, event, **body)
        assert answer.status_code == 200, (event, answer.text)
        row: dict[str, Any] = answer.json()["row"]
        return row

    def lacking(self, who: str, project: str, event: str, **body: Any) -> list[str]:
        """Say an event that is refused; return everything that is lacking, having looked that nothing has moved."""
        before = self.row(project)
        answer = self.say(who, project, event, **body)
        assert answer.json()["code"] in {"step_refused", "wrong_role"}, (event, answer.text)
        assert self.row(project) == before
        return [one["why"] for one in answer.json()["details"]["lacking"]]

    def row(self, project: str) -> dict[str, Any]:
        """Return a project's row as the database holds it."""
        with self.stand.registry.reading() as session:
            row = session.get_one(t.Engagement, project)
            return {column.name: getattr(row, column.name) for column in t.Engagement.__table__.columns}

    def contract(self, who: str, project: str, **changed: Any) -> httpx.Response:
        """Draw up a contract."""
        form = {"won": PRICE, "agreed": ["escrow_deposited"]} | changed
        return self.who[who].put(f"/v1/engagements/{project}/contract", json=form)

    def signed(self, version: str, supplier: str = "ada", owner: str = "hana") -> str:
        """Bring a project without a plan to its signature."""
        offer = self.offer(version, supplier, owner)
        project = self.chosen(offer, owner)
        assert self.who[supplier].post(f"/v1/offers/{offer}/agree").status_code == 201
        assert self.contract(supplier, project).status_code == 200
        assert self.who[owner].post(f"/v1/engagements/{project}/unmeasured").status_code == 200
        self.said(owner, project, "sign")
        return project

    def today(self) -> str:
        """Return the day of this world."""
        return day_of(self.stand.now()).isoformat()

    def used(self, supplier: str) -> int:
        """Return how many slots of a supplier are used."""
        with self.stand.registry.reading() as session:
            return sum(row.used for row in session.query(t.Slot).filter(t.Slot.supplier_id == supplier))

    def plan(self, project: str, metric: str = "availability") -> str:
        """Store a frozen plan whose baseline is over in twenty days."""
        day = day_of(self.stand.now())
        row = t.MeasurementPlan(
            id=new_id(), engagement_id=project, metric=metric, applied_on=day - timedelta(days=60),
            baseline_from=day - timedelta(days=50), baseline_to=day + timedelta(days=20),
            verdict_on=day + timedelta(days=21), extended_to=day + timedelta(days=21), least=0.1,
            body={"use": None}, owner_at=1, supplier_at=1, frozen_at=1, hash="h",
        )  # fmt: skip
        self.stand.registry.decide(lambda s: add(s, row), Actor("test"))
        return row.id

    def outcome(self, plan: str, look: int, word: Any, *, decayed: bool = False) -> str:
        """Store an outcome as a verdict of today, or a watch's word on it."""
        on: date = day_of(self.stand.now())

        def work(session: Any) -> str:
            row = session.query(t.Outcome).filter(t.Outcome.plan_id == plan, t.Outcome.look == look).one_or_none()
            if row is None:
                row = t.Outcome(
                    id=new_id(), plan_id=plan, look=look, on_date=on, word=word, body={}, at=self.stand.now()
                )
                add(session, row)
            row.decayed_on = on if decayed else None
            return str(row.id)

        return self.stand.registry.decide(work, Actor("test"))

    def object_to(self, outcome: str, project: str, decision: Any = None) -> None:
        """Object to an outcome as the supplier, or decide the objection."""

        def work(session: Any) -> None:
            row = session.query(t.Objection).filter(t.Objection.outcome_id == outcome).one_or_none()
            if row is None:
                party = session.get(t.Engagement, project).supplier_id
                row = t.Objection(id=new_id(), outcome_id=outcome, party_id=party, at=self.stand.now(), text="x")
                add(session, row)
            row.decision, row.decided_at = decision, self.stand.now() if decision else None

        self.stand.registry.decide(work, Actor("test"))
