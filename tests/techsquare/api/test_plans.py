"""From a signed project to a verdict over the API: promised, agreed by both, frozen, computed on its day."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sqlalchemy import select, update

from contract.codec import encode
from techsquare.registry import leaving
from techsquare.registry import tables as t
from techsquare.registry.audit import Actor
from techsquare.registry.bulk import MachineDayRow, store_rows
from techsquare.services import outcomes, plans, series, verdicts
from techsquare.verdict import told
from techsquare.verdict.terms import Series
from tests.techsquare.api import projects
from tests.techsquare.api.projects import GAIN, Project
from tests.techsquare.api.stand import done

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tests.techsquare.api.stand import Stand

OTHERS = tuple(f"press-{n}" for n in range(1, 8))


def test_nothing_is_agreed_before_it_is_known_what_can_be_shown(stand: Stand) -> None:
    project = Project(stand, days=71)
    hana, ada, bori, op = (project.who(name) for name in ("hana", "ada", "bori", "op"))
    path = f"/v1/engagements/{project.key}/plans"
    late = hana.post(path, json=project.form | {"installed": project.today.isoformat()})
    assert (late.json()["code"], "frozen_late" in late.json()["details"]["why"]) == ("plan_refused", True)
    assert bori.post(path, json=project.form).status_code == 404
    drafted = hana.post(path, json=project.form)
    assert drafted.status_code == 201, drafted.text
    plan, row = drafted.json()["id"], drafted.json()["row"]
    assert (row["body"]["over"], row["body"]["machines"]) == ("site", 7)
    job = done(hana, row["job"])
    assert job["state"] == "done", job
    assert "press-3" not in drafted.text + str(job) + ada.get("/v1/rows/plan_machine").text
    for reader in (hana, ada):
        promise = next(one for one in reader.get("/v1/rows/measurement_plan").json()["rows"] if one["id"] == plan)
        assert promise["promise"] == job["answer"]
    said = job["answer"]
    assert (said["by"], said["days"], said["controls"], said["reason"]) == ("baseline", 70, 7, None)
    assert 0.01 < said["low"] < said["high"] < GAIN  # days have an sd of 0.02
    assert bori.post(f"/v1/plans/{plan}/agree").status_code == 404
    with stand.registry.reading() as session:
        kept = session.get_one(t.MeasurementPlan, plan).promise

    def forget(session: Session) -> None:
        session.get_one(t.MeasurementPlan, plan).promise = None

    stand.registry.decide(forget, Actor("test"))
    assert hana.post(f"/v1/plans/{plan}/agree").json()["code"] == "no_promise"
    again = ada.post(f"/v1/plans/{plan}/promise")
    assert done(ada, again.json()["id"])["answer"] == kept
    assert bori.post(f"/v1/plans/{plan}/promise").status_code == 404
    assert hana.post(f"/v1/plans/{plan}/agree").status_code == 200
    assert hana.post(f"/v1/plans/{plan}/promise").json()["code"] == "frozen"
    assert hana.post(f"/v1/plans/{plan}/freeze").json()["code"] == "not_agreed"
    assert hana.post(f"/v1/plans/{plan}/verdict").json()["code"] == "not_agreed"
    assert ada.post(f"/v1/plans/{plan}/agree").status_code == 200
    frozen = ada.post(f"/v1/plans/{plan}/freeze")
    assert frozen.status_code == 200, frozen.text
    assert len(frozen.json()["row"]["hash"]) == 64
    for refused in ("agree", "freeze", "promise"):
        assert hana.post(f"/v1/plans/{plan}/{refused}").json()["code"] == "frozen", refused
    assert hana.post(f"/v1/plans/{plan}/verdict").json()["code"] == "too_early"
    why = {"why": "설치가 취소되었습니다."}
    assert hana.post(f"/v1/plans/{plan}/withdraw", json=why).json()["code"] == "frozen"
    assert bori.post(f"/v1/plans/{plan}/withdraw", json=why).status_code == 404
    assert op.post(f"/v1/plans/{plan}/withdraw", json=why).status_code == 200
    assert op.post(f"/v1/plans/{plan}/withdraw", json=why).json()["code"] == "decided"
    short = {"baseline_from": (project.today - timedelta(days=39)).isoformat()}
    answer = project.plan(project.drafted(**short)).promise
    assert answer is not None
    assert (answer["reason"], answer["low"], answer["days"]) == ("short_baseline", None, 39)
    offered_before_there_is_a_project(stand, project)


def offered_before_there_is_a_project(stand: Stand, project: Project) -> None:
    """The same question is answered of a roadmap's item, to its factory only."""
    hana, ada = project.who("hana"), project.who("ada")
    items = project.story.planned()["row"]["body"]
    assert items
    with stand.registry.reading() as session:
        item = session.scalars(select(t.RoadmapItem.id).where(t.RoadmapItem.factory_id == "hana")).first()
    form = {"metric": "availability", "machines": ["press-0"]}
    path = f"/v1/items/{item}/provable"
    assert ada.post(path, json=form).status_code == 404
    assert hana.post(path, json=form | {"baseline_from": "2026-01-01"}).status_code == 422
    asked = hana.post(path, json=form)
    assert asked.status_code == 202, asked.text
    said = done(hana, asked.json()["id"])
    assert said["state"] == "done", said
    assert said["answer"]["over"] == "site"
    assert said["answer"]["promise"]["days"] == 60
    assert 0 < said["answer"]["promise"]["low"] < said["answer"]["promise"]["high"]
    assert "press-" not in str(said["answer"])
    assert project.who("op").get(f"/v1/jobs/{asked.json()['id']}").json().get("answer") is None
    wrong = hana.post(path, json=form | {"machines": ["nothing"]})
    assert done(hana, wrong.json()["id"])["error"] == "plan_refused"


