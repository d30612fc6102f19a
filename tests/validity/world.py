"""A plant whose truth is known for each second, what an agent sees of it, and the shares counted by brute force.

Nothing here knows how spans, ledgers or formulas work: the truth is one byte a second, the schedule is asked minute
by minute what the clock on the wall shows, and a share is a count of bytes. The analyzers get only what an agent
beside these devices would have committed: readings, marks of life, the supervisor's words about outages, and the
gaps that a restarted agent records about itself.

    World     who was where, second by second: the agent, its clock, and each device and signal
    observe   items in the order of commits, an hour each
    count     (num, den) of C03, A01 and Q01 by machine and production day
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from agent.frame import DataType, Event, FrameBlock, Signal, Source, Status, Watermark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from agent.frame import Item

SECOND = 1_000_000_000
HOUR_S = 3600
GOOD, UNCERTAIN, BAD = 0, 1, 2
CODES = {GOOD: Status.GOOD, UNCERTAIN: Status.UNCERTAIN, BAD: Status.BAD_DEVICE_FAILURE}
RETRY_S = 3
KEEP_ALIVE_S = 20
SHIFT = ((time(8), time(20)),)
Span = tuple[int, int]


@dataclass(kw_only=True)
class Plan:
    """When a site works, as a person would write it down."""

    zone: str = "Asia/Seoul"
    first: date = date(2026, 10, 26)  # a Monday
    days: int = 28
    day_start: time = time(8)
    planned: Mapping[int, tuple[tuple[time, time], ...]] = field(
        default_factory=lambda: dict.fromkeys(range(5), SHIFT)
    )
    holidays: frozenset[date] = frozenset()


@dataclass(kw_only=True)
class Device:
    """One device of one machine, and what befell it: seconds since the world's start, half-open.

    Attributes:
        source: What the agent reads of it.
        off: When nothing could be read from it: device, cable or switch.
        bad: By signal, when the device calls its value bad.
        uncertain: By signal, when it calls it uncertain.
        jitter: Each pause between two polls is `interval * (1 + uniform(-jitter, jitter) + slow)`.
        slow: See `jitter`.
        missed: Share of polls that fail singly.
        silent: Signals of a subscription that never say anything at all.
        begin: From when on it is configured.
        end: Until when.
    """

    source: Source
    off: Sequence[Span] = ()
    bad: Mapping[int, Sequence[Span]] = field(default_factory=dict)
    uncertain: Mapping[int, Sequence[Span]] = field(default_factory=dict)
    jitter: float = 0.02
    slow: float = 0.0
    missed: float = 0.0
    silent: frozenset[int] = frozenset()
    begin: int = 0
    end: int | None = None


def device(machine: str, mode: str = "poll", interval_s: float = 30, signals: int = 2) -> Source:
    """Return a source of one machine."""
    return Source(
        id=f"{machine}-plc.main",
        device=f"{machine}-plc",
        protocol="modbus" if mode == "poll" else "opcua",
        mode="poll" if mode == "poll" else "subscription",
        interval_ns=int(interval_s * SECOND),
        signals=tuple(
            Signal(
                id=f"s{n}", machine=machine, name=f"s{n}", dtype=DataType.FLOAT32, role="pv", role_confirmed=True
            )
            for n in range(signals)
        ),
    )


@dataclass(kw_only=True)
class World:
    """What happened.

    Attributes:
        plan: The site's schedule.
        devices: All that is configured.
        agent_off: When the agent was not running.
        clock_off: When its clock was not trusted; nothing enters the evidence then.
        seed: Of everything that is drawn.
    """

    plan: Plan
    devices: Sequence[Device]
    agent_off: Sequence[Span] = ()
    clock_off: Sequence[Span] = ()
    seed: int = 7

    def __post_init__(self) -> None:
        zone = ZoneInfo(self.plan.zone)
        begin = datetime.combine(self.plan.first, self.plan.day_start, zone)
        end = datetime.combine(self.plan.first + timedelta(days=self.plan.days), self.plan.day_start, zone)
        self.start_s = int(begin.timestamp())
        self.length = int(end.timestamp()) - self.start_s
        self.day, self.planned = self._wall(zone)
        self.ours = mask(self.length, [*self.agent_off, *self.clock_off])

    def _wall(self, zone: ZoneInfo) -> tuple[list[str], bytearray]:
        """Return for each minute its production day, and for each second whether it is planned."""
        days, planned = [], bytearray(self.length)
        for minute in range(self.length // 60):
            wall = datetime.fromtimestamp(self.start_s + 60 * minute, zone)
            at, today = wall.time().replace(tzinfo=None), wall.date()
            yesterday = today - timedelta(days=1)
            days.append((today if at >= self.plan.day_start else yesterday).isoformat())
            works = False
            for day in (today, yesterday):
                if day in self.plan.holidays:
                    continue
                for begin, end in self.plan.planned.get(day.weekday(), ()):
                    overnight = end <= begin
                    if day == today:
                        works |= begin <= at and (overnight or at < end)
                    else:
                        works |= overnight and at < end
            if works:
                planned[60 * minute : 60 * minute + 60] = b"\1" * 60
        return days, planned

    def days(self) -> dict[str, Span]:
        """Return each production day's seconds."""
        found: dict[str, Span] = {}
        for minute, day in enumerate(self.day):
            first = found.get(day, (60 * minute, 0))[0]
            found[day] = first, 60 * minute + 60
        return found


