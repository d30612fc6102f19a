"""A rig whose agent sees a wall clock that the test sets, a kernel that the test speaks for, and a known sequence.

The wall clock of the agent's process alone is moved, by libfaketime and a file that the test rewrites; what the
kernel says of it, and which boot this is, stands in the double of `settings.kernelclock`. The machine's clock is
not touched, and the gateway's processes see it as it is.
"""

from __future__ import annotations

import collections
import contextlib
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.stores.embedded import EmbeddedStore
from settings.kernelclock import DOUBLE
from tests.e2e.rig import Rig, running, until
from tests.peers.modbus import read_log, server
from tests.support.processes import running as child_running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
SECOND = 10**9
NEAR_NS = 1_200_000_000
"""A stamp may be this far from when the server answered: libfaketime, two processes, a machine under load."""
WORDS = 20
EPOCH_1970 = -time.time() + 40.0
"""Offset of a wall clock that began in 1970, 40 s ago."""


class Stored(NamedTuple):
    """One value in the store."""

    time_ns: int
    value: Any


class Said(NamedTuple):
    """One event in the store."""

    kind: str
    time_ns: int
    body: dict[str, Any]
    from_ns: int | None
    to_ns: int | None


class Times:
    """What one process is told of the time: its wall clock's offset, and the kernel's word."""

    def __init__(self, folder: Path, name: str) -> None:
        self._stamp = folder / f"{name}.faketime"
        self._kernel = folder / f"{name}.kernel"
        self.offset_s = 0.0
        self._told: dict[str, Any] = {"synchronised": False, "boot": "first"}
        self.set(0.0)
        self.kernel()

    def set(self, offset_s: float) -> None:
        """Set the wall clock this far from the true time."""
        self.offset_s = offset_s
        _replace(self._stamp, f"{offset_s:+.3f}")

    def kernel(self, **told: Any) -> None:
        """Change what the kernel says: synchronised, max_error_us, boot."""
        self._told |= told
        _replace(self._kernel, json.dumps(self._told))

    def environment(self, *, fake: bool) -> dict[str, str]:
        """Return what a process needs to see all this."""
        seen = {DOUBLE: str(self._kernel)}
        if fake:
            seen |= {
                "LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(self._stamp),
                "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1", "NO_FAKE_STAT": "1",
            }  # fmt: skip
        return seen


def _replace(path: Path, text: str) -> None:
    fresh = path.with_suffix(path.suffix + ".new")
    fresh.write_text(text)
    fresh.replace(path)


