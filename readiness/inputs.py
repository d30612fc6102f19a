"""The kinds of evidence that formulas may name as inputs, and what has to flow for each to exist.

`flows` names what collectors, supervisor or gateway must emit, in the words of `agent.frame`, or who says it (a
test looks for the code that does, and another takes each flow away and sees the evidence vanish).
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
    "tracks": Input("SourceDay.tracks", ("FrameBlock",)),
    "counts": Input("SourceDay.counts", ("FrameBlock",)),
    "values": Input("SourceDay.values", ("FrameBlock",)),
    "ids": Input("SourceDay.ids", ("FrameBlock",)),
    "jitter": Input("SourceDay.jitter", ("FrameBlock",)),
    "order": Input("SourceDay.repeated, disordered, with_source_time, rows", ("FrameBlock",)),
    "alarms": Input("SourceDay.tracks", ("FrameBlock", "Event alarm")),
    "loops": Input("DayEvidence.loops", ("FrameBlock", "answers")),
    "bursts": Input("DayEvidence.bursts", ("FrameBlock",)),
    "skew": Input("DayEvidence.skews", ("Facts clock",)),
    "offers": Input("DayEvidence.offers", ("Facts connection",)),
    "certificates": Input("DayEvidence.certificates", ("Facts connection",)),
    "access": Input("DayEvidence.access", ("Facts access",)),
    "schedule": Input("Calendar.planned", ("configuration", "answers")),
    "inventory": Input("Plant.machines", ("configuration", "answers")),
    "catalog": Input("Source.signals", ("configuration",)),
    "meanings": Input("Plant.meanings", ("configuration", "answers")),
    "products": Input("Plant.products", ("answers",)),
    "hand_counts": Input("Plant.hand_counts", ("answers",)),
    "stop_reasons": Input("Plant.reasons", ("answers",)),
    "systems": Input("Plant.systems", ("answers",)),
    "use": Input("Plant.use", ("answers",)),
    "bills": Input("Plant.bills", ("answers",)),
    "about": Input("Plant.about", ("answers",)),
}
