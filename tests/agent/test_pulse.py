"""When the watchdog is fed, and when not: the service manager then starts a new process."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from agent.pulse import PATIENCE_NS, Pulse, patience_ns
from tests.support.items import source

if TYPE_CHECKING:
    from agent.frame import Source

S = 10**9
EVERY = 15 * S


def of(mode: str, interval_ns: int = S) -> Source:
    return dataclasses.replace(source("plc.main"), mode=mode, interval_ns=interval_ns)  # type: ignore[arg-type]


def fed(
    pulse: Pulse, seconds: range, *, still_from: int, patience: int | None, dead_from: int = 10**6
) -> list[int]:
    """Return the seconds in which it was fed."""
    return [
        second
        for second in seconds
        if pulse.due(second * S, min(second, still_from), patience, threads=second < dead_from)
    ]


def test_it_is_fed_a_few_times_within_its_time_while_readings_come() -> None:
    assert fed(Pulse(EVERY), range(61), still_from=100, patience=PATIENCE_NS) == [0, 15, 30, 45, 60]


def test_it_is_not_fed_when_nothing_comes_any_more_and_again_when_something_does() -> None:
    pulse = Pulse(EVERY)
    seconds = fed(pulse, range(400), still_from=100, patience=PATIENCE_NS)
    assert 100 + PATIENCE_NS // S - 15 <= seconds[-1] <= 100 + PATIENCE_NS // S
    assert pulse.due(401 * S, 101, PATIENCE_NS, threads=True)


def test_a_thread_that_has_died_is_enough() -> None:
    assert fed(Pulse(EVERY), range(100), still_from=100, patience=PATIENCE_NS, dead_from=31) == [0, 15, 30]


def test_nobody_who_watches_is_never_fed() -> None:
    assert fed(Pulse(None), range(100), still_from=100, patience=None) == []


@pytest.mark.parametrize(
    ("sources", "patience"),
    [
        ([], None),
        ([of("burst")], None),
        ([of("poll")], PATIENCE_NS),
        ([of("burst"), of("poll", 3600 * S), of("subscription", 600 * S)], 1800 * S),
    ],
)
def test_patience_is_that_of_the_quickest_source_which_is_read_all_the_time(
    sources: list[Source], patience: int | None
) -> None:
    assert patience_ns(sources) == patience
    if patience is None:
        assert len(fed(Pulse(EVERY), range(4000), still_from=0, patience=None)) > 200
