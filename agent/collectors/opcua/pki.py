"""The folder of certificates: who we are, whom we trust, whom we have refused. For collector and verb `pki`.

    pki/own/certificate.der   ours, and own/key.pem (0600): made once, the same for ever; servers trust this one
    pki/trusted/              servers, or authorities all of whose servers are trusted; also *.crl of these
    pki/issuers/              authorities that only complete a chain; also *.crl of these
    pki/rejected/             servers that we have refused, for a person to look at and to trust; at most 100

Files are DER or PEM; those that we write are named by what they show and by their thumbprint. Each is complete
before it has its name, so that a power cut and two processes leave no half of one. Nothing is cached: a
certificate that was trusted a moment ago counts at the next attempt.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from agent.collectors.opcua.certificates import Known, der, described, nanoseconds, sound, thumbprint
from agent.errors import Refused
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from agent.collectors.opcua.certificates import Moment
    from agent.frame import Json

State = Literal["own", "trusted", "issuers", "rejected"]
STATES: Final[tuple[State, ...]] = ("own", "trusted", "issuers", "rejected")

KEY_BITS: Final = 2048  # all three policies take it, small controllers compute with it in reasonable time
YEARS: Final = 10
WARN_NS: Final = 60 * 86_400 * 10**9
MOST_REJECTED: Final = 100
URI: Final = "urn:tech-square-edge:agent"
_KEY, _CERTIFICATE = "key.pem", "certificate.der"
_UNSAFE = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, slots=True)
class Owner:
    """A certificate and its key: ours, or a user's."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Entry:
    """One certificate of the folder."""

    state: State
    path: Path
    certificate: x509.Certificate

    @property
    def thumbprint(self) -> str:
        """40 hex digits."""
        return thumbprint(self.certificate)

    def described(self) -> dict[str, Json]:
        """Return what stands in it."""
        return described(self.certificate)


def read_certificate(data: bytes) -> x509.Certificate:
    """Return the first certificate of a file, DER or PEM.

    Raises:
        ValueError: it is neither.
    """
    if data.lstrip().startswith(b"-----"):
        return sound(x509.load_pem_x509_certificate(data))
    return sound(x509.load_der_x509_certificate(data))


def read_key(data: bytes, password: bytes | None) -> rsa.RSAPrivateKey:
    """Return the RSA key of a file, DER or PEM.

    Raises:
        ValueError, TypeError: it is none, or the password does not fit.
    """
    pem = data.lstrip().startswith(b"-----")
    key = (load_pem_private_key if pem else load_der_private_key)(data, password)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("not an RSA key")  # noqa: TRY004 - what the file holds, not what we were passed
    return key


