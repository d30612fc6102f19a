"""Who vouches for the agent's time, and what follows from it: the state machine of DESIGN 8, without a clock.

    look (base, wall, kernel) ---+
                                 +--> Trust --> Stand (epoch, anchor, source)       `Clock.now` reads it
    answers of the gateway ------+      |
                                        +-----> Change (a new epoch, epochs whose offset is now known)

**Base and anchor.** `base` is the machine's time since boot, suspends included, so that a suspend is no step. Time
is anchor + base. To know the time is to know the anchor, and one number of this boot says for all its processes
and epochs what they should have stamped: the offset of an epoch is the difference of two anchors. Linux disciplines
base and wall clock at the same rate: an NTP service that slews moves no anchor; only steps do.

**Who vouches**, in this order: the *kernel* while a time service disciplines it; the *gateway*, whose answer to a
question bounds the anchor from both sides; *local*, the technician's word for the wall clock (unless that is
earlier than this release); *none*. What kernel or gateway said last goes on being believed without them, while it
cannot be off by more than `BELIEVED_NS`: a quartz needs days for that, and the factory's line may be down so long.
Of two words that agree the narrower one counts. Where the gateway contradicts the kernel's last word the kernel
counts, because that it was disciplined is known and who disciplines the gateway is not, unless all answers have
contradicted it for `CONTRADICTED_NS`: then a time server was wrong that has gone since.
A wall clock that is set by hand meanwhile is not followed. Only with `local` and `none` it counts, wherever it is
set to; with `none` time begins at the last trusted time on the disk, or at the release, when the wall clock is
behind that: what may never be corrected then lies where a database keeps it, and not in 1970.

**Answers.** An answer says: at some moment between question and answer it was T. So the anchor lies between
T - answered and T - asked; several answers are intersected, and all of it widens by `DRIFT` while it ages. One that
contradicts is believed when `AGREED` in a row, a second apart, have said the same: two workers with different
clocks, who answer as the broker deals it out, then leave the agent with the first, and a worker whose clock was
wrong is left within a minute; one that agrees with the kernel's last word takes the place of one that does not at
once. An answer that contradicts by more than 0.5 s is counted, and named for `DISAGREEING_NS`: only a person can
mend it. What is less is within what stamps of one epoch may be off, and within what two time services may differ.
Of a first answer with a long round trip the second and third are awaited.

**Epochs.** A new one begins when the anchor has to move by more than 0.5 s, and when trust begins or ends, so that
a stamp's epoch tells whether it was vouched for. Below 0.5 s a trusted anchor follows at `SLEW` (ntpd steps by up
to 0.5 s, which is the most that stamps of one epoch may be off), an untrusted one stands still, so that one offset
holds for all of it. What was stamped between a step and the next look keeps the old anchor.

**What arrives late.** Each stamp is treated by its own epoch, whenever it is committed: rows in the ring and the
beginnings of open gaps carry the digits of the epoch in which they were made, and the spool shifts them with it.

Pure: no clock, file, socket or logger.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from settings.released import RELEASED_NS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from settings.kernelclock import KernelClock

Source = Literal["kernel", "gateway", "local", "none"]

STEP_NS = 500_000_000
BELIEVED_NS = 60 * 10**9
"""How far the time may be off, at most, and still be evidence: a week on the quartz alone."""
DRIFT = 100e-6
"""How fast a free-running clock may go wrong; quartz in a cabinet: 20 to 50 ppm."""
SLEW = 100e-6
ROUND_TRIP_NS = 2 * 10**9
"""Answers that took longer are not used."""
CLOSE_NS = 100_000_000
"""An answer that is known to better than this needs no second one."""
ENOUGH = 3
AGREED = 30
"""Answers in a row that outweigh what was known: by dice, two workers come to that once in ten thousand years."""
CONTRADICTED_NS = 3600 * 10**9
CONTRADICTED = 12
"""How long, and by how many answers, all of the gateway has to contradict the kernel's last word to outweigh it."""
DISAGREEING_NS = 3600 * 10**9
"""Asked every five minutes, each of two workers has answered in such a time."""
SOON_NS, FIRST_NS, OFTEN_NS, RARELY_NS = 1 * 10**9, 2 * 10**9, 10 * 10**9, 300 * 10**9
FIRST = 10
"""Questions that follow one another quickly after the start without the time: what is held goes the sooner."""
EAGER = 30
"""Questions asked often while something else vouches for the clock; then rarely."""
_MICRO = 1000


