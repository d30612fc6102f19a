"""What is told when the word about the time changes: to the spool, to the store and to the next process."""

from __future__ import annotations

import itertools
import json
import time
from typing import TYPE_CHECKING, Any, cast

import pytest

from agent import entry, kept
from agent.clock import SystemClock
from agent.frame import Event, Facts, FrameBlock, gap_event
from agent.standstill import Standstill
from agent.timekeeping import Timekeeper
from agent.trust import BELIEVED_NS, DISAGREEING_NS, DRIFT, Answer
from settings.kernelclock import DOUBLE
from settings.released import RELEASED_NS
from tests.agent.spool.test_spool import A, B, make
from tests.support.items import frame

if TYPE_CHECKING:
    from pathlib import Path

    from agent.frame import Item
    from agent.spool import Spool
    from agent.trust import Kept

SECOND = 10**9
DAY = 86400 * SECOND


class Box:
    """A machine whose clocks and kernel the test speaks for, and an agent's parts on it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.true_ns = RELEASED_NS + 100 * DAY
        self.base_ns = 50 * SECOND
        self.off_ns = 0
        self._kernel = folder / "kernel"
        monkeypatch.setenv(DOUBLE, str(self._kernel))
        monkeypatch.setattr(time, "time_ns", lambda: self.true_ns + self.off_ns)
        self.slept_ns = 0
        monkeypatch.setattr(time, "monotonic_ns", lambda: self.base_ns - self.slept_ns)
        monkeypatch.setattr(time, "clock_gettime_ns", lambda _: self.base_ns)
        self.kernel(synchronised=False)
        self.names = itertools.count()

    def kernel(self, *, synchronised: bool, boot: str = "one", error_us: int = 1000) -> None:
        self._kernel.write_text(json.dumps({"synchronised": synchronised, "boot": boot, "max_error_us": error_us}))

    def boot(self, *, local: bool = False) -> None:
        """Start the agent's parts; what an earlier start has left is there."""
        known = kept.read(self.folder)
        self.items: list[Item] = []
        self.spool: Spool = make(self.folder)
        self.clock = SystemClock(self.spool.epoch, trusted=local, kept=known)
        self.spool.begin(self.clock)
        self.keeper = Timekeeper(self.clock, self.spool, self.folder, lambda: f"gap-{next(self.names)}", known)
        self.keeper.begin()

    def pass_time(self, seconds: int, step: int = 1) -> None:
        """Let time pass, looking at the clock and committing at each step."""
        for _ in range(0, seconds, step):
            self.true_ns += step * SECOND
            self.base_ns += step * SECOND
            self.keeper.tick()
            self.spool.tick()

    def stop(self) -> None:
        self.keeper.stop()
        self.spool.stop()

    def told(self) -> list[Item]:
        """Return everything that could be sent, as it would be."""
        entries = self.spool.unconfirmed(0, None, 10_000)
        sources = {source.id: source for source in (A, B)}
        return [item for _, raw in self.spool.sending(entries) for item in entry.decode(raw, sources)]

    def events(self, kind: str) -> list[Event]:
        return [item for item in self.told() if isinstance(item, Event) and item.kind == kind]

    def last_gap(self) -> Event:
        return [e for e in self.events("gap") if e.body["cause"] == "clock"][-1]


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    return Box(tmp_path, monkeypatch)


def test_trust_that_ends_and_comes_back_is_told_in_the_time_that_is_known_then(box: Box) -> None:
    box.kernel(synchronised=True)
    box.boot()
    first = box.clock.epoch
    box.pass_time(3)
    box.kernel(synchronised=False)
    box.off_ns = -5 * 3600 * SECOND  # nobody follows that
    silent = 0
    while box.clock.trusted:
        box.pass_time(3600, 3600)
        silent += 3600
    assert 0 <= silent - BELIEVED_NS / DRIFT / SECOND < 3600, "a week"
    assert box.clock.epoch == first + 1
    assert box.spool.stats().held_entries
    box.spool.put(frame(A, box.clock.now()))
    box.pass_time(5)
    ended = box.true_ns
    box.off_ns = 0
    box.kernel(synchronised=True)
    box.pass_time(2)
    assert box.spool.stats().held_entries == 0
    assert box.clock.epoch == first + 2
    (lost, found) = box.events("clock_step")
    assert (lost.body["epoch"], lost.body["clock"]) == (first + 1, "none")
    assert (found.body["epoch"], found.body["clock"]) == (first + 2, "kernel")
    assert int(str(found.body["offset_ns"])) == -int(str(lost.body["offset_ns"]))
    assert not box.events("clock_correction")
    gap = box.last_gap()
    assert gap.from_ns is not None
    assert gap.to_ns is not None
    assert abs(gap.to_ns - ended) < 2 * SECOND
    assert 4 * SECOND < gap.to_ns - gap.from_ns < 10 * SECOND
    rows = [item for item in box.told() if not isinstance(item, Event | Facts)]
    assert rows
    health = [cast("dict[str, Any]", item.body["clock"]) for item in box.told() if isinstance(item, Facts)]
    assert [state["source"] for state in health] == ["kernel", "none", "kernel"]
    assert box.keeper.counters() == {"clock_changes": 2, "clock_steps": 2, "clock_disagreements": 0}


