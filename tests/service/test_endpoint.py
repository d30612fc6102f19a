"""The endpoint for Prometheus, used badly."""

from __future__ import annotations

import contextlib
import socket
import threading
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from service import endpoint, metrics
from service.metrics import Metric, MetricsSettings
from tests.e2e.rig import until
from tests.support.processes import free_port

if TYPE_CHECKING:
    import pytest


def read(port: int, host: str = "127.0.0.1") -> str:
    """Ask for the counters."""
    with urllib.request.urlopen(f"http://{host}:{port}/metrics", timeout=10) as answer:
        return str(answer.read().decode())


def opened() -> int:
    """Return how many files this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def works(port: int) -> bool:
    """Return whether the counters can be read."""
    with contextlib.suppress(OSError):
        return "tsq_x_total 7.0" in read(port)
    return False


def test_idle_connections_take_neither_threads_nor_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint._Handler, "timeout", 1.0)
    port = free_port()
    with contextlib.ExitStack() as stack:
        stack.enter_context(
            metrics.served(MetricsSettings(port=port), lambda: [Metric("tsq_x_total", "counter", "x", 7)])
        )
        assert works(port)
        threads, files = threading.active_count(), opened()
        ours = 60
        for _ in range(ours):
            idle = stack.enter_context(socket.socket())
            idle.settimeout(10)
            idle.connect(("127.0.0.1", port))
        most = endpoint.AT_ONCE
        until(lambda: opened() <= files + ours + most, 10, "files are taken")
        assert threading.active_count() <= threads + most
        until(lambda: works(port), 10, "it does not recover")


def test_it_listens_on_the_newer_protocol_too_and_asks_no_name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: object) -> str:
        raise AssertionError

    monkeypatch.setattr(socket, "getfqdn", asked)
    port = free_port()
    with metrics.served(MetricsSettings(port=port, listen="::1"), lambda: [Metric("tsq_x", "gauge", "x", 7)]):
        assert "tsq_x 7.0" in read(port, "[::1]")
