"""TLS to a Modbus device (Modbus/TCP Security, port 802): who it is, and who we are. Never a way around it.

Certificates are read again at each connection, so that renewed ones need no restart. Dates are compared with what
the agent knows of the time, which may be more than the machine does: while nobody vouches for the clock (DESIGN 8),
a certificate is not refused for being valid only from later on; one that had expired before the last trusted time,
or before this program was released, is.
"""

from __future__ import annotations

import ssl
import stat
from typing import TYPE_CHECKING

from agent.collectors.modbus.peer import described as described_certificate
from agent.errors import ConfigError, Refused
from settings.handshake import DER, NO_CHECK_TIME, CertificateDates, check_dates
from settings.language import Text

if TYPE_CHECKING:
    from pathlib import Path

    from agent.clock import Clock
    from agent.collectors.modbus.config import ModbusTls
    from agent.frame import Json

_EXPIRED, _NOT_YET, _NAME, _ADDRESS = 10, 9, 62, 64
_UNKNOWN = {2, 18, 19, 20, 21}
"""OpenSSL's verify codes: no issuer, self-signed, and their relatives."""


def context(tls: ModbusTls) -> ssl.SSLContext:
    """Return what a connection is opened with; it leaves the dates to `expired`.

    Raises:
        Refused: a file is missing, no certificate, or a key that others may read or that does not fit.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificate and name
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.verify_flags |= NO_CHECK_TIME
    made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # `ca` may be the device's own certificate
    try:
        made.load_verify_locations(tls.ca)
    except OSError as exc:
        raise Refused(_unreadable("ca", tls.ca, exc)) from exc
    if tls.certificate is not None and tls.key is not None:
        _private(tls.key)
        try:
            secret = "" if tls.key_password is None else tls.key_password.resolve()
        except ConfigError as exc:
            raise Refused(f"key_password: {exc}") from exc
        try:
            made.load_cert_chain(tls.certificate, tls.key, lambda: secret)  # never asks at the terminal
        except OSError as exc:
            raise Refused(_unreadable("certificate, key", tls.key, exc)) from exc
    return made


def _private(key: Path) -> None:
    try:
        mode = key.stat().st_mode
    except OSError as exc:
        raise Refused(_unreadable("key", key, exc)) from exc
    if mode & (stat.S_IRWXG & ~stat.S_IRGRP | stat.S_IRWXO):
        raise Refused(
            Text(
                f"key {key}: other users can read or change it: chmod 600 {key}",
                f"key {key}: 다른 사용자가 읽거나 바꿀 수 있습니다. chmod 600 {key} 명령을 실행하십시오",
            )
        )


def _unreadable(field: str, path: Path, exc: OSError) -> Text:
    why = exc.strerror if not isinstance(exc, ssl.SSLError) else (exc.reason or "no PEM file")
    return Text(
        f"tls {field}: {path}: {why}: check the file, its rights and key_password",
        f"tls {field}: {path}: {why}. 파일과 접근 권한, key_password를 확인하십시오",
    )


def expired(peer: ssl.SSLObject, clock: Clock) -> Text | None:
    """Return what is wrong with the dates of the chain that has been verified, or None."""
    chain = peer._sslobj.get_verified_chain()  # type: ignore[attr-defined]  # noqa: SLF001 - public from 3.13 on
    try:
        check_dates([certificate.public_bytes(DER) for certificate in chain], clock.moment())
    except CertificateDates as exc:
        return _reason(exc.verify_code, "")
    return None


def described(peer: ssl.SSLObject, tls: ModbusTls) -> dict[str, Json]:
    """Return what the fact "connection" says about the session."""
    certificate = peer.getpeercert() or {}
    der = peer.getpeercert(binary_form=True)
    return {
        "security": "tls",
        "mode": "TLS" if tls.certificate is not None else "TLS, server only",
        "policy": peer.version() or "",
        "peer_authenticated": True,
        "cipher": (peer.cipher() or ("",))[0],
        "certificate_valid_until": str(certificate.get("notAfter", "")),
        "certificate_serial": str(certificate.get("serialNumber", "")),
        "certificate": None if der is None else described_certificate(der),
    }


def explain(exc: ssl.SSLError, name: str) -> Text:
    """Say why no TLS connection came about and what to do; `name` is what the certificate should carry."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        return _reason(exc.verify_code, name) or Text(
            f"the device's certificate is not accepted: {exc.verify_message}",
            f"장치의 인증서를 확인할 수 없습니다: {exc.verify_message}",
        )
    reason = (exc.reason or "").replace("_", " ").lower()
    if "alert" in reason or "certificate required" in reason:
        return Text(
            f"the device refuses us: {reason}: check that it trusts tls certificate",
            f"장치가 접속을 거부했습니다: {reason}. 우리 인증서(tls certificate)를 장치에 신뢰 등록하십시오",
        )
    return Text(
        f"no TLS there: {reason or exc}: check the port, and that Modbus/TCP Security is on in the device",
        f"TLS 접속이 되지 않습니다: {reason or exc}. port와 장치의 Modbus/TCP Security 설정을 확인하십시오",
    )


def _reason(code: int, name: str) -> Text | None:
    if code == _EXPIRED:
        return Text(
            "the device's certificate has expired: renew it on the device, and check the clock of this box",
            "장치 인증서의 유효 기간이 끝났습니다. 장치에서 인증서를 갱신하고 이 PC의 시계를 확인하십시오",
        )
    if code == _NOT_YET:
        return Text(
            "the device's certificate is not valid yet: check the clocks of the device and of this box",
            "장치 인증서의 유효 기간이 아직 시작되지 않았습니다. 장치와 이 PC의 시계를 확인하십시오",
        )
    if code in {_NAME, _ADDRESS}:
        return Text(
            f"the device's certificate is not made out to {name}: write the name in it into tls server_name",
            f"장치 인증서에 적힌 이름이 {name}과(와) 다릅니다. 인증서에 적힌 이름을 tls server_name에 쓰십시오",
        )
    if code in _UNKNOWN:
        return Text(
            "the device's certificate is not signed by tls ca: put its CA or the device's own certificate there",
            "tls ca로 확인할 수 없는 장치 인증서입니다. ca에 맞는 CA 인증서나 장치 인증서를 넣으십시오",
        )
    return None
