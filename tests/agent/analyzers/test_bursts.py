"""Windows of fast reading: what is recognised, what is told of it, and what is not because it came unevenly."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.analyzers.bursts import MOST, PER_HOUR, Bursts
from agent.analyzers.evidence import make
from agent.frame import DataType, FrameBlock, Status, Watermark
from readiness.evidence import load
from tests.agent.analyzers.streams import CALENDAR, MINUTE, SECOND, START, source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.frame import Item, Source
    from readiness.records import Burst

HOUR = 60 * MINUTE
DAY = 24 * HOUR
TENTH = SECOND // 10
PLC = source("plc", "poll", 10 * SECOND, 1)
FAST = source("vib", "burst", TENTH, 2)
FAST = replace(
    FAST,
    protocol="modbus",
    signals=(
        replace(FAST.signals[0], dtype=DataType.FLOAT32),
        replace(FAST.signals[1], dtype=DataType.FLOAT32),
        replace(FAST.signals[1], id="door", dtype=DataType.BOOL),
    ),
)
SERVER = replace(FAST, protocol="opcua")


def wave(hertz: float, size: float = 1.0) -> Callable[[float], float]:
    """Return a sine in seconds."""
    return lambda t: size * float(np.sin(2 * np.pi * hertz * t))


def rows(
    times: Sequence[int], values: Sequence[Sequence[float | bool | None]], of: Source = FAST, stamps: object = None
) -> FrameBlock:
    """Return readings of all signals of a source, one list of values each."""
    count = len(values)
    flat = [values[n][k] for k in range(len(times)) for n in range(count)]
    return FrameBlock(
        source=of,
        signal=np.tile(np.arange(count, dtype=np.int32), len(times)),
        time_ns=np.repeat(np.array(times, np.int64), count),
        value=flat,
        status=np.array([Status.BAD_OUT_OF_RANGE if v is None else 0 for v in flat], np.uint32),
        source_ns=None if stamps is None else np.repeat(np.array(stamps, np.int64), count),
    )


def window(first: int, seconds: float, hertz: float = 1.3, *, jitter: int = 0, seed: int = 1) -> FrameBlock:
    """Return a window of readings ten times a second; s1 does not move."""
    rng = random.Random(seed)
    times = [first + k * TENTH + rng.randrange(-jitter, jitter + 1) for k in range(round(seconds * 10))]
    move = wave(hertz)
    return rows(times, [[move((t - first) / 1e9) for t in times], [4.0] * len(times), [False] * len(times)])


def day(items: Sequence[Item], sources: Sequence[Source] = (PLC, FAST)) -> dict[str, list[Burst]]:
    """Return the bursts of the first day, closed by a poll beside."""
    evidence = make(sources, CALENDAR)
    evidence.feed([*items, Watermark(PLC.id, START)])
    evidence.feed([Watermark(PLC.id, START + DAY + HOUR)])
    return load(evidence.take_closed()["2026-11-23"]).bursts


def test_windows_are_told_apart_by_pauses() -> None:
    found = day([window(START + k * 600 * SECOND, 60, hertz) for k, hertz in enumerate((0.5, 1.3, 3.0))])
    assert [*found] == ["press-1/s0", "press-1/s1"]
    moving = found["press-1/s0"]
    assert [b.begin_ms for b in moving] == [0, 600_000, 1_200_000]
    assert {(b.length_ms, b.n, b.rate_hz) for b in moving} == {(59_900, 600, 10.0)}
    assert [b.f95_hz for b in moving] == pytest.approx([0.5, 1.3, 3.0], abs=0.02)
    assert {(b.f95_hz, b.flat) for b in found["press-1/s1"]} == {(0.0, 0.0)}


@pytest.mark.parametrize(("seconds", "told"), [(6.3, 0), (6.4, 1)])
def test_a_window_has_at_least_64_readings(seconds: float, told: int) -> None:
    assert len(day([window(START, seconds)]).get("press-1/s0", [])) == told


@pytest.mark.parametrize(("pause", "windows"), [(2.9, 1), (3.1, 2)])
def test_three_intervals_end_a_window(pause: float, windows: int) -> None:
    second = START + 199 * TENTH + round(pause * TENTH)
    assert len(day([window(START, 20), window(second, 20)])["press-1/s0"]) == windows


def test_jitter_and_some_missing_readings_do_no_harm() -> None:
    whole = window(START + SECOND, 60, jitter=TENTH // 8)
    keep = np.repeat(np.arange(600) % 37 != 5, 3)
    holes = FrameBlock(
        source=FAST,
        signal=whole.signal[keep],
        time_ns=whole.time_ns[keep],
        value=[v for v, k in zip(whole.value, keep, strict=True) if k],
        status=whole.status[keep],
    )
    (burst,) = day([holes])["press-1/s0"]
    assert burst.f95_hz == pytest.approx(1.3, abs=0.02)
    assert burst.n == keep.sum() // 3


@pytest.mark.parametrize("kind", ["uneven", "every third missing"])
def test_uneven_readings_tell_no_frequency(kind: str) -> None:
    if kind == "uneven":
        block = window(START, 60, jitter=TENTH * 45 // 100)
    else:
        whole = window(START, 60)
        keep = np.repeat(np.arange(600) % 3 != 1, 3)
        block = FrameBlock(
            source=FAST,
            signal=whole.signal[keep],
            time_ns=whole.time_ns[keep],
            value=[v for v, k in zip(whole.value, keep, strict=True) if k],
            status=whole.status[keep],
        )
    assert day([block]) == {}


def test_bad_readings_are_missing_ones() -> None:
    times = [START + k * TENTH for k in range(600)]
    good = [wave(2.0)(k / 10) for k in range(600)]
    some = [None if k % 50 == 7 else v for k, v in enumerate(good)]
    many = [None if k % 5 == 2 else v for k, v in enumerate(good)]
    found = day([rows(times, [some, many])])
    assert [*found] == ["press-1/s0"]
    assert found["press-1/s0"][0].n == 588
    assert found["press-1/s0"][0].f95_hz == pytest.approx(2.0, abs=0.02)


def test_the_end_of_the_day_ends_a_window() -> None:
    first = START + DAY - 30 * SECOND
    evidence = make((PLC, FAST), CALENDAR)
    evidence.feed([window(first, 60), Watermark(PLC.id, START), Watermark(PLC.id, START + 2 * DAY + HOUR)])
    days = [load(raw) for raw in evidence.take_closed().values()]
    assert [d.bursts["press-1/s0"][0].n for d in days] == [300, 300]
    assert [d.bursts["press-1/s0"][0].begin_ms for d in days] == [86_370_000, 0]


def test_a_window_without_end_is_cut() -> None:
    found = day([window(START, (MOST + 100) / 10)])["press-1/s0"]
    assert [b.n for b in found] == [MOST, 100]


def test_only_so_many_windows_an_hour_are_kept() -> None:
    found = day([window(START + k * 20 * SECOND, 7) for k in range(200)])["press-1/s0"]
    assert [b.begin_ms for b in found] == [
        hour * 3_600_000 + k * 20_000 for hour in (0, 1) for k in range(PER_HOUR)
    ]


@pytest.mark.parametrize("seed", range(6))
def test_cuts_and_kills_change_nothing(seed: int) -> None:
    rng = random.Random(seed)
    blocks = [window(START + k * 300 * SECOND, rng.choice((5, 20, 61)), rng.uniform(0.2, 4)) for k in range(8)]
    blocks.append(window(START + DAY - 8 * SECOND, 20))
    pieces = []
    for block in blocks:
        at = 0
        while at < len(block):
            part = slice(at, at := at + rng.choice((1, 3, 50, 700)))
            pieces.append(
                FrameBlock(
                    source=FAST,
                    signal=block.signal[part],
                    time_ns=block.time_ns[part],
                    value=block.value[part],
                    status=block.status[part],
                )
            )
    whole, killed = make((PLC, FAST), CALENDAR), make((PLC, FAST), CALENDAR)
    mark = [Watermark(PLC.id, START)]
    whole.feed([*mark, *blocks])
    killed.feed(mark)
    for piece in pieces:
        killed.feed([piece])
        if rng.random() < 0.1:
            killed = make((PLC, FAST), CALENDAR, killed.state())
    assert whole.state() == killed.state()
    ends = [Watermark(PLC.id, START + DAY + HOUR)]
    whole.feed(ends)
    killed.feed(ends)
    assert whole.take_closed() == killed.take_closed()
    assert whole.state() == killed.state()


def told(
    first: int, seconds: float, values: Callable[[float], float], *, sampling: int, offset: int, wobble: int
) -> FrameBlock:
    """Return what a server tells of a signal that it samples so often: changes only, in answers each 100 ms."""
    rng = random.Random(5)
    out: list[tuple[int, int, float]] = []
    before: float | None = None
    for k in range(round(seconds * 1e9) // sampling):
        sampled = first + k * sampling + rng.randrange(wobble + 1)
        value = values((sampled - first) / 1e9)
        if value != before:
            came = first + -(-(sampled - first) // TENTH) * TENTH + 3_000_000
            out.append((max(came, out[-1][0] + 1000) if out else came, sampled + offset, value))
        before = value
    # the first value of a subscription was sampled when it last changed, long ago
    out[0] = (out[0][0], out[0][1] - 3600 * SECOND, out[0][2])
    return FrameBlock(
        source=SERVER,
        signal=np.zeros(len(out), np.int32),
        time_ns=np.array([o[0] for o in out], np.int64),
        value=[o[2] for o in out],
        status=np.zeros(len(out), np.uint32),
        source_ns=np.array([o[1] for o in out], np.int64),
    )


@pytest.mark.parametrize("offset", [0, 7 * SECOND, -3600 * SECOND])
@pytest.mark.parametrize("hertz", [0.3, 1.3, 4.0])
def test_a_server_that_tells_changes_is_told_by_when_it_sampled(hertz: float, offset: int) -> None:
    move = wave(hertz)
    block = told(START, 60, lambda t: round(10 * move(t), 1), sampling=TENTH // 2, offset=offset, wobble=3_000_000)
    (burst,) = day([block], (PLC, SERVER))["press-1/s0"]
    assert burst.rate_hz == pytest.approx(20, rel=0.01)
    assert burst.n == pytest.approx(1200, abs=3)
    assert burst.f95_hz == pytest.approx(hertz, abs=0.03)


def test_steps_that_a_server_tells_seldom_are_held_between() -> None:
    """A level that rises each 0.5 s and falls back each 4 s: its power lies at 0.25 Hz and multiples."""
    block = told(START, 64, lambda t: float(t % 4 // 0.5), sampling=TENTH, offset=0, wobble=0)
    (burst,) = day([block], (PLC, SERVER))["press-1/s0"]
    truth = np.array([float((k / 10 + 1e-9) % 4 // 0.5) for k in range(640)])
    power = np.abs(np.fft.rfft(truth - truth.mean())) ** 2
    wanted = np.searchsorted(np.cumsum(power), 0.95 * power.sum()) * 10 / 640
    assert burst.f95_hz == pytest.approx(wanted, abs=0.3)


def test_a_server_without_times_of_its_own_tells_no_frequency() -> None:
    block = told(START, 60, wave(1.0), sampling=TENTH, offset=0, wobble=0)
    assert day([replace(block, source_ns=None)], (PLC, SERVER)) == {}


def test_a_clock_that_was_ahead_leaves_no_window() -> None:
    bursts = Bursts(lambda t: (t // DAY * DAY, (t // DAY + 1) * DAY))
    bursts.block(window(START + 9 * DAY, 20), 0)
    bursts.set_back(START + DAY)
    bursts.block(window(START, 20), 0)
    assert [b.n for b in bursts.close(START // DAY * DAY, (START // DAY + 1) * DAY)["press-1/s0"]] == [200]
