"""What is kept narrow while it fits: no number is lost where it does not, and nobody writes to what is shared."""

from __future__ import annotations

from collections import Counter

import msgspec
import numpy as np
import pytest

from agent.analyzers import countday, trackday
from agent.analyzers.countday import CountDay
from agent.analyzers.sketches import Sketches
from agent.analyzers.timeline import Timeline
from readiness.records import QUARTER_NS
from readiness.sketch import pairs

SECOND = 1_000_000_000
DAY = 86_400 * SECOND


@pytest.mark.parametrize(
    ("tall", "heaviest", "beyond"),
    [(5, 1, 0), (40_000, 1, 16), (40_000, 100, 16), (40_000, 2**40, 53), (5, 2**57, 53)],
)
def test_sketches_count_exactly_beyond_sixteen_bits_and_beyond_what_a_float_holds(
    tall: int, heaviest: int, beyond: int
) -> None:
    rng = np.random.default_rng(tall)
    expected: Counter[tuple[int, int]] = Counter()
    found = Sketches(kind=np.int64)
    for _ in range(12):
        signal = np.sort(rng.integers(0, 4, tall))
        bucket = np.where(rng.random(tall) < 0.9, 0, rng.integers(-4000, 4000, tall))
        weight = rng.integers(1, heaviest + 1, tall)
        found.add(signal, bucket, None if heaviest == 1 else weight)
        for s, b, w in zip(signal.tolist(), bucket.tolist(), weight.tolist(), strict=True):
            expected[s, b] += w
        if rng.random() < 0.5:
            kept = msgspec.json.decode(msgspec.json.encode(found.state()))
            found = Sketches(kind=np.int64)
            found.restore(kept)
    rows = {(s, b): n for s, flat in found.each() for b, n in pairs(flat).items()}
    assert rows == expected
    assert max(expected.values()) > 2**beyond
    found.forget(2)
    assert {s for s, _ in found.each()} == {0, 1, 3}


def test_a_counter_counts_exactly_over_32_bits_and_gives_up_over_64() -> None:
    rng = np.random.default_rng(5)
    day, expected = CountDay(0, 0), Counter[int]()
    for quarter in np.sort(rng.integers(0, 96, 400)).tolist():
        number = int(rng.integers(1, 2**30)) if quarter < 50 else int(rng.integers(1, 2**44))
        day.add("counted", quarter, number)
        expected[quarter] += number
        if rng.random() < 0.1:
            day = CountDay.restored(msgspec.json.decode(msgspec.json.encode(day.state())))
    assert pairs(countday.merged(day.counted)) == expected
    assert max(expected.values()) > 2**31
    with pytest.raises(OverflowError):
        day.add("counted", 95, 2**63 - 1)


def test_steps_back_of_unsigned_64_bits_are_kept_as_they_are() -> None:
    day = CountDay(0, 0)
    day.step_back(5 * SECOND, 9, 7)
    day.step_back(6 * SECOND, 2**64 - 1, 0)
    again = CountDay.restored(msgspec.json.decode(msgspec.json.encode(day.state())))
    assert list(again.back) == list(day.back) == [5000, 9, 7, 6000, 2**64 - 1, 0]


def test_what_all_share_is_never_written_to() -> None:
    counter, other = CountDay(0, 0), CountDay(0, 0)
    counter.rest(1, 2)
    counter.wait(1, 2, 3, 4)
    counter.step_back(1, 2, 1)
    for name in ("counted", "blind", "single"):
        counter.add(name, 3, 4)
    counter.give_up()
    counter.rest(1, 2)
    line = Timeline(20)
    for second in range(3000):  # more than are kept whole: it is cut, summed up, and at last given up
        if not line.say(second * SECOND, second % 3 if second < 2000 else second, 0, DAY):
            break
        if second == 500:
            line.fall_silent(500 * SECOND, 0, DAY)
    assert second == 2005, "with the ninth label"
    line.drop(DAY)
    line.wake(DAY, "on", known=True)
    line.say(DAY + SECOND, "off", DAY, 2 * DAY)
    assert line.state()[2] == ["on", "off"], "labels of a day that was given up are gone"
    assert [len(a) for a in (trackday.NUMBERS, countday.NONE_YET)] == [0] * 2
    assert not trackday.NO_COUNTS
    assert not any(getattr(other, name) for name in countday.ARRAYS)
    assert QUARTER_NS * 96 == DAY
