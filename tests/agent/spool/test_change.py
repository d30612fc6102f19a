"""Another configuration under a running spool: what was put before it is committed under the old one."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING

from agent.clock import SystemClock
from agent.frame import FrameBlock, gap_event
from agent.spool import Limits, Spool, changing
from tests.support.items import birth_of, frame, source

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from agent.frame import Source

A, OLD, NEW, C = source("a.main"), source("b.main", 2), source("b.main", 3), source("c.main", 1)
BEFORE, AFTER = (A, OLD), (A, NEW, C)


def make(folder: Path, sources: tuple[Source, ...] = BEFORE) -> Spool:
    return Spool(
        folder,
        birth=birth_of("hanil", "main", "edge-1", sources),
        sources=sources,
        limits=Limits(min_free_bytes=0),
        fingerprint=lambda: "box",
    )


def kept(spool: Spool) -> dict[str, list[tuple[str, int]]]:
    """Return birth -> (source, signals of the source as the entry knows it) of all blocks on the disk."""
    found: dict[str, list[tuple[str, int]]] = {}
    names = {entry.seq: entry.birth for entry in spool.unconfirmed(0, None, 1000)}
    for seq, items in spool._journal.replay(0):
        for item in items:
            if isinstance(item, FrameBlock):
                found.setdefault(names[seq], []).append((item.source.id, len(item.source.signals)))
    return found


def test_what_was_put_before_is_of_the_old_birth_and_what_comes_after_of_the_new(tmp_path: Path) -> None:
    spool, clock = make(tmp_path), SystemClock(trusted=True)
    spool.start(clock)
    first = spool.birth
    applied: list[int] = []
    spool.put(frame(OLD, clock.now()))
    spool.put(frame(A, clock.now()))
    assert spool.change(birth_of("hanil", "main", "edge-1", AFTER), AFTER, lambda: applied.append(1), ring_rows=7)
    second = spool.birth
    assert applied == [1]
    assert second != first
    spool.put(frame(NEW, clock.now()))
    spool.put(frame(C, clock.now()))
    spool.put(frame(A, clock.now()))
    assert spool._ring._limit == 7
    spool.stop()
    spool = make(tmp_path, AFTER)
    assert spool.birth == second
    found = kept(spool)
    assert sorted(found[first]) == [("a.main", 3), ("b.main", 2)]
    assert sorted(found[second]) == [("a.main", 3), ("b.main", 3), ("c.main", 1)]
    assert {digest for digest, _, named in spool.births() if named} == {first, second}
    assert json.loads(spool.birth_named(first) or b"")["sources"][1]["id"] == "b.main"
    spool.stop()


def test_a_disk_that_takes_nothing_leaves_all_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changing, "CHANGE_S", 1.5)
    spool, clock = make(tmp_path), SystemClock(trusted=True)
    spool.start(clock)
    first = spool.birth
    monkeypatch.setattr(type(spool._journal), "change", _full)
    applied: list[int] = []
    changed = spool.change(
        birth_of("hanil", "main", "edge-1", AFTER), AFTER, lambda: applied.append(1), ring_rows=7
    )
    assert (changed, applied, spool.birth) == (False, [], first)
    monkeypatch.undo()
    spool.put(frame(OLD, clock.now()))
    spool.stop()
    again = make(tmp_path)
    assert kept(again) == {first: [("b.main", 2)]}
    again.stop()


def _full(*_: object) -> None:
    raise sqlite3.OperationalError("database or disk is full")


def test_the_next_start_expects_the_sources_of_the_new_configuration_alone(tmp_path: Path) -> None:
    spool, clock = make(tmp_path), SystemClock(trusted=True)
    spool.start(clock)
    spool.put(frame(OLD, clock.now()))
    end = clock.now()
    after = (A, C)
    assert spool.change(birth_of("hanil", "main", "edge-1", after), after, lambda: None, ring_rows=7)
    spool.put(gap_event("g", "config", "c.main", clock.now(), end, clock.now()))
    spool.stop()
    spool = make(tmp_path, after)
    off = {event.source for event in spool._journal.left(clock.now())}
    assert "b.main" not in off, "nobody misses what is not configured any more"
    spool.stop()
