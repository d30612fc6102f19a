"""Who may write and who may read which topic, and on which uplink it travels: one table for all of them.

The agent's uplinks publish by it (`may_leave`), the gateway's tool makes the brokers' access rules of it, and the
tests hold both against brokers. A topic that has no row here is nobody's.

    agent      one box, in its own branch only. Rights belong to the agent, not to its factory: a box that is stolen
               or broken into can neither read nor forge what the other boxes of its factory say
    reporter   the agent that signs for its factory: it also reads the evidence of the others and confirms it
    worker     a gateway: reads data and births of the factories that it serves, confirms them, announces itself
    platform   a user of the platform: sends requests and what the mentor has answered, and reads reports and the
               responses to itself; never data
    monitor    a screen in the factory: reads who is there and how it is
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, NamedTuple

from contract.topics import PREFIX, split

Uplink = Literal["site", "platform"]
FACTORY, AGENT, CLIENT = "{factory}", "{agent}", "{client}"
BRANCH = f"{PREFIX}/{FACTORY}/{AGENT}"
GATEWAY = f"{PREFIX}/_gateway"


class Role(StrEnum):
    """What somebody is to a broker."""

    AGENT = "agent"
    REPORTER = "reporter"
    WORKER = "worker"
    PLATFORM = "platform"
    MONITOR = "monitor"


class Right(NamedTuple):
    """A kind of topic: levels and wildcards, and names in braces that stand for what the holder of a right serves.

    Attributes:
        topic: `{agent}` is the holder's own where he is an agent, else each one of his factories; `{client}` is a
            user of the platform.
        uplink: Where it travels.
        writers: Who may publish it.
        readers: Who may receive it.
    """

    topic: str
    uplink: Uplink
    writers: frozenset[Role]
    readers: frozenset[Role]


def _row(topic: str, uplink: Uplink, writers: str, readers: str) -> Right:
    return Right(topic, uplink, frozenset(map(Role, writers.split())), frozenset(map(Role, readers.split())))


RIGHTS = (
    # what the box says of itself; it reads it back to notice another box of its name
    _row(f"{BRANCH}/status", "site", "agent", "agent monitor"),
    _row(f"{BRANCH}/birth/+/+", "site", "agent", "worker"),
    _row(f"{BRANCH}/data", "site", "agent", "worker"),
    _row(f"{BRANCH}/stored", "site", "worker", "agent"),
    _row(f"{BRANCH}/need_birth", "site", "worker", "agent"),
    _row(f"{BRANCH}/evidence", "site", "agent", "reporter"),
    _row(f"{BRANCH}/evidence_ok", "site", "reporter", "agent"),
    # a worker also clears what another one has left behind
    _row(f"{GATEWAY}/worker/+", "site", "worker", "agent worker monitor"),
    _row(f"{GATEWAY}/probe/#", "site", "worker", "worker"),
    # before it signs, an agent reads whose manifest is there; a reporter also, who else signs for its factory
    _row(f"{BRANCH}/manifest", "platform", "agent", "platform agent reporter"),
    _row(f"{BRANCH}/readiness", "platform", "agent", "platform"),
    _row(f"{BRANCH}/day/+", "platform", "agent", "platform"),
    _row(f"{BRANCH}/event/+", "platform", "agent", "platform"),
    _row(f"{BRANCH}/answers", "platform", "platform", "agent"),
    _row(f"{BRANCH}/req/+", "platform", "platform", "agent"),
    _row(f"{BRANCH}/rsp/{CLIENT}", "platform", "agent", "platform"),
)
"""Every topic of the wire."""


def may_leave(topic: str, uplink: Uplink, *, reporter: bool = False) -> bool:
    """Return whether an agent may publish a topic on an uplink; for topics of an agent's branch.

    Args:
        topic: Complete, no wildcards.
        uplink: Where to. A site without a platform has one broker for both: that is for the caller to know.
        reporter: Whether the agent is the reporter of its factory.

    Raises:
        WireError: it is no topic of ours.
    """
    _, levels = split(topic)
    roles = {Role.AGENT, Role.REPORTER} if reporter else {Role.AGENT}
    return any(
        right.uplink == uplink and roles & right.writers and _fits(right.topic.split("/")[4:], levels)
        for right in RIGHTS
        if right.topic.startswith(f"{BRANCH}/")
    )


def _fits(pattern: list[str], levels: list[str]) -> bool:
    return len(pattern) == len(levels) and all(
        one == "+" or one.startswith("{") or one == level for one, level in zip(pattern, levels, strict=True)
    )