def mask(length: int, spans: Sequence[Span]) -> bytearray:
    """Return one byte a second: 1 within any of the spans."""
    found = bytearray(length)
    for begin, end in spans:
        begin, end = max(begin, 0), min(end, length)  # noqa: PLW2901 - cut to the world
        if end > begin:
            found[begin:end] = b"\1" * (end - begin)
    return found


def drawn(rng: random.Random, length: int, share: float, mean_s: float) -> list[Span]:
    """Draw spans of exponential length that together take about `share` of the time."""
    spans, now = list[Span](), 0.0
    while True:
        now += rng.expovariate(1 / (mean_s * (1 - share) / share))
        end = now + rng.expovariate(1 / mean_s)
        if end >= length:
            return spans
        spans.append((int(now), max(int(end), int(now) + 1)))
        now = end


Truth = dict[str, dict[str, dict[str, tuple[float, float]]]]


def count(world: World) -> Truth:
    """Return metric -> machine -> production day -> (seconds in which it held, seconds that count).

    Days of which the agent itself saw less than half of the planned time do not count. The machine of a device is
    that of its first signal; several devices of one machine follow each other.
    """
    found: Truth = {"C03": {}, "A01": {}, "Q01": {}}
    observed: dict[tuple[str, str], float] = {}
    planned = {day: sum(world.planned[begin:end]) for day, (begin, end) in world.days().items()}
    for of in world.devices:
        machine, n = of.source.signals[0].machine, len(of.source.signals)
        columns = [
            world.planned, world.ours, mask(world.length, of.off),
            mask(world.length, [(of.begin, world.length if of.end is None else of.end)]),
            *(state for number, state in enumerate(_states(of, world.length)) if number not in of.silent),
        ]  # fmt: skip
        for day, (begin, end) in world.days().items():
            counted, live, known, answered, good = _tally([column[begin:end] for column in columns])
            observed[machine, day] = observed.get((machine, day), 0) + counted
            for metric, num, den in (("C03", live, counted), ("A01", known, n * counted), ("Q01", good, answered)):
                old = found[metric].setdefault(machine, {}).get(day, (0, 0))
                found[metric][machine][day] = old[0] + num, old[1] + den
    for machines in found.values():
        for machine, by_day in machines.items():
            for day in list(by_day):
                if not planned[day] or observed[machine, day] < planned[day] / 2:
                    del by_day[day]
    return found


def _tally(columns: Sequence[bytearray]) -> tuple[float, float, float, float, float]:
    """Return seconds that count and that the link lived; signal-seconds known, answered, and how good they were."""
    counted = live = known = answered = good = 0.0
    alike = Counter(zip(*columns, strict=True))
    for (planned, ours, off, configured, *kinds), seconds in alike.items():
        if not planned or ours or not configured:
            continue
        counted += seconds
        if not off:
            live += seconds
            known += seconds * sum(kind != BAD for kind in kinds)
            answered += seconds * len(kinds)
            good += seconds * sum((1.0, 0.5, 0.0)[kind] for kind in kinds)
    return counted, live, known, answered, good


