"""What we ourselves fail to see moves no score: agent off, back-off, clock, maintenance, broker, database."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.analyzers.latency import Latency
from readiness.combine import measure
from readiness.indicators import REGISTRY
from readiness.indicators.base import Census, Missing
from readiness.outcomes import outcome
from readiness.report import Assessment
from readiness.stats import Interval
from tests.readiness.plant import CALENDAR, SECOND, SITE
from tests.validity.ours import EVERYTHING, ONE, silenced
from tests.validity.rows import ROWS, TOLERANCE, number
from tests.validity.shop import Polled
from tests.validity.small import CALM, only, told

if TYPE_CHECKING:
    from agent.frame import GapCause
    from readiness.view import View
    from tests.validity.rows import Row

SHARE = 0.12
LONG = os.environ.get("TSQ_VALIDITY") == "1"
CAUSES = [EVERYTHING, ONE] if LONG else [EVERYTHING + ONE]


def limits(view: View, row: Row) -> tuple[float, float]:
    """Return the interval of what is found."""
    found = outcome(view, row.indicator, row.machine)
    assert not isinstance(found, Missing), (row.id, found.reason)
    if isinstance(found, Census):
        return found.value, found.value
    interval = measure([found], np.ones(1), 1)
    assert isinstance(interval, Interval)
    return interval.lo, interval.hi


@pytest.mark.parametrize("causes", CAUSES, ids="-".join)
def test_our_own_outages_move_no_score(causes: tuple[GapCause, ...]) -> None:
    base = told(*CALM)
    view = silenced(base.world, SHARE, causes).view()
    moved = []
    for row in ROWS:
        before = number(outcome(base.view, row.indicator, row.machine))
        after = number(outcome(view, row.indicator, row.machine))
        if before is None or after is None:
            found = outcome(view, row.indicator, row.machine)
            assert isinstance(found, Missing)
            # A link that is lost seldom enough has no quantile; jitter of days on which we were late is not judged,
            # nor a counter when it was we who were away at the end of the hand count.
            assert (row.id, found.reason) in {
                ("X01", "NA_FEW_EVENTS"), ("A06", "NA_SELF_FAULT"), ("V02", "NA_SELF_FAULT"),
            }  # fmt: skip
            continue
        low, high = limits(view, row)
        if abs(after - before) > TOLERANCE and not low <= before <= high:
            moved.append((row.id, row.machine, before, after))
    assert not moved


def test_the_same_silence_untold_is_held_against_the_factory() -> None:
    """Else the test above would prove nothing."""
    base = told(*CALM)
    quiet = silenced(only(base.world, "press-1", "robot-1"), SHARE, EVERYTHING)
    quiet.extra = []
    view = quiet.view()
    for name, machine in (("C03", "robot-1"), ("A01", "press-1"), ("V03", "press-1"), ("R02", "press-1")):
        row = next(r for r in ROWS if (r.id, r.machine) == (name, machine))
        before, after = (number(outcome(v, row.indicator, row.machine)) for v in (base.view, view))
        assert before is not None
        assert after is not None
        assert after < before - SHARE / 2


def test_a_broker_or_database_that_was_away_only_makes_entries_late_and_those_are_ours() -> None:
    """What was sent again or came from a backlog is counted apart; the rest of the plant is untouched by it."""
    stream = next(s for p in told(*CALM).world.parts for s in p.streams if p.machine == "lathe-1")
    assert isinstance(stream, Polled)
    edges = np.append(stream.time[:200], stream.time[200])
    counted = Latency(CALENDAR)
    late = [
        counted([block], int(block.time_ns[0]) + (3600 if k % 3 == 0 else 1) * SECOND, k % 3 > 0)
        for k, (_, block) in enumerate(stream.blocks(edges))
    ]
    keys = {key for tally in late for _, key in tally}
    assert keys == {"latency-edge/lathe-1", "latency-dirty/lathe-1"}
    clean = [counts for tally in late for (_, key), counts in tally.items() if key == "latency-edge/lathe-1"]
    assert len({bucket for counts in clean for bucket in counts}) == 1


def test_days_on_which_broker_or_database_was_away_move_no_score() -> None:
    """Nothing was lost: half of two days' entries came hours late out of the backlog, the evidence is the same."""
    view = told(*CALM).view
    struck = {d.isoformat() for d in view.dates[2:4]}
    tallies: dict[tuple[str, str], dict[int, int]] = {}
    for (day, key), counts in view.tallies.items():
        late = {bucket + 400: n // 2 for bucket, n in counts.items() if n > 1 and day in struck}
        tallies[day, key] = {bucket: n - late.get(bucket + 400, 0) for bucket, n in counts.items()}
        if late:
            tallies[day, key.replace("-edge", "-dirty")] = late
    after = replace(view, tallies=tallies)
    for row in ROWS:
        was, now = (number(outcome(v, row.indicator, row.machine)) for v in (view, after))
        if row.id != "A04":
            assert now == was, row.id
            continue
        low, high = limits(after, row)
        assert was is not None
        assert low <= was <= high
        assert {key for _, key in tallies} > {key for _, key in view.tallies}


def test_no_score_in_the_report_moves_by_more_than_its_interval() -> None:
    """All 45: the score before our own outages lies where the interval after them says it may lie."""
    base = told(*CALM)
    after = silenced(base.world, SHARE, EVERYTHING + ONE).view()
    one, two = (Assessment(v, SITE, "0" * 16) for v in (base.view, after))
    assert {row.id for row in ROWS} == set(REGISTRY)
    for row in ROWS:
        was, now = (each.value(row.id, row.machine) for each in (one, two))
        if was.score is None or now.score is None or now.value is None:
            assert now.reason in {"NA_SELF_FAULT", "NA_FEW_EVENTS"}, row
            continue
        ends = [x for x in (now.lo, now.hi, now.value) if x is not None]
        scores = [base.view.model.score(row.id, x) for x in ends]
        most = min(was.cap or 100.0, now.cap or 100.0)
        assert min(*scores, most) - 0.1 <= was.score <= max(scores) + 0.1, (row, was.score, now.score)
