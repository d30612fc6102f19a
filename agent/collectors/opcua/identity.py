"""Who the server is and what it states about itself: facts, by reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from asyncua import ua
from asyncua.ua.object_ids import ObjectIds

from agent.collectors.opcua.convert import DATE_TIME, INTEGERS, TEXTS
from agent.collectors.opcua.decode import nanoseconds, told
from agent.collectors.opcua.services import VALUE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.collectors.opcua.config import OpcUaDevice
    from agent.collectors.opcua.connection import Connection
    from agent.collectors.opcua.limits import Limits
    from agent.frame import Json

_STATE: Final = ObjectIds.Server_ServerStatus_State
_TIME: Final = ObjectIds.Server_ServerStatus_CurrentTime
_NAMESPACES: Final = ObjectIds.Server_NamespaceArray

_Asked = Mapping[str, tuple[int, Collection[int], bool]]  # node, built-in types, whether an array

_LIMITS: Final[_Asked] = {
    "max_read": (ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead, INTEGERS, False),
    "max_items": (ObjectIds.Server_ServerCapabilities_OperationLimits_MaxMonitoredItemsPerCall, INTEGERS, False),
    "max_browse": (ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerBrowse, INTEGERS, False),
}
_ASKED: Final[_Asked] = {
    "namespaces": (_NAMESPACES, TEXTS, True),
    "servers": (ObjectIds.Server_ServerArray, TEXTS, True),
    "start": (ObjectIds.Server_ServerStatus_StartTime, (DATE_TIME,), False),
    "product": (ObjectIds.Server_ServerStatus_BuildInfo_ProductName, TEXTS, False),
    "product_uri": (ObjectIds.Server_ServerStatus_BuildInfo_ProductUri, TEXTS, False),
    "manufacturer": (ObjectIds.Server_ServerStatus_BuildInfo_ManufacturerName, TEXTS, False),
    "version": (ObjectIds.Server_ServerStatus_BuildInfo_SoftwareVersion, TEXTS, False),
    "build": (ObjectIds.Server_ServerStatus_BuildInfo_BuildNumber, TEXTS, False),
}


def _node(number: int) -> ua.NodeId:
    return ua.NodeId(ua.Int32(number))


async def _ask(connection: Connection, nodes: _Asked) -> dict[str, Any]:
    """Return what the server says, None of what it does not say: it need not have any of these."""
    samples = await connection.values([(_node(number), VALUE) for number, _, _ in nodes.values()])
    return {
        key: told(sample, types, array=array)
        for (key, (_, types, array)), sample in zip(nodes.items(), samples, strict=True)
    }


@dataclass(slots=True)
class Identity:
    """What a server has said about itself.

    Attributes:
        namespaces: URIs, by index.
        server_uri: URI of the server's instance.
        start_time: When it started, UTC nanoseconds as text, None if it does not say.
        clock_offset_ns: Its clock minus ours, None if it does not say; right to +- `clock_error_ns`.
    """

    namespaces: Sequence[str] = ()
    server_uri: str | None = None
    max_read: int | None = None
    max_items: int | None = None
    start_time: str | None = None
    build: dict[str, Json] = field(default_factory=dict)
    clock_offset_ns: int | None = None
    clock_error_ns: int = 0

    @classmethod
    async def read(cls, connection: Connection, limits: Limits) -> Identity:
        """Ask the server; first for its limits, which then hold for all that follows."""
        stated = await _ask(connection, _LIMITS)
        limits.stated(stated["max_read"], stated["max_items"], stated["max_browse"])
        values = stated | await _ask(connection, _ASKED)
        servers = values["servers"] or ()
        identity = cls(
            namespaces=tuple(str(uri) for uri in values["namespaces"] or ()),
            server_uri=servers[0] if servers else None,
            max_read=values["max_read"],
            max_items=values["max_items"],
            start_time=str(started) if (started := nanoseconds(values["start"] or 0)) else None,
            build={key: values[key] for key in ("product", "product_uri", "manufacturer", "version", "build")},
        )
        # alone in its request, so that the round trip bounds the error
        (answer,) = await connection.read([(_node(_TIME), VALUE)])
        theirs = nanoseconds(told(answer.values[0], (DATE_TIME,)) or 0)
        if theirs:
            identity.clock_offset_ns = theirs - (answer.time_ns - answer.rtt_ns // 2)
            identity.clock_error_ns = answer.rtt_ns // 2
        return identity

    @staticmethod
    async def read_namespaces(connection: Connection) -> Sequence[str]:
        """Ask for the namespace URIs alone."""
        said = await _ask(connection, {"namespaces": _ASKED["namespaces"]})
        return tuple(str(uri) for uri in said["namespaces"] or ())

    async def heartbeat(self, connection: Connection) -> None:
        """Read one value: shows that session and server live, and keeps the session from timing out."""
        await connection.read([(_node(_STATE), VALUE)])

    def facts(self, device: OpcUaDevice, connection: Connection) -> dict[str, Json]:
        """Return what the fact "connection" says."""
        return {
            "protocol": "opcua",
            "endpoint": device.endpoint,
            **({} if device.source_address is None else {"source_address": device.source_address}),
            **connection.facts(),
            "server": {**self.build, "uri": self.server_uri, "start_time": self.start_time},
            "namespaces": [*self.namespaces],
            "max_nodes_per_read": self.max_read,
            "max_monitored_items_per_call": self.max_items,
            "clock_offset_ns": self.clock_offset_ns,
            "clock_error_ns": self.clock_error_ns,
        }

    def fingerprint(self, connection: Connection) -> dict[str, Json]:
        """Return what tells whether it is still the same server with the same program; only what it says.

        Without its start time: that changes with every power cut, and the program does not.
        """
        certificate = connection.facts().get("certificate")
        said: dict[str, Json] = {**self.build, "uri": self.server_uri, "namespaces": [*self.namespaces]}
        if isinstance(certificate, dict):
            said["certificate"] = certificate["thumbprint"]
        return {key: value for key, value in said.items() if value}

    def learned(self) -> dict[str, Json]:
        """Return what `status` and `watch` show of it."""
        if self.clock_offset_ns is None:
            return {}
        offset, error = round(self.clock_offset_ns / 1e6, 1), round(self.clock_error_ns / 1e6, 1)
        return {"server_clock_ms": offset, "server_clock_within_ms": error}
