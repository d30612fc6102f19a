"""The contract between a collector and its supervisor.

A collector knows how to connect to one device and how to read it. It does not retry, wait between
retries, log its own failures or know about MQTT: `agent.supervise` does that for all of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from agent.frame import Event, Facts, FrameBlock, Watermark

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from agent.frame import Source

Reading = FrameBlock | Event | Facts | Watermark
Read = Callable[[], Awaitable[Sequence[Reading]]]


class Collector(Protocol):
    """One configured connection to one device.

    `connect` opens on entry and closes on exit, also when cancelled at any await. The `read` that it yields
    waits for the next slot of any of its sources (polled) or for the next change or keep-alive
    (subscriptions) and returns what came: one Frame per source that was due, Watermarks of sources whose link
    is alive, Facts when they are new. It is called again at once after its result was handed on, which
    never blocks.

    Raises (from connect and from read):
        Unreachable: trying again may help.
        Refused: a person must act (login, certificate). A refusal that concerns single signals (an unknown
            node, an illegal address) is not raised: those signals become bad rows, the others go on; they
            are tried again every 60 s and at once after `retry`.

    Anything else that is raised is taken for a bug. Every network call inside has a timeout.
    """

    @property
    def device(self) -> str:
        """Id of the device in the configuration."""

    @property
    def sources(self) -> tuple[Source, ...]:
        """The sources it reads, fixed for its life."""

    def connect(self) -> AbstractAsyncContextManager[Read]:
        """Open the connection; the yielded `read` is used by one task only."""

    def failed(self, time_ns: int, status: int) -> Sequence[FrameBlock]:
        """Return one bad Frame per source: what the supervisor stores when an attempt has failed.

        It comes from the same `Rows` as the readings, so that times keep increasing.
        """

    def refused(self) -> Sequence[str]:
        """Return a text for each single signal that the device refuses now: for logs and `status`.

        The supervisor calls it after each read and logs only changes: one line going, one coming.
        """

    def retry(self) -> None:
        """Try refused signals again at the next read (`tsq-agent retry`)."""
