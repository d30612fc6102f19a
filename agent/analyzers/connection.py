"""How each device is connected (S01), and what it declares about its signals itself (Q09): the latest facts.

A collector states the session that it uses, not what the server would offer:

    Facts(kind="connection", subject=device, body={"protocol", "mode", "policy", "peer_authenticated", ...})
    Facts(kind="catalog", subject=device, body={"source", "signals": {signal id: {"description", "unit", "range"}}})

A catalogue may come in parts; each signal's latest word counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from readiness.evidence import Connection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.frame import Facts, Json

T = TypeVar("T")
NATIVE = ("description", "unit", "range")


class Connections:
    """Facts by device, as long as they are the latest before the end of an open day."""

    def __init__(self) -> None:
        self._sessions: dict[str, dict[int, Connection]] = {}  # device -> time -> what was said
        self._native: dict[str, dict[int, list[str]]] = {}

    def facts(self, facts: Facts) -> None:
        """Take facts; kinds that say nothing about sessions or signals are passed over."""
        body = facts.body
        if facts.kind == "connection":
            self._sessions.setdefault(facts.subject, {})[facts.time_ns] = Connection(
                protocol=str(body.get("protocol", "")),
                mode=str(body.get("mode") or "None"),
                policy=str(body.get("policy") or "None"),
                peer_authenticated=body.get("peer_authenticated") is True,
                time=str(facts.time_ns),
            )
        elif facts.kind == "catalog":
            signals = body.get("signals")
            for signal, about in signals.items() if isinstance(signals, dict) else ():
                if isinstance(about, dict):
                    said = self._native.setdefault(f"{body.get('source')}/{signal}", {})
                    said[facts.time_ns] = [name for name in NATIVE if _tells(about, name)]

    def sessions(self, end_ns: int) -> dict[str, Connection]:
        """Return each device's latest session before `end_ns`."""
        return _latest(self._sessions, end_ns)

    def native(self, end_ns: int) -> dict[str, list[str]]:
        """Return `{source}/{signal}` -> what the device declares about it, as last known before `end_ns`."""
        return {name: said for name, said in _latest(self._native, end_ns).items() if said}

    def drop(self, end_ns: int) -> None:
        """Forget what was superseded before `end_ns`."""
        _supersede(self._sessions, end_ns)
        _supersede(self._native, end_ns)

    def state(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {
            "sessions": {d: {str(t): c for t, c in v.items()} for d, v in self._sessions.items()},
            "native": {d: {str(t): n for t, n in v.items()} for d, v in self._native.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the state that `state` returned."""
        self._sessions = {
            d: {int(t): msgspec.convert(c, Connection) for t, c in v.items()} for d, v in state["sessions"].items()
        }
        self._native = {d: {int(t): n for t, n in v.items()} for d, v in state["native"].items()}


def _tells(about: Mapping[str, Json], attribute: str) -> bool:
    """Return whether an attribute is declared; a description that repeats the display name tells nothing."""
    said, name = about.get(attribute), about.get("display_name")
    return bool(said) and not (attribute == "description" and str(said).casefold() == str(name).casefold())


def _supersede(table: dict[str, dict[int, T]], end_ns: int) -> None:
    for versions in table.values():
        for time in sorted(t for t in versions if t < end_ns)[:-1]:
            del versions[time]


def _latest(table: dict[str, dict[int, T]], end_ns: int) -> dict[str, T]:
    found = {}
    for subject, versions in table.items():
        past = [t for t in versions if t < end_ns]
        if past:
            found[subject] = versions[max(past)]
    return found
