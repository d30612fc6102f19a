"""Known faults go in, and C03, A01 and Q01 come out as they are counted second by second: at most 0.01 apart.

`make test` runs each fault once over 17 days; `make validity` (TSQ_VALIDITY=1) over 28 days, with more seeds and
faster polls.
"""

from __future__ import annotations

import os
import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, time

import pytest

from contract.report import Value
from tests.validity.plant import days, report, values
from tests.validity.world import KEEP_ALIVE_S, RETRY_S, Device, Plan, World, count, device, drawn, share

LONG = os.environ.get("TSQ_VALIDITY") == "1"
SEEDS = range(4) if LONG else range(1)
DAYS = 28 if LONG else 17
POLL_S = 10 if LONG else 60
TOLERANCE = 0.01
DAY_S = 86_400
SPAN = DAYS * DAY_S
Found = Mapping[str | None, Mapping[str, Value]]
Truth = Mapping[str, Mapping[str, Mapping[str, tuple[float, float]]]]
METRICS = ("C03", "A01", "Q01")


def plan(**but: object) -> Plan:
    return replace(Plan(days=DAYS), **but)  # type: ignore[arg-type]


def pair(**fault: object) -> list[Device]:
    """A polled and a subscribed machine with the same fate."""
    polled, subscribed = device("press-1", "poll", POLL_S), device("cnc-1", "subscription", 1)
    return [Device(source=polled, **fault), Device(source=subscribed, **fault)]  # type: ignore[arg-type]


def spans(seed: int, share_: float, mean_s: float) -> list[tuple[int, int]]:
    return drawn(random.Random(seed), SPAN, share_, mean_s)


def nights(hour: int = 20) -> list[tuple[int, int]]:
    """The day starts at 08:00, so the machines are off from 20:00 to 08:00."""
    return [(d * DAY_S + (hour - 8) * 3600, (d + 1) * DAY_S) for d in range(DAYS)]


def shift(day: int, begin: float, end: float) -> tuple[int, int]:
    return int(day * DAY_S + begin * 3600), int(day * DAY_S + end * 3600)


BERLIN = plan(
    zone="Europe/Berlin", first=date(2026, 10, 12), day_start=time(6),
    planned=dict.fromkeys(range(7), ((time(22), time(6)), (time(6), time(14)))),
)  # fmt: skip
WORLDS = {
    "nothing": lambda seed: World(plan=plan(), devices=pair(), seed=seed),
    "short losses, 2 %": lambda seed: World(plan=plan(), devices=pair(off=spans(seed, 0.02, 90)), seed=seed),
    "bursts, 8 %": lambda seed: World(plan=plan(), devices=pair(off=spans(seed, 0.08, 2400)), seed=seed),
    "long outages, 40 %": lambda seed: World(plan=plan(), devices=pair(off=spans(seed, 0.4, 20_000)), seed=seed),
    "device off for three shifts": lambda seed: World(
        plan=plan(), devices=pair(off=[shift(d, 0, 12) for d in (1, 3, 8)]), seed=seed
    ),
    "off for ever": lambda seed: World(plan=plan(), devices=pair(off=[(0, 2 * SPAN)]), seed=seed),
    "off by night": lambda seed: World(plan=plan(), devices=pair(off=nights()), seed=seed),
    "bad and uncertain": lambda seed: World(
        plan=plan(),
        devices=pair(bad={0: spans(seed, 0.1, 900)}, uncertain={1: spans(seed + 50, 0.2, 1500)}),
        seed=seed,
    ),
    "bad, uncertain and gone": lambda seed: World(
        plan=plan(),
        devices=pair(
            off=spans(seed, 0.1, 1200),
            bad={0: spans(seed + 1, 0.2, 900)},
            uncertain={0: spans(seed + 2, 0.2, 700), 1: spans(seed + 3, 0.3, 1500)},
        ),
        seed=seed,
    ),
    "agent off": lambda seed: World(
        plan=plan(), devices=pair(off=spans(seed, 0.05, 1200)), agent_off=spans(seed + 9, 0.15, 3000), seed=seed
    ),
    "agent restarted every few minutes": lambda seed: World(
        plan=plan(), devices=pair(off=spans(seed, 0.05, 1200)), agent_off=spans(seed + 9, 0.1, 60), seed=seed
    ),
    "power cut each evening, back in the morning": lambda seed: World(
        plan=plan(),
        devices=pair(off=spans(seed, 0.05, 1200)),
        seed=seed,
        agent_off=[shift(d, 9, 23.5 + d % 3 / 2) for d in range(DAYS - 1)],
    ),
    "clock untrusted": lambda seed: World(
        plan=plan(), devices=pair(off=spans(seed, 0.05, 1200)), clock_off=spans(seed + 9, 0.1, 5000), seed=seed
    ),
    "holidays": lambda seed: World(
        plan=plan(holidays=frozenset({date(2026, 10, 28), date(2026, 11, 5)})),
        devices=pair(off=[shift(2, 0, 12), shift(10, 0, 12), *spans(seed, 0.03, 600)]),
        seed=seed,
    ),
    "nights over a change of clocks": lambda seed: World(
        plan=BERLIN, devices=pair(off=[*spans(seed, 0.05, 1200), (13 * DAY_S, 13 * DAY_S + 7200)]), seed=seed
    ),
    "slow polls with jitter": lambda seed: World(
        plan=plan(), devices=pair(jitter=0.08, slow=0.1, off=spans(seed, 0.03, 900)), seed=seed
    ),
}