def test_the_verdict_is_the_engines_and_an_upheld_objection_tells_it_anew(stand: Stand) -> None:
    project = Project(stand, days=200)
    plan = project.frozen()
    hash_of = project.plan(plan).hash
    on = project.plan(plan).verdict_on
    project.at(on)
    hana, ada, bori, op = (project.who(name) for name in ("hana", "ada", "bori", "op"))
    assert bori.post(f"/v1/plans/{plan}/verdict").status_code == 404
    answer = hana.post(f"/v1/plans/{plan}/verdict")
    assert answer.status_code == 201, answer.text
    outcome = answer.json()["id"]
    assert ada.post(f"/v1/plans/{plan}/verdict").json()["code"] == "decided"
    row = kept_outcome(stand, outcome)
    with stand.registry.reading() as session:
        made = plans.terms_of(session, session.get_one(t.MeasurementPlan, plan))
        names = {p.machine_id: p.alias for p in plans.machines_of(session, plan)}
        found = [
            Series(
                names[press], "hana", [d.day for d in days], np.array([d.production_s or 0 for d in days]),
                np.array([d.planned_s for d in days]), np.ones(len(days)),
            )
            for press in names
            if (days := session.scalars(
                select(t.MetricDay).where(t.MetricDay.machine_id == press, t.MetricDay.day < on)
                .order_by(t.MetricDay.day)
            ).all())
        ]  # fmt: skip
    assert made.hash == hash_of
    expected = told.verdict(made, found, None, project.installed)
    assert verdicts.verdict_of(row.body) == expected
    assert (row.word, row.estimate, row.low, row.high) == (
        "improved", expected.estimate, expected.low, expected.high,
    )  # fmt: skip
    assert row.low is not None
    assert row.high is not None
    assert row.low < GAIN < row.high
    assert len(row.body["placebos"]) > 20
    # About half of planned time was lost before, and a fifth of planned time was gained.
    assert row.body["gain"]["share"] == pytest.approx(0.4, abs=0.05)
    half = (row.high - row.low) / 2
    assert row.body["gain"]["error"] == pytest.approx(half / 2.0537 / 0.5, rel=0.1)
    assert row.body["watch"]["finds"] > 0.9

    standing = f"/v1/outcomes/{outcome}/standing"
    assert bori.get(standing).status_code == 404
    assert hana.get(standing).json()["said"]["contested"] is False
    objection = {"about": "controls", "text": "비교 설비 하나가 개조되었습니다."}
    path = f"/v1/outcomes/{outcome}/objections"
    assert bori.post(path, json=objection).status_code == 404
    first = ada.post(path, json=objection)
    assert first.status_code == 201
    assert ada.post(path, json=objection).json()["details"] == {"why": "already"}
    assert hana.get(standing).json()["said"]["contested"] is True
    decision = f"/v1/objections/{first.json()['id']}/decision"
    form = {"decision": "upheld", "answer": "정비 기록을 확인했습니다.", "without": [names["press-3"]]}
    for role in (hana, ada):
        assert role.post(decision, json=form).json()["code"] == "wrong_role"
    assert op.post(decision, json=form | {"without": ["t01"]}).json()["code"] == "plan_refused"
    assert op.post(decision, json=form).status_code == 200
    assert op.post(decision, json=form).json()["code"] == "decided"
    again = told.verdict(made, [one for one in found if one.machine != names["press-3"]], None, project.installed)
    row = kept_outcome(stand, outcome)
    assert verdicts.verdict_of(row.body) == again
    assert verdicts.verdict_of(row.body["told"]) == expected
    assert (row.word, row.estimate, again.controls) == (again.word, again.estimate, 6)
    with stand.registry.reading() as session:  # what was computed again counts of the supplier
        counts = outcomes.counted(session)["ada", "andon"]
    assert (counts.improved, counts.decided, counts.cannot_tell) == (1, 1, 0)
    assert [round(share, 9) for share, _ in counts.gains] == [round(row.body["gain"]["share"], 9)]

    second = hana.post(path, json=objection)
    gone = {"decision": "upheld", "answer": "측정을 쓸 수 없습니다.", "then": "withdrawn"}
    assert op.post(f"/v1/objections/{second.json()['id']}/decision", json=gone).status_code == 200
    row = kept_outcome(stand, outcome)
    assert (row.word, row.estimate, row.low, "gain" in row.body) == ("cannot_tell", None, None, False)
    with stand.registry.reading() as session:
        counts = outcomes.counted(session)["ada", "andon"]
    assert (counts.decided, counts.cannot_tell) == (0, 1)
    project.at(project.plan(plan).extended_to)
    assert project.who("hana").post(f"/v1/plans/{plan}/verdict").json()["code"] == "decided"