class Look(NamedTuple):
    """What the machine says at one moment: time since boot, wall clock (ns), and the kernel's word."""

    base_ns: int
    wall_ns: int
    kernel: KernelClock


class Answer(NamedTuple):
    """A worker's trusted clock said `time_ns` between two moments of the base."""

    asked_ns: int
    answered_ns: int
    time_ns: int
    worker: str = ""


class Disagreement(NamedTuple):
    """An answer has contradicted what was known, by more than both may be off and more than a step.

    Attributes:
        off_ns: By how much its time was ahead.
        known: The worker who had said what was known; "" for the kernel.
        worker: Who has contradicted.
        base_ns: When.
    """

    off_ns: int
    known: str
    worker: str
    base_ns: int


class Word(NamedTuple):
    """The anchor lay within [low, high] at `base_ns`; the older, the less that says."""

    low_ns: int
    high_ns: int
    base_ns: int

    def aged(self, base_ns: int) -> Word:
        """Return what it says at a later moment."""
        more = round(max(0, base_ns - self.base_ns) * DRIFT)
        return Word(self.low_ns - more, self.high_ns + more, max(base_ns, self.base_ns))

    def both(self, other: Word) -> Word | None:
        """Return what two words say together, None when they contradict; of the same moment."""
        low, high = max(self.low_ns, other.low_ns), min(self.high_ns, other.high_ns)
        return Word(low, high, self.base_ns) if low <= high else None

    @property
    def anchor_ns(self) -> int:
        """The middle, cut to microseconds."""
        return (self.low_ns + self.high_ns) // 2 // _MICRO * _MICRO

    @property
    def error_ns(self) -> int:
        """How far the middle may be off."""
        return (self.high_ns - self.low_ns) // 2


class Stand(NamedTuple):
    """How stamps are made now; replaced as a whole, so that any thread may read it.

    Attributes:
        epoch: Number of the clock epoch; stamps carry it modulo 1000.
        anchor_ns: UTC minus base, whole microseconds.
        source: Who vouches for it.
        since_ns: Base at which this source began to.
    """

    epoch: int
    anchor_ns: int
    source: Source
    since_ns: int

    @property
    def trusted(self) -> bool:
        """Whether anybody vouches for the time."""
        return self.source != "none"

    def stamp(self, base_ns: int) -> int:
        """Return the stamp of a moment."""
        return (self.anchor_ns + base_ns) // _MICRO * _MICRO + self.epoch % 1000


class Change(NamedTuple):
    """The stand has changed.

    Attributes:
        before, after: The stands.
        offsets: Untrusted epochs of this boot whose offset has become known: what to add to their stamps, ns.
    """

    before: Stand
    after: Stand
    offsets: Mapping[int, int]

    @property
    def new_epoch(self) -> bool:
        """Whether stamps belong to another epoch from now on."""
        return self.before.epoch != self.after.epoch


class Kept(NamedTuple):
    """What an earlier process knew: `word` counts only on the same boot.

    Attributes:
        boot: The boot's id.
        source: Who had vouched, "kernel" or "gateway".
        word: The anchor as known then.
        time_ns: Latest time that was trusted, UTC; 0 for never.
        dark: Since then a process has begun without the time, and nobody knows whether it ever learned it.
    """

    boot: str
    source: Source
    word: Word
    time_ns: int
    dark: bool = False


