"""What a technician writes about signals and groups of an OPC UA server. Importing this does not import asyncua."""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from agent.collectors.opcua.node import parse
from agent.config.base import GroupBase, SignalBase
from settings.base import Duration, written
from settings.language import Complaint

FASTEST_NS = 20_000_000
"""Spacing of changes for which queues are sized when a signal reports every change."""


def _node(text: str) -> str:
    parse(text)
    return text


class OpcUaSignal(SignalBase):
    """One variable of the server."""

    node: Annotated[str, StringConstraints(max_length=4096), AfterValidator(_node)] = Field(
        description="node id: ns=2;s=Name, nsu=URI;s=Name (survives a server update) or ns=2;i=1234"
    )

    def where(self) -> str:
        """Return the node id."""
        return self.node


class OpcUaGroup(GroupBase):
    """Signals of one subscription, or read together in one poll."""

    mode: Literal["subscription", "poll"] = Field(
        "subscription", description="subscription reports changes; poll reads all signals at each interval"
    )
    sampling: Duration | None = Field(
        None,
        description="how often the server looks at a value, half of `every` when absent; 0ms asks for every change",
    )
    queue: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        None, description="values that the server keeps for a signal between two reports; computed when absent"
    )
    signals: tuple[OpcUaSignal, ...] = Field(min_length=1, description="what is read together")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.mode == "poll" and (self.sampling is not None or self.queue is not None):
            raise Complaint(
                "sampling and queue belong to mode: subscription; remove them or change the mode",
                "sampling과 queue는 mode: subscription에만 쓸 수 있습니다. 지우거나 mode를 바꾸십시오",
            )
        if self.sampling is not None and self.sampling > self.every:
            raise Complaint(
                f"sampling is slower than every: write at most {written(self.every)}",
                f"sampling이 every보다 깁니다. {written(self.every)} 이하로 쓰십시오",
            )
        return self

    @property
    def sampling_ns(self) -> int:
        """Sampling interval to ask for; 0 asks for every change."""
        return self.every // 2 if self.sampling is None else self.sampling

    @property
    def queue_size(self) -> int:
        """Queue to ask for: what one publishing interval can hold, and two more."""
        if self.queue is not None:
            return self.queue
        return min(10_000, math.ceil(self.every / (self.sampling_ns or FASTEST_NS)) + 2)
