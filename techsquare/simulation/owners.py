"""Factories: machines, rates, budgets, and what their owners believe and answer.

Owners are wrong in known ways: they see what is loud (machines that break, changeovers) and not what is quiet
(waiting, slow running, scrap that somebody sorts out), and they believe that they lose less than they do.

An hour that is lost costs by the money rule (`diagnosis.ledger`), in truth as in the diagnosis: contribution where
the machine limits output and orders wait, what would not be paid otherwise elsewhere; scrap its material as well.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, overload

import numpy as np

from techsquare.diagnosis.terms import Rates
from techsquare.roadmap.terms import Means
from techsquare.simulation.market import PROCESSES, PROVINCES
from techsquare.simulation.seeds import generator, span_around
from techsquare.simulation.terms import BUCKETS, Plant, Tool
from techsquare.span import Span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from techsquare.diagnosis.terms import Tell
    from techsquare.simulation.terms import Setting

BELIEF: Mapping[str, float] = {
    "setup": 1.3, "fault": 1.4, "standby": 0.4, "off": 0.6, "speed": 0.3, "scrap": 0.5,
}  # fmt: skip
"""What owners answer, as a share of what is true, at the middle."""
BASE: Mapping[str, tuple[float, float]] = {
    "setup": (0.03, 0.13), "fault": (0.02, 0.11), "standby": (0.04, 0.18), "off": (0.0, 0.05),
    "speed": (0.03, 0.14), "scrap": (0.005, 0.05),
}  # fmt: skip
"""Of planned time, from a good machine to a bad one."""
PROTOCOLS: tuple[frozenset[str], ...] = tuple(
    frozenset({name} if name else ()) for name in ("modbus-tcp", "xgt", "opcua", "modbus-rtu", "")
)
PROTOCOL_SHARES = (0.3, 0.25, 0.1, 0.1, 0.25)
WIRED = 0.85
WEEKS_A_YEAR = 50
MOST_TOOLS = 16
AVOIDABLE, MATERIAL = 0.35, 0.3
"""Of an hour's contribution what an idle hour costs that would not be paid otherwise; of a piece's its material."""
HOUR_S = 3600.0
MODEST = 0.08
"""Chance that an owner answers a question about a number with "모름"."""
SILENT = 0.25
"""Chance that an owner cannot say whether a machine limits output, or whether orders wait."""
QUESTION = {"heat-treatment": "heat"}
"""Processes that the twenty questions name otherwise."""


def plant(setting: Setting, number: int) -> Plant:
    """Return a factory; it depends on the seed and its number only."""
    rng = generator(setting.seed, "plant", number)
    name = f"f{number:06d}"
    weights = np.array(list(PROVINCES.values()))
    province = str(rng.choice(list(PROVINCES), p=weights / weights.sum()))
    main = str(rng.choice(PROCESSES, p=(0.34, 0.2, 0.2, 0.14, 0.07, 0.05)))
    count = int(np.clip(round(float(np.exp(rng.normal(2.15, 0.5)))), 3, MOST_TOOLS))
    level, worth = float(rng.beta(2, 2)), float(np.exp(rng.normal(11.1, 0.5)))
    waits, shift = bool(rng.random() < 0.7), float(rng.choice([8.0, 10.0, 20.0], p=(0.25, 0.4, 0.35)))
    week = int(rng.choice([5, 6], p=(0.6, 0.4)))
    prices = _Prices.of(worth, float(np.exp(rng.normal(3.4, 0.6))), waits=waits)
    tools = tuple(_tool(rng, f"m{at + 1:02d}", main, level, prices, shift, week) for at in range(count))
    cash = float(np.exp(rng.normal(16.9, 0.7)))
    return Plant(
        number=number,
        id=name,
        name=f"공장 {number:06d}",
        province=province,
        industry=main,
        group=f"g{int(rng.integers(97)):02d}" if rng.random() < 0.08 else None,
        wired=bool(rng.random() < WIRED),
        tools=tools,
        means=Means(
            cash=[round(share * cash / 1e5) * 100_000 for share in (1.0, 0.7, 1.0)],
            staff_days=[float(rng.integers(8, 25))] * 3,
            support=[80_000_000] * 3,
        ),
        says=_says(rng, tools),
        rates=_rates(rng, prices, tools),
        answers=_answers(rng, main, prices, tools, cash),
        excluded=frozenset({f"s{int(rng.integers(40)):05d}"} if rng.random() < 0.15 else ()),
        consents=frozenset({"days"} if rng.random() < 0.85 else ()),
    )


class Plants(Sequence[Plant]):
    """All factories of a programme, made when they are asked for; so many are held that were asked for last.

    Args:
        setting: Of the programme.
        kept: Factories in memory: a large programme has more than a memory holds.
    """

    def __init__(self, setting: Setting, kept: int = 20_000) -> None:
        self._setting, self._kept = setting, kept
        self._held: OrderedDict[int, Plant] = OrderedDict()

    def __len__(self) -> int:
        return self._setting.factories

    @overload
    def __getitem__(self, at: int) -> Plant: ...

    @overload
    def __getitem__(self, at: slice) -> list[Plant]: ...

    def __getitem__(self, at: int | slice) -> Plant | list[Plant]:
        """Return factories by number."""
        if isinstance(at, slice):
            return [self[number] for number in range(*at.indices(len(self)))]
        number = at if at >= 0 else at + len(self)
        if not 0 <= number < len(self):
            raise IndexError(at)
        found = self._held.get(number)
        if found is None:
            found = self._held[number] = plant(self._setting, number)
            if len(self._held) > self._kept:
                self._held.popitem(last=False)
        self._held.move_to_end(number)
        return found


def hours_a_year(tool: Tool) -> float:
    """Return the planned hours of a machine in a year."""
    return tool.hours * tool.days_a_week * WEEKS_A_YEAR


def main_tool(tools: Sequence[Tool]) -> Tool:
    """Return the machine that the twenty questions are about: one that limits, and loses most."""
    return max(tools, key=lambda one: (one.limits, sum(one.base), one.id))


class _Prices(NamedTuple):
    """What is true of a plant's money: won a piece and an hour. `cycle_s` of a piece, at the middle."""

    contribution: float
    material: float
    avoidable: float
    cycle_s: float
    waits: bool

    @classmethod
    def of(cls, hour: float, cycle_s: float, *, waits: bool) -> _Prices:
        piece = hour * cycle_s / HOUR_S
        return cls(piece, MATERIAL * piece, AVOIDABLE * hour, cycle_s, waits)

    def hour(self, base: Mapping[str, float], cycle_s: float, *, limits: bool) -> dict[str, float]:
        """Return what a lost hour costs by bucket, of a machine with these losses."""
        good = 1 - sum(base.values())
        quality = good / (good + base["scrap"])
        speed = (good + base["scrap"]) / (good + base["scrap"] + base["speed"])
        pieces = HOUR_S / cycle_s
        lost = limits and self.waits
        stop = pieces * speed * quality * self.contribution if lost else self.avoidable
        slow = pieces * quality * self.contribution if lost else self.avoidable
        scrap = pieces * ((self.contribution if lost else 0.0) + self.material) + (0.0 if lost else self.avoidable)
        return {b: slow if b == "speed" else scrap if b == "scrap" else stop for b in BUCKETS}


