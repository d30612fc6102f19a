"""Topics of the wire. Ids of factories, agents and sites are `[a-z0-9-]{1,32}`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from contract.errors import WireError

PREFIX = "tsq/1"
ID = re.compile(r"[a-z0-9-]{1,32}")


@dataclass(frozen=True, slots=True)
class AgentTopics:
    """The branch of one agent."""

    factory: str
    agent: str

    def __post_init__(self) -> None:
        for text in (self.factory, self.agent):
            if not ID.fullmatch(text):
                raise WireError(f"{text!r} cannot stand in a topic: use 1 to 32 of a-z, 0-9 and -")

    @property
    def root(self) -> str:
        """`tsq/1/{factory}/{agent}`."""
        return f"{PREFIX}/{self.factory}/{self.agent}"

    @property
    def status(self) -> str:
        """Retained, with a will: online, boot id, health."""
        return f"{self.root}/status"

    @property
    def data(self) -> str:
        """Entries of the spool."""
        return f"{self.root}/data"

    @property
    def stored(self) -> str:
        """Gateway to agent: what is stored or rejected."""
        return f"{self.root}/stored"

    @property
    def need_birth(self) -> str:
        """Gateway to agent: a birth that it does not know."""
        return f"{self.root}/need_birth"

    @property
    def evidence(self) -> str:
        """Agent to reporter: a part of a closed day."""
        return f"{self.root}/evidence"

    @property
    def evidence_ok(self) -> str:
        """Reporter to agent: a day that is kept."""
        return f"{self.root}/evidence_ok"

    @property
    def readiness(self) -> str:
        """Retained: the latest report."""
        return f"{self.root}/readiness"

    @property
    def manifest(self) -> str:
        """Retained: what may be asked, who signs, and how far the chain has come."""
        return f"{self.root}/manifest"

    @property
    def answers(self) -> str:
        """Retained, platform to agent: what the mentor has answered, signed."""
        return f"{self.root}/answers"

    def birth(self, digest: str, part: int, parts: int) -> str:
        """Retained: part `part` (from 1) of the tag dictionary with this hash."""
        return f"{self.root}/birth/{digest}/{part}of{parts}"

    def day(self, date: str) -> str:
        """Signed record of a production day, ISO date."""
        return f"{self.root}/day/{date}"

    def event(self, kind: str) -> str:
        """What the platform should know at once."""
        return f"{self.root}/event/{kind}"

    def request(self, verb: str) -> str:
        """Platform to agent."""
        return f"{self.root}/req/{verb}"

    def response(self, client: str) -> str:
        """Agent to platform; the agent answers nowhere else."""
        return f"{self.root}/rsp/{client}"


def worker(worker_id: str) -> str:
    """Retained, cleared by its will: a gateway worker is here."""
    return f"{PREFIX}/_gateway/worker/{worker_id}"


def split(topic: str) -> tuple[AgentTopics, list[str]]:
    """Return the branch that a topic lies in, and the levels after it.

    Raises:
        WireError: the topic is none of ours.
    """
    levels = topic.split("/")
    if len(levels) < 5 or "/".join(levels[:2]) != PREFIX:
        raise WireError(f"{topic!r} is not a topic of {PREFIX}")
    return AgentTopics(levels[2], levels[3]), levels[4:]
