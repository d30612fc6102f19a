"""Random events on projects: what the rows hold is what the pure engine says, on any way, on both databases.

The model knows what it has put into rows (contract, plan, drill, outcome, takeover, closing) and nothing of how
services read it; it says by the engine alone what each event does, and everything that a refused one lacks.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from techsquare.matching.continuity import Accounts
from techsquare.mentoring import engagement as engine
from techsquare.mentoring.calendar import UNTOLD
from techsquare.registry import tables as t
from techsquare.registry.audit import Actor
from techsquare.registry.ids import new_id
from techsquare.registry.policy import Reader
from techsquare.registry.store import add
from techsquare.services import accounts, contracts, lives, offers, projects, takeovers
from techsquare.services.days import DAY_NS, day_of, quarter
from techsquare.services.refused import RefusedError
from techsquare.services.rights import Caller
from tests.techsquare.registry.agreement import filled
from tests.techsquare.registry.world import NOW

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from techsquare.registry.store import Registry

KEEPS = ("store", "tags", "interface", "export")
STEPS = 40
PEOPLE = {"owner": "owner", "mentor": "mentor", "supplier": "supplier", "operator": "operator"}


class Model:
    """A project, and beside its rows what they should be. `now` grows by some days at each step."""

    def __init__(self, registry: Registry, rng: random.Random) -> None:
        self.registry, self.rng, self.now = registry, rng, NOW + 400 * DAY_NS
        self.supplier = "ada"
        self.facts = engine.Facts(conditions=frozenset({"contract"}), parting="unwanted", objecting_over=True)
        self.plan: str | None = None
        self.seen: set[Any] = set()
        offer = self._offer()
        self.do(lambda s: offers.answer(s, self.caller("owner"), offer, "wanted", contact=True))
        self.life = engine.Life("chosen", self.today, self.today)
        with registry.reading() as session:
            self.key = session.query(t.Engagement.id).filter(t.Engagement.offer_id == offer).scalar()
        self.do(lambda s: projects.take(s, self.caller("supplier"), offer))

    @property
    def today(self) -> date:
        return day_of(self.now)

    def do(self, work: Any) -> Any:
        return self.registry.decide(work, Actor("test"))

    def caller(self, role: Any) -> Caller:
        party = {"owner": "alpha", "mentor": "mina", "supplier": self.supplier, "operator": "house"}[role]
        return Caller(Reader(f"u-{party}", frozenset({(role, party)})), self.now)

    def _offer(self) -> str:
        with self.registry.reading() as session:
            plan = session.query(t.Roadmap).filter(t.Roadmap.factory_id == "alpha").first()
        assert plan is not None
        item = t.RoadmapItem(
            id=new_id(), roadmap_id=plan.id, factory_id="alpha", measure_id="m-0", machine_id=new_id(), phase=0,
            solid=True, depends=[], state="offered", most_won=1,
        )  # fmt: skip
        row = t.Offer(
            id=new_id(), item_id=item.id, factory_id="alpha", version_id="v-ada", supplier_id="ada",
            measure_id="m-0", slot=1, shown_by="merit", cost=1.0, q10=1.0, mean=1.0, q90=1.0, terms={}, reasons={},
            shown_at=self.now,
        )  # fmt: skip
        self.do(lambda s: add(s, item, row))
        self._slots()
        return row.id

    def _slots(self) -> None:
        name = quarter(self.today)

        def work(session: Any) -> None:
            for one in ("ada", "bori", "choi"):
                if session.get(t.Slot, (one, name)) is None:
                    add(session, t.Slot(supplier_id=one, quarter=name, declared=99, used=0))

        self.do(work)

    # What is put into rows, each of which changes what is known

    def change(self) -> None:
        """Put something into the rows."""
        if self.life.state == "measuring" and self.rng.random() < 0.4:
            self._outcome()
            return
        getattr(self, f"_{self.rng.choice(('contract', 'none', 'frozen', 'drill', 'outcome', 'object', 'ask'))}")()

    def _contract(self) -> None:
        kept = self.rng.random() < 0.7
        agreed: Any = frozenset(
            {"tags", "interface", "export", *({"escrow_deposited"} if kept else ())}
        )  # fmt: skip
        form = {"won": 1, "agreed": agreed, "second": frozenset(), "funding": None}
        try:
            self.do(lambda s: contracts.draft(s, self.caller("supplier"), self.key, **form))
        except RefusedError:
            assert self.life.state != "chosen"
            return
        assert self.life.state == "chosen"
        # the world's deposits of v-ada are there, so the condition is met with and without the line
        self.facts = replace(self.facts, conditions=frozenset())

    def _none(self) -> None:
        try:
            self.do(lambda s: projects.unmeasured(s, self.caller("owner"), self.key))
        except RefusedError:
            assert self.life.state not in {"chosen", "contracted", "installing", "commissioning"}
            return
        if self.facts.plan is None:
            self.facts = replace(self.facts, plan="none")

    def _frozen(self) -> None:
        if self.plan is not None or self.rng.random() < 0.5:
            return
        day = self.today
        row = t.MeasurementPlan(
            id=new_id(), engagement_id=self.key, metric="A01", applied_on=day, baseline_from=day,
            baseline_to=day + timedelta(days=5), verdict_on=day + timedelta(days=9),
            extended_to=day + timedelta(days=9), least=0.1, body={"use": None}, owner_at=1, supplier_at=1,
            frozen_at=self.now, hash="h",
        )  # fmt: skip
        self.do(lambda s: add(s, row))
        self.plan, self.baseline_to = row.id, row.baseline_to
        self.facts = replace(self.facts, plan="frozen")

    def _drill(self) -> None:
        proved = [one for one in KEEPS if self.rng.random() < 0.9]
        try:
            self.do(lambda s: projects.drilled(s, self.caller("mentor"), self.key, proved, None))
        except RefusedError:
            with self.registry.reading() as session:
                assert session.get_one(t.Engagement, self.key).installed_on is None
            return
        self.facts = replace(self.facts, exit=len(proved) == 4)

    def _outcome(self) -> None:
        if self.plan is None or self.life.state != "measuring":
            return
        look, on, word = self.life.look + 1, self.today, self.rng.choice(("improved", "cannot_tell", "worse"))
        row = t.Outcome(id=new_id(), plan_id=self.plan, look=look, on_date=on, word=word, body={}, at=self.now)
        self.do(lambda s: add(s, row))
        self.told = (row.id, on)
        self.facts = replace(self.facts, verdict_on=on)
        self._came("tell", word=word, objecting_over=False, verdict_on=None)
        if word == "cannot_tell" and self.life.look == 1:
            self._came("extend", word="cannot_tell", objecting_over=False)

    def _object(self) -> None:
        if self.life.state != "verdict":
            return
        now, new = self.now, self.facts.objections == 0
        decided = None if new else "rejected"

        def work(session: Any) -> None:
            row = session.query(t.Objection).filter(t.Objection.outcome_id == self.told[0]).one_or_none()
            if row is None:
                row = t.Objection(id=new_id(), outcome_id=self.told[0], party_id="alpha", at=now, text="x")
                add(session, row)
            row.decision, row.decided_at = decided, now if decided else None

        self.do(work)
        self.facts = replace(self.facts, objections=int(new))

    def _ask(self) -> None:
        """Find a successor who agrees, where there is a takeover."""
        self._slots()
        with self.registry.reading() as session:
            takeover = takeovers.open_of(session, self.key)
            row = session.get_one(t.Engagement, self.key)
            others = [one.supplier for one in takeovers.candidates(session, row, self.now)] if takeover else []
        if takeover is None or takeover.state == "agreed" or not others:
            return
        self.do(lambda s: takeovers.offer(s, self.caller("owner"), takeover.id, others[0]))
        here = Caller(Reader("x", frozenset({("supplier", others[0])})), self.now)
        self.do(lambda s: takeovers.agree(s, here, takeover.id, None))
        self.next = others[0]
        self.facts = replace(self.facts, successor=True)

    # What the engine says

    def _came(self, event: Any, **known: Any) -> None:
        moved = engine.move(self.life, event, "service", self.today, self.facts, UNTOLD)
        assert not moved.refused, (event, moved.refused)
        self.life, self.facts = moved.life, replace(self.facts, **known)

    def expected(self, event: Any, by: Any, on: date) -> engine.Moved:
        """Return what the engine says of an event on a day."""
        baseline = self.plan is not None and self.baseline_to < on
        return engine.move(self.life, event, by, on, replace(self.facts, baseline=baseline), UNTOLD)

    def follow(self) -> None:
        """Let a night come, and by the engine what comes by itself."""
        if self.life.state == "verdict" and self.facts.objections == 0:
            if self.facts.word == "cannot_tell" and self.life.look == 1:
                self._came("extend")
            elif self.today > self.told[1] + timedelta(days=10):
                self.facts = replace(self.facts, objecting_over=True)
                self._came("settle")
        if self.life.state == "watching" and self.today >= self.life.since + timedelta(days=365):
            self._came("finish")
        self.do(lambda s: projects.follow(s, s.get_one(t.Engagement, self.key), self.now))

    def step(self) -> None:
        """Let days go by, something become known, a night come, and somebody say something."""
        self.now += self.rng.choice((0, 0, 1, 3, 8)) * DAY_NS
        self.change()
        self.follow()
        self.agrees()
        here: list[engine.Event]
        here = [one for one in ("sign", "begin", "deliver", "accept") if (self.life.state, one) in engine.MOVES]
        event: engine.Event = self.rng.choice(here if here and self.rng.random() < 0.6 else projects.BY_PEOPLE)
        if self.life.parted is not None and self.rng.random() < 0.4:
            self._ask()
            event = "take_over"
        if event in {"end", "refuse"} and self.rng.random() < 0.9:
            return
        by = self.rng.choice(sorted(engine.WHO[event] & set(PEOPLE))) if self.rng.random() < 0.7 else "mentor"
        on = self.today - timedelta(days=self.rng.choice((0, 0, 0, 4)))
        moved = self.expected(event, by, on)
        self.seen.add((event, tuple(moved.refused)))
        refused: RefusedError | None = None
        try:
            self.do(lambda s: projects.say(s, self.caller(by), self.key, event, on))
        except RefusedError as exc:
            refused = exc
        assert _lacking(refused) == tuple(moved.refused), (event, by)
        if refused is not None:
            assert (refused.code == "wrong_role") == (by not in engine.WHO[event] or "actor" in moved.refused)
        else:
            before, self.life = self.life, moved.life
            if event == "take_over":
                self.life = engine.resumed(before, on)
                self.supplier = self.next
                self.facts = replace(self.facts, successor=False)
        self.agrees()

    def agrees(self) -> None:
        """Look that the row is what the engine says, with its dates."""
        with self.registry.reading() as session:
            row = session.get_one(t.Engagement, self.key)
            assert lives.life_of(row) == self.life
            assert row.state == engine.STORED[self.life.state]
            assert row.supplier_id == self.supplier
            assert (row.ended_on is not None) == (self.life.state in engine.OVER)
            if self.life.state not in {"chosen", "ended"}:
                assert row.signed_on is not None
            opened = takeovers.open_of(session, self.key)
            assert (opened is not None) == (self.life.parted is not None and self.life.state not in engine.OVER)


def _unbound(session: Session) -> None:
    """Let the world's mentors be bound to no supplier, so that some may succeed others."""
    for mentor in session.scalars(select(t.Mentor)):
        mentor.related = None