def _tool(
    rng: np.random.Generator, name: str, main: str, level: float, prices: _Prices, shift: float, week: int
) -> Tool:
    process = main if rng.random() < 0.85 else str(rng.choice(PROCESSES))
    # How bad a machine is, is mostly how bad its factory is; one hall has one way of working.
    at = np.clip(level + rng.normal(0, 0.13, len(BUCKETS)), 0, 1)
    base = {b: BASE[b][0] + (BASE[b][1] - BASE[b][0]) * float(x) for b, x in zip(BUCKETS, at, strict=True)}
    limits, cycle = bool(rng.random() < 0.5), prices.cycle_s * float(np.exp(rng.normal(0, 0.25)))
    return Tool(
        id=name,
        process=process,
        interfaces=PROTOCOLS[int(rng.choice(len(PROTOCOLS), p=PROTOCOL_SHARES))],
        base=tuple(base[b] for b in BUCKETS),
        memory=float(rng.uniform(0.3, 0.7)),
        restless=float(rng.uniform(0.15, 0.25)),
        drift=float(rng.normal(0, 0.015)),
        loading=float(rng.normal(1.0, 0.3)),
        hours=shift,
        days_a_week=week,
        limits=limits,
        cycle_s=cycle,
        won=prices.hour(base, cycle, limits=limits),
    )