@dataclass(slots=True)
class _Gateway:
    word: Word | None = None
    answers: int = 0
    worker: str = ""  # who has said it
    rival: Word | None = None
    rivals: int = 0
    clash: Disagreement | None = None  # the last one
    clashes: int = 0

    def take(self, answer: Answer, kernel: Word | None) -> None:
        """Take an answer; `kernel` is the last word of the kernel while that is believed."""
        under_way = answer.answered_ns - answer.asked_ns
        if not 0 <= under_way <= ROUND_TRIP_NS:
            return
        drift = round(under_way * DRIFT)
        low, high = answer.time_ns - answer.answered_ns - drift, answer.time_ns - answer.asked_ns + drift
        said = Word(low, high, answer.answered_ns)
        known = None if self.word is None else self.word.aged(said.base_ns)
        both = None if known is None else known.both(said)
        there = None if kernel is None else kernel.aged(said.base_ns)
        if known is not None and both is None:
            self._contradict(said, known, self.worker, answer.worker)
        elif there is not None and there.both(said) is None:
            self._contradict(said, there, "", answer.worker)
        if known is None or both is not None:
            self.word, self.rival, self.worker = both or said, None, answer.worker
            self.answers += 1
            return
        if there is not None and there.both(said) is not None and there.both(known) is None:
            self.word, self.rival, self.worker, self.answers = said, None, answer.worker, 1
            return
        agreed = None if self.rival is None else self.rival.aged(said.base_ns).both(said)
        self.rival, self.rivals = agreed or said, 1 if agreed is None else self.rivals + 1
        if self.rivals >= AGREED:
            self.word, self.rival, self.worker, self.answers = self.rival, None, answer.worker, self.rivals

    def _contradict(self, said: Word, known: Word, by: str, worker: str) -> None:
        off_ns = said.anchor_ns - known.anchor_ns
        if abs(off_ns) > STEP_NS:
            self.clash = Disagreement(off_ns, by, worker, said.base_ns)
            self.clashes += 1

    def usable(self) -> Word | None:
        if self.word is None or (self.answers < ENOUGH and self.word.error_ns > CLOSE_NS):
            return None
        return self.word


