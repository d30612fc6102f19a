"""What is read under a clock that is wrong is stored once, at its right time or with its correction: counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from settings.released import RELEASED_NS
from tests.time.rig import EPOCH_1970, NEAR_NS, SECOND, TimedRig, timed

if TYPE_CHECKING:
    from pathlib import Path

HOUR_S = 3600.0
pytestmark = pytest.mark.timeout(180)


def test_a_boot_in_1970_and_a_kernel_that_is_synchronised_later_and_steps_by_hours(tmp_path: Path) -> None:
    rig = TimedRig(tmp_path)
    rig.box.set(EPOCH_1970)
    with timed(rig):
        rig.wait_for_state("plc", "up")
        rig.read_more(25)
        assert rig.clock()["source"] == "none"
        assert rig.rows() == {}, "nothing leaves the box before its time is known"
        rig.box.set(0.0)
        rig.box.kernel(synchronised=True)
        rig.wait_for_clock("kernel")
        rig.read_more(10)
        offsets = {}
        for hours in (2.0, -3.0, 0.0):  # the time service itself was wrong, and is put right
            epoch = rig.clock()["epoch"]  # before the step: an agent that is quick has noticed it at once
            rig.box.set(hours * HOUR_S)
            rig.wait_for_epoch(epoch + 1)
            offsets[(epoch + 1) % 1000] = round(hours * HOUR_S) * SECOND
            rig.read_more(10)
        rig.finish()
        pairs = rig.judge(known=offsets)
    assert rig.corrections() == ({}, set()), "all of it was shifted before it left"
    assert {stamp % 1000 for _, stamp in pairs} >= set(offsets)
    steps = [e for e in rig.events() if e.kind == "clock_step"]
    assert len([e for e in steps if e.body["clock"] == "kernel"]) >= 4
    gap, *skipped = rig.clock_gaps().values()
    assert gap.from_ns is not None
    assert gap.to_ns is not None
    lengths = [(one.to_ns or 0) - (one.from_ns or 0) for one in skipped]
    assert sorted(round(ns / SECOND / HOUR_S, 2) for ns in lengths) == [2.0, 3.0], "what it was set forward over"
    assert gap.from_ns <= pairs[0][0] + NEAR_NS, "from the start of the agent"
    assert 2 * SECOND < gap.to_ns - gap.from_ns < 60 * SECOND
    assert min(e.time_ns for e in rig.events()) > pairs[0][0] - 4 * 3600 * SECOND, "no event is left in 1970"


def test_the_gateway_s_time_is_taken_in_1970_and_again_when_the_time_service_is_lost(tmp_path: Path) -> None:
    rig = TimedRig(tmp_path)
    rig.box.set(EPOCH_1970)
    rig.office.kernel(synchronised=True)
    with timed(rig):
        rig.wait_for_clock("gateway")
        epoch = rig.clock()["epoch"]
        for offset in (-HOUR_S, 5 * HOUR_S, 0.0):
            rig.read_more(6)
            rig.box.set(offset)
        rig.read_more(6)
        assert rig.clock()["epoch"] == epoch, "no stamp depends on the wall clock"
        assert int(rig.clock()["uncertainty_ns"]) < SECOND

        rig.box.kernel(synchronised=True, max_error_us=15_900_000)
        rig.wait_for_clock("kernel")
        rig.read_more(6)
        rig.box.kernel(synchronised=False)  # what the kernel says nine hours after the last word of a server
        rig.wait_for_clock("gateway")
        rig.box.set(-7 * HOUR_S)  # months later the battery is flat, or somebody sets the clock by hand
        rig.read_more(10)
        assert rig.clock()["source"] == "gateway"
        rig.agent.kill()
        rig.agent.start()
        rig.wait_for_state("plc", "up")
        assert rig.clock()["source"] in {"kernel", "gateway"}, "on the same boot the time is not forgotten"
        rig.read_more(6)
        rig.finish()
        rig.judge(lost=15)
    assert rig.corrections() == ({}, set())
    assert len(rig.clock_gaps()) == 1, "only before the gateway's first word"


def test_a_restart_before_the_time_is_known_is_put_right_with_the_process_before_it(tmp_path: Path) -> None:
    rig = TimedRig(tmp_path)
    rig.box.set(EPOCH_1970)
    with timed(rig):
        rig.wait_for_state("plc", "up")
        rig.hold_more(12)
        rig.agent.kill()
        rig.agent.start()
        rig.wait_for_state("plc", "up")
        rig.read_more(8)
        assert rig.rows() == {}
        rig.box.set(0.0)
        rig.box.kernel(synchronised=True)
        rig.wait_for_clock("kernel")
        rig.read_more(8)
        rig.finish()
        pairs = rig.judge(lost=15)
    assert rig.corrections() == ({}, set())
    assert len({stamp % 1000 for _, stamp in pairs}) == 3, "two processes without the time, and the time"


def test_what_is_let_go_without_a_time_is_corrected_when_one_comes_and_on_another_boot_never(
    tmp_path: Path,
) -> None:
    rig = TimedRig(tmp_path, hold_s=4)
    rig.box.set(EPOCH_1970)
    with timed(rig):
        rig.wait_for_state("plc", "up")
        rig.hold_more(10)
        rig.agent.kill()
        rig.box.kernel(boot="second")
        rig.box.set(EPOCH_1970 - 10)
        rig.agent.start()
        rig.wait_for_state("plc", "up")
        rig.wait_for(lambda: len({row.time_ns % 1000 for row in rig.rows()["w0"]}) == 2, "what is held is let go")
        rig.read_more(6)
        rig.box.set(0.0)
        rig.box.kernel(synchronised=True)
        rig.wait_for_clock("kernel")
        rig.read_more(6)
        rig.finish()
        pairs = rig.judge(lost=15)
    known, unknown = rig.corrections()
    assert len(known) == len(unknown) == 1
    first = [stamp for _, stamp in pairs if stamp % 1000 in unknown]
    second = [(at, stamp) for at, stamp in pairs if stamp % 1000 in known]
    assert len(first) >= 4
    assert len(second) >= 10
    assert all(RELEASED_NS <= stamp < RELEASED_NS + 100 * SECOND for stamp in first), "not in 1970, but not known"
    assert all(abs(at - stamp) > 3600 * SECOND for at, stamp in second), "frozen as they were"
    gap = max(rig.clock_gaps().values(), key=lambda event: event.to_ns or 0)
    assert gap.from_ns is not None
    assert gap.to_ns is not None
    assert gap.from_ns <= second[0][0] + NEAR_NS
    assert gap.to_ns >= second[-1][0] - NEAR_NS
