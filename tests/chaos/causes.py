"""Which causes of a gap are right at a moment, by what was really done. Pure.

Before a fault: what was read and not yet committed, what was asked and not yet answered. After it: until the last
connection has been made anew. What is not in the table has no right to leave anything missing: a broker, a worker
or a database that is away costs no sample.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.chaos.sums import Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.chaos.load import Starved
    from tests.chaos.plan import Fault

SECOND = 10**9
COMMIT_NS = 4 * SECOND
CONNECT_NS = 30 * SECOND
MEMORY_NS = 40 * SECOND
"""What waits in memory for a disk that takes nothing, and a little more."""
GIVEN_UP_NS = 5 * SECOND
"""Until who was given up for a missed time-out is read again."""
SOURCES: Mapping[str, tuple[str, ...]] = {"plc": ("plc.words", "plc.pairs"), "cnc": ("cnc.main",)}

QUEUED: Mapping[str, tuple[str, ...]] = {"cnc": ("overflow",)}
"""A server that holds values for us drops the oldest of them when it has held more than it has room for."""


class Done(NamedTuple):
    """A fault as it happened: true times of its beginning and of its end."""

    fault: Fault
    from_ns: int
    to_ns: int


def windows(
    done: Iterable[Done], ended: Iterable[tuple[str, int, int]], starved: Iterable[Starved] = ()
) -> list[Window]:
    """Return when which cause is right.

    Args:
        done: Faults.
        ended: Processes that have ended by themselves: name, exit code, when.
        starved: Processes that have got no processor.
    """
    out = [window for fault, a, b in done for window in _of(fault, a, b)]
    for name, code, at in ended:
        why = f"{name} ended with {code}"
        if name == "agent":
            out.append(Window("agent_off", None, at - MEMORY_NS, at + CONNECT_NS, why))
        elif name in SOURCES:
            out += _device(name, at - SECOND, at + SECOND, why)
    return out + [window for one in starved for window in _starved(one)]


def _starved(one: Starved) -> list[Window]:
    why = f"{one.name} got no processor for {one.waited_ns / 1e9:.2f} s"
    causes = ("link_down", "waiting") if one.name in SOURCES else ("agent_off", "link_down", "waiting")
    return [
        Window(cause, source, one.from_ns - SECOND, one.to_ns + GIVEN_UP_NS, why)
        for cause in causes
        for source in SOURCES.get(one.name, (None,))
    ]


def _of(fault: Fault, a: int, b: int) -> list[Window]:
    why = str(fault)
    kind, _, name = fault.target.partition(":")
    if (kind, name) == ("net", "factory"):
        return [window for device in SOURCES for window in _device(device, a, b, why)]
    if kind in SOURCES or (kind == "line" and name in SOURCES):
        return _device(name or kind, a, b, why)
    spans: list[tuple[str, int, int]] = []
    if (kind, fault.kind) == ("agent", "pause"):
        spans = [(cause, a - SECOND, b + CONNECT_NS) for cause in ("agent_off", "waiting")]
        spans.append(("link_down", b - SECOND, b + CONNECT_NS))  # devices have given us up meanwhile
    elif kind == "agent":
        spans = [("agent_off", a - COMMIT_NS, b + CONNECT_NS)]
    elif (kind, fault.kind) == ("clock", "boot"):
        spans = [("agent_off", a - COMMIT_NS, a + CONNECT_NS)]
    elif (kind, name) == ("disk", "agent"):
        spans = [(cause, a - MEMORY_NS, b + MEMORY_NS) for cause in ("overflow", "agent_off")]
    return [Window(cause, None, start, end, why) for cause, start, end in spans]


def _device(name: str, a: int, b: int, why: str) -> list[Window]:
    return [
        Window(cause, source, a - COMMIT_NS, b + CONNECT_NS, why)
        for source in SOURCES[name]
        for cause in ("link_down", "waiting", *QUEUED.get(name, ()))
    ]
