"""What is said about lines that can never be stored: in a confirmation to the agent, in a letter to the operator.

Pure: no clock, file, socket or logger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract import codec
from contract.payload import Rejected, Stored
from gateway import points
from gateway.letter import DeadLetter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contract.payload import Data
    from gateway.stores.base import Refusal

REASON_CHARS = 200


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
            rows=[(source, str(first), str(last), count) for source, (first, last, count) in rows[seq].items()],
        )
        for seq, crc in data.entries
        if seq in rows
    }


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
    halves = [
        Stored(
            spool=confirmation.spool,
            stored=some_stored,
            rejected=some_rejected,
            committed_at=confirmation.committed_at,
            clock_trusted=confirmation.clock_trusted,
            worker=confirmation.worker,
        )
        for some_stored, some_rejected in (
            (stored[: len(stored) // 2], rejected[: len(rejected) // 2]),
            (stored[len(stored) // 2 :], rejected[len(rejected) // 2 :]),
        )
    ]
    return [payload for half in halves for payload in encoded(half)]
