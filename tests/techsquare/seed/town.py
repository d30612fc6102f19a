"""A town of factories, suppliers and mentors on the running platform: each acts by a token of his own over HTTP."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from typing import TYPE_CHECKING, Any

from techsquare.registry import tables as t
from techsquare.registry.access import MOST_DAYS, TOKEN_SCOPES
from techsquare.registry.audit import Actor
from techsquare.registry.ids import new_id
from techsquare.registry.store import add
from techsquare.services import nightly, people
from techsquare.services.days import DAY_NS, day_of, quarter
from tests.techsquare.api.story import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import httpx

    from techsquare.registry.privacy import Role
    from tests.techsquare.api.stand import Stand

MORNING = time_of_day(2)
KEPT = ["store", "tags", "interface", "export"]
OWN: dict[str, Role] = {"factory": "owner", "supplier": "supplier", "mentor": "mentor"}
FACTORY = {"kind": "factory", "region": "busan", "industry": "C29", "process": "press"}
SUPPLIER = {
    "kind": "supplier", "size": "small", "regions": ["busan"], "industries": [], "joined_on": "2026-01-01",
}  # fmt: skip
MENTOR = {"kind": "mentor", "skills": [], "regions": [], "capacity": 5}


class Town:
    """People who do everything over HTTP, from a morning on.

    Args:
        stand: The running application.
        today: Its day.
        factories: Their ids, each with what is not as `FACTORY` has it.
        suppliers: Likewise.
        mentors: Their ids.
    """

    def __init__(
        self,
        stand: Stand,
        today: date,
        *,
        factories: Mapping[str, Mapping[str, Any]],
        suppliers: Iterable[str] = (),
        mentors: Iterable[str] = (),
    ) -> None:
        self.stand = stand
        noon = datetime(today.year, today.month, today.day, 3, tzinfo=UTC)
        stand.shift = int(noon.timestamp()) * 10**9 - time.time_ns()
        self.who: dict[str, httpx.Client] = {}
        first = stand.registry.decide(
            lambda s: people.first_operator(s, "op@example.kr", "House", stand.now()), Actor("test")
        )
        self._enter("op", first.token)
        for name, changed in factories.items():
            self._register(name, {**FACTORY, **changed})
        for name in suppliers:
            self._register(name, SUPPLIER)
        for name in mentors:
            self._register(name, MENTOR)

    def _register(self, name: str, form: Mapping[str, Any]) -> None:
        self.ok("op", "POST", "/v1/parties", {"id": name, "name": name, **form})
        role = OWN[form["kind"]]
        invited = {"party": name, "role": role, "email": f"{name}@example.kr", "name": name}
        self._enter(name, self.ok("op", "POST", "/v1/invitations", invited)["token"])

    def _enter(self, name: str, invitation: str) -> None:
        """Take an invitation, log in, and have a token for as long as the story goes on."""
        client = self.stand.client()
        taken = client.post("/v1/invitations/accept", json={"invitation": invitation, "password": PASSWORD})
        assert taken.status_code == 204, taken.text
        told = client.post("/v1/login", json={"email": f"{name}@example.kr", "password": PASSWORD}).json()
        form = {
            "membership": told["membership"], "name": "book", "scopes": list(TOKEN_SCOPES), "days": MOST_DAYS,
        }  # fmt: skip
        made = self.stand.client(told["token"]).post("/v1/tokens", json=form)
        assert made.status_code == 201, made.text
        self.who[name] = self.stand.client(made.json()["token"])

    # What people do

    def ask(self, who: str, method: str, path: str, form: Any = None, **params: Any) -> httpx.Response:
        """Ask something, whatever the answer."""
        return self.who[who].request(method, path, json=form, params=params or None)

    def ok(self, who: str, method: str, path: str, form: Any = None, **params: Any) -> Any:
        """Ask something that is taken, and return the answer's JSON (None without any)."""
        answer = self.ask(who, method, path, form, **params)
        assert answer.is_success, (who, path, answer.text)
        return answer.json() if answer.content else None

    def get(self, who: str, path: str, **params: Any) -> Any:
        """Read something."""
        return self.ok(who, "GET", path, None, **params)

    def said(self, who: str, path: str, **params: Any) -> Any:
        """Read what a computation says."""
        return self.get(who, path, **params)["said"]

    def post(self, who: str, path: str, form: Any = None) -> Any:
        """Do something."""
        return self.ok(who, "POST", path, form)

    def put(self, who: str, path: str, form: Any = None) -> Any:
        """Say something anew."""
        return self.ok(who, "PUT", path, form)

    def code(self, who: str, method: str, path: str, form: Any = None) -> str:
        """Ask something that is refused, and return why."""
        answer = self.ask(who, method, path, form)
        assert not answer.is_success, (who, path, answer.text)
        found: str = answer.json()["code"]
        return found

    def rows(self, who: str, table: str, **where: Any) -> list[dict[str, Any]]:
        """Return the rows of a table that somebody may see, in any order."""
        wanted = [f"{name}={value}" for name, value in where.items()]
        found: list[dict[str, Any]] = []
        params: dict[str, Any] = {"limit": 500, "where": wanted}
        while True:
            page = self.get(who, f"/v1/rows/{table}", **params)
            found += page["rows"]
            if page["next"] is None:
                return found
            params["after"] = page["next"]

    def sees(self, who: str) -> dict[str, list[dict[str, Any]]]:
        """Return everything that somebody may read at all."""
        tables = [one["name"] for one in self.get(who, "/v1/tables")]
        return {name: found for name in tables if (found := self.rows(who, name))}

    def job(self, who: str, path: str, form: Any = None) -> dict[str, Any]:
        """Begin a job, and return its answer."""
        answer = self.ask(who, "POST", path, form)
        assert answer.status_code == 202, answer.text
        return self.waited(who, answer.json()["id"])

    def waited(self, who: str, job: str) -> dict[str, Any]:
        """Wait for a job, and return its answer."""
        found = self._ended(lambda: self.get(who, f"/v1/jobs/{job}"))
        answer: dict[str, Any] = found["answer"]
        return answer

    def _ended(self, look: Any) -> dict[str, Any]:
        until = time.monotonic() + 60
        while True:
            found: dict[str, Any] = look()
            if found["state"] not in {"waiting", "running"}:
                assert found["state"] == "done", found
                return found
            assert time.monotonic() < until, found
            time.sleep(0.01)

    # Days and nights

    @property
    def today(self) -> date:
        """The day of this world."""
        return day_of(self.stand.now())

    def at(self, day: date) -> None:
        """Have it be another day."""
        assert day >= self.today
        self.stand.shift += (day - self.today).days * DAY_NS

    def later(self, days: int) -> None:
        """Let days go by."""
        self.at(self.today + timedelta(days=days))

    def night(self) -> dict[str, Any]:
        """Have the night's job be done by the server, and return what each task says; none may fail."""
        name = nightly.by_hand(self.stand.registry, self.stand.now, MORNING)
        self.stand.app.state.house.jobs.wake()

        def look() -> dict[str, Any]:
            with self.stand.registry.reading() as session:
                row = session.get_one(t.Job, name)
                return {"state": row.state, "answer": row.answer, "error": row.error}

        answer: dict[str, Any] = self._ended(look)["answer"]
        assert "failed" not in answer.values(), answer
        return answer

    # What suppliers have

    def slots(self, supplier: str, declared: int = 3) -> None:
        """Have a supplier say how many projects it can begin in the quarter of this day."""
        self.put(supplier, f"/v1/suppliers/{supplier}/slots/{quarter(self.today)}", {"declared": declared})

    def offered(self, supplier: str, measure: str, price: int, **changed: Any) -> str:
        """Have a supplier register a solution for a measure of the catalogue; return its version."""
        entry = next(e for e in self.stand.catalogue.entries if e.id == measure)
        able = {
            c.id: {p.name: {"low": p.low, "high": p.high, "words": list(p.words)} for p in c.properties}
            for c in entry.capabilities
        }
        made = self.post(
            supplier, f"/v1/suppliers/{supplier}/solutions", {"family": measure, "name": f"{measure} {new_id()}"}
        )
        zero = {"low": 0, "high": 0}
        form = {
            "version": "1.0", "processes": ["press"], "interfaces": [], "regions": ["busan"], "remote": False,
            "price": {"low": price, "high": price}, "yearly": zero, "leaving": zero, "continuity": KEPT,
            "capabilities": able,
        } | changed  # fmt: skip
        key: str = self.post(supplier, f"/v1/solutions/{made['id']}/versions", form)["id"]
        self.post(supplier, f"/v1/versions/{key}/register")
        self.slots(supplier)
        return key

    def proven(self, version: str, times: int = 12, share: float = 0.4) -> None:
        """Let a version have a past: so many verdicts of last year's projects, as their rows were left.

        A dozen projects of half a year each are what this cannot walk through; each test walks through one.
        """

        def work(session: Any) -> None:
            found = session.get_one(t.SolutionVersion, version)
            family = session.get_one(t.Solution, found.solution_id).family
            day = self.today - timedelta(days=400)
            if session.get(t.Party, "last-year") is None:
                add(
                    session,
                    t.Party(id="last-year", kind="factory", name="last-year", created_at=1),
                    t.Factory(id="last-year", region="seoul", industry="C29"),
                )
            rows: list[Any] = []
            for _ in range(times):
                project, plan = new_id(), new_id()
                rows += [
                    t.Engagement(
                        id=project, factory_id="last-year", supplier_id=found.supplier_id, version_id=version,
                        measure_id=family, state="ended", agreed_on=day, signed_on=day, installed_on=day,
                        accepted_on=day, ended_on=day,
                    ),
                    t.MeasurementPlan(
                        id=plan, engagement_id=project, metric="setup", applied_on=day, baseline_from=day,
                        baseline_to=day, verdict_on=day, extended_to=day, least=0.1, body={}, owner_at=1,
                        supplier_at=1, frozen_at=1, hash="h",
                    ),
                    t.Outcome(
                        id=new_id(), plan_id=plan, look=1, on_date=day, word="improved", estimate=-0.1, low=-0.2,
                        high=-0.05, body={"gain": {"share": share, "error": 0.05}}, at=1,
                    ),
                ]  # fmt: skip
            add(session, *rows)

        self.stand.registry.decide(work, Actor("test"))