class TimedRig(Rig):
    """Broker, gateway, agent and a device that serves a sequence.

    Args:
        folder: For everything.
        hold_s: How long what has no time is held back.
        local: `trust_local_clock` of the agent.
        every: How often the device is read.
    """

    def __init__(self, folder: Path, *, hold_s: float = 600, local: bool = False, every: str = "100ms") -> None:
        self.plc_log = folder / "plc.log"
        self.plc = server(folder / "plc", log=self.plc_log, sequence=True)
        assert self.plc.port is not None
        words = [{"id": f"w{a}", "address": f"holding:{a}", "type": "uint16"} for a in range(WORDS)]
        plc = {
            "id": "plc", "type": "modbus", "machine": "press", "host": "127.0.0.1", "port": self.plc.port,
            "groups": [{"id": "words", "every": every, "signals": words}],
        }  # fmt: skip
        zone = {"zone": "Asia/Seoul", "trust_local_clock": local}
        super().__init__(folder, devices=[plc], machines=[{"id": "press"}], time=zone)
        self.box, self.office = Times(folder, "box"), Times(folder, "office")
        script = Path(__file__).with_name("short_hold.py")
        self.agent.command = [sys.executable, str(script), str(hold_s), "run", "--config", str(self.config)]
        root = Path(__file__).parents[2]
        self.agent.env |= self.box.environment(fake=True) | {"PYTHONPATH": str(root)}
        self.gateway.env |= self.office.environment(fake=False)
        config = folder / "gateway.yaml"
        told = json.loads(config.read_text("utf-8"))
        told["trust_local_clock"] = False
        config.write_text(json.dumps(told), "utf-8")

    # What has happened

    def clock(self) -> dict[str, Any]:
        """Return what the agent says about its clock."""
        return dict(self.status()["clock"])

    def wait_for_clock(self, source: str, seconds: float = 30) -> None:
        """Wait until this vouches for the agent's time."""
        until(lambda: self.clock()["source"] == source, seconds, f"the clock is not {source}", self)

    def wait_for_epoch(self, number: int) -> None:
        """Wait until stamps are made in this epoch."""
        self.wait_for(lambda: self.clock()["epoch"] == number, f"epoch {number}")

    def wait_for(self, condition: Callable[[], bool], text: str, seconds: float = 30) -> None:
        """Wait until it holds."""
        until(condition, seconds, f"not: {text}", self)

    def served(self) -> int:
        """Return how many requests the device has answered."""
        return self.plc_log.read_text("ascii").count("\n") if self.plc_log.exists() else 0

    def read_more(self, requests: int, seconds: float = 30) -> None:
        """Wait until the device has answered so many more requests."""
        before = self.served()
        until(lambda: self.served() >= before + requests, seconds, "nothing is read", self)

    def hold_more(self, requests: int) -> None:
        """Wait until the values of so many more requests are committed, and held: what is killed now finds them."""

        def spool(name: str) -> int:
            return int(self.status()["spool"][name])

        enough = spool("held_rows") + requests * WORDS
        self.read_more(requests)
        self.wait_for(lambda: spool("held_rows") >= enough or spool("released_entries") > 0, "it is held")

    def finish(self) -> None:
        """Let the device fall silent, and wait until everything that was read is stored."""
        self.plc.stop()
        self.wait_for_state("plc", "down")
        self.drain()
        until(lambda: self.status()["spool"].get("held_entries", 0) == 0, 30, "entries are held", self)
        self.drain()

    def events(self) -> list[Said]:
        """Return the events of the store, in the order of their times."""
        with self._store() as store:
            points = list(store.read("tsq_event", 0, 2**63 - 1))
        said = [
            Said(
                dict(p.tags)["kind"], p.time_ns, json.loads(str(p.fields.get("body_s", "{}"))),
                _integer(p.fields.get("from_i")), _integer(p.fields.get("to_i")),
            )
            for p in points
        ]  # fmt: skip
        return sorted(said, key=lambda event: event.time_ns)

    def rows(self) -> dict[str, list[Stored]]:
        """Return the values of each signal in the store, good ones only."""
        found: dict[str, list[Stored]] = collections.defaultdict(list)
        if not self.store_path.exists():
            return found
        with self._store() as store:
            for point in store.read("press", 0, 2**63 - 1):
                for name, value in point.fields.items():
                    if name.endswith("_i"):
                        found[name.removesuffix("_i")].append(Stored(point.time_ns, value))
        return found

    @contextlib.contextmanager
    def _store(self) -> Iterator[EmbeddedStore]:
        store = EmbeddedStore(self.store_path, read_only=True)
        try:
            yield store
        finally:
            store.close()

    def judge(self, *, lost: int = 0, known: Mapping[int, int] | None = None) -> list[tuple[int, int]]:
        """Check that every value that was served is in the store exactly once, at its time once it is corrected.

        Args:
            lost: Requests that may be missing: answered, and the process killed before it could commit them.
            known: Of a time service that was wrong itself: by how much, by the digits of the epoch.

        Returns:
            For each request that is stored: when it was answered, and its stamp as it stands in the store.
        """
        served = [one for one in read_log(self.plc_log) if one.count >= WORDS]
        corrections, unknown = self.corrections()
        corrections |= {digits: -offset for digits, offset in (known or {}).items()}
        rows = self.rows()
        assert set(rows) == {f"w{a}" for a in range(WORDS)}
        pairs: list[tuple[int, int]] = []
        for address in range(WORDS):
            stored = {row.value: row.time_ns for row in rows[f"w{address}"]}
            assert len(stored) == len(rows[f"w{address}"]), "a value is stored twice"
            given = {one.uint16(address): one.time_ns for one in served}
            assert set(stored) <= set(given), "values that nobody served"
            missing = sorted(given[value] for value in set(given) - set(stored))
            assert len(missing) <= lost, f"lost: {len(missing)} of {len(given)}: {missing}"
            for value, stamp in stored.items():
                wrong = stamp + corrections.get(stamp % 1000, 0) - given[value]
                assert stamp % 1000 in unknown or abs(wrong) <= NEAR_NS, (address, stamp, wrong / 1e9)
            if not address:
                pairs = sorted((given[value], stamp) for value, stamp in stored.items())
        return pairs

    def corrections(self) -> tuple[dict[int, int], set[int]]:
        """Return what is to be added to the stamps of each epoch, by its digits, and of which that is not known."""
        said = {e.body["epoch"] % 1000: e.body["offset_ns"] for e in self.events() if e.kind == "clock_correction"}
        known = {digits: int(offset) for digits, offset in said.items() if offset is not None}
        return known, set(said) - set(known)

    def clock_gaps(self) -> dict[str, Said]:
        """Return the last word about each gap `clock`, by its id."""
        return {
            event.body["gap_id"]: event
            for event in self.events()
            if event.kind == "gap" and event.body["cause"] == "clock"
        }


def _integer(value: object) -> int | None:
    return None if value is None else int(str(value))


@contextlib.contextmanager
def timed(rig: TimedRig) -> Iterator[TimedRig]:
    """Run everything; a test sets the times before."""
    with child_running(rig.plc), running(rig):
        yield rig