def _states(of: Device, length: int) -> list[bytearray]:
    """Return by signal what the device says about its value, a byte a second."""
    states = [bytearray(length) for _ in of.source.signals]
    for kind, by_signal in ((UNCERTAIN, of.uncertain), (BAD, of.bad)):
        for number, spans in by_signal.items():
            for begin, end in spans:
                until = min(end, length)
                states[number][begin:until] = bytes([kind]) * (until - begin)
    return states


def share(days: Mapping[str, tuple[float, float]]) -> float:
    """Return the share over all days."""
    return sum(num for num, _ in days.values()) / sum(den for _, den in days.values())


@dataclass(slots=True)
class _Seen:
    """What one device's supervisor has put into the pipeline."""

    rows: list[tuple[int, int, int]] = field(default_factory=list)  # time ns, signal, status
    others: list[tuple[int, Item]] = field(default_factory=list)


def observe(world: World) -> Iterator[list[Item]]:
    """Yield what the agent commits, an hour at a time, in order of time."""
    seen = [_Watch(world, of, number).run() for number, of in enumerate(world.devices)]
    common = [*_silences(world, world.agent_off, "agent_off"), *_silences(world, world.clock_off, "clock")]
    cursors = [0] * len(seen)
    others = sorted([*common, *(pair for one in seen for pair in one.others)], key=lambda pair: pair[0])
    position = 0
    for hour in range(world.start_s, world.start_s + world.length + 6 * HOUR_S, HOUR_S):
        end_ns = (hour + HOUR_S) * SECOND
        items: list[Item] = []
        while position < len(others) and others[position][0] < end_ns:
            items.append(others[position][1])
            position += 1
        for k, one in enumerate(seen):
            rows, low = one.rows, cursors[k]
            high = low
            while high < len(rows) and rows[high][0] < end_ns:
                high += 1
            cursors[k] = high
            if high > low:
                items.append(block(world.devices[k].source, rows[low:high]))
        yield items


