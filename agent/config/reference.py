"""Writes `docs/configuration.md` from the models: `python -m agent.config.reference > docs/configuration.md`."""

from __future__ import annotations

import sys

from agent.config.model import AgentConfig
from settings.reference import page

_INTRODUCTION = """\
# The agent's configuration

<!-- Made from the models by `python -m agent.config.reference > docs/configuration.md`; a test compares. -->

One YAML file describes one site, such as [config/agent.example.yaml](../config/agent.example.yaml). Check it first:

    tsq-agent check agent.yaml              # never touches the network
    tsq-agent check --connect agent.yaml    # also reads each source once and shows the values

All mistakes are printed at once, as `file:line: path: what to do`, in Korean or English by locale (`--lang ko`).
The exit code is 78 when the file is wrong, 1 when something that was read is not good.

- Unknown keys are mistakes. Nothing that was written is corrected.
- Times and sizes carry their unit: `500ms`, `2s`, `1m`, `8h`, `30d`; `500MB`, `2GB` (powers of ten).
- Ids stand in topics and in the store and never change; names are for people and may.
- Passwords do not stand in the file: `env:NAME` names an environment variable, `file:/path` a file.
- YAML 1.2 words: `08:00`, `no` and `2026-12-24` are text, only `true` and `false` are yes and no, and a number with
  a leading zero stays text. Anchors and aliases (`&`, `*`) may be used; merge keys (`<<`) and tags (`!`) not.
"""

_TITLES = {
    "AgentConfig": "The file",
    "MachineEntry": "machines: one machine",
    "Planned": "schedule.planned: one span",
    "Holidays": "schedule.holidays",
    "Broker": "uplink: a broker",
    "PlatformBroker": "uplink.platform",
    "Tls": "tls of a broker",
    "SparkplugSettings": "sparkplug",
    "MetricsSettings": "metrics",
    "AlarmBits": "devices: an alarm word",
    "AlarmText": "devices: an alarm",
    "Budget": "devices: budget",
    "Burst": "devices: burst of a group",
    "ModbusDevice": "devices: Modbus",
    "ModbusGroup": "devices: group of a Modbus device",
    "SerialLine": "devices: serial line of a Modbus device",
    "ModbusTls": "devices: TLS of a Modbus device",
    "LsMap": "devices: ls_map of a Modbus device",
    "ModbusSignal": "devices: signal of a Modbus device",
    "OpcUaDevice": "devices: OPC UA",
    "OpcUaGroup": "devices: group of an OPC UA device",
    "OpcUaSignal": "devices: signal of an OPC UA device",
    "OpcUaLogin": "devices: login of an OPC UA device",
    "XgtDevice": "devices: LS ELECTRIC XGT",
    "XgtGroup": "devices: group of an XGT device",
    "XgtSignal": "devices: signal of an XGT device",
}


def reference() -> str:
    """Return the page."""
    return page(AgentConfig, _INTRODUCTION, _TITLES)


if __name__ == "__main__":
    sys.stdout.write(reference())
