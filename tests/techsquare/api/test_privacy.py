"""The notice before anything is taken in; retention at night; deletion of what came under a scope; public bands."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from techsquare.intake.intake import Intake
from techsquare.privacy.bands import TOPS
from techsquare.registry import tables as t
from techsquare.registry.store import add
from techsquare.services import leaving, notice, roadmap
from techsquare.services.days import DAY_NS, day_of
from tests.techsquare.api.story import Story
from tests.techsquare.intake.made import ALL, Made
from tests.techsquare.registry.test_store import ME

if TYPE_CHECKING:
    from techsquare.registry.store import Registry
    from tests.techsquare.api.stand import Stand


def count(registry: Registry, model: Any) -> int:
    with registry.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def unnoticed(stand: Stand) -> Story:
    """Let nobody have recorded a notice."""
    story = Story(stand)

    def work(session: Any) -> None:
        row = session.get_one(t.Factory, "hana")
        row.notice_at = row.notice_scopes = row.notice_hash = None

    stand.registry.decide(work, ME)
    return story


def test_nothing_is_taken_in_before_the_notice_nor_beyond_it(stand: Stand) -> None:
    story = unnoticed(stand)
    hana, mina, duri, ada, op = (story.who[name] for name in ("hana", "mina", "duri", "ada", "op"))
    assert op.put("/v1/factories/hana/mentor", json={"mentor_id": "mina"}).status_code == 200
    made = Made("hana", made_at=stand.now() - DAY_NS)
    intake = Intake(stand.registry, stand.now)
    assert [one.fate for one in intake.take([made.manifest()])] == ["stored"], "the contract lets it say who it is"
    days = made.sign(3)
    assert [one.fate for one in intake.take(days)] == ["no_consent"] * 3
    assert count(stand.registry, t.DayRecord) == 0
    assert notice.night(stand.registry, stand.catalogue, stand.now()) == {"asked": 1}
    assert notice.night(stand.registry, stand.catalogue, stand.now() + DAY_NS) == {"asked": 0}
    asked = [row["kind"] for row in hana.get("/v1/rows/task?where=state=open").json()["rows"]]
    assert asked.count("notice") == 2  # owner, and mentor with him
    path = "/v1/factories/hana/notice"
    said = hana.get(path, params={"contact": "총무부"}).json()["said"]
    assert (said["refused"], said["recorded"], said["scopes"]) == ("no_notice", None, sorted(ALL))
    assert said["machines"] == ["설비 0", "설비 1", "설비 2"]
    assert said["ko"][0].startswith("하나정밀 임직원께")
    assert said["en"][0].startswith("To everybody who works at 하나정밀")
    assert any("총무부" in line for line in said["ko"])
    assert hana.get(path, params={"contact": " "}).status_code == 422
    for who in (duri, ada, op):
        assert who.get(path, params={"contact": "x"}).status_code == 404
        assert who.post(path, json={"contact": "x"}).status_code == 404
    assert mina.get(path, params={"contact": "총무부"}).json()["said"]["hash"] == said["hash"]
    assert mina.post(path, json={"contact": "총무부"}).json()["code"] == "wrong_role"
    today = day_of(stand.now())
    tomorrow = {"contact": "총무부", "on": str(today + timedelta(days=1))}
    assert hana.post(path, json=tomorrow).json()["code"] == "too_early"
    fewer = hana.post(path, json={"contact": "총무부", "scopes": ["levels", "indicators"]}).json()["row"]
    assert fewer["notice_scopes"] == ["indicators", "levels"]
    assert [one.fate for one in intake.take(days)] == ["no_consent"] * 3, "days are not named in it"
    assert hana.get(path, params={"contact": "총무부"}).json()["said"]["refused"] == "other_scopes"
    whole = hana.post(path, json={"contact": "총무부"}).json()["row"]
    assert (whole["notice_hash"], whole["notice_scopes"]) == (said["hash"], sorted(ALL))
    assert whole["notice_body"]["contact"] == "총무부"
    again = hana.get(path, params={"contact": "총무부"}).json()["said"]
    assert (again["refused"], again["recorded"]) == (None, {"on": str(today), "scopes": sorted(ALL)})
    assert [one.fate for one in intake.take(days)] == ["stored"] * 3
    assert not [r for r in hana.get("/v1/rows/task?where=state=open").json()["rows"] if r["kind"] == "notice"]


def test_what_is_too_old_goes_at_night(stand: Stand) -> None:
    story = Story(stand)
    hana = story.who["hana"]
    old, new = stand.now() - 400 * DAY_NS, stand.now() - DAY_NS

    def work(session: Any) -> None:
        user = session.scalars(select(t.User.id).where(t.User.email == "hana@example.kr")).one()
        for at in (old, new):
            add(session, t.Notification(user_id=user, kind="x", body={}, created_at=at))

    stand.registry.decide(work, ME)
    assert leaving.night(stand.registry, stand.catalogue, stand.now()) == {"notification": 1}
    assert [row["created_at"] for row in hana.get("/v1/rows/notification").json()["rows"]] == [new]
    kept = hana.get("/v1/retention").json()
    assert len(kept) == 12
    assert "5 years" in kept[0]


def test_a_scope_is_deleted_by_its_owner_and_the_others_stay(stand: Stand) -> None:
    story = Story(stand)
    hana, duri, mina = (story.who[name] for name in ("hana", "duri", "mina"))
    assert hana.put("/v1/factories/hana/mentor", json={"mentor_id": "mina"}).status_code == 200
    story.planned()
    intake = Intake(stand.registry, stand.now)
    made = Made("hana", made_at=stand.now() - DAY_NS)
    intake.take([made.manifest(), *made.sign(3)])
    assert count(stand.registry, t.DayRecord) == 3
    path = "/v1/factories/hana/end-scopes"
    days = {"scopes": ["days", "machines"], "confirm": "hana"}
    assert hana.post(path, json=days).json()["code"] == "consent_first"
    assert hana.post(path, json={**days, "confirm": "x"}).json()["code"] == "not_confirmed"
    for who in (duri, mina):
        assert who.post(path, json=days).status_code == 404
    entry = hana.post(path, json={"scopes": ["entry"], "confirm": "hana"})
    assert entry.json()["said"]["deleted"] == {"budget": 1}
    assert count(stand.registry, t.Roadmap) == 1
    assert count(stand.registry, t.DayRecord) == 3
    taken = hana.post("/v1/factories/hana/consents", json={"agent_id": "edge-1", "scopes": ["levels"]})
    assert taken.status_code == 201, taken.text
    assert taken.json()["row"]["deleted"]["day_record"] == 3
    assert hana.post(path, json=days).json()["said"]["deleted"] == {}
    advice = hana.post(path, json={"scopes": ["advice"], "confirm": "hana"}).json()["said"]["deleted"]
    assert advice["roadmap"] == 1
    lines = [json.loads(line) for line in hana.get("/v1/parties/hana/export").text.splitlines()]
    assert {"budget", "roadmap", "day_record"}.isdisjoint({line["table"] for line in lines})
    assert {"factory", "machine", "consent", "assignment"} <= {line["table"] for line in lines}


@pytest.mark.parametrize("won", [0, 1, 5_000_000, 5_000_001, 299_999_999.5, 10**9, 10**9 + 1, 10**14])
def test_what_a_factory_can_pay_is_told_by_its_public_band_only(won: float) -> None:
    top = roadmap.band(won)
    assert top in {*TOPS, 10**12}
    assert top >= min(won, 10**12)
    assert [one for one in TOPS if one >= won][:1] == [top] or top == 10**12
