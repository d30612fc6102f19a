"""gateway.yaml: its model, and the way from a file to one of these."""

from __future__ import annotations

import os
import re
import socket
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from gateway.stores.settings import StoreSettings
from service.metrics import MetricsSettings
from settings import load as loading
from settings.base import Flag, Model, Size, TopicId, at_least
from settings.broker import Broker
from settings.language import Text
from settings.path import FullPath

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from settings.tree import Problem

_BEGIN = Text(
    "begin with `mqtt:`, see config/gateway.example.yaml", "`mqtt:`부터 쓰십시오(config/gateway.example.yaml 참고)"
)


class DeadLetterSettings(Model):
    """Where lines go that the database refuses for ever."""

    directory: FullPath = Field(description="folder of the dead letters; made when missing")
    max_size: Annotated[Size, at_least(10**6)] = Field(
        10**8,
        description="of all dead letters, half for unreadable messages; when full, nothing refused is confirmed",
    )


def default_worker() -> str:
    """Return an id of this process: host name and process id, as they may stand in a topic."""
    host = re.sub(r"[^a-z0-9-]+", "-", socket.gethostname().lower()).strip("-") or "gateway"
    return f"{host[:20]}-{os.getpid()}"


class GatewayConfig(Model):
    """One gateway worker."""

    worker: TopicId = Field(
        default_factory=default_worker, description="id of this worker; host name and process id when absent"
    )
    factory: TopicId | None = Field(
        None, description="the factory whose data is taken; messages and sticks of another one are refused"
    )
    trust_local_clock: Flag = Field(default=False, description="agents may set their time by this machine's")
    mqtt: Broker = Field(description="the factory's broker")
    store: StoreSettings = Field(description="where the points go")
    dead_letters: DeadLetterSettings = Field(description="where that goes which no store takes")
    metrics: MetricsSettings | None = Field(None, description="counters for Prometheus; off when absent")


def load(path: str | Path, lang: str | None = None) -> GatewayConfig:
    """Read and check a file completely; nothing else is touched: no server, and no secret that it refers to.

    Args:
        path: The file; error lines begin with it as it is given.
        lang: Language of the errors, "ko" or "en"; by locale when None.

    Raises:
        ConfigError: the file cannot be read or used; the text holds every complaint, one a line, in the order of
            the file, as `file:line: path: what to do`.
    """
    return loading.load(path, read, lang)


def read(raw: bytes) -> tuple[GatewayConfig | None, Sequence[Problem]]:
    """Return the configuration that a file's content means, or None and what is wrong with it, sorted by line."""
    return loading.read(raw, GatewayConfig, _BEGIN)
