"""The steps of a session's life, one request each, on a transport: channel, endpoints, session, login, transfer.

asyncua's `Client` has them too, but takes the first endpoint and token policy that fits by name, checks neither the
server's nonce nor the endpoints that it repeats under its signature, and fails on a password longer than one
block. `connection` puts the steps into their order and translates what they raise.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from asyncua import ua
from asyncua.client.ua_session import SessionState
from asyncua.common.utils import create_nonce
from asyncua.ua.uaerrors import UaError
from cryptography.exceptions import InvalidSignature

from agent.collectors.opcua import security
from agent.collectors.opcua.certificates import der, split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography import x509

    from agent.collectors.opcua.pki import Owner
    from agent.collectors.opcua.security import Choice
    from agent.collectors.opcua.transport import ReadOnlyTransport

SESSION_MS: Final = 60_000  # a session that we could not close lives no longer than this
NEVER: Final = dt.datetime(9000, 1, 1, tzinfo=dt.UTC)
PRODUCT_URI: Final = "urn:tech-square-edge"
NAME: Final = "Tech Square Edge"


class Deceived(UaError):  # noqa: N818 - reads as what happened
    """The server has not proved who it is: somebody may stand between."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Between whom a channel and its sessions are.

    Attributes:
        choice: Endpoint, policy and user token.
        server: Its certificate, None if it has none.
        owner: Our certificate and key; None without security.
        uri: Our ApplicationUri, which is the one in our certificate.
    """

    choice: Choice
    server: x509.Certificate | None
    owner: Owner | None
    uri: str


@dataclass(frozen=True, slots=True)
class User:
    """Who logs in: nobody, a name with a password, or a certificate with its key."""

    name: str | None = None
    secret: str = field(default="", repr=False)
    owner: Owner | None = None


@dataclass(frozen=True, slots=True)
class Tie:
    """A session as its server knows it.

    Attributes:
        terms: What it was made under; it can go on under the same only.
        token: Proof, with the channel's, that a request belongs to it.
        nonce: What the next login signs.
        timeout_ms: How long the server keeps it without a word from us.
        active: Whether somebody has logged in.
    """

    terms: Terms
    token: ua.NodeId
    nonce: bytes
    timeout_ms: float
    active: bool = False


async def connect(transport: ReadOnlyTransport, url: str, terms: Terms | None) -> None:
    """Open the socket and say hello; the caller bounds the time."""
    if terms is not None:
        transport.set_security(security.channel_policy(terms.choice, terms.server, terms.owner))
    parts = urlsplit(url)
    await transport.connect_socket(parts.hostname or "", parts.port)
    await transport.send_hello(url, 0, 0)


async def channel(transport: ReadOnlyTransport, *, renew: bool = False) -> float:
    """Open or renew the secure channel; return how many milliseconds its token lives."""
    policy = transport.security_policy
    result = await transport.open_secure_channel(
        ua.OpenSecureChannelParameters(
            ClientProtocolVersion=0,
            RequestType=ua.SecurityTokenRequestType.Renew if renew else ua.SecurityTokenRequestType.Issue,
            SecurityMode=policy.Mode,
            ClientNonce=create_nonce(policy.secure_channel_nonce_length),
            RequestedLifetime=transport.channel_ms,
        )
    )
    # The library holds the time at which a server says it made a token against our clock, and soon takes no message
    # under the token before. Where a server's clock is behind, each renewal would end the connection.
    result.SecurityToken.CreatedAt = NEVER
    if renew:
        transport.revolve_security_token()
    return float(result.SecurityToken.RevisedLifetime)


async def endpoints(transport: ReadOnlyTransport, url: str) -> list[ua.EndpointDescription]:
    """Ask what the server offers."""
    found = await transport.get_endpoints(ua.GetEndpointsParameters(EndpointUrl=url))
    return list(found or ())


async def create(
    transport: ReadOnlyTransport, url: str, terms: Terms, name: str
) -> tuple[Tie, list[ua.EndpointDescription]]:
    """Create a session.

    Returns:
        The session, and the server's endpoints, now under its signature.

    Raises:
        Deceived: the server did not prove that it holds the key of its certificate.
    """
    nonce = create_nonce(security.NONCE)
    ours = der(terms.owner.certificate) if terms.owner is not None else b""
    application = ua.ApplicationDescription(
        ApplicationUri=terms.uri,
        ProductUri=PRODUCT_URI,
        ApplicationName=ua.LocalizedText(NAME),
        ApplicationType=ua.ApplicationType.Client,
    )
    made = await transport.create_session(
        ua.CreateSessionParameters(
            ClientDescription=application,
            EndpointUrl=url,
            SessionName=name,
            ClientNonce=nonce,
            ClientCertificate=ours or None,
            RequestedSessionTimeout=SESSION_MS,
            MaxResponseMessageSize=0,
        )
    )
    tie = Tie(terms, made.AuthenticationToken, made.ServerNonce or b"", float(made.RevisedSessionTimeout))
    if terms.choice.secure:
        _check(transport, terms, made, ours + nonce)
    return tie, list(made.ServerEndpoints or ())


def _check(transport: ReadOnlyTransport, terms: Terms, made: ua.CreateSessionResult, signed: bytes) -> None:
    try:
        certificates = split(made.ServerCertificate)
        keys: Any = transport.security_policy.asymmetric_cryptography
        keys.verify(signed, made.ServerSignature.Signature)
    except (InvalidSignature, ValueError) as exc:
        raise Deceived("the server does not hold the key of its certificate") from exc
    if not certificates or certificates[0] != terms.server:
        raise Deceived("the session has another certificate than the endpoint")
    if len(made.ServerNonce or b"") < security.NONCE:
        raise Deceived("the server's nonce is shorter than 32 bytes")


async def activate(transport: ReadOnlyTransport, tie: Tie, user: User) -> Tie:
    """Log in, or take a session over to this channel; return it as the server knows it now."""
    terms, choice = tie.terms, tie.terms.choice
    policy: Any = transport.security_policy
    server = der(terms.server) if terms.server is not None else b""
    parameters = ua.ActivateSessionParameters()
    if choice.secure:
        parameters.ClientSignature.Algorithm = policy.AsymmetricSignatureURI
        parameters.ClientSignature.Signature = policy.asymmetric_cryptography.signature(server + tie.nonce)
    token: Any
    if user.owner is not None:
        token, proof = security.certificate(choice, user.owner, server + tie.nonce)
        parameters.UserTokenSignature = proof
    elif user.name is not None:
        token = security.password(choice, user.name, user.secret, tie.nonce, terms.server)
    else:
        token = security.anonymous(choice)
    parameters.UserIdentityToken = token
    result = await transport.activate_session(parameters)
    return replace(tie, nonce=result.ServerNonce or b"", active=True)


def bind(transport: ReadOnlyTransport, tie: Tie) -> None:
    """Let a fresh transport speak for a session that lives on the server."""
    transport.session.restore_authentication_token(tie.token)
    transport.session._state = SessionState.CREATED  # noqa: SLF001 - no public way to adopt a session


async def transfer(transport: ReadOnlyTransport, subscriptions: Sequence[int]) -> frozenset[int]:
    """Take over subscriptions of a session that is gone; return those that we got."""
    results = await transport.transfer(subscriptions)
    return frozenset(
        number for number, result in zip(subscriptions, results, strict=False) if result.StatusCode.is_good()
    )


def same(one: Choice, other: Choice) -> bool:
    """Return whether two choices speak to a server in the same way."""
    return (
        (one.policy, one.mode, one.token.TokenType, one.token_uri, one.password)
        == (other.policy, other.mode, other.token.TokenType, other.token_uri, other.password)
    )  # fmt: skip
