"""No indicator may rest on evidence that nobody produces.

Each input is followed twice: real analyzers make it from the flows it is said to come from and lose it without one
of them, and some collector, supervisor, spool or gateway has code that emits each flow.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.analyzers.evidence import make
from agent.analyzers.latency import account
from agent.frame import Event, Facts, FrameBlock, Status, Watermark
from readiness.evidence import load
from readiness.indicators import REGISTRY
from readiness.inputs import INPUTS
from tests.agent.analyzers.streams import CALENDAR, MINUTE, START, block, source

if TYPE_CHECKING:
    from agent.frame import Item

ROOT = Path(__file__).parents[2]
CNC = source("cnc", "subscription", MINUTE, 3)
PLC = source("plc", "poll", MINUTE, 3)
DAY = 24 * 60 * MINUTE


def items() -> dict[str, list[Item]]:
    """Return a day's items by flow."""
    rows = [(0, START, 0), (1, START, Status.UNCERTAIN), (2, START, Status.BAD_OUT_OF_RANGE)]
    return {
        "FrameBlock": [block(CNC, rows), block(PLC, rows)],
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
        "Facts connection": [
            Facts(kind="connection", time_ns=START, subject="cnc", body={"protocol": "opcua", "mode": "None"})
        ],
        "Facts catalog": [
            Facts(
                kind="catalog",
                time_ns=START,
                subject="cnc",
                body={"source": CNC.id, "signals": {"s0": {"description": "Spindle load"}}},
            )
        ],
    }


def produced(flows: dict[str, list[Item]]) -> set[str]:
    """Return the inputs that exist after analyzers have seen these flows."""
    evidence = make([CNC, PLC], CALENDAR)
    evidence.feed([item for flow in flows.values() for item in flow])
    evidence.feed([Watermark(s.id, START + DAY + 60 * MINUTE) for s in (CNC, PLC)])
    closed = evidence.take_closed()
    if "2026-11-23" not in closed:
        return set()
    day = load(closed["2026-11-23"])
    signals = [s for part in day.sources for s in part.signals.values()]
    entry = [item for flow in flows.values() for item in flow]
    there = {
        "known": any(s.known >= 0 for s in signals),
        "uncertain": any(s.uncertain >= 0 for s in signals),
        "bad": any(s.bad >= 0 for s in signals),
        "live": all(part.live for part in day.sources) and bool(day.sources),
        "censored": bool(day.censored),
        "connection": bool(day.connections),
        "native": bool(day.native),
        "latency": bool(account(entry, START + MINUTE, True, CALENDAR)),
    }
    return {name for name, exists in there.items() if exists}


def test_indicators_name_known_inputs_and_every_input_is_wanted() -> None:
    wanted = {name for indicator in REGISTRY.values() for name in indicator.inputs}
    assert wanted == set(INPUTS)


def test_the_analyzers_make_every_input_that_they_are_said_to_make() -> None:
    made_of_items = {n for n, i in INPUTS.items() if "configuration" not in i.flows}
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
    flows = {flow for i in INPUTS.values() for flow in i.flows} - {"configuration"}
    assert flows <= emitted, f"nobody emits {flows - emitted}"


def test_the_types_of_flows_are_those_of_the_pipeline() -> None:
    assert {i.split()[0] for i in items()} == {t.__name__ for t in (FrameBlock, Event, Facts, Watermark)}
