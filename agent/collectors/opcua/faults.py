"""The edge of the library: its failures become ours, with words for the technician.

A status code of a service says whether trying again may help (`Unreachable`) or a person must act (`Refused`).
A status code of a single node is never raised: it becomes a bad row and a text from `node_text`.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from asyncua.ua.status_codes import StatusCodes, get_name_and_doc
from asyncua.ua.uaerrors import UaError, UaStatusCodeError

from agent.errors import Refused, Unreachable, WireError

if TYPE_CHECKING:
    from collections.abc import Iterator

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

_LOGIN = "check user and password under login"
_SECURITY = (
    "the server wants another security than None; this version speaks None only, ask for an endpoint without"
)
_CERTIFICATE = "the server does not accept our certificate: ask its administrator to trust it"

_REFUSED: Final = {
    StatusCodes.BadUserAccessDenied: _LOGIN,
    StatusCodes.BadIdentityTokenInvalid: _LOGIN,
    StatusCodes.BadIdentityTokenRejected: _LOGIN,
    StatusCodes.BadUserSignatureInvalid: _LOGIN,
    StatusCodes.BadSecurityPolicyRejected: _SECURITY,
    StatusCodes.BadSecurityModeRejected: _SECURITY,
    StatusCodes.BadSecurityModeInsufficient: _SECURITY,
    StatusCodes.BadSecurityChecksFailed: _SECURITY,
    StatusCodes.BadCertificateUntrusted: _CERTIFICATE,
    StatusCodes.BadCertificateInvalid: _CERTIFICATE,
    StatusCodes.BadCertificateUriInvalid: _CERTIFICATE,
    StatusCodes.BadTcpEndpointUrlInvalid: "check the path of the endpoint",
    StatusCodes.BadServerUriInvalid: "check the endpoint",
    # a leaked session of ours lives at most a minute, so a slow retry is right here too
    StatusCodes.BadTooManySessions: "close another client of this server, or allow it more sessions",
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

_NODE: Final = {
    StatusCodes.BadNodeIdUnknown: "the server does not know this node: check the node id",
    StatusCodes.BadNodeIdInvalid: "the server does not take this as a node id: check it",
    StatusCodes.BadAttributeIdInvalid: "this node has no value: name a variable, not an object or folder",
    StatusCodes.BadNotReadable: "the server does not let anybody read this node",
    StatusCodes.BadUserAccessDenied: "this user may not read the node: ask for the right to read it",
    StatusCodes.BadTooManyMonitoredItems: "the server monitors no more nodes: use fewer signals or mode: poll",
}


def name(status: int) -> str:
    """Return the name of a status code without its info bits."""
    text, _ = get_name_and_doc(status & 0xFFFF_0000)
    known = text not in {"Good", "Uncertain", "Bad"} or not status & 0x3FFF_0000
    return text if known else f"0x{status:08X}"


def node_text(status: int) -> str | None:
    """Return what to do about a single node's status, or None if nobody can do anything in the configuration."""
    advice = _NODE.get(status & 0xFFFF_0000)
    return f"{advice} ({name(status)})" if advice else None


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
    try:
        yield
    except TimeoutError as exc:
        raise Unreachable(
            f"{place}: {doing}: no answer within {seconds:g} s: check that the server runs and the network"
        ) from exc
    except OSError as exc:  # among them ConnectionError, which asyncua raises for a closed channel
        reason = exc.strerror or str(exc) or type(exc).__name__
        raise Unreachable(f"{place}: {doing}: {reason}: check that the server runs, its address and port") from exc
    except UaStatusCodeError as exc:
        advice = _REFUSED.get(exc.code)
        if advice is not None:
            raise Refused(f"{place}: {doing}: {name(exc.code)}: {advice}") from exc
        raise Unreachable(f"{place}: {doing}: the server answers {name(exc.code)}") from exc
    except (UaError, WireError) as exc:
        raise Unreachable(f"{place}: {doing}: {exc}") from exc