def test_what_was_let_go_is_corrected_and_the_gap_reaches_back_to_the_last_trusted_time(box: Box) -> None:
    box.kernel(synchronised=True)
    box.boot()
    box.pass_time(5)
    box.stop()
    trusted = box.true_ns
    box.true_ns += 9 * 3600 * SECOND  # a night without power
    box.base_ns, box.off_ns = 30 * SECOND, -box.true_ns
    box.kernel(synchronised=False, boot="two")
    box.boot()
    assert box.clock.source == "none"
    assert trusted <= box.clock.now() < trusted + 40 * SECOND, "not in 1970"
    epoch = box.clock.epoch
    box.spool.put(frame(A, box.clock.now()))
    box.pass_time(700, 50)
    assert box.spool.stats().held_entries == 0, "the hold is over"
    box.kernel(synchronised=True, boot="two")
    box.off_ns = 0
    box.pass_time(1)
    (correction,) = box.events("clock_correction")
    assert correction.body["epoch"] == epoch
    assert abs(int(str(correction.body["offset_ns"])) - 9 * 3600 * SECOND) < 2 * SECOND
    assert int(str(correction.body["uncertainty_ns"])) < 2 * SECOND
    gap = box.last_gap()
    assert gap.from_ns is not None
    assert abs(gap.from_ns - trusted) < 2 * SECOND, "what it told of the night is no evidence"


def test_an_earlier_process_of_this_boot_is_put_right_and_one_of_another_boot_is_named(box: Box) -> None:
    box.boot()
    box.spool.put(frame(A, box.clock.now()))
    box.pass_time(2)
    box.stop()
    box.boot()
    box.spool.put(frame(A, box.clock.now()))
    box.pass_time(2)
    held = {one.epoch for one in box.spool.held_epochs()}
    assert len(held) == 2
    box.stop()
    box.kernel(synchronised=True)
    box.boot()
    box.pass_time(2)
    assert box.spool.stats().held_entries == 0
    assert not box.events("clock_correction")
    box.stop()

    box.kernel(synchronised=False, boot="two")
    box.off_ns = -40 * DAY
    box.boot()
    box.spool.put(frame(A, box.clock.now()))
    box.pass_time(2)
    box.stop()
    box.kernel(synchronised=True, boot="three")
    box.boot()
    box.pass_time(2)
    (unknown,) = box.events("clock_correction")
    assert unknown.body["offset_ns"] is None
    box.pass_time(700, 50)
    assert box.spool.stats().held_entries == 0


