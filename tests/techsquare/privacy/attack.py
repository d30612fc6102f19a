"""A supplier that offers a thousand times to find out what a factory can pay and which tags it has.

It is the strongest one that the rules allow for: it knows which factory it is, knows every rule, learns of each
offer whether it was possible for the item, and each word of the fit test; and it chooses each price by halving what
is left. What it knows in the end is the exact set of budgets (of a fine grid) and of tag sets (all of them) that
would have given the same answers. The rules are the real ones: `constraints.judged`, `book.answer`,
`readiness.fit`, `versions.matched`.

Only what an agent has answered depends on the tag set, and everything else that is told is computed from those
answers; so the tag sets that are left are those that would have answered the asked questions alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import product
from math import log2
from typing import TYPE_CHECKING

import numpy as np

from contract.report import Value
from contract.verbs import Need
from contract.verbs import Solution as Needs
from readiness.fit import fit
from techsquare.fit.book import Entry, Question, answer
from techsquare.fit.versions import Offered, matched
from techsquare.matching.constraints import CONTINUITY, judged
from techsquare.matching.terms import Item, Solution, Supplier
from techsquare.privacy.bands import TOPS
from techsquare.span import Span, exactly

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from techsquare.fit.versions import Seen

DAY = date(2026, 1, 1)
METRICS = ("C01", "V01", "V02", "Q07", "E01")
VALUES = (None, 0.2, 0.5, 0.8)
"""None: no such tag."""
State = tuple[float | None, ...]
STATES: tuple[State, ...] = tuple(product(VALUES, repeat=len(METRICS)))
GRID = np.unique([*np.linspace(0, 1_500_000_000, 30_001).astype(np.int64), *TOPS, *(top + 1 for top in TOPS)])
"""Budgets that the attacker thinks possible: every 50,000 won, and both sides of each band's end."""


@dataclass(frozen=True)
class Machine:
    """As `readiness.inventory.Named`."""

    id: str = "m1"
    name: str = "m1"


@dataclass(frozen=True)
class Plant:
    """A plant with one machine, as `readiness.fit.fit` asks for it."""

    state: State

    @property
    def view(self) -> Plant:
        return self

    @property
    def inventory(self) -> Sequence[Machine]:
        return (Machine(),)

    def value(self, metric: str, machine: str) -> Value:
        found = self.state[METRICS.index(metric)]
        if found is None:
            return Value(metric, "1", "0" * 16, machine, reason="NA_NOT_IN_SOURCE")
        return Value(metric, "1", "0" * 16, machine, value=found, lo=found, hi=found)


def agent(state: State, needs: Sequence[Need]) -> str:
    """Return what the agent of a factory in this state answers."""
    found = fit(Plant(state), Needs("s", "1", list(needs)), None, missing=False)
    assert found is not None
    return found.verdict


@dataclass(frozen=True)
class Learned:
    """What is left: the lowest and highest budget, and the tag sets; and how often an agent was asked."""

    low: int
    high: int
    budgets: int
    states: tuple[State, ...]
    asked: int
    first: tuple[State, ...]
    """Tag sets that were left after the first answer."""

    @property
    def bits(self) -> float:
        """Return how much is known of the tag set."""
        return log2(len(STATES) / len(self.states))