class Pki:
    """One folder; it and its parts are made when something is written.

    Args:
        folder: Of all certificates.

    Raises (from every method):
        OSError: the folder cannot be read or written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    # whom we trust

    def entries(self, *states: State) -> Iterator[Entry]:
        """Yield the certificates of these parts (of all by default); a file that is none is passed over."""
        for state in states or STATES:
            for path in sorted(self._files(state)):
                with contextlib.suppress(ValueError):
                    yield Entry(state, path, read_certificate(path.read_bytes()))

    def _files(self, state: State) -> list[Path]:
        try:
            found = list((self.folder / state).iterdir())
        except FileNotFoundError:
            return []
        return [
            path for path in found if path.suffix.lower() in {".der", ".cer", ".crt", ".pem"} and path.name != _KEY
        ]

    def known(self) -> Known:
        """Return whom the folder believes."""
        return Known(
            trusted=[entry.certificate for entry in self.entries("trusted")],
            issuers=[entry.certificate for entry in self.entries("issuers")],
            revoked=[*self._revoked("trusted"), *self._revoked("issuers")],
        )

    def _revoked(self, state: State) -> Iterator[x509.CertificateRevocationList]:
        for path in sorted((self.folder / state).glob("*.crl")):
            data = path.read_bytes()
            pem = data.lstrip().startswith(b"-----")
            with contextlib.suppress(ValueError):
                yield (x509.load_pem_x509_crl if pem else x509.load_der_x509_crl)(data)

    def find(self, prefix: str, *states: State) -> list[Entry]:
        """Return the certificates whose thumbprint begins so, whichever way it is written."""
        wanted = re.sub(r"[\s:]", "", prefix).upper()
        return [entry for entry in self.entries(*states) if wanted and entry.thumbprint.startswith(wanted)]

    def refuse(self, certificate: x509.Certificate) -> None:
        """Keep a server's certificate for a person to look at; the oldest of too many goes."""
        self._write("rejected", certificate)
        files = sorted(self._files("rejected"), key=lambda path: path.stat().st_mtime_ns)
        for path in files[:-MOST_REJECTED]:
            path.unlink(missing_ok=True)

    def trust(self, certificate: x509.Certificate) -> None:
        """Trust a server, or an authority and all of its servers."""
        self._move(certificate, "trusted")

    def reject(self, certificate: x509.Certificate) -> None:
        """Trust a server no longer."""
        self._move(certificate, "rejected")

    def _move(self, certificate: x509.Certificate, to: State) -> None:
        self._write(to, certificate)
        for entry in self.entries("trusted", "rejected", "issuers"):
            if entry.state != to and entry.certificate == certificate:
                entry.path.unlink(missing_ok=True)

    def _write(self, state: State, certificate: x509.Certificate) -> None:
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        shown = _UNSAFE.sub("_", str(names[0].value))[:40] if names else "certificate"
        path = self._folder(state) / f"{shown}-{thumbprint(certificate)}.der"
        if path.exists():
            os.utime(path)
        else:
            self._place(path, der(certificate), 0o644, replace=True)

    # who we are

    def own(self, moment: Moment) -> Owner:
        """Return our certificate and key; make what is missing.

        Raises:
            Refused: a file of ours is damaged.
        """
        folder = self.folder / "own"
        try:
            if not (folder / _KEY).exists():
                fresh = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
                text = fresh.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
                self._place(self._folder("own") / _KEY, text, 0o600, replace=False)
            key = read_key((folder / _KEY).read_bytes(), None)
            if not (folder / _CERTIFICATE).exists():
                self._certify(key, moment, replace=False)
            certificate = read_certificate((folder / _CERTIFICATE).read_bytes())
        except (ValueError, TypeError) as exc:
            raise Refused(_damaged(folder, str(exc))) from exc
        if certificate.public_key() != key.public_key():
            raise Refused(_damaged(folder, "key and certificate do not belong together"))
        return Owner(certificate, key)

    def renew(self, moment: Moment) -> Owner:
        """Make a new certificate for our key; every server has to trust it anew."""
        owner = self.own(moment)
        self._certify(owner.key, moment, replace=True)
        return self.own(moment)

    def _certify(self, key: rsa.RSAPrivateKey, moment: Moment, *, replace: bool) -> None:
        public = key.public_key()
        identifier = x509.SubjectKeyIdentifier.from_public_key(public)
        start = dt.datetime.fromtimestamp(moment.earliest_ns / 1e9, dt.UTC) - dt.timedelta(days=1)
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, "Tech Square Edge agent"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tech Square Edge"),
            ]
        )
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=True,
            key_encipherment=True,
            data_encipherment=True,
            key_agreement=False,
            key_cert_sign=True,  # its own issuer
            crl_sign=False,
            encipher_only=False,
            decipher_only=False,
        )
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + dt.timedelta(days=365 * YEARS))
            .add_extension(
                x509.SubjectAlternativeName(
                    [
                        x509.UniformResourceIdentifier(f"{URI}:{identifier.digest.hex()[:12]}"),
                        x509.DNSName("tsq-agent"),  # some servers want a name of a host, and take any
                    ]
                ),
                critical=False,
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]),
                critical=False,
            )
            .add_extension(identifier, critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
            .sign(key, hashes.SHA256())
        )
        self._place(self._folder("own") / _CERTIFICATE, der(certificate), 0o644, replace=replace)

    # files

    def _folder(self, state: State) -> Path:
        """Make one part of the folder, as its owner's: a technician is root, the agent is not."""
        for folder in (self.folder, self.folder / state):
            if not folder.exists():
                folder.mkdir(mode=0o750, parents=True, exist_ok=True)
                _give(folder, folder.parent)
        return self.folder / state

    def _place(self, path: Path, data: bytes, mode: int, *, replace: bool) -> None:
        """Write a file whole or not at all; without `replace` the first of two writers wins."""
        number, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        fresh = path.parent / name
        try:
            with os.fdopen(number, "wb") as file:
                file.write(data)
                file.flush()
                os.fchmod(number, mode)
                os.fsync(number)
            _give(fresh, path.parent)
            if replace:
                fresh.replace(path)
            else:
                with contextlib.suppress(FileExistsError):
                    path.hardlink_to(fresh)
        finally:
            fresh.unlink(missing_ok=True)


def _give(path: Path, like: Path) -> None:
    """Give a file of root's to the owner of its folder."""
    if os.geteuid() == 0:
        owner = like.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def _damaged(folder: Path, reason: str) -> Text:
    return Text(
        f"{folder}: {reason}: restore it from a backup, or remove it; then the agent makes a new certificate, "
        "which every server has to trust anew",
        f"{folder}의 인증서 파일이 손상되었습니다({reason}). 백업에서 되살리거나 폴더를 지우십시오. "
        "지우면 에이전트가 새 인증서를 만들며, 모든 서버에서 다시 신뢰 등록해야 합니다",
    )


def ending(owner: Owner, moment: Moment) -> Text | None:
    """Return the warning that our certificate ends soon, or None."""
    last = owner.certificate.not_valid_after_utc
    if moment.earliest_ns + WARN_NS < nanoseconds(last):
        return None
    return Text(
        f"our certificate ends on {last:%Y-%m-%d}: make a new one with `tsq-agent pki own --renew` and have the "
        "servers trust it",
        f"이 에이전트의 OPC UA 인증서가 {last:%Y-%m-%d}에 만료됩니다. `tsq-agent pki own --renew`로 갱신한 뒤 "
        "서버에서 다시 신뢰 등록하십시오",
    )


def chosen(found: Sequence[Entry]) -> Entry | None:
    """Return the certificate that a prefix means, None when it means none or several different ones."""
    return found[0] if found and len({entry.thumbprint for entry in found}) == 1 else None