def test_the_time_on_the_disk_is_written_rarely(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []
    real = kept.write

    def write(folder: Path, known: Kept) -> None:
        written.append(known.time_ns)
        real(folder, known)

    monkeypatch.setattr(kept, "write", write)
    box.boot(local=True)
    box.pass_time(5)
    box.stop()
    assert written == [], "a technician's word is not kept: he may correct himself"
    box.kernel(synchronised=True)
    box.boot()
    box.pass_time(3600)
    assert 5 <= len(written) <= 8
    box.stop()
    assert abs(written[-1] - box.true_ns) < SECOND


def stamps(box: Box) -> list[int]:
    return [int(time) for item in box.told() if isinstance(item, FrameBlock) for time in item.time_ns]


def test_epochs_that_begin_between_two_commits_are_put_right_each_by_its_own_offset(box: Box) -> None:
    box.off_ns = 3600 * SECOND
    box.boot()
    true = []
    for off_s in (3600, -7200, 50):  # the disk stalls meanwhile
        box.off_ns = off_s * SECOND
        box.keeper.tick()
        true.append(box.true_ns)
        box.spool.put(frame(A, box.clock.now()))
        box.true_ns += SECOND
        box.base_ns += SECOND
    box.pass_time(2)
    box.off_ns = 0
    box.kernel(synchronised=True)
    box.pass_time(3)
    assert not box.events("clock_correction")
    assert len(stamps(box)) % len(true) == 0
    assert {min(range(3), key=lambda n: abs(true[n] - stamp)) for stamp in stamps(box)} == {0, 1, 2}
    assert all(min(abs(at - stamp) for at in true) < SECOND // 2 for stamp in stamps(box))


def test_what_is_stamped_after_trust_has_ended_is_held_although_the_commit_began_before(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.kernel(synchronised=True)
    box.boot()
    box.pass_time(3)
    real = box.spool._ring.take

    def take() -> object:
        box.keeper.tick()  # in another thread, right here
        box.spool.put(frame(A, box.clock.now()))
        return real()

    box.kernel(synchronised=False)
    box.base_ns += 30 * DAY
    box.true_ns += 30 * DAY
    monkeypatch.setattr(box.spool._ring, "take", take)
    box.spool.tick()
    assert not box.clock.trusted
    assert stamps(box) == []
    assert box.spool.stats().held_entries


@pytest.mark.parametrize("boot", ["one", "two"])
def test_what_an_earlier_process_let_go_as_it_is_gets_its_correction_from_a_later_one(box: Box, boot: str) -> None:
    box.off_ns = 3600 * SECOND
    box.boot()
    box.spool.put(frame(A, box.clock.now()))
    frozen = box.clock.epoch
    box.pass_time(700, 5)
    assert stamps(box)
    for _ in range(2):
        box.stop()
        box.boot()
        box.pass_time(2)
    box.stop()
    box.off_ns = 0
    box.kernel(synchronised=True, boot=boot)
    for _ in range(3):
        box.boot()
        box.pass_time(3)
        box.stop()
    box.boot()
    (told,) = [event.body for event in box.events("clock_correction") if event.body["epoch"] == frozen]
    if boot == "two":
        assert told["offset_ns"] is None
    else:
        assert abs(int(str(told["offset_ns"])) + 3600 * SECOND) < 2 * SECOND


def test_a_clock_that_is_set_forward_by_months_costs_no_data(box: Box) -> None:
    box.boot(local=True)
    for _ in range(5):
        box.spool.put(frame(A, box.clock.now()))
        box.pass_time(1)
    before = stamps(box)
    assert box.spool._checkpoint()
    box.off_ns = 60 * DAY
    box.pass_time(5)
    assert stamps(box) == before


def test_the_time_that_a_trusted_clock_is_set_forward_over_is_a_gap(box: Box) -> None:
    box.boot(local=True)
    box.pass_time(3)
    before = box.clock.now()
    box.off_ns = 2 * 3600 * SECOND
    box.pass_time(1)
    after = box.clock.now()
    gap = box.last_gap()
    assert gap.from_ns is not None
    assert gap.to_ns is not None
    assert before <= gap.from_ns <= before + SECOND + 1
    assert after - SECOND <= gap.to_ns <= after
    box.off_ns = 0
    box.pass_time(3)
    assert box.last_gap() == gap, "a clock that is set back leaves nothing out"


def test_no_moment_is_left_out_where_trust_ends_and_comes_back_ahead(box: Box) -> None:
    box.kernel(synchronised=True)
    box.boot()
    box.pass_time(3)
    box.kernel(synchronised=False)
    last = box.clock.now()
    while box.clock.trusted:
        last = box.clock.now()
        box.pass_time(3600, 3600)
    box.true_ns += 40 * SECOND  # the quartz was slow
    box.kernel(synchronised=True)
    box.pass_time(2)
    gap = box.last_gap()
    assert gap.from_ns is not None
    assert gap.to_ns is not None
    assert gap.from_ns <= last + 3601 * SECOND
    assert abs(gap.to_ns - box.true_ns) < 2 * SECOND


def test_a_time_that_was_too_late_by_years_does_not_stay_the_earliest_that_it_can_be(box: Box) -> None:
    box.kernel(synchronised=True)
    box.off_ns = 3000 * DAY
    box.boot()
    box.pass_time(700, 100)
    assert box.keeper._writing is not None
    box.keeper._writing.join()
    box.off_ns = 0
    box.pass_time(1)
    assert box.clock.earliest_ns < box.true_ns + 1000, "else no certificate would be valid any more"
    box.keeper._writing.join()
    found = kept.read(box.folder)
    assert found is not None
    assert found.time_ns < box.true_ns + 1000


def test_a_suspend_is_a_standstill_of_the_agent(box: Box) -> None:
    box.kernel(synchronised=True)
    box.boot()
    still = Standstill(box.clock, box.spool.put, lambda *_: None)
    still.look()
    start = box.clock.now()
    box.true_ns += 3600 * SECOND
    box.base_ns += 3600 * SECOND  # time.monotonic_ns of a machine that sleeps would stand still
    box.slept_ns = 3600 * SECOND
    assert still.look()
    box.spool.tick()
    (gap,) = [event for event in box.events("gap") if event.body.get("stood_still")]
    assert (gap.from_ns, gap.to_ns) == (start, box.clock.now())


def test_an_epoch_is_let_go_although_trust_that_came_back_has_gone_again_before_the_next_commit(box: Box) -> None:
    box.off_ns = -3600 * SECOND
    box.boot()
    first, stamped = box.clock.epoch, box.true_ns
    box.spool.put(frame(A, box.clock.now()))
    box.spool.put(gap_event("out", "link_down", A.id, box.clock.now(), box.clock.now() - SECOND, box.clock.now()))
    box.pass_time(2)
    assert [one.epoch for one in box.spool.held_epochs()] == [first]
    box.off_ns = 0
    box.kernel(synchronised=True, error_us=61_000_000)  # it cannot be believed for a moment without it
    box.keeper.tick()
    assert box.clock.trusted
    box.kernel(synchronised=False)
    box.pass_time(2)
    assert box.clock.epoch == first + 2, "it has come and gone"
    assert first not in {one.epoch for one in box.spool.held_epochs()}
    assert stamps(box)
    assert all(abs(stamp - stamped) < SECOND for stamp in stamps(box)), "at their true time"
    fed = [event for entry in box.spool.replay() for event in entry.items if isinstance(event, Event)]
    again = [event for event in fed if event.body.get("gap_id") == "out"]
    assert [abs((event.to_ns or 0) - stamped) < SECOND for event in again] == [True], (
        "the analyzers hear of the gap"
    )
    box.pass_time(700, 50)
    assert box.spool.stats().held_entries == 0
    assert not box.events("clock_correction")


def test_an_epoch_that_was_put_right_gets_no_correction_when_trust_comes_back_a_second_time(box: Box) -> None:
    box.off_ns = -3600 * SECOND
    box.boot()
    box.spool.put(frame(A, box.clock.now()))
    box.pass_time(2)
    box.off_ns = 0
    for _ in range(3):
        box.kernel(synchronised=True, error_us=61_000_000)
        box.pass_time(2)
        assert box.clock.trusted
        box.kernel(synchronised=False)
        box.pass_time(2)
        assert not box.clock.trusted
    assert not box.events("clock_correction"), "whoever reads would add the offset a second time"
    box.stop()
    box.kernel(synchronised=True, error_us=61_000_000)
    box.boot()
    box.pass_time(2)
    box.kernel(synchronised=False)
    box.pass_time(2)
    box.kernel(synchronised=True)
    box.pass_time(2)
    assert box.spool.stats().held_entries == 0
    assert not box.events("clock_correction")


def test_workers_that_disagree_about_the_time_are_named_once_counted_and_forgotten_when_they_agree(
    box: Box, caplog: pytest.LogCaptureFixture
) -> None:
    def answer(worker: str, off_ns: int = 0) -> None:
        box.clock.answer(Answer(box.base_ns, box.base_ns, box.true_ns + off_ns, worker))
        box.pass_time(1)

    box.boot()
    answer("hall-1")
    assert box.keeper.about()["disagreement"] is None
    for _ in range(3):
        answer("hall-2", 300 * SECOND)
        answer("hall-1")
    assert box.clock.source == "gateway"
    clash = cast("dict[str, Any]", box.keeper.about()["disagreement"])
    assert (clash["known"], clash["worker"]) == ("hall-1", "hall-2")
    assert abs(int(clash["off_ns"]) - 300 * SECOND) < SECOND
    assert box.keeper.counters()["clock_disagreements"] == 3
    said = [one.getMessage() for one in caplog.records if "contradicts" in one.getMessage()]
    assert len(said) == 1
    assert "hall-2 contradicts what hall-1 has said" in said[0]
    box.pass_time(DISAGREEING_NS // SECOND + 60, 60)
    assert box.keeper.about()["disagreement"] is None
    assert box.keeper.counters()["clock_disagreements"] == 3
