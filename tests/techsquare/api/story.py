"""People of a small programme, as they come in over the API."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from contract.consent import SCOPES
from techsquare.registry import tables as t
from techsquare.registry.audit import Actor
from techsquare.registry.ids import new_id
from techsquare.registry.store import add
from techsquare.services import people
from techsquare.services.days import day_of, quarter

if TYPE_CHECKING:
    import httpx

    from tests.techsquare.api.stand import Stand

PASSWORD = "열 글자가 넘는 비밀번호"


@dataclass
class Story:
    """Who is there, logged in."""

    stand: Stand
    who: dict[str, httpx.Client] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.who:  # somebody else has let them in
            return
        stand = self.stand
        shown = stand.registry.decide(
            lambda s: people.first_operator(s, "op@example.kr", "House", stand.now()), Actor("test")
        )
        self.enter("op", shown.token)
        op = self.who["op"]
        parties: list[tuple[dict[str, Any], str]] = [
            (
                {
                    "kind": "factory",
                    "id": "hana",
                    "name": "하나정밀",
                    "region": "busan",
                    "industry": "C29",
                    "process": "press",
                },
                "owner",
            ),
            (
                {
                    "kind": "factory",
                    "id": "duri",
                    "name": "두리",
                    "region": "busan",
                    "industry": "C29",
                    "process": "press",
                },
                "owner",
            ),
            (
                {
                    "kind": "supplier",
                    "id": "ada",
                    "name": "에이다",
                    "size": "small",
                    "regions": ["busan"],
                    "industries": [],
                    "joined_on": "2026-01-01",
                },
                "supplier",
            ),
            (
                {
                    "kind": "supplier",
                    "id": "bori",
                    "name": "보리",
                    "size": "small",
                    "regions": ["busan"],
                    "industries": [],
                    "joined_on": "2026-01-01",
                },
                "supplier",
            ),
            (
                {"kind": "mentor", "id": "mina", "name": "미나", "skills": [], "regions": [], "capacity": 2},
                "mentor",
            ),
            ({"kind": "mentor", "id": "moon", "name": "문", "skills": [], "regions": [], "capacity": 1}, "mentor"),
        ]
        for form, role in parties:
            made = op.post("/v1/parties", json=form)
            assert made.status_code == 201, made.text
            invited = op.post(
                "/v1/invitations",
                json={"party": form["id"], "role": role, "email": f"{form['id']}@example.kr", "name": "가나다"},
            )
            assert invited.status_code == 201, invited.text
            self.enter(form["id"], invited.json()["token"])
        stand.registry.decide(self._noticed, Actor("test"))

    def _noticed(self, session: Any) -> None:
        """Have both owners recorded that their people were told; how that is done, its own tests say."""
        for name in ("hana", "duri"):
            row = session.get_one(t.Factory, name)
            row.notice_at, row.notice_hash, row.notice_scopes = 1, "h", list(SCOPES)

    def enter(self, name: str, invitation: str) -> None:
        """Take an invitation and log in."""
        client = self.stand.client()
        taken = client.post("/v1/invitations/accept", json={"invitation": invitation, "password": PASSWORD})
        assert taken.status_code == 204, taken.text
        told = client.post("/v1/login", json={"email": f" {name.upper()}@example.kr ", "password": PASSWORD})
        assert told.status_code == 200, told.text
        self.who[name] = self.stand.client(told.json()["token"])

    def diagnosed(self, factory: str = "hana", won: int = 60_000_000) -> None:
        """Give a factory a diagnosis with losses in won, as the diagnosis will store it."""
        said = t.Assessment(
            id=new_id(), factory_id=factory, at=self.stand.now(), kind="measured", state="day28", coverage=0.9,
            body={"indicators": [["", "V01", 90.0]]}, hash="h",
        )  # fmt: skip
        rows = [
            t.Loss(
                id=new_id(),
                assessment_id=said.id,
                machine_id=machine,
                bucket=bucket,
                share_low=0.05,
                share_high=0.1,
                won_low=won // 2,
                won_high=won,
                coverage=0.9,
                days=28,
                lacking=[],
            )
            for machine in ("press-1",)
            for bucket in ("setup",)
        ]
        self.stand.registry.decide(lambda s: add(s, said, *rows), Actor("test"))

    def planned(self, factory: str = "hana", cash: int = 80_000_000, won: int = 60_000_000) -> dict[str, Any]:
        """Say everything that a roadmap needs, and make it."""
        owner = self.who[factory]
        for machine in ("press-1",):
            told = owner.put(
                f"/v1/factories/{factory}/machines/{machine}", json={"process": "press", "name": machine}
            )
            assert told.status_code == 200, told.text
        self.diagnosed(factory, won)
        means = {"cash": [cash] * 3, "staff_days": [60.0] * 3, "support": [0] * 3}
        assert owner.post(f"/v1/factories/{factory}/budgets", json=means).status_code == 201
        made = owner.post(f"/v1/factories/{factory}/roadmaps", json={})
        assert made.status_code == 201, made.text
        found: dict[str, Any] = made.json()
        return found

    def offered(self, supplier: str, measure: str, price: int, **changed: Any) -> str:
        """Have a supplier offer a solution for a measure; return its version."""
        client = self.who[supplier]
        entry = next(e for e in self.stand.catalogue.entries if e.id == measure)
        able = {
            c.id: {p.name: {"low": p.low, "high": p.high, "words": list(p.words)} for p in c.properties}
            for c in entry.capabilities
        }
        made = client.post(
            f"/v1/suppliers/{supplier}/solutions", json={"family": measure, "name": f"{measure} {new_id()}"}
        )
        assert made.status_code == 201, made.text
        span = {"low": price, "high": price}
        form = {
            "version": "1.0", "processes": ["press"], "interfaces": [], "regions": ["busan"], "remote": False,
            "price": span, "yearly": {"low": 0, "high": 0}, "leaving": {"low": 0, "high": 0},
            "continuity": ["store", "tags", "interface", "export"], "capabilities": able,
        } | changed  # fmt: skip
        version = client.post(f"/v1/solutions/{made.json()['id']}/versions", json=form)
        assert version.status_code == 201, version.text
        key: str = version.json()["id"]
        assert client.post(f"/v1/versions/{key}/register").status_code == 200
        now = quarter(day_of(self.stand.now()))
        assert client.put(f"/v1/suppliers/{supplier}/slots/{now}", json={"declared": 3}).status_code == 200
        return key

    def proven(self, version: str, measure: str, times: int = 12) -> None:
        """Let projects of a version have improved what they were about, as earlier verdicts said."""
        rows: list[Any] = []
        day = date(2026, 1, 1)
        supplier = self.stand.registry.decide(
            lambda s: s.get_one(t.SolutionVersion, version).supplier_id, Actor("test")
        )
        for _ in range(times):
            project, plan = new_id(), new_id()
            rows += [
                t.Engagement(
                    id=project, factory_id="duri", supplier_id=supplier, version_id=version, measure_id=measure,
                    state="decided", agreed_on=day, signed_on=day, installed_on=day, accepted_on=day,
                ),
                t.MeasurementPlan(
                    id=plan, engagement_id=project, metric="setup", applied_on=day, baseline_from=day,
                    baseline_to=day, verdict_on=day, extended_to=day, least=0.1, body={}, owner_at=1, supplier_at=1,
                    frozen_at=1, hash="h",
                ),
                t.Outcome(
                    id=new_id(), plan_id=plan, look=1, on_date=day, word="improved", estimate=-0.1, low=-0.2,
                    high=-0.05, body={"gain": {"share": 0.4, "error": 0.05}}, at=1,
                ),
            ]  # fmt: skip
        self.stand.registry.decide(lambda s: add(s, *rows), Actor("test"))