def attack(
    budget: int,
    state: State,
    *,
    most_won: Callable[[int], int],
    one_family: bool = True,
    offers: int = 1000,
    days: int = 360,
    seed: int = 1,
) -> Learned:
    """Offer so many times over so many days; return what is known then.

    Args:
        budget: The truth.
        state: Likewise.
        most_won: Budget -> what the price constraint looks at.
        one_family: False lets each version be a family of its own: without the rule of one question a year.
        offers: How many.
        days: Over which time.
        seed: Of needs.
    """
    rng = np.random.default_rng(seed)
    seen_by = np.array([most_won(int(one)) for one in GRID])
    alive = np.ones(len(GRID), np.bool_)
    left, first = STATES, STATES
    book: list[Entry] = []
    asked = 0
    for at in range(offers):
        on = DAY + timedelta(days=at * days // offers)
        needs = _needs(rng, left)
        question = Question("f1", "g1", "mes" if one_family else f"mes-{at}", f"v{at}", needs)
        told = answer(book, question, on, consent=True)
        word = told.word
        if told.ask:
            word = agent(state, needs)  # type: ignore[assignment]
            left = tuple(one for one in left if agent(one, needs) == word)
            asked += 1
            first = left if asked == 1 else first
        if told.ask or told.because in {"implied", "family"}:
            book.append(Entry(question, on, word, asked=told.ask))
        possible = np.flatnonzero(alive)
        price = int(GRID[possible[len(possible) // 2]]) if at % 2 else int(GRID[rng.choice(possible)])
        pair = judged(_item(most_won(budget), f"v{at}", word), _solution(f"v{at}", price), SUPPLIER)
        if word != "fail":
            alive &= (seen_by >= price) == (not pair.failed)
            assert pair.failed <= {"price"}
    budgets = GRID[alive]
    return Learned(int(budgets[0]), int(budgets[-1]), len(budgets), left, asked, first)


PROTOCOLS = ("xgt", "opcua", "modbus-tcp", "modbus-rtu", "melsec", "s7", "mqtt", "fins")
SPOKEN = tuple(
    frozenset(name for name, has in zip(PROTOCOLS, row, strict=True) if has)
    for row in product((False, True), repeat=len(PROTOCOLS))
)


def probe(spoken: frozenset[str], *, held: bool, offers: int = 1000, days: int = 90) -> tuple[int, int]:
    """Offer versions for other protocols each, to find out which ones the machines speak.

    Args:
        spoken: The truth.
        held: The item is matched with what `versions.matched` says; False: with every version.
        offers: How many.
        days: Over which time.

    Returns:
        How many versions were matched, and how many sets of protocols are left.
    """
    left = list(SPOKEN)
    seen: Sequence[Seen] = ()
    there: list[Offered] = []
    answered = set[str]()
    reading: dict[str, frozenset[str]] = {}
    for at in range(offers):
        on = DAY + timedelta(days=at * days // offers)
        version = f"v{at:04}"
        reading[version] = frozenset({PROTOCOLS[at % len(PROTOCOLS)]})
        there.append(Offered("g1", "mes", version, on))
        if held:
            seen = matched(seen, there, on)
        now = {one.version for one in seen} if held else {version}
        for name in sorted(now - answered):
            answered.add(name)
            solution = replace(_solution(name, 0), interfaces=reading[name])
            word = possible(spoken, solution)
            left = [one for one in left if possible(one, solution) == word]
    return len(answered), len(left)


def possible(spoken: frozenset[str], solution: Solution) -> bool:
    """Return whether an item whose machines speak these can have a solution."""
    item = replace(_item(1, "v", None), interfaces=spoken)
    return not judged(item, solution, SUPPLIER).failed


SUPPLIER = Supplier("s1", active=True, parties=frozenset({"s1"}), slots=10, verified=9, open=0, size="small")


def _item(most_won: int, version: str, word: str | None) -> Item:
    tested = {version: word} if word in {"pass", "fail"} else {}
    return Item(
        id="i1", factory="f1", measure="mes", family="mes", capabilities={}, process="press",
        interfaces=frozenset({"xgt"}), region="busan", most_won=most_won, loss=Span(0, 10**9),
        fit=tested,  # type: ignore[arg-type]
    )  # fmt: skip


def _solution(version: str, price: int) -> Solution:
    return Solution(
        id=version, supplier="s1", family="mes", version="1", capabilities={}, processes=frozenset({"press"}),
        interfaces=frozenset({"xgt"}), regions=frozenset({"busan"}), remote=True, price=exactly(price),
        yearly=exactly(0), exit_cost=exactly(0), continuity=CONTINUITY,
    )  # fmt: skip


def _needs(rng: np.random.Generator, left: Sequence[State]) -> list[Need]:
    """Return the needs, of four drawn, whose answer splits what is left best."""
    best: list[Need] = []
    worst = len(left) + 1
    sample = [left[at] for at in rng.choice(len(left), min(len(left), 16), replace=False)]
    for _ in range(4 if len(left) > 1 else 1):
        chosen = rng.choice(len(METRICS), int(rng.integers(1, 3)), replace=False)
        drawn = [Need(f"n{at}", METRICS[at], min=float(rng.choice([0.1, 0.4, 0.6]))) for at in chosen]
        words = [agent(one, drawn) for one in sample]
        most = max(words.count(word) for word in set(words))
        if most < worst:
            best, worst = drawn, most
    return best
