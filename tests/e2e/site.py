"""Two devices on servers that count what they serve, an agent, and its verbs as a technician types them."""

from __future__ import annotations

import contextlib
import json
import subprocess
from typing import TYPE_CHECKING, Any

from gateway.stores.embedded import EmbeddedStore
from tests.e2e.rig import Rig, tool, until
from tests.peers.modbus import read_log
from tests.peers.modbus import server as modbus_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOREVER = 2**63 - 1


def device(name: str, port: int, *signals: int, **more: Any) -> dict[str, Any]:
    """Return a device with a uint16 at each of these addresses, read every 500 ms."""
    tags = [{"id": f"w{a}", "address": f"holding:{a}", "type": "uint16"} for a in signals]
    return {
        "id": name, "type": "modbus", "machine": name, "host": "127.0.0.1", "port": port, "timeout": "450ms",
        "groups": [{"id": "main", "every": "500ms", "signals": tags}], **more,
    }  # fmt: skip


class Site:
    """A rig with the devices `press` and `saw`, each on a server that counts what it serves."""

    def __init__(self, folder: Path) -> None:
        self.logs = {name: folder / f"{name}.requests" for name in ("press", "saw")}
        options = {"press": ["--illegal", "100-199"], "saw": []}
        self.servers = {
            name: modbus_server(folder / name, *options[name], log=log, sequence=True)
            for name, log in self.logs.items()
        }
        self.ports = {name: server.port or 0 for name, server in self.servers.items()}
        devices = [device("press", self.ports["press"], 1, 2), device("saw", self.ports["saw"], 7)]
        machines = [{"id": name} for name in ("press", "saw")]
        self.rig = Rig(folder, devices=devices, machines=machines)
        self.changed = folder / "changed.yaml"

    def write(self, *devices: dict[str, Any], **more: Any) -> Path:
        """Write a changed file; return its path."""
        config = json.loads(self.rig.config.read_text("utf-8")) | {"devices": list(devices)} | more
        self.changed.write_text(json.dumps(config, ensure_ascii=False), "utf-8")
        return self.changed

    def run(self, verb: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a verb of `tsq-agent` with the rig's file."""
        command: list[str | Path] = [tool("tsq-agent"), "--lang", "en", verb, *words, "--config", self.rig.config]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    @contextlib.contextmanager
    def applying(self, *words: str | Path) -> Iterator[subprocess.Popen[str]]:
        """Run `apply` until the agent goes over; yield the process."""
        command = [tool("tsq-agent"), "--lang", "en", "apply", *words, "--config", self.rig.config]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert any(line.startswith("going over") for line in process.stdout)
            yield process

    def gaps(self, cause: str) -> dict[str, list[tuple[int, int | None]]]:
        """Return the stored gaps of a cause by source, each as its last event tells it."""
        store = EmbeddedStore(self.rig.store_path, read_only=True)
        found: dict[str, tuple[str, int, int | None]] = {}
        try:
            for point in sorted(store.read("tsq_event", 0, FOREVER), key=lambda p: p.time_ns):
                body = json.loads(str(point.fields.get("body_s", "{}")))
                if dict(point.tags)["kind"] == "gap" and body["cause"] == cause:
                    to = point.fields.get("to_i")
                    span = int(point.fields["from_i"]), None if to is None else int(to)
                    found[body["gap_id"]] = (str(point.fields.get("source_s", "*")), *span)
        finally:
            store.close()
        by_source: dict[str, list[tuple[int, int | None]]] = {}
        for source, start, end in found.values():
            by_source.setdefault(source, []).append((start, end))
        return by_source

    def stored(self, machine: str, field: str) -> dict[int, int]:
        """Return value -> time of what is stored."""
        store = EmbeddedStore(self.rig.store_path, read_only=True)
        try:
            points = store.read(machine, 0, FOREVER)
            return {int(p.fields[field]): p.time_ns for p in points if field in p.fields}
        finally:
            store.close()


def undisturbed(site: Site) -> None:
    """Check that `saw` was asked in each of its slots, by one collector, and all of it is stored."""
    until(lambda: len(read_log(site.logs["saw"])) > 5, 30, "it is not read", site.rig)
    served = read_log(site.logs["saw"])
    slots = (served[-1].time_ns - served[0].time_ns) / 500e6
    assert len(served) <= slots + 5, "it is read by more than one"
    stats = site.rig.status()["devices"]["saw"]["stats"]
    # what a machine that stands still now and then has passed over is counted; nothing else may be missing
    assert len(served) >= int(slots) - stats["skipped"], f"{slots - len(served):.0f} slots were lost"
    assert stats["reconnects"] == 0
    until(lambda: {r.uint16(7) for r in served} <= set(site.stored("saw", "w7_i")), 30, "not all stored", site.rig)
    assert "saw.main" not in site.gaps("config"), "it was restarted"
