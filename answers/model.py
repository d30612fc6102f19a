"""The mentor's answers: one model for the YAML file and for the signed message of the platform.

`answers.load` is the way to one of these: it also makes the checks that lie across sections (`answers.checks`).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from answers.sections import (
    BillAnswer,
    CalendarAnswer,
    ClaimAnswer,
    HandCountAnswer,
    LoopAnswer,
    MachineAnswer,
    OnboardingAnswer,
    ProductAnswer,
    SignalAnswer,
    Signature,
    StopReasonAnswer,
    SystemAnswer,
    UseAnswer,
)
from answers.words import Day
from contract.codec import checksum, encode
from settings.base import Model, Name, Word


class Answers(Model):
    """One set of answers. A later one of the same source replaces it as a whole; `serial` says which is later."""

    version: Literal[1] = Field(description="version of this format")
    serial: Annotated[int, Field(ge=1, le=2**53)] = Field(
        description="number of this set; raise it with each change"
    )
    author: Name = Field(description="who answers, where an entry names nobody else")
    date: Day = Field(description="when, where an entry says nothing else")
    inventory: Signature | None = Field(None, description="who stands for it that no machine is missing")
    machines: tuple[MachineAnswer, ...] = Field((), description="what is said of machines")
    signals: tuple[SignalAnswer, ...] = Field((), description="what signals mean")
    loops: tuple[LoopAnswer, ...] = Field((), description="control loops")
    products: tuple[ProductAnswer, ...] = Field((), description="products and their ideal cycle times")
    calendar: CalendarAnswer | None = Field(None, description="planned time beyond the configuration's")
    hand_counts: tuple[HandCountAnswer, ...] = Field((), description="pieces that people have counted")
    stop_reasons: tuple[StopReasonAnswer, ...] = Field((), description="reasons that were entered for stops")
    systems: tuple[SystemAnswer, ...] = Field((), description="installed systems with the lists of their points")
    use: tuple[UseAnswer, ...] = Field((), description="how they were used, by day and class of accounts")
    use_file: Word | None = Field(
        None, description="more of it in a CSV beside this file: `day,system,account,reads,acks,sessions`"
    )
    bills: tuple[BillAnswer, ...] = Field((), description="energy by the supplier's bills")
    claims: tuple[ClaimAnswer, ...] = Field((), description="numbers that people give themselves, for comparison")
    onboardings: tuple[OnboardingAnswer, ...] = Field((), description="machines that were added with a protocol")

    def digest(self) -> str:
        """Return the identity of what is answered: 64 bits as hex, whatever the order of entries."""
        return checksum(encode(_sorted(self.model_dump(mode="json"))))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(inner) for name, inner in value.items()}
    return sorted(map(_sorted, value), key=encode) if isinstance(value, list) else value
