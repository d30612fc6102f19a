"""Writes `docs/gateway.md` from the models: `python -m gateway.reference > docs/gateway.md`."""

from __future__ import annotations

import sys

from gateway.config import GatewayConfig
from settings.reference import page

_INTRODUCTION = """\
# The gateway's configuration

<!-- Made from the models by `python -m gateway.reference > docs/gateway.md`; a test compares. -->

One YAML file describes one gateway worker, such as [config/gateway.example.yaml](../config/gateway.example.yaml).
Check it first:

    tsq-gateway check gateway.yaml          # touches neither the network nor a secret

All mistakes are printed at once, as `file:line: path: what to do`, in Korean or English by locale
(`tsq-gateway --lang ko check gateway.yaml`). The exit code is 78 when the file is wrong, or when a secret cannot be
read at the start.

The rules of the file are those of [the agent's](configuration.md): unknown keys are mistakes, times and sizes carry
their unit, and passwords and tokens do not stand in the file. They are read when the gateway starts, those of the
broker again at each connection.
[stores.md](stores.md) says what each store promises.
"""

_TITLES = {
    "GatewayConfig": "The file",
    "Broker": "mqtt",
    "Tls": "tls of a broker",
    "MetricsSettings": "metrics",
    "EmbeddedSettings": "store: embedded",
    "Keep": "store.keep of the embedded store",
    "InfluxDb1Settings": "store: influxdb1",
    "InfluxDb2Settings": "store: influxdb2",
    "DeadLetterSettings": "dead_letters",
}


def reference() -> str:
    """Return the page."""
    return page(GatewayConfig, _INTRODUCTION, _TITLES)


if __name__ == "__main__":
    sys.stdout.write(reference())
