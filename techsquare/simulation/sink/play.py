"""Days of a programme in their order: who does what when, each by the service that he would use.

On the first day of a month, before anything else: suppliers close, slots of a new quarter are declared, factories
apply, mentors take who waits, all lists are made, owners choose. Everything else comes on a day of its own, and is
drawn by the name of what it is about, so that no order of drawing is part of the programme.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from techsquare.registry import tables as t
from techsquare.registry.ids import new_id
from techsquare.services import mentoring, night, people, rounds
from techsquare.services.days import quarter
from techsquare.services.refused import RefusedError
from techsquare.simulation.market import vendors
from techsquare.simulation.mentors import mentors
from techsquare.simulation.owners import plant
from techsquare.simulation.plants import World
from techsquare.simulation.programme import LEADS, REFUSES, TAKES, TIRES, applications
from techsquare.simulation.projects import BASELINE, drawn
from techsquare.simulation.seeds import generator
from techsquare.simulation.sink import boxes, house, past, project, says, talk
from techsquare.simulation.sink.clock import Clock
from techsquare.simulation.sink.days import Days
from techsquare.simulation.sink.desk import Desk
from techsquare.simulation.sink.life import SIGNS, Life

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from techsquare.registry.privacy import Role
    from techsquare.registry.store import Registry
    from techsquare.services.rights import Caller
    from techsquare.simulation.advice import Books
    from techsquare.simulation.sink.project import Project
    from techsquare.simulation.terms import Plant, Setting, Vendor

LOOKED = (28, 56)
"""Days from the application to the first measured diagnosis, and to the one that the roadmap rests on."""
ASKS = 0.6
"""Of factories that want a roadmap; to the others the diagnosis was enough. A plan is the dearest thing here."""
COUNTS = 0.5
"""Of factories without an agent that count by hand; the first one always does."""
ROUNDS = 6
"""Months from one round to the next."""


class Filled(NamedTuple):
    """What has been played."""

    plants: Sequence[Plant]
    market: Sequence[Vendor]
    desk: Desk
    projects: Sequence[Project]
    mentors: Mapping[str, str]  # factory -> mentor of now
    counts: Mapping[str, int]


def play(registry: Registry, books: Books, setting: Setting, tell: Callable[[int], None] | None = None) -> Filled:
    """Fill an empty registry with a programme, up to the day before its last month ends.

    Args:
        registry: Of our version, and empty.
        books: Catalogue and questions.
        setting: What is set.
        tell: Called with each month's number when it begins.
    """
    clock = Clock(setting.begins)
    bits = random.Random(f"ids {setting.seed}").getrandbits  # noqa: S311 - no secret: ids are to be made again
    with new_id.made_again(clock.still, bits):
        return Play(Desk(registry, books, clock), setting, tell).run()


class Play:
    """A programme under way.

    Args:
        desk: Who acts.
        setting: What is set.
        tell: Called with each month's number when it begins.
    """

    def __init__(self, desk: Desk, setting: Setting, tell: Callable[[int], None] | None) -> None:
        self.desk, self.setting, self._tell = desk, setting, tell
        entries = desk.books.catalogue.entries
        self.entries = {entry.id: entry for entry in entries}
        self.market = vendors(setting, entries)
        self.vendors = {vendor.supplier.id: vendor for vendor in self.market}
        self.plants = [_told(plant(setting, number)) for number in range(setting.factories)]
        self.by_id = {one.id: one for one in self.plants}
        self.world = World(setting, self.plants)
        self.mentors = mentors(setting, len(self.market))
        self.mentor: dict[str, str] = {}
        self.applied: dict[str, date] = {}
        self.ready: set[str] = set()
        self.free: dict[str, date] = {}
        self.used: dict[str, tuple[date, bool]] = {}
        self.running: dict[str, Project] = {}
        self.left: set[str] = set()
        self.tired: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.projects: list[Project] = []
        self.closed: set[str] = set()
        self.counts: Counter[str] = Counter()
        self._events: list[tuple[date, int, Callable[[], None]]] = []
        self._serial = 0
        self._products: dict[str, tuple[Vendor, int]] = {}
        self._life = Life(self)

    def run(self) -> Filled:
        """Play all days."""
        setting, desk = self.setting, self.desk
        versions = house.opened(desk, setting, self.plants, self.market, self.mentors)
        past.written(desk, setting, self.market, versions)
        self._products = {
            versions[one.solution.id]: (vendor, at)
            for vendor in self.market
            for at, one in enumerate(vendor.products)
        }
        self.days = Days(desk.registry, self.world, setting.begins - timedelta(days=BASELINE), self.used)
        for month, numbers in sorted(applications(setting, self.plants).items()):
            for number in numbers:
                self.at(setting.month(month), lambda n=number: self._apply(self.plants[n]))  # type: ignore[misc]
        for month in range(setting.months):
            self.at(setting.month(month), lambda m=month: self._month(m))  # type: ignore[misc]
        end = setting.month(setting.months)
        while self._events and self._events[0][0] < end:
            day, _, what = heapq.heappop(self._events)
            desk.clock.set(day)
            what()
        desk.clock.set(end - timedelta(days=1), 18)
        self.days.until(end)
        self.counts["machine_days"] = self.days.stored
        self._night()
        return Filled(self.plants, self.market, desk, self.projects, self.mentor, dict(sorted(self.counts.items())))

    def at(self, day: date, what: Callable[[], None]) -> None:
        """Do something on a day, after what has been planned for it before."""
        self._serial += 1
        heapq.heappush(self._events, (max(day, self.desk.clock.day), self._serial, what))

    def draw(self, *names: str | int) -> float:
        """Return the number between 0 and 1 of a thing."""
        return float(generator(self.setting.seed, "play", *names).random())

    def _month(self, number: int) -> None:
        if self._tell is not None:
            self._tell(number)
        today = self.setting.month(number)
        self._close(number)
        if number == 0 or quarter(today) != quarter(self.setting.month(number - 1)):
            house.offer_places(self.desk, [v for v in self.market if v.supplier.id not in self.closed], today)
        self._assign()
        self.days.until(today)
        self._night()
        self._match()
        self._round(number, today)

    def _night(self) -> None:
        """Let the platform do what it does by itself, once a month in place of every night."""
        boxes.heard(self.desk, [one for one in self.plants if one.wired])
        done = night.run(self.desk.registry, self.desk.books.catalogue, self.desk.clock.now(), lambda _: None)
        assert "failed" not in done.values(), done
        self.counts["fit tests"] += boxes.tested(self.desk, self.setting.seed)

    def _close(self, month: int) -> None:
        due = {name for name, one in self.vendors.items() if one.closes is not None and one.closes <= month}
        if month == self.setting.months * 2 // 3:
            # Whatever was drawn: of the suppliers with something that stands, the one in the worst state closes.
            due |= self._life.weakest()
        for name in sorted(due - self.closed):
            self.closed.add(name)
            self._life.bankrupt(name)

    def _apply(self, one: Plant) -> None:
        today = self.desk.clock.day
        self.applied[one.id] = today
        says.applied(self.desk, one)
        self.counts["applied"] += 1
        self.at(today + timedelta(days=LOOKED[0]), lambda: self._looked(one))
        self.at(today + timedelta(days=LOOKED[1]), lambda: self._advise(one))

    def _looked(self, one: Plant) -> None:
        """Look a second time: at what the agent has measured, or at what somebody has counted by hand."""
        self.days.until(self.desk.clock.day)
        if one.wired:
            boxes.reported(self.desk, one, self.setting.seed)
        elif not self.counts["counted by hand"] or self.draw("counts", one.id) < COUNTS:
            says.counts(self.desk, self.world, one)
            self.counts["counted by hand"] += 1
        says.diagnosed(self.desk, one)

    def _advise(self, one: Plant) -> None:
        """Make the diagnosis and the roadmap, once there is a mentor to speak about it with."""
        today = self.desk.clock.day
        if one.id not in self.mentor:
            self.at(today + timedelta(days=30), lambda: self._advise(one))
            return
        self.days.until(today)
        says.diagnosed(self.desk, one)
        talk.cost(self.desk, one.id, "diagnosis", talk.DIAGNOSIS_WON)
        if self.draw("asks", one.id) >= ASKS:
            return
        try:
            items = says.planned(self.desk, one, today)
        except RefusedError:
            self.counts["no price"] += 1
            return
        self.counts["roadmaps"] += 1
        self.counts["buy nothing"] += not items
        self.ready.add(one.id)
        for item in items[:1]:
            self.counts["lists"] += says.looked_up(self.desk, one, item)
        self._life.data_items(one)
        self._life.visit(one, "diagnosis", today + timedelta(days=5))

    def _assign(self) -> None:
        """Let the operator give mentors to those who have asked for help, longest ago first."""
        for name, _ in sorted(self.applied.items(), key=lambda one: (one[1], one[0])):
            if name not in self.mentor and self._given("operator", people.HOUSE, name, None, None):
                self._life.met(self.by_id[name])

    def _given(self, role: Role, party: str, name: str, reason: str | None, note: str | None) -> bool:
        row = self.desk.do(role, party, lambda s, c: mentoring.assign(s, c, name, None, reason, note))
        if row is None:
            return False
        self.mentor[name] = row.mentor_id
        return True

    def change_mentor(self, one: Plant) -> None:
        """Give a factory another mentor, because its owner wants one; where nobody is free, it waits for one."""
        if self._given("owner", one.id, one.id, "방문 시간이 맞지 않음", "오전 방문만 가능합니다."):
            self.counts["mentors changed"] += 1

    def _match(self) -> None:
        desk = self.desk
        offers: defaultdict[str, list[t.Offer]] = defaultdict(list)
        with desk.registry.reading() as session:
            for row in session.scalars(
                select(t.Offer).where(t.Offer.ended_at.is_(None), t.Offer.answer.is_(None)).order_by(t.Offer.id)
            ):
                offers[row.factory_id].append(row)
            room = {
                row.supplier_id: row.declared - row.used
                for row in session.scalars(select(t.Slot).where(t.Slot.quarter == quarter(desk.clock.day)))
            }
        for name in sorted(self.ready - self.left - set(self.running)):
            self._choose(self.by_id[name], offers.get(name, []), room)

    def _choose(self, one: Plant, offers: Sequence[t.Offer], room: dict[str, int]) -> None:
        """Let an owner choose from his first list, as owners do (`simulation.programme`)."""
        firsts = [row for row in offers if row.slot == 1]
        if not firsts:
            self.tired[one.id] += 1
            if self.tired[one.id] >= TIRES:
                self.left.add(one.id)
            return
        first = max(firsts, key=lambda row: (row.q10, row.item_id))
        drawn_, slot, most = self.draw("choice", one.id, self.desk.clock.day.toordinal()), 1, TAKES[0]
        while drawn_ >= most and slot < len(TAKES):
            most, slot = most + TAKES[slot], slot + 1
        taken = next((row for row in offers if row.item_id == first.item_id and row.slot == slot), None)
        if drawn_ >= most or taken is None:
            self._life.declined(one, first)
            self.refused[one.id] += 1
            if self.refused[one.id] >= REFUSES:
                self.left.add(one.id)
            return
        if room.get(taken.supplier_id, 0) < 1:
            return  # others were faster this month
        room[taken.supplier_id] -= 1
        self._want(one, taken)

    def _want(self, one: Plant, offer: t.Offer) -> None:
        today = self.desk.clock.day
        vendor, at = self._products[offer.version_id]
        product = vendor.products[at]
        with self.desk.registry.reading() as session:
            machine = session.get_one(t.RoadmapItem, offer.item_id).machine_id
        where = project.places(self.entries[offer.measure_id], machine, one)
        rng = generator(self.setting.seed, "lead", offer.id)
        wait = int(rng.integers(LEADS[0], LEADS[1] + 1))
        baseline, signs, installs = project.dates(self.applied[one.id], today, self.free.get(one.id), wait, SIGNS)
        truth = drawn(
            self.setting.seed, f"play {one.id} {offer.measure_id} {today}", product, where, self.setting.gain
        )
        found = project.Project(
            plant=one, offer=offer.id, measure=offer.measure_id, vendor=vendor.supplier.id, product=product,
            places=where, truth=truth, baseline=baseline, signs=signs, installs=installs,
        )  # fmt: skip
        project.wanted(self.desk, found)
        self.projects.append(found)
        self.running[one.id] = found
        self._life.wanted(found)

    def _round(self, month: int, today: date) -> None:
        """Hold a round now and then: announced, opened, closed and published; the last one is only open."""
        if month % ROUNDS != ROUNDS // 2:
            return

        def announce(session: Session, caller: Caller) -> str:
            row = rounds.prepare(session, caller, quarter(today), today, today + timedelta(days=14))
            row.seed = f"{random.Random(f'{self.setting.seed} round {month}').getrandbits(128):032x}"  # noqa: S311
            return row.id

        key = self.desk.do("operator", people.HOUSE, announce)
        catalogue = self.desk.books.catalogue
        self.desk.do("operator", people.HOUSE, lambda s, c: rounds.forward(s, c, catalogue, key))
        if month + ROUNDS < self.setting.months:
            self.at(today + timedelta(days=14), lambda: self._held(key))

    def _held(self, key: str) -> None:
        catalogue = self.desk.books.catalogue
        self.desk.do("operator", people.HOUSE, lambda s, c: rounds.forward(s, c, catalogue, key))
        self.desk.do("operator", people.HOUSE, lambda s, c: rounds.publish(s, c, catalogue, key))


def _told(one: Plant) -> Plant:
    """Return a factory as the platform can know it: without consent to daily records nobody measures it here."""
    return replace(one, wired=one.wired and "days" in one.consents)
