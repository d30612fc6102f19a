"""The kinds of evidence that formulas may name as inputs, and what has to flow for each to exist.

`flows` names what collectors, supervisor or gateway must emit, in the words of `agent.frame` (a test looks for the
code that does, and another takes each flow away and sees the evidence vanish).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Input:
    """One kind of evidence: where it stands, and which flows it is made of."""

    where: str
    flows: tuple[str, ...]


INPUTS = {
    "known": Input("SourceDay.signals[].known", ("FrameBlock",)),
    "uncertain": Input("SourceDay.signals[].uncertain", ("FrameBlock",)),
    "bad": Input("SourceDay.signals[].bad", ("FrameBlock",)),
    "live": Input("SourceDay.live", ("FrameBlock", "Watermark")),
    "censored": Input("DayEvidence.censored", ("Event gap",)),
    "connection": Input("DayEvidence.connections", ("Facts connection",)),
    "native": Input("DayEvidence.native", ("Facts catalog",)),
    "latency": Input("tally latency", ("FrameBlock", "Stored")),
    "schedule": Input("Calendar.planned", ("configuration",)),
    "inventory": Input("Machine", ("configuration",)),
    "catalog": Input("Source.signals", ("configuration",)),
}
