"""What readiness needs to know of a configured signal; `agent.frame.Source` and `Signal` fit as they are.

Readiness is imported by the platform too, so it does not import the agent's types, it only names their shape.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class Announcement(Protocol):
    """What an alarm tells people."""

    @property
    def text(self) -> str:
        """As configured."""

    @property
    def priority(self) -> str:
        """In the order of ISA-18.2: low, medium, high, urgent."""


class Tag(Protocol):
    """One configured signal."""

    @property
    def id(self) -> str:
        """Unique on its machine."""

    @property
    def machine(self) -> str:
        """Id of the machine."""

    @property
    def name(self) -> str:
        """As shown."""

    @property
    def dtype(self) -> str:
        """Value of `agent.frame.DataType`."""

    @property
    def unit(self) -> str | None:
        """As configured."""

    @property
    def description(self) -> str | None:
        """As configured."""

    @property
    def role(self) -> str | None:
        """What it means for the machine."""

    @property
    def role_confirmed(self) -> bool:
        """Whether a person stands for the role."""

    @property
    def instrument_range(self) -> tuple[float, float] | None:
        """What the instrument can return."""

    @property
    def eu_range(self) -> tuple[float, float] | None:
        """What is likely in normal operation."""

    @property
    def path(self) -> str | None:
        """ISA-95 equipment path."""

    @property
    def alarm(self) -> Announcement | None:
        """What it tells while it is true, if it is an alarm."""

    @property
    def burst_of(self) -> str | None:
        """Of a signal that is read in bursts: id of the signal of the same machine that it is of."""

    @property
    def found(self) -> str:
        """How its address was found: value of `agent.frame.Found`."""


class Link(Protocol):
    """One configured source."""

    @property
    def id(self) -> str:
        """Fixed by the configuration."""

    @property
    def device(self) -> str:
        """Id of the device."""

    @property
    def protocol(self) -> str:
        """For example modbus or opcua."""

    @property
    def mode(self) -> str:
        """Value of `agent.frame.Mode`: poll, subscription or burst."""

    @property
    def interval_ns(self) -> int:
        """Poll interval, or the requested publishing interval of a subscription."""

    @property
    def signals(self) -> Sequence[Tag]:
        """What is read together."""


def key(tag: Tag) -> str:
    """Return the name of a signal in evidence."""
    return f"{tag.machine}/{tag.id}"
