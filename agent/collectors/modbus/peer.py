"""What stands in a device's certificate, read from its DER bytes (RFC 5280, 4.1): for facts, never to decide trust.

TLS itself checks the certificate; this tells the readiness report of which kind it is, in the words of the other
collectors. The agent has a library that parses certificates only where OPC UA is installed.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from settings.errors import ConfigError
from settings.validity import validity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agent.frame import Json

_FIRST: Final = 0xA0  # [0]: the version of a certificate, the hash of PSS
_LONG: Final = 0x80
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_RSA: Final = bytes.fromhex("2a864886f70d010101")
_EC: Final = bytes.fromhex("2a8648ce3d0201")
_PSS: Final = bytes.fromhex("2a864886f70d01010a")
_SIGNATURES: Final[Mapping[bytes, str]] = {
    bytes.fromhex(oid): name
    for oid, name in {
        "2a864886f70d010104": "md5", "2a864886f70d010105": "sha1", "2a864886f70d01010e": "sha224",
        "2a864886f70d01010b": "sha256", "2a864886f70d01010c": "sha384", "2a864886f70d01010d": "sha512",
        "2a8648ce3d0401": "sha1", "2a8648ce3d040301": "sha224", "2a8648ce3d040302": "sha256",
        "2a8648ce3d040303": "sha384", "2a8648ce3d040304": "sha512",
    }.items()
}  # fmt: skip
"""PKCS #1 (RFC 8017, A.2.4) and ECDSA (RFC 5758, 3.2)."""
_HASHES: Final[Mapping[bytes, str]] = {
    bytes.fromhex(oid): name
    for oid, name in {
        "2b0e03021a": "sha1", "608648016503040204": "sha224", "608648016503040201": "sha256",
        "608648016503040202": "sha384", "608648016503040203": "sha512",
    }.items()
}  # fmt: skip
_CURVES: Final[Mapping[bytes, int]] = {
    bytes.fromhex(oid): bits
    for oid, bits in {
        "2b81040021": 224, "2a8648ce3d030107": 256, "2b8104000a": 256, "2b81040022": 384, "2b81040023": 521,
    }.items()
}  # fmt: skip


class _Element(NamedTuple):
    tag: int
    content: bytes
    whole: bytes


def described(der: bytes) -> dict[str, Json] | None:
    """Return what the fact "connection" says of a certificate; None for bytes that are none."""
    try:
        said = _described(der)
        dates = validity(der)
    except (ConfigError, IndexError, ValueError):
        return None
    begin, end = (_EPOCH + timedelta(microseconds=ns // 1000) for ns in dates)
    return {
        "not_before": begin.isoformat(),
        "not_after": end.isoformat(),
        "sha256": hashlib.sha256(der).hexdigest().upper(),
        **said,
    }


def _described(der: bytes) -> dict[str, Json]:
    certificate, algorithm, _ = _parts(_only(der))
    parts = [part for part in _parts(certificate) if part.tag != _FIRST]
    _, _, issuer, _, subject, spki = parts[:6]
    kind, key = _parts(spki)
    return {
        "self_signed": issuer.whole == subject.whole,
        "key": {_RSA: "RSA", _EC: "EC"}.get(_parts(kind)[0].content, ""),
        "key_bits": _bits(_parts(kind), key.content),
        "hash": _hash(_parts(algorithm)),
    }


def _bits(algorithm: list[_Element], key: bytes) -> int | None:
    """Return the length of a key, None for one of another kind."""
    if algorithm[0].content == _RSA:
        modulus = _parts(_only(key[1:]))[0]  # behind the number of unused bits
        return int.from_bytes(modulus.content, "big").bit_length()
    return _CURVES.get(algorithm[1].content) if algorithm[0].content == _EC else None


def _hash(algorithm: list[_Element]) -> str:
    """Return the hash of a signature's algorithm, "" for an unknown one."""
    if algorithm[0].content != _PSS:
        return _SIGNATURES.get(algorithm[0].content, "")
    for parameter in _parts(algorithm[1]):
        if parameter.tag == _FIRST:
            return _HASHES.get(_parts(_only(parameter.content))[0].content, "")
    return "sha1"  # what RFC 8017, A.2.3, says where nothing is said


def _only(data: bytes) -> _Element:
    for element in _elements(data):
        return element
    raise ValueError("a part of the certificate is empty")


def _parts(element: _Element) -> list[_Element]:
    return [*_elements(element.content)]


def _elements(data: bytes) -> Iterator[_Element]:
    at = 0
    while at < len(data):
        length, begin = data[at + 1], at + 2
        if length >= _LONG:
            octets = length - _LONG
            length, begin = int.from_bytes(data[begin : begin + octets], "big"), begin + octets
        if begin + length > len(data):
            raise ValueError("a part of the certificate is cut off")
        yield _Element(data[at], data[begin : begin + length], data[at : begin + length])
        at = begin + length
