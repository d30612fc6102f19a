"""TLS sockets of a client: files read for each connection, dates by what is known of the time, errors in words.

Each connection has a context of its own, so that renewed files need no restart. A socket that fails leaves in
`Secured.trouble` what went wrong and what to do about it, because the libraries only tell their callers that there
is no connection. That holds for the first answer after the handshake too: with TLS 1.3 a server refuses our
certificate when we believe to be connected.

Time. OpenSSL compares certificates with the machine's clock. An edge box may begin in 1970, and its agent never
sets the clock of the machine. So where the caller gives us `now`, OpenSSL checks everything except dates, and we
check the dates of the chain that it has verified right after the handshake, before a byte is sent. A time that is
known is compared with both dates. Of one that is not, only the earliest possible moment is known: what had expired
by then is refused, and "not yet valid" cannot be said.
"""

from __future__ import annotations

import contextlib
import ssl
from typing import TYPE_CHECKING, Any, NamedTuple, Self, cast

from settings.errors import ConfigError
from settings.language import Text
from settings.tls import PEM, located, read_pem
from settings.validity import validity

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from _typeshed import ReadableBuffer

    from settings.tls import Tls

NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of OpenSSL; `ssl` names only some of the flags
DER = 2  # as `_ssl` numbers it


class Moment(NamedTuple):
    """What is known of the time: it is `ns` (UTC) when `exact`, else `ns` is the earliest that it can be."""

    ns: int
    exact: bool


class CertificateDates(ssl.SSLCertVerificationError):
    """A certificate of the other side is not valid at this time."""


class Secured(ssl.SSLContext):
    """The context of one connection, made from the files as they are now.

    Args:
        tls: What is configured.
        host: Where the client connects to; also the name that the server must show.
        now: What is known of the time; the machine's clock when None.

    Attributes:
        trouble: Why the connection failed and what to do, or None.

    Raises:
        ConfigError: a file cannot be read, or is not what it should be; the text names it.
    """

    trouble: Text | None

    def __new__(cls, *_: Any) -> Self:
        """Make it a client's."""
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(self, tls: Tls, host: str, now: Callable[[], Moment] | None = None) -> None:
        self._name = tls.server_name or host
        self.now = now
        self.trouble = None
        self.sslsocket_class = _Socket
        self.minimum_version = ssl.TLSVersion.TLSv1_2
        self.hostname_checks_common_name = False  # RFC 9525: names stand in subjectAltName
        if now is not None:
            self.verify_flags |= ssl.VerifyFlags(NO_CHECK_TIME)
        _load(self, tls)

    def wrap_socket(self, sock: socket.socket, *_: Any, **__: Any) -> ssl.SSLSocket:
        """Return a TLS socket whose handshake the caller starts; the name to expect is ours to say."""
        return super().wrap_socket(sock, server_hostname=self._name, do_handshake_on_connect=False)

    def note(self, exc: OSError, *, connected: bool) -> None:
        """Keep in words why a socket failed."""
        self.trouble = explain(exc, self._name, connected=connected)


class _Socket(ssl.SSLSocket):
    """A socket that checks dates after the handshake, and tells its owner what goes wrong."""

    _greeted = False  # something has come through it

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - as in the class above
        context = cast("Secured", self.context)
        try:
            super().do_handshake(block)
            if context.now is not None:
                chain = self._sslobj.get_verified_chain()  # type: ignore[attr-defined] # a method of its own in 3.13
                check_dates([certificate.public_bytes(DER) for certificate in chain], context.now())
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except OSError as exc:
            context.note(exc, connected=False)
            self.close()  # nobody else has it: a client library would leave it open until it is collected
            raise

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        try:
            received = super().recv(buflen, flags)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except OSError as exc:
            self._note(exc)
            raise
        if received:
            self._greeted = True
        else:
            self._note(ssl.SSLEOFError("closed"))
        return received

    def send(self, data: ReadableBuffer, flags: int = 0) -> int:
        try:
            return super().send(data, flags)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except OSError as exc:
            self._note(exc)
            if not self._greeted:  # the server has closed, and what it had said before may still be read
                with contextlib.suppress(OSError):
                    self.recv(1)
            raise

    def _note(self, exc: OSError) -> None:
        if not self._greeted:
            cast("Secured", self.context).note(exc, connected=True)


