"""What is said about lines that can never be stored: in a confirmation to the agent, in a letter to the operator.

Pure: no clock, file, socket or logger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from contract import codec
from contract.payload import Rejected, Stored
from gateway import points
from gateway.letter import DeadLetter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contract.payload import Data
    from gateway.stores.base import Refusal

    Row = tuple[str, str, str, int]

REASON_CHARS = 200
SOURCES = 1000
ROWS_BYTES = codec.PLAIN_LIMIT // 2
OTHER = "*"
"""Source under which the rows of the others are summed up when not all fit, as in the agent's gaps."""


def rejections(data: Data, batch: points.Batch, refusals: Sequence[Refusal]) -> dict[int, Rejected]:
    """Sum up, by entry, what cannot be stored: per source the first and last time and the number of rows."""
    if not batch.faults and not refusals:
        return {}
    losses = [(f.origin, f.reason, f.first, f.last, f.rows) for f in batch.faults]
    for index, reason in {r.index: r.reason for r in refusals}.items():
        point = batch.points[index]
        losses.append((batch.origins[index], reason, point.time_ns, point.time_ns, points.rows_of(point)))
    rows: dict[int, dict[str, tuple[int, int, int]]] = {}
    reasons: dict[int, dict[str, None]] = {}  # a set in the order of its first additions
    for (seq, source), reason, first, last, count in losses:
        of_entry = rows.setdefault(seq, {})
        old_first, old_last, old_count = of_entry.get(source, (first, last, 0))
        of_entry[source] = (min(first, old_first), max(last, old_last), count + old_count)
        reasons.setdefault(seq, {})[reason] = None
    return {
        seq: Rejected(
            seq=seq,
            crc=crc,
            reason="; ".join(reasons[seq])[:REASON_CHARS],
            rows=named(rows[seq]),
        )
        for seq, crc in data.entries
        if seq in rows
    }


def named(sources: dict[str, tuple[int, int, int]]) -> list[Row]:
    """Return the rows of an entry by source, as many as a confirmation holds, and the sum of all others."""
    rows: list[Row] = []
    others: list[tuple[int, int, int]] = []
    size = 0
    for source, (first, last, count) in sources.items():
        row = (source, str(first), str(last), count)
        size += len(codec.encode(row)) + 1
        if len(rows) < SOURCES and size <= ROWS_BYTES and source != OTHER:
            rows.append(row)
        else:
            others.append((first, last, count))
    if others:
        firsts, lasts, counts = zip(*others, strict=True)
        rows.append((OTHER, str(min(firsts)), str(max(lasts)), sum(counts)))
    return rows


def letter_of(
    topic: str,
    at: int,
    data: Data,
    batch: points.Batch,
    refusals: Sequence[Refusal],
    rejected: dict[int, Rejected],
) -> DeadLetter:
    """Return the letter that keeps what is refused of a message, whole lines and rows, with each reason."""
    refused = []
    for refusal in refusals:
        point = batch.points[refusal.index]
        refused.append(
            {
                "seq": batch.origins[refusal.index].seq,
                "source": batch.origins[refusal.index].source,
                "measurement": point.measurement,
                "tags": dict(point.tags),
                "time": point.time_ns,
                "fields": dict(point.fields),
                "reason": refusal.reason,
            }
        )
    faults = [
        {
            "seq": fault.origin.seq,
            "source": fault.origin.source,
            "first": fault.first,
            "last": fault.last,
            "reason": fault.reason,
            "content": fault.content,
        }
        for fault in batch.faults
    ]
    return DeadLetter(
        at=at,
        topic=topic,
        reason=next(iter(rejected.values())).reason,
        spool=data.spool,
        birth=data.birth,
        rejected=list(rejected.values()),
        faults=faults,
        points=refused,
    )


def encoded(confirmation: Stored) -> list[bytes]:
    """Encode a confirmation, in halves where it is larger than a plain payload may be."""
    payload = codec.encode(confirmation)
    stored, rejected = confirmation.stored, confirmation.rejected
    if not stored and not rejected:
        return []
    if len(payload) <= codec.PLAIN_LIMIT or len(stored) + len(rejected) == 1:
        return [payload]
    if stored and rejected:  # each kind by itself: halves of one and one would be nothing and all of it
        parts = [(stored, rejected[:0]), (stored[:0], rejected)]
    else:
        parts = [
            (stored[: len(stored) // 2], rejected[: len(rejected) // 2]),
            (stored[len(stored) // 2 :], rejected[len(rejected) // 2 :]),
        ]
    halves = [replace(confirmation, stored=some, rejected=others) for some, others in parts]
    return [payload for half in halves for payload in encoded(half)]
