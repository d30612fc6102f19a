"""What the night does with projects, the programme's effect, and the command on the same database."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import select, update

from techsquare.cli import main
from techsquare.registry import migrate
from techsquare.registry import tables as t
from techsquare.registry.audit import Actor
from techsquare.registry.bulk import MachineDayRow, store_rows
from techsquare.registry.store import add
from techsquare.services import night, programme
from techsquare.services.days import DAY_NS, day_of
from techsquare.services.plain import plain
from techsquare.verdict.programme import NEVER, Panel, effect
from tests.techsquare.api.projects import Project
from tests.techsquare.api.stand import done
from tests.techsquare.api.story import Story

if TYPE_CHECKING:
    import pytest
    from sqlalchemy.orm import Session

    from techsquare.catalogue.load import Catalogue
    from tests.techsquare.api.stand import Stand

USE = {"system": "andon-screen", "signal": "L04", "every_days": 7}


def nightly(stand: Stand, catalogue: Catalogue) -> dict[str, Any]:
    """Let the night's tasks run."""
    return night.run(stand.registry, catalogue, stand.now(), lambda _: None)


def tasks(stand: Stand) -> list[tuple[str, str, str]]:
    """Return kind, factory and whose it is, of what the night has told."""
    with stand.registry.reading() as session:
        rows = session.scalars(select(t.Task).where(t.Task.kind.in_(("unused", "decay"))).order_by(t.Task.kind))
        return [(one.kind, one.factory_id, one.party_id) for one in rows]


def test_the_night_judges_watches_and_tells_once(stand: Stand, catalogue: Catalogue) -> None:
    project = Project(stand, days=240, lost=200)
    assert project.who("op").put("/v1/factories/hana/mentor", json={"mentor_id": "mina"}).status_code == 200
    plan = project.frozen(use=USE)
    on = project.plan(plan).verdict_on
    project.at(on)
    first = nightly(stand, catalogue)
    assert (first["verdicts"], first["gains"]) == (
        {"told": 1, "waiting": 0}, {"watching": 0, "no_watch": 1, "decay": 0},
    )  # fmt: skip
    assert nightly(stand, catalogue)["verdicts"] == {"told": 0, "waiting": 0}
    with stand.registry.reading() as session:
        outcome = session.scalars(select(t.Outcome).where(t.Outcome.plan_id == plan)).one()
    against, objection = f"/v1/outcomes/{outcome.id}/objections", {"about": "days", "text": "이틀이 빠졌습니다."}
    made = project.who("ada").post(against, json=objection).json()["id"]
    form = {"decision": "rejected", "answer": "모두 있습니다."}
    decided = project.who("op").post(f"/v1/objections/{made}/decision", json=form)
    assert decided.json()["row"]["decision"] == "rejected"
    with stand.registry.reading() as session:
        assert session.get_one(t.Outcome, outcome.id).body == outcome.body
    path = f"/v1/plans/{plan}/use"
    assert project.who("bori").get(path).status_code == 404
    for name in ("hana", "ada"):
        used = project.who(name).get(path).json()["said"]
        assert (used["state"], used["censored"], used["share"]) == ("used", 0, 1.0)
        assert used["observed"] == (on - project.installed).days - 1
    project.at(on + timedelta(days=11))
    assert project.who("hana").post(against, json=objection).json()["details"] == {"why": "too_late"}
    settled = nightly(stand, catalogue)
    assert (settled["gains"], settled["use"]) == (
        {"watching": 1, "no_watch": 0, "decay": 0}, {"assessed": 1, "not_used": 0},
    )  # fmt: skip
    assert tasks(stand) == []
    unused_from = project.first + timedelta(days=210)

    def nobody_looks(session: Session) -> None:
        late = (t.MetricDay.machine_id == "press-0", t.MetricDay.day >= unused_from)
        session.execute(update(t.MetricDay).where(*late).values(metrics={"L04": [0.0, 1.0]}))

    stand.registry.load(nobody_looks)
    project.at(project.first + timedelta(days=240))
    assert nightly(stand, catalogue)["gains"]["decay"] == 1
    again = nightly(stand, catalogue)
    assert (again["gains"], again["use"]) == (
        {"watching": 0, "no_watch": 0, "decay": 0}, {"assessed": 1, "not_used": 1},
    )  # fmt: skip
    with stand.registry.reading() as session:
        outcome = session.scalars(select(t.Outcome).where(t.Outcome.plan_id == plan)).one()
    lost = project.first + timedelta(days=200)
    assert outcome.decayed_on is not None
    assert lost <= outcome.decayed_on < lost + timedelta(days=30)
    said = project.who("hana").get(path).json()["said"]
    assert (said["state"], said["idle"]) == ("not_used", 240 - 208)  # nobody has looked since day 207
    assert tasks(stand) == [("decay", "hana", "mina"), ("unused", "hana", "mina")]


