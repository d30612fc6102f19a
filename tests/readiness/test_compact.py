"""Days in little memory say what whole days say: reports over 160 days, byte for byte."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from agent.analyzers.evidence import make
from agent.frame import DataType, FrameBlock, Signal, Source, Watermark
from contract.codec import encode
from readiness.compact import FAR, RESTED, WHOLE, Compact, level
from readiness.evidence import DayEvidence, Recorded, SignalDay, dump, load, read
from readiness.inventory import Machine
from readiness.plant import Bill, Meaning, configured
from readiness.report import assess
from tests.readiness.plant import CALENDAR, MINUTE, SITE, model

if TYPE_CHECKING:
    from agent.frame import Value

FIRST, DAYS, EVERY = date(2026, 2, 23), 160, 30
ROLES = {
    "state": ("state", DataType.INT16), "total": ("count_total", DataType.INT32),
    "bad": ("count_reject", DataType.INT32), "kwh": ("energy", DataType.FLOAT64),
    "alarm": ("alarm", DataType.BOOL), "lot": ("lot", DataType.STRING),
    "temp": ("pv", DataType.FLOAT64), "press": ("pv", DataType.FLOAT64), "level": ("pv", DataType.INT32),
}  # fmt: skip
SOURCES = [
    Source(
        id=f"{machine}-plc.main", device=f"{machine}-plc", protocol="modbus", mode="poll",
        interval_ns=EVERY * 10**9,
        signals=tuple(
            Signal(
                id=name, machine=machine, name=name, dtype=dtype, role=role, role_confirmed=True,  # type: ignore[arg-type]
                unit="kWh" if role == "energy" else None,
            )
            for name, (role, dtype) in ROLES.items()
        ),
    )
    for machine in ("press-1", "lathe")
]  # fmt: skip


def columns(day: int, n: int, rng: np.random.Generator) -> list[list[Value]]:
    """Return what one machine says on a day: it works in blocks, its level sticks on some days."""
    work = np.repeat(rng.random(n // 40 + 1) < 0.7, 40)[:n]
    temp = 40 + 5 * np.sin(np.arange(n) / 200) + rng.normal(0, 0.3, n) * work
    still = np.where(day % 9 == 0, 7, (np.arange(n) // rng.integers(3, 40)) % 50)
    return [
        np.where(work, 2, 1).tolist(), np.cumsum(work).tolist(), (np.cumsum(work) // 40).tolist(),
        np.round(np.cumsum(0.01 + 0.04 * work), 3).tolist(), (rng.random(n) < 0.003).tolist(),
        [f"L{day}-{i // 500}" for i in range(n)], temp.round(2).tolist(),
        (3 + rng.normal(0, 0.1, n)).round(3).tolist(), still.tolist(),
    ]  # fmt: skip


def history() -> dict[str, Recorded]:
    """Return days of two machines: two weeks that were seen, said again and again."""
    start = CALENDAR.bounds(FIRST)[0]
    evidence, rng = make(SOURCES, CALENDAR), np.random.default_rng(11)
    n = 86_400 // EVERY
    for day in range(14):
        at = start + (day * n + np.arange(n)) * EVERY * 10**9
        for source in SOURCES:
            rows = columns(day, n, rng)
            width = len(rows)
            evidence.feed(
                [
                    FrameBlock(
                        source=source,
                        signal=np.tile(np.arange(width, dtype=np.int32), n),
                        time_ns=np.repeat(at, width),
                        value=[rows[k][i] for i in range(n) for k in range(width)],
                        status=np.zeros(n * width, np.uint32),
                    )
                ]
            )
    evidence.feed([Watermark(s.id, start + 14 * 86_400 * 10**9 + 20 * MINUTE) for s in SOURCES])
    seen = [load(raw) for _, raw in sorted(evidence.take_closed().items())]
    found = {}
    for number in range(DAYS):
        at_date = FIRST + timedelta(days=number)
        begin, end = CALENDAR.bounds(at_date)
        shifted = msgspec.structs.replace(
            seen[number % 14], day=at_date.isoformat(), start=str(begin), end=str(end), native={"x/y": ["unit"]}
        )
        found[at_date.isoformat()] = read(dump(shifted))
    return found


def test_a_report_of_compact_days_is_the_report_of_whole_days() -> None:
    days = history()
    plant = configured(SOURCES, [Machine("press-1", "p"), Machine("lathe", "l", 2.0)])
    meanings = dict(plant.meanings)
    for machine in ("press-1", "lathe"):
        meanings[f"{machine}/state"] = Meaning(role="state", states={2: "executing", 1: "standby"})
    plant = replace(plant, meanings=meanings, bills=[Bill(month="2026-03", kwh=7000.0)])
    now = CALENDAR.bounds(FIRST + timedelta(days=DAYS))[0] + 1
    last = FIRST + timedelta(days=DAYS - 1)
    made = Compact()
    compact = {}
    for day, one in days.items():
        much = level((last - date.fromisoformat(day)).days)
        compact[day] = Recorded(made.day(one.day, much), one.checksum)
    assert {much for day in days for much in [level((last - date.fromisoformat(day)).days)]} == {WHOLE, RESTED, FAR}
    whole = assess(days, {}, SOURCES, plant, CALENDAR, now, model(), SITE)
    less = assess(compact, {}, SOURCES, plant, CALENDAR, now, model(), SITE)
    assert encode(less.plant()) == encode(whole.plant())
    for machine in ("press-1", "lathe"):
        assert encode(less.machine(machine)) == encode(whole.machine(machine))
    known = {value.metric for value in whole.plant().values if value.value is not None}
    assert known >= {"R01", "E01", "E02", "Q03", "Q01", "V01", "V02", "A01"}, known


def test_what_is_compact_is_equal_and_reads_as_before() -> None:
    day = next(iter(history().values())).day
    less = Compact().day(day, WHOLE)

    def plain(of: DayEvidence) -> object:
        return msgspec.to_builtins(of, enc_hook=dict)

    assert plain(less) == plain(day)
    far = Compact().day(day, FAR)
    assert not any(part.values for part in far.sources)
    for part, before in zip(far.sources, day.sources, strict=True):
        assert list(part.signals) == list(before.signals)
        for name, one in before.signals.items():
            assert part.signals[name] == SignalDay(one.known, one.uncertain, one.bad, 0, 0, 0, 0)


def test_rows_that_came_late_are_measured_by_what_was_read_however_long_ago() -> None:
    day = next(iter(history().values())).day
    late = msgspec.structs.replace(day, sources=[msgspec.structs.replace(part, late=7) for part in day.sources])
    far = Compact().day(late, FAR)
    assert [dict(part.signals) for part in far.sources] == [part.signals for part in late.sources]


def test_what_has_more_than_64_bits_is_kept_as_it_is() -> None:
    day = next(iter(history().values())).day
    part = day.sources[0]
    name = next(iter(part.counts))
    wide = msgspec.structs.replace(part.counts[name], first=2**70)
    strange = msgspec.structs.replace(
        day, sources=[msgspec.structs.replace(part, counts={**part.counts, name: wide}), *day.sources[1:]]
    )
    for much in (WHOLE, RESTED, FAR):
        less = Compact().day(strange, much).sources[0]
        assert less.counts[name].first == 2**70
        assert list(less.counts) == list(part.counts)
