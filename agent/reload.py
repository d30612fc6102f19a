"""`tsq-agent apply`: a new configuration on trial.

    read the file -> dry-read what is new -> go over -> watch -> keep, or go back

The dry read goes through the same box as the collectors, so that a device with one free connection is asked through
the one we have. What is watched is the set of signals that were good before and those that the dry read found good:
when fewer than 95 % of them are good at the end, or whoever asked goes away before it, the old configuration is
taken up again. The file is the asker's to write, once it is kept; a box that loses its power meanwhile starts with
what stands there.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from agent import collectors
from agent.changes import compare, fresh
from agent.config.load import read
from agent.errors import AgentError, ConfigError
from agent.frame import Quality, quality
from agent.probe import probe
from agent.running import to_the_end
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping

    from agent.changes import Changes
    from agent.collectors.base import Box
    from agent.config.model import AgentConfig, Device
    from agent.latest import Latest
    from agent.running import Running

logger = logging.getLogger(__name__)

ENOUGH = 0.95
TRIES = 3  # to go back, when the disk takes nothing for a while
LISTED = 20  # signals that are named

Step = dict[str, object]
Key = tuple[str, str]
"""(source, signal id)"""


class Reload:
    """Tries configurations, one at a time.

    Args:
        running: What is in force.
        box: Of the collectors.
        latest: Says what is good.
    """

    def __init__(self, running: Running, box: Box, latest: Latest) -> None:
        self._running = running
        self._box = box
        self._latest = latest
        self._lock = asyncio.Lock()

    async def apply(self, text: str, author: str, watch_s: float, *, anyway: bool = False) -> AsyncGenerator[Step]:
        """Try a file; yield what happens. The last step is `kept`, `reverted`, `refused` or `same`.

        Args:
            text: Content of the file.
            author: Who wants it.
            watch_s: How long to watch before it is kept.
            anyway: Take it although new signals cannot be read.
        """
        if self._lock.locked():
            yield {"step": "refused", "why": "busy"}
            return
        async with self._lock:
            raw = text.encode()
            config, problems = await asyncio.to_thread(read, raw, self._running.folder)
            if config is None:
                yield {"step": "refused", "why": "wrong", "problems": [problem.text.en for problem in problems]}
                return
            changes = await asyncio.to_thread(compare, self._running.config, config)
            if changes.fixed:
                yield {"step": "refused", "why": "restart", "parts": list(changes.fixed)}
                return
            if not changes:
                self._running.raw = raw  # other comments
                yield {"step": "same"}
                return
            good: set[Key] = set()
            sound = True
            for device in config.devices:
                async for step, found in self._dry(changes, device):
                    good |= found
                    sound = sound and bool(step["good"] == step["of"])
                    yield step
            if not (sound or anyway):
                yield {"step": "refused", "why": "dry"}
                return
            trial = self._trial(config, raw, author, watch_s, changes, good)
            async with contextlib.aclosing(trial) as steps:  # who goes away ends the trial now
                async for step in steps:
                    yield step

    async def _dry(self, changes: Changes, device: Device) -> AsyncIterator[tuple[Step, set[Key]]]:
        """Read what is new on a device, once; yield the step and the signals that are good."""
        change = next((c for c in changes.devices if c.id == device.id), None)
        wanted = None if change is None else fresh(change, device)
        if wanted is None:
            return
        try:
            found = await probe(collectors.make(wanted, self._box))
        except ConfigError as exc:
            yield {"step": "dry", "device": device.id, "good": 0, "of": -1, "trouble": str(exc)}, set()
            return
        keys = {(source.id, s.id) for source in wanted.sources() for s in source.signals}
        good = {
            (source.id, source.signals[index].id)
            for source in wanted.sources()
            for index in range(len(source.signals))
            if (key := (source.id, index)) in found.values and quality(found.values[key][1]) is not Quality.BAD
        }
        step: Step = {
            "step": "dry", "device": device.id, "good": len(good), "of": len(keys),
            "bad": _named(keys - good),
            "trouble": found.trouble and found.trouble.en, "trouble_ko": found.trouble and found.trouble.ko,
            "refused": [t.en for t in found.refused], "refused_ko": [t.ko for t in found.refused],
        }  # fmt: skip
        yield step, good

    async def _trial(
        self, config: AgentConfig, raw: bytes, author: str, watch_s: float, changes: Changes, good: set[Key]
    ) -> AsyncGenerator[Step]:
        """Go over, watch, and keep it or go back."""
        before, text = self._running.config, self._running.raw
        touched = changes.of("added", "changed")
        there = {(source.id, s.id) for source in config.sources() for s in source.signals}
        wanted = good.union(*(self._latest.good(device) for device in touched)) & there
        yield {"step": "changing", "devices": [*touched, *changes.of("removed")]}
        kept, still, stuck = False, set[Key](), None
        try:
            try:
                await self._running.go_over(config, raw, author)
            except (AgentError, ConfigError) as exc:
                kept = True  # as it was
                yield {"step": "refused", "why": "failed", **_said(exc)}
                return
            logger.warning("%s has changed the configuration: %s", author, ", ".join(touched) or "no device")
            left = watch_s
            while left > 0 and wanted:
                yield {
                    "step": "watching",
                    "left": left,
                    "good": len(wanted & self._good(touched)),
                    "of": len(wanted),
                }
                await self._box.clock.sleep(min(1.0, left))
                left -= 1.0
            still = wanted & self._good(touched)
            kept = watch_s <= 0 or len(still) >= ENOUGH * len(wanted)
        finally:
            if not kept:
                stuck = await to_the_end(self._go_back(before, text))
        if stuck is not None:
            yield {"step": "stuck", **_said(stuck)}
            return
        yield {
            "step": "kept" if kept else "reverted",
            "good": len(still), "of": len(wanted), "bad": _named(wanted - still), "hash": self._running.digest,
        }  # fmt: skip

    def _good(self, devices: Iterable[str]) -> set[Key]:
        return set[Key]().union(*(self._latest.good(device) for device in devices))

    async def _go_back(self, config: AgentConfig, raw: bytes) -> AgentError | ConfigError | None:
        """Take the old configuration up again; return why that cannot be, and then the changed one stays."""
        logger.error("the changed configuration is not kept, the one before it is taken up again")
        failure: AgentError | ConfigError | None = None
        for _ in range(TRIES):
            try:
                await self._running.go_over(config, raw, "tsq-agent")
            except (AgentError, ConfigError) as exc:
                logger.error("the one before it cannot be taken up again: %s", exc)  # noqa: TRY400 - no bug
                failure = exc
            else:
                return None
        return failure


def _said(exc: AgentError | ConfigError) -> Step:
    text = exc.text if isinstance(exc, AgentError) else Text(str(exc), str(exc))
    return {"text": text.en, "text_ko": text.ko}


def _named(keys: set[Key]) -> list[str]:
    return [f"{source} {signal}" for source, signal in sorted(keys)[:LISTED]]


def arguments(args: Mapping[str, object]) -> tuple[str, str, float, bool]:
    """Return text, author, seconds to watch and `anyway` from a request.

    Raises:
        ValueError: something is missing or of another type.
    """
    text, author, watch = args.get("text"), args.get("author"), args.get("watch", 30.0)
    if not isinstance(text, str) or not isinstance(author, str) or not isinstance(watch, int | float):
        raise ValueError("text, author and watch are needed")  # noqa: TRY004 - said to the asker
    return text, author, float(watch), args.get("anyway") is True
