"""One folder a protocol: plan and decode are pure, the collector does the I/O.

`make` is the table of protocols: a new one is a folder, a case here and a member of `agent.config.model.Device`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.collectors.base import Box, Collector
    from agent.config.model import Device


def make(device: Device, box: Box) -> Collector:
    """Return what reads a configured device; its client library is loaded here and not before."""
    match device.type:
        case "modbus":
            from agent.collectors.modbus.collector import ModbusCollector  # noqa: PLC0415 - pymodbus costs 20 MB

            return ModbusCollector(device, box)
        case "opcua":
            from agent.collectors.opcua.collector import OpcUaCollector  # noqa: PLC0415 - asyncua costs 48 MB

            return OpcUaCollector(device, box)
        case "xgt":
            from agent.collectors.xgt.collector import XgtCollector  # noqa: PLC0415 - as the others

            return XgtCollector(device, box)