def test_use_is_not_assessed_without_a_signal_and_the_agent_may_say_it_too(stand: Stand) -> None:
    project = Project(stand, days=140)
    silent = project.frozen()
    hidden = project.drafted(metric="fault", use=USE | {"signal": "nothing"})
    assert project.who("hana").get(f"/v1/plans/{silent}/use").json()["said"]["reason"] == "no_signal"
    project.at(project.installed + timedelta(days=40))
    path = f"/v1/plans/{hidden}/use"
    said = project.who("hana").get(path).json()["said"]
    assert (said["state"], said["reason"], said["observed"], said["censored"]) == (
        "not_assessed",
        "few_days",
        0,
        39,
    )

    def found(session: Session) -> None:
        agent = t.Agent(factory_id="hana", id="edge", site="main")
        events = [
            t.AgentEvent(
                id=f"e-{n}", factory_id="hana", agent_id="edge", kind="unused", at=n, hash=str(n),
                body={"subject": subject, "date": day.isoformat(), "why": "use"},
            )
            for n, (subject, day) in enumerate([
                ("another", project.installed + timedelta(days=30)),
                (USE["system"], project.installed - timedelta(days=1)),
            ])
        ]  # fmt: skip
        add(session, agent, *events)

    stand.registry.decide(found, Actor("test"))
    assert project.who("hana").get(path).json()["said"]["state"] == "not_assessed"
    event = t.AgentEvent(
        id="e-9", factory_id="hana", agent_id="edge", kind="unused", at=9, hash="9",
        body={"subject": USE["system"], "date": (project.installed + timedelta(days=30)).isoformat()},
    )  # fmt: skip
    stand.registry.decide(lambda s: add(s, event), Actor("test"))
    assert project.who("hana").get(path).json()["said"]["state"] == "not_used"


