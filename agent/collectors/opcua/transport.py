"""asyncua's transport, cut down to questions: whatever else the library could ask of a server never leaves.

asyncua's `Client` is used step by step (socket, hello, channel, session), never by `Client.connect`: that starts
a supervisor, which would reconnect beside ours, and a watchdog that recreates subscriptions and loses what they
held. `UaSession.create_subscription` is not used either: it starts a publish loop that keeps one request
open, goes on without a word after a notification it cannot parse, and cannot be slowed down (all read in 2.1.0).

While somebody records (`Box.tap`), each request and answer is handed over as its body, as Part 6 encodes it and
before anything encrypts it, behind four bytes with the number of the request (big-endian): an answer has that of
its request. Session tokens, nonces and whatever logs somebody in are left out.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from asyncua import ua
from asyncua.client.ua_client import UaClient, UaClientState, UASocketProtocol
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import nodeid_from_binary, struct_from_binary, struct_to_binary
from asyncua.ua.uaerrors import UaStatusCodeError

from agent.collectors.opcua import decode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.collectors.base import Box
    from agent.collectors.opcua.decode import Publication, Sample

DEFAULT_PORT: Final = 4840
CHANNEL_MS: Final = 3_600_000

QUESTIONS: Final = (
    ua.GetEndpointsRequest,
    ua.CreateSessionRequest,
    ua.ActivateSessionRequest,
    ua.CloseSessionRequest,
    ua.ReadRequest,
    ua.BrowseRequest,
    ua.BrowseNextRequest,
    ua.TranslateBrowsePathsToNodeIdsRequest,
    ua.CreateSubscriptionRequest,
    ua.DeleteSubscriptionsRequest,
    ua.CreateMonitoredItemsRequest,
    ua.DeleteMonitoredItemsRequest,
    ua.PublishRequest,
    ua.RepublishRequest,
    ua.TransferSubscriptionsRequest,
)

# The library logs each fault before it raises it; we raise it on, and the supervisor logs it once.
_library = logging.getLogger("asyncua")
if _library.level == logging.NOTSET:
    _library.setLevel(logging.CRITICAL + 1)


class _Protocol(UASocketProtocol):
    """asyncua's protocol, which takes a fault in answer to OpenSecureChannel for a bug of its own."""

    def _process_received_message(self, msg: Any) -> None:
        if type(msg) is ua.Message and isinstance(
            self._open_secure_channel_exchange, ua.OpenSecureChannelParameters
        ):
            message: Any = msg
            if isinstance(message.SecurityHeader(), ua.AsymmetricAlgorithmHeader):
                self.check_answer(message.body(), "")  # raises the fault: it fails the request, the socket closes
        super()._process_received_message(msg)


