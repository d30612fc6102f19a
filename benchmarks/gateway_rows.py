"""The gateway's way into InfluxDB 1.6 beside the same bytes posted raw: `python -m benchmarks.gateway_rows`.

Messages of a plant's backlog go through `Ingest` (decompressing, checking, points, lines, request) into a real
database; then the bodies that it has sent are posted again, to another database of the same server.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import urllib3

from agent import entry
from contract import codec, topics
from gateway.births import Births
from gateway.clock import SystemClock
from gateway.deadletter import DeadLetters
from gateway.ingest import Ingest
from gateway.stores.influxdb import InfluxDb1
from gateway.stores.settings import InfluxDb1Settings
from tests.outage.fill import AGENT, FACTORY, birth
from tests.support.databases import create_database, influxdb1
from tests.support.plant import KINDS, Plant

if TYPE_CHECKING:
    from tests.support.plant import Kind

SECONDS, EACH = 600, 13  # seconds of the plant, and of one message
BRANCH = topics.AgentTopics(FACTORY, AGENT)


def messages(plant: Plant, digest: str) -> list[bytes]:
    """Return compressed messages as the agent sends a backlog."""
    found, part = [], []
    for seq, items in enumerate(plant.seconds(SECONDS), 1):
        raw = entry.encode(entry.arrange(items), seq)
        part.append((seq, codec.checksum(raw), raw))
        if len(part) == EACH:
            found.append(codec.compress(entry.message("spool", digest, part, historical=True)))
            part = []
    return found


def measure(kind: Kind, folder: Path) -> None:
    """Print a line."""
    plant = Plant(kind, hours=1)
    body = codec.encode(birth(plant))
    digest = codec.digest(body)
    sent = messages(plant, digest)
    database = influxdb1(folder)
    database.start()
    try:
        for name in ("ours", "raw"):
            create_database(database, name)
        store = InfluxDb1(InfluxDb1Settings(type="influxdb1", url=database.url, database="ours"))
        bodies: list[bytes] = []
        post = store._post  # noqa: SLF001 - to see what goes out

        def noted(body: bytes) -> object:
            bodies.append(body)
            return post(body)

        store._post = noted  # type: ignore[method-assign, assignment] # noqa: SLF001
        letters = DeadLetters(folder / "letters", 10**6, "w", SystemClock(trust=True))
        ingest = Ingest("w", store, Births(), letters, SystemClock(trust=True))
        for i, raw in enumerate(parts := codec.birth_parts(body), 1):
            ingest.handle(BRANCH.birth(digest, i, len(parts)), raw, codec.CONTENT_TYPE_ZSTD)
        begin = time.perf_counter()
        for payload in sent:
            assert len(ingest.handle(BRANCH.data, payload, codec.CONTENT_TYPE_ZSTD)) == 1
        ours = time.perf_counter() - begin
        assert ingest.counts["stored"] == len(sent) * EACH
        http = urllib3.PoolManager()
        begin = time.perf_counter()
        for lines in bodies:
            answer = http.request("POST", f"{database.url}/write?db=raw&precision=ns", body=lines)
            assert answer.status == 204
        raw_s = time.perf_counter() - begin
        letters.close()
    finally:
        database.stop()
    rows = ingest.counts["rows"]
    size = sum(map(len, bodies)) / rows
    print(f"{kind:8} {rows:,} rows of {size:.1f} bytes: gateway {rows / ours:,.0f} rows/s,", end=" ")
    print(f"the same bytes raw {rows / raw_s:,.0f} rows/s, ratio {raw_s / ours:.2f}")


def main() -> None:
    """Measure each kind of signal."""
    for kind in KINDS:
        with tempfile.TemporaryDirectory(prefix="tsq-rows-") as name:
            measure(kind, Path(name))


if __name__ == "__main__":
    main()
