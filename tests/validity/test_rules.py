"""Whatever happens: our own faults are not held against the factory, and less evidence never scores more."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from agent.analyzers.evidence import make
from agent.analyzers.latency import Latency
from agent.frame import FrameBlock
from readiness.evidence import load
from readiness.inventory import Machine
from tests.validity.plant import calendar, days, report, values
from tests.validity.test_injection import (
    DAY_S,
    DAYS,
    METRICS,
    POLL_S,
    SEEDS,
    TOLERANCE,
    compare,
    known,
    pair,
    plan,
    shift,
    spans,
)
from tests.validity.world import SECOND, Device, Span, World, block, count, device, observe

ALL = ("C01", "C03", "A01", "A04", "Q01", "Q09", "S01")


def measured(world: World, **how: object) -> dict:  # type: ignore[type-arg]
    return values(report(world, days(world, [d.source for d in world.devices], **how)))  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", SEEDS)
def test_our_own_outages_lower_no_score(seed: int) -> None:
    worlds = [
        World(plan=plan(), devices=pair(off=spans(seed, 0.05, 900)), agent_off=off, seed=seed)
        for off in ((), spans(seed + 3, 0.2, 2000))
    ]
    whole, part = (measured(world) for world in worlds)
    for machine in (None, "press-1", "cnc-1"):
        for metric in METRICS:
            assert part[machine][metric].value == pytest.approx(whole[machine][metric].value, abs=0.015)


def test_days_that_we_have_not_seen_show_in_coverage_and_nowhere_else() -> None:
    off = [shift(d, -1, 13) for d in (1, 2)]
    whole, part = (measured(World(plan=plan(), devices=pair(), agent_off=o)) for o in ((), off))
    for metric in METRICS:
        assert part[None][metric].value == pytest.approx(whole[None][metric].value, abs=1e-3)
        assert part[None][metric].coverage < whole[None][metric].coverage
        assert part[None][metric].n == whole[None][metric].n - 2


@pytest.mark.parametrize("seed", SEEDS)
def test_more_gaps_never_raise_completeness_or_availability(seed: int) -> None:
    rng, lost = random.Random(seed), list[Span]()
    before = {m: dict.fromkeys(("A01", "C03"), math.inf) for m in (None, "press-1", "cnc-1")}
    for _ in range(3):
        found = measured(World(plan=plan(), devices=pair(off=list(lost)), seed=seed))
        for machine, last in before.items():
            for metric in last:
                # The subscription's own outages end with the retry that finds the device, a second or two apart.
                assert found[machine][metric].value <= last[metric] + 2e-4, (machine, metric)
                last[metric] = found[machine][metric].value
        lost += spans(rng.randrange(1000), 0.04, 1500)


def test_polls_that_are_taken_away_never_raise_anything_to_the_nanosecond() -> None:
    world = World(plan=plan(days=2), devices=[Device(source=device("press-1", "poll", 60), jitter=0.4)])
    rows = [item for hour in observe(world) for item in hour if isinstance(item, FrameBlock)]
    rng = random.Random(5)
    kept = [list(range(sum(len(whole) // 2 for whole in rows)))]
    before = math.inf
    for _ in range(5):
        evidence = make([world.devices[0].source], calendar(world))
        number = 0
        for whole in rows:
            here = [k - number for k in kept[-1] if number <= k < number + len(whole) // 2]
            number += len(whole) // 2
            chosen = [(int(whole.time_ns[2 * k]), s, 0) for k in here for s in (0, 1)]
            if chosen:
                evidence.feed([block(whole.source, chosen)])
        known = sum(
            day.spans(source.spans[signal.known]).length()
            for day in map(load, evidence.take_closed().values())
            for source in day.sources
            for signal in source.signals.values()
            if signal.known >= 0
        )
        assert 0 < known <= before
        before = known
        kept.append(sorted(rng.sample(kept[-1], len(kept[-1]) * 9 // 10)))


@pytest.mark.parametrize("mode", ["poll", "subscription"])
def test_a_dead_tag_raises_nothing_and_is_missed(mode: str) -> None:
    alive = Device(source=device("press-1", mode, POLL_S, 2))
    three = device("press-1", mode, POLL_S, 3)
    whole = {2: [(0, 2 * DAYS * DAY_S)]}
    dead = Device(source=three, bad=whole) if mode == "poll" else Device(source=three, silent=frozenset({2}))
    worlds = [World(plan=plan(), devices=[d]) for d in (alive, dead)]
    before, after = (measured(world) for world in worlds)
    for metric in ALL:
        old, new = before[None][metric], after[None][metric]
        assert new.value is None or (old.value is not None and new.value <= old.value), metric
    assert after[None]["A01"].value == pytest.approx(before[None]["A01"].value * 2 / 3, abs=TOLERANCE)
    compare(after, count(worlds[1]))


def test_another_unit_of_the_same_kind_leaves_every_score() -> None:
    found = []
    for unit in ("mm", "cm"):
        source = device("press-1", "poll", POLL_S)
        source = replace(source, signals=tuple(replace(s, unit=unit) for s in source.signals))
        said = measured(World(plan=plan(), devices=[Device(source=source)]))
        # What it rests on is another configuration, so its hash is another one, too.
        found.append({(m, v.metric): (v.value, v.score, v.reason, v.flags) for m in said for v in said[m].values()})
    assert found[0] == found[1]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_process_killed_again_and_again_leaves_the_same_bytes(seed: int) -> None:
    world = World(
        plan=plan(), devices=pair(off=spans(seed, 0.05, 900), bad={0: spans(seed, 0.1, 900)}), seed=seed,
        agent_off=spans(seed + 1, 0.05, 600),
    )  # fmt: skip
    sources = [d.source for d in world.devices]
    assert days(world, sources, kills=random.Random(seed)) == days(world, sources)


def test_readings_behind_their_closed_day_are_counted_and_change_nothing_else() -> None:
    world = World(plan=plan(), devices=pair())
    sources = [d.source for d in world.devices]

    def late(hours: list) -> list:  # type: ignore[type-arg]
        moved = [i for i in hours[50] if isinstance(i, FrameBlock)]
        hours[50] = [i for i in hours[50] if not isinstance(i, FrameBlock)]
        return [*hours[:90], moved + hours[90], *hours[91:]]

    def lost(hours: list) -> list:  # type: ignore[type-arg]
        return [*hours[:50], [i for i in hours[50] if not isinstance(i, FrameBlock)], *hours[51:]]

    came, never = days(world, sources, late), days(world, sources, lost)
    assert sum(s.late for day in came.values() for s in load(day).sources) >= 2 * 3600 // POLL_S
    for metric in METRICS:
        a, b = (values(report(world, evidence))[None][metric] for evidence in (came, never))
        assert (a.value, a.lo, a.hi) == (b.value, b.lo, b.hi) or a.value == pytest.approx(b.value, abs=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_configuration_changed_in_the_middle_of_a_day_is_measured_as_it_was(seed: int) -> None:
    change, off = shift(7, 5, 5)[0], spans(seed, 0.1, 1500)
    old = Device(source=device("press-1", "poll", 60), off=off, end=change)
    new = Device(source=device("press-1", "poll", 90, 3), off=off, begin=change, bad={2: spans(seed + 1, 0.3, 900)})
    world = World(plan=plan(), devices=[old, new], seed=seed)
    evidence, found, configured = make([old.source], calendar(world)), dict[str, bytes](), False
    for number, hour in enumerate(observe(world)):
        if not configured and number * 3600 >= change:
            evidence, configured = make([new.source], calendar(world), evidence.state()), True
        evidence.feed(hour)
        found.update(evidence.take_closed())
    compare(values(report(world, found, [new.source])), count(world))


def none_but(found: dict, metrics: tuple[str, ...], reason: str) -> None:  # type: ignore[type-arg]
    """What is not assessed has a reason and nothing that could be taken for a number."""
    for machine in (None, "press-1", "cnc-1"):
        for metric in metrics:
            value = found[machine][metric]
            assert (value.value, value.score, value.lo, value.hi) == (None, None, None, None), metric
            assert value.reason == reason, (metric, value.reason)


def test_evidence_that_is_taken_away_leaves_a_reason_and_no_number() -> None:
    world = World(plan=plan(), devices=pair())
    sources = [d.source for d in world.devices]
    whole = days(world, sources)
    nine = {
        day: raw
        for k, (day, raw) in enumerate(sorted(d for d in whole.items() if date.fromisoformat(d[0]).weekday() < 5))
        if k < 9
    }
    none_but(values(report(world, nine)), ("C01", *METRICS), "NA_SHORT_WINDOW")
    none_but(values(report(world, {})), (*METRICS, "C01", "A04", "S01"), "NA_NO_EVIDENCE")
    unplanned = World(plan=plan(planned={}), devices=world.devices)
    none_but(values(report(unplanned, whole)), (*METRICS, "C01", "A04"), "NA_NO_SCHEDULE")
    absent = World(plan=plan(), devices=pair(), agent_off=[shift(d, 0, 7) for d in range(2, DAYS)])
    none_but(measured(absent), ("C01", *METRICS), "NA_SELF_FAULT")
    declared = [Machine(m, m) for m in ("press-1", "cnc-1", "saw-1")]
    found = values(report(world, whole, inventory=declared))
    for metric in METRICS:
        assert found["saw-1"][metric].value is None
        assert found["saw-1"][metric].reason == "NA_NO_EVIDENCE"
        assert found[None][metric].value == pytest.approx(1.0, abs=TOLERANCE)
        assert found[None][metric].coverage == pytest.approx(2 / 3 * found["press-1"][metric].coverage, abs=1e-5)
    assert found[None]["C01"].value == pytest.approx(2 / 3, abs=1e-6)
    assert found[None]["C01"].score is not None


@pytest.mark.parametrize("skew_s", [0.0, -30.0])
def test_latency_is_the_95th_percentile_of_all_delays_and_none_for_a_clock_that_runs_ahead(skew_s: float) -> None:
    world, rng = World(plan=plan(), devices=pair()), random.Random(3)
    source, delays, tallies = world.devices[1].source, list[float](), dict[tuple[str, str], dict[int, int]]()
    counted = Latency(calendar(world))
    for day in range(DAYS):
        for _ in range(400):
            delay = rng.lognormvariate(0.5, 1.0) + skew_s
            taken = (world.start_s + day * DAY_S + rng.randrange(8 * 3600)) * SECOND
            row = replace(block(source, [(taken, 0, 0)]), source_ns=np.array([taken - SECOND // 10], np.int64))
            committed = taken - SECOND // 10 + int(delay * SECOND)
            for key, buckets in counted([row], committed, True).items():
                for bucket, n in buckets.items():
                    tallies.setdefault(key, {})[bucket] = tallies.setdefault(key, {}).get(bucket, 0) + n
            if date.fromordinal(world.plan.first.toordinal() + day).weekday() < 5:
                delays.append(delay)
    found = values(report(world, {}, tallies=tallies))["cnc-1"]["A04"]
    if skew_s:
        assert (found.value, found.reason) == (None, "NA_CLOCK")
        return
    truth = sorted(delays)[math.ceil(0.95 * len(delays)) - 1]
    assert found.value == pytest.approx(truth, rel=0.02)
    assert known(found.lo) <= truth <= known(found.hi)


def test_a_machine_connected_last_week_has_a_short_window_and_that_is_nobodys_fault() -> None:
    old, new = pair()
    new.begin = shift(9, 2, 2)[0]
    found = measured(World(plan=plan(), devices=[old, new]))
    for metric in ("C01", *METRICS):
        assert found["press-1"][metric].value == pytest.approx(1.0, abs=TOLERANCE)
        assert found["cnc-1"][metric].reason == "NA_SHORT_WINDOW"
    new.begin = shift(DAYS, 1, 1)[0]
    found = measured(World(plan=plan(), devices=[old, new]))
    assert {found["cnc-1"][metric].reason for metric in ("C01", *METRICS)} == {"NA_NO_EVIDENCE"}