def test_what_an_objection_has_put_right_holds_for_the_extension(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projects, "GAIN", 0.0)
    project = Project(stand, days=220)
    plan = project.frozen(least=0.0001)
    project.at(project.plan(plan).verdict_on)
    first = project.who("hana").post(f"/v1/plans/{plan}/verdict").json()
    assert kept_outcome(stand, first["id"]).word in {"cannot_tell", "cause_not_shown"}
    objection = {"about": "controls", "text": "비교 설비 하나가 개조되었습니다."}
    said = project.who("ada").post(f"/v1/outcomes/{first['id']}/objections", json=objection).json()["id"]
    with stand.registry.reading() as session:
        touched = next(p.alias for p in plans.machines_of(session, plan) if p.machine_id == "press-3")
    came = project.installed + timedelta(days=3)
    form = {"decision": "upheld", "answer": "확인했습니다.", "without": [touched], "installed": came.isoformat()}
    assert project.who("op").post(f"/v1/objections/{said}/decision", json=form).status_code == 200
    row = kept_outcome(stand, first["id"])
    assert (row.body["controls"], "late" in row.body["why"]) == (6, True)
    project.at(project.plan(plan).extended_to)
    second = project.who("hana").post(f"/v1/plans/{plan}/verdict")
    assert second.status_code == 201, second.text
    row = kept_outcome(stand, second.json()["id"])
    assert (row.look, row.body["controls"], "late" in row.body["why"]) == (2, 6, True)


def test_a_day_of_the_frozen_baseline_cannot_be_changed_afterwards(stand: Stand) -> None:
    project = Project(stand, days=200)
    missing = project.first + timedelta(days=20)
    lost = (t.MetricDay.machine_id == "press-0", t.MetricDay.day == missing)
    with stand.registry.reading() as session:
        row = session.scalars(select(t.MetricDay).where(*lost)).one()
    late = MachineDayRow(*(getattr(row, name) for name in MachineDayRow._fields))
    stand.registry.decide(lambda s: s.delete(s.scalars(select(t.MetricDay).where(*lost)).one()), Actor("test"))
    plan = project.frozen()
    with stand.registry.reading() as session:
        made = plans.terms_of(session, session.get_one(t.MeasurementPlan, plan))
        parts = plans.machines_of(session, plan)
    sums = [[one.alias, one.days, one.digest] for one in parts]
    assert made.evidence == hashlib.sha256(encode(sums)).hexdigest()
    treated = next(one for one in parts if one.part == "treated")
    assert treated.days == f"{(1 << 70) - 1 - (1 << 20):x}"
    # The day that was missing comes after all, and tells of a month without a fault.
    stand.registry.load(lambda s: store_rows(s, [late._replace(production_s=36_000.0)]))

    def days() -> dict[str, Series]:
        with stand.registry.reading() as session:
            row = session.get_one(t.MeasurementPlan, plan)
            until = row.verdict_on - timedelta(days=1)
            return {one.machine: one for one in verdicts.days_of(session, row, plans.terms_of(session, row), until)}

    assert missing not in days()["t01"].days

    def change(machine: str) -> None:
        other = (t.MetricDay.machine_id == machine, t.MetricDay.day == project.first + timedelta(days=30))
        stand.registry.load(lambda s: s.execute(update(t.MetricDay).where(*other).values(production_s=1.0)))

    change("press-2")
    control = next(one.alias for one in parts if one.machine_id == "press-2")
    assert set(days()) == {one.alias for one in parts} - {control}
    project.at(made.verdict_on)
    change("press-0")
    refused = project.who("hana").post(f"/v1/plans/{plan}/verdict")
    assert refused.json()["code"] == "baseline_changed"


