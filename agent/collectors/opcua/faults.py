"""The edge of the library: its failures become ours, with words for the technician.

A status code of a service says whether trying again may help (`Unreachable`) or a person must act (`Refused`).
A status code of a single node is never raised: it becomes a bad row and a text from `problems`.
"""

from __future__ import annotations

import contextlib
import struct
from typing import TYPE_CHECKING, Final

from asyncua.ua.status_codes import StatusCodes, get_name_and_doc
from asyncua.ua.uaerrors import UaError, UaStatusCodeError

from agent.collectors.opcua import certificates
from agent.errors import Refused, Unreachable, WireError
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography import x509

TOO_MUCH: Final = frozenset(
    {
        StatusCodes.BadTooManyOperations,
        StatusCodes.BadEncodingLimitsExceeded,
        StatusCodes.BadRequestTooLarge,
        StatusCodes.BadResponseTooLarge,
        StatusCodes.BadTcpMessageTooLarge,
    }
)
"""The request held too many nodes for this server: halve it."""

_LOGIN = Text("check what stands under login", "login에 쓴 내용을 확인하십시오")
_SECURITY = Text(
    "the server wants another security: check security and policy, and that the clocks agree",
    "서버가 다른 보안 설정을 요구합니다. security와 policy, 서버와 이 PC의 시각을 확인하십시오",
)
_CERTIFICATE = Text(
    "the server does not accept our certificate: let its administrator trust it; `tsq-agent pki own` writes it out",
    "서버가 이 에이전트의 인증서를 받지 않습니다. `tsq-agent pki own`으로 인증서를 내보내 서버 관리자에게 "
    "신뢰 등록을 요청하십시오",
)
_URI = Text(
    "the server finds another ApplicationUri in our certificate than we say: make a new one with "
    "`tsq-agent pki own --renew`",
    "서버가 본 인증서의 ApplicationUri가 다릅니다. `tsq-agent pki own --renew`로 인증서를 다시 만드십시오",
)
_PATH = Text("check the path of the endpoint", "endpoint의 경로를 확인하십시오")
_FULL = Text(
    "it has no session left: close another client of this server, or allow it more sessions; tried again when the "
    "sessions of the others may have ended",
    "서버의 세션이 모두 사용 중입니다. 다른 클라이언트를 끊거나 서버의 세션 수를 늘리십시오. "
    "다른 세션이 끝날 때쯤 다시 시도합니다",
)

_REFUSED: Final = {
    StatusCodes.BadUserAccessDenied: _LOGIN,
    StatusCodes.BadIdentityTokenInvalid: _LOGIN,
    StatusCodes.BadIdentityTokenRejected: _LOGIN,
    StatusCodes.BadUserSignatureInvalid: _LOGIN,
    StatusCodes.BadSecurityPolicyRejected: _SECURITY,
    StatusCodes.BadSecurityModeRejected: _SECURITY,
    StatusCodes.BadSecurityModeInsufficient: _SECURITY,
    # all that a server may say of a certificate to somebody whom it does not know (Part 4, 6.1.3)
    StatusCodes.BadSecurityChecksFailed: _CERTIFICATE,
    StatusCodes.BadCertificateUntrusted: _CERTIFICATE,
    StatusCodes.BadCertificateInvalid: _CERTIFICATE,
    StatusCodes.BadCertificateTimeInvalid: _CERTIFICATE,
    StatusCodes.BadCertificateChainIncomplete: _CERTIFICATE,
    StatusCodes.BadCertificateUseNotAllowed: _CERTIFICATE,
    StatusCodes.BadCertificateUriInvalid: _URI,
    StatusCodes.BadTcpEndpointUrlInvalid: _PATH,
    StatusCodes.BadServerUriInvalid: _PATH,
    StatusCodes.BadTooManySessions: _FULL,
}

_DOING: Final = {
    "connect": "접속",
    "open the channel": "보안 채널 열기",
    "renew the channel": "보안 채널 갱신",
    "list its endpoints": "엔드포인트 조회",
    "open a session": "세션 열기",
    "resume the session": "세션 이어받기",
    "take the subscriptions over": "구독 이어받기",
    "log in": "로그인",
    "read": "읽기",
    "create a subscription": "구독 만들기",
    "delete a subscription": "구독 삭제",
    "monitor nodes": "태그 감시 등록",
    "stop monitoring": "태그 감시 해제",
    "wait for changes": "변경 대기",
    "ask for a lost notification": "빠진 알림 재요청",
    "browse": "노드 조회",
    "browse on": "노드 조회",
    "follow browse paths": "경로 조회",
}

