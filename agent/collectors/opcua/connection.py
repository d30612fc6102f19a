"""One server: opens a session, asks it, keeps it over a lost connection, closes it. No schedule, no rows.

A `Connection` lives as long as its collector, a transport (`transport`) as long as one socket, a session as long as
the server lets it. The order is that of Part 4, 6.7:

    open(expected) -> Resumption
        a session is kept, and the server still has it      kind "session": ActivateSession on a new channel
        it has not, but gives its subscriptions away        kind "transferred": CreateSession, TransferSubscriptions
        else                                                kind "new"
    `alive` are the subscriptions that go on with all their monitored items and handles; the collector creates the
    others anew. `missed` are the notifications that were sent into the dead socket, fetched by Republish, in order
    of their numbers: they are taken like any answer to Publish, before the next one. `expected` names by
    subscription the number that should come next (`Publisher` knows it); without it nothing is resumed.
    abandon()   leaves the socket and keeps the session: after `Unreachable`
    close()     CloseSession, also when cancelled: for every other end. A small controller has few sessions.

After a resumption a signal that did not change has no new value: the collector reads those once, as soon as
the first answer to Publish has come (before it the server may still hold older values).

What it can be asked stands in `services`.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from asyncua import ua
from asyncua.ua.uaerrors import UaError, UaStatusCodeError

from agent.collectors.opcua.faults import translated
from agent.collectors.opcua.services import Services
from agent.collectors.opcua.transport import client
from agent.errors import ConfigError, Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine, Mapping, Sequence

    from agent.clock import Clock
    from agent.collectors.opcua.config import OpcUaDevice
    from agent.collectors.opcua.decode import Publication
    from agent.collectors.opcua.limits import Limits

T = TypeVar("T")

CONNECT_S: Final = 1.5
CLOSE_S: Final = 1.5
SESSION_MS: Final = 60_000  # a session that we could not close lives no longer than this
CHANNEL_MS: Final = 3_600_000
APPLICATION_URI: Final = "urn:tech-square-edge:agent"  # must equal the URI in the certificate that issue 3 adds
NONE_POLICY: Final = "http://opcfoundation.org/UA/SecurityPolicy#None"


Resumed = Literal["new", "session", "transferred"]


@dataclass(frozen=True, slots=True)
class Resumption:
    """What of the last session lives on.

    Attributes:
        kind: How.
        alive: Numbers of the subscriptions that go on; empty when `kind` is "new".
        missed: Notifications that were sent while nobody listened, in order within each subscription.
    """

    kind: Resumed = "new"
    alive: frozenset[int] = frozenset()
    missed: Sequence[Publication] = ()


_PLAIN_RANK: Final = 2


def _password_rank(policy: ua.UserTokenPolicy) -> int:
    """Rank how a policy carries a password: well, with an old cipher, in the clear, in a way we cannot."""
    uri = policy.SecurityPolicyUri or NONE_POLICY  # the channel's own, which is None
    name = uri.rpartition("#")[2]
    if name in {"Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"}:
        return 0
    if name in {"Basic256", "Basic128Rsa15"}:
        return 1
    return _PLAIN_RANK if uri == NONE_POLICY else 3


async def _to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Await work that must not be cut off; a cancellation meanwhile takes effect when it is done."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # seen, so that nobody reports it as lost
        raise


class Connection(Services):
    """An OPC UA session; every method that asks the server has a time limit.

    Raises (from every method but `close`):
        Unreachable, Refused: as `faults.translated` decides.
    """

    def __init__(self, device: OpcUaDevice, clock: Clock, limits: Limits) -> None:
        self._device = device
        self._clock = clock
        self._limits = limits
        self._timeout = device.timeout / 1e9
        self._client, self._transport = client(device.endpoint, self._timeout, device.source_address)
        self._client.name = "Tech Square Edge"
        self._client.description = f"tsq-agent {device.id}"
        self._client.application_uri = APPLICATION_URI
        self._client.product_uri = "urn:tech-square-edge"
        self._client.session_timeout = SESSION_MS
        self._client.secure_channel_timeout = CHANNEL_MS
        self._opened = False
        self.endpoints: list[dict[str, Any]] = []
        self.password = "none"  # noqa: S105 - how the password travels: none, encrypted, plain
        self.last_answer_ns = clock.monotonic()
        self.renew_at_ns = 0

    @property
    def place(self) -> str:
        """Device and endpoint, for texts."""
        return f"{self._device.id} ({self._device.endpoint})"

    async def ask(self, doing: str, work: Awaitable[T]) -> T:
        """Await an answer and translate failures."""
        with translated(self.place, doing, self._timeout):
            result = await work
        self.last_answer_ns = self._clock.monotonic()
        return result

    async def open(self, expected: Mapping[int, int] | None = None) -> Resumption:  # noqa: ARG002 - follows soon
        """Open socket, channel and session, and log in.

        Args:
            expected: By subscription, the number of the notification that should come next.

        Raises:
            Unreachable: network, or the server is not ready.
            Refused: no endpoint with security None, no such login, or the password's place is empty.
        """
        user, password = self._login()
        with translated(self.place, "connect", CONNECT_S):
            async with asyncio.timeout(CONNECT_S):
                await self._client.connect_socket()
                await self._client.send_hello()
                await self._open_channel()
        self._opened = True
        self._renewed()
        self._check_endpoints(await self.ask("list its endpoints", self._client.get_endpoints()))
        # cancelled in between, the server would hold a session that nobody can close
        await self.ask("open a session", _to_the_end(self._create_session()))
        self._prefer_encrypted_password()
        await self.ask("log in", self._client.activate_session(user, password))
        return Resumption()

    async def abandon(self) -> None:
        """Leave the socket and keep the session for the next `open`; never raises."""
        await self.close()

    async def _open_channel(self) -> None:
        try:
            await self._client.open_secure_channel()
        except AssertionError as exc:  # all that asyncua 2.1.0 raises when the server answers with a fault
            raise Refused(
                f"{self.place}: connect: the server opens no channel with security None: this version speaks None "
                "only, ask for such an endpoint"
            ) from exc

    def _login(self) -> tuple[str | None, str | None]:
        login = self._device.login
        if login is None:
            return None, None
        try:
            return login.user, login.password.resolve()
        except ConfigError as exc:
            raise Refused(f"{self.place}: password: {exc}") from exc

    async def _create_session(self) -> None:
        try:
            await self._client.create_session()
        except UaStatusCodeError:
            raise
        except UaError as exc:  # its own check of the endpoints that the server repeats
            raise Refused(f"{self.place}: open a session: {exc}: ask for an endpoint with security None") from exc

    def _check_endpoints(self, endpoints: Sequence[ua.EndpointDescription]) -> None:
        self.endpoints = [
            {
                "mode": e.SecurityMode.name.rstrip("_"),
                "policy": (e.SecurityPolicyUri or "").rpartition("#")[2],
                "tokens": [t.TokenType.name for t in e.UserIdentityTokens or ()],
            }
            for e in endpoints
        ]
        plain = [e for e in self.endpoints if e["mode"] == "None" and e["policy"] == "None"]
        offers = ", ".join(sorted({f"{e['policy']}/{e['mode']}" for e in self.endpoints})) or "nothing"
        if not plain:
            raise Refused(
                f"{self.place}: no endpoint with security None, the server offers {offers}: this version speaks "
                "None only, ask for such an endpoint"
            )
        wanted = "UserName" if self._device.login else "Anonymous"
        if not any(wanted in e["tokens"] for e in plain):
            have = ", ".join(sorted({t for e in plain for t in e["tokens"]})) or "nothing"
            advice = "write a login" if wanted == "Anonymous" else "remove login, or let the server admit users"
            raise Refused(
                f"{self.place}: the endpoint with security None takes no {wanted} login, only {have}: {advice}"
            )

    def _prefer_encrypted_password(self) -> None:
        """Let asyncua, which takes the server's first user policy, meet the best one first."""
        if self._device.login is None:
            return
        policies: list[ua.UserTokenPolicy] = self._client._policy_ids  # noqa: SLF001 - no public way to choose
        policies.sort(key=_password_rank)
        plain = _password_rank(self._client.server_policy(ua.UserTokenType.UserName)) == _PLAIN_RANK
        self.password = "plain" if plain else "encrypted"

    async def close(self) -> None:
        """Close session, channel and socket; never raises but for cancellation, and takes at most `CLOSE_S`."""
        await _to_the_end(self._close())

    async def _close(self) -> None:
        transport = self._transport
        transport.request_disconnect()
        try:
            if self._opened:
                # what cannot be closed in order dies with its socket, and on the server by its timeouts
                with contextlib.suppress(TimeoutError, OSError, UaError):
                    async with asyncio.timeout(CLOSE_S):
                        await transport.close_session(True)
                        await transport.close_secure_channel()
        finally:
            transport.disconnect_socket()

    def _renewed(self) -> None:
        # at 75 % of its life, as Part 4, 5.5.2 has it
        life_ns = round(self._client.secure_channel_timeout * 0.75e6)
        self.renew_at_ns = self._clock.monotonic() + life_ns

    async def renew(self) -> None:
        """Renew the channel's token."""
        await self.ask("renew the channel", self._client.open_secure_channel(renew=True))
        self._transport.revolve_security_token()
        self._renewed()