def _rates(rng: np.random.Generator, prices: _Prices, tools: Sequence[Tool]) -> Rates:
    """Return the rates as an owner tells them; what he cannot say is unknown."""

    def told(true: bool) -> Tell:  # noqa: FBT001 - it is what is told
        return "unknown" if rng.random() < SILENT else "yes" if true else "no"

    return Rates(
        contribution_piece=Span(*span_around(rng, prices.contribution, 0.3)),
        scrap_piece=Span(*span_around(rng, prices.material, 0.3)),
        avoidable_hour=Span(*span_around(rng, prices.avoidable, 0.3)),
        limits={tool.id: told(tool.limits) for tool in tools},
        orders_wait=told(prices.waits),
    )


def _answers(
    rng: np.random.Generator, main: str, prices: _Prices, tools: Sequence[Tool], cash: float
) -> dict[str, float | str | None]:
    """Return the twenty answers, as the owner believes of his main machine; some he does not know."""
    tool = main_tool(tools)
    believed = {
        b: min(0.5, share * BELIEF[b] * float(np.exp(rng.normal(0, 0.35))))
        for b, share in zip(BUCKETS, tool.base, strict=True)
    }
    minutes = 60 * tool.hours
    often = float(rng.integers(1, 5))
    stops = sum(believed[b] for b in ("setup", "fault", "standby", "off"))
    runs = max(0.2, 1 - stops)
    pace = max(0.5, 1 - believed["speed"] / runs)
    numbers: dict[str, float] = {
        "machines": float(len(tools)),
        "hours_day": tool.hours,
        "days_week": float(tool.days_a_week),
        "fault_minutes": round(believed["fault"] * minutes),
        "changeovers": often,
        "setup_minutes": round(believed["setup"] * minutes / often),
        "waiting_minutes": round((believed["standby"] + believed["off"]) * minutes),
        "pace_percent": round(100 * pace),
        "rejects_percent": round(100 * believed["scrap"] / (runs * pace), 1),
        "pieces_day": round(runs * pace * tool.hours * HOUR_S / tool.cycle_s),
        "contribution": round(prices.contribution * float(np.exp(rng.normal(0, 0.1)))),
        "material": round(prices.material * float(np.exp(rng.normal(0, 0.1)))),
        "people": round(float(rng.uniform(0.4, 1.2)), 1),
        "wage": float(rng.integers(13, 26) * 1000),
        "bill": float(rng.integers(100, 1500)),
        "cash": round(cash / 10_000),
    }
    some = any(tool.interfaces for tool in tools)
    known: dict[str, float | str | None] = {
        name: None if rng.random() < MODEST else value for name, value in numbers.items()
    }
    return known | {
        "process": QUESTION.get(main, main),
        "connection": "some" if some else "none",
        "limits": "yes" if tool.limits else "no",
        "orders": "yes" if prices.waits else "no",
    }


def _says(rng: np.random.Generator, tools: tuple[Tool, ...]) -> dict[tuple[str, str], Span]:
    found = {}
    for tool in tools:
        for bucket, share in zip(BUCKETS, tool.base, strict=True):
            believed = share * BELIEF[bucket] * float(np.exp(rng.normal(0, 0.35)))
            won = believed * hours_a_year(tool) * tool.won[bucket]
            found[tool.id, bucket] = Span(*span_around(rng, won, 0.5))
    return found
