"""What becomes of a verdict later counts: an objection that was upheld, a gain that has decayed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from techsquare.registry import tables as t
from techsquare.registry.audit import Actor
from techsquare.registry.ids import new_id
from techsquare.registry.policy import Reader
from techsquare.registry.store import add
from techsquare.services import lists, nights
from techsquare.services.days import DAY_NS, day_of, quarter
from techsquare.services.outcomes import counted
from techsquare.services.rights import Caller
from tests.techsquare.market.conftest import NOW
from tests.techsquare.market.rows import DAY, put
from tests.techsquare.market.test_nights import live

if TYPE_CHECKING:
    from techsquare.registry.store import Registry
    from tests.techsquare.matching.market import Market

ME = Actor("test")


def test_objections_and_decay_take_back_what_was_counted(registry: Registry, told: Market) -> None:
    put(registry, told, NOW)
    key, before = max(told.counts.items(), key=lambda one: one[1].improved)
    assert before.improved >= 3

    def work(session: Any) -> None:
        rows = session.scalars(
            select(t.Outcome)
            .join(t.MeasurementPlan, t.MeasurementPlan.id == t.Outcome.plan_id)
            .join(t.Engagement, t.Engagement.id == t.MeasurementPlan.engagement_id)
            .where(t.Engagement.supplier_id == key[0], t.Engagement.measure_id == key[1])
            .order_by(t.Outcome.id)
        ).all()
        good = [row for row in rows if row.word == "improved"]
        bad = next(row for row in rows if row.word != "improved")
        good[0].decayed_on = DAY
        said: dict[str, Any] = {"party_id": key[0], "at": 5, "text": "x", "decided_at": 7}
        add(
            session,
            t.Objection(id=new_id(), outcome_id=good[1].id, decision="upheld", **said),
            t.Objection(id=new_id(), outcome_id=good[2].id, decision="rejected", **said),
            t.Outcome(
                id=new_id(), plan_id=bad.plan_id, look=2, on_date=DAY, word="worse", estimate=0.0, low=0.0,
                high=0.0, body={}, at=3,
            ),
        )  # fmt: skip

    registry.decide(work, ME)
    with registry.reading() as session:
        after, then = counted(session)[key], counted(session, 6)[key]
        first = counted(session, 2)[key]
    silent = before.cannot_tell + before.cause_not_shown
    assert after.improved == before.improved - 2
    assert len(after.gains) == after.improved
    assert after.decided + after.cannot_tell + after.cause_not_shown == before.decided + silent
    assert then.improved == before.improved - 1  # the objection was not decided yet
    assert first.improved == before.improved - 1
    assert then.decided >= first.decided  # a second look takes the first one's place


def test_a_line_is_explained_with_the_figures_that_were_stored(registry: Registry, told: Market) -> None:
    known = put(registry, told, NOW)
    nights.every(registry, known, NOW, lambda _: None, ME)
    offers = live(registry)
    for row in (next(one for one in offers if one.slot == slot) for slot in (1, 2)):
        owner = Caller(Reader("u", frozenset({("owner", row.factory_id)})), NOW + DAY_NS)
        with registry.reading() as session:
            said = lists.explained(session, owner, known, row.id)
        assert said["same"] is True
        assert said["worth"]["q10"] == pytest.approx(row.q10)
        assert sum(said["worth"]["terms"].values()) == pytest.approx(row.mean)
        assert said["record"]["mean"] == row.reasons["record"]["mean"]
        assert len(said["passed"]) == 13
        assert (said["cheaper_by"] is None) == (row.slot == 1)
    slot = (row.supplier_id, quarter(day_of(NOW)))
    registry.decide(lambda s: setattr(s.get_one(t.Slot, slot), "declared", 0), ME)
    with registry.reading() as session:
        said = lists.explained(session, owner, known, row.id)
    assert said == {"offer": row.id, "same": False, "failed": ["capacity"]}
