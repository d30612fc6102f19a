"""A device's certificate, as its TLS handshake hands it over."""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from agent.collectors.modbus.peer import described
from tests.fuzz.target import Target


def seeds() -> list[bytes]:
    """Return a certificate with each kind of key."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "plc")])
    found = []
    for key in (rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP256R1())):
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
            .not_valid_after(datetime(2060, 1, 1, tzinfo=UTC))
            .sign(key, hashes.SHA256())
        )
        found.append(made.public_bytes(Encoding.DER))
    return found


def run(data: bytes) -> None:
    """Bytes are a certificate of which everything is told, or None; never anything else."""
    said = described(data)
    assert said is None or (said["sha256"] and said["not_before"] and said["not_after"])


TARGET = Target(run, ("agent.collectors.modbus.peer", "settings.validity"), seeds)
