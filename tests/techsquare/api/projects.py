"""A project with machine-days of known truth: one press that gains, seven others of the hall that do not."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from techsquare.registry import tables as t
from techsquare.registry.audit import Actor
from techsquare.registry.bulk import MachineDayRow, store_rows
from techsquare.registry.ids import new_id
from techsquare.registry.store import add
from techsquare.services.days import DAY_NS, day_of
from tests.techsquare.api.stand import done
from tests.techsquare.api.story import PASSWORD, Story

if TYPE_CHECKING:
    import httpx

    from tests.techsquare.api.stand import Stand

GAIN = 0.2
PRESSES = tuple(f"press-{n}" for n in range(8))


class Project:
    """A signed project of hana with ada about press-0; today is `today`, it is installed in thirty days.

    Args:
        stand: The application.
        days: Of every press, from 70 days ago on.
        lost: From this day of them on half of the gain is gone.
        homes: Factory of each press.
    """

    def __init__(self, stand: Stand, days: int = 220, lost: int | None = None, homes: tuple[str, ...] = ()) -> None:
        self.stand, self.story = stand, Story(stand)
        self.today = day_of(stand.now())
        self.installed, self.first = self.today + timedelta(days=30), self.today - timedelta(days=70)
        self.homes = homes or ("hana",) * len(PRESSES)
        rng = random.Random(1)
        presses = [
            t.Machine(
                factory_id=home, id=press, name=press, process="press", weight=1.0, limits_output="unknown",
                comparable=press != "press-0",
            )
            for home, press in zip(self.homes, PRESSES, strict=True)
        ]  # fmt: skip
        stand.registry.decide(lambda s: add(s, *presses), Actor("test"))
        rows = []
        for n in range(days):
            day, shared = self.first + timedelta(days=n), rng.gauss(0, 0.01)
            for home, press in zip(self.homes, PRESSES, strict=True):
                gain = GAIN if press == "press-0" and day > self.installed else 0.0
                gain *= 0.5 if lost is not None and n >= lost else 1.0
                share = min(0.99, max(0.01, 0.5 + gain + shared + rng.gauss(0, 0.02)))
                looked = {"L04": [float(n % 3 == 0), 1.0]} if press == "press-0" else None
                row = MachineDayRow(home, press, day, "measured", f"head-{n}", 36_000.0, 36_000.0, share * 36_000)
                rows.append(row._replace(metrics=looked))
        stand.registry.load(lambda s: store_rows(s, rows))
        version = self.story.offered("ada", "andon", 1_000_000)
        self.key = new_id()
        project = t.Engagement(
            id=self.key, factory_id="hana", supplier_id="ada", version_id=version, measure_id="andon",
            state="signed", agreed_on=self.today, signed_on=self.today,
        )  # fmt: skip
        applied = self.first - timedelta(days=5)

        def begin(session: Any) -> None:
            add(session, project)
            session.get_one(t.Factory, "hana").applied_on = applied

        stand.registry.decide(begin, Actor("test"))

    @property
    def form(self) -> dict[str, Any]:
        """A plan that can be frozen today."""
        return {
            "metric": "availability", "machines": ["press-0"], "baseline_from": self.first.isoformat(),
            "baseline_to": (self.today - timedelta(days=1)).isoformat(), "installed": self.installed.isoformat(),
            "least": 0.05,
        }  # fmt: skip

    def who(self, name: str) -> httpx.Client:
        """Somebody of the story."""
        return self.story.who[name]

    def at(self, day: date) -> None:
        """Have it be another day; tokens of a day are over by then, so everybody logs in anew."""
        self.stand.shift += (day - day_of(self.stand.now())).days * DAY_NS
        for name in ("hana", "ada", "op", "bori"):
            said = {"email": f"{name}@example.kr", "password": PASSWORD}
            answer = self.stand.client().post("/v1/login", json=said)
            assert answer.status_code == 200, answer.text
            self.story.who[name] = self.stand.client(answer.json()["token"])

    def drafted(self, **changed: Any) -> str:
        """Draft the plan, and wait until it says what it can show."""
        made = self.who("hana").post(f"/v1/engagements/{self.key}/plans", json=self.form | changed)
        assert made.status_code == 201, made.text
        assert done(self.who("hana"), made.json()["row"]["job"])["state"] == "done"
        plan: str = made.json()["id"]
        return plan

    def frozen(self, **changed: Any) -> str:
        """Draft, agree and freeze the plan; say that it is installed as planned."""
        plan = self.drafted(**changed)
        for name in ("hana", "ada"):
            assert self.who(name).post(f"/v1/plans/{plan}/agree").status_code == 200
        frozen = self.who("hana").post(f"/v1/plans/{plan}/freeze")
        assert frozen.status_code == 200, frozen.text
        self.stand.registry.decide(self.install, Actor("test"))
        return plan

    def install(self, session: Any) -> None:
        """Have it be installed."""
        row = session.get_one(t.Engagement, self.key)
        row.state, row.installed_on = "installed", self.installed

    def plan(self, key: str) -> t.MeasurementPlan:
        """Return a plan's row."""
        with self.stand.registry.reading() as session:
            return session.get_one(t.MeasurementPlan, key)
