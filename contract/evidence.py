"""Daily evidence on its way to the reporter: what one agent saw on one production day, and what belongs to it.

A factory with several agents has one that reports. The others send it each closed day: the evidence itself, the
tag dictionary, machines and answers that were in force when the day closed, and the times from source to store of
that day. An agent keeps a day until the reporter has confirmed exactly this content.

    content   UTF-8 JSON of a `FactoryDay`; `hash` is its BLAKE2b-128, as hex
    message   UTF-8 JSON of an `EvidencePart`, zstd: a piece of the content's text, at most 512 kB uncompressed

Parts may come in any order and more than once. Nothing in here names a person but the answers, which the reporter
needs as they were signed and which never leave the factory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from contract.codec import DATA_LIMIT, compress, decode, decompress, digest, encode
from contract.errors import WireError
from contract.report import Date, Id

if TYPE_CHECKING:
    from collections.abc import Mapping

Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
PARTS_LIMIT = 128
PIECE = DATA_LIMIT // 2 - 4096
"""Bytes of the content in one part: each quote and backslash takes two in the part's JSON."""
CONTENT_LIMIT = PARTS_LIMIT * PIECE
Range = tuple[float, float] | None
Why = Literal["unknown_agent", "branch", "content", "version", "date", "calendar", "other"]
"""Why a day is not taken: the agent is none that the reporter waits for; it names another agent than its topic; it
cannot be read; another version of evidence; a date that cannot be; a day that begins or ends at other times than
the reporter's; another content of this day was taken before. `other` will not be taken later either."""


class EvidenceAlarm(msgspec.Struct, frozen=True):
    """What an alarm tells while it is true."""

    text: str
    priority: str


class EvidenceTag(msgspec.Struct, frozen=True, omit_defaults=True):
    """One configured signal, with all that an assessment asks of it; see `BirthSignal`."""

    id: Id
    machine: Id
    name: str
    dtype: str
    unit: str | None = None
    description: str | None = None
    role: str | None = None
    role_confirmed: bool = False
    instrument_range: Range = None
    eu_range: Range = None
    path: str | None = None
    labels: list[tuple[int, str]] = []
    alarm: EvidenceAlarm | None = None
    found: str = "manual"
    burst_of: Id | None = None


class EvidenceSource(msgspec.Struct, frozen=True):
    """One configured source."""

    id: Id
    device: Id
    protocol: str
    mode: str
    interval_ns: int
    signals: list[EvidenceTag]


class EvidenceMachine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One machine of the agent's inventory."""

    id: Id
    name: str
    weight: float = 1.0
    path: str | None = None


class EvidenceAnswers(msgspec.Struct, frozen=True):
    """A set of answers in force at the agent: where it came from, and all of it as JSON text."""

    source: Literal["file", "message"]
    text: str


class EvidenceTally(msgspec.Struct, frozen=True, array_like=True):
    """`[key, [[bucket, number]...]]`: how long values took from the source to the store, as the agent counts."""

    key: str
    buckets: list[tuple[int, int]]


class FactoryDay(msgspec.Struct, frozen=True, omit_defaults=True):
    """One closed production day of one agent.

    `evidence` is the day's evidence as the agent has kept it, with its own `version`; whoever reads another version
    refuses the day and it waits.
    """

    factory: Id
    site: Id
    agent: Id
    date: Date
    config: Digest
    machines: list[EvidenceMachine]
    sources: list[EvidenceSource]
    evidence: msgspec.Raw
    answers: list[EvidenceAnswers] = []
    tallies: list[EvidenceTally] = []


class EvidencePart(msgspec.Struct, frozen=True):
    """Part `part` (from 1) of the content with this hash."""

    date: Date
    hash: Digest
    part: Annotated[int, msgspec.Meta(ge=1, le=PARTS_LIMIT)]
    parts: Annotated[int, msgspec.Meta(ge=1, le=PARTS_LIMIT)]
    text: str


class EvidenceOk(msgspec.Struct, frozen=True, omit_defaults=True):
    """Reporter to agent: the day with this content is kept, and may go. With `refused`: it is not, and may not."""

    date: Date
    hash: Digest
    refused: Why | None = None


def parts(date: str, content: bytes, largest: int | None = None) -> list[bytes]:
    """Return the messages of a day.

    Args:
        date: Its production day.
        content: Canonical JSON of its `FactoryDay`.
        largest: Bytes of a message, as far as `PARTS_LIMIT` parts allow it; None for no limit.

    Raises:
        WireError: larger than all parts together may be.
    """
    size = PIECE
    found = _messages(date, content, size)
    if len(found) > PARTS_LIMIT:
        raise WireError(f"a day's evidence of {len(content)} bytes where at most {CONTENT_LIMIT} are allowed")
    while largest is not None and max(map(len, found)) > largest and size * PARTS_LIMIT >= 3 * len(content):
        size //= 2
        found = _messages(date, content, size)
    return found


def _messages(date: str, content: bytes, size: int) -> list[bytes]:
    pieces, name = _pieces(content, size), digest(content)
    return [
        compress(encode(EvidencePart(date, name, number, len(pieces), piece)))
        for number, piece in enumerate(pieces, 1)
    ]


def _pieces(content: bytes, size: int) -> list[str]:
    """Cut at characters: a byte 10xxxxxx goes on with one that has begun before it."""
    found, at = [], 0
    while at < len(content):
        end = min(at + size, len(content))
        while end < len(content) and content[end] & 0xC0 == 0x80:
            end -= 1
        found.append(content[at:end].decode())
        at = end
    return found


def open_part(payload: bytes) -> EvidencePart:
    """Return a part of a day.

    Raises:
        WireError: too large, not zstd, or of another shape.
    """
    part = decode(decompress(payload, DATA_LIMIT), EvidencePart, DATA_LIMIT)
    if part.part > part.parts:
        raise WireError(f"part {part.part} of {part.parts}")
    return part


def joined(texts: Mapping[int, str], name: str) -> bytes:
    """Return the content of all parts.

    Args:
        texts: Part -> its text.
        name: The hash that the parts name.

    Raises:
        WireError: together they are not what was named.
    """
    content = "".join(text for _, text in sorted(texts.items())).encode("utf-8", "replace")
    if digest(content) != name:
        raise WireError(f"the parts together are not {name}")
    return content


def open_content(content: bytes) -> FactoryDay:
    """Return the content of a day.

    Raises:
        WireError: of another shape.
    """
    return decode(content, FactoryDay, CONTENT_LIMIT)
