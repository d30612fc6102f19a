"""Who vouches for the time: the state machine against a world in which the true time is known."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from agent.trust import (
    AGREED,
    BELIEVED_NS,
    CONTRADICTED,
    CONTRADICTED_NS,
    DRIFT,
    ENOUGH,
    FIRST,
    RARELY_NS,
    ROUND_TRIP_NS,
    STEP_NS,
    Answer,
    Change,
    Kept,
    Look,
    Trust,
    Word,
)
from settings.kernelclock import KernelClock
from settings.released import RELEASED_NS

SECOND = 10**9
HOUR = 3600 * SECOND
NOW = RELEASED_NS + 30 * 86400 * SECOND
UNSYNCHRONISED = KernelClock(synchronised=False)


def synchronised(error_ms: int = 1) -> KernelClock:
    return KernelClock(synchronised=True, max_error_ns=error_ms * 10**6)


@dataclass
class World:
    """True time, and a box whose time since boot runs by `rate` too slowly."""

    rate: float = 0.0
    true_ns: int = NOW
    base_ns: int = 50 * SECOND
    wall_off_ns: int = 0  # wall minus true time at the base's last step; the wall drifts with the base
    kernel: KernelClock = UNSYNCHRONISED
    changes: list[Change] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.wall_ns = self.true_ns + self.wall_off_ns

    def advance(self, ns: int) -> None:
        self.true_ns += ns
        ours = ns - round(ns * self.rate)
        self.base_ns += ours
        self.wall_ns += ns if self.kernel.synchronised else ours  # a disciplined wall clock follows the truth

    def set_wall(self, off_ns: int) -> None:
        self.wall_ns = self.true_ns + off_ns

    def look(self) -> Look:
        return Look(self.base_ns, self.wall_ns, self.kernel)

    def seen(self, trust: Trust) -> Change | None:
        change = trust.look(self.look())
        if change is not None:
            self.changes.append(change)
        return change

    def answer(self, trust: Trust, there_ns: int, back_ns: int, off_ns: int = 0) -> None:
        asked = self.base_ns
        self.advance(there_ns)
        told = self.true_ns + off_ns
        self.advance(back_ns)
        trust.answer(Answer(asked, self.base_ns, told))

    def wrong_ns(self, trust: Trust) -> int:
        """Return how far a stamp of this moment is from the truth."""
        return trust.stand.anchor_ns + self.base_ns - self.true_ns


def offsets(change: Change) -> dict[int, int]:
    return dict(change.offsets)


def test_the_kernel_s_word_comes_with_a_step_and_names_the_offset_of_all_that_was_before() -> None:
    world = World(wall_off_ns=-NOW)
    trust = Trust(7, world.look())
    assert trust.stand.source == "none"
    untrusted = trust.stand.anchor_ns
    assert untrusted + world.base_ns == RELEASED_NS, "not 1970: it cannot be earlier than this release"
    world.advance(20 * SECOND)
    assert world.seen(trust) is None
    world.set_wall(0)
    world.kernel = synchronised()
    change = world.seen(trust)
    assert change is not None
    assert (change.before.source, change.after.source, change.after.epoch) == ("none", "kernel", 8)
    assert offsets(change) == {7: trust.stand.anchor_ns - untrusted}
    assert abs(change.offsets[7] - (NOW - RELEASED_NS)) < 1000
    assert world.wrong_ns(trust) in range(-1000, 1)


def test_a_step_before_the_kernel_s_word_makes_two_epochs_whose_offsets_are_both_known() -> None:
    world = World(wall_off_ns=-NOW)
    trust = Trust(0, world.look())
    world.set_wall(0)
    step = world.seen(trust)
    assert step is not None
    assert step.new_epoch
    assert not step.offsets
    world.advance(SECOND)
    world.kernel = synchronised()
    change = world.seen(trust)
    assert change is not None
    assert set(change.offsets) == {0, 1}
    assert abs(change.offsets[0] - (NOW - RELEASED_NS)) < 1000
    assert abs(change.offsets[1]) < 1000


def test_one_close_answer_is_enough_and_of_slow_ones_three() -> None:
    world = World(wall_off_ns=-HOUR)
    trust = Trust(0, world.look())
    world.answer(trust, 1_000_000, 3_000_000)
    assert world.seen(trust) is not None
    assert trust.stand.source == "gateway"
    assert abs(world.wrong_ns(trust)) <= 2_001_000

    world = World(wall_off_ns=-HOUR)
    trust = Trust(0, world.look())
    for n in range(ENOUGH):
        assert world.seen(trust) is None, n
        world.answer(trust, SECOND // 2, SECOND // 3)
    assert world.seen(trust) is not None
    assert trust.stand.source == "gateway"


def test_an_answer_that_was_too_long_under_way_says_nothing() -> None:
    world = World(wall_off_ns=-HOUR)
    trust = Trust(0, world.look())
    for _ in range(5):
        world.answer(trust, ROUND_TRIP_NS, 1)
        assert world.seen(trust) is None


def test_a_contradiction_counts_when_it_is_repeated() -> None:
    world = World()
    trust = Trust(0, world.look())
    world.answer(trust, 10**6, 10**6)
    world.seen(trust)
    for ahead in (1, 1, 2, 10, AGREED - 1):  # two workers, one of them an hour ahead
        for _ in range(ahead):
            world.answer(trust, 10**6, 10**6, HOUR)
            assert world.seen(trust) is None
        world.answer(trust, 10**6, 10**6)
        assert world.seen(trust) is None
    for _ in range(AGREED):
        assert world.seen(trust) is None
        world.answer(trust, 10**6, 10**6, HOUR)
    change = world.seen(trust)
    assert change is not None
    assert change.new_epoch
    assert abs(world.wrong_ns(trust) - HOUR) < 10**7
    assert not change.offsets, "what was vouched for is not corrected"


def test_the_kernel_s_last_word_outweighs_a_gateway_that_contradicts_it_for_less_than_an_hour() -> None:
    world = World(rate=50e-6, kernel=synchronised())
    trust = Trust(0, world.look())
    world.kernel = UNSYNCHRONISED
    begun = None
    for _ in range(9 * 60):  # the line has been down for a while, and somebody has set the gateway by hand
        world.advance(10 * SECOND)
        if trust.wants_answer(world.base_ns):
            trust.asked(world.base_ns)
            world.answer(trust, 10**6, 10**6, 10 * 60 * SECOND)
            begun = begun or world.base_ns
        if world.seen(trust) is not None:
            break
        assert trust.stand.source == "kernel"
        assert abs(world.wrong_ns(trust)) < SECOND, "an error of a second against one of a millisecond"
    assert begun is not None
    assert CONTRADICTED_NS <= world.base_ns - begun < 2 * CONTRADICTED_NS, "then a time server was wrong"
    assert [c.after.source for c in world.changes] == ["gateway"]
    assert trust.disagreements >= CONTRADICTED
    world.kernel = synchronised()
    world.set_wall(0)
    world.seen(trust)
    assert [c.after.source for c in world.changes] == ["gateway", "kernel"], "at once: it is disciplined now"


def test_a_gateway_within_the_kernel_s_last_word_makes_it_more_exact() -> None:
    world = World(rate=90e-6, kernel=synchronised())
    trust = Trust(0, world.look())
    world.kernel = UNSYNCHRONISED
    for _ in range(24):
        world.advance(HOUR)
        world.seen(trust)
    assert not world.changes
    world.answer(trust, 10**6, 10**6)
    world.seen(trust)
    assert [(c.after.source, c.new_epoch) for c in world.changes] == [("gateway", True)]
    assert abs(world.wrong_ns(trust)) < 2 * 10**6
    assert trust.disagreement(world.base_ns) is None


def test_of_two_workers_the_one_that_agrees_with_the_kernel_is_believed() -> None:
    world = World(rate=50e-6, kernel=synchronised())
    trust = Trust(0, world.look())
    world.kernel = UNSYNCHRONISED
    for n in range(3 * 720):
        world.advance(5 * SECOND)
        world.answer(trust, 10**6, 10**6, 0 if n % 7 == 6 else HOUR)  # most are of the one that is wrong
        world.seen(trust)
        assert abs(world.wrong_ns(trust)) < SECOND
    assert len([c for c in world.changes if c.new_epoch]) == 0
    clash = trust.disagreement(world.base_ns)
    assert clash is not None
    assert abs(abs(clash.off_ns) - HOUR) < SECOND


def test_two_time_services_may_differ_a_little() -> None:
    world = World()
    trust = Trust(0, world.look())
    for n in range(20):
        world.answer(trust, 10**6, 10**6, n % 2 * STEP_NS // 2)
        world.seen(trust)
    assert trust.disagreements == 0


def test_with_the_gateway_s_word_the_wall_clock_may_be_set_to_anything() -> None:
    world = World(wall_off_ns=-NOW)
    trust = Trust(0, world.look(), local=True)
    assert trust.stand.source == "none", "not even a technician's word makes it 1970"
    world.answer(trust, 10**6, 10**6)
    world.seen(trust)
    for off in (-HOUR, 5 * HOUR, 0):
        world.set_wall(off)
        world.advance(SECOND)
        assert world.seen(trust) is None
        assert abs(world.wrong_ns(trust)) < 2 * 10**6


def test_a_technician_s_word_follows_the_wall_clock() -> None:
    world = World()
    trust = Trust(3, world.look(), local=True)
    assert trust.stand.source == "local"
    world.set_wall(-2 * HOUR)
    change = world.seen(trust)
    assert change is not None
    assert (change.after.epoch, change.after.source, offsets(change)) == (4, "local", {})
    assert abs(world.wrong_ns(trust) + 2 * HOUR) < 1000


def test_what_the_kernel_said_is_believed_for_days_and_not_for_ever() -> None:
    world = World(rate=50e-6, kernel=synchronised())
    trust = Trust(0, world.look())
    world.kernel = UNSYNCHRONISED  # no NTP any more
    for _ in range(6 * 24):
        world.advance(HOUR)
        world.seen(trust)
        assert trust.stand.source == "kernel"
        error = trust.error_ns(world.base_ns)
        assert error is not None
        assert abs(world.wrong_ns(trust)) <= error <= BELIEVED_NS
    assert trust.wants_answer(world.base_ns)
    for _ in range(24 * 2):
        world.advance(HOUR)
        world.seen(trust)
    assert trust.stand.source == "none"
    assert [c.after.source for c in world.changes] == ["none"]
    assert world.changes[0].new_epoch


def test_months_without_ntp_are_bridged_by_the_gateway() -> None:
    world = World(rate=-80e-6, kernel=synchronised())
    trust = Trust(0, world.look())
    world.kernel = UNSYNCHRONISED
    for _ in range(60 * 24):
        world.advance(HOUR)
        if trust.wants_answer(world.base_ns):
            trust.asked(world.base_ns)
            world.answer(trust, 20 * 10**6, 30 * 10**6)
        world.seen(trust)
        assert trust.stand.trusted
        assert abs(world.wrong_ns(trust)) < STEP_NS + 10**6
    assert trust.stand.source == "gateway"
    assert not [c for c in world.changes if c.offsets]


def test_a_small_step_is_followed_slowly_within_the_epoch() -> None:
    world = World(kernel=synchronised())
    trust = Trust(0, world.look())
    world.set_wall(400_000_000)  # what ntpd calls a step
    last = 0
    for _ in range(4500):
        world.advance(SECOND)
        assert world.seen(trust) is None
        stamp = trust.stand.stamp(world.base_ns)
        assert stamp - last > 0.99 * SECOND or not last
        last = stamp
    assert abs(world.wrong_ns(trust) - 400_000_000) < 10**6


def test_an_untrusted_epoch_has_one_offset() -> None:
    world = World(wall_off_ns=-HOUR)
    trust = Trust(0, world.look())
    anchor = trust.stand.anchor_ns
    for off in (100_000_000, -300_000_000, 450_000_000):
        world.set_wall(off - HOUR)
        world.advance(SECOND)
        assert world.seen(trust) is None
        assert trust.stand.anchor_ns == anchor


def test_a_restart_on_the_same_boot_goes_on_with_what_was_known() -> None:
    world = World(rate=60e-6, wall_off_ns=-NOW)
    trust = Trust(0, world.look())
    world.answer(trust, 10**6, 10**6)
    world.seen(trust)
    word = trust.word(world.base_ns)
    assert word is not None
    world.advance(HOUR)
    again = Trust(1, world.look(), kept=Kept("boot", "gateway", word, world.true_ns))
    assert again.stand.source == "gateway"
    assert abs(world.wrong_ns(again)) <= 10**6 + round(HOUR * DRIFT)
    world.advance(30 * 24 * HOUR)
    assert Trust(2, world.look(), kept=Kept("boot", "gateway", word, 0)).stand.source == "none"


def test_an_earlier_process_of_this_boot_is_corrected_too() -> None:
    world = World(wall_off_ns=-NOW)
    first = Trust(4, world.look())
    world.advance(60 * SECOND)
    world.set_wall(-NOW + HOUR)
    second = Trust(5, world.look())
    second.adopt(4, first.stand.anchor_ns)
    world.answer(second, 0, 0)
    change = world.seen(second)
    assert change is not None
    assert set(change.offsets) == {4, 5}
    assert first.stand.stamp(world.base_ns) + change.offsets[4] - 4 == second.stand.stamp(world.base_ns) - 6


def test_questions_are_asked_often_while_nobody_vouches_and_rarely_then() -> None:
    world = World()
    trust = Trust(0, world.look())
    asked = 0
    for _ in range(60):
        world.advance(SECOND)
        if trust.wants_answer(world.base_ns):
            trust.asked(world.base_ns)
            asked += 1
    assert FIRST + 3 <= asked <= FIRST + 5
    for _ in range(3600):
        world.advance(SECOND)
        if trust.wants_answer(world.base_ns):
            trust.asked(world.base_ns)
            asked += 1
            world.answer(trust, 10**6, 10**6)
        world.seen(trust)
    assert asked <= FIRST + 5 + ENOUGH + 3600 * SECOND // RARELY_NS
    world.kernel = synchronised()
    world.seen(trust)
    world.advance(HOUR)
    assert not trust.wants_answer(world.base_ns), "the kernel knows better"


step = st.tuples(st.just("step"), st.integers(-100 * 365 * 86400, 10**9).map(lambda s: s * SECOND // 7))
ops = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(1, 4 * HOUR)),
        step,
        st.tuples(st.just("kernel"), st.integers(0, 400)),
        st.tuples(st.just("lost"), st.just(0)),
        st.tuples(st.just("answer"), st.integers(0, 3 * SECOND)),
        st.tuples(st.just("lie"), st.integers(5, 600).map(lambda m: m * 60 * SECOND)),
        st.tuples(st.just("restart"), st.integers(0, 1)),
    ),
    max_size=40,
)


@given(
    story=ops,
    local=st.booleans(),
    rate=st.floats(-DRIFT * 0.9, DRIFT * 0.9),
    off_s=st.integers(-56 * 365 * 86400, 0),
    share=st.floats(0, 1),
)
def test_whatever_happens_vouched_time_is_right_within_what_is_said(  # noqa: C901, PLR0912 - one world
    story: list[tuple[str, int]], *, local: bool, rate: float, off_s: int, share: float
) -> None:
    world = World(rate=rate, wall_off_ns=off_s * SECOND)
    trust = Trust(0, world.look(), local)
    made: dict[int, int] = {}  # untrusted epoch -> anchor
    believed: set[int] = set()
    spoken = False  # whether the last answer lied: workers that lie twice in a row are believed

    def stood() -> None:
        if trust.stand.trusted:
            believed.add(trust.stand.epoch)
        else:
            assert trust.stand.epoch not in believed, "an epoch is trusted or not"
            made.setdefault(trust.stand.epoch, trust.stand.anchor_ns)
            assert made[trust.stand.epoch] == trust.stand.anchor_ns

    stood()
    for what, size in story:
        match what:
            case "wait":
                world.advance(size)
            case "step" if not world.kernel.synchronised:
                world.set_wall(size)
            case "kernel":
                world.set_wall(round((2 * share - 1) * size * 10**6))
                world.kernel = synchronised(size)
            case "lost":
                world.kernel = UNSYNCHRONISED
            case "answer":
                there = round(size * share)
                world.answer(trust, there, size - there)
                spoken = False
            case "lie" if not spoken and trust.stand.source == "gateway":
                world.answer(trust, 10**6, 10**6, size)
                spoken = True
            case "restart":
                kept = None
                if size and (word := trust.word(world.base_ns)) is not None:
                    kept = Kept("boot", trust.stand.source, word, 0)
                old = trust
                trust = Trust(old.stand.epoch + 1, world.look(), local, kept)
                for epoch, anchor in made.items():
                    trust.adopt(epoch, anchor)
            case _:
                continue
        before = trust.stand
        change = world.seen(trust)
        after = trust.stand
        assert (change is None) == (before.epoch == after.epoch and before.source == after.source)
        assert after.epoch - before.epoch in (0, 1)
        assert after.anchor_ns % 1000 == 0
        if change is not None and not before.trusted and after.trusted:
            assert offsets(change) == {epoch: after.anchor_ns - anchor for epoch, anchor in made.items()}
            made.clear()  # each is told once
        elif change is not None:
            assert not change.offsets
        if after.source in {"kernel", "gateway"} and not spoken:
            error = trust.error_ns(world.base_ns)
            assert error is not None
            assert abs(world.wrong_ns(trust)) <= error + 2000
        stood()


def test_words_age() -> None:
    word = Word(-1000, 3000, 5 * SECOND)
    assert word.anchor_ns == 1000
    assert word.aged(15 * SECOND).error_ns == 2000 + round(10 * SECOND * DRIFT)
    assert word.aged(0) == word, "an earlier moment makes nothing better"
    assert word.both(Word(4000, 5000, 5 * SECOND)) is None
