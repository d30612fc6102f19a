"""Spans in which people work on a machine: `tsq-agent maintenance start|stop`, with author and reason.

What is read meanwhile is stored as ever; readiness holds nothing of such a span against the factory. Each source of
the device gets an open gap `maintenance` and an event of that kind under one `gap_id`, both closed at the end. The
span goes on when the agent starts again, ends by itself when it was given a length, and is kept in the memory of
the device. Its times follow the clock: told by one that is set or vouched for meanwhile, they are told anew by the
next, and one that has been begun without the time on another boot begins again. Pure but for the memory.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, cast

from agent.frame import Event, gap_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from agent.clock import Clock
    from agent.collectors.base import Memory
    from agent.frame import Item, Json, Source

TOPIC = "maintenance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One span. Times are UTC nanoseconds; `until_ns` is None until somebody says that it is over.

    By which clock they are told, say `boot`, `epoch`, `anchor_ns` and `trusted`; see `Clock`.
    """

    id: str
    from_ns: int
    until_ns: int | None
    author: str
    reason: str
    boot: str = ""
    epoch: int = 0
    anchor_ns: int = 0
    trusted: bool = True


class Maintenance:
    """The spans that are open now.

    Args:
        memory: Keeps them over a restart.
        clock: Tells when they begin and end.
        put: Takes the events.
        sources: What is read.
        name: Gives each span a name of its own.
    """

    def __init__(
        self,
        memory: Memory,
        clock: Clock,
        put: Callable[[Item], None],
        sources: Iterable[Source],
        name: Callable[[], str],
    ) -> None:
        self._memory = memory
        self._clock = clock
        self._put = put
        self._name = name
        self._sources: dict[str, set[str]] = {}
        self._open: dict[str, Work] = {}
        self._devices(sources)

    def _devices(self, sources: Iterable[Source]) -> None:
        self._sources = {}
        for source in sources:
            self._sources.setdefault(source.device, set()).add(source.id)

    def resume(self) -> None:
        """Go on with what was open when the agent stopped; what should have ended meanwhile ends when it should."""
        for device in self._sources:
            work = _work(self._memory.recall(device, TOPIC))
            if work is not None:
                self._go_on(device, self._by_the_clock(work))
        self.tick()

    def begin(self, sources: Iterable[Source]) -> None:
        """Go on with these sources."""
        before = self._sources
        self._devices(sources)
        now = self._clock.now()
        for device, work in list(self._open.items()):
            there = self._sources.get(device, set())
            self._tell(device, work, before.get(device, set()) - there, now)
            self._tell(device, work, there - before.get(device, set()), None, now)
            if not there:
                self._forget(device)

    def start(self, device: str, author: str, reason: str, length_ns: int | None) -> Work:
        """Begin a span, or go on with the one that is open under this author, reason and end.

        Raises:
            KeyError: there is no such device.
        """
        if device not in self._sources:
            raise KeyError(device)
        self._follow()
        now = self._clock.now()
        old = self._open.get(device)
        work = Work(
            id=self._name() if old is None else old.id,
            from_ns=now if old is None else old.from_ns,
            until_ns=None if length_ns is None else now + length_ns,
            author=author,
            reason=reason,
            boot=self._clock.boot_id,
            epoch=self._clock.epoch,
            anchor_ns=self._clock.anchor_ns,
            trusted=self._clock.trusted,
        )
        self._go_on(device, work)
        return work

    def _go_on(self, device: str, work: Work) -> None:
        self._open[device] = work
        self._memory.remember(device, TOPIC, cast("Json", asdict(work)))
        self._tell(device, work, self._sources[device], None)

    def _follow(self) -> None:
        """Tell what is open by the clock as it is now."""
        for device, work in self._open.items():
            if (now := self._by_the_clock(work)) is not work:
                self._go_on(device, now)

    def _by_the_clock(self, work: Work) -> Work:
        clock = self._clock
        if work.epoch == clock.epoch or (work.boot != clock.boot_id and work.trusted):
            return work
        if work.boot == clock.boot_id:
            shift = clock.anchor_ns - work.anchor_ns + clock.epoch % 1000 - work.epoch % 1000
        else:  # nobody knows how long ago that was
            shift = clock.now() - work.from_ns
        return replace(
            work,
            from_ns=work.from_ns + shift,
            until_ns=None if work.until_ns is None else work.until_ns + shift,
            boot=clock.boot_id,
            epoch=clock.epoch,
            anchor_ns=clock.anchor_ns,
            trusted=clock.trusted,
        )

    def stop(self, device: str, author: str = "") -> Work | None:
        """End the span of a device; return it, None when there is none.

        Raises:
            KeyError: there is no such device.
        """
        self._follow()
        sources, work = self._sources[device], self._open.get(device)
        if work is None:
            return None
        self._tell(device, work, sources, self._clock.now(), ended_by=author)
        self._forget(device)
        return work

    def tick(self) -> None:
        """End what is over."""
        self._follow()
        now = self._clock.now()
        for device, work in list(self._open.items()):
            if work.until_ns is not None and work.until_ns <= now:
                self._tell(device, work, self._sources[device], work.until_ns)
                self._forget(device)

    def current(self) -> Mapping[str, Mapping[str, object]]:
        """Return the open spans by device, for `status`."""
        return {
            device: {
                "since": str(work.from_ns),
                "until": None if work.until_ns is None else str(work.until_ns),
                "author": work.author,
                "reason": work.reason,
            }
            for device, work in sorted(self._open.items())
        }

    def _forget(self, device: str) -> None:
        del self._open[device]
        self._memory.remember(device, TOPIC, None)

    def _tell(
        self,
        device: str,
        work: Work,
        sources: Iterable[str],
        end_ns: int | None,
        start_ns: int | None = None,
        **more: str,
    ) -> None:
        now, start = self._clock.now(), work.from_ns if start_ns is None else start_ns
        end = None if end_ns is None else max(start, end_ns)
        said: dict[str, Json] = {"device": device, "author": work.author, "reason": work.reason, **more}
        for source in sorted(sources):
            gap = f"{work.id}-{source}"
            body: dict[str, Json] = {"gap_id": gap, **said}
            self._put(Event(kind="maintenance", time_ns=now, source=source, from_ns=start, to_ns=end, body=body))
            self._put(gap_event(gap, "maintenance", source, now, start, end, **said))


def _work(body: Json) -> Work | None:
    if not isinstance(body, dict):
        return None
    start, until = body.get("from_ns"), body.get("until_ns")
    epoch, anchor = body.get("epoch", 0), body.get("anchor_ns", 0)
    if not (_moment(start) and (until is None or _moment(until)) and "id" in body):
        return None
    return Work(
        id=str(body["id"]),
        from_ns=cast("int", start),
        until_ns=cast("int | None", until),
        author=str(body.get("author", "")),
        reason=str(body.get("reason", "")),
        boot=str(body.get("boot", "")),
        epoch=epoch if isinstance(epoch, int) else 0,
        anchor_ns=anchor if isinstance(anchor, int) else 0,
        trusted=body.get("trusted") is not False,
    )


def _moment(body: Json) -> bool:
    return isinstance(body, int) and 0 <= body < 2**63
