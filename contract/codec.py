"""JSON of the wire: plain or zstd-compressed, with limits on both sides.

Integers beyond 2^53 travel as decimal strings, because JSON readers in other languages keep 53 bits; NaN and
infinities never get here (`agent.frame.Rows` makes them bad values). Sizes are counted uncompressed.
"""

from __future__ import annotations

import hashlib
import re
from typing import TypeVar

import msgspec
import zstandard

from contract.errors import WireError

DATA_LIMIT = 512 * 1024
BIRTH_PART_LIMIT = 256 * 1024
BIRTH_PARTS_LIMIT = 64
REPORT_LIMIT = 32 * 1024
PLAIN_LIMIT = 256 * 1024
CONTENT_TYPE_JSON = "application/json"
CONTENT_TYPE_ZSTD = "application/json+zstd"
SAFE = 2**53

T = TypeVar("T")

_DECIMAL = re.compile(r"-?[0-9]{1,20}")

_encoder = msgspec.json.Encoder(order="deterministic")


def encode(payload: object) -> bytes:
    """Return canonical UTF-8 JSON: the same object gives the same bytes."""
    return _encoder.encode(payload)


def decode(raw: bytes, kind: type[T], limit: int = PLAIN_LIMIT) -> T:
    """Parse plain JSON into a payload type.

    Raises:
        WireError: too large, not JSON, or not of that shape; unknown fields are ignored.
    """
    if len(raw) > limit:
        raise WireError(f"{len(raw)} bytes where at most {limit} are allowed")
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise WireError(f"not a {kind.__name__}: {exc}") from exc


def compress(raw: bytes) -> bytes:
    """Compress with the content size in the frame header."""
    return zstandard.ZstdCompressor(level=3).compress(raw)


def decompress(raw: bytes, limit: int) -> bytes:
    """Decompress one frame of at most `limit` bytes.

    Raises:
        WireError: not zstd, truncated, larger than the limit, without its size, or with something behind it.
    """
    try:
        size = zstandard.frame_content_size(raw)
        if not 0 <= size <= limit:
            raise WireError(f"compressed content of {size} bytes where at most {limit} are allowed")
        return zstandard.ZstdDecompressor().decompress(raw, max_output_size=max(size, 1), allow_extra_data=False)
    except zstandard.ZstdError as exc:
        raise WireError(f"not zstd: {exc}") from exc


def birth_parts(raw: bytes, largest: int | None = None) -> list[bytes]:
    """Cut the canonical JSON of a birth into parts and compress each; `digest(raw)` names the whole.

    Args:
        raw: Of the birth.
        largest: Bytes of a compressed part, as far as `BIRTH_PARTS_LIMIT` parts allow it; None for no limit.

    Raises:
        WireError: more parts than `BIRTH_PARTS_LIMIT`.
    """
    size = BIRTH_PART_LIMIT
    parts = _cut(raw, size)
    if len(parts) > BIRTH_PARTS_LIMIT:
        raise WireError(f"a birth of {len(raw)} bytes: at most {BIRTH_PARTS_LIMIT} parts are allowed")
    while largest is not None and max(map(len, parts)) > largest and size * BIRTH_PARTS_LIMIT >= 2 * len(raw):
        size //= 2
        parts = _cut(raw, size)
    return parts


def _cut(raw: bytes, size: int) -> list[bytes]:
    return [compress(raw[at : at + size]) for at in range(0, len(raw), size)]


def number(value: int) -> int | str:
    """Return an integer as it travels."""
    return value if -SAFE <= value <= SAFE else str(value)


def integer(value: int | str) -> int:
    """Return a travelled integer as an int.

    Raises:
        WireError: a string that is no decimal integer, or more than 64 bits.
    """
    if isinstance(value, str):
        if not _DECIMAL.fullmatch(value):
            raise WireError(f"{value[:40]!r} is not a decimal integer")
        value = int(value)
    if not -(2**63) <= value < 2**64:
        raise WireError("an integer of more than 64 bits")
    return value


def digest(raw: bytes) -> str:
    """Return the content address of a birth: 128 bits of BLAKE2b, as hex."""
    return hashlib.blake2b(raw, digest_size=16).hexdigest()


def checksum(raw: bytes) -> str:
    """Return the 64-bit identity of an entry's canonical content, as hex."""
    return hashlib.blake2b(raw, digest_size=8).hexdigest()
