"""The demo's MQTT broker: mosquitto when it is on the machine, else the one that comes with the demo's packages.

The second is rumqttd in a process of its own (package `iotcore`): loopback only, and nothing but a means of first
use. It keeps what was sent in memory until its segments are full, hence the small ones; nothing relies on its
acknowledgements.

    python -m demo.broker CONFIG     runs the second one
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MESSAGE_LIMIT = 1_048_576


def command(folder: Path, port: int, *, own: bool = False) -> tuple[str, list[str]]:
    """Write the configuration of the broker at hand into `folder`.

    Args:
        folder: Exists.
        port: To listen on.
        own: Take the broker of the demo's packages although mosquitto is there.

    Returns:
        The broker's name, and the command that starts it.
    """
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))
    mosquitto = None if own else shutil.which("mosquitto", path=path)
    if mosquitto:
        config = folder / "mosquitto.conf"
        config.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\n"
            f"message_size_limit {MESSAGE_LIMIT}\n" + ("user root\n" if os.getuid() == 0 else ""),
            # Started by root it would change its user, and the kernel would forget to end it with the launcher.
            "utf-8",
        )
        return "mosquitto", [mosquitto, "-c", str(config)]
    config = folder / "broker.toml"
    config.write_text(_TOML.format(port=port, limit=MESSAGE_LIMIT), "utf-8")
    return "iotcore", [sys.executable, "-m", "demo.broker", str(config)]


_TOML = """\
id = 0

[router]
id = 0
max_connections = 50
max_outgoing_packet_count = 200
max_segment_size = 4194304
max_segment_count = 10

[v5.demo]
name = "demo"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1

[v5.demo.connections]
connection_timeout_ms = 10000
max_payload_size = {limit}
max_inflight_count = 100
dynamic_filters = true
"""


def main() -> None:
    """Run rumqttd until it is ended."""
    from iotcore import Broker  # noqa: PLC0415 - mosquitto needs none of it

    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("rumqttd").setLevel(logging.CRITICAL)  # it traces each packet as an error
    Broker(config_path=sys.argv[1]).run_forever()


if __name__ == "__main__":
    main()
