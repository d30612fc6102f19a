"""No indicator may rest on evidence that nobody produces.

Each input is followed twice: real analyzers make it from the flows it is said to come from and lose it without one
of them, and some collector, supervisor, spool or gateway has code that emits each flow.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.analyzers.evidence import make
from agent.analyzers.latency import Latency
from agent.frame import DataType, Event, Facts, FrameBlock, Status, Watermark
from readiness.evidence import load
from readiness.indicators import REGISTRY
from readiness.inputs import INPUTS
from readiness.plant import ControlLoop
from tests.agent.analyzers.feeding import frame
from tests.agent.analyzers.streams import CALENDAR, MINUTE, SECOND, START, block, source

if TYPE_CHECKING:
    from agent.frame import Item
    from readiness.evidence import DayEvidence

ROOT = Path(__file__).parents[2]
CNC = source("cnc", "subscription", MINUTE, 3)
PLC = source("plc", "poll", MINUTE, 3, "press-2")
PLC = replace(PLC, signals=(*PLC.signals[:2], replace(PLC.signals[2], dtype=DataType.FLOAT64)))
PLC = replace(
    PLC, signals=(*PLC.signals, replace(PLC.signals[0], id="serial", name="serial", dtype=DataType.STRING))
)
FAST = replace(source("vib", "burst", SECOND // 10, 1, "press-3"), protocol="modbus")
SOURCES = (CNC, PLC, FAST)
DAY = 24 * 60 * MINUTE
LOOP = ControlLoop(machine="press-2", name="zone", sp="s1", pv="s2", band=5.0, tau_s=60.0)
CERTIFICATE = {
    "sha256": "AB", "not_before": "2026-01-01T00:00:00+00:00", "not_after": "2027-01-01T00:00:00+00:00",
    "key": "RSA", "key_bits": 2048, "hash": "sha256", "self_signed": True,
}  # fmt: skip
CONNECTION = {
    "protocol": "opcua", "mode": "None", "endpoints": [{"mode": "None", "policy": "None", "tokens": ["Anonymous"]}],
    "certificate": CERTIFICATE,
}  # fmt: skip
ALARM = {"condition_id": "i=1", "source_name": "Spindle", "condition": "TooHot", "active": True}


def told(kind: str, body: object) -> Facts:
    """Return what a collector tells of the CNC."""
    return Facts(kind=kind, time_ns=START, subject="cnc", body=body)  # type: ignore[arg-type]


def items() -> dict[str, list[Item]]:
    """Return a day's items by flow; what people answer is no item, see `closed`."""
    rows = [(0, START, 0), (1, START, Status.UNCERTAIN), (2, START, Status.BAD_OUT_OF_RANGE)]
    stamped = block(CNC, rows)
    # a counter, a set point, a measured value that never says the same twice, and a serial number
    polls = [
        (n, START + k * MINUTE, (k, 40, 40 + 2 * float(np.sin(k)), f"S{k:04d}")[n], 0)
        for k in range(100)
        for n in range(4)
    ]
    fast = [(0, START + k * SECOND // 10, float(np.sin(k / 3)), 0) for k in range(100)]
    return {
        "FrameBlock": [
            replace(stamped, source_ns=stamped.time_ns),
            frame(PLC, [(0, START, 0, Status.BAD_OUT_OF_RANGE)]),
            frame(PLC, [(n, t + SECOND, v, s) for n, t, v, s in polls]),
            frame(FAST, fast),
        ],
        "Watermark": [Watermark(s.id, START + k * MINUTE // 2) for s in (CNC, PLC) for k in (0, 1, 2)],
        "Event gap": [
            Event(
                kind="gap",
                time_ns=START,
                from_ns=START,
                to_ns=START + MINUTE,
                body={"gap_id": "g", "cause": "agent_off"},
            )
        ],
        "Event alarm": [
            Event(kind="alarm", time_ns=START, source=CNC.id, machine="press-1", body=dict(ALARM))  # type: ignore[arg-type]
        ],
        "Facts connection": [told("connection", CONNECTION)],
        "Facts catalog": [told("catalog", {"source": CNC.id, "signals": {"s0": {"description": "Spindle load"}}})],
        "Facts clock": [told("clock", {"skew_ns": 7 * SECOND, "rtt_ns": 4_000_000})],
        "Facts access": [told("access", {"asked": 3, "writable": 1})],
        "answers": [],
    }


def closed(flows: dict[str, list[Item]]) -> DayEvidence | None:
    """Return the day's evidence after analyzers have seen these flows; declared loops are an answer."""
    evidence = make(SOURCES, CALENDAR, None, [LOOP] if "answers" in flows else [])
    evidence.feed([item for flow in flows.values() for item in flow])
    evidence.feed([Watermark(s.id, START + DAY + 60 * MINUTE) for s in (CNC, PLC)])
    days = evidence.take_closed()
    return load(days["2026-11-23"]) if "2026-11-23" in days else None


def produced(flows: dict[str, list[Item]]) -> set[str]:
    """Return the inputs that exist after analyzers have seen these flows."""
    day = closed(flows)
    if day is None:
        return set()
    signals = [s for part in day.sources for s in part.signals.values()]
    tracks = {name for part in day.sources for name in part.tracks}
    entry = [item for flow in flows.values() for item in flow]
    there = {
        "known": any(s.known >= 0 for s in signals),
        "uncertain": any(s.uncertain >= 0 for s in signals),
        "bad": any(s.bad >= 0 for s in signals),
        "live": all(part.live for part in day.sources) and bool(day.sources),
        "censored": bool(day.censored),
        "connection": bool(day.connections),
        "native": bool(day.native),
        "latency": bool(Latency(CALENDAR)(entry, START + MINUTE, True)),
        "tracks": "press-2/s1" in tracks,
        "counts": any("press-2/s0" in part.counts for part in day.sources),
        "values": any("press-2/s2" in part.values for part in day.sources),
        "ids": any("press-2/serial" in part.ids for part in day.sources),
        "jitter": any(part.jitter for part in day.sources),
        "order": any(part.rows and part.with_source_time for part in day.sources),
        # an alarm is a signal that somebody has declared to be one, or a condition that a server tells of
        "alarms": "press-2/s1" in tracks and bool(day.alarms),
        "loops": any(loop.known and loop.held for loop in day.loops.values()),
        "bursts": any(burst.f95_hz for bursts in day.bursts.values() for burst in bursts),
        "skew": bool(day.skews),
        "offers": bool(day.offers),
        "certificates": bool(day.certificates),
        "access": bool(day.access),
    }
    return {name for name, exists in there.items() if exists}


def test_indicators_name_known_inputs_and_every_input_is_wanted() -> None:
    wanted = {name for indicator in REGISTRY.values() for name in indicator.inputs}
    assert wanted == set(INPUTS)


def test_the_analyzers_make_every_input_that_they_are_said_to_make() -> None:
    made_of_items = {n for n, i in INPUTS.items() if i.where.startswith(("SourceDay", "DayEvidence", "tally"))}
    assert produced(items()) == made_of_items


@pytest.mark.parametrize(
    ("name", "flow"),
    [(n, f) for n, i in INPUTS.items() for f in i.flows if f in items()],
)
def test_an_input_vanishes_with_the_flow_it_is_made_of(name: str, flow: str) -> None:
    flows = items()
    del flows[flow]
    if name == "live" and flow == "FrameBlock":
        # Watermarks alone keep a link alive; a poll that answers is alive without them.
        del flows["Watermark"]
    if name == "live" and flow == "Watermark":
        flows["FrameBlock"] = [block(CNC, [(0, START, Status.BAD_NO_COMMUNICATION)])]
    assert name not in produced(flows)


def calls(folder: str) -> set[str]:
    """Return what the code of a folder constructs, in the words of `Input.flows`."""
    found = set()
    path = ROOT / folder
    for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func).rsplit(".", 1)[-1]
            kind = next((k.value for k in node.keywords if k.arg == "kind"), None)
            found.add(f"{name} {kind.value!s}" if isinstance(kind, ast.Constant) else name)
            if (
                name == "_tell" and node.args and isinstance(node.args[0], ast.Constant)
            ):  # what makes Facts of this kind
                found.add(f"Facts {node.args[0].value!s}")
            if name == "take":  # what a collector's rows become, see agent.frame.Rows
                found.add("FrameBlock")
    return found


PROTOCOLS = sorted(p.parent.name for p in (ROOT / "agent" / "collectors").glob("*/collector.py"))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_collector_emits_what_every_indicator_needs(protocol: str) -> None:
    emitted = calls(f"agent/collectors/{protocol}")
    assert {"FrameBlock", "Watermark", "Facts connection"} <= emitted


def test_each_flow_is_emitted_somewhere() -> None:
    emitted = calls("agent") | calls("gateway")
    flows = {flow for i in INPUTS.values() for flow in i.flows} - {"configuration", "answers"}
    assert flows <= emitted, f"nobody emits {flows - emitted}"


def test_the_types_of_flows_are_those_of_the_pipeline() -> None:
    assert {i.split()[0] for i in items()} - {"answers"} == {
        t.__name__ for t in (FrameBlock, Event, Facts, Watermark)
    }
