"""The sources that a machine's signals are read by, or were in the window before they were moved to others.

Signals keep their names when a technician cuts poll groups anew or gives a device another name; what happened on
the way before belongs to the machine as well, or a new name would make two weeks of good or bad days vanish.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from readiness.catalog import key

if TYPE_CHECKING:
    from readiness.view import View

BURST = "burst"


class Route(NamedTuple):
    """One source; of a configured one as it is configured now."""

    id: str
    device: str
    mode: str
    interval_ns: int


def routes(view: View, machine: str) -> list[Route]:
    """Return the sources of a machine without bursts, by id; a machine that is not connected has none."""
    tags = view.tags.get(machine, ())
    found = {source.id: Route(source.id, source.device, source.mode, source.interval_ns) for source, _ in tags}
    configured = frozenset(found)
    for name in (key(tag) for _, tag in tags):
        for _, part in view.parts_of.get(name, ()):
            if part.mode != BURST and part.source not in configured:
                found[part.source] = Route(part.source, part.device, part.mode, part.interval_ns)
    return [found[name] for name in sorted(found)]
