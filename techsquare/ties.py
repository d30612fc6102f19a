"""Ties, decided by a hash that anybody can compute again: never by an id, nor by who signed up first.

    sha256(seed 0x1f name 0x1f name ..), the smaller of the first eight bytes wins; their last bit is dropped

The names are told where ties are: factory and supplier, factory and mentor. The same hash of one name orders rows
before a solver sees them, so that the order of rows changes nothing.
"""

from __future__ import annotations

from hashlib import sha256


def digest(seed: str, *names: str) -> int:
    """Return the rank of names under a seed, below 2**63; smaller goes first."""
    text = "\x1f".join((seed, *names)).encode()
    return int.from_bytes(sha256(text).digest()[:8], "big") >> 1