def block(source: Source, rows: Sequence[tuple[int, int, int]]) -> FrameBlock:
    """Return rows (time, signal, status) as a block."""
    return FrameBlock(
        source=source,
        signal=np.array([r[1] for r in rows], np.int32),
        time_ns=np.array([r[0] for r in rows], np.int64),
        value=[None if r[2] >> 31 else 1.5 + r[0] // (60 * SECOND) % 2 for r in rows],  # something moves
        status=np.array([r[2] for r in rows], np.uint32),
    )


def _silences(world: World, spans: Sequence[Span], cause: str) -> list[tuple[int, Item]]:
    """What a restarted agent, or one whose clock is trusted again, says about the time before."""
    found: list[tuple[int, Item]] = []
    for begin, end in spans:
        low, high = ((world.start_s + s) * SECOND for s in (begin, end))
        body = {"gap_id": f"{cause} {begin}", "cause": cause}
        found.append((high, Event(kind="gap", time_ns=high, from_ns=low, to_ns=high, body=body)))
    return found


class _Watch:
    """One device, watched until the world ends and six hours longer, so that its last day closes."""

    def __init__(self, world: World, of: Device, number: int) -> None:
        self._world = world
        self._of = of
        self._rng = random.Random(1000 * world.seed + number)
        more = 6 * HOUR_S
        self._length = world.length + more
        self._end = self._length - 60 if of.end is None else of.end
        self._off = mask(self._length, of.off)
        self._ours = mask(self._length, [*world.agent_off, *world.clock_off])
        self._states = _states(of, self._length)
        self._seen = _Seen()
        self._gap: tuple[str, float] | None = None
        self._alive: float | None = None
        self._up = False

    def run(self) -> _Seen:
        """Return all it has put."""
        now = float(self._of.begin)
        while now < self._end:
            if self._ours[int(now)]:
                self._gap, self._alive, self._up = None, None, False  # a new process knows nothing of the old one
                again = self._ours.find(0, int(now))
                if again < 0:
                    break
                now = float(again)
            elif self._off[int(now)]:
                now = self._silent(now)
            else:
                self._found(now)
                now = self._poll(now) if self._of.source.mode == "poll" else self._listen(now)
        return self._seen

    def _ns(self, s: float) -> int:
        return self._world.start_s * SECOND + int(s * 1e6) * 1000

    def _outage(self, s: float, from_s: float, to_s: float | None, gap: str) -> None:
        told = Event(
            kind="gap",
            time_ns=self._ns(s),
            source=self._of.source.id,
            from_ns=self._ns(from_s),
            to_ns=None if to_s is None else self._ns(to_s),
            body={"gap_id": gap, "cause": "link_down"},
        )
        self._seen.others.append((self._ns(s), told))

    def _found(self, now: float) -> None:
        if self._up:
            return
        self._up = True
        at, source = self._ns(now), self._of.source.id
        self._seen.others.append((at, Event(kind="link_up", time_ns=at, source=source)))
        if self._gap is not None:
            gap, since = self._gap
            self._outage(now, since, now, gap)
            self._gap = None

    def _silent(self, now: float) -> float:
        """A failed attempt, and those after it until the device or the agent is away or back."""
        if self._gap is None:
            since = now if self._alive is None else self._alive
            self._gap = f"{self._of.source.id} {now}", since
            at, source = self._ns(now), self._of.source.id
            self._seen.others.append((at, Event(kind="link_down", time_ns=at, source=source)))
            self._outage(now, since, None, self._gap[0])
            self._up = False
        told = -1e9
        while now < self._end:
            if now - told >= 60:  # the rows of the other attempts would say the same
                self._rows(now, [Status.BAD_NO_COMMUNICATION] * len(self._states))
                told = now
            now += RETRY_S * (0.5 + self._rng.random() / 2)
            if now >= self._end or not self._off[int(now)] or self._ours[int(now)]:
                break
        return now

    def _rows(self, now: float, codes: Sequence[int]) -> None:
        at = self._ns(now)
        self._seen.rows += [(at, n, code) for n, code in enumerate(codes) if n not in self._of.silent]

    def _mark(self, now: float) -> None:
        self._alive = now
        self._seen.others.append((self._ns(now), Watermark(self._of.source.id, self._ns(now))))

    def _poll(self, now: float) -> float:
        pause = self._of.source.interval_ns / SECOND
        if self._rng.random() < self._of.missed:
            self._rows(now, [Status.BAD_TIMEOUT] * len(self._states))
        else:
            self._rows(now, [CODES[state[int(now)]] for state in self._states])
            self._mark(now)
        return now + pause * (1 + self._of.slow + self._rng.uniform(-1, 1) * self._of.jitter)

    def _listen(self, now: float) -> float:
        """A session from its first values to the moment at which the agent notices that it is over."""
        self._rows(now, [CODES[state[int(now)]] for state in self._states])
        stop = min(x for x in (self._off.find(1, int(now)), self._ours.find(1, int(now)), self._end) if x >= 0)
        marks = [now + KEEP_ALIVE_S * k for k in range(int((stop - now) / KEEP_ALIVE_S) + 1)]
        changes = []
        for n, state in enumerate(self._states):
            if n in self._of.silent:
                continue
            second = int(now)
            while second < stop:  # the next change of the status, or of the value in between
                value = second + self._rng.expovariate(1 / 400)
                current = state[second]
                turn = min(
                    (x for x in (state.find(k, second) for k in range(3) if k != current) if x >= 0), default=stop
                )
                second = int(min(value, turn)) if min(value, turn) > second else second + 1
                if second < stop:
                    changes.append((second + 0.3, n, CODES[state[second]]))
        self._seen.rows += [(self._ns(s), n, code) for s, n, code in sorted(changes) if s > now]
        for mark in marks:
            if mark < stop:
                self._mark(mark)
        latest = max((s for s, _, _ in changes), default=now)
        self._alive = max(self._alive or now, latest)
        if stop >= self._end or self._ours[stop]:
            return float(stop)
        noticed = stop + KEEP_ALIVE_S / 2  # a broken session shows when its next keep-alive fails to come
        return noticed if self._ours[int(noticed)] else self._silent(noticed)