def _load(context: ssl.SSLContext, tls: Tls) -> None:
    if tls.ca is None:
        context.load_default_certs()
    else:
        authorities = b"\n".join(PEM.findall(read_pem(tls.ca)))  # without what people write between them
        try:
            context.load_verify_locations(cadata=authorities.decode("ascii"))
        except (ssl.SSLError, ValueError) as exc:
            raise ConfigError(f"{tls.ca}: no certificate authority in PEM stands in it: write it there") from exc
    if tls.certificate is not None and tls.key is not None:
        read_pem(tls.certificate)  # for an error that names the file
        encrypted = b"ENCRYPTED" in read_pem(tls.key)
        password = tls.key_password.resolve() if tls.key_password else ""
        try:
            context.load_cert_chain(located(tls.certificate), located(tls.key), lambda: password)
        except ssl.SSLError as exc:
            raise ConfigError(_pair(tls, exc, encrypted=encrypted)) from exc
        except (OSError, ValueError) as exc:
            raise ConfigError(f"{tls.certificate}, {tls.key}: cannot be used: {exc}") from exc


def _pair(tls: Tls, exc: ssl.SSLError, *, encrypted: bool) -> str:
    """Say what is wrong with a certificate and its key; OpenSSL does not tell which of the two it means."""
    if exc.reason in {"KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH"}:
        return f"{tls.key} is not the key of {tls.certificate}: a renewed certificate comes with its own key"
    try:
        tls.expires_ns()
    except ConfigError as wrong:
        return str(wrong)
    if encrypted:
        return f"{tls.key} is encrypted, and its password does not open it: see tls.key_password"
    return f"{tls.key}: no private key in PEM stands in it that can be used"


def check_dates(chain: list[bytes], moment: Moment) -> None:
    """Refuse a chain by its dates.

    Args:
        chain: DER, the server's own certificate first.
        moment: What is known of the time.

    Raises:
        CertificateDates: one of them has expired, or is not valid yet at a time that is known.
    """
    for der in chain:
        dates = validity(der)
        if dates.end_ns < moment.ns:
            exc = CertificateDates(1, "certificate has expired")
            exc.verify_code = _EXPIRED
            raise exc
        if moment.exact and dates.begin_ns > moment.ns:
            exc = CertificateDates(1, "certificate is not yet valid")
            exc.verify_code = _NOT_YET
            raise exc


_NOT_YET, _EXPIRED = 9, 10  # X509_V_ERR_... of OpenSSL
_UNKNOWN_CA = {2, 7, 18, 19, 20, 21}
_NAME = {62, 64}
_WEAK = {66, 67, 68}


