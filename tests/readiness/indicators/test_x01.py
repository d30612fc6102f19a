"""X01 Recovery time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from readiness.combine import pooled
from readiness.indicators.base import Buckets, Missing
from readiness.indicators.x01 import INDICATOR, outages
from readiness.schedule import Calendar
from readiness.spans import Spans, difference, union
from tests.readiness.indicators.made import DAYS, device, near, outcome, part, record, view, whole
from tests.readiness.plant import DAY, HOUR, MINUTE, SECOND, START, planned, signal, source

if TYPE_CHECKING:
    from agent.frame import Source
    from readiness.evidence import DayEvidence
    from readiness.indicators.base import Outcome

PRESS = source("press")
EVER = Spans.between(START, START + DAYS * DAY)


def plant(dead: Spans, *sources: Source, censored: dict[str, dict[str, Spans]] | None = None) -> list[DayEvidence]:
    """Return days on which the first source was away when it says so."""
    found = []
    for day in range(DAYS):
        start = START + day * DAY
        away = {
            cause: {s: packed for s, spans in of.items() if (packed := spans.clip(start, start + DAY).pack(start))}
            for cause, of in (censored or {}).items()
        }
        first, *others = sources or (PRESS,)
        parts = [part(first, day, live=difference(whole(day), dead)), *(part(s, day) for s in others)]
        found.append(record(day, parts, censored={c: of for c, of in away.items() if of}))
    return found


def brute(dead: Spans, censored: Spans, limit_s: float) -> list[int]:
    """Return the planned seconds of each outage, second by second."""
    seconds = np.arange(0, DAYS * 86_400)
    in_day = seconds % 86_400
    open_ = (in_day < 12 * 3600) & (seconds // 86_400 % 7 < 5)

    def mask(spans: Spans) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        row = np.zeros(len(seconds), np.bool_)
        for a, b in spans:
            row[(a - START) // SECOND : (b - START) // SECOND] = True
        return row

    counts, gone = open_ & ~mask(censored), mask(dead)
    lengths: list[int] = []
    run = 0
    for away, counted in zip(gone.tolist(), counts.tolist(), strict=True):
        if away:
            run += counted
        elif run:
            lengths.append(run)
            run = 0
    return [n for n in [*lengths, run] if n > limit_s]


@pytest.mark.parametrize("seed", range(4))
def test_outages_are_those_that_a_count_by_the_second_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    starts = START + rng.integers(0, DAYS * 86_400, 60) * SECOND
    dead = Spans.of((int(s), int(s + n * SECOND)) for s, n in zip(starts, rng.integers(5, 30_000, 60), strict=True))
    dead = dead.clip(START, START + DAYS * DAY)
    ours = Spans.of((int(s), int(s + 900 * SECOND)) for s in START + rng.integers(0, DAYS * 86_400, 10) * SECOND)
    ours = ours.clip(START, START + DAYS * DAY)
    records = plant(dead, censored={"agent_off": {"*": ours}})
    truth = brute(dead, ours, 72.0)
    found = outages(view([PRESS], records), "press")
    assert sorted(round(o.planned_ns / SECOND) for o in found) == sorted(truth)
    said = outcome(INDICATOR, [PRESS], records)
    assert isinstance(said, Buckets)
    assert sum(sum(day.values()) for day in said.days) == len(truth) == said.shown["outages"]
    exact = np.sort(truth)[int(np.ceil(0.9 * len(truth))) - 1]
    assert near(said.days, said.quantile) == pytest.approx(exact, rel=0.02)
    assert said.shown["longest_s"] == max(truth)
    assert said.shown["total_s"] == sum(truth)


def test_a_missed_reading_is_no_outage_and_cannot_thin_out_the_long_ones() -> None:
    long = [(planned(day, 2), planned(day, 3)) for day in range(7) if day < 5]
    missed = [(planned(day, 4) + k * HOUR // 4, planned(day, 4) + k * HOUR // 4 + MINUTE) for day in range(5)
              for k in range(20)]  # fmt: skip
    said = outcome(INDICATOR, [PRESS], plant(Spans.of(long + missed)))
    assert isinstance(said, Buckets)
    assert said.shown["outages"] == 5
    assert near(said.days, said.quantile) == pytest.approx(3600, rel=0.02)


def test_restarts_by_night_cost_nothing_and_a_night_does_not_lengthen_an_outage() -> None:
    nights = [(planned(day, 13), planned(day, 20)) for day in range(5)]
    assert outcome(INDICATOR, [PRESS], plant(Spans.of(nights))) == Missing("NA_FEW_EVENTS")
    late = [
        (planned(day, 11.75), planned(day + 1, 0.25)) for day in (0, 1, 2, 7, 8)
    ]  # 15 minutes, a night, 15 more
    said = outcome(INDICATOR, [PRESS], plant(Spans.of(late)))
    assert isinstance(said, Buckets)
    assert near(said.days, said.quantile) == pytest.approx(1800, rel=0.02)


@pytest.mark.parametrize("cause", ["agent_off", "waiting", "clock", "maintenance"])
def test_our_own_outages_are_none(cause: str) -> None:
    away = [(planned(day, 2), planned(day, 3)) for day in range(DAYS) if day % 7 < 5]
    ours = Spans.of(away)
    records = plant(ours, censored={cause: {"*": ours}})
    assert outcome(INDICATOR, [PRESS], records) == Missing("NA_FEW_EVENTS")


def test_fewer_than_five_are_a_list_and_no_number() -> None:
    dead = Spans.of((planned(day, 2), planned(day, 2.5)) for day in (0, 1, 2, 3))
    records = plant(dead)
    said = outcome(INDICATOR, [PRESS], records)
    assert said == Missing("NA_FEW_EVENTS")
    assert said.shown["lengths_s"] == "1800.0, 1800.0, 1800.0, 1800.0"
    assert [o.planned_ns // SECOND for o in outages(view([PRESS], records), "press")] == [1800] * 4
    assert isinstance(outcome(INDICATOR, [PRESS], plant(union(dead, Spans.between(planned(4, 2), planned(4, 3))))),
                      Buckets)  # fmt: skip


def test_a_link_is_away_when_no_source_of_its_device_is_alive() -> None:
    dead = Spans.of((planned(day, 2), planned(day, 2.5)) for day in range(DAYS) if day % 7 < 5)
    second = replace(PRESS, id="press-plc.slow", signals=(signal("press", 5),))
    assert outcome(INDICATOR, [PRESS, second], plant(dead, PRESS, second)) == Missing("NA_FEW_EVENTS")
    other = device(PRESS, "gauge", signals=(signal("press", 5),))
    said = outcome(INDICATOR, [PRESS, other], plant(dead, PRESS, other))
    assert isinstance(said, Buckets)
    assert said.shown["outages"] == 20


def test_it_is_missing_when_evidence_is_withheld() -> None:
    dead = Spans.of((planned(day, 2), planned(day, 2.5)) for day in range(DAYS) if day % 7 < 5)
    assert outcome(INDICATOR, [PRESS], []) == Missing("NA_NO_EVIDENCE")
    assert outcome(INDICATOR, [PRESS], plant(dead)[-7:]) == Missing("NA_SHORT_WINDOW")
    looked = view([PRESS], plant(dead))
    looked.calendar = Calendar("Asia/Seoul", looked.calendar.day_start)
    assert INDICATOR.evaluate(looked, "press") == Missing("NA_NO_SCHEDULE")
    off = plant(dead, censored={"agent_off": {"*": EVER}})
    assert outcome(INDICATOR, [PRESS], off) == Missing("NA_SELF_FAULT")


def test_outages_of_machines_that_have_few_are_enough_together() -> None:
    found: dict[str, tuple[float, Outcome]] = {}
    for k, (name, hours) in enumerate((("a", 0.5), ("b", 1.0), ("c", 0.25))):
        dead = Spans.of((planned(day, 2), planned(day, 2 + hours)) for day in (k, k + 7))
        said = outcome(INDICATOR, [PRESS], plant(dead))
        assert said == Missing("NA_FEW_EVENTS")
        found[name] = (1.0 + k, said)
    found["d"] = (1.0, outcome(INDICATOR, [PRESS], plant(Spans.of([]))))
    both = pooled(dict(list(found.items())[:2]))
    assert all(isinstance(said, Missing) for _, said in both.values())  # four of two machines
    enough = pooled(found)
    together = enough["a"][1]
    assert isinstance(together, Buckets)
    assert enough["b"] == (2.0, together)
    assert enough["c"] == (3.0, together)
    assert isinstance(enough["d"][1], Missing)
    assert sum(sum(day.values()) for day in together.days) == 6
    assert near(together.days, together.quantile) == pytest.approx(3600, rel=0.02)


def test_two_machines_on_one_link_lose_it_once() -> None:
    """Four outages of one controller with two machines are four and no eight, and no quantile."""
    both = replace(PRESS, signals=(signal("press", 0), signal("lathe", 0)))
    dead = Spans.of((planned(day, 2), planned(day, 2.5)) for day in range(4))
    outcomes = {m: (1.0, outcome(INDICATOR, [both], plant(dead, both), machine=m)) for m in ("press", "lathe")}
    assert all(isinstance(said, Missing) for _, said in pooled(outcomes).values())
    more = Spans.of((planned(day, 4), planned(day, 5)) for day in (0, 1))
    own = outcome(INDICATOR, [PRESS], plant(more), machine="press")
    together = pooled({**outcomes, "saw": (1.0, own)})["press"][1]
    assert isinstance(together, Buckets)
    assert sum(sum(day.values()) for day in together.days) == 6


def test_a_session_that_was_lost_for_a_moment_is_an_outage_of_a_subscription() -> None:
    live = replace(PRESS, mode="subscription")
    brief = Spans.of((planned(day, 2), planned(day, 2) + 5 * SECOND) for day in range(DAYS) if day % 7 < 5)
    said = outcome(INDICATOR, [live], plant(brief, live))
    assert isinstance(said, Buckets)
    assert near(said.days, said.quantile) == pytest.approx(5, rel=0.02)
    assert outcome(INDICATOR, [PRESS], plant(brief)) == Missing("NA_FEW_EVENTS")
