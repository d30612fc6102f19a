"""Plays a recording's answers to the real collector: a stand-in for the transport, no network.

    collector -> connection -> Replay instead of ReadOnlyTransport -> what was recorded

A recording is what `Box.tap` was handed (see `transport`): bodies of requests and answers, each behind the four
bytes of its number. Everything from the decoding of an answer upwards is the code that runs at the plant. Answers
are found by what they are about, not by their place: a Read by node and attribute, a monitored item by its node, so
that another size of request or another order of groups plays too; each occasion in order, the last one again.
Publish answers come in their order and only once; when they are used up, `Recorded.exhausted` is set. A node
that was never asked for is unknown, any other question has no answer. The channel plays as security None, whatever
it was: bodies were recorded without it.

A recording has to begin with the connection: start it, then let the agent connect anew.
"""

from __future__ import annotations

import asyncio
import struct
from collections import defaultdict, deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from asyncua import ua
from asyncua.client.ua_client import UaClientState
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.ua_binary import nodeid_from_binary, struct_from_binary, struct_to_binary
from asyncua.ua.uaerrors import UaError

from agent.collectors.opcua import decode
from agent.collectors.opcua.collector import OpcUaCollector
from agent.collectors.opcua.security import NONE_URI
from agent.collectors.opcua.transport import ReadOnlyTransport, body_of, recorded
from agent.errors import WireError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent.collectors.base import Box
    from agent.collectors.opcua.config import OpcUaDevice
    from agent.collectors.opcua.decode import Publication, Sample

NUMBER: Final = 4
FAULT, PUBLISH, READ, MONITOR = (
    int(message().TypeId.Identifier)
    for message in (ua.ServiceFault, ua.PublishRequest, ua.ReadRequest, ua.CreateMonitoredItemsRequest)
)
_BLANK = {int(message().TypeId.Identifier) for message in (ua.CreateSessionRequest, ua.ActivateSessionRequest)}


def _key(node: ua.NodeId, attribute: int = 0) -> tuple[str, int]:
    return node.to_string(), int(attribute)


@dataclass(slots=True)
class Recorded:
    """A recording, sorted by what is asked for.

    Attributes:
        samples: By node and attribute.
        items: By node: the handle that a monitored item had then, and what the server said.
        answers: Bodies of all other answers, by service and parameters.
        publications: In the order in which they came.
        exhausted: Set when the last of these has been handed out.
    """

    samples: dict[tuple[str, int], deque[Sample]] = field(default_factory=lambda: defaultdict(deque))
    items: dict[tuple[str, int], deque[tuple[int, ua.MonitoredItemCreateResult]]] = field(
        default_factory=lambda: defaultdict(deque)
    )
    answers: dict[tuple[int, bytes], deque[bytes]] = field(default_factory=lambda: defaultdict(deque))
    publications: deque[Publication] = field(default_factory=deque)
    exhausted: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def of(cls, frames: Iterable[tuple[str, bytes]]) -> Recorded:
        """Read frames, (direction, data) in the order of the recording.

        Raises:
            ValueError: they are not of an OPC UA connection.
        """
        found = cls()
        asked: dict[bytes, bytes] = {}
        for direction, data in frames:
            if direction == "note":
                continue
            if len(data) <= NUMBER:
                raise ValueError("a recorded frame is too short for OPC UA")
            number, body = data[:NUMBER], data[NUMBER:]
            if direction == "sent":
                asked[number] = body
            elif number in asked:  # else the recording began in between
                try:
                    found._take(asked.pop(number), body)
                except (UaError, WireError, struct.error, TypeError) as exc:  # ValueError stays itself
                    raise ValueError(f"no frame of OPC UA: {exc}") from exc
        return found

    def _take(self, request: bytes, answer: bytes) -> None:
        kind, parameters = parted(request)
        faulty = _faulty(answer)
        if kind == PUBLISH and not faulty:
            self.publications.append(decode.publication(body_of(recorded(answer))))
        elif kind == READ and not faulty:
            asked = struct_from_binary(ua.ReadParameters, recorded(parameters)).NodesToRead
            for value, sample in zip(asked, decode.samples(body_of(recorded(answer))), strict=True):
                self.samples[_key(value.NodeId, value.AttributeId)].append(sample)
        elif kind == MONITOR and not faulty:
            wanted = struct_from_binary(ua.CreateMonitoredItemsParameters, recorded(parameters)).ItemsToCreate
            response: Any = struct_from_binary(ua.CreateMonitoredItemsResponse, recorded(answer))
            for item, result in zip(wanted, response.Results, strict=True):
                self.items[_key(item.ItemToMonitor.NodeId)].append((item.RequestedParameters.ClientHandle, result))
        elif kind != PUBLISH:
            self.answers[kind, b"" if kind in _BLANK else parameters].append(answer)


def _faulty(answer: bytes) -> bool:
    return int(nodeid_from_binary(recorded(answer)).Identifier) == FAULT


def parted(request: bytes) -> tuple[int, bytes]:
    """Return which service a recorded request is of, and what follows its header."""
    data = recorded(request)
    kind = int(nodeid_from_binary(data).Identifier)
    struct_from_binary(ua.RequestHeader, data)
    rest: bytes = data.read(len(data))
    return kind, rest


