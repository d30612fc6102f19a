"""What is told: to whom it concerns and to nobody else, in his language, once, and as a task with a date."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, get_args

from sqlalchemy import select

from settings.language import Text
from techsquare.mentoring import events, notifications
from techsquare.mentoring.terms import Kind
from techsquare.registry import tables as t
from techsquare.services.days import DAY_NS
from techsquare.services.telling import About, end_of, over, tell
from tests.techsquare.registry.agreement import filled
from tests.techsquare.registry.test_store import ME
from tests.techsquare.registry.world import NOW

if TYPE_CHECKING:
    from techsquare.registry.store import Registry

LATER = NOW + DAY_NS


def project(session: object) -> t.Engagement:
    found: t.Engagement = session.scalars(  # type: ignore[attr-defined]
        select(t.Engagement).where(t.Engagement.factory_id == "alpha", t.Engagement.supplier_id == "ada")
    ).first()
    return found


def told(registry: Registry, kind: str) -> dict[str, dict[str, str]]:
    with registry.reading() as session:
        rows = session.scalars(select(t.Notification).where(t.Notification.kind == kind)).all()
    found = {row.user_id: row.body for row in rows}
    assert len(found) == len(rows), "nobody is told twice"
    return found


def test_the_people_of_a_project_are_told_once_each_in_his_language(registry: Registry) -> None:
    filled(registry, 1)

    def english(session: object) -> None:
        session.get_one(t.User, "u-mina").language = "en"  # type: ignore[attr-defined]

    registry.decide(english, ME)
    new = [
        registry.decide(lambda s, at=at: tell(s, "alpha", "ticket", project(s), at), ME)  # type: ignore[misc]
        for at in (NOW, LATER)
    ]
    # owner, mentor, two people of the supplier; tasks of mentor and supplier
    assert new == [6, 0]
    found = told(registry, "ticket")
    assert set(found) == {"u-alpha", "u-mina", "u-ada", "u-both"}
    assert found["u-alpha"]["title"] == "유지보수 접수"
    assert found["u-mina"]["title"] == "Something does not work"
    assert "ALPHA" in found["u-mina"]["text"]
    assert "meter" in found["u-mina"]["text"]
    for user in ("u-ada", "u-both"):
        assert "ALPHA" not in str(found[user])
        assert "alpha" not in str(found[user])
        assert "측정" in found[user]["text"]
    with registry.reading() as session:
        tasks = session.scalars(select(t.Task).where(t.Task.kind == "ticket").order_by(t.Task.party_id)).all()
    assert [task.party_id for task in tasks] == ["ada", "mina"]
    assert all(task.factory_id == "alpha" and task.due is not None and task.due > NOW for task in tasks)
    assert registry.decide(lambda s: over(s, "alpha", "ticket", project(s), LATER), ME) == 2
    assert registry.decide(lambda s: over(s, "alpha", "ticket", project(s), LATER), ME) == 0
    assert registry.decide(lambda s: tell(s, "alpha", "ticket", project(s), LATER), ME) == 0, "it was told"


def test_a_supplier_is_told_nothing_of_what_is_the_factorys(registry: Registry) -> None:
    filled(registry, 1)
    for kind in ("silence", "disagreement", "stale", "bankruptcy", "diagnosis", "fit", "care"):
        registry.decide(lambda s, kind=kind: tell(s, "alpha", kind, project(s), NOW), ME)  # type: ignore[misc]
        assert set(told(registry, kind)) == {"u-alpha", "u-mina"}, kind


def test_a_thing_that_begins_again_is_told_again(registry: Registry) -> None:
    filled(registry, 1)

    def silent(session: object, since: int, at: int) -> int:
        agent = session.get_one(t.Agent, ("alpha", "edge-1"))  # type: ignore[attr-defined]
        agent.silent_since = since
        return tell(session, "alpha", "silence", agent, at)  # type: ignore[arg-type]

    new = [
        registry.decide(lambda s, a=a, b=b: silent(s, a, b), ME)  # type: ignore[misc]
        for a, b in ((NOW, NOW), (NOW, LATER), (LATER, LATER))
    ]
    assert new == [3, 0, 3]  # owner, mentor and his task


def test_without_a_mentor_the_operators_house_has_the_task_and_a_last_day_holds(registry: Registry) -> None:
    filled(registry, 1)

    def alone(session: object) -> int:
        for row in session.scalars(select(t.Assignment).where(t.Assignment.until.is_(None))):  # type: ignore[attr-defined]
            row.until = NOW
        session.flush()  # type: ignore[attr-defined]
        about = About("x", "1", Text("press", "프레스"), by=date(2026, 9, 22))
        return tell(session, "beta", "verdict", about, NOW)  # type: ignore[arg-type]

    assert registry.decide(alone, ME) == 3  # two owners of beta, and a task
    with registry.reading() as session:
        task = session.scalars(select(t.Task).where(t.Task.kind == "verdict")).one()
    assert (task.party_id, task.due) == ("house", end_of(date(2026, 9, 22)))


def test_an_owner_is_told_the_day_that_his_mentor_has(registry: Registry) -> None:
    filled(registry, 1)
    for kind in ("bankruptcy", "takeover"):
        registry.decide(lambda s, kind=kind: tell(s, "alpha", kind, project(s), NOW), ME)  # type: ignore[misc]
        found = told(registry, kind)
        with registry.reading() as session:
            tasks = session.scalars(select(t.Task).where(t.Task.kind == kind, t.Task.party_id == "mina")).all()
        days = {body["due"] for user, body in found.items() if user in {"u-alpha", "u-mina"}}
        assert [end_of(date.fromisoformat(day)) for day in days] == [task.due for task in tasks]
        assert days.pop() in found["u-alpha"]["text"]


def test_every_text_can_be_filled_and_a_suppliers_names_no_factory() -> None:
    assert not set(events.EVENTS) & set(get_args(Kind))
    assert set(events.TITLES) == set(events.EVENTS) == {kind for kind, _ in events.TEXTS}
    assert set(events.DAYS) <= set(events.TEXTS)
    texts = [*notifications.TEXTS.items(), *events.TEXTS.items()]
    for (kind, reader), text in texts:
        for language in (text.ko, text.en):
            said = language.format(factory="<F>", subject="<S>", on="<O>", due="<D>")
            assert ("<F>" in said) == (reader == "mentor"), (kind, reader)
            if reader != "owner" and kind in events.EVENTS:
                assert ("<D>" in said) <= ((kind, reader) in events.DAYS), (kind, reader)
