"""Whether a device is still the one whose addresses were checked, and what becomes of its values when it is not.

A PLC that was exchanged or given another program answers the same requests with other meanings: every value looks
good and none can be believed. Two things tell of it. Collectors read a fingerprint at each session (identification,
certificate, firmware), and a signal marked `canary` holds a value that nobody changes without changing the program.
Both are compared with what the memory holds from before. From a difference on, until a person has looked and said
`tsq-agent confirm DEVICE`, the good rows of that device are uncertain; the event `device_changed` says what was
what, once for each part that differs. A part that a device tells only sometimes is compared when it is there.

The state survives restarts in the memory under `identity`; only what is news is written, so that a canary that
turns out to change every second costs one write. Pure but for the memory.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np

from agent.frame import Event, Facts, FrameBlock, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from agent.clock import Clock
    from agent.collectors.base import Memory
    from agent.frame import Item, Json, Source

    Body = dict[str, Json]
    Addresses = Mapping[tuple[str, str], str]

TOPIC = "identity"
GOOD_BELOW = np.uint32(Status.UNCERTAIN)


class _Device:
    """What is known of one device: the parts as they were accepted, and as they differ since."""

    def __init__(self, remembered: Json) -> None:
        body = remembered if isinstance(remembered, dict) else {}
        self.accepted = _part(body, "accepted")
        self.changes: dict[str, Body] = {
            key: change
            for key, change in _part(body, "changes").items()
            if isinstance(change, dict) and key in self.accepted
        }
        self.since = str(body.get("since", ""))
        self.author = str(body.get("author", ""))
        self.seen: Body = {key: change.get("new") for key, change in self.changes.items()}

    def compare(self, parts: Mapping[str, Json]) -> tuple[dict[str, Body], bool]:
        """Return what differs and has not been told, and whether there is anything to remember."""
        fresh: dict[str, Body] = {}
        learned = False
        for key, value in parts.items():
            if key not in self.accepted:
                self.accepted[key] = value
                learned = True
            elif key in self.changes:
                self.seen[key] = value
            elif value != self.accepted[key]:
                fresh[key] = {"old": self.accepted[key], "new": value}
                self.seen[key] = value
        self.changes |= fresh
        return fresh, learned or bool(fresh)

    def body(self) -> Json:
        return {
            "accepted": self.accepted,
            "changes": cast("Body", self.changes),
            "since": self.since,
            "author": self.author,
        }


def _part(body: Body, name: str) -> Body:
    part = body.get(name)
    return dict(part) if isinstance(part, dict) else {}


class Fingerprints:
    """Looks at every item on its way to the spool.

    Args:
        memory: Remembers how each device was.
        clock: Stamps events.
        sources: What is read; those with canaries are watched.
        addresses: Where each signal stands, by machine and id: a canary that was moved is another one.
    """

    def __init__(self, memory: Memory, clock: Clock, sources: Iterable[Source], addresses: Addresses) -> None:
        self._memory = memory
        self._clock = clock
        self._devices: dict[str, _Device] = {}
        self._canaries: dict[str, dict[int, str]] = {}  # source -> index -> name of the part
        self.begin(sources, addresses)

    def begin(self, sources: Iterable[Source], addresses: Addresses) -> None:
        """Go on with these sources."""
        sources = tuple(sources)
        for device in {source.device for source in sources} - set(self._devices):
            self._devices[device] = _Device(self._memory.recall(device, TOPIC))
        self._canaries = {
            source.id: {
                i: f"{s.machine}/{s.id} {addresses.get((s.machine, s.id), '')}".rstrip()
                for i, s in enumerate(source.signals)
                if s.canary
            }
            for source in sources
            if any(s.canary for s in source.signals)
        }

    def look(self, item: Item) -> tuple[Item, Event | None]:
        """Return the item as it shall be stored, and the event that goes before it."""
        if isinstance(item, Facts) and item.kind == "fingerprint":
            return item, self._compare(item.subject, item.body)
        if not isinstance(item, FrameBlock):
            return item, None
        canaries, event = self._canaries.get(item.source.id), None
        if canaries:
            event = self._compare(item.source.device, _values(item, canaries))
        device = self._devices.get(item.source.device)
        if device is not None and device.changes:
            uncertain = np.where(item.status < GOOD_BELOW, GOOD_BELOW, item.status)
            item = replace(item, status=uncertain)
        return item, event

    def _compare(self, name: str, parts: Mapping[str, Json]) -> Event | None:
        device = self._devices.get(name)
        if device is None or not parts:
            return None
        fresh, news = device.compare(parts)
        if fresh and not device.since:
            device.since = str(self._clock.now())
        if news:
            self._memory.remember(name, TOPIC, device.body())
        return self._event(name, changes=cast("Body", fresh)) if fresh else None

    def changed(self, name: str) -> Mapping[str, object] | None:
        """Return what is not as it was on a device and since when, or None when all is; for `status`.

        Raises:
            KeyError: there is no such device.
        """
        device = self._devices[name]
        return {"since": device.since, "changes": device.changes} if device.changes else None

    def devices(self) -> list[str]:
        """Return the devices that are not as they were, sorted."""
        return sorted(name for name, device in list(self._devices.items()) if device.changes)

    def confirm(self, name: str, author: str) -> Event | None:
        """Take a device as it is now for what it shall be; return the event, None when nothing had changed.

        Raises:
            KeyError: there is no such device.
        """
        device = self._devices[name]
        if not device.changes:
            return None
        changes: Body = {
            key: {"old": device.accepted[key], "new": device.seen[key]} for key in sorted(device.changes)
        }
        device.accepted |= device.seen
        device.changes, device.since, device.author, device.seen = {}, "", author, {}
        self._memory.remember(name, TOPIC, device.body())
        return self._event(name, changes=changes, confirmed=True, author=author)

    def _event(self, device: str, **body: Json) -> Event:
        return Event(kind="device_changed", time_ns=self._clock.now(), body={"device": device, **body})


def _values(frame: FrameBlock, canaries: Mapping[int, str]) -> dict[str, Json]:
    """Return the last good value of each canary in a frame."""
    found: dict[str, Json] = {}
    for row in np.flatnonzero(np.isin(frame.signal, list(canaries))).tolist():
        if frame.status[row] < GOOD_BELOW:
            found[canaries[int(frame.signal[row])]] = frame.value[row]
    return found
