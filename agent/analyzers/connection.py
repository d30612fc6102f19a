"""What devices and their connections are like (S01-S04, Q09, A05): slow knowledge, told by facts.

A collector states the session that it uses, what the server would offer beside it, and the server's certificate:

    Facts(kind="connection", subject=device, body={"protocol", "mode", "policy", "peer_authenticated",
        "endpoint" or "host" and "port", "source_address",
        "endpoints": [{"mode", "policy", "tokens"}], "certificate": {"sha256", "not_before", "not_after", "key",
        "key_bits", "hash", "self_signed"} or None, ...})
    Facts(kind="catalog", subject=device, body={"source", "signals": {signal id: {"description", "unit", "range"}}})
    Facts(kind="access", subject=device, body={"asked", "writable"})
    Facts(kind="clock", subject=device, body={"skew_ns", "rtt_ns"})

Of a device's session, offers, certificate and access, and of each signal of its catalogue (which may come in
parts), the latest word before a day's end counts, for that day and the ones after it. Readings of its clock are
kept one by one on their day. What a fact does not say changes nothing, and what has another type than these is
passed over: it was made of what a device said.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from readiness.evidence import Connection
from readiness.naming import bare, companion, readable
from readiness.records import Access, Certificate, Offer, Skew

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.frame import Facts, Json

T = TypeVar("T")
NATIVE = ("description", "unit", "range", "type", "name", "companion")
"""What a device may declare about a signal; `type` that it told one, `name` that it has one that a person can read,
`companion` that the node's own name lies in the namespace of a companion specification."""
URIS, TEXT = 64, 200
"""Namespaces that are kept of one device, and characters of each."""
OFFERS = 64
"""Offers that are kept of one device: a server lists a few endpoints, a hostile one as many as it likes."""
ENDLESS = 1e37
"""End of a range that is none: servers write the largest number of a type there."""
APART_NS = 432_000_000_000
"""Least time between two readings of one clock that are kept: so there are at most 200 on a day."""
USERS: Final = {
    "Anonymous": "anonymous",
    "UserName": "user_name",
    "Certificate": "certificate",
    "IssuedToken": "issued_token",
}
"""Kinds of user tokens (OPC UA Part 4, 7.42) as evidence names them."""
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class Connections:
    """Facts by device, as long as they are the latest before the end of an open day."""

    def __init__(self) -> None:
        self._sessions: dict[str, dict[int, Connection]] = {}  # device -> time -> what was said
        self._native: dict[str, dict[int, list[str]]] = {}
        self._offers: dict[str, dict[int, list[Offer]]] = {}
        self._certificates: dict[str, dict[int, Certificate | None]] = {}
        self._access: dict[str, dict[int, Access]] = {}
        self._skews: dict[str, dict[int, Skew]] = {}  # `at_ms` is left 0 here: no day is known yet

    def facts(self, facts: Facts) -> None:
        """Take facts; kinds that say nothing about sessions or signals are passed over."""
        body, time_ns = facts.body, facts.time_ns
        if facts.kind == "connection":
            self._connection(facts)
        elif facts.kind == "catalog":
            signals = body.get("signals")
            for signal, about in signals.items() if isinstance(signals, dict) else ():
                if isinstance(about, dict):
                    said = self._native.setdefault(f"{body.get('source')}/{signal}", {})
                    said[time_ns] = [name for name in NATIVE if _tells(about, name)]
        elif facts.kind == "access":
            asked, writable = _whole(body.get("asked")), _whole(body.get("writable"))
            if asked is not None and writable is not None and 0 <= writable <= asked:
                self._access.setdefault(facts.subject, {})[time_ns] = Access(asked, writable)
        elif facts.kind == "clock":
            skew, rtt = _whole(body.get("skew_ns")), _whole(body.get("rtt_ns"))
            if skew is not None and rtt is not None and rtt >= 0:
                self._skew(facts.subject, time_ns, Skew(0, skew, rtt))

    def _connection(self, facts: Facts) -> None:
        body = facts.body
        self._sessions.setdefault(facts.subject, {})[facts.time_ns] = Connection(
            protocol=str(body.get("protocol", "")),
            mode=str(body.get("mode") or "None"),
            policy=str(body.get("policy") or "None"),
            peer_authenticated=body.get("peer_authenticated") is True,
            time=str(facts.time_ns),
            namespaces=_texts(body.get("namespaces")),
            place=_place(body),
        )
        endpoints = body.get("endpoints")
        if isinstance(endpoints, list):
            self._offers.setdefault(facts.subject, {})[facts.time_ns] = _offers(endpoints)
        if "certificate" in body:
            said = body["certificate"]
            known = _certificate(said) if isinstance(said, dict) else None
            if known is not None or said is None:
                self._certificates.setdefault(facts.subject, {})[facts.time_ns] = known

    def _skew(self, device: str, time_ns: int, skew: Skew) -> None:
        known = self._skews.setdefault(device, {})
        if all(abs(time_ns - at) >= APART_NS for at in known):
            known[time_ns] = skew

    def sessions(self, end_ns: int) -> dict[str, Connection]:
        """Return each device's latest session before `end_ns`."""
        return _latest(self._sessions, end_ns)

    def native(self, end_ns: int) -> dict[str, list[str]]:
        """Return `{source}/{signal}` -> what the device declares about it, as last known before `end_ns`."""
        return {name: said for name, said in _latest(self._native, end_ns).items() if said}

    def offers(self, end_ns: int) -> dict[str, list[Offer]]:
        """Return what each device offers, as last known before `end_ns`."""
        return _latest(self._offers, end_ns)

    def certificates(self, end_ns: int) -> dict[str, Certificate]:
        """Return each device's certificate, as last known before `end_ns`."""
        return {device: it for device, it in _latest(self._certificates, end_ns).items() if it is not None}

    def access(self, end_ns: int) -> dict[str, Access]:
        """Return what we could write on each device, as last known before `end_ns`."""
        return _latest(self._access, end_ns)

    def skews(self, start_ns: int, end_ns: int) -> dict[str, list[Skew]]:
        """Return by device the readings of its clock on a day, in order of time."""
        found = {
            device: [
                Skew((at - start_ns) // 1_000_000, it.skew_ns, it.rtt_ns)
                for at, it in sorted(known.items())
                if start_ns <= at < end_ns
            ]
            for device, known in self._skews.items()
        }
        return {device: skews for device, skews in found.items() if skews}

    def drop(self, end_ns: int) -> None:
        """Forget what was superseded before `end_ns`."""
        for table, _ in self._tables().values():  # of a clock, too, the last reading stays: the next keeps apart
            _supersede(table, end_ns)

    def state(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {
            name: {subject: {str(t): it for t, it in versions.items()} for subject, versions in table.items()}
            for name, (table, _) in self._tables().items()
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the state that `state` returned."""
        for name, (table, kind) in self._tables().items():
            table.clear()
            for subject, versions in state[name].items():
                table[subject] = {int(t): msgspec.convert(it, kind) for t, it in versions.items()}

    def _tables(self) -> dict[str, tuple[dict[str, dict[int, Any]], Any]]:
        return {
            "sessions": (self._sessions, Connection),
            "native": (self._native, list[str]),
            "offers": (self._offers, list[Offer]),
            "certificates": (self._certificates, Certificate | None),
            "access": (self._access, Access),
            "skews": (self._skews, Skew),
        }


def _place(body: Mapping[str, Json]) -> str:
    """Return where a device answers, the same for two entries of one server.

    Behind two network cards one address may be two devices, so the local one belongs to it.
    """
    match body:
        case {"endpoint": str(endpoint)}:
            where = endpoint.partition("://")[2].partition("/")[0]
        case {"host": str(host), "port": int(port)}:
            where = f"{host}:{port}"
        case _:
            return ""
    local = body.get("source_address")
    return (f"{where} from {local}" if local else where).casefold()[:TEXT]


def _offers(endpoints: list[Json]) -> list[Offer]:
    """Return different offers, in an order of ours: a server may list them differently each time."""
    found = set()
    for each in endpoints:
        if isinstance(each, dict):
            tokens = each.get("tokens")
            users = (
                {USERS[t] for t in tokens if isinstance(t, str) and t in USERS} if isinstance(tokens, list) else ()
            )
            found.add((str(each.get("mode") or "None"), str(each.get("policy") or "None"), tuple(sorted(users))))
    return [Offer(mode, policy, [*users]) for mode, policy, users in sorted(found)[:OFFERS]]


def _certificate(said: Mapping[str, Json]) -> Certificate | None:
    begin, end = _instant(said.get("not_before")), _instant(said.get("not_after"))
    if begin is None or end is None or not said.get("sha256"):
        return None
    return Certificate(
        fingerprint=str(said["sha256"]),
        begin=begin,
        end=end,
        key=str(said.get("key") or ""),
        bits=_whole(said.get("key_bits")) or 0,
        hash=str(said.get("hash") or ""),
        self_signed=said.get("self_signed") is True,
    )


def _instant(iso: Json) -> str | None:
    """Return UTC nanoseconds of a date and time with its zone, None for anything else."""
    try:
        moment = datetime.fromisoformat(iso if isinstance(iso, str) else "")
    except ValueError:
        return None
    return None if moment.tzinfo is None else str((moment - _EPOCH) // timedelta(microseconds=1) * 1000)


def _whole(said: Json) -> int | None:
    return said if isinstance(said, int) and not isinstance(said, bool) else None


def _tells(about: Mapping[str, Json], attribute: str) -> bool:
    """Return whether an attribute is declared, and not with what a server puts there for want of anything better.

    A description that repeats the display name, or has no word in it, tells nothing; nor does a range without
    width, as servers have it where nobody has set one, or one that spans all numbers there are.
    """
    said, name = about.get(attribute), about.get("display_name")
    match attribute:
        case "type":
            return bool(about.get("data_type")) and about.get("described") is not False
        case "name":
            return isinstance(name, str) and readable(name)
        case "companion":
            namespace = about.get("browse_namespace")
            return isinstance(namespace, str) and companion(namespace)
        case "description":
            return isinstance(said, str) and readable(said) and bare(said) != bare(str(name))
        case "range":
            return isinstance(said, list) and _is_range(said)
        case _:
            return isinstance(said, str) and bool(said.strip(" -_.?"))


def _is_range(said: Sequence[Json]) -> bool:
    match said:
        case [int() | float() as low, int() | float() as high]:
            return low < high and max(abs(low), abs(high)) < ENDLESS
    return False


def _texts(said: Json) -> list[str]:
    """Return the texts of a list, as many and as long as a server of good will has them."""
    return [each[:TEXT] for each in said if isinstance(each, str)][:URIS] if isinstance(said, list) else []


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
