"""What agents make, handed in over HTTP: the same fates as by MQTT; enrolment; consent said in two places."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from contract.codec import encode
from techsquare.api.settings import Settings
from techsquare.intake.intake import Intake
from techsquare.registry import access
from techsquare.registry import tables as t
from techsquare.registry.audit import Actor
from tests.techsquare.api.stand import WIDE, Stand
from tests.techsquare.api.story import Story
from tests.techsquare.intake.made import START, Made
from tests.techsquare.intake.test_intake import report

if TYPE_CHECKING:
    import httpx

    from techsquare.catalogue.load import Catalogue
    from techsquare.intake.terms import Incoming
    from techsquare.registry.store import Registry


def hand(client: httpx.Client, *messages: Incoming) -> list[str]:
    found = []
    for message in messages:
        told = client.post("/v1/intake", content=message.payload, headers={"Content-Type": "application/json"})
        assert told.status_code == 200, told.text
        assert told.json()["kept"] == (told.json()["messages"][0]["fate"] in {"stored", "same", "older"})
        found.append(told.json()["messages"][0]["fate"])
    return found


def rows(stand: Stand, model: Any) -> int:
    with stand.registry.reading() as session:
        return len(session.query(model).all())


def tasks(client: httpx.Client, state: str = "open") -> list[str]:
    found = client.get("/v1/rows/task", params={"where": f"state={state}"}).json()["rows"]
    return sorted(row["kind"] for row in found)


def fork(made: Made) -> Incoming:
    """Return a signed record that continues another chain than its own."""
    other = replace(made, days=[], heads=[])
    return other.add(other.day(START + timedelta(len(made.heads)), len(made.heads) + 1, "0" * 64))


def test_by_http_becomes_of_it_what_would_by_mqtt(stand: Stand) -> None:
    story = Story(stand)
    owner, told = story.who["hana"], {}
    for factory in ("hana", "duri"):
        made = Made(factory)
        days = made.sign(4)
        bad = days[2]._replace(payload=days[2].payload.replace(b"2026", b"2025", 1))
        messages = [days[0], made.manifest(), *days[:2], bad, days[0], days[3], fork(made), days[2]]
        if factory == "hana":
            told[factory] = hand(owner, *messages)
        else:
            intake = Intake(stand.registry, stand.now)
            told[factory] = [intake.take([message])[0].fate for message in messages]
    assert told["hana"] == told["duri"]
    assert {"unknown", "stored", "same", "wrong", "forked"} <= set(told["hana"])
    with stand.registry.reading() as session:
        chains = [session.get_one(t.Agent, (name, "edge-1")).chain_number for name in ("hana", "duri")]
    assert chains == [4, 4]


def test_who_may_hand_in_for_whom(stand: Stand) -> None:
    story = Story(stand)
    made = Made("hana")
    made.sign(3)
    days, manifest = encode({"days": made.days}), made.manifest().payload
    strangers = [story.who["duri"], story.who["ada"], story.who["mina"]]
    for client in strangers:
        told = client.post("/v1/intake", content=manifest)
        assert (told.status_code, told.json()["code"]) == (404, "not_there")
    assert stand.client().post("/v1/intake", content=manifest).status_code == 401
    member = story.who["hana"].get("/v1/me").json()["roles"][0]["id"]
    reads = stand.client(stand.token(member, "read", "write"))
    assert reads.post("/v1/intake", content=manifest).json()["code"] == "scope"
    assert (rows(stand, t.Agent), rows(stand, t.DayRecord)) == (0, 0)
    own = stand.client(stand.token(member, "intake"))
    assert own.post("/v1/intake", content=manifest).json()["kept"]
    said = own.post("/v1/intake", content=days).json()
    assert (said["kept"], [one["fate"] for one in said["messages"]]) == (True, ["stored"] * 3)
    assert own.get("/v1/rows/day_record").status_code == 403  # it can hand in, and nothing else
    both = encode({"days": [*made.days, *(made2 := Made("duri")).days, *_signed(made2)]})
    assert own.post("/v1/intake", content=both).status_code == 404  # a body of two factories is of both


def _signed(made: Made) -> list[Any]:
    made.sign(1)
    return made.days


def test_what_is_no_message_is_a_problem(registry: Registry, catalogue: Catalogue) -> None:
    small = Settings(
        by_address=WIDE.by_address, by_token=WIDE.by_token, tries=WIDE.tries, body=50_000, handed=200_000
    )
    with Stand(registry, catalogue, small) as stand:
        owner = Story(stand).who["hana"]
        for raw in (b"", b"{}", b"[]", b'{"days":[{}]}', b"\xff", b'{"record":"x","signature":"x"}', b"null"):
            told = owner.post("/v1/intake", content=raw)
            assert (told.status_code, told.json()["code"]) == (422, "not_taken"), raw
            assert told.headers["content-type"] == "application/problem+json"
        kind = {"Content-Type": "text/csv"}
        assert owner.post("/v1/intake", content=b"a,b", headers=kind).status_code == 415
        made = Made("hana", machines=40)
        manifest = made.manifest().payload
        padded = manifest[:-1] + b',"later":"' + b"x" * 60_000 + b'"}'
        assert owner.post("/v1/intake", content=padded).status_code == 200  # wider than other routes
        assert owner.post("/v1/intake", content=b" " * 200_001).status_code == 413
        assert owner.post("/v1/login", content=b" " * 50_001).status_code == 413


def test_a_report_of_stored_data_needs_the_owners_word_once(stand: Stand) -> None:
    story = Story(stand)
    op = story.who["op"].get("/v1/me").json()["roles"][0]["party"]

    def join(session: Any) -> str:
        user = t.User(email="relay@x.kr", name="relay", language="ko", created_at=stand.now())
        session.add(user)
        session.flush()
        return access.join(session, user.id, op, "service", stand.now() - 1).id

    relay = stand.client(stand.token(stand.registry.decide(join, Actor("test")), "intake"))
    assessed = report(Made("hana", "assess"))
    assert hand(relay, assessed) == ["no_consent"]  # a program of the platform agrees for nobody
    owner = story.who["hana"]
    for scopes, fate in ((["levels"], "no_consent"), (["indicators", "levels", "machines"], "stored")):
        said = owner.post("/v1/factories/hana/consents", json={"agent_id": "assess", "scopes": scopes})
        assert (said.status_code, said.json()["row"]["holds"]) == (201, scopes)
        assert hand(relay, assessed) == [fate]
    assert hand(relay, assessed) == ["same"]
    assert hand(story.who["duri"], report(Made("duri", "assess"))) == ["stored"]  # by himself it is agreed to
    assert {row["agent_id"] for row in owner.get("/v1/rows/report").json()["rows"]} == {"assess"}


def test_where_consent_was_said_twice_the_stricter_holds(stand: Stand) -> None:
    story = Story(stand)
    owner, made = story.who["hana"], Made("hana", scopes=("levels", "days", "machines"))
    days = made.sign(3)
    assert hand(owner, made.manifest(), days[0]) == ["stored"] * 2

    def says(*scopes: str, until: str | None = None) -> list[str]:
        body = {"agent_id": "edge-1", "scopes": list(scopes), "until": until}
        told = owner.post("/v1/factories/hana/consents", json=body)
        assert told.status_code == 201, told.text
        found: list[str] = told.json()["row"]["holds"]
        return found

    assert says("levels") == ["levels"]  # taken back here: at once, and what was there goes
    assert (rows(stand, t.DayRecord), rows(stand, t.MetricDay)) == (0, 0)
    assert hand(owner, days[1], made.manifest(), days[1]) == ["no_consent", "stored", "no_consent"]
    assert says("levels", "days", "machines", "indicators") == ["days", "levels", "machines"]
    assert hand(owner, *days) == ["stored"] * 3  # indicators are not given by the agent, so they do not hold
    assert says("levels", "days", "machines", until="2020-01-01") == []
    assert says("levels", "days", "machines") == ["days", "levels", "machines"]
    made.scopes, made.serial, made.since = ("levels",), 2, 2
    more = made.sign(1)
    assert hand(owner, made.manifest(), *more) == ["stored", "no_consent"]  # taken back at the box
    assert "consent_withdrawn" in tasks(owner)
    sources = {(r["source"], len(r["scopes"])) for r in owner.get("/v1/rows/consent").json()["rows"]}
    assert sources == {("manifest", 3), ("manifest", 1), ("platform", 1), ("platform", 4), ("platform", 3)}


def test_a_registered_key_is_nobodys_question_and_another_one_the_owners(stand: Stand) -> None:
    story = Story(stand)
    op, owner, made, new = story.who["op"], story.who["hana"], Made("hana"), Made("hana", seed="new box")
    body = {"agent_id": "edge-1", "public_key": made.public}
    path, answer = "/v1/factories/hana/agents", "/v1/factories/hana/agents/edge-1/key"
    told = op.post(path, json=body)
    assert told.status_code == 201, told.text
    assert op.post(path, json=body).status_code == 201
    assert op.post(path, json={**body, "public_key": "x"}).json()["code"] == "invalid"
    assert op.post(path, json={**body, "public_key": new.public}).json()["code"] == "key_pinned"
    assert story.who["duri"].post(path, json=body).status_code == 404
    days = made.sign(2)
    assert hand(owner, new.manifest(), made.manifest(), *days) == ["unpinned", *["stored"] * 3]
    assert tasks(owner) == ["key_changed"]
    shown = owner.get("/v1/rows/agent").json()["rows"][0]
    assert (shown["public_key"], shown["next_key"]) == (made.public, new.public)
    mine, not_mine = ({"public_key": new.public, "answer": word} for word in ("mine", "not_mine"))
    assert op.post(answer, json=mine).status_code == 404  # the operator does not know whose box it is
    assert owner.post(answer, json={**mine, "public_key": Made("x").public}).json()["code"] == "no_key"
    assert owner.post(answer, json=not_mine).json()["row"]["next_key"] is None
    assert (tasks(owner), owner.post(answer, json=mine).json()["code"]) == ([], "no_key")
    assert hand(owner, new.manifest()) == ["unpinned"]
    assert owner.post(answer, json=mine).json()["row"]["public_key"] == new.public
    assert hand(owner, new.manifest(), made.manifest()) == ["stored", "unpinned"]


def test_what_a_stranger_has_signed_goes_when_the_owner_says_so(stand: Stand) -> None:
    story = Story(stand)
    owner, thief, made = story.who["hana"], Made("hana", seed="thief"), Made("hana")
    assert hand(owner, thief.manifest(), *thief.sign(2)) == ["stored"] * 3
    assert tasks(owner) == ["key_first"]
    answer = "/v1/factories/hana/agents/edge-1/key"
    assert owner.post(answer, json={"public_key": thief.public, "answer": "not_mine"}).status_code == 200
    assert (rows(stand, t.DayRecord), rows(stand, t.MetricDay)) == (0, 0)
    with stand.registry.reading() as session:
        erased = session.scalars(select(t.Audit).where(t.Audit.action == "erase")).all()
    assert {(one.table_name, one.factory_id) for one in erased} == {("day_record", "hana"), ("metric_day", "hana")}
    days = made.sign(2)
    assert hand(owner, thief.manifest(), made.manifest(), days[0]) == ["unpinned", "unpinned", "unpinned"]
    assert owner.post(answer, json={"public_key": made.public, "answer": "mine"}).status_code == 200
    assert hand(owner, made.manifest(), *days) == ["stored"] * 3
    confirmed = {"public_key": made.public, "answer": "mine"}
    assert owner.post(answer, json=confirmed).status_code == 200  # said twice is said once
