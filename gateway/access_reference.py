"""Writes `docs/access.md` from the models: `python -m gateway.access_reference > docs/access.md`."""

from __future__ import annotations

import sys

from gateway.access import Access
from settings.reference import page

_INTRODUCTION = """\
# The list of a broker's users

<!-- Made from the models by `python -m gateway.access_reference > docs/access.md`; a test compares. -->

One YAML file lists everybody who may connect to a broker. `tsq-gateway access LIST --out FOLDER` makes the files
of mosquitto from it: the access rules, and a `mosquitto.conf` that puts them into force. What each user may do, and
how certificates are issued, stands in [security.md](security.md).

    version: 1
    factories:
      - id: hanil
        agents:
          - {id: edge-1, reporter: true}
          - {id: edge-2}
    workers:
      - {id: gateway-1}
    platform:
      - {user: techsquare}

A *user* is the common name of a certificate, or the name that goes with a password.
"""

_TITLES = {
    "Access": "The file",
    "FactoryEntry": "factories",
    "AgentEntry": "factories.agents",
    "WorkerEntry": "workers",
    "PlatformEntry": "platform",
    "MonitorEntry": "monitors",
    "SparkplugEntry": "sparkplug",
    "ScadaEntry": "scada",
    "MosquittoEntry": "mosquitto",
}


def reference() -> str:
    """Return the page."""
    return page(Access, _INTRODUCTION, _TITLES)


if __name__ == "__main__":
    sys.stdout.write(reference())
