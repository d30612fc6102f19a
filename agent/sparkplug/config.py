"""The section `sparkplug` of the agent's file."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from settings.base import Flag, Model, form
from settings.broker import Broker

Level = Annotated[
    str, StringConstraints(pattern=r"^[^+/#\x00-\x1f\x7f]{1,64}$"), form("one topic level: no `/`, `+`, `#`")
]
"""A group, node or host of Sparkplug: any Unicode that may stand in a topic."""


class SparkplugSettings(Model):
    """Signals for a SCADA system in the factory, by Sparkplug B 3.0; of its commands only a rebirth is obeyed."""

    broker: Broker | None = Field(None, description="where the SCADA system listens; the site's broker when absent")
    group: Level = Field(description="Sparkplug group id, often the site")
    edge_node: Level | None = Field(None, description="Sparkplug edge node id; the agent's id when absent")
    primary_host: Level | None = Field(
        None, description="host application without which nothing is sent; what was missed follows as historical"
    )
    every_value: Flag = Field(default=False, description="say each reading, not only what has changed")
    buffer: int = Field(
        100_000,
        ge=1000,
        le=1_000_000,
        description="changes kept in memory while nobody listens; the oldest go first",
    )
