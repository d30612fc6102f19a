"""What is read from a device's certificate, against the library that made it; and from damaged ones."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from agent.analyzers.connection import Connections
from agent.collectors.modbus.peer import described
from agent.frame import Facts

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

BEGIN, END = datetime(2024, 2, 29, 1, 2, 3, tzinfo=UTC), datetime(2060, 1, 1, tzinfo=UTC)


def made(
    key: CertificateIssuerPrivateKeyTypes,
    digest: hashes.HashAlgorithm | None = None,
    issuer: str = "plc",
    pss: bool = False,  # noqa: FBT001, FBT002 - test data
) -> bytes:
    """Return a certificate of `plc`."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "plc")]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(2**150)
        .not_valid_before(BEGIN)
        .not_valid_after(END)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("plc.local")]), critical=False)
    )
    if pss:
        assert isinstance(key, rsa.RSAPrivateKey)
        assert digest is not None
        way = padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH)
        return builder.sign(key, digest, rsa_padding=way).public_bytes(Encoding.DER)  # type: ignore[arg-type]
    return builder.sign(key, digest).public_bytes(Encoding.DER)  # type: ignore[arg-type]


RSA = rsa.generate_private_key(65537, 2048)
SMALL = rsa.generate_private_key(65537, 1024)


@pytest.mark.parametrize(
    ("der", "key", "bits", "digest"),
    [
        (made(RSA, hashes.SHA256()), "RSA", 2048, "sha256"),
        (made(SMALL, hashes.SHA512()), "RSA", 1024, "sha512"),
        (made(RSA, hashes.SHA384(), pss=True), "RSA", 2048, "sha384"),
        (made(RSA, hashes.SHA256(), pss=True), "RSA", 2048, "sha256"),
        (made(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()), "EC", 256, "sha256"),
        (made(ec.generate_private_key(ec.SECP384R1()), hashes.SHA384()), "EC", 384, "sha384"),
        (made(ec.generate_private_key(ec.SECP521R1()), hashes.SHA512()), "EC", 521, "sha512"),
        (made(ed25519.Ed25519PrivateKey.generate()), "", None, ""),
    ],
)
def test_key_hash_dates_and_fingerprint_are_those_of_the_certificate(
    der: bytes, key: str, bits: int | None, digest: str
) -> None:
    assert described(der) == {
        "key": key,
        "key_bits": bits,
        "hash": digest,
        "self_signed": True,
        "not_before": "2024-02-29T01:02:03+00:00",
        "not_after": "2060-01-01T00:00:00+00:00",
        "sha256": x509.load_der_x509_certificate(der).fingerprint(hashes.SHA256()).hex().upper(),
    }


def test_one_that_somebody_else_signed_is_not_self_signed() -> None:
    said = described(made(RSA, hashes.SHA256(), issuer="ca"))
    assert said is not None
    assert said["self_signed"] is False


def test_damaged_bytes_are_no_certificate_and_never_an_error() -> None:
    whole = made(RSA, hashes.SHA256())
    assert all(described(whole[:n]) is None for n in range(len(whole)))
    rng = random.Random(4)
    for _ in range(3000):
        damaged = bytearray(whole)
        for _ in range(rng.randrange(1, 6)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        described(bytes(damaged))


def test_evidence_takes_it_as_it_is_told() -> None:
    connections = Connections()
    certificate = described(made(RSA, hashes.SHA256()))
    body = {"protocol": "modbus", "mode": "TLS", "certificate": certificate}
    connections.facts(Facts(kind="connection", time_ns=5, subject="plc", body=body))
    found = connections.certificates(6)["plc"]
    assert (found.key, found.bits, found.hash, found.self_signed) == ("RSA", 2048, "sha256", True)
    assert int(found.begin) == int(BEGIN.timestamp()) * 10**9
    assert int(found.end) == int(END.timestamp()) * 10**9