def _next(waiting: deque[Any] | None) -> Any:
    """Return the answer of this occasion: the last one stays."""
    if not waiting:
        return None
    return waiting.popleft() if len(waiting) > 1 else waiting[0]


def _unknown(request: Any) -> Any:
    """Return the answer to a question about nodes that the recording does not know.

    Raises:
        TimeoutError: the question is about something else.
    """
    status = ua.StatusCode(ua.UInt32(StatusCodes.BadNodeIdUnknown))
    if isinstance(request, ua.BrowseRequest):
        browsed = ua.BrowseResponse()
        browsed.Results = [ua.BrowseResult(StatusCode=status) for _ in request.Parameters.NodesToBrowse]
        return browsed
    if isinstance(request, ua.TranslateBrowsePathsToNodeIdsRequest):
        found = ua.TranslateBrowsePathsToNodeIdsResponse()
        found.Results = [ua.BrowsePathResult(StatusCode=status) for _ in request.Parameters.BrowsePaths]
        return found
    raise TimeoutError


class Replay(ReadOnlyTransport):
    """A transport that answers from a recording."""

    def __init__(self, found: Recorded, handles: dict[int, int]) -> None:
        super().__init__(1.0, None)
        self._found = found
        self._handles = handles

    async def connect_socket(self, host: str, port: int | None) -> None:  # noqa: ARG002 - there is no network
        """Begin."""
        self._make_protocol()
        self._set_state(UaClientState.SOCKET_OPEN)

    async def send_hello(self, url: str, max_messagesize: int = 0, max_chunkcount: int = 0) -> Any:
        """Nobody is there."""

    async def open_secure_channel(self, params: Any) -> Any:  # noqa: ARG002 - nothing is secured
        """Grant an hour."""
        self._set_state(UaClientState.CHANNEL_OPEN)
        result = ua.OpenSecureChannelResult()
        result.SecurityToken.RevisedLifetime = 3_600_000
        return result

    async def close_secure_channel(self) -> None:
        """Nothing is open."""

    async def get_endpoints(self, params: Any) -> list[ua.EndpointDescription]:  # noqa: ARG002
        """Offer what the play is under."""
        return [
            ua.EndpointDescription(
                SecurityMode=ua.MessageSecurityMode.None_,
                SecurityPolicyUri=NONE_URI,
                UserIdentityTokens=[ua.UserTokenPolicy(PolicyId="play", TokenType=ua.UserTokenType.Anonymous)],
            )
        ]

    async def read(self, parameters: ua.ReadParameters) -> list[Sample]:  # type: ignore[override]
        """Answer node by node."""
        unknown = decode.Sample(0, False, None, StatusCodes.BadNodeIdUnknown, 0, 0)
        return [
            _next(self._found.samples.get(_key(asked.NodeId, asked.AttributeId))) or unknown
            for asked in parameters.NodesToRead
        ]

    async def publish(self, acks: list[ua.SubscriptionAcknowledgement]) -> Publication:  # type: ignore[override] # noqa: ARG002
        """Hand out the next notification, its items under the handles of today."""
        if not self._found.publications:
            await asyncio.Event().wait()
        came = self._found.publications.popleft()
        if not self._found.publications:
            self._found.exhausted.set()
        items = [(self._handles[handle], sample) for handle, sample in came.items if handle in self._handles]
        return replace(came, items=items)

    async def _send_request(self, request: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        if isinstance(request, ua.CreateMonitoredItemsRequest):
            return recorded(struct_to_binary(self._monitor(request.Parameters)))
        if isinstance(request, ua.CloseSessionRequest):
            return recorded(struct_to_binary(ua.CloseSessionResponse()))
        kind, parameters = parted(struct_to_binary(request))
        answer = _next(self._found.answers.get((kind, b"" if kind in _BLANK else parameters)))
        if answer is None:
            return recorded(struct_to_binary(_unknown(request)))
        if _faulty(answer):
            fault: Any = struct_from_binary(ua.ServiceFault, recorded(answer))
            fault.ResponseHeader.ServiceResult.check()
        return recorded(answer)

    def _monitor(self, parameters: ua.CreateMonitoredItemsParameters) -> ua.CreateMonitoredItemsResponse:
        response = ua.CreateMonitoredItemsResponse()
        for item in parameters.ItemsToCreate:
            found = _next(self._found.items.get(_key(item.ItemToMonitor.NodeId)))
            if found is None:
                refused = ua.MonitoredItemCreateResult(
                    StatusCode=ua.StatusCode(ua.UInt32(StatusCodes.BadNodeIdUnknown))
                )
                response.Results.append(refused)
            else:
                self._handles[found[0]] = item.RequestedParameters.ClientHandle
                response.Results.append(found[1])
        return response


def collector(device: OpcUaDevice, box: Box, found: Recorded) -> OpcUaCollector:
    """Return the real collector of a device, on a recording instead of a network.

    Args:
        device: As it was configured when it was recorded.
        box: What collectors share.
        found: The recording.
    """
    plain = device.model_copy(update={"security": "None", "policy": "auto", "login": None, "source_address": None})
    made = OpcUaCollector(plain, box)
    handles: dict[int, int] = {}
    made.connection.transports = lambda: Replay(found, handles)
    return made
