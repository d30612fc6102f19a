"""Dead letters into the store again, after somebody has mended what stood in the way; their gaps are closed.

    rejected    the kept lines are written again, rows that contradicted their birth are read anew with it
    unreadable  handled as if it had just arrived: for a newer version that can read it

Each rejected entry is a gap at its agent, whose name follows from the entry: `rejected-{spool}-{seq}-{crc}`. What
is still missing of the entry after a replay is written as an event of that name in the shape of the agent's own,
with `replayed` in its body: of the events of one gap those that have it count before those that have not, and the
latest of them. Nothing missing is a gap of no rows that ends where it begins.

Everything here can be done twice: points are identified by series and time, an event says the whole state of a gap.
A letter is settled when the store has all of it and its gaps; before that it stays where it is. Letters that share
an entry (it was sent twice, and refused differently) are replayed together, for they share its gap.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from contract import codec, topics
from contract.errors import WireError
from contract.payload import EVENTS, Block, Data, Times, WireEvent, WireFacts
from gateway import points
from gateway.rejection import named
from gateway.stores.base import Point, UnsupportedOperation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from contract.payload import Rejected
    from contract.topics import AgentTopics
    from gateway.clock import Clock
    from gateway.letter import DeadLetter
    from gateway.points import Dictionary
    from gateway.settled import Kept
    from gateway.stores.base import FieldValue, Store

Entry = tuple[str, str, int, str]
"""Topic, spool, seq, crc."""
_NEVER = (points.TWO_ROWS, points.TWO_EVENTS)
"""Reasons that no mending takes away: alone, such a row would overwrite the one that is stored."""


@dataclass
class Outcome:
    """What came of one group of letters.

    Attributes:
        letters: Those that were replayed together.
        stored: Rows that are in the store now.
        missing: Rows that are refused again.
        why: Of what is missing, each reason once.
        done: Whether nothing is missing, so that the letters can be settled.
    """

    letters: list[Kept]
    stored: int = 0
    missing: int = 0
    why: list[str] = field(default_factory=list)
    done: bool = False

    def say(self, reason: str) -> None:
        """Note a reason once."""
        if reason not in self.why and len(self.why) < 20:
            self.why.append(reason)


class _Lost(NamedTuple):
    """Rows of a source of an entry that are still missing."""

    seq: int
    source: str
    first: int
    last: int
    rows: int


def groups(kept: Iterable[Kept], chosen: Callable[[Kept], bool]) -> Iterator[list[Kept]]:
    """Yield the chosen letters, each with all others that share an entry with it."""
    parts: list[list[Kept]] = []
    where: dict[Entry, int] = {}
    for one in kept:
        home = len(parts)
        parts.append([one])
        letter = one.letter
        for entry in entries(letter) if letter is not None else ():
            other = where.setdefault(entry, home)
            if other != home:
                parts[home] = parts[other] + parts[home]
                parts[other] = []
                where.update((key, home) for key, place in where.items() if place == other)
    yield from (part for part in parts if any(map(chosen, part)))


def entries(letter: DeadLetter) -> list[Entry]:
    """Return the entries that a letter belongs to."""
    return [(letter.topic, letter.spool or "", r.seq, r.crc) for r in letter.rejected]


class Replay:
    """Replays letters.

    Args:
        store: Where the lines go.
        clock: For the times of gap events.
        births: Returns the tag dictionary of this agent with this hash, None when it is nowhere.
        arrive: Handles a message that could not be read; returns why it still cannot be stored, or None.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        births: Callable[[AgentTopics, str], Dictionary | None],
        arrive: Callable[[DeadLetter], str | None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._births = births
        self._arrive = arrive

    def replay(self, group: list[Kept]) -> Outcome:
        """Replay letters that belong together.

        Raises:
            StoreUnavailable: part of it may be stored; nothing is settled.
        """
        outcome = Outcome(group)
        letters = [letter for one in group if (letter := one.letter) is not None]
        if len(letters) < len(group):
            outcome.say("a damaged line")
            return outcome
        if letters[0].malformed:
            reason = self._arrive(letters[0])
            if reason is not None:
                outcome.say(reason)
            outcome.done = reason is None
            return outcome
        try:
            branch, _ = topics.split(letters[0].topic)
            merged = self._merged(branch, letters)
        except (WireError, KeyError, TypeError, ValueError, msgspec.ValidationError) as exc:
            outcome.say(f"not a letter of this version: {exc}")
            return outcome
        lost = [*merged.lost]
        refusals = {r.index: r.reason for r in self._store.write(merged.points)} if merged.points else {}
        for index, (point, origin) in enumerate(zip(merged.points, merged.origins, strict=True)):
            rows = points.rows_of(point)
            if index in refusals:
                outcome.say(refusals[index])
                lost.append(_Lost(origin.seq, origin.source, point.time_ns, point.time_ns, rows))
            else:
                outcome.stored += rows
        for reason in merged.why:
            outcome.say(reason)
        outcome.missing = sum(one.rows for one in lost)
        if outcome.stored:
            self._close(branch, letters, lost)
        outcome.done = not lost
        return outcome

    def _merged(self, branch: AgentTopics, letters: Sequence[DeadLetter]) -> _Merged:
        merged = _Merged()
        for letter in letters:
            for line in letter.points:
                merged.add(_point(line), points.Origin(line["seq"], line["source"]))
            if not letter.faults:
                continue
            dictionary = self._births(branch, letter.birth or "")
            if dictionary is None or (dictionary.factory, dictionary.agent) != (branch.factory, branch.agent):
                why = "the tag dictionary of these rows is neither here nor on the broker nor at the agent any more"
                merged.why.append(why)
                merged.lost += [_Lost(f["seq"], f["source"], f["first"], f["last"], 1) for f in letter.faults]
                continue
            for fault in letter.faults:
                if fault["reason"] in _NEVER:
                    merged.why.append(fault["reason"])
                    merged.lost.append(_Lost(fault["seq"], fault["source"], fault["first"], fault["last"], 1))
            again = points.build(_data(letter), dictionary)
            for point, origin in zip(again.points, again.origins, strict=True):
                merged.add(point, origin)
            merged.why += [fault.reason for fault in again.faults]
            merged.lost += [_Lost(*f.origin, f.first, f.last, f.rows) for f in again.faults]
        return merged

    def _close(self, branch: AgentTopics, letters: Sequence[DeadLetter], lost: Sequence[_Lost]) -> None:
        """Write what is still missing of each entry."""
        site = _site(letters)
        if site is None:
            found = self._births(branch, letters[0].birth or "")
            site = found.site if found is not None else "main"
        tags = (("agent", branch.agent), ("factory", branch.factory), ("kind", "gap"), ("site", site))
        rejected = {(letter.spool or "", r.seq, r.crc): r for letter in letters for r in letter.rejected}
        now = self._clock.now()
        events = []
        for (spool, seq, _), first in rejected.items():
            now = self._free(tags, now)
            fields = gap(spool, first, [one for one in lost if one.seq == seq], now)
            events.append(Point(EVENTS, tags, now, fields))
            now += 1000
        refused = self._store.write(events)
        if refused:
            raise AssertionError(f"the store refuses a gap: {refused[0].reason}")

    def _free(self, tags: tuple[tuple[str, str], ...], time_ns: int) -> int:
        """Return the next moment at which no event of this kind stands: two at one moment would become one."""
        try:
            while any(point.tags == tags for point in self._store.read(EVENTS, time_ns, time_ns + 1)):
                time_ns += 1000
        except UnsupportedOperation:  # nothing can be asked there; nanoseconds of two clocks do not often meet
            return time_ns
        return time_ns


class _Merged:
    """Lines of several letters, each once."""

    def __init__(self) -> None:
        self.points: list[Point] = []
        self.origins: list[points.Origin] = []
        self.lost: list[_Lost] = []
        self.why: list[str] = []
        self._places: dict[tuple[object, ...], int] = {}

    def add(self, point: Point, origin: points.Origin) -> None:
        key = (point.measurement, point.tags, point.time_ns, origin)
        place = self._places.setdefault(key, len(self.points))
        if place < len(self.points):
            fields = {**self.points[place].fields, **point.fields}
            self.points[place] = Point(point.measurement, point.tags, point.time_ns, fields)
        else:
            self.points.append(point)
            self.origins.append(origin)


def gap(spool: str, rejected: Rejected, lost: Sequence[_Lost], at_ns: int) -> dict[str, FieldValue]:
    """Return the fields of the event that says what is missing of an entry now, as the agent writes it."""
    start = min((int(first) for _, first, _, _ in rejected.rows), default=at_ns)
    sources: dict[str, tuple[int, int, int]] = {}
    for one in lost:
        first, last, rows = sources.get(one.source, (one.first, one.last, 0))
        sources[one.source] = (min(first, one.first), max(last, one.last), rows + one.rows)
    if sources:
        start = min(first for first, _, _ in sources.values())
    body: dict[str, Any] = {
        "gap_id": f"rejected-{spool}-{rejected.seq}-{rejected.crc}",
        "cause": "rejected",
        "stage": "store",
        "spool": spool,
        "rows": sum(rows for _, _, rows in sources.values()),
        "sources": {
            source: {"first": first, "last": last, "rows": rows}
            for source, first, last, rows in sorted(named(sources))
        },
        "entries": [[rejected.seq, rejected.seq, "yes"]] if sources else [],
        "reason": rejected.reason,
        "replayed": str(at_ns),
    }
    fields: dict[str, FieldValue] = {
        "body_s": codec.encode(body).decode(),
        "from_i": max(start, 0),
        "to_i": max(max((last for _, last, _ in sources.values()), default=start), 0),
    }
    if len(sources) == 1:
        fields["source_s"] = next(iter(sources))
    return fields


def _point(line: Mapping[str, Any]) -> Point:
    """Return a kept line as it was; JSON writes the float 1.0 as 1.0 and keeps the type."""
    return Point(line["measurement"], tuple(sorted(line["tags"].items())), line["time"], line["fields"])


def _site(letters: Sequence[DeadLetter]) -> str | None:
    return next((line["tags"]["site"] for letter in letters for line in letter.points if line["tags"]), None)


def _data(letter: DeadLetter) -> Data:
    """Return rows that contradicted their birth as they had come."""
    blocks: list[Block] = []
    events: list[WireEvent] = []
    facts: list[WireFacts] = []
    for fault in letter.faults:
        content, seq = fault["content"], fault["seq"]
        if fault["reason"] in _NEVER:
            continue
        if "time" not in content:
            columns = {"status": [content["status"]], "source_time": [content["source_time"]]}
            if content["source_time"] is None:
                del columns["source_time"]
            times = Times(str(fault["first"]), [0])
            blocks.append(Block(seq, fault["source"], [content["signal"]], times, [content["value"]], **columns))
        elif "signal" in content:
            blocks.append(msgspec.convert(content, Block))
        elif "subject" in content:
            facts.append(msgspec.convert(content, WireFacts))
        else:
            renamed = {"from": content.get("from_"), **content}
            events.append(msgspec.convert(renamed, WireEvent))
    return Data(letter.spool or "", [], letter.birth or "", blocks, events, facts)
