"""The devices behind a machine and what they last said about themselves: sessions, endpoints, certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from readiness.together import SEPARATOR

if TYPE_CHECKING:
    from readiness.catalog import Link
    from readiness.evidence import Connection, DayEvidence
    from readiness.view import View

OPCUA, MODBUS, XGT = "opcua", "modbus", "xgt"
"""Protocols by the name that sources bear. Others (a replayed file) are no way of speaking to a machine."""
TLS = "TLS"
"""Mode of a session of a plain protocol inside TLS in which both sides show a certificate."""


def devices(view: View, machine: str) -> dict[str, list[Link]]:
    """Return the devices from which signals of a machine are read, each with the sources that do so."""
    found: dict[str, dict[str, Link]] = {}
    for link, _ in view.tags.get(machine, ()):
        found.setdefault(link.device, {})[link.id] = link
    return {device: list(found[device].values()) for device in sorted(found)}


def current(view: View, device: str) -> DayEvidence | None:
    """Return the last day on which a device was known, whose facts about it hold; None if there is none.

    What a device once said is in the evidence of every later day. One that has neither begun a session nor answered
    anything in the window is not reached, whatever it said before.
    """
    found = next((r for r in reversed(view.records) if device in r.connections), None)
    if found is None or int(found.connections[device].time) >= view.records[0].start_ns:
        return found
    alive = any(part.live for record in view.records for part in record.sources if part.device == device)
    return found if alive else None


def session(view: View, device: str) -> Connection | None:
    """Return the latest session with a device within the window, None if there never was one."""
    record = current(view, device)
    return None if record is None else record.connections[device]


def server(view: View, device: str) -> str:
    """Return what is the same for two devices of the file that are entries of one server: where it answers.

    Machines of one maker come with one address each behind networks of their own, so each agent's is another one.
    """
    record = current(view, device)
    place = "" if record is None else record.connections[device].place
    return f"{device.rpartition(SEPARATOR)[0]} {place}" if place else device


def name(policy: str) -> str:
    """Return the short name of a security policy that may be given as a URI."""
    return policy.rsplit("#", 1)[-1]