def _lacking(refused: RefusedError | None) -> tuple[str, ...]:
    found: Any = [] if refused is None else refused.details["lacking"]
    return tuple(one["why"] for one in found)


STATES = {"chosen", "contracted", "installing", "commissioning", "measuring", "verdict", "watching", "ended"}
TAKEN = {"sign", "begin", "deliver", "accept", "part", "take_over"}
LACKING = {
    "state", "actor", "order", "supplier_gone", "not_gone", "conditions", "plan", "baseline", "exit", "successor",
}  # fmt: skip


def test_rows_and_engine_never_disagree(registry: Registry) -> None:
    filled(registry, 1)
    registry.decide(_unbound, Actor("test"))
    reached: set[str] = set()
    seen: set[Any] = set()
    for seed in range(12):
        model = Model(registry, random.Random(seed))
        for _ in range(STEPS):
            model.step()
            reached.add(model.life.state)
            if model.life.state in engine.OVER:
                break
        seen |= model.seen
        taken, lacking = {event for event, why in seen if not why}, {one for _, why in seen for one in why}
        if reached >= STATES and taken >= TAKEN and lacking >= LACKING:
            return
    raise AssertionError(f"never seen: {STATES - reached} {TAKEN - taken} {LACKING - lacking}")


@pytest.mark.parametrize("years", [2, 3])
def test_old_accounts_say_nothing(registry: Registry, years: int) -> None:
    filled(registry, 1)
    poor = Accounts(10, 50, 100, 120, -30, -10, -20)
    now = NOW + 400 * DAY_NS
    dara = Caller(Reader("u-dara", frozenset({("supplier", "dara")})), now)
    year = day_of(now).year - years
    registry.decide(lambda s: s.query(t.FiledAccount).delete() and None, Actor("test"))
    registry.decide(lambda s: accounts.file(s, dara, "dara", year, poor).id, Actor("test"))
    with registry.reading() as session:
        assert accounts.risk(session, "dara", day_of(now)) == ("distress" if years == 2 else "grey")
