"""One server: opens a session, keeps it over a lost connection, closes it. No schedule, no rows.

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

Subscriptions are taken over only where the server checks whose they are (a user, or a signed channel) and only if
it has not started anew since: their numbers are small, and another client's must never become ours.

What a server can be asked stands in `services`, the single steps in `session`, what is checked in `certificates`.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar
from urllib.parse import urlsplit

from asyncua import ua
from asyncua.client.ua_session import SessionState
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.uaerrors import UaError, UaStatusCodeError

from agent.collectors.budget import Meter
from agent.collectors.opcua import certificates, security, session
from agent.collectors.opcua.convert import DATE_TIME
from agent.collectors.opcua.decode import nanoseconds, told
from agent.collectors.opcua.faults import full, translated
from agent.collectors.opcua.services import VALUE, Services
from agent.collectors.opcua.session import Deceived, Terms, Tie
from agent.collectors.opcua.transport import ReadOnlyTransport
from agent.collectors.opcua.trust import Trust
from agent.errors import Refused, Unreachable
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence

    from agent.collectors.base import Box
    from agent.collectors.opcua.config import OpcUaDevice
    from agent.collectors.opcua.decode import Publication
    from agent.collectors.opcua.limits import Limits
    from agent.collectors.opcua.session import User
    from agent.frame import Json

T = TypeVar("T")

CONNECT_S: Final = 1.5
CLOSE_S: Final = 1.5
LEAST_LIFE_MS: Final = 1000  # of a channel's token; 0 would have us renew it without end
MOST_MISSED: Final = 10_000
NO_SUBSCRIPTION: Final = frozenset({StatusCodes.BadSubscriptionIdInvalid, StatusCodes.BadNoSubscription})

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

    Args:
        device: Its configuration.
        box: Clock, memory, tap and the folder of certificates.
        limits: What is known of the size of requests.

    Attributes:
        endpoints: What the server offers, for facts.
        last_answer_ns: Monotonic time of the last answer: proof of life.
        renew_at_ns: Monotonic time at which the channel's token has to be renewed.
        meter: Counts requests.
        transports: Makes the transport of each attempt; a recording is played on another one.

    Raises (from every method but `close` and `abandon`):
        Unreachable, Refused: as `faults.translated` decides.
    """

    def __init__(self, device: OpcUaDevice, box: Box, limits: Limits) -> None:
        self._device = device
        self._box = box
        self._clock = box.clock
        self._limits = limits
        self._timeout = device.timeout / 1e9
        self._trust = Trust(device, box)
        self.transports: Callable[[], ReadOnlyTransport] = lambda: ReadOnlyTransport(
            self._timeout, device.source_address, box, device.id
        )
        self._transport = self.transports()
        self._tie: Tie | None = None
        self._started_ns: int | None = None
        self._full_until_ns = 0
        self._opened = 0
        self.endpoints: list[dict[str, Any]] = []
        self.last_answer_ns = box.clock.monotonic()
        self.renew_at_ns = 0
        self.meter = Meter()

    @property
    def place(self) -> str:
        """Device and endpoint, for texts."""
        return f"{self._device.id} ({self._device.endpoint})"

    async def ask(self, doing: str, work: Awaitable[T], *, waits: bool = False) -> T:
        """Await an answer and translate failures; `waits` for one that the server gives when it likes."""
        sent = self._clock.monotonic()
        try:
            with translated(self.place, doing, self._timeout):
                result = await work
        except (Unreachable, Refused) as exc:
            now = self._clock.monotonic()
            if isinstance(exc.__cause__, TimeoutError):
                self.meter.silent(sent, now)
            elif isinstance(exc.__cause__, UaStatusCodeError):
                self.meter.answered(now if waits else sent, now, exception=True)
            raise
        self.last_answer_ns = self._clock.monotonic()
        self.meter.answered(self.last_answer_ns if waits else sent, self.last_answer_ns)
        return result

    async def open(self, expected: Mapping[int, int] | None = None) -> Resumption:
        """Open socket, channel and session, and log in; go on with the last session where the server has it.

        Args:
            expected: By subscription, the number of the notification that should come next.

        Raises:
            Unreachable: network, or the server is not ready.
            Refused: endpoint, certificate, login or number of sessions; a file of ours cannot be read.
        """
        if self._clock.monotonic() < self._full_until_ns:  # asking sooner than its sessions end makes it no better
            raise Refused(full(self.place))
        user = await asyncio.to_thread(self._trust.user)
        self.meter.reconnects += self._opened > 0
        resumption = await self._resume(user, expected or {})
        if resumption is None:
            self._tie = None
            await self._begin(user)
            resumption = await self._take_over(expected or {})
        self._opened += 1
        self._trust.remember()
        return resumption

    def retry(self) -> None:
        """Ask a server that had no session left, without waiting for the others to end."""
        self._full_until_ns = 0

    # opening

    async def _resume(self, user: User, expected: Mapping[int, int]) -> Resumption | None:
        """Go on with the session that is kept; None when there is none any more."""
        tie = self._tie
        gone = self._clock.monotonic() - self.last_answer_ns
        if tie is None or not tie.active or gone > tie.timeout_ms * 1e6:
            return None
        await asyncio.to_thread(self._trust.terms, tie.terms.choice)  # somebody may have ceased to trust it
        await self._connect(tie.terms)
        try:
            await self._channel()
            session.bind(self._transport, tie)
            self._tie = await self.ask("resume the session", session.activate(self._transport, tie, user))
        except (Unreachable, Refused) as exc:
            if isinstance(exc.__cause__, TimeoutError):
                raise  # nobody answers: the session may well live
            self._transport.disconnect_socket()
            return None
        alive, missed = await self._missed(expected)
        return Resumption("session", alive, missed)

    async def _connect(self, terms: Terms | None) -> None:
        """Open a socket."""
        self._transport.disconnect_socket()
        self._transport = self.transports()
        with translated(self.place, "connect", CONNECT_S):
            async with asyncio.timeout(CONNECT_S):
                await session.connect(self._transport, self._device.endpoint, terms)

    async def _channel(self) -> None:
        # the server computes with its private key here: small ones take more than a second
        life_ms = await self.ask("open the channel", session.channel(self._transport))
        self._renewed(life_ms)

    async def _begin(self, user: User) -> None:
        """Make a new session."""
        await self._connect(None)
        await self._channel()
        offered = await self.ask("list its endpoints", session.endpoints(self._transport, self._device.endpoint))
        self.endpoints = security.offered(offered)
        choice = security.choose(self.place, self._device, offered)
        terms = await asyncio.to_thread(self._trust.terms, choice)
        if choice.secure:
            await self._leave()
            await self._connect(terms)
            await self._channel()
        # cancelled in between, the server would hold a session that nobody can close
        signed = await self._create(terms)
        for endpoint in signed:  # Part 4, 5.7.2: a server leaves out here what the channel has proved
            endpoint.ServerCertificate = choice.endpoint.ServerCertificate
        if choice.secure and signed and not session.same(choice, security.choose(self.place, self._device, signed)):
            raise Refused(self._deceived("its signed list of endpoints differs from the one read before"))
        assert self._tie is not None
        self._tie = await self.ask("log in", session.activate(self._transport, self._tie, user))

    async def _create(self, terms: Terms) -> list[ua.EndpointDescription]:
        name = f"tsq-agent {self._device.id}"
        work = session.create(self._transport, self._device.endpoint, terms, name)
        try:
            self._tie, signed = await self.ask("open a session", _to_the_end(work))
        except (Unreachable, Refused) as exc:
            cause = exc.__cause__
            if isinstance(cause, UaStatusCodeError) and cause.code == StatusCodes.BadTooManySessions:
                self._full_until_ns = self._clock.monotonic() + session.SESSION_MS * 10**6
            if isinstance(cause, Deceived):
                raise Refused(self._deceived(str(cause))) from exc
            raise
        return signed

    def _deceived(self, reason: str) -> Text:
        return Text(
            f"{self.place}: the server has not proved who it is ({reason}): check that nothing stands between and "
            "that its certificate and key belong together",
            f"{self.place}: 서버의 신원을 확인할 수 없습니다({reason}). 중간에 다른 장비가 끼어 있지 않은지, "
            "서버의 인증서와 키가 맞는지 확인하십시오",
        )

    # what lives on

    async def _take_over(self, expected: Mapping[int, int]) -> Resumption:
        """Take the subscriptions of the session that is gone."""
        assert self._tie is not None
        started, self._started_ns = self._started_ns, await self._start_time()
        choice = self._tie.terms.choice
        checked = choice.secure or self._device.login is not None
        if not expected or not checked or not started or started != self._started_ns:
            return Resumption()
        try:
            got = await self.ask("take the subscriptions over", session.transfer(self._transport, [*expected]))
        except (Unreachable, Refused) as exc:
            if isinstance(exc.__cause__, UaStatusCodeError):
                return Resumption()  # it has no such service
            raise
        alive, missed = await self._missed({number: expected[number] for number in got})
        return Resumption("transferred" if alive else "new", alive, missed)

    async def _start_time(self) -> int:
        node = ua.NodeId(ua.Int32(ObjectIds.Server_ServerStatus_StartTime))
        (sample,) = await self.values([(node, VALUE)])
        return nanoseconds(told(sample, (DATE_TIME,)) or 0)

    async def _missed(self, expected: Mapping[int, int]) -> tuple[frozenset[int], list[Publication]]:
        """Fetch what was sent while nobody listened; return the subscriptions that live, and it."""
        alive = set(expected)
        missed: list[Publication] = []
        for subscription, first in expected.items():
            number = first
            while len(missed) < MOST_MISSED:
                try:
                    missed.append(await self.republish(subscription, number))
                except (Unreachable, Refused) as exc:
                    cause = exc.__cause__
                    if not isinstance(cause, UaStatusCodeError):
                        raise
                    # else it has sent nothing more, or sends nothing again; then the next number tells what is lost
                    if cause.code in NO_SUBSCRIPTION:
                        alive.discard(subscription)
                    break
                number = number % (2**32 - 1) + 1
        return frozenset(alive), [publication for publication in missed if publication.subscription in alive]

    # leaving

    async def abandon(self) -> None:
        """Leave the socket and keep the session for the next `open`; never raises but for cancellation."""
        if self._tie is None or not self._tie.active:
            await self.close()
        else:
            self._transport.disconnect_socket()

    async def close(self) -> None:
        """Close session, channel and socket; never raises but for cancellation, and takes at most `CLOSE_S`."""
        self._tie = self._started_ns = None
        await _to_the_end(self._leave())

    async def _leave(self) -> None:
        transport = self._transport
        transport.request_disconnect()
        try:
            # what cannot be closed in order dies with its socket, and on the server by its timeouts
            with contextlib.suppress(TimeoutError, OSError, UaError, ValueError, struct.error):
                async with asyncio.timeout(CLOSE_S):
                    if transport.session.state in {SessionState.CREATED, SessionState.ACTIVATED}:
                        await transport.close_session(True)
                    await transport.close_secure_channel()
        finally:
            transport.disconnect_socket()

    def _renewed(self, life_ms: float) -> None:
        # at 75 % of its life, as Part 4, 5.5.2 has it
        life_ms = max(life_ms, LEAST_LIFE_MS)
        self.renew_at_ns = self._clock.monotonic() + round(life_ms * 0.75e6)

    async def renew(self) -> None:
        """Renew the channel's token."""
        self._renewed(await self.ask("renew the channel", session.channel(self._transport, renew=True)))
        self._trust.remember()

    # what others see

    def warnings(self) -> Sequence[Text]:
        """Return what will need a person soon."""
        return () if self._trust.warning is None else (self._trust.warning,)

    def facts(self) -> dict[str, Json]:
        """Return how the server is spoken to."""
        if self._tie is None:
            return {}
        terms, choice = self._tie.terms, self._tie.terms.choice
        host = urlsplit(self._device.endpoint).hostname or ""
        return {
            "mode": choice.mode.name.rstrip("_"),
            "policy": choice.policy,
            "token": {"UserName": "user"}.get(choice.token.TokenType.name, choice.token.TokenType.name.lower()),
            "token_policy": security.short(choice.token_uri) if choice.token_uri else "None",
            "password": choice.password,
            "peer_authenticated": choice.secure,  # security None shows no certificate that was checked
            "certificate": None if terms.server is None else certificates.stated(terms.server),
            "host_note": None if terms.server is None else certificates.host_note(terms.server, host),
            "own_thumbprint": None if terms.owner is None else certificates.thumbprint(terms.owner.certificate),
            "application_uri": terms.uri,
            "session_timeout_ms": self._tie.timeout_ms,
            "endpoints": [*self.endpoints],
        }