@dataclass(slots=True)
class Trust:
    """Decides at each look. Not thread-safe, but for reading `stand`.

    Args:
        number: Of the first epoch of this process.
        first: What the machine says now.
        local: The technician vouches for the wall clock.
        kept: What an earlier process on this very boot knew.
        earliest_ns: It cannot be earlier than that.
    """

    number: int
    first: Look
    local: bool = False
    kept: Kept | None = None
    earliest_ns: int = RELEASED_NS
    stand: Stand = field(init=False)
    _gateway: _Gateway = field(default_factory=_Gateway)
    _kernel: Word | None = None
    _against: tuple[int, int] | None = (
        None  # the gateway contradicts the kernel: since (base), after how many answers
    )
    _synchronised: bool = False
    _last_ns: int = 0  # base of the last look
    _untrusted: dict[int, int] = field(default_factory=dict)  # epoch -> anchor
    _asked_ns: int | None = None
    _questions: int = 0

    def __post_init__(self) -> None:
        if self.kept is not None and self.kept.source == "kernel":
            self._kernel = self.kept.word
        elif self.kept is not None and self.kept.source == "gateway":
            self._gateway = _Gateway(self.kept.word, ENOUGH)
        self._hear(self.first)
        source, anchor = self._best(self.first)
        self._last_ns = self.first.base_ns
        self.stand = Stand(self.number, anchor, source, self.first.base_ns)
        self._note()

    def _note(self) -> None:
        if not self.stand.trusted:
            self._untrusted[self.stand.epoch] = self.stand.anchor_ns

    def adopt(self, epoch: int, anchor_ns: int) -> None:
        """Learn of an untrusted epoch that an earlier process of this boot has stamped with."""
        self._untrusted.setdefault(epoch, anchor_ns)

    def answer(self, answer: Answer) -> None:
        """Take the word of a worker whose clock is trusted; the next look draws the conclusions."""
        self._gateway.take(answer, self._words(answer.answered_ns).get("kernel"))

    def look(self, now: Look) -> Change | None:
        """Decide anew; return what has changed."""
        before = self.stand
        self._hear(now)
        self._weigh(now.base_ns)
        source, anchor = self._best(now)
        off = anchor - before.anchor_ns
        if abs(off) > STEP_NS or (source != "none") is not before.trusted:
            epoch = before.epoch + 1
        else:
            epoch = before.epoch
            most = round(max(0, now.base_ns - self._last_ns) * SLEW) // _MICRO * _MICRO if before.trusted else 0
            anchor = before.anchor_ns + max(-most, min(most, off))
        self._last_ns = now.base_ns
        since = before.since_ns if source == before.source else now.base_ns
        self.stand = Stand(epoch, anchor, source, since)
        if epoch == before.epoch and source == before.source:
            return None
        offsets = {}
        if self.stand.trusted and not before.trusted:
            offsets = {number: anchor - old for number, old in self._untrusted.items()}
            self._untrusted.clear()  # once: what was shifted, or told a correction of, must not be a second time
        self._note()
        return Change(before, self.stand, offsets)

    def _hear(self, now: Look) -> None:
        self._synchronised = now.kernel.synchronised
        if self._synchronised:
            anchor, error = now.wall_ns - now.base_ns, now.kernel.max_error_ns
            self._kernel = Word(anchor - error, anchor + error, now.base_ns)

    def _weigh(self, base_ns: int) -> None:
        """Let the kernel's last word go when all answers have contradicted it for long."""
        words, gateway = self._words(base_ns), self._gateway
        if self._synchronised or gateway.word is None or gateway.rival is not None or not _contradict(words):
            self._against = None
        elif self._against is None:
            self._against = base_ns, gateway.answers
        else:
            since_ns, answers = self._against
            if gateway.word.base_ns - since_ns >= CONTRADICTED_NS and gateway.answers - answers >= CONTRADICTED:
                self._kernel = self._against = None

    def _best(self, now: Look) -> tuple[Source, int]:
        wall = (now.wall_ns - now.base_ns) // _MICRO * _MICRO
        floor = (self.earliest_ns - self.first.base_ns) // _MICRO * _MICRO
        if self._synchronised:
            return "kernel", wall
        words = self._words(now.base_ns)
        if words:
            source = "kernel" if _contradict(words) else min(words, key=lambda one: words[one].error_ns)
            return source, words[source].anchor_ns
        if self.local and now.wall_ns >= RELEASED_NS:
            return "local", wall
        return "none", max(wall, floor)

    def _words(self, base_ns: int) -> dict[Source, Word]:
        said: dict[Source, Word | None] = {"kernel": self._kernel, "gateway": self._gateway.usable()}
        words = {source: word.aged(base_ns) for source, word in said.items() if word is not None}
        return {source: word for source, word in words.items() if word.error_ns <= BELIEVED_NS}

    # What others ask

    @property
    def disagreements(self) -> int:
        """Answers that have contradicted what was known."""
        return self._gateway.clashes

    def disagreement(self, base_ns: int) -> Disagreement | None:
        """Return the last one, while it is not long ago."""
        clash = self._gateway.clash
        return None if clash is None or base_ns - clash.base_ns > DISAGREEING_NS else clash

    @property
    def synchronised(self) -> bool:
        """Whether a time service disciplines the clock now."""
        return self._synchronised

    def error_ns(self, base_ns: int) -> int | None:
        """Return how far the time may be off; None when nobody has said."""
        word = self._words(base_ns).get(self.stand.source)
        return None if word is None else word.error_ns + abs(word.anchor_ns - self.stand.anchor_ns)

    def word(self, base_ns: int) -> Word | None:
        """Return what is known of the anchor, for the next process; None when nobody but the technician vouches."""
        return self._words(base_ns).get(self.stand.source)

    def wants_answer(self, base_ns: int) -> bool:
        """Whether a worker should be asked for the time now."""
        if self._synchronised:
            return False
        if self._asked_ns is None:
            return True
        if self._gateway.word is not None and (self._gateway.answers < ENOUGH or self._gateway.rival is not None):
            pause = SOON_NS
        elif not self.stand.trusted and self._questions < FIRST:
            pause = FIRST_NS
        elif not self.stand.trusted or (self._gateway.word is None and self._questions < EAGER):
            pause = OFTEN_NS
        else:
            pause = RARELY_NS
        return base_ns - self._asked_ns >= pause

    def asked(self, base_ns: int) -> None:
        """Note that a question goes out."""
        self._asked_ns = base_ns
        self._questions += 1


def _contradict(words: Mapping[Source, Word]) -> bool:
    """Whether what kernel and gateway say, of one moment, cannot both be true."""
    return len(words) == 2 and words["kernel"].both(words["gateway"]) is None