DEAD: Final = frozenset(
    {
        StatusCodes.BadNodeIdUnknown,
        StatusCodes.BadNodeIdInvalid,
        StatusCodes.BadMonitoredItemIdInvalid,
        StatusCodes.BadNodeNotInView,
    }
)
"""A monitored item that reports one of these will not come back by itself; it has to be made again."""


def name(status: int) -> str:
    """Return the name of a status code without its info bits."""
    text, _ = get_name_and_doc(status & 0xFFFF_0000)
    known = text not in {"Good", "Uncertain", "Bad"} or not status & 0x3FFF_0000
    return text if known else f"0x{status:08X}"


@contextlib.contextmanager
def translated(place: str, doing: str, seconds: float) -> Iterator[None]:
    """Raise the library's failures as ours.

    Args:
        place: Device and endpoint, for the text.
        doing: What was being done.
        seconds: The time limit, for the text of a timeout.

    Raises:
        Unreachable: network, timeout, the server's own trouble.
        Refused: login, security, limits.
    """
    where = Text(f"{place}: {doing}", f"{place}: {_DOING.get(doing, doing)}")
    try:
        yield
    except TimeoutError as exc:
        raise Unreachable(
            Text(
                f"{where.en}: no answer within {seconds:g} s: check that the server runs and the network",
                f"{where.ko}: {seconds:g}초 안에 응답이 없습니다. 서버 동작과 네트워크를 확인하십시오",
            )
        ) from exc
    except OSError as exc:  # among them ConnectionError, which asyncua raises for a closed channel
        reason = exc.strerror or str(exc) or type(exc).__name__
        raise Unreachable(
            Text(
                f"{where.en}: {reason}: check that the server runs, its address and port",
                f"{where.ko}: 연결할 수 없습니다({reason}). 서버 동작, 주소, 포트를 확인하십시오",
            )
        ) from exc
    except UaStatusCodeError as exc:
        advice = _REFUSED.get(exc.code)
        if advice is not None:
            raise Refused(
                Text(f"{where.en}: {name(exc.code)}: {advice.en}", f"{where.ko}: {name(exc.code)}. {advice.ko}")
            ) from exc
        raise Unreachable(
            Text(
                f"{where.en}: the server answers {name(exc.code)}",
                f"{where.ko}: 서버 응답이 {name(exc.code)}입니다",
            )
        ) from exc
    except (UaError, WireError, ValueError, struct.error) as exc:  # the last two: the library cannot read it
        raise Unreachable(Text(f"{where.en}: {exc}", f"{where.ko}: {exc}")) from exc


def full(place: str) -> Text:
    """Return what is said while a server that had no session left is left alone."""
    return Text(f"{place}: open a session: {_FULL.en}", f"{place}: {_FULL.ko}")


def untrusted(place: str, certificate: x509.Certificate | None, reason: Text, before: str | None = None) -> Text:
    """Return what is said of a server's certificate that is not believed, and what to do.

    Args:
        place: Device and endpoint.
        certificate: The server's, None for one that cannot be read.
        reason: What is wrong with it.
        before: Thumbprint of the certificate with which this device was last read.
    """
    if certificate is None:
        return Text(
            f"{place}: the server's certificate: {reason.en}: make a new one in the server",
            f"{place}: 서버 인증서: {reason.ko}. 서버에서 새 인증서를 만드십시오",
        )
    mark = certificates.thumbprint(certificate)
    shown = f"{certificates.name(certificate)}, SHA-1 {mark}, SHA-256 {certificates.sha256(certificate)}"
    if reason is not certificates.UNKNOWN:
        return Text(
            f"{place}: the server's certificate ({shown}): {reason.en}",
            f"{place}: 서버 인증서({shown}): {reason.ko}",
        )
    if before not in {None, mark}:
        return Text(
            f"{place}: the server has another certificate than before: it was SHA-1 {before}, now it is {shown}: "
            "either somebody has renewed it or somebody stands between; compare it with what the server shows, "
            f"then tsq-agent pki trust {mark[:8]}",
            f"{place}: 서버 인증서가 바뀌었습니다. 이전: SHA-1 {before}, 현재: {shown}. 인증서를 갱신했거나 중간에 "
            "다른 장비가 끼어 있을 수 있습니다. 서버 화면의 지문과 같은지 확인한 뒤 "
            f"tsq-agent pki trust {mark[:8]} 명령을 실행하십시오",
        )
    return Text(
        f"{place}: the server's certificate is not trusted yet ({shown}): compare it with what the server shows, "
        f"then tsq-agent pki trust {mark[:8]}",
        f"{place}: 아직 신뢰하지 않는 서버 인증서입니다({shown}). 서버 화면의 지문과 같은지 확인한 뒤 "
        f"tsq-agent pki trust {mark[:8]} 명령을 실행하십시오",
    )
