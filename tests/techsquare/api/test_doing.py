"""What people say of what they were told: done, read; by whom it is, and only where it does not end by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from techsquare.registry import tables as t
from techsquare.registry.audit import Actor
from techsquare.services.telling import tell
from tests.techsquare.api.story import Story

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tests.techsquare.api.stand import Stand


def test_a_task_is_done_by_whose_it_is_and_a_notification_read_by_its_reader(stand: Stand) -> None:
    story = Story(stand)
    hana, mina, moon, duri, op = (story.who[name] for name in ("hana", "mina", "moon", "duri", "op"))
    assert op.put("/v1/factories/hana/mentor", json={"mentor_id": "mina"}).status_code == 200

    def told(session: Session) -> None:
        row = session.get_one(t.Factory, "hana")
        for kind in ("outcome", "silence"):
            tell(session, "hana", kind, row, stand.now())

    stand.registry.decide(told, Actor("test"))
    tasks = {row["kind"]: row for row in mina.get("/v1/rows/task?where=state=open").json()["rows"]}
    assert {"outcome", "silence"} <= set(tasks)
    outcome, silence = f"/v1/tasks/{tasks['outcome']['id']}/done", f"/v1/tasks/{tasks['silence']['id']}/done"
    for other, code in ((moon, "not_there"), (duri, "not_there"), (hana, "not_yours")):
        assert other.post(outcome, json={}).json()["code"] == code
    assert mina.post(silence, json={}).json()["code"] == "still_so"
    made = mina.post(outcome, json={"note": "전화로 설명함"}).json()["row"]
    assert (made["state"], made["note"]) == ("done", "전화로 설명함")
    assert mina.post(outcome, json={"note": "다시"}).json()["row"] == made, "it is done once"
    left = {row["kind"] for row in mina.get("/v1/rows/task?where=state=open").json()["rows"]}
    assert left == set(tasks) - {"outcome"}

    note = hana.get("/v1/rows/notification").json()["rows"][0]
    assert note["read_at"] is None
    path = f"/v1/notifications/{note['id']}/read"
    for other in (mina, duri, op):
        assert other.post(path).status_code == 404
    first = hana.post(path).json()["row"]["read_at"]
    stand.shift += 1_000_000_000
    assert hana.post(path).json()["row"]["read_at"] == first
