"""Counters for Prometheus: one endpoint, off unless configured, and on loopback unless told otherwise.

The counters live where the work is done, as plain integers; they are read when somebody asks. The library is loaded
only by who serves them.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import Field

from settings.base import IpAddress, Model, Port
from settings.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

logger = logging.getLogger(__name__)


class MetricsSettings(Model):
    """Where counters are served to Prometheus."""

    port: Annotated[Port, Field(description="TCP port of `/metrics`")]
    listen: IpAddress = Field("127.0.0.1", description="local address; beyond loopback everybody there can read it")


Kind = Literal["counter", "gauge"]


class Metric(NamedTuple):
    """One series at this moment. A counter's name ends in `_total`, and its unit stands before that."""

    name: str
    kind: Kind
    text: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


class _Reader:
    """Gives the library what is read at the moment of asking."""

    def __init__(self, read: Callable[[], Iterable[Metric]]) -> None:
        self._read = read

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily  # noqa: PLC0415 - 12 MB

        families: dict[str, Any] = {}
        for name, kind, text, value, labels in self._read():
            if name not in families:
                family = CounterMetricFamily if kind == "counter" else GaugeMetricFamily
                families[name] = family(name, text, labels=[key for key, _ in labels])
            families[name].add_metric([label for _, label in labels], value)
        yield from families.values()


@contextlib.contextmanager
def served(settings: MetricsSettings | None, read: Callable[[], Iterable[Metric]]) -> Iterator[None]:
    """Serve `/metrics` while the block runs; nothing when there are no settings.

    Args:
        settings: Where.
        read: Called in a thread of the server for each request; must return at once.

    Raises:
        ConfigError: the address cannot be used.
    """
    if settings is None:
        yield
        return
    from prometheus_client import CollectorRegistry, make_wsgi_app  # noqa: PLC0415 - only who serves pays

    from service.endpoint import Endpoint  # noqa: PLC0415 - the same

    registry = CollectorRegistry()
    registry.register(_Reader(read))
    try:
        server = Endpoint(settings.listen, settings.port)
    except OSError as exc:
        raise ConfigError(
            f"metrics: {settings.listen}:{settings.port}: {exc.strerror}: choose another metrics.port"
        ) from exc
    server.set_app(make_wsgi_app(registry))
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    logger.info("counters at http://%s:%d/metrics", settings.listen, settings.port)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(1)


def totals(metrics: Iterable[Metric]) -> dict[str, int]:
    """Return the counters without labels, summed over theirs, for a status message."""
    found: dict[str, int] = {}
    for metric in metrics:
        if metric.kind == "counter":
            found[metric.name] = found.get(metric.name, 0) + int(metric.value)
    return found
