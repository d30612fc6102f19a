"""What the shared suite needs of a store: open it, crash it, and say what it promises to hold.

`EmbeddedHarness` and `InfluxDb1Harness` keep everything exactly. VictoriaMetrics is there to show that writes
through `/api/v2/write` arrive; `promised` says what it makes of a point, so that each difference is stated once.
No InfluxDB 2 or 3 can be had from the system's packages: `InfluxDb2` has never met a real one here.
"""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from gateway.stores import open_store
from gateway.stores.base import Point
from gateway.stores.embedded import EmbeddedStore
from gateway.stores.settings import InfluxDb1Settings, InfluxDb2Settings
from tests.support.databases import create_database, exported

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.stores.base import FieldValue, Store
    from tests.support.databases import Database

Key = tuple[str, tuple[tuple[str, str], ...], int, str]
Model = dict[Key, "FieldValue"]
"""Each field by (measurement, tags, time, name)."""

SPAN = (-(2**63) + 2, 2**63 - 2)


def merged(points: Iterable[Point]) -> Model:
    """Return what a store holds after these points were written in this order."""
    return {(p.measurement, p.tags, p.time_ns, n): v for p in points for n, v in p.fields.items()}


def typed(model: Model) -> dict[Key, tuple[type, str]]:
    """Return a model whose values compare by type and digits: 1 == True == 1.0 is not good enough."""
    return {key: (type(value), repr(value)) for key, value in model.items()}


class Harness(Protocol):
    """A store under test, empty."""

    def open(self) -> Store:
        """Return a new client of it."""

    def write_and_crash(self, points: Sequence[Point]) -> None:
        """Write, SIGKILL what keeps the data as soon as `write` has returned, and bring it back."""

    def stored(self) -> Model:
        """Return all that it holds."""

    def promised(self, model: Model) -> Model:
        """Return what it promises to hold of a model."""


def _read_all(store: Store) -> Model:
    try:
        return merged(p for m in store.measurements() for p in store.read(m, *SPAN))
    finally:
        store.close()


class EmbeddedHarness:
    """The embedded store on a file of its own."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "한글 folder" / "store.db"

    def open(self) -> Store:
        """Open the file."""
        return EmbeddedStore(self.path)

    def write_and_crash(self, points: Sequence[Point]) -> None:
        """Write in a process of its own that is killed after its word that `write` returned."""
        command = [sys.executable, "-m", "tests.stores.writer", str(self.path)]
        root = Path(__file__).parents[2]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root) as child:
            assert child.stdin
            assert child.stdout
            rows = [[p.measurement, p.tags, p.time_ns, p.fields] for p in points]
            child.stdin.write(json.dumps(rows).encode() + b"\n")
            child.stdin.flush()
            assert child.stdout.readline() == b"written\n"
            child.kill()

    def stored(self) -> Model:
        """Read as another process would."""
        return _read_all(EmbeddedStore(self.path, read_only=True))

    def promised(self, model: Model) -> Model:
        """Return it unchanged."""
        return model


class InfluxDb1Harness:
    """A new database of a running InfluxDB 1.6."""

    def __init__(self, server: Database) -> None:
        self.server = server
        self.database = f"t-{uuid.uuid4()}"
        create_database(server, self.database)

    def open(self) -> Store:
        """Connect."""
        return open_store(InfluxDb1Settings(url=self.server.url, database=self.database))

    def write_and_crash(self, points: Sequence[Point]) -> None:
        """Write, kill the server, start it again."""
        store = self.open()
        assert not store.write(points)
        store.close()
        self.server.restart()

    def stored(self) -> Model:
        """Read through our own reader; `test_influxdb` compares it with the server's plain answers."""
        return _read_all(self.open())

    def promised(self, model: Model) -> Model:
        """Return it unchanged."""
        return model


class VictoriaHarness:
    """A running VictoriaMetrics; a tag of its own makes it empty."""

    def __init__(self, server: Database) -> None:
        self.server = server
        self.tag = ("zz-test", str(uuid.uuid4()))

    def open(self) -> Store:
        """Connect, through a wrapper that adds the tag."""
        return _Tagged(open_store(InfluxDb2Settings(url=self.server.url, bucket="b")), self.tag)

    def write_and_crash(self, points: Sequence[Point]) -> None:
        """Not promised: it answers before its disk has the points."""
        raise NotImplementedError

    def stored(self) -> Model:
        """Read its own export: the name is measurement and field, times are in ms."""
        model: Model = {}
        for series in exported(self.server):
            labels: dict[str, Any] = dict(series["metric"])
            if labels.pop(self.tag[0], None) != self.tag[1]:
                continue
            name = labels.pop("__name__")
            tags = tuple(sorted(labels.items()))
            for value, ms in zip(series["values"], series["timestamps"], strict=True):
                model[name, tags, ms * 10**6, ""] = _eleven_digits(value)
        return model

    def promised(self, model: Model) -> Model:
        """Return numbers to 11 digits (it cuts the rest), 0 for text, milliseconds."""
        return {
            (f"{measurement}_{name}", tags, time_ns // 10**6 * 10**6, ""): (
                0.0 if isinstance(value, str) else _eleven_digits(value)
            )
            for (measurement, tags, time_ns, name), value in model.items()
        }


def _eleven_digits(value: float) -> float:
    return float(f"{value:.10e}")


class _Tagged:
    def __init__(self, store: Store, tag: tuple[str, str]) -> None:
        self._store = store
        self._tag = tag
        self.read, self.measurements = store.read, store.measurements
        self.ping, self.close = store.ping, store.close

    def writing(self, points: Sequence[Point]) -> Any:
        """Write in steps, with the tag."""
        return self._store.writing(
            [Point(p.measurement, (*p.tags, self._tag), p.time_ns, p.fields) for p in points]
        )

    def write(self, points: Sequence[Point]) -> Any:
        """Write with the tag, which sorts last."""
        return self._store.write([Point(p.measurement, (*p.tags, self._tag), p.time_ns, p.fields) for p in points])
