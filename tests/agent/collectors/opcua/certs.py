"""Certificates of the tests: authorities, servers and users as others make them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)  # one for all: making one takes long
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(frozen=True)
class Made:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    def write(self, folder: Path, password: bytes | None = None) -> tuple[str, str]:
        """Write both as PEM; return their paths."""
        folder.mkdir(parents=True, exist_ok=True)
        hide = NoEncryption() if password is None else BestAvailableEncryption(password)
        paths = folder / "certificate.pem", folder / "key.pem"
        paths[0].write_bytes(self.certificate.public_bytes(Encoding.PEM))
        paths[1].write_bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, hide))
        return str(paths[0]), str(paths[1])


def make(
    name: str = "plc",
    *,
    uri: str | None = "urn:test:plant",
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = KEY,
    issuer: Made | None = None,
    ca: bool = False,
    since: dt.timedelta = dt.timedelta(days=-1),
    until: dt.timedelta = dt.timedelta(days=3650),
) -> Made:
    """Make a certificate; `since` and `until` count from now."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + since)
        .not_valid_after(NOW + until)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if uri is not None:
        names = [x509.UniformResourceIdentifier(uri), x509.DNSName("plc.local")]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    signed = builder.sign(issuer.key if issuer else key, hashes.SHA256())
    return Made(signed, key)  # type: ignore[arg-type]


def revoke(issuer: Made, certificate: x509.Certificate) -> x509.CertificateRevocationList:
    """Return an authority's list with one certificate on it."""
    entry = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number).revocation_date(NOW).build()
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject)
    builder = builder.last_update(NOW).next_update(NOW + dt.timedelta(days=30)).add_revoked_certificate(entry)
    return builder.sign(issuer.key, hashes.SHA256())