class ReadOnlyTransport(UaClient):
    """Sends the services of `QUESTIONS` and no other: no Write, no Call, nothing that changes a node.

    Args:
        timeout: Longest wait for an answer, seconds.
        local_address: Address to connect from, None for the system's choice.
        box: Whose tap takes what goes over the line; None for a transport that nobody records.
        device: Id of the device, for the tap.

    Attributes:
        channel_ms: How long a channel's token is asked to live.
    """

    def __init__(self, timeout: float, local_address: str | None, box: Box | None = None, device: str = "") -> None:
        super().__init__(timeout)
        self._local_address = local_address
        self._box = box
        self._device = device
        self._number = 0
        self.channel_ms = CHANNEL_MS

    def _make_protocol(self) -> UASocketProtocol:
        self.protocol = _Protocol(self._timeout, security_policy=self.security_policy)
        self.protocol.on_connection_lost = self._on_transport_lost
        self.protocol.is_session_closing = self._is_session_closing
        return self.protocol

    async def connect_socket(self, host: str, port: int | None) -> None:
        """Open the socket, from the local address if one is set; the caller bounds the time."""
        self._set_state(UaClientState.CONNECTING)
        local = (self._local_address, 0) if self._local_address else None
        try:
            await asyncio.get_running_loop().create_connection(
                self._make_protocol, host, port or DEFAULT_PORT, local_addr=local
            )
        except BaseException:
            self._set_state(UaClientState.DISCONNECTED)
            raise
        self._set_state(UaClientState.SOCKET_OPEN)

    async def _send_request(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(request, QUESTIONS):
            raise TypeError(f"{type(request).__name__} is not a question; this agent only reads")
        tap = self._box.tap if self._box is not None else None
        if tap is None:
            return await super()._send_request(request, *args, **kwargs)
        self._number = (self._number + 1) % 2**32
        number = self._number.to_bytes(4, "big")
        tap(self._device, "sent", number + _sent(request))
        try:
            answer = await super()._send_request(request, *args, **kwargs)
        except UaStatusCodeError as exc:
            fault = ua.ServiceFault()
            fault.ResponseHeader.ServiceResult = ua.StatusCode(exc.code)
            tap(self._device, "received", number + struct_to_binary(fault))
            raise
        tap(self._device, "received", number + _received(request, answer))
        return answer

    async def subscribe(self, parameters: ua.CreateSubscriptionParameters) -> ua.CreateSubscriptionResult:
        """CreateSubscription, without asyncua's publish loop."""
        request = ua.CreateSubscriptionRequest()
        request.Parameters = parameters
        response = struct_from_binary(ua.CreateSubscriptionResponse, await self._send_request(request))
        response.ResponseHeader.ServiceResult.check()
        result: ua.CreateSubscriptionResult = response.Parameters
        return result

    async def read(self, parameters: ua.ReadParameters) -> list[Sample]:  # type: ignore[override]
        """Read, decoded by us."""
        request = ua.ReadRequest()
        request.Parameters = parameters
        return decode.samples(body_of(await self._send_request(request)))

    async def publish(self, acks: list[ua.SubscriptionAcknowledgement]) -> Publication:  # type: ignore[override]
        """Publish, decoded by us; waits for an answer without a limit."""
        request = ua.PublishRequest()
        request.Parameters.SubscriptionAcknowledgements = acks
        return decode.publication(body_of(await self._send_request(request, timeout=0)))

    async def transfer(self, subscriptions: Sequence[int]) -> list[ua.TransferResult]:
        """TransferSubscriptions, without a repetition of values that were reported."""
        request = ua.TransferSubscriptionsRequest()
        request.Parameters.SubscriptionIds = [ua.IntegerId(number) for number in subscriptions]
        request.Parameters.SendInitialValues = False
        response = struct_from_binary(ua.TransferSubscriptionsResponse, await self._send_request(request))
        response.ResponseHeader.ServiceResult.check()
        results: list[ua.TransferResult] = response.Parameters.Results
        return results

    async def republish(self, subscription: int, sequence: int) -> Publication:
        """Ask for one notification again, decoded by us."""
        request = ua.RepublishRequest()
        request.Parameters.SubscriptionId = ua.IntegerId(subscription)
        request.Parameters.RetransmitSequenceNumber = ua.Counter(sequence)
        return decode.notification(subscription, body_of(await self._send_request(request)))


def body_of(data: Any) -> bytes:
    """Return what follows a response's header."""
    nodeid_from_binary(data)
    header = struct_from_binary(ua.ResponseHeader, data)
    header.ServiceResult.check()
    rest: bytes = data.read(len(data))
    return rest


def _sent(request: Any) -> bytes:
    """Return a request as it is recorded: the session's token is put in later, a login is left out."""
    if isinstance(request, ua.ActivateSessionRequest):
        request = ua.ActivateSessionRequest()
    elif isinstance(request, ua.CreateSessionRequest):
        request = ua.CreateSessionRequest()
    body: bytes = struct_to_binary(request)
    return body


def _received(request: Any, answer: Any) -> bytes:
    """Return an answer as it is recorded, without what would let somebody else speak for the session."""
    kind = {
        ua.CreateSessionRequest: ua.CreateSessionResponse,
        ua.ActivateSessionRequest: ua.ActivateSessionResponse,
    }.get(type(request))
    if kind is None:
        data = answer.copy()
        body: bytes = data.read(len(data))
        return body
    response: Any = struct_from_binary(kind, answer.copy())
    if isinstance(response, ua.CreateSessionResponse):
        response.Parameters.AuthenticationToken = ua.NodeId()
        response.Parameters.ServerSignature = ua.SignatureData()
    response.Parameters.ServerNonce = b""
    blank: bytes = struct_to_binary(response)
    return blank


def recorded(body: bytes) -> Buffer:
    """Return a recorded body as asyncua hands answers on."""
    return Buffer(body)
