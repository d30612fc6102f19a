"""The agent's time from second to second: what `agent.trust` decides is told to the spool, the store and the disk.

    clock.look --Change--> spool.vouch (before the first stamp shows it)
                   |-----> events `clock_step`, `clock_correction`, the gap `clock`, facts "health"
                   +-----> time.json, at most every ten minutes: disks wear

The gap `clock` covers the time without trust, for the agent as a whole: it is opened in the stamps of that time,
which the spool shifts or lets go as they are, and closed in trusted time from its true beginning to its end. What
was let go as it is also told of the time before it, when the agent was off, with stamps that are no evidence: then
the gap begins at the last trusted time on the disk. When a trusted clock is set forward, the time that it leaves
out is such a gap too: nothing was read in it, and no device is to blame.

`clock_correction {epoch, offset_ns, uncertainty_ns}` names an epoch whose stamps are frozen: to read its points
rightly, add the offset to each time whose last three digits are the epoch modulo 1000. An offset of null says that
it will never be known: the machine has been started anew since.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Protocol

from agent import kept
from agent.frame import Event, Facts, gap_event
from agent.trust import Kept

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from agent.clock import SystemClock
    from agent.frame import Item, Json
    from agent.spool.base import HeldEpoch
    from agent.trust import Change, Stand

logger = logging.getLogger(__name__)

KEEP_NS = 600 * 10**9


class Held(Protocol):
    """What is needed of the spool."""

    def put(self, item: Item) -> None:
        """Take one item."""

    def vouch(self, epoch: int, offset_ns: int, by: int | None = None) -> bool:
        """Say by how much an epoch was wrong, by which trusted one; return whether its entries are shifted."""

    def doubt(self, epoch: int, anchor_ns: int) -> None:
        """Know an epoch that nobody vouches for, before the first stamp is made in it."""

    def held_epochs(self) -> Iterable[HeldEpoch]:
        """Return the epochs of which entries are held."""

    def frozen_epochs(self) -> Iterable[HeldEpoch]:
        """Return the epochs that were let go as they are, and whose correction nobody has told."""


class Timekeeper:
    """Looks at the clock once a second.

    Args:
        clock: Of the agent.
        spool: Begun or started before `begin`.
        folder: Where the time is kept for the next process.
        name: Gives each gap a name of its own.
        known: What the last process has kept.
    """

    def __init__(
        self, clock: SystemClock, spool: Held, folder: Path, name: Callable[[], str], known: Kept | None = None
    ) -> None:
        self._clock = clock
        self._spool = spool
        self._folder = folder
        self._name = name
        self._known = known
        self._dark = known is not None and known.dark
        self._gap: tuple[str, int] | None = None  # its id, and the base at which it began
        self._lost_ns: int | None = None  # the end of the trusted time before it, in that time
        self._frozen: dict[int, int] = {}  # epochs that the spool does not shift, and their offsets
        self._kept_ns: int | None = None  # base
        self._writing: threading.Thread | None = None
        self._failing = False
        self._disagreeing = False
        self._changes = 0
        self._steps = 0

    def begin(self) -> None:
        """Say who vouches for the time, and see to what earlier processes left without it."""
        clock = self._clock
        for held in self._spool.held_epochs():
            if held.boot_id == clock.boot_id:
                self._adopt(held)
            elif held.entries:
                self._correct(held.epoch, None)
                self._dark = True
                logger.warning(
                    "%d entries of before the machine was started anew have a wrong time, and nobody knows by how "
                    "much: they are stored as they are", held.entries,
                )  # fmt: skip
        for frozen in self._spool.frozen_epochs():
            self._dark = True
            if frozen.boot_id != clock.boot_id:
                self._correct(frozen.epoch, None)
                continue
            self._adopt(frozen)
        self._tell_corrections()
        if clock.trusted:
            self._known = None  # from now on every moment is known
        else:
            self._open()
            if self._known is not None and not self._known.dark:
                self._begin_writing(self._known._replace(dark=True))
            logger.warning(
                "nobody vouches for the clock: what is read waits up to 10 min for the time of the network or the "
                "gateway, and is no evidence; where there is none, set the clock and time.trust_local_clock"
            )
        self._tell_health()

    def tick(self) -> Change | None:
        """Look at the clock; return what has changed."""
        change = self._clock.look(self._announce)
        if change is not None:
            self._changes += 1
            if change.new_epoch:
                self._kept_ns = None  # what the disk says of the time may have been wrong
            self._tell(change)
        self._tell_disagreement()
        self._keep()
        return change

    def stop(self) -> None:
        """Keep the time for the next process."""
        if self._writing is not None:
            self._writing.join()
        self._kept_ns = None
        self._keep()
        if self._writing is not None:
            self._writing.join()

    # Changes

    def _announce(self, change: Change) -> None:
        if not change.after.trusted:
            self._spool.doubt(change.after.epoch, change.after.anchor_ns)
        for epoch, offset in sorted(change.offsets.items()):
            self._vouch(epoch, offset, change.after.epoch)

    def _adopt(self, left: HeldEpoch) -> None:
        """See to an epoch that an earlier process of this boot has left, now or when somebody vouches."""
        if self._clock.trusted:
            self._vouch(left.epoch, self._clock.anchor_ns - left.anchor_ns, self._clock.epoch)
        else:
            self._clock.adopt(left.epoch, left.anchor_ns)

    def _vouch(self, epoch: int, offset_ns: int, by: int) -> None:
        if not self._spool.vouch(epoch, offset_ns, by):
            self._frozen[epoch] = offset_ns
            self._dark = True

    def _tell(self, change: Change) -> None:
        before, after = change.before, change.after
        if change.new_epoch:
            off = after.anchor_ns - before.anchor_ns
            self._steps += 1
            logger.warning("the clock moves by %.3f s (%s): a new epoch begins", off / 1e9, after.source)
            self._event("clock_step", offset_ns=str(off), epoch=after.epoch, clock=after.source)
        else:
            logger.info("the clock: %s instead of %s", after.source, before.source)
        self._tell_corrections()
        if after.trusted and self._gap is not None:
            self._close()
        elif not after.trusted and self._gap is None:
            self._open(before)
        elif before.trusted and after.trusted and change.new_epoch:
            self._skip(before, after)
        self._tell_health()

    def _tell_corrections(self) -> None:
        for epoch, offset in self._frozen.items():
            self._correct(epoch, offset)
        self._frozen.clear()

    def _correct(self, epoch: int, offset_ns: int | None) -> None:
        error = None if offset_ns is None else self._clock.error_ns
        self._event(
            "clock_correction",
            epoch=epoch,
            offset_ns=None if offset_ns is None else str(offset_ns),
            uncertainty_ns=None if error is None else str(error),
        )

    def _event(self, kind: str, **body: Json) -> None:
        assert kind in {"clock_step", "clock_correction"}
        self._spool.put(Event(kind=kind, time_ns=self._clock.now(), body=body))  # type: ignore[arg-type]

    def _skip(self, before: Stand, after: Stand) -> None:
        """Tell of time that nobody has lived through: a trusted clock was set forward over it."""
        base = self._clock.base()
        start, end = before.stamp(base), after.stamp(base)
        if start < end:
            gap = gap_event(self._name(), "clock", None, self._clock.now(), start, end, epoch=after.epoch)
            self._spool.put(gap)

    def _open(self, before: Stand | None = None) -> None:
        self._gap = gap, base = self._name(), self._clock.base()
        self._lost_ns = None if before is None else before.stamp(base)
        start = self._clock.stand.stamp(base)
        self._spool.put(gap_event(gap, "clock", None, start, start, None, epoch=self._clock.epoch))

    def _close(self) -> None:
        assert self._gap is not None
        gap, base = self._gap
        now = self._clock.now()
        start = min(self._clock.stand.stamp(base), now)
        if self._lost_ns is not None:  # up to there every moment is known
            start = min(start, self._lost_ns)
        if self._dark and self._known is not None:
            start = min(start, self._known.time_ns)
        self._spool.put(gap_event(gap, "clock", None, now, start, now, epoch=self._clock.epoch))
        self._gap, self._known, self._dark = None, None, False

    def _tell_disagreement(self) -> None:
        """Say once that the gateway's workers disagree about the time, and once that they have ended to."""
        one = self._clock.disagreement
        if (one is not None) is self._disagreeing:
            return
        self._disagreeing = one is not None
        if one is None:
            logger.info("for an hour nobody has contradicted what is known of the time")
        else:
            logger.warning(
                "gateway worker %s contradicts what %s has said of the time, by %.3f s: look at their clocks",
                one.worker, one.known or "the time server (NTP)", one.off_ns / 1e9,
            )  # fmt: skip
        self._tell_health()

    def _tell_health(self) -> None:
        self._spool.put(
            Facts(kind="health", time_ns=self._clock.now(), subject="agent", body={"clock": dict(self.about())})
        )

    # What others see

    def about(self) -> Mapping[str, Json]:
        """Return the state of the clock: who vouches for it, since when, and how far it may be off."""
        stand, error, clash = self._clock.stand, self._clock.error_ns, self._clock.disagreement
        return {
            "source": stand.source,
            "synchronised": self._clock.synchronised,
            "since": str(stand.stamp(stand.since_ns)),
            "uncertainty_ns": None if error is None else str(error),
            "epoch": stand.epoch,
            "disagreement": None
            if clash is None
            else {"off_ns": str(clash.off_ns), "known": clash.known, "worker": clash.worker},
        }

    def counters(self) -> Mapping[str, int]:
        """Return what is counted, by names without prefix and `_total`."""
        return {
            "clock_changes": self._changes,
            "clock_steps": self._steps,
            "clock_disagreements": self._clock.disagreements,
        }

    # The disk

    def _keep(self) -> None:
        """Write the time down when it has been vouched for by others than the technician, not too often."""
        base = self._clock.base()
        due = self._kept_ns is None or base - self._kept_ns >= KEEP_NS
        word, source = self._clock.word(), self._clock.source
        if not due or word is None or (self._writing is not None and self._writing.is_alive()):
            return
        self._kept_ns = base
        self._begin_writing(Kept(self._clock.boot_id, source, word, self._clock.now()))

    def _begin_writing(self, known: Kept) -> None:
        """Write in a thread: a disk that hangs must not hang the readings."""
        self._writing = threading.Thread(target=self._write, args=(known,), name="time", daemon=True)
        self._writing.start()

    def _write(self, known: Kept) -> None:
        try:
            kept.write(self._folder, known)
            self._failing = False
        except OSError as exc:
            if not self._failing:
                logger.warning("%s: the time is not kept for the next start: %s", self._folder, exc)
            self._failing = True
