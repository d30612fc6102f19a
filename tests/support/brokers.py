"""Real MQTT brokers for tests."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tests.support.processes import Child, free_port

if TYPE_CHECKING:
    from pathlib import Path


def mosquitto(folder: Path, port: int | None = None) -> Child:
    """Return a mosquitto on loopback without persistence; start it with `running`."""
    binary = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    assert binary, "mosquitto is not installed: run `make test`, it installs what the tests need"
    port = port or free_port()
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
        "max_inflight_messages 100\nmessage_size_limit 1048576\nset_tcp_nodelay true\n"
    )
    return Child([binary, "-c", config], log=folder / "mosquitto.log", port=port)
