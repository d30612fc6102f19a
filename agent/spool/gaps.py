"""What was read and will not arrive: one `Loss` is one gap, with its rows counted by source.

A gap event tells the whole state of its gap, so that a later event with the same `gap_id` replaces an earlier
one: a gap grows while the spool stays full, and shrinks when a confirmation shows that an entry given up here
had arrived after all. Entries are listed as runs `[first seq, last seq, "yes" | "no"]` (sent or not), not one by
one: whatever happens, the event fits into a message.

`stage` in the body says where the rows were lost: "ring" (read, but neither committed nor fed to the analyzers),
"spool" (committed and fed, dropped before they were confirmed) or "store" (refused by the database). Only the
first leaves a hole in the evidence.

Pure: no clock, file, socket or logger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from agent.frame import Event, GapCause

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent.entry import Span
    from agent.frame import Json

RUNS = 1000
SOURCES = 1000
OTHER = "*"  # source under which the rest is counted when there are more than SOURCES

Stage = Literal["ring", "spool", "store"]


class Loss(msgspec.Struct):
    """One gap that names rows. Empty when new; `add` and `remove` keep the sums.

    Attributes:
        gap_id: Its name for ever.
        cause: Why the rows are missing.
        stage: Where they were lost.
        spool: Id of the spool whose entries it lists.
        from_ns, to_ns: From the first to the last row ever added; None as long as there was none.
        sources: Rows that are missing now, by source id: [first ns, last ns, rows].
        runs: Entries that are missing now: [first seq, last seq, sent].
        events: Events and facts that went with them; closed gaps are told again instead.
        reason: More words about the cause.
    """

    gap_id: str
    cause: GapCause
    stage: Stage
    spool: str
    from_ns: int | None = None
    to_ns: int | None = None
    sources: dict[str, list[int]] = {}
    runs: list[tuple[int, int, bool]] = []
    events: int = 0
    reason: str = ""

    @property
    def rows(self) -> int:
        """Rows that are missing now."""
        return sum(n for _, _, n in self.sources.values())

    def fits(self, cause: GapCause, spool: str, reason: str) -> bool:
        """Whether an entry dropped for this cause can be named here, and the event keeps its size."""
        same = (self.cause, self.stage, self.spool, self.reason) == (cause, "spool", spool, reason)
        return same and len(self.runs) < RUNS

    def reach(self, time_ns: int) -> None:
        """Extend it to this moment."""
        self.from_ns = time_ns if self.from_ns is None else min(self.from_ns, time_ns)
        self.to_ns = time_ns if self.to_ns is None else max(self.to_ns, time_ns)

    def add(self, spans: Iterable[Span]) -> None:
        """Count rows that are lost."""
        for span in spans:
            key = span.source if span.source in self.sources or len(self.sources) < SOURCES else OTHER
            first, last, n = self.sources.get(key, [span.first_ns, span.last_ns, 0])
            self.sources[key] = [min(first, span.first_ns), max(last, span.last_ns), n + span.rows]
            self.reach(span.first_ns)
            self.reach(span.last_ns)

    def list_entry(self, seq: int, *, sent: bool) -> None:
        """Name an entry; they come in the order of their numbers."""
        if self.runs and self.runs[-1][1] == seq - 1 and self.runs[-1][2] is sent:
            self.runs[-1] = (self.runs[-1][0], seq, sent)
        else:
            self.runs.append((seq, seq, sent))

    def remove(self, seq: int, spans: Iterable[Span]) -> None:
        """Take an entry out again: it has arrived after all."""
        for span in spans:
            key = span.source if span.source in self.sources else OTHER
            first, last, n = self.sources[key]
            if n > span.rows:
                self.sources[key] = [first, last, n - span.rows]
            else:
                del self.sources[key]
        runs: list[tuple[int, int, bool]] = []
        for a, b, sent in self.runs:
            if not a <= seq <= b:
                runs.append((a, b, sent))
                continue
            if a < seq:
                runs.append((a, seq - 1, sent))
            if seq < b:
                runs.append((seq + 1, b, sent))
        self.runs = runs

    def event(self, time_ns: int) -> Event:
        """Return the gap event that tells its state. A gap that has shrunk to nothing ends where it begins."""
        start = time_ns if self.from_ns is None else self.from_ns
        end = start if self.to_ns is None or not (self.rows or self.runs or self.reason) else self.to_ns
        body: dict[str, Json] = {
            "gap_id": self.gap_id,
            "cause": self.cause,
            "stage": self.stage,
            "spool": self.spool,
            "rows": self.rows,
            "sources": {
                source: {"first": str(first), "last": str(last), "rows": n}
                for source, (first, last, n) in sorted(self.sources.items())
            },
            "entries": [[a, b, "yes" if sent else "no"] for a, b, sent in self.runs],
        }
        if self.events:
            body["events"] = self.events
        if self.reason:
            body["reason"] = self.reason
        only = next(iter(self.sources)) if len(self.sources) == 1 else None
        return Event(
            kind="gap",
            time_ns=time_ns,
            source=None if only == OTHER else only,
            from_ns=start,
            to_ns=end,
            body=body,
        )
