"""A process that writes into an embedded store until it is killed, and says what has been written.

`PATH` alone writes the points of one line of JSON and waits; `PATH stream` writes twenty points after the other.
"""

from __future__ import annotations

import itertools
import json
import signal
import sys
from pathlib import Path

from gateway.stores.base import Point
from gateway.stores.embedded import EmbeddedStore


def batch(number: int) -> list[Point]:
    """Return the points of a batch of the stream."""
    return [
        Point("m", (("source", str(i % 3)),), number * 1000 + i, {f"a{i % 5}_i": number, "s_s": "한글" * i})
        for i in range(20)
    ]


def main() -> None:
    """Run."""
    store = EmbeddedStore(Path(sys.argv[1]))
    if sys.argv[2:] == ["stream"]:
        for number in itertools.count(1):
            assert not store.write(batch(number))
            print(number, flush=True)  # noqa: T201 - the word that it is written
    rows = json.loads(sys.stdin.readline())
    points = [Point(m, tuple((k, v) for k, v in tags), t, fields) for m, tags, t, fields in rows]
    assert not store.write(points)
    print("written", flush=True)  # noqa: T201 - likewise
    signal.pause()


if __name__ == "__main__":
    main()
