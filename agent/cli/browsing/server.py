"""The OPC UA server that somebody names without a file."""

from __future__ import annotations

from agent.collectors.opcua.config import OpcUaDevice


def server_of(endpoint: str) -> OpcUaDevice:
    """Return a device to look around on: anonymous, without security, as only a test or a first look should be.

    Raises:
        Complaint: the endpoint is written in another way.
    """
    from agent.cli.probing import made  # noqa: PLC0415

    first = {"id": "none", "node": "i=2258", "type": "timestamp"}
    groups = [{"every": "1s", "signals": [first]}]
    base = {"id": "server", "machine": "server", "type": "opcua", "security": "None", "groups": groups}
    return made(OpcUaDevice, base | {"endpoint": endpoint})