def explain(exc: OSError, name: str, *, connected: bool) -> Text:
    """Return why a TLS connection failed and what to do.

    Args:
        exc: What was raised.
        name: The name that the server should show.
        connected: The handshake was done on our side; the server's verdict on us came afterwards.
    """
    if isinstance(exc, ssl.SSLCertVerificationError):
        return _their_certificate(exc, name)
    reason = exc.reason or "" if isinstance(exc, ssl.SSLError) else ""
    for sign, text in _ALERTS.items():
        if sign in reason:
            return text
    if connected:
        return Text(
            "the broker ended the connection after the TLS handshake: it does not accept our certificate, or this "
            "connection; its log tells which",
            "TLS 연결 직후 브로커가 접속을 끊었습니다. 인증서 거부로 보입니다. 브로커 로그를 확인하십시오",
        )
    if isinstance(exc, (TimeoutError, ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return _NO_TLS
    return Text(
        f"the TLS handshake failed ({reason or exc}): see the broker's log",
        f"TLS 접속에 실패했습니다({reason or exc}). 브로커 로그를 확인하십시오",
    )


_NO_TLS = Text(
    "no TLS is spoken at this port: is it the port for TLS (usually 8883)?",
    "이 포트는 TLS로 응답하지 않습니다. TLS 포트(보통 8883)가 맞는지 확인하십시오",
)

_ALERTS = {
    "WRONG_VERSION_NUMBER": _NO_TLS,
    "PACKET_LENGTH_TOO_LONG": _NO_TLS,
    "RECORD_LAYER_FAILURE": _NO_TLS,
    "ALERT_CERTIFICATE_EXPIRED": Text(
        "the broker says that our certificate has expired: renew tls.certificate (no restart is needed)",
        "브로커가 이 장비의 인증서가 만료되었다고 합니다. tls.certificate를 갱신하십시오(재시작 불필요)",
    ),
    "ALERT_CERTIFICATE_REVOKED": Text(
        "the broker says that our certificate is revoked: ask the operator for a new one",
        "브로커가 이 장비의 인증서가 폐기되었다고 합니다. 운영기관에 새 인증서를 요청하십시오",
    ),
    "ALERT_UNKNOWN_CA": Text(
        "the broker does not know who has signed our certificate: it needs that authority (mosquitto: cafile), or "
        "we need a certificate of the authority that it knows",
        "브로커가 이 장비 인증서의 발급 기관(CA)을 모릅니다. 브로커에 등록하거나 맞는 인증서를 쓰십시오",
    ),
    "ALERT_DECRYPT_ERROR": Text(
        "the broker knows another authority of the name that has signed our certificate: one of the two is not the "
        "right one",
        "브로커에 등록된 발급 기관(CA)이 이름만 같고 다른 것입니다. 어느 쪽 CA가 맞는지 확인하십시오",
    ),
    "CERTIFICATE_REQUIRED": Text(
        "the broker asks for a certificate: write tls.certificate and tls.key",
        "브로커가 인증서를 요구합니다. tls.certificate와 tls.key를 쓰십시오",
    ),
    "ALERT_BAD_CERTIFICATE": Text(
        "the broker does not accept our certificate: is it made for clients, and valid by the broker's clock?",
        "브로커가 이 장비의 인증서를 거부했습니다. 클라이언트용인지, 브로커 시각 기준으로 유효한지 확인하십시오",
    ),
    "ALERT_UNSUPPORTED_CERTIFICATE": Text(
        "the broker does not accept this kind of certificate: it must be made for clients (clientAuth)",
        "브로커가 받지 않는 종류의 인증서입니다. 클라이언트용(clientAuth) 인증서를 쓰십시오",
    ),
    "ALERT_CERTIFICATE_UNKNOWN": Text(
        "the broker does not accept our certificate: see its log",
        "브로커가 이 장비의 인증서를 거부했습니다. 브로커 로그를 확인하십시오",
    ),
    "PROTOCOL_VERSION": Text(
        "the broker speaks no TLS 1.2 or newer: it must be renewed",
        "브로커가 TLS 1.2 이상을 지원하지 않습니다. 브로커를 갱신하십시오",
    ),
    "UNSUPPORTED_PROTOCOL": Text(
        "the broker speaks no TLS 1.2 or newer: it must be renewed",
        "브로커가 TLS 1.2 이상을 지원하지 않습니다. 브로커를 갱신하십시오",
    ),
    "HANDSHAKE_FAILURE": Text(
        "the broker and we have no TLS setting in common, or it asks for a certificate that we do not show",
        "브로커와 공통된 TLS 설정이 없거나, 브로커가 요구하는 인증서가 없습니다. 브로커 설정을 확인하십시오",
    ),
}
"""Part of OpenSSL's word for a failure -> what it means for the person who has to mend it; the first that fits."""


def _their_certificate(exc: ssl.SSLCertVerificationError, name: str) -> Text:
    code = exc.verify_code
    if code == _EXPIRED:
        return Text(
            "the broker's certificate, or that of its authority, has expired: renew it; if it has not, this "
            "machine's clock is wrong",
            "브로커(또는 발급 기관)의 인증서가 만료되었습니다. 갱신하십시오. 만료일이 남았다면 이 장비의 시각을 "
            "확인하십시오",
        )
    if code == _NOT_YET:
        return Text(
            "the broker's certificate is not valid yet: is this machine's clock behind?",
            "브로커 인증서의 유효 기간이 아직 시작되지 않았습니다. 이 장비의 시각이 늦은지 확인하십시오",
        )
    if code in _UNKNOWN_CA:
        return Text(
            "nobody whom we believe has signed the broker's certificate: write its certificate authority under "
            "tls.ca",
            "브로커 인증서의 발급 기관을 신뢰할 수 없습니다. 발급 기관(CA) 파일을 tls.ca에 쓰십시오",
        )
    if code in _NAME:
        return Text(
            f"the broker's certificate does not hold the name {name} (as subjectAltName; a common name alone does "
            "not count): write the name that it holds as host, or under tls.server_name",
            f"브로커 인증서의 subjectAltName에 {name}이(가) 없습니다(CN만으로는 안 됩니다). 인증서에 있는 이름을 "
            "host나 tls.server_name에 쓰십시오",
        )
    if code in _WEAK:
        return Text(
            "the broker's certificate is too weak (key or signature): it needs a new one",
            "브로커 인증서의 암호 강도가 너무 낮습니다(키 또는 서명). 새 인증서를 발급하십시오",
        )
    text = getattr(exc, "verify_message", "") or str(exc)
    return Text(f"the broker's certificate is refused: {text}", f"브로커 인증서를 거부했습니다: {text}")
