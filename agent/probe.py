"""Reads each source of a device once and says what came: `tsq-agent check --connect`.

It stands where the supervisor stands, but it tries once, never waits between tries and keeps nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from agent.errors import AgentError, ConfigError, Refused
from agent.frame import FrameBlock
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.collectors.base import Collector
    from agent.frame import Value

SOURCE_SECONDS = 10.0

Trouble = Literal["unreachable", "refused", "silent", "bug"]
"""Why the reading of a device ended early."""


@dataclass(slots=True)
class Probe:
    """What one device said.

    Attributes:
        values: (source id, index of the signal) to (value, status); a signal that said nothing is not in it.
        refused: What the device refuses, in its collector's words.
        trouble: Why the reading ended early, or None.
        kind: The same in a word.
    """

    values: dict[tuple[str, int], tuple[Value, int]] = field(default_factory=dict)
    refused: Sequence[Text] = ()
    trouble: Text | None = None
    kind: Trouble | None = None


async def probe(collector: Collector, seconds: float = SOURCE_SECONDS) -> Probe:
    """Connect, read every source once, close.

    Args:
        collector: Of the device.
        seconds: Longest wait for the connection with the first source, and from then on for each next one.

    Returns:
        Whatever came; it never raises for what a device does, nor for a bug in its collector.
    """
    result = Probe()
    waiting = {source.id: len(source.signals) for source in collector.sources}
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(seconds) as limit, collector.connect() as read:
            while waiting:
                for item in await read():
                    if isinstance(item, FrameBlock):
                        _take(result, item)
                done = [s for s, n in waiting.items() if sum(key[0] == s for key in result.values) == n]
                for source in done:
                    del waiting[source]
                    limit.reschedule(loop.time() + seconds)
            result.refused = tuple(collector.refused())
    except TimeoutError:
        names = ", ".join(waiting)
        result.trouble = Text(
            f"no values of {names} within {seconds:g} s", f"{seconds:g}초 안에 값이 오지 않았습니다({names})"
        )
        result.kind = "silent"
    except Refused as exc:
        result.trouble, result.kind = exc.text, "refused"
    except ConfigError as exc:
        result.trouble, result.kind = Text(str(exc), str(exc)), "refused"
    except AgentError as exc:
        result.trouble, result.kind = exc.text, "unreachable"
    except Exception as exc:  # noqa: BLE001 - a bug in one collector must not hide the other devices
        said = f"{type(exc).__name__}: {exc}"
        result.trouble = Text(
            f"bug in the collector, please report it: {said}", f"수집기 오류입니다. 알려 주십시오: {said}"
        )
        result.kind = "bug"
    return result


def _take(result: Probe, frame: FrameBlock) -> None:
    for index, value, status in zip(frame.signal.tolist(), frame.value, frame.status.tolist(), strict=True):
        result.values[frame.source.id, index] = (value, status)
