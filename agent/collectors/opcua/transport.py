"""asyncua's transport, cut down to questions: whatever else the library could ask of a server never leaves.

asyncua's `Client` is used step by step (socket, hello, channel, session), never by `Client.connect`: that starts
a supervisor, which would reconnect beside ours, and a watchdog that recreates subscriptions and loses what they
held. `UaSession.create_subscription` is not used either: it starts a publish loop that keeps one request
open, goes on without a word after a notification it cannot parse, and cannot be slowed down (all read in 2.1.0).
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from asyncua import ua
from asyncua.client.client import Client
from asyncua.client.ua_client import UaClient, UaClientState
from asyncua.common.shortcuts import Shortcuts
from asyncua.ua.ua_binary import nodeid_from_binary, struct_from_binary

from agent.collectors.opcua import decode

if TYPE_CHECKING:
    from agent.collectors.opcua.decode import Publication, Sample

DEFAULT_PORT: Final = 4840

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
)

# The library logs each fault before it raises it; we raise it on, and the supervisor logs it once.
_library = logging.getLogger("asyncua")
if _library.level == logging.NOTSET:
    _library.setLevel(logging.CRITICAL + 1)


class ReadOnlyTransport(UaClient):
    """Sends the services of `QUESTIONS` and no other: no Write, no Call, nothing that changes a node.

    Args:
        timeout: Longest wait for an answer, seconds.
        local_address: Address to connect from, None for the system's choice.
    """

    def __init__(self, timeout: float, local_address: str | None) -> None:
        super().__init__(timeout)
        self._local_address = local_address

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
        return await super()._send_request(request, *args, **kwargs)

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
        return decode.samples(_body(await self._send_request(request)))

    async def publish(self, acks: list[ua.SubscriptionAcknowledgement]) -> Publication:  # type: ignore[override]
        """Publish, decoded by us; waits for an answer without a limit."""
        request = ua.PublishRequest()
        request.Parameters.SubscriptionAcknowledgements = acks
        return decode.publication(_body(await self._send_request(request, timeout=0)))

    async def republish(self, subscription: int, sequence: int) -> Publication:
        """Ask for one notification again, decoded by us."""
        request = ua.RepublishRequest()
        request.Parameters.SubscriptionId = ua.IntegerId(subscription)
        request.Parameters.RetransmitSequenceNumber = ua.Counter(sequence)
        return decode.notification(subscription, _body(await self._send_request(request)))


def _body(data: Any) -> bytes:
    """Return what follows a response's header."""
    nodeid_from_binary(data)
    header = struct_from_binary(ua.ResponseHeader, data)
    header.ServiceResult.check()
    rest: bytes = data.read(len(data))
    return rest


def client(url: str, timeout: float, local_address: str | None) -> tuple[Client, ReadOnlyTransport]:
    """Return asyncua's client on a read-only transport; nothing is connected."""
    outer = Client(url, timeout=timeout, auto_reconnect=False)
    transport = ReadOnlyTransport(timeout, local_address)
    outer.uaclient = transport
    outer.nodes = Shortcuts(transport.session)
    return outer, transport
