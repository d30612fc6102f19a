"""Malformed messages against the gateway's decoder, in this process.

Nothing raises, nothing is confirmed that was not sent, and what a healthy agent sends in between is stored and
confirmed as if nothing had been.

`python -m tests.fuzz --gateway 2000000` runs that many over two processes; a short run stands in `make test`.
"""

from __future__ import annotations

import base64
import logging
import random
import resource
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from contract import codec
from contract.payload import Data, NeedBirth, Stored
from gateway.births import Births
from gateway.deadletter import DeadLetters
from gateway.ingest import Ingest
from tests.fuzz.storm import ROGUE, ROGUE_BIRTH, ZSTD, Mutant, Storm
from tests.gateway.builders import BRANCH, T0, FixedClock, MemoryStore, birth_messages, crc, message, wire

if TYPE_CHECKING:
    from collections import Counter

EVERY = 500  # mutants between two messages of the healthy agent
SLOW_S = 2.0  # for one of them: a hang
ROOM = 2_000_000  # bytes for dead letters


class Result(NamedTuple):
    """What a run has seen."""

    inputs: int
    seconds: float
    counts: Counter[str]
    grown_mb: float
    slowest_s: float


class FindingError(AssertionError):
    """A mutant that broke something; its text holds all that is needed to send it again."""

    def __init__(self, mutant: Mutant, what: str) -> None:
        super().__init__(
            f"{what}: {mutant.topic!r} {mutant.content_type!r} {base64.b64encode(mutant.payload)!r}"[:20_000]
        )


def fuzz(inputs: int, seed: int) -> Result:
    """Send that many mutants through an `Ingest`.

    Raises:
        FindingError: one of them broke something.
    """
    logger = logging.getLogger("gateway")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        return _fuzz(inputs, seed)
    finally:
        logger.setLevel(level)


def _fuzz(inputs: int, seed: int) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        store, clock = MemoryStore(), FixedClock()
        letters = DeadLetters(Path(folder), ROOM, "gw", clock)
        ingest = Ingest("gw", store, Births(), letters, clock)
        for topic, payload in birth_messages():
            ingest.handle(topic, payload, ZSTD)
        ingest.handle(ROGUE.birth(codec.digest(ROGUE_BIRTH), 1, 1), codec.compress(ROGUE_BIRTH), ZSTD)
        storm = Storm(random.Random(seed))
        begin, slowest = time.perf_counter(), 0.0
        before = 0.0
        for number in range(inputs):
            slowest = max(slowest, _one(ingest, storm.next()))
            if number % EVERY == 0:
                _healthy(ingest, store, number // EVERY + 1)
                clock.advance(0.1)
            if number == inputs // 5:  # caches and pools have their size by now
                before = _rss_mb()
        letters.close()
        seconds = time.perf_counter() - begin
        held = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        assert held <= ROOM, f"{held} bytes of dead letters"
    return Result(inputs, seconds, +ingest.counts, max(0.0, _rss_mb() - before), slowest)


def _one(ingest: Ingest, mutant: Mutant) -> float:
    """Handle one mutant; return how long its longest step took."""
    counted = ingest.counts.copy()
    slowest = 0.0
    steps = ingest.steps(*mutant)
    try:
        while True:
            begin = time.perf_counter()
            try:
                next(steps)
            finally:
                slowest = max(slowest, time.perf_counter() - begin)
    except StopIteration as done:
        answers = done.value
    except Exception as exc:
        raise FindingError(mutant, f"raised {exc!r}") from exc
    if slowest > SLOW_S:
        raise FindingError(mutant, f"took {slowest:.1f} s")
    for answer in answers:
        if answer.topic.endswith("/need_birth"):
            codec.decode(answer.payload, NeedBirth)
            continue
        stored = codec.decode(answer.payload, Stored)
        sent = codec.decode(codec.decompress(mutant.payload, codec.DATA_LIMIT), Data, codec.DATA_LIMIT)
        named = [*stored.stored, *((one.seq, one.crc) for one in stored.rejected)]
        if stored.spool != sent.spool or not set(named) <= set(sent.entries):
            raise FindingError(mutant, "confirmed what was not sent")
        if answer.topic != f"{mutant.topic.rpartition('/')[0]}/stored":
            raise FindingError(mutant, f"answered on {answer.topic}")
    grown = ingest.counts - counted
    settled = sum(grown[key] > 0 for key in ("malformed", "need_birth", "stored", "rejected", "births"))
    if not settled and answers == [] and mutant.payload and not grown["dead_letters_full"]:
        raise FindingError(mutant, "came to nothing, and nobody has counted it")
    return slowest


def _healthy(ingest: Ingest, store: MemoryStore, seq: int) -> None:
    store.held.clear()
    (answer,) = ingest.handle(BRANCH.data, wire(message(seq)), ZSTD)
    assert codec.decode(answer.payload, Stored).stored == [(seq, crc(seq))]
    found = [(point.time_ns - T0, point.fields) for point in store.read("press-1", 0, 2**62)]
    assert found == [(seq, {"f64_f": float(seq)})]


def _rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() / 1e6
