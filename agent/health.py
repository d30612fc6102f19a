"""What every device is doing, in words: the one place that logs a change, so that an outage is two lines.

Pure but for the log. `snapshot` is what `tsq-agent status` and the status topic show.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

logger = logging.getLogger(__name__)

State = Literal["starting", "up", "down", "refused", "faulty"]


NOTHING = Text("", "")


@dataclass(frozen=True, slots=True)
class DeviceHealth:
    """State of one device and what it has delivered since the agent started."""

    state: State = "starting"
    since_ns: int = 0
    text: Text = NOTHING
    refused: frozenset[Text] = frozenset()
    frames: int = 0
    rows: int = 0
    bad_rows: int = 0
    outages: int = 0


@dataclass(slots=True)
class Health:
    """All devices of the agent."""

    devices: dict[str, DeviceHealth] = field(default_factory=dict)
    _gone: list[DeviceHealth] = field(default_factory=list)

    def begin(self, device: str) -> None:
        """Enter a device, or have one that is here start anew; what it has delivered goes on being counted."""
        old = self.devices.get(device, DeviceHealth())
        self.devices[device] = replace(old, state="starting", since_ns=0, text=NOTHING, refused=frozenset())

    def drop(self, device: str) -> None:
        """Let go of a device that is no longer configured."""
        if (gone := self.devices.pop(device, None)) is not None:
            self._gone.append(gone)

    def totals(self) -> tuple[int, int]:
        """Return rows and bad rows of all devices, also of those that are gone, since the start."""
        every = [*self.devices.values(), *self._gone]
        return sum(d.rows for d in every), sum(d.bad_rows for d in every)

    def set(self, device: str, state: State, now_ns: int, text: Text = NOTHING) -> bool:
        """Enter a state; log and return True only when it is another one than before."""
        old = self.devices.get(device, DeviceHealth())
        if old.state == state:
            self.devices[device] = replace(old, text=text)
            return False
        fell = old.state in ("starting", "up") and state not in ("starting", "up")
        self.devices[device] = replace(
            old, state=state, since_ns=now_ns, text=text, outages=old.outages + (1 if fell else 0)
        )
        match state:
            case "up":
                if old.state != "starting":
                    logger.warning("%s: back after %.1f s", device, (now_ns - old.since_ns) / 1e9)
                else:
                    logger.info("%s: reading", device)
            case "down":
                logger.warning("%s: not reachable: %s", device, _without(device, text.en))
            case "refused":
                logger.error("%s: refused: %s", device, _without(device, text.en))
            case "faulty":
                logger.error("%s: fault in the collector: %s", device, text.en)
            case "starting":
                pass
        return True

    def refusals(self, device: str, texts: Sequence[Text]) -> None:
        """Take the single signals that a device refuses now; log each once going and once coming."""
        old = self.devices.get(device, DeviceHealth())
        now = frozenset(texts)
        if now == old.refused:
            return
        for text in sorted(text.en for text in now - old.refused):
            logger.warning("%s: %s", device, text)
        for text in sorted(text.en for text in old.refused - now):
            logger.warning("%s: resolved: %s", device, text)
        self.devices[device] = replace(old, refused=now)

    def count(self, device: str, rows: int, bad: int) -> None:
        """Count one frame."""
        old = self.devices.get(device, DeviceHealth())
        self.devices[device] = replace(
            old, frames=old.frames + 1, rows=old.rows + rows, bad_rows=old.bad_rows + bad
        )

    def snapshot(self) -> Mapping[str, Mapping[str, object]]:
        """Return all of it as plain JSON."""
        return {
            name: {
                "state": d.state, "since": str(d.since_ns),
                "text": d.text.en, "text_ko": d.text.ko,
                "refused": sorted(t.en for t in d.refused),
                "refused_ko": sorted(t.ko for t in d.refused),
                "frames": d.frames, "rows": d.rows, "bad_rows": d.bad_rows, "outages": d.outages,
            }
            for name, d in sorted(self.devices.items())
        }  # fmt: skip


def _without(device: str, text: str) -> str:
    """Return a collector's text without the device's name, which the line begins with."""
    return text.removeprefix(f"{device} ").removeprefix(f"{device}: ")