def test_the_programmes_effect_is_the_engines_over_all_plans(stand: Stand) -> None:
    story = Story(stand)
    story.offered("ada", "andon", 1_000_000)
    rng = np.random.default_rng(3)
    first, months = date(2025, 1, 1), 12
    rows: list[Any] = []
    days: list[MachineDayRow] = []
    values = np.empty((14, months))
    begun = [NEVER if n % 2 else 4 + n // 3 for n in range(14)]
    with stand.registry.reading() as session:
        version = session.scalars(select(t.SolutionVersion.id)).first()
    for n in range(14):
        name, start = f"shop-{n:02}", begun[n]
        rows += [
            t.Party(id=name, kind="factory", name=name, created_at=1),
            t.Factory(id=name, kind="factory", region="busan", industry="C29", zone="Asia/Seoul", applied_on=first),
            *(
                t.Machine(factory_id=name, id=m, name=m, weight=1.0, limits_output="unknown", comparable=False)
                for m in ("m1", "m2")
            ),
        ]  # fmt: skip
        level = rng.normal(0.5, 0.05)
        for at in range(months):
            values[n, at] = level + rng.normal(0, 0.01) + 0.01 * at + (0.1 if start != NEVER and at >= start else 0)
            for day in range(12):
                on = date(2025, at + 1, day + 1)
                told = float(values[n, at] * 1000)
                days.append(MachineDayRow(name, "m1", on, "measured", "h", 1000.0, 1000.0, told))
                days.append(MachineDayRow(name, "m2", on, "measured", "h", 1000.0, 700.0, 0.0))  # too little known
        if start != NEVER:
            came = date(2025, start + 1, 3)
            rows += [
                t.Engagement(
                    id=f"e{n}", factory_id=name, supplier_id="ada", version_id=version, measure_id="andon",
                    state="installed", agreed_on=came, signed_on=came, installed_on=came,
                ),
                t.MeasurementPlan(
                    id=f"p{n}", engagement_id=f"e{n}", metric="availability", applied_on=first, baseline_from=came,
                    baseline_to=came, verdict_on=came, extended_to=came, least=0.1, body={}, owner_at=1,
                    supplier_at=1, frozen_at=1, hash="h",
                ),
                t.PlanMachine(plan_id=f"p{n}", factory_id=name, machine_id="m1", part="treated", alias="t01"),
            ]  # fmt: skip
    stand.registry.decide(lambda s: add(s, *rows), Actor("test"))
    stand.registry.load(lambda s: store_rows(s, days))
    names = [f"shop-{n:02}" for n in range(14)]
    expected = Panel(names, values, np.zeros(14, np.int64), np.array(begun))
    with stand.registry.reading() as session:
        found, left_out = programme.panel(session, "availability")
    assert found is not None
    assert (list(found.factories), left_out) == (names, 0)
    np.testing.assert_allclose(found.values, values, rtol=1e-12)
    np.testing.assert_array_equal(found.begun, expected.begun)
    np.testing.assert_array_equal(found.applied, expected.applied)
    assert (
        story.who["hana"].post("/v1/programme-effect", json={"metric": "availability"}).json()["code"]
        == "wrong_role"
    )
    op = story.who["op"]
    job = done(op, op.post("/v1/programme-effect", json={"metric": "availability"}).json()["id"])
    assert job["state"] == "done", job
    said = job["answer"]["effect"]
    assert said == json.loads(json.dumps(plain(effect(found, shuffles=programme.SHUFFLES))))
    assert (said["factories"], said["waiting"]) == (7, 12)  # five of those that begin later wait before
    assert said["low"] < 0.1 < said["high"]
    none = done(op, op.post("/v1/programme-effect", json={"metric": "energy"}).json()["id"])
    assert none["answer"] == {"metric": "energy", "effect": None, "left_out": 0}


def test_the_command_tells_and_computes_what_is_due(stand: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    stand.shift = -110 * DAY_NS
    project = Project(stand, days=200)
    plan = project.frozen()
    with stand.registry.migrating() as connection:
        MigrationContext.configure(connection).stamp(ScriptDirectory.from_config(migrate.config()), "head")
    url = stand.registry.engine.url.set(drivername=stand.registry.engine.dialect.name)
    words = ["verify", "--database", url.render_as_string(hide_password=False)]
    assert main([*words, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    row = project.plan(plan)
    assert (said["plan"], said["state"], said["hash"], said["looks"]) == (plan, "due", row.hash, [])
    assert said["promise"] == row.promise
    assert main([*words, plan, "--due"]) == 0
    out = capsys.readouterr().out
    assert f"{plan} (availability): told" in out
    assert f"look 1 of {row.verdict_on}: improved +0.2" in out
    assert main([*words, "--due", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["state"], [one["word"] for one in again["looks"]]) == ("told", ["improved"])
    assert main([*words, "nothing"]) == 1
    assert "there is no plan 'nothing'" in capsys.readouterr().err
    assert day_of(stand.now()) < row.verdict_on  # the command has a clock of its own
