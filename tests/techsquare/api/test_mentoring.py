"""Mentors over the API: the assignments are the engine's, a change costs nothing, the queue stands on rows."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from contract.codec import encode
from contract.report import Contradiction, Missing, Report, Window
from techsquare.mentoring.assignment import assign, forced
from techsquare.registry import tables as t
from techsquare.registry.access import join
from techsquare.registry.ids import new_id
from techsquare.registry.store import add
from techsquare.services import followup, urgent
from techsquare.services.days import DAY_NS, day_of
from techsquare.services.seeking import waiting
from tests.techsquare.api.stand import finished
from tests.techsquare.api.story import Story
from tests.techsquare.mentoring.made import made
from tests.techsquare.registry.test_store import ME

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.techsquare.api.stand import Stand


def written(stand: Stand, *rows: Any) -> None:
    stand.registry.decide(lambda s: add(s, *rows), ME)


def party(kind: str, name: str, group: str | None = None) -> t.Party:
    return t.Party(id=name, kind=kind, name=name, owner_group=group, created_at=1)


def world(stand: Stand, seed: int) -> tuple[list[Any], list[Any]]:
    """Put a drawn world of mentors and factories into rows."""
    seekers, mentors = made(seed, 8, 4)
    today = day_of(stand.now())
    rows: list[Any] = [
        party("supplier", "sup"),
        t.Supplier(id="sup", size="small", regions=[], industries=[], state="active", joined_on=today, parties=[]),
    ]
    for two in mentors:
        rows += [
            party("mentor", two.id),
            t.Mentor(
                id=two.id, skills=sorted(two.skills), regions=sorted(two.regions) or ["nowhere"],
                capacity=two.capacity, state="active" if two.active else "away", related=sorted(two.related),
            ),
        ]  # fmt: skip
        for at in range(two.taken):
            name = f"has-{two.id}-{at}"
            rows += [
                party("factory", name), t.Factory(id=name, region="busan", industry="x"),
                t.Assignment(factory_id=name, mentor_id=two.id, since=1),
            ]  # fmt: skip
    for one in seekers:
        rows += [
            party("factory", one.factory),
            t.Factory(
                id=one.factory, region=one.region, industry="x", applied_on=today - timedelta(one.waited_days)
            ),
            *(
                t.Machine(factory_id=one.factory, id=f"m-{skill}", name="m", process=skill, limits_output="unknown")
                for skill in sorted(one.skills)
            ),
            *(
                t.Assignment(factory_id=one.factory, mentor_id=name, since=1, until=2, ended_by="owner")
                for name in sorted(one.refused)
            ),
        ]
        for at, name in enumerate(sorted(one.related)):  # who works there, by way of his parties
            key = f"s-{one.factory}-{at}"
            rows += [
                party("supplier", key),
                t.Supplier(
                    id=key, size="small", regions=[], industries=[], state="active", joined_on=today, parties=[name]
                ),
                t.Solution(id=f"sol-{key}", supplier_id=key, family="andon", name="x"),
                t.SolutionVersion(
                    id=f"v-{key}", solution_id=f"sol-{key}", supplier_id=key, version="1", state="draft",
                    processes=[], interfaces=[], regions=[], remote=True, price_low=0, price_high=0, yearly_low=0,
                    yearly_high=0, exit_low=0, exit_high=0, needs_consent=[], requires={}, continuity=[],
                ),
                t.Engagement(
                    factory_id=one.factory, supplier_id=key, version_id=f"v-{key}", measure_id="andon",
                    state="agreed", agreed_on=today,
                ),
            ]  # fmt: skip
    written(stand, *rows)
    return seekers, mentors


def operator(stand: Stand) -> httpx.Client:
    def work(session: Any) -> str:
        session.add_all(
            [party("operator", "house"), t.User(id="op", email="op@x.kr", name="op", language="ko", created_at=1)]
        )
        session.flush()
        return join(session, "op", "house", "operator", 1).id

    return stand.client(stand.token(stand.registry.decide(work, ME)))


@pytest.mark.parametrize("seed", [13])
def test_who_waits_is_assigned_as_the_engine_says(stand: Stand, seed: int) -> None:
    seekers, mentors = world(stand, seed)
    client = operator(stand)
    today = day_of(stand.now())
    with stand.registry.reading() as session:
        found = waiting(session, today)
    told = {one.factory: one for one in found.seekers}
    for one in seekers:
        has = told[one.factory]
        assert (has.region, has.skills, has.refused) == (one.region, one.skills, one.refused)
        assert has.waited_days == one.waited_days
        assert has.related == one.related | {f"s-{one.factory}-{at}" for at in range(len(one.related))}
    assert len(told) == len(seekers)
    assert {one.id: one.taken for one in found.mentors} == {one.id: one.taken for one in mentors}
    seed_of_day = f"mentors-{today.isoformat()}"
    expected = assign(seekers, mentors, seed=seed_of_day)
    by_engine = {one.factory: one.mentor for one in expected.given if one.mentor}
    assert by_engine, "somebody is assigned"
    assert len(by_engine) < len(seekers), "and not everybody"
    proposed = client.get("/v1/mentoring/proposal").json()["said"]
    assert (proposed["assigned"], proposed["points"], proposed["seed"]) == (by_engine, expected.points, seed_of_day)
    left = {one.factory: one.barriers for one in expected.given if one.mentor is None}
    assert proposed["waiting"] == {
        name: {mentor: sorted(barriers) for mentor, barriers in stands.items()} for name, stands in left.items()
    }
    for one in seekers[:2]:
        for two in mentors[:2]:
            said = client.get(f"/v1/factories/{one.factory}/mentors/{two.id}").json()["said"]
            assert said["more"] == forced(seekers, mentors, seed=seed_of_day, factory=one.factory, mentor=two.id), (
                one,
                two,
            )
    assert finished(client, client.post("/v1/mentoring/assignments"))["answer"]["assigned"] == by_engine
    with stand.registry.reading() as session:
        rows = session.scalars(select(t.Assignment).where(t.Assignment.until.is_(None), t.Assignment.since > 1))
        assert {row.factory_id: row.mentor_id for row in rows} == by_engine
    again = finished(client, client.post("/v1/mentoring/assignments"))["answer"]
    assert again["assigned"] == {}, "nobody is moved, and nobody else is free"


def test_an_owner_wants_another_mentor_and_says_no_more(stand: Stand) -> None:
    story = Story(stand)
    hana, mina, moon, op = (story.who[name] for name in ("hana", "mina", "moon", "op"))
    assert hana.put("/v1/factories/hana/mentor", json={"mentor_id": "mina"}).status_code == 200
    story.planned()
    task = t.Task(
        factory_id="hana", party_id="mina", kind="stale", state="open", created_at=stand.now(),
        source={"table": "x", "key": "1", "since": None, "for": "mentor"},
    )  # fmt: skip
    written(stand, task)
    visit = hana.post("/v1/factories/hana/visits", json={"kind": "diagnosis"}).json()["id"]
    asked = hana.post("/v1/factories/hana/messages", json={"text": "프레스 2호기가 자꾸 섭니다"})
    assert asked.status_code == 201, asked.text
    barred = hana.post("/v1/factories/hana/exclusions", json={"supplier_id": "ada", "why": "예전에 다툼"})
    assert barred.status_code == 201
    changed = hana.put("/v1/factories/hana/mentor", json={})
    assert changed.json()["row"]["mentor_id"] == "moon", "the one whom it had is not proposed again"
    sheet = moon.get("/v1/rows/assignment?where=until=null").json()["rows"][0]["handover"]
    parts = {one["part"]: one for one in sheet["entries"]}
    assert set(parts) == {"task", "visit", "message", "wish"}
    assert parts["message"]["text"] == "프레스 2호기가 자꾸 섭니다"
    assert (parts["visit"]["id"], parts["wish"]["text"]) == (visit, "에이다: 예전에 다툼")
    assert sheet["lines"][0].startswith("인수인계서 hana")
    tasks = {row["kind"]: row["party_id"] for row in moon.get("/v1/rows/task?where=state=open").json()["rows"]}
    assert tasks == {"stale": "moon", "visit_asked": "moon", "mentor": "moon"}
    assert mina.get("/v1/rows/task").json()["rows"] == [], "who goes loses sight of it"
    said = hana.get("/v1/factories/hana/mentors/mina").json()["said"]
    assert said["barriers"] == ["refused"]
    assert hana.put("/v1/factories/hana/mentor", json={"mentor_id": "mina"}).status_code == 200, (
        "unless he is asked"
    )
    assert hana.get("/v1/factories/hana/mentors/moon").json()["said"]["barriers"] == ["refused"]
    assert moon.put("/v1/factories/hana/mentor", json={}).status_code == 404
    nobody = mina.put("/v1/factories/hana/mentor", json={"handover": "월요일에 전화하기로 함"})
    assert nobody.json()["row"]["mentor_id"] is None, "one has been let go, and the other goes himself"
    asked = hana.post("/v1/factories/hana/messages", json={"text": "누가 답합니까?"})
    assert asked.json()["row"]["party_id"] is not None, "the operator answers"
    seen = op.get("/v1/rows/message").json()["rows"]
    assert [row["text"] for row in seen] == ["누가 답합니까?"]
    assert op.put("/v1/factories/hana/mentor", json={"mentor_id": "moon"}).status_code == 200
    sheet = moon.get("/v1/rows/assignment?where=until=null").json()["rows"][0]["handover"]
    assert sheet["before"] == "월요일에 전화하기로 함"


def report(stand: Stand, factory: str) -> t.Report:
    body = Report(
        factory=factory, site="main", agent="edge-1", made_at=str(stand.now()), formulas="1", model="0" * 16,
        window=Window("2026-10-01", "2026-10-28", "Asia/Seoul", 20), evidence="0" * 16, confidence=0.9,
        simulated=0.0, note="",
        values=[], missing=[Missing("V02", "NA_NO_EVIDENCE", ["press-1"])],
        contradictions=[Contradiction("ANSWER_RUNTIME", "V01", "80 %", "41 %", "2026-10", "press-1")],
    )  # fmt: skip
    return t.Report(
        factory_id=factory, agent_id="edge-1", made_at=stand.now(), received_at=stand.now(), hash="h",
        body=encode(body).decode(),
    )  # fmt: skip


def project(stand: Stand, story: Story, state: str = "accepted") -> str:
    version = story.offered("ada", "andon", 5_000_000)
    on = day_of(stand.now()) - timedelta(days=120)
    key = new_id()
    written(
        stand,
        t.Engagement(
            id=key, factory_id="hana", supplier_id="ada", version_id=version, measure_id="andon", state=state,
            agreed_on=on, signed_on=on, installed_on=on, accepted_on=on if state == "accepted" else None,
        ),
    )  # fmt: skip
    return key


def troubled(stand: Stand, story: Story) -> str:
    """Let everything happen at once at hana."""
    key, now = project(stand, story), stand.now()
    today = day_of(now)
    plan, outcome = new_id(), new_id()
    old = today - timedelta(days=100)
    near = today + timedelta(days=3)
    written(
        stand,
        t.Machine(factory_id="hana", id="press-1", name="프레스 1", limits_output="unknown"),
        t.Agent(factory_id="hana", id="edge-1", reporter=True, public_key="k", seen_at=now - 9 * DAY_NS,
                silent_since=now - 5 * DAY_NS),
        report(stand, "hana"),
        *(
            t.AgentEvent(
                factory_id="hana", agent_id="edge-1", kind=kind, at=now - days * DAY_NS, hash=f"{kind}{days}",
                body={"subject": subject, "date": day_of(now - days * DAY_NS).isoformat()},
            )
            for kind, subject, days in (("stale", "press-1", 20), ("stale", "press-1", 2), ("unused", "mes", 3))
        ),
        t.MeasurementPlan(
            id=plan, engagement_id=key, metric="fault", applied_on=old, baseline_from=old, baseline_to=old,
            verdict_on=today - timedelta(days=3), extended_to=near, least=0.1, body={}, owner_at=1, supplier_at=1,
            frozen_at=1, hash="h",
        ),
        t.Outcome(
            id=outcome, plan_id=plan, look=1, on_date=today - timedelta(days=3), word="cannot_tell", estimate=0.0,
            low=-1.0, high=1.0, body={}, at=now, decayed_on=today - timedelta(days=1),
        ),
        t.Objection(outcome_id=outcome, party_id="ada", at=now - DAY_NS, text="틀렸습니다"),
    )  # fmt: skip
    return key


def test_the_queue_stands_on_rows_and_what_is_over_leaves_it(stand: Stand) -> None:
    story = Story(stand)
    hana, mina, moon, op = (story.who[name] for name in ("hana", "mina", "moon", "op"))
    assert op.put("/v1/factories/hana/mentor", json={"mentor_id": "mina"}).status_code == 200
    assert mina.get("/v1/mentors/mina/queue").json()["said"]["lines"] == []
    troubled(stand, story)
    stand.registry.decide(lambda s: setattr(s.get_one(t.Supplier, "ada"), "state", "closed"), ME)
    said = mina.get("/v1/mentors/mina/queue").json()["said"]
    kinds = [line["kind"] for line in said["lines"]]
    assert sorted(kinds) == sorted(said["order"]), "each kind once, each in its row"
    late = [line["overdue"] for line in said["lines"]]
    assert late == sorted(late, reverse=True)
    by = {line["kind"]: line for line in said["lines"]}
    assert by["stale"]["times"] == 2
    assert by["stale"]["title"] == "프레스 1"
    assert by["stale"]["overdue"]
    assert by["disagreement"]["title"] == "press-1 V01"
    assert by["bankruptcy"]["title"] == by["objection"]["title"]
    assert said["load"]["lines"] == 8
    for who, status in ((moon, 403), (hana, 403), (op, 403), (story.who["ada"], 403)):
        assert who.get("/v1/mentors/mina/queue").status_code == status
    stale = {"factory": "hana", "kind": "stale", "subject": by["stale"]["subject"], "note": "케이블이 빠져 있었음"}
    assert moon.post("/v1/queue/settled", json=stale).status_code == 404
    assert mina.post("/v1/queue/settled", json=stale).json()["said"] == {"settled": 2}
    assert mina.post("/v1/queue/settled", json=stale).status_code == 404
    silent = {"factory": "hana", "kind": "silence", "subject": by["silence"]["subject"]}
    assert mina.post("/v1/queue/settled", json=silent).json()["code"] == "still_so"
    stand.registry.decide(
        lambda s: setattr(s.get_one(t.Agent, ("hana", "edge-1")), "silent_since", None), ME
    )  # fmt: skip
    left = [line["kind"] for line in mina.get("/v1/mentors/mina/queue").json()["said"]["lines"]]
    assert sorted([*left, "stale", "silence"]) == sorted(kinds)
    written(
        stand,
        t.AgentEvent(factory_id="hana", agent_id="edge-1", kind="stale", at=stand.now(), hash="again",
                     body={"subject": "press-1", "date": day_of(stand.now()).isoformat()}),
    )  # fmt: skip
    lines = mina.get("/v1/mentors/mina/queue").json()["said"]["lines"]
    assert [line["times"] for line in lines if line["kind"] == "stale"] == [1], "it has begun again"


def test_the_night_tells_of_what_is_open_once(stand: Stand) -> None:
    story = Story(stand)
    assert story.who["op"].put("/v1/factories/hana/mentor", json={"mentor_id": "mina"}).status_code == 200
    key = troubled(stand, story)

    def run(at: int) -> dict[str, int]:
        return urgent.night(stand.registry, stand.catalogue, at)

    first = run(stand.now())
    assert first["told"] > 8
    assert run(stand.now() + DAY_NS)["told"] == 0
    told = story.who["ada"].get("/v1/rows/notification").json()["rows"]
    assert {row["kind"] for row in told} == {"objection", "verdict", "decay"}
    assert all("하나정밀" not in str(row) and "hana" not in str(row) for row in told)
    due = {row["kind"] for row in story.who["mina"].get("/v1/rows/task?where=state=open").json()["rows"]}
    assert due == {"mentor", "silence", "stale", "unused", "decay", "disagreement", "objection", "verdict"}

    def over(session: Any) -> None:
        session.get_one(t.Agent, ("hana", "edge-1")).silent_since = None
        row = session.scalars(select(t.Objection)).one()
        row.decision, row.decided_at = "rejected", stand.now()

    stand.registry.decide(over, ME)
    assert run(stand.now() + DAY_NS)["over"] == 2
    left = {row["kind"] for row in story.who["mina"].get("/v1/rows/task?where=state=open").json()["rows"]}
    assert due - left == {"silence", "objection"}
    assert key
    done = stand.night()
    assert "failed" not in done.values(), done


def test_a_project_is_looked_after_for_its_whole_life(stand: Stand) -> None:
    story = Story(stand)
    assert story.who["op"].put("/v1/factories/hana/mentor", json={"mentor_id": "mina"}).status_code == 200
    key = project(stand, story, "installed")

    def run(days: int) -> dict[str, int]:
        return followup.night(stand.registry, stand.catalogue, stand.now() + days * DAY_NS)

    assert run(0)["reminded"] == 4  # owner and mentor, each with a task: nobody has accepted it
    assert run(1) == {"reminded": 0, "over": 0}

    def accepted(session: Any) -> None:
        row = session.get_one(t.Engagement, key)
        row.state, row.accepted_on = "accepted", day_of(stand.now())

    stand.registry.decide(accepted, ME)
    assert run(2) == {"reminded": 0, "over": 2}
    looks = [run(days)["reminded"] for days in (90, 91, 150, 182, 183, 400)]
    assert looks == [0, 3, 0, 3, 0, 3], "owner and mentor, and his task, once a quarter"

    def ended(session: Any) -> None:
        row = session.get_one(t.Engagement, key)
        row.state, row.ended_on = "ended", day_of(stand.now())

    stand.registry.decide(ended, ME)
    assert run(600)["reminded"] == 0


def test_a_visit_is_asked_for_planned_and_done_with_its_sheet(stand: Stand) -> None:
    story = Story(stand)
    hana, mina, duri, op = (story.who[name] for name in ("hana", "mina", "duri", "op"))
    assert op.put("/v1/factories/hana/mentor", json={"mentor_id": "mina"}).status_code == 200
    troubled(stand, story)
    today = day_of(stand.now())
    made = hana.post("/v1/factories/hana/visits", json={"kind": "first"})
    assert made.json()["row"]["state"] == "asked"
    visit = made.json()["id"]
    assert hana.post("/v1/factories/hana/visits", json={"kind": "first"}).json()["code"] == "visit_state"
    assert duri.post("/v1/factories/hana/visits", json={"kind": "first"}).status_code == 404
    assert duri.get(f"/v1/visits/{visit}/sheet").status_code == 404
    assert hana.post(f"/v1/visits/{visit}/plan", json={"on": str(today)}).json()["code"] == "wrong_role"
    past = mina.post(f"/v1/visits/{visit}/plan", json={"on": str(today - timedelta(days=1))})
    assert past.json()["code"] == "too_early"
    assert mina.post(f"/v1/visits/{visit}/plan", json={"on": str(today)}).json()["row"]["state"] == "planned"
    told = hana.get("/v1/rows/notification").json()["rows"]
    assert any(row["kind"] == "visit" and str(today) in row["body"]["text"] for row in told)
    sheet = mina.get(f"/v1/visits/{visit}/sheet").json()["said"]
    page = sheet["page"]
    assert [one["seen"] for one in page["differences"]["lines"]] == ["41 %"]
    assert page["missing"]["lines"][0]["metric"] == "V02"
    assert len(page["measure"]["lines"]) == 3
    prices = [one["won"] for one in page["measure"]["lines"]]
    assert prices == sorted(prices)
    assert page["questions"]["lines"]
    later = mina.post(f"/v1/visits/{visit}/done", json={"on": str(today + timedelta(days=1))})
    assert later.json()["code"] == "too_early"
    done = mina.post(f"/v1/visits/{visit}/done", json={"on": str(today), "found": {"프레스 1": "센서가 젖어 있음"}})
    assert done.json()["row"]["sheet"]["found"] == {"프레스 1": "센서가 젖어 있음"}
    kept = hana.get(f"/v1/visits/{visit}/sheet").json()["said"]
    assert (kept["page"], kept["found"]) == (page, {"프레스 1": "센서가 젖어 있음"})
    assert mina.post(f"/v1/visits/{visit}/missed").json()["code"] == "visit_state"
    other = mina.post("/v1/factories/hana/visits", json={"kind": "verdict", "on": str(today)}).json()["id"]
    assert hana.post(f"/v1/visits/{other}/missed").json()["row"]["state"] == "missed"
    third = hana.post("/v1/factories/hana/visits", json={"kind": "follow_up"}).json()["id"]
    assert hana.post(f"/v1/visits/{third}/drop").json()["row"]["state"] == "dropped"
    open_ = mina.get("/v1/rows/task?where=state=open").json()["rows"]
    assert not {row["kind"] for row in open_} & {"visit", "visit_asked"}
    ledger = hana.get("/v1/factories/hana/ledger").json()["said"]
    assert (ledger["untold"], ledger["total"], ledger["a_diagnosis"]) == (1, 0, None)


def test_messages_reach_the_other_side_and_nobody_else(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story(stand)
    who = story.who
    assert who["op"].put("/v1/factories/hana/mentor", json={"mentor_id": "mina"}).status_code == 200
    key = project(stand, story)
    to_mentor = who["hana"].post("/v1/factories/hana/messages", json={"text": "안녕하세요"}).json()["id"]
    about = who["mina"].post(f"/v1/engagements/{key}/messages", json={"text": "언제 오십니까?"}).json()["id"]
    back = who["ada"].post(f"/v1/engagements/{key}/messages", json={"text": "내일 갑니다"}).json()["id"]
    house = who["op"].post("/v1/factories/hana/messages", json={"text": "지원사업 안내"}).json()["id"]
    sees = {
        name: {row["id"] for row in who[name].get("/v1/rows/message").json()["rows"]}
        for name in ("hana", "mina", "ada", "op", "bori", "duri", "moon")
    }
    everything = {to_mentor, about, back, house}
    assert sees == {
        "hana": everything, "mina": everything, "ada": {about, back}, "op": {house}, "bori": set(), "duri": set(),
        "moon": set(),
    }  # fmt: skip
    reads = {
        to_mentor: {"mina"}, about: {"ada"}, back: {"hana", "mina"}, house: {"hana", "mina"},
    }  # fmt: skip
    for message, readers in reads.items():
        for name, seen in sees.items():
            status = who[name].post(f"/v1/messages/{message}/read").status_code
            wanted = 200 if name in readers else 403 if message in seen else 404
            assert status == wanted, (message, name)
    assert who["bori"].post(f"/v1/engagements/{key}/messages", json={"text": "x"}).status_code == 404
    assert who["ada"].post("/v1/factories/hana/messages", json={"text": "x"}).status_code == 404
    told = {
        name: [row["kind"] for row in who[name].get("/v1/rows/notification").json()["rows"]].count("message")
        for name in ("hana", "mina", "ada", "bori")
    }
    assert told == {"hana": 3, "mina": 3, "ada": 1, "bori": 0}, "who writes is not told"
    monkeypatch.setattr("techsquare.services.messages.A_DAY", 2)
    assert who["ada"].post(f"/v1/engagements/{key}/messages", json={"text": "2"}).status_code == 201
    refused = who["ada"].post(f"/v1/engagements/{key}/messages", json={"text": "3"})
    assert (refused.status_code, refused.json()["code"]) == (429, "messages_used")


def test_the_ledger_says_what_a_diagnosis_cost_and_who_pays(stand: Stand) -> None:
    story = Story(stand)
    op, hana, duri, ada = (story.who[name] for name in ("op", "hana", "duri", "ada"))
    written(
        stand,
        t.Funding(
            id="fund", title_ko="지원", title_en="aid", share=0.5, cap=6_000_000,
            opens=day_of(stand.now()), closes=day_of(stand.now()), upfront=0.3, eligible={}, source="x",
        ),
    )  # fmt: skip

    def cost(**form: Any) -> list[dict[str, Any]]:
        answer = op.post("/v1/factories/hana/costs", json={"on": "2026-10-01", **form})
        assert answer.status_code == 201, answer.text
        return [one["row"] | {"id": one["id"]} for one in answer.json()]

    untold = cost(kind="visit")[0]["id"]
    assert hana.get("/v1/factories/hana/ledger").json()["said"]["untold"] == 1
    (line,) = cost(kind="visit", won=400_000, instead=untold)
    assert (line["payer"], line["won"]) == ("sponsor", 400_000)
    again = op.post(
        "/v1/factories/hana/costs", json={"on": "2026-10-01", "kind": "visit", "won": 1, "instead": line["id"]}
    )
    assert again.json()["code"] == "decided"
    cost(kind="diagnosis", won=1_600_000)
    first = cost(kind="measure", won=10_000_000, programme="fund", sponsor=0.2)
    assert {one["payer"]: one["won"] for one in first} == {
        "programme": 5_000_000, "sponsor": 1_000_000, "factory": 4_000_000,
    }  # fmt: skip
    second = cost(kind="measure", won=10_000_000, programme="fund")
    assert {one["payer"]: one["won"] for one in second} == {"programme": 1_000_000, "factory": 9_000_000}
    more = {"on": "2026-10-01", "kind": "measure", "won": 5, "eligible": 6, "programme": "fund"}
    assert op.post("/v1/factories/hana/costs", json=more).json()["code"] == "incomplete"
    said = hana.get("/v1/factories/hana/ledger").json()["said"]
    assert (said["total"], said["diagnosis"], said["a_diagnosis"]) == (22_000_000, 2_000_000, 2_000_000)
    assert said["by_payer"] == {"factory": 13_000_000, "programme": 6_000_000, "sponsor": 3_000_000}
    assert op.get("/v1/ledger").json()["said"] == said
    assert op.get("/v1/ledger?since=2026-11-01").json()["said"]["total"] == 0
    statuses: list[tuple[Callable[..., httpx.Response], str, int]] = [
        (duri.get, "/v1/factories/hana/ledger", 404), (ada.get, "/v1/factories/hana/ledger", 404),
        (hana.get, "/v1/ledger", 403), (ada.get, "/v1/ledger", 403), (hana.get, "/v1/mentoring/proposal", 403),
    ]  # fmt: skip
    for get, path, status in statuses:
        assert get(path).status_code == status, path
