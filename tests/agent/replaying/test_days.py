"""Days computed anew from a spool's folder are, to the byte, what the analyzers had said entry by entry."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

from agent import entry
from agent.analyzers.evidence import make
from agent.analyzers.ledger import Ranges
from agent.errors import ConfigError
from agent.frame import (
    DataType,
    Event,
    Facts,
    FrameBlock,
    RoundTrip,
    Signal,
    Source,
    Status,
    Watermark,
    gap_event,
)
from agent.replaying.days import Replay
from agent.replaying.kept import Folder
from agent.spool import Spool, blocks, columns, packing
from readiness.evidence import load
from readiness.schedule import Calendar
from tests.support.clocks import FakeClock
from tests.support.items import birth_of
from tests.support.kept import born, parts
from tests.support.memory import SHARED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent.frame import Item, Value
    from tests.support.kept import Part

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
CALENDAR = Calendar("Asia/Seoul", time(8))
START = 1_763_760_600_000_000_007  # 2025-11-22 06:30 in Seoul
MINUTES = 60 * 26


def signals(machine: str) -> tuple[Signal, ...]:
    """Return one of each kind that travels in another way."""
    kinds = (
        ("temp", DataType.FLOAT64), ("count", DataType.UINT32), ("run", DataType.BOOL), ("lot", DataType.STRING),
        ("wide", DataType.UINT64), ("meter", DataType.INT64),
    )  # fmt: skip
    return tuple(
        Signal(id=name, machine=machine, name=name, dtype=dtype, eu_range=(0, 2.0**64) if name == "wide" else None)
        for name, dtype in kinds
    )


POLLED = Source(
    id="plc.main", device="plc", protocol="modbus", mode="poll", interval_ns=MINUTE, signals=signals("press")
)
STEADY = replace(POLLED, id="other.main", device="other", signals=signals("mill"))
TOLD = Source(
    id="ua.sub", device="ua", protocol="opcua", mode="subscription", interval_ns=SECOND, signals=signals("cell")
)
SOURCES = (POLLED, STEADY, TOLD)


def values(rng: np.random.Generator, minute: int) -> list[Value]:
    """Return what the six signals say in a minute."""
    return [
        round(20 + float(rng.normal()), 2), minute // 3, minute // 7 % 2 == 1, f"LOT-{minute // 100}",
        2**63 + minute, 2**60 + minute // 2,
    ]  # fmt: skip


def reading(of: Source, at: int, said: Sequence[Value], status: int = 0) -> FrameBlock:
    """Return one reading."""
    bad = status >> 31
    return FrameBlock(
        source=of,
        signal=np.arange(len(said), dtype=np.int32),
        time_ns=np.full(len(said), at, np.int64),
        value=[None] * len(said) if bad else list(said),
        status=np.full(len(said), status, np.uint32),
        round_trips=(RoundTrip(at, 2_000_000, status if bad else 0),),
    )


def steady(minute: int, at: int, said: Sequence[Value]) -> FrameBlock:
    """Return a reading of a source that always answers, though one of its signals is bad now and then."""
    if minute % 45:
        return reading(STEADY, at, said)
    sick = np.array([Status.BAD, *[0] * (len(said) - 1)], np.uint32)
    return replace(reading(STEADY, at, said), value=[None, *said[1:]], status=sick)


def published(rng: np.random.Generator, at: int, said: Sequence[Value]) -> FrameBlock:
    """Return what a subscription tells: some signals, with times of the device."""
    some = np.flatnonzero(rng.random(len(said)) < 0.4).astype(np.int32)
    times = np.full(len(some), at, np.int64)
    return FrameBlock(
        source=TOLD,
        signal=some,
        time_ns=times,
        value=[said[n] for n in some.tolist()],
        status=np.zeros(len(some), np.uint32),
        source_ns=np.where(rng.random(len(some)) < 0.8, times - 40_000_000, 0),
        server_ns=times - 20_000_000,
    )


def minutes(seed: int, count: int = MINUTES) -> list[list[Item]]:
    """Return the entries of a plant on which everything happens that evidence depends on; one a minute."""
    rng = np.random.default_rng(seed)
    out: list[list[Item]] = []
    down = range(400, 431)
    for minute in range(count):
        at = START + minute * MINUTE + int(rng.integers(0, 900)) * 1000
        said = values(rng, minute)
        items: list[Item] = []
        if minute == 0:
            items.append(Event(kind="agent_start", time_ns=at, body={"boot": "a"}))
        if minute in down:
            items.append(reading(POLLED, at, said, Status.BAD_TIMEOUT))
        elif rng.random() < 0.9:  # some are missing
            items.append(reading(POLLED, at, said, Status.UNCERTAIN if minute % 50 == 0 else 0))
            items.append(Watermark(POLLED.id, at))
        items += [steady(minute, at + 5_000, said), Watermark(STEADY.id, at + 5_000)]
        for second in range(0, 60, 30):
            items += [
                published(rng, at + (second + 3) * SECOND, said),
                Watermark(TOLD.id, at + (second + 4) * SECOND),
            ]
        if minute == down.start:
            items.append(gap_event("g", "link_down", POLLED.id, at, at - 3 * SECOND, None))
        if minute == down.stop:
            items.append(gap_event("g", "link_down", POLLED.id, at, at - 1800 * SECOND, at))
        if minute == 700:
            items.append(Event(kind="clock_step", time_ns=at, body={"step": 1}))
        if minute % 300 == 20:
            facts: dict[str, Any] = {"endpoint": "opc.tcp://10.0.0.1:4840", "mode": "None", "policy": "None"}
            items.append(Facts(kind="connection", time_ns=at, subject="ua", body=facts))
        out.append(items)
    return out


def live(entries: Sequence[Sequence[Item]], ranges: dict[str, Ranges] | None = None) -> dict[str, bytes]:
    """Return the days that the analyzers close when they are fed entry by entry, as an agent feeds them."""
    evidence, days = make(SOURCES, CALENDAR, ranges=ranges), dict[str, bytes]()
    for items in entries:
        evidence.feed(entry.arrange(items))
        days |= evidence.take_closed()
    return days


def written(folder: Path, entries: Sequence[Sequence[Item]], *, most: int = 40) -> list[Part]:
    """Write the files of entries, none later than the other; return them."""
    digest = born(folder, SOURCES)
    made = list(parts(entries, digest, start_ns=START, most=most))
    (folder / blocks.FOLDER).mkdir()
    for part in made:
        (folder / blocks.FOLDER / f"{part.seq}{blocks.SUFFIX}").write_bytes(part.data)
    return made


def anew(folder: Path, **more: Any) -> tuple[dict[str, bytes], Replay]:
    """Return the days of a replay, and the replay."""
    replay = Replay(Folder(folder), CALENDAR, **more)
    return dict(replay.days()), replay


@pytest.fixture(scope="module")
def kept() -> Iterator[tuple[Path, list[list[Item]]]]:
    """Return a folder that is only read, and what is in it."""
    with tempfile.TemporaryDirectory(dir=SHARED) as name:
        entries = minutes(1)
        written(Path(name), entries)
        yield Path(name), entries


@pytest.mark.timeout(600)  # against hanging; beside others it takes minutes
@pytest.mark.parametrize("most", [4, 600])
def test_days_anew_are_those_of_then_however_the_files_are_cut(tmp_path: Path, most: int) -> None:
    entries = minutes(2)
    written(tmp_path, entries, most=most)
    days, replay = anew(tmp_path)
    assert days == live(entries)
    assert sorted(days) == ["2025-11-21", "2025-11-22"]
    assert replay.seen.entries == len(entries)
    assert replay.seen.rows == sum(len(i) for items in entries for i in items if isinstance(i, FrameBlock))
    assert not any((replay.seen.partial, replay.seen.damaged, replay.seen.holes))
    (source,) = [s for s in load(days["2025-11-22"]).sources if s.source == POLLED.id]
    assert source.requests["800a"] == 31, "the outage is in it"


def test_a_changed_range_counts_for_days_before_it(kept: tuple[Path, list[list[Item]]]) -> None:
    folder, entries = kept
    said = {"press/temp": Ranges((0.0, 20.0), None)}
    days, _ = anew(folder, ranges=said)
    assert days == live(entries, said)
    narrow = replace(
        POLLED, signals=(replace(POLLED.signals[0], instrument_range=(0.0, 20.0)), *POLLED.signals[1:])
    )
    assert anew(folder, now=[narrow, STEADY, TOLD])[0] == days, "in the file or by an answer"
    assert days != live(entries)


def test_a_day_of_which_something_is_missing_is_told_and_not_given(tmp_path: Path) -> None:
    entries = minutes(3)
    made = written(tmp_path, entries)
    lost = tmp_path / blocks.FOLDER / f"{made[5].seq}{blocks.SUFFIX}"
    lost.unlink()
    days, replay = anew(tmp_path)
    assert sorted(days) == ["2025-11-21"], "the other day was whole"
    assert replay.seen.partial == ["2025-11-22"]
    assert len(replay.seen.holes) == 1
    lost.write_bytes(made[5].data[:-1])
    days, replay = anew(tmp_path)
    assert sorted(days) == ["2025-11-21"]
    assert replay.seen.partial == ["2025-11-22"]
    assert len(replay.seen.damaged) == 1


def test_what_a_spool_holds_from_its_middle_on_begins_with_no_whole_day(tmp_path: Path) -> None:
    made = written(tmp_path, minutes(3))
    (tmp_path / blocks.FOLDER / f"{made[0].seq}{blocks.SUFFIX}").unlink()
    days, replay = anew(tmp_path)
    assert sorted(days) == ["2025-11-22"]
    assert replay.seen.partial == ["2025-11-21"]


def test_entries_without_the_time_are_left_out(tmp_path: Path) -> None:
    entries = minutes(4)
    made = written(tmp_path, entries)
    index, blob = blocks.opened(made[3].data)
    held = [msgspec.structs.replace(one, epoch=5) for one in index.entries[:4]]
    index = blocks.Index(index.spool, index.birth, [*held, *index.entries[4:]])
    (tmp_path / blocks.FOLDER / f"{made[3].seq}{blocks.SUFFIX}").write_bytes(
        blocks.encode(index, columns.decode(blob))
    )
    days, replay = anew(tmp_path)
    first = made[3].seq - 1
    assert days == live([*entries[:first], *entries[first + 4 :]])
    assert replay.seen.held == 4


def test_a_folder_without_a_spool_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no spool"):
        Folder(tmp_path)


def test_what_a_running_agent_has_written_is_read_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks and journal of a real spool, with entries in both and in one of them."""
    monkeypatch.setattr(packing, "GROUP_ENTRIES", 50)
    clock = FakeClock(START)
    spool = Spool(tmp_path, birth=birth_of("hanil", "main", "edge-1", [STEADY]), sources=[STEADY])
    spool.begin(clock, make([STEADY], CALENDAR))
    rng = np.random.default_rng(5)
    count = 60 * 3  # from half past six
    for minute in range(count):
        for item in (reading(STEADY, clock.now(), values(rng, minute)), Watermark(STEADY.id, clock.now())):
            spool.put(item)
        clock.advance(60)
        spool.tick()
    for _ in range(3):
        clock.advance(600)
        spool.tick()
    assert len(list((tmp_path / blocks.FOLDER).iterdir())) == 3
    days, replay = anew(tmp_path)
    assert sorted(days) == ["2025-11-21"]
    assert days == spool.days()
    assert replay.seen.rows == count * len(STEADY.signals)
    assert not replay.seen.damaged
    spool.stop()
