"""Writes the points of a line of JSON into an embedded store, says so, and waits to be killed."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

from gateway.stores.base import Point
from gateway.stores.embedded import EmbeddedStore


def main() -> None:
    """Run."""
    store = EmbeddedStore(Path(sys.argv[1]))
    rows = json.loads(sys.stdin.readline())
    points = [Point(m, tuple((k, v) for k, v in tags), t, fields) for m, tags, t, fields in rows]
    assert not store.write(points)
    print("written", flush=True)  # noqa: T201 - the word that the test waits for
    signal.pause()


if __name__ == "__main__":
    main()
