"""What a technician writes about signals and groups of an OPC UA server. Importing this does not import asyncua."""

from __future__ import annotations

import math
import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from agent.collectors.opcua.node import parse
from agent.collectors.opcua.structures import Way, way
from agent.config.base import GroupBase, SignalBase
from agent.frame import DataType, Mode
from settings.base import Duration, form, written
from settings.language import Complaint

LONGEST = 10_000
"""Values that a server is asked to keep for one signal, at most."""
EVENTS = 1_000
"""Events that it is asked to keep: a machine that stops raises many at once."""
_DEADBAND = re.compile(r"([0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]{1,3})?)\s*(%)?")
FASTEST_NS = 20_000_000
"""Spacing of changes for which queues are sized when a signal reports every change."""


def _node(text: str) -> str:
    parse(text)
    return text


def _field(text: str) -> str:
    way(text)
    return text


def _deadband(value: object) -> str:
    """Accept `0.5` and `1%`; what is kept is how it is written."""
    match = _DEADBAND.fullmatch(str(value).strip()) if isinstance(value, str | int | float) else None
    if match is None or isinstance(value, bool) or not 0 < float(match[1]) < 1e300 or _too_wide(match):
        raise Complaint(
            "write a deadband as 0.5 (in the unit of the value) or 1% (of the range)",
            "deadband는 0.5(값의 단위) 또는 1%(범위 대비) 형식으로 쓰십시오",
        )
    return f"{float(match[1]):g}{'%' if match[2] else ''}"


def _too_wide(match: re.Match[str]) -> bool:
    return bool(match[2]) and float(match[1]) > 100


class OpcUaSignal(SignalBase):
    """One variable of the server, or one element or field of it."""

    node: Annotated[str, StringConstraints(max_length=4096), AfterValidator(_node)] = Field(
        description="node id: ns=2;s=Name, nsu=URI;s=Name (survives a server update) or ns=2;i=1234"
    )

    index: Annotated[int, Field(ge=0)] | tuple[Annotated[int, Field(ge=0)], ...] | None = Field(
        None, description="of an array: which element, from 0; of a table `[row, column]`"
    )
    field: Annotated[str, StringConstraints(min_length=1, max_length=400), AfterValidator(_field)] | None = Field(
        None, description="of a structure: which field, `Position`, `Axes[2].Position`"
    )
    deadband: Annotated[str, BeforeValidator(_deadband), form("number or per cent, `0.5`, `1%`")] | None = Field(
        None, description="changes up to this are not reported: 0.5 in the value's unit, or 1% of its range"
    )

    @model_validator(mode="after")
    def _number(self) -> Self:
        if self.deadband is not None and self.type in {DataType.BOOL, DataType.STRING, DataType.TIMESTAMP}:
            raise Complaint(
                f"a deadband needs a number, not type: {self.type}",
                f"deadband는 숫자형에만 쓸 수 있습니다(type: {self.type})",
            )
        return self

    def where(self) -> str:
        """Return the node id, with what of its value is meant."""
        return f"{self.node} {self.inside}".rstrip()

    @property
    def inside(self) -> str:
        """What of the node's value is meant, `[3].Position`; empty for all of it."""
        steps = (self.index,) if isinstance(self.index, int) else self.index or ()
        index = "".join(f"[{n}]" for n in steps)
        dot = "." if index and self.field and not self.field.startswith("[") else ""
        return f"{index}{dot}{self.field or ''}"

    @property
    def way(self) -> Way:
        """How to find the signal's value in the node's."""
        steps = (self.index,) if isinstance(self.index, int) else self.index or ()
        return (*steps, *way(self.field or ""))

    @property
    def width(self) -> tuple[float, bool] | None:
        """The deadband, and whether it is a per cent of the range."""
        if self.deadband is None:
            return None
        return float(self.deadband.rstrip("%")), self.deadband.endswith("%")


class OpcUaGroup(GroupBase):
    """Signals of one subscription, or read together in one poll."""

    mode: Literal["subscription", "poll", "events"] = Field(
        "subscription",
        description="subscription reports changes; poll reads all signals at each interval; "
        "events takes alarms and events, and has no signals",
    )
    sampling: Duration | None = Field(
        None,
        description="how often the server looks at a value, half of `every` when absent; 0ms asks for every change",
    )
    queue: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        None, description="values that the server keeps for a signal between two reports; computed when absent"
    )
    notifier: Annotated[str, StringConstraints(max_length=4096), AfterValidator(_node)] | None = Field(
        None,
        description="with mode: events, the node that reports them; the server, which reports all, when absent",
    )
    severity: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        None, description="with mode: events, the least severity that is taken, 1 to 1000; all when absent"
    )
    signals: tuple[OpcUaSignal, ...] = Field((), description="what is read together; none with mode: events")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        events = self.mode == "events"
        if events and (self.signals or self.sampling is not None or self.burst is not None):
            raise Complaint(
                "a group with mode: events has no signals, sampling or burst",
                "mode: events 그룹에는 signals, sampling, burst를 쓸 수 없습니다",
            )
        if not events and not self.signals:
            raise Complaint("a group needs signals: write at least 1", "그룹에 signals를 하나 이상 쓰십시오")
        if not events and (self.notifier is not None or self.severity is not None):
            raise Complaint(
                "notifier and severity belong to mode: events",
                "notifier와 severity는 mode: events에만 쓸 수 있습니다",
            )
        if self.mode == "poll":
            self._check_poll()
        if self.sampling is not None and self.sampling > self.every:
            raise Complaint(
                f"sampling is slower than every: write at most {written(self.every)}",
                f"sampling이 every보다 깁니다. {written(self.every)} 이하로 쓰십시오",
            )
        return self

    def _check_poll(self) -> None:
        if self.sampling is not None or self.queue is not None:
            raise Complaint(
                "sampling and queue belong to mode: subscription; remove them or change the mode",
                "sampling과 queue는 mode: subscription에만 쓸 수 있습니다. 지우거나 mode를 바꾸십시오",
            )
        if self.burst is not None:
            raise Complaint(
                "burst belongs to mode: subscription; change the mode",
                "burst는 mode: subscription에만 쓸 수 있습니다. mode를 바꾸십시오",
            )
        if any(signal.deadband is not None for signal in self.signals):
            raise Complaint(
                "deadband belongs to mode: subscription; a poll stores what it reads",
                "deadband는 mode: subscription에만 쓸 수 있습니다. poll은 읽은 값을 모두 저장합니다",
            )

    @property
    def source_mode(self) -> Mode:
        """What its Source is."""
        if self.burst is not None:
            return "burst"
        return "poll" if self.mode == "poll" else "subscription"

    @property
    def sampling_ns(self) -> int:
        """Sampling interval to ask for; 0 asks for every change."""
        return self.every // 2 if self.sampling is None else self.sampling

    def queue_size(self, publishing_ns: int, sampling_ns: int) -> int:
        """Return the queue to ask for: what one publishing interval can hold, and two more."""
        if self.queue is not None:
            return self.queue
        if self.mode == "events":
            return EVENTS
        return min(LONGEST, math.ceil(publishing_ns / (sampling_ns or FASTEST_NS)) + 2)
