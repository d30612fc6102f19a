"""The months of a programme: who applies, what is advised, who is chosen, what becomes of it.

A month's first day, everything of the days before it being known:

    1  suppliers that have closed are gone; what of theirs does not stand yet ends
    2  plans whose baseline is over are frozen; what is due is installed; verdicts that are due are told, recorded
    3  applications of the month; mentors take who waits longest
    4  roadmaps of those with sixty days behind them
    5  one night's matching of all open items; owners choose
    6  the same factories do what the supplier says (`naive`)

The owner takes the first of his list in most cases and refuses all in some; with no offer that pays for four
months, or after three refusals, he is left in peace.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from techsquare.matching.constraints import places
from techsquare.matching.exposure import Ledger
from techsquare.matching.night import matched
from techsquare.matching.terms import Counted
from techsquare.simulation import projects
from techsquare.simulation.advice import LOOKED_AT, steps
from techsquare.simulation.compared import Site, number_of
from techsquare.simulation.judged import judge
from techsquare.simulation.market import SLOTS, past, priors, vendors
from techsquare.simulation.mentors import assigned, mentors
from techsquare.simulation.naive import EVERY, Naive
from techsquare.simulation.owners import Plants
from techsquare.simulation.plants import World, badness
from techsquare.simulation.seeds import generator
from techsquare.simulation.terms import Case, Chance, Engagement
from techsquare.verdict.terms import DECIDED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from techsquare.matching.night import Night, Offer
    from techsquare.matching.terms import Item, Supplier
    from techsquare.simulation.advice import Books
    from techsquare.simulation.judged import Judged
    from techsquare.simulation.mentors import Mentor
    from techsquare.simulation.naive import Bought
    from techsquare.simulation.terms import Plant, Product, Setting, Vendor

BAD = 0.7
"""A month that began an sd worse brings exp(0.7) times the applications."""
TAKES = (0.62, 0.2, 0.1)
"""Chance that an owner takes the first, second, third of his list; otherwise none."""
TIRES, REFUSES = 4, 3
LEADS = (30, 60)
"""Days from the choice to the installation, from and to."""
OPEN_STEPS = 3
"""Items of a roadmap for which lists are made at a time."""


@dataclass(slots=True)
class Done:
    """What a programme has come to."""

    setting: Setting
    world: World
    market: Sequence[Vendor]
    mentors: Sequence[Mentor]
    cases: dict[int, Case] = field(default_factory=dict)
    engagements: dict[str, Engagement] = field(default_factory=dict)
    bought: list[Bought] = field(default_factory=list)
    counts: dict[tuple[str, str], Counted] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)
    shown: Counter[str] = field(default_factory=Counter)
    could: set[str] = field(default_factory=set)
    advice: Counter[str] = field(default_factory=Counter)
    merit: list[tuple[int, int]] = field(default_factory=list)
    expected: list[tuple[float, float]] = field(default_factory=list)  # q10, true expected value of first lines
    judged: list[Judged] = field(default_factory=list)
    conflicts: int = 0
    waited: list[int] = field(default_factory=list)
    data_won: int = 0


def simulate(setting: Setting, books: Books, tell: Callable[[int], None] | None = None) -> Done:
    """Run a programme to its end.

    Args:
        setting: What is set.
        books: Measures, programmes and questions.
        tell: Called with each month's number when it begins.
    """
    run = Run(setting, books)
    for month in range(setting.months):
        if tell is not None:
            tell(month)
        run.month(month)
    run.close()
    return run.done


class Run:
    """A programme under way."""

    def __init__(self, setting: Setting, books: Books) -> None:
        self._setting, self._books = setting, books
        catalogue = books.catalogue
        market = vendors(setting, catalogue.entries)
        plants = Plants(setting)
        world = World(setting, plants)
        self.done = Done(setting, world, market, mentors(setting, len(market)))
        self.done.counts = past(setting, market)
        self._vendors = {vendor.supplier.id: vendor for vendor in market}
        self._products = {product.solution.id: product for vendor in market for product in vendor.products}
        self._priors = priors(catalogue.entries)
        self._naive = Naive(setting, catalogue.entries, market)
        self._site = Site(world, {}, _by_process(plants))
        self._applies = applications(setting, plants)
        self._waiting: list[int] = []
        self._gone: set[str] = set()
        self._weights = {vendor.supplier.id: vendor.weight for vendor in market}

    def month(self, number: int) -> None:
        """Run a month."""
        today = self._setting.month(number)
        self._closed(number, today)
        self._advance(today)
        self._apply(number, today)
        self._advise(today)
        self._match(number, today)
        for case in sorted(self.done.cases.values(), key=lambda one: one.plant):
            since = None if case.met is None else number - case.met
            if since is not None and since >= LOOKED_AT // 30 and (since - LOOKED_AT // 30) % EVERY == 0:
                bought = self._naive.buy(self.done.world.plants[case.plant], number)
                self.done.bought += [bought] if bought else []

    def close(self) -> None:
        """Bring what is due by the last day to its end, and look where the watches stand."""
        end = self._setting.month(self._setting.months)
        self._advance(end)
        for name in sorted(self.done.engagements):
            engagement = self.done.engagements[name]
            if engagement.word == "improved":
                projects.watch(self._site, engagement, end)
            engagement.net = projects.net_of(self.done.world.plants[engagement.plant], engagement)

    def _closed(self, month: int, today: date) -> None:
        gone = {
            name for name, vendor in self._vendors.items() if vendor.closes is not None and vendor.closes <= month
        }
        for engagement in self._open():
            if engagement.vendor in gone - self._gone:
                projects.without_vendor(engagement, today)
                self._let_go(engagement)
        self._gone = gone

    def _advance(self, today: date) -> None:
        for engagement in self._open():
            if engagement.way is None and engagement.baseline[1] + timedelta(days=1) <= today:
                projects.freeze(self._site, engagement, self.done.cases[engagement.plant].applied)
                self._let_go(engagement)
        for engagement in self._open():
            if engagement.way is not None and not engagement.began and engagement.installed <= today:
                projects.install(self.done.world, engagement)
        for engagement in self._open():
            if projects.look(self._site, engagement, today):
                self._record(engagement)
            self._let_go(engagement)

    def _let_go(self, engagement: Engagement) -> None:
        """Free a factory whose project has ended for the next one."""
        if engagement.end == "running":
            return
        case = self.done.cases[engagement.plant]
        case.running, case.free = None, engagement.ended
        if engagement.end in ("supplier_gone", "not_frozen"):
            # Nothing will be installed any more: its machines may serve others.
            self._site.forget(engagement, engagement.machines)
        if not case.steps:
            self._leave(case)

    def _record(self, engagement: Engagement) -> None:
        key = engagement.vendor, engagement.product.solution.family
        known, word = self.done.counts.get(key, Counted()), engagement.word
        gain = projects.measured(engagement)
        self.done.counts[key] = Counted(
            improved=known.improved + (word == "improved"),
            decided=known.decided + (word in DECIDED),
            cannot_tell=known.cannot_tell + (word == "cannot_tell"),
            cause_not_shown=known.cause_not_shown + (word == "cause_not_shown"),
            gains=[*known.gains, gain] if gain else known.gains,
        )

    def _apply(self, month: int, today: date) -> None:
        for number in self._applies.get(month, ()):
            self.done.cases[number] = Case(number, today, month)
            self._waiting.append(number)
        waiting = [
            (self.done.world.plants[one], (today - self.done.cases[one].applied).days) for one in self._waiting
        ]
        given, conflicts = assigned(self.done.mentors, waiting, f"{self._setting.seed}:{today.isoformat()}")
        self.done.conflicts += conflicts
        for one, mentor in given.items():
            case = self.done.cases[one]
            case.mentor, case.met = mentor.id, month
            self.done.waited.append(month - case.came)
        self._waiting = [one for one in self._waiting if one not in given]

    def _advise(self, today: date) -> None:
        for case in sorted(self.done.cases.values(), key=lambda one: one.plant):
            ready = case.met is not None and today - case.applied >= timedelta(days=LOOKED_AT)
            if ready and not case.planned and not case.closed:
                owner = self.done.world.plants[case.plant]
                case.steps, case.data = steps(self.done.world, self._books, owner, today)
                case.planned = True
                self.done.advice["roadmaps"] += 1
                if not case.steps:
                    self.done.advice["buy_nothing"] += 1
                    self._leave(case)

    def _match(self, month: int, today: date) -> None:
        cases = [
            case
            for case in self.done.cases.values()
            if case.planned and not case.closed and case.running is None and case.steps
        ]
        items = [item for case in cases for item in self._items(case)]
        if not items:
            return
        states = self._states(month)
        night = matched(
            items,
            [product.solution for product in self._products.values()],
            states,
            counts=self.done.counts,
            priors=self._priors,
            ledger=self.done.ledger,
            on=today,
            seed=f"{self._setting.seed}:{today.isoformat()}",
        )
        self._tally(night, today)
        lists: defaultdict[str, list[Offer]] = defaultdict(list)
        for offer in night.offers():
            lists[night.columns.items[night.columns.item_at[offer.item]].factory].append(offer)
        room = {state.id: places(state) for state in states}
        for case in sorted(cases, key=lambda one: one.plant):
            self._choose(case, lists[self.done.world.plants[case.plant].id], room, today)

    def _items(self, case: Case) -> list[Item]:
        mentor = next(one for one in self.done.mentors if one.id == case.mentor)
        return [replace(item, related=item.related | mentor.parties) for item, _ in case.steps[:OPEN_STEPS]]

    def _tally(self, night: Night, today: date) -> None:
        suppliers = night.columns.suppliers
        shown = dict(zip((one.id for one in suppliers), night.lists.showings().tolist(), strict=True))
        could = {suppliers[at].id for at in np.unique(night.lists.edges.supplier).tolist()}
        self.done.ledger = self.done.ledger.added(today, Counter(shown).elements(), could)
        self.done.shown.update(shown)
        self.done.could |= could
        self.done.merit.append(night.lists.merit())
        self.done.judged += judge(night, self._worth, self._weights)
        for item in night.columns.items:
            self.done.advice[night.advice(item.id)[0]] += 1

    def _choose(self, case: Case, offers: Sequence[Offer], room: dict[str, int], today: date) -> None:
        if not offers:
            case.advised += 1
            if case.advised >= TIRES:
                self._leave(case)
            return
        first = max((one for one in offers if one.slot == 1), key=lambda one: (one.q10, one.item))
        rng = generator(self._setting.seed, "choice", case.plant, today.toordinal())
        slot = int(np.searchsorted(np.cumsum(TAKES), rng.random(), "right")) + 1
        step = next(one for one in case.steps if one[0].id == first.item)
        product = self._products[first.solution]
        self.done.expected.append((first.q10, self._true_value(case, step, product)))
        taken = next((one for one in offers if one.item == first.item and one.slot == slot), None)
        if taken is None:
            case.refused += 1
            if case.refused >= REFUSES:
                self._leave(case)
            return
        product = self._products[taken.solution]
        if room[product.solution.supplier] < 1:
            return  # others were faster this month
        room[product.solution.supplier] -= 1
        item, where = step
        wait = int(rng.integers(LEADS[0], LEADS[1] + 1))
        baseline, installed = projects.dates(case.applied, today, case.free, wait)
        name = f"{item.id}:{today.isoformat()}"
        truth = projects.drawn(self._setting.seed, name, product, where, self._setting.gain)
        chance = Chance(taken.rate.mean, taken.q10, taken.mean, slot)
        engagement = Engagement(
            id=name,
            plant=case.plant,
            item=item,
            places=where,
            vendor=product.solution.supplier,
            product=product,
            expected=chance,
            accepted=today,
            installed=installed,
            truth=truth,
            baseline=baseline,
            share=self._priors[item.family][0],
        )
        self.done.engagements[name] = engagement
        self._site.plan(engagement, engagement.machines, installed)
        if not case.done:
            self.done.data_won += case.data
        case.running = name
        case.done.append(name)
        case.steps = [one for one in case.steps if one[0].id != item.id]

    def _true_value(self, case: Case, step: tuple[Item, Sequence[tuple[str, str]]], product: Product) -> float:
        """Return what an offer is truly worth before its outcome is drawn, by the terms that it was told in."""
        owner, (_, where) = self.done.world.plants[case.plant], step
        solution = product.solution
        saved = projects.worth(owner, where, projects.sure(product, where, self._setting.gain))
        price = sum(solution.price) / 2 + projects.YEARS * sum(solution.yearly) / 2
        return product.success * saved - price - (1 - product.success) * sum(solution.exit_cost) / 2

    def _worth(self, item: str, solution: str) -> float:
        """Return what an offer is truly worth, by the ids of its item and its solution."""
        plant, _, _ = item.partition(":")
        case = self.done.cases[number_of(plant)]
        step = next(one for one in case.steps if one[0].id == item)
        return self._true_value(case, step, self._products[solution])

    def _states(self, month: int) -> list[Supplier]:
        """Return the suppliers as matching sees them this month."""
        room, open_ = self._room(month), Counter(one.vendor for one in self._open())
        verified: Counter[str] = Counter()
        for (vendor, _), counted in self.done.counts.items():
            verified[vendor] += counted.decided
        return [
            replace(
                vendor.supplier,
                active=name not in self._gone,
                slots=room[name],
                verified=verified[name],
                open=open_[name],
            )
            for name, vendor in self._vendors.items()
        ]

    def _room(self, month: int) -> dict[str, int]:
        """Return the slots that each supplier has left in this quarter."""
        quarter = self._setting.month(month // 3 * 3)
        taken = Counter(one.vendor for one in self.done.engagements.values() if one.accepted >= quarter)
        return {name: max(0, SLOTS[vendor.supplier.size] - taken[name]) for name, vendor in self._vendors.items()}

    def _leave(self, case: Case) -> None:
        case.closed = True
        for mentor in self.done.mentors:
            mentor.looks_after.discard(case.plant)

    def _open(self) -> list[Engagement]:
        return [one for one in self.done.engagements.values() if one.end == "running"]


def _by_process(plants: Sequence[Plant]) -> Mapping[str, Sequence[int]]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for one in plants:
        if one.wired:
            for process in sorted({tool.process for tool in one.tools}):
                found[process].append(one.number)
    return found


def applications(setting: Setting, plants: Sequence[Plant]) -> Mapping[int, Sequence[int]]:
    """Return month -> factories that apply in it, in the order in which they do: sooner after a bad month."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    for one in plants:
        rng = generator(setting.seed, "applies", one.number)
        chance = np.minimum(1.0, setting.apply * np.exp(BAD * badness(setting, one)))
        asks = np.flatnonzero(rng.random(setting.months) < chance)
        if len(asks):
            found[int(asks[0])].append(one.number)
    return found
