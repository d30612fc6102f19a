"""Certificates as OPC UA uses them: what stands in one, and whether a server's may be believed. Pure.

A server's certificate is checked by us before a channel is opened with it; asyncua checks none by itself. What is
checked (Part 4, 6.1.3): the dates, the key, the ApplicationUri against the endpoint's description, and trust: the
certificate itself stands in `trusted`, or it was issued, directly or over others, by an authority that does. A
certificate that a person has trusted by its thumbprint needs no chain. The host name is a note and never a reason
to refuse: machines are reached by address.

While the box's clock is not trusted it only bounds the time from below (DESIGN 8): expired before the latest
moment that has certainly passed is refused, "not yet valid" is accepted, every other check stays.
"""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from settings.language import Text
from settings.released import RELEASED_NS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from agent.frame import Json

LEAST_BITS: Final = 2048
MOST_BITS: Final = 4096  # both of all three policies that we speak
_BROKEN: Final = (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)
DEPTH: Final = 5  # of a chain; a loop must end


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known of the time.

    Attributes:
        now_ns: What the clock says.
        trusted: Whether it may be believed.
        passed_ns: A moment that has certainly passed: the last trusted time on the disk, if any.
    """

    now_ns: int
    trusted: bool
    passed_ns: int = RELEASED_NS

    @property
    def earliest_ns(self) -> int:
        """The earliest possible now."""
        return self.now_ns if self.trusted else max(self.passed_ns, RELEASED_NS)


def nanoseconds(moment: dt.datetime) -> int:
    """Return an aware time as UTC nanoseconds."""
    return round(moment.timestamp()) * 10**9


def dated(certificate: x509.Certificate, moment: Moment) -> Text | None:
    """Return what is wrong with the dates of a certificate, or None."""
    last = certificate.not_valid_after_utc
    if nanoseconds(last) < moment.earliest_ns:
        return Text(f"it has expired on {last:%Y-%m-%d}", f"유효 기간이 {last:%Y-%m-%d}에 끝났습니다")
    first = certificate.not_valid_before_utc
    if moment.trusted and nanoseconds(first) > moment.now_ns:
        return Text(
            f"it is valid from {first:%Y-%m-%d %H:%M} UTC only: check the clocks of the server and of this box",
            f"유효 기간이 {first:%Y-%m-%d %H:%M} UTC에 시작합니다. 서버와 이 PC의 시계를 확인하십시오",
        )
    return None


def split(data: bytes | None) -> list[x509.Certificate]:
    """Return the certificates of a blob, the owner's first; servers append their issuers to it.

    Raises:
        ValueError: it holds something else.
    """
    rest = data or b""
    found: list[x509.Certificate] = []
    while rest:
        if len(rest) < 2 or rest[0] != 0x30:  # a SEQUENCE and its length (X.690)
            raise ValueError("not a DER certificate")
        wide = rest[1] & 0x7F if rest[1] & 0x80 else 0
        length = int.from_bytes(rest[2 : 2 + wide], "big") if wide else rest[1]
        end = 2 + wide + length
        if wide > 4 or end > len(rest) or len(found) > DEPTH:
            raise ValueError("not a chain of DER certificates")
        found.append(sound(x509.load_der_x509_certificate(rest[:end])))
        rest = rest[end:]
    return found


def sound(certificate: x509.Certificate) -> x509.Certificate:
    """Return a certificate all of which can be read: the library looks into its parts when they are asked for.

    Raises:
        ValueError: a part is broken.
    """
    try:
        described(certificate)
    except _BROKEN as exc:
        raise ValueError(f"a part of the certificate cannot be read: {exc}") from exc
    return certificate


def der(certificate: x509.Certificate) -> bytes:
    """Return its encoding."""
    return certificate.public_bytes(Encoding.DER)


def thumbprint(certificate: x509.Certificate) -> str:
    """Return what OPC UA calls it by, and what other tools show: SHA-1 of its encoding, 40 hex digits."""
    return hashlib.sha1(der(certificate), usedforsecurity=False).hexdigest().upper()


def sha256(certificate: x509.Certificate) -> str:
    """Return its fingerprint for comparing by eye: 64 hex digits."""
    return hashlib.sha256(der(certificate)).hexdigest().upper()


def self_signed(certificate: x509.Certificate) -> bool:
    """Return whether it is its own issuer."""
    return certificate.subject == certificate.issuer


def key_bits(certificate: x509.Certificate) -> int | None:
    """Return the length of its RSA key, None for another kind of key."""
    try:
        key = certificate.public_key()
    except UnsupportedAlgorithm:
        return None
    return key.key_size if isinstance(key, rsa.RSAPublicKey) else None


def _alternative(certificate: x509.Certificate, kind: type[x509.GeneralName]) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, *_BROKEN):  # absent, or made by somebody who cannot count
        return []
    return [str(name.value) for name in names if isinstance(name, kind)]


def application_uris(certificate: x509.Certificate) -> list[str]:
    """Return the ApplicationUris that it names."""
    return _alternative(certificate, x509.UniformResourceIdentifier)


def hosts(certificate: x509.Certificate) -> list[str]:
    """Return the host names and addresses that it names."""
    return _alternative(certificate, x509.DNSName) + _alternative(certificate, x509.IPAddress)


def name(certificate: x509.Certificate) -> str:
    """Return its subject in one line."""
    return certificate.subject.rfc4514_string() or "-"


def described(certificate: x509.Certificate) -> dict[str, Json]:
    """Return what stands in it, for facts."""
    return {
        "subject": name(certificate),
        "issuer": certificate.issuer.rfc4514_string(),
        "not_before": certificate.not_valid_before_utc.isoformat(),
        "not_after": certificate.not_valid_after_utc.isoformat(),
        "thumbprint": thumbprint(certificate),
        "sha256": sha256(certificate),
        "self_signed": self_signed(certificate),
        "key_bits": key_bits(certificate),
        "application_uris": [*application_uris(certificate)],
        "hosts": [*hosts(certificate)],
    }


def stated(certificate: x509.Certificate) -> dict[str, Json]:
    """Return `described` and what the readiness report asks of a certificate: kind and length of key, hash."""
    kind, bits = "", None
    with contextlib.suppress(*_BROKEN):
        key = certificate.public_key()
        if isinstance(key, rsa.RSAPublicKey):
            kind, bits = "RSA", key.key_size
        elif isinstance(key, ec.EllipticCurvePublicKey):
            kind, bits = "EC", key.key_size
    digest = None
    with contextlib.suppress(*_BROKEN):
        digest = certificate.signature_hash_algorithm
    return {**described(certificate), "key": kind, "key_bits": bits, "hash": "" if digest is None else digest.name}


@dataclass(frozen=True, slots=True)
class Known:
    """What a box believes.

    Attributes:
        trusted: Certificates of servers, and of authorities all of whose servers are trusted.
        issuers: Authorities that only complete a chain.
        revoked: Lists of revoked certificates of any of them.
    """

    trusted: Sequence[x509.Certificate] = ()
    issuers: Sequence[x509.Certificate] = ()
    revoked: Sequence[x509.CertificateRevocationList] = ()


UNKNOWN: Final = Text("nobody has trusted it yet", "아직 신뢰 등록이 되지 않은 인증서입니다")
"""The one complaint that `tsq-agent pki trust` mends."""


def complaint(chain: Sequence[x509.Certificate], uri: str | None, known: Known, moment: Moment) -> Text | None:
    """Return why a server's certificate is not believed, or None.

    Args:
        chain: What the server sent, its own certificate first.
        uri: ApplicationUri of the endpoint's description.
        known: What the box believes.
        moment: The time.
    """
    leaf = chain[0]
    bits = key_bits(leaf)
    if bits is None or not LEAST_BITS <= bits <= MOST_BITS:
        has = "another kind of key" if bits is None else f"{bits} bits"
        return Text(
            f"its key is not RSA of {LEAST_BITS} to {MOST_BITS} bits ({has}): make a new one in the server",
            f"키가 RSA {LEAST_BITS}~{MOST_BITS}비트가 아닙니다({bits or '-'}). 서버에서 새 인증서를 만드십시오",
        )
    wrong = dated(leaf, moment)
    if wrong is not None:
        return Text(f"{wrong.en}: make a new one in the server", f"{wrong.ko}. 서버에서 인증서를 갱신하십시오")
    named = application_uris(leaf)
    if uri not in named:
        names = ", ".join(named) or "-"
        return Text(
            f"it names the ApplicationUri {names}, the server calls itself {uri}: make a new certificate in the "
            "server, or set its ApplicationUri to the one that the certificate names",
            f"인증서의 ApplicationUri({names})와 서버가 알리는 ApplicationUri({uri})가 다릅니다. "
            "서버에서 인증서를 새로 만들거나, 서버의 ApplicationUri를 인증서와 같게 맞추십시오",
        )
    if leaf in known.trusted:
        return None
    return _chained(chain, known, moment)


def _chained(chain: Sequence[x509.Certificate], known: Known, moment: Moment) -> Text | None:
    """Return why no trusted authority stands behind a certificate, or None."""
    candidates = [*known.trusted, *known.issuers, *chain[1:]]
    certificate = chain[0]
    for _ in range(DEPTH):
        issuers = [c for c in candidates if c != certificate and _issued(certificate, c)]
        if not issuers:
            return UNKNOWN
        # an authority that has renewed its certificate is there twice: the one that is valid counts
        issuer = min(issuers, key=lambda c: (dated(c, moment) is not None, c not in known.trusted))
        wrong = dated(issuer, moment)
        if wrong is not None:
            return Text(
                f"the certificate of its issuer {name(issuer)} is not valid: {wrong.en}",
                f"발급 기관({name(issuer)}) 인증서를 쓸 수 없습니다. {wrong.ko}",
            )
        if _revoked(certificate, issuer, known.revoked):
            return Text(
                f"its issuer {name(issuer)} has revoked it", f"발급 기관({name(issuer)})이 폐기한 인증서입니다"
            )
        if issuer in known.trusted:
            return None
        certificate = issuer
    return UNKNOWN


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Return whether an authority has signed a certificate, with nothing weaker than SHA-256."""
    if certificate.issuer != issuer.subject:
        return False
    try:
        digest = certificate.signature_hash_algorithm
        if digest is None or digest.digest_size < 32:
            return False
        basic = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        certificate.verify_directly_issued_by(issuer)
    except (x509.ExtensionNotFound, InvalidSignature, TypeError, *_BROKEN):
        return False
    return basic.ca


def _revoked(
    certificate: x509.Certificate, issuer: x509.Certificate, lists: Sequence[x509.CertificateRevocationList]
) -> bool:
    key = issuer.public_key()
    for entries in lists:
        if entries.issuer == issuer.subject and isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
            found = entries.get_revoked_certificate_by_serial_number(certificate.serial_number)
            if found is not None and entries.is_signature_valid(key):
                return True
    return False


def host_note(certificate: x509.Certificate, host: str) -> str | None:
    """Return a note when a certificate does not name the host that we connect to."""
    named = hosts(certificate)
    if any(host.lower() == other.lower() for other in named):
        return None
    return f"the certificate names {', '.join(named) or 'no host'}, we connect to {host}"
