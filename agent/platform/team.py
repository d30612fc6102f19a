"""What an agent is in its factory: alone, the one that reports for all, or one of those that send it evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from agent.platform.inbox import Inbox
from agent.platform.outbox import Outbox
from agent.platform.packing import pack
from agent.platform.past import Past

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from agent.clock import Clock
    from agent.config.model import AgentConfig
    from agent.spool import Spool
    from agent.uplink import Uplink
    from answers.load import Given
    from contract.topics import AgentTopics


class Team(NamedTuple):
    """Who reports, and what this agent has to do with it; an inbox or an outbox, or neither."""

    reporter: str
    inbox: Inbox | None = None
    outbox: Outbox | None = None

    def start(self) -> None:
        """Begin to take or to send."""
        for one in (self.inbox, self.outbox):
            if one is not None:
                one.start()

    def stop(self) -> None:
        """End; what is under way is done again after the next start."""
        for one in (self.inbox, self.outbox):
            if one is not None:
                one.stop()


def gathered(
    config: AgentConfig, spool: Spool, site: Uplink, topics: AgentTopics, clock: Clock
) -> tuple[Past, Inbox | None]:
    """Return the closed days, and who takes those of others, where this agent reports for any."""
    others = config.readiness.agents
    if not others:
        return Past(spool, topics.agent), None
    calendar = config.calendar()
    inbox = Inbox(
        others,
        topics,
        config.storage.directory,
        site,
        lambda: clock.now() if clock.trusted else None,
        lambda date: past.bounds(date, calendar),
        clock.monotonic,
    )
    past = Past(spool, topics.agent, inbox)
    return past, inbox


def team(
    config: AgentConfig,
    current: Callable[[], AgentConfig],
    past: Past,
    inbox: Inbox | None,
    spool: Spool,
    sets: Callable[[], Iterable[Given]],
    site: Uplink,
    topics: AgentTopics,
    clock: Clock,
) -> Team:
    """Return what this agent is.

    Args:
        config: At the start; who reports is fixed for the life of a process.
        current: Returns the configuration in force when a day is packed.
        past: Our closed days.
        inbox: Of a reporter.
        spool: Keeps the counts.
        sets: Returns the answers in force.
        site: To the site; not yet started.
        topics: The agent's branch.
        clock: For pauses.
    """
    reporter = config.readiness.reporter or config.agent
    if reporter == config.agent:
        return Team(reporter, inbox)

    def packed(date: str) -> bytes | None:
        raw = past.whole(date)
        return None if raw is None else pack(current(), sets(), date, raw, spool.tallies())

    outbox = Outbox(reporter, past.own, packed, site, topics, config.storage.directory, clock.monotonic)
    return Team(reporter, None, outbox)