def known(number: float | None) -> float:
    """Return a number that has to be there."""
    assert number is not None
    return number


def compare(found: Found, truth: Truth) -> None:
    for metric in METRICS:
        true = {
            machine: share(by_day)
            for machine, by_day in truth[metric].items()
            if any(d for _, d in by_day.values())
        }
        for machine, expected in true.items():
            value = found[machine][metric]
            assert value.value == pytest.approx(expected, abs=TOLERANCE), (metric, machine)
            limits = known(value.lo), known(value.value), known(value.hi)
            assert limits == tuple(sorted(limits))
            assert limits[0] < limits[2]
        if true:
            mean = sum(true.values()) / len(true)
            assert found[None][metric].value == pytest.approx(mean, abs=TOLERANCE), metric


TABLE = {"nothing", "short losses, 2 %", "long outages, 40 %", "bad and uncertain", "device off for three shifts"}
"""Of the short form the table of validity has the like of these."""
TRIED = [name for name in WORLDS if LONG or name not in TABLE]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", TRIED)
def test_an_injected_fault_is_measured_as_it_was(name: str, seed: int) -> None:
    world = WORLDS[name](seed)
    sources = [d.source for d in world.devices]
    compare(values(report(world, days(world, sources))), count(world))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_flapping_link_is_off_by_at_most_half_a_sampling_step_an_outage(seed: int) -> None:
    """What is shorter than the distance of two looks is not seen exactly, and the rules say to which side it errs.

    A good poll speaks for its whole interval although the link may have failed in it (too high); a session is taken
    as dead from its last mark of life on (too low). Both by half a step in the mean.
    """
    off = spans(seed, 0.1, 20)
    polled, subscribed = pair(off=off)
    polled.source = device("press-1", "poll", KEEP_ALIVE_S)
    world = World(plan=plan(), devices=[polled, subscribed], seed=seed)
    found, truth = values(report(world, days(world, [d.source for d in world.devices]))), count(world)
    step = len(off) * (KEEP_ALIVE_S / 2 + RETRY_S) / SPAN
    for metric in ("C03", "A01"):
        true = share(truth[metric]["press-1"])
        assert true - TOLERANCE <= known(found["press-1"][metric].value) <= true + step + TOLERANCE
        true = share(truth[metric]["cnc-1"])
        assert true - step - TOLERANCE <= known(found["cnc-1"][metric].value) <= true + TOLERANCE
    for machine in ("press-1", "cnc-1"):
        assert found[machine]["Q01"].value == pytest.approx(1.0, abs=TOLERANCE)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("missed", [0.01, 0.05, 0.3])
def test_polls_that_fail_one_by_one_cost_one_interval_each(seed: int, missed: float) -> None:
    world = World(plan=plan(), devices=[Device(source=device("press-1", "poll", POLL_S), missed=missed)], seed=seed)
    found = values(report(world, days(world, [d.source for d in world.devices])))["press-1"]
    for metric in ("C03", "A01"):
        assert found[metric].value == pytest.approx(1 - missed, abs=TOLERANCE)
    assert found["Q01"].value == 1.0  # the link's fault, not the sensor's


def test_polls_slower_than_the_rule_allows_cover_one_interval_each() -> None:
    world = World(plan=plan(), devices=[Device(source=device("press-1", "poll", POLL_S), slow=0.25)])
    found = values(report(world, days(world, [d.source for d in world.devices])))["press-1"]
    assert found["A01"].value == pytest.approx(1 / 1.25, abs=TOLERANCE)
    assert found["Q01"].value == 1.0