def test_a_comparison_machine_whose_owner_leaves_goes_on_to_be_compared_with(
    stand: Stand,
) -> None:
    """Presses of six other houses: nobody sees whose they are, and the hash holds without their names."""
    homes = ("hana", "duri", "duri", "sena", "saem", "sori", "soon", "sang")

    def houses(session: Session) -> None:
        for name in homes[3:]:
            session.add(t.Party(id=name, kind="factory", name=name, created_at=1))
            session.flush()
            session.add(t.Factory(id=name, kind="factory", region="busan", industry="C29", zone="Asia/Seoul"))

    stand.registry.decide(houses, Actor("test"))
    project = Project(stand, days=200, homes=homes)
    plan = project.frozen()
    assert project.plan(plan).body["over"] == "sites"
    shown = project.who("hana").get("/v1/rows/plan_machine").text + str(project.plan(plan).body)
    shown += project.who("ada").get("/v1/rows/plan_machine").text
    assert not [name for name in (*homes[1:], *OTHERS) if name in shown]
    seen = project.who("op").get("/v1/rows/plan_machine").json()["rows"]
    assert {one["factory_id"] for one in seen} == set(homes)
    hash_of = project.plan(plan).hash
    stand.registry.decide(lambda s: leaving.leave(s, "sori", stand.now(), Actor("test")), Actor("test"))
    project.at(project.plan(plan).verdict_on)
    assert stand.night()["verdicts"] == {"told": 1, "waiting": 0}
    with stand.registry.reading() as session:
        outcome = session.scalars(select(t.Outcome).where(t.Outcome.plan_id == plan)).one()
    assert (outcome.word, outcome.body["controls"], outcome.body["plan"]) == ("improved", 7, hash_of)
    assert not [name for name in (*homes[1:], *OTHERS) if name in str(outcome.body)]


def test_nobody_is_judged_by_signed_days_that_say_they_are_simulated(stand: Stand) -> None:
    project = Project(stand, days=80)
    asked = [("hana", "press-0"), ("hana", "press-1"), ("hana", "press-2")]
    span = ("availability", project.first, project.first + timedelta(days=9))

    def mark(machine: str, **values: object) -> None:
        which = (t.MetricDay.machine_id == machine, t.MetricDay.day <= span[2])
        stand.registry.load(lambda s: s.execute(update(t.MetricDay).where(*which).values(**values)))

    mark("press-1", simulated=0.25)
    mark("press-2", simulated=1.0, head="simulated-0")  # of a programme of which nothing is real
    with stand.registry.reading() as session:
        found = series.rows(session, asked, *span)
    assert {name: len(days) for name, days in found.items()} == {asked[0]: 10, asked[2]: 10}


def test_what_is_frozen_of_a_machine_is_its_days_and_their_records() -> None:
    baseline = (date(2026, 1, 1), date(2026, 1, 10))
    days = [series.DayOf(date(2026, 1, n), f"h{n}", 1.0 * n, 2.0, 1.0) for n in (1, 3, 10, 12)]
    then = series.frozen(days, baseline)
    assert then.days == f"{0b1000000101:x}"
    assert series.held(days, baseline, then) == days
    late = series.DayOf(date(2026, 1, 2), "h2", 1.0, 2.0, 1.0)
    assert series.held([days[0], late, *days[1:]], baseline, then) == days
    for changed in ({"head": "x"}, {"num": 1.5}, {"den": 3.0}, {"coverage": 0.9}):
        assert series.held([days[0]._replace(**changed), *days[1:]], baseline, then) is None
    assert series.held(days[1:], baseline, then) is None


def kept_outcome(stand: Stand, key: str) -> t.Outcome:
    """Return an outcome as it is now."""
    with stand.registry.reading() as session:
        return session.get_one(t.Outcome, key)
