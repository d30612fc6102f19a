"""The section `sparkplug` of the agent's file."""

from __future__ import annotations

from pydantic import Field

from settings.base import Flag, Model, TopicLevel
from settings.broker import Broker


class SparkplugSettings(Model):
    """Signals for a SCADA system in the factory, by Sparkplug B 3.0; of its commands only a rebirth is obeyed."""

    broker: Broker | None = Field(
        None, description="where the SCADA system listens; absent: the site's, where one user may connect twice"
    )
    group: TopicLevel = Field(description="Sparkplug group id, often the site")
    edge_node: TopicLevel | None = Field(None, description="Sparkplug edge node id; the agent's id when absent")
    primary_host: TopicLevel | None = Field(
        None, description="host application without which nothing is sent; what was missed follows as historical"
    )
    every_value: Flag = Field(default=False, description="say each reading, not only what has changed")
    buffer: int = Field(
        100_000,
        ge=1000,
        le=1_000_000,
        description="changes kept in memory while nobody listens; the oldest go first",
    )
