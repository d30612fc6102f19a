"""A device that is not what it was: said once, its values uncertain until a person has looked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from agent.collectors.base import Forgetful
from agent.fingerprint import Fingerprints
from agent.frame import DataType, Facts, FrameBlock, Rows, Signal, Source, Status
from agent.memory import DiskMemory
from tests.support.clocks import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

    from agent.collectors.base import Memory
    from agent.frame import Event, Value

SIGNALS = (
    Signal(id="program", machine="m", name="p", dtype=DataType.UINT64, canary=True),
    Signal(id="level", machine="m", name="l", dtype=DataType.FLOAT32),
)
SOURCE = Source(id="plc.main", device="plc", protocol="x", mode="poll", interval_ns=1, signals=SIGNALS)
OTHER = Source(id="saw.main", device="saw", protocol="x", mode="poll", interval_ns=1, signals=SIGNALS[1:])
ADDRESSES = {("m", "program"): "holding:1"}


class Site:
    """Fingerprints in front of a list."""

    def __init__(self, memory: Memory | None = None) -> None:
        self.clock = FakeClock()
        self.memory = memory or Forgetful()
        self.prints = Fingerprints(self.memory, self.clock, [SOURCE, OTHER], ADDRESSES)
        self.rows, self.other = Rows(SOURCE), Rows(OTHER)

    def read(self, program: Value, level: float = 1.0, status: int = 0) -> tuple[list[int], Event | None]:
        """Return the statuses of one reading as they are stored, and the event before it."""
        self.clock.advance(1)
        self.rows.add(0, self.clock.now(), program, status)
        self.rows.add(1, self.clock.now(), level)
        item, event = self.prints.look(self.rows.take())
        assert isinstance(item, FrameBlock)
        assert item.problem() is None
        return item.status.tolist(), event

    def tell(self, **body: Any) -> Event | None:
        """Tell what a session found."""
        facts = Facts(kind="fingerprint", time_ns=self.clock.now(), subject="plc", body=body)
        item, event = self.prints.look(facts)
        assert item is facts
        return event


def changes(event: Event | None) -> dict[str, Any]:
    assert event is not None
    assert event.kind == "device_changed"
    assert event.body["device"] == "plc"
    return cast("dict[str, Any]", event.body["changes"])


def test_a_canary_that_changes_makes_good_values_uncertain_until_confirmed() -> None:
    site = Site()
    assert site.read(7) == ([0, 0], None)
    assert site.read(None, status=Status.BAD_TIMEOUT) == ([Status.BAD_TIMEOUT, 0], None), "not read is not changed"
    statuses, event = site.read(8)
    assert statuses == [Status.UNCERTAIN] * 2
    assert changes(event) == {"m/program holding:1": {"old": 7, "new": 8}}
    assert site.read(9) == ([Status.UNCERTAIN] * 2, None), "said once"
    assert site.read(7) == ([Status.UNCERTAIN] * 2, None), "nor does it become what it was by itself"
    statuses, _ = site.read(None, status=Status.BAD_TIMEOUT)
    assert statuses == [Status.BAD_TIMEOUT, Status.UNCERTAIN]
    confirmed = site.prints.confirm("plc", "kim")
    assert changes(confirmed) == {"m/program holding:1": {"old": 7, "new": 7}}
    assert confirmed is not None
    assert confirmed.body["author"] == "kim"
    assert site.read(7) == ([0, 0], None)
    assert site.prints.confirm("plc", "kim") is None


def test_a_neighbour_is_not_suspected() -> None:
    site = Site()
    site.read(7)
    site.read(8)
    site.other.add(0, site.clock.now(), 1.0)
    item, _ = site.prints.look(site.other.take())
    assert isinstance(item, FrameBlock)
    assert item.status.tolist() == [0]
    assert site.prints.changed("saw") is None
    assert site.prints.changed("plc") is not None


def test_each_part_of_a_fingerprint_is_compared_when_it_is_there() -> None:
    site = Site()
    assert site.tell(vendor="LS", firmware="1.0", serial=[1, 2]) is None
    assert site.tell(vendor="LS") is None
    assert site.tell(vendor="LS", module="x") is None, "told for the first time"
    assert changes(site.tell(vendor="LS", firmware="1.1", module="y")) == {
        "firmware": {"old": "1.0", "new": "1.1"},
        "module": {"old": "x", "new": "y"},
    }
    assert changes(site.tell(serial=[1, 3])) == {"serial": {"old": [1, 2], "new": [1, 3]}}


@pytest.mark.parametrize("confirmed", [False, True])
def test_it_is_remembered_over_a_restart(tmp_path: Path, *, confirmed: bool) -> None:
    memory = DiskMemory(tmp_path)
    site = Site(memory)
    site.read(2**63 - 1)
    site.read(2**63 - 2)
    if confirmed:
        site.prints.confirm("plc", "kim")
    memory.stop()
    again = Site(DiskMemory(tmp_path))
    statuses, event = again.read(2**63 - 2)
    assert event is None
    assert statuses == [0 if confirmed else Status.UNCERTAIN] * 2
    if not confirmed:
        assert again.prints.confirm("plc", "kim") is not None
        assert again.read(2**63 - 2) == ([0, 0], None)
    else:
        assert again.read(2**63 - 1)[1] is not None, "the confirmed value is the one that counts"


def test_a_canary_that_was_moved_to_another_address_is_another_one() -> None:
    site = Site()
    site.read(7)
    site.prints.begin([SOURCE, OTHER], {("m", "program"): "holding:2"})
    assert site.read(8) == ([0, 0], None)


@pytest.mark.parametrize(
    "body",
    [
        None, 3, [], {"accepted": 3, "changes": [], "since": None},
        {"accepted": {}, "changes": {"firmware": {"old": 1, "new": 2}}},
        {"accepted": {"firmware": 1}, "changes": {"firmware": 2}},
    ],
)  # fmt: skip
def test_a_memory_that_makes_no_sense_is_begun_anew(body: Any) -> None:
    memory = Forgetful()
    memory.remember("plc", "identity", body)
    assert Site(memory).read(7) == ([0, 0], None)
