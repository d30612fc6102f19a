"""A message as it came, what became of it, and what is known of the agent that it is of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from datetime import date

    from contract.signing import PublicKey

AgentKey = tuple[str, str]
"""Factory and agent."""
Fate = Literal[
    "stored", "same", "empty", "older", "unknown", "unpinned", "no_consent", "wrong", "forked", "other", "unfit",
]  # fmt: skip
"""stored: now. same: it was there. empty: takes a retained message away and says nothing. older: a newer one is
known. unknown: of a factory or agent that nobody has registered. unpinned: its key waits for the owner's word.
no_consent: the owner has not agreed to it. wrong: not what the contract says, or not signed so. forked: signed, and
it continues another chain. other: another record is there for its date or number. unfit: the database refuses
it."""
NOT_KEPT: frozenset[Fate] = frozenset({"unknown", "unpinned", "no_consent", "wrong", "forked", "other", "unfit"})


class Incoming(NamedTuple):
    """A message: its topic and its bytes, however they came."""

    topic: str
    payload: bytes


class Outcome(NamedTuple):
    """What became of a message; `why` is for whoever has sent it."""

    fate: Fate
    why: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """An agent as the registry knows it.

    Attributes:
        factory: Its factory.
        agent: Its id.
        reporter: Whether it signs for the factory.
        key: That the owner, or first contact, vouches for; None while there is none.
        key_id: Its name.
        scopes: What the owner agrees to today and has told the people who work there; None: no manifest has ever
            said.
        head: How far the manifest says that the chain has come: number and date.
        number: Up to which the chain is whole here, None for nothing.
        day: Date of that record.
        chain_head: Its head.
        made_at: Of the latest manifest.
        seen_at: When anything of it was heard last, to a minute.
    """

    factory: str
    agent: str
    reporter: bool = False
    key: PublicKey | None = None
    key_id: str = ""
    scopes: frozenset[str] | None = None
    head: tuple[int, date] | None = None
    number: int | None = None
    day: date | None = None
    chain_head: str | None = None
    made_at: int | None = None
    seen_at: int | None = None

    @property
    def of(self) -> AgentKey:
        """Factory and agent."""
        return self.factory, self.agent


@dataclass(frozen=True, slots=True)
class Question:
    """Something that only the owner can answer, or has to know; asked once while it is open.

    Attributes:
        factory: Whose owner.
        kind: `key_first`, `key_changed`, `reporter_changed`, `chain_forked`, `record_differs`, `records_missing`,
            `consent_withdrawn`, `notice`.
        source: What it is about; two of one kind and source are one question.
        days: Until when he should have answered.
    """

    factory: str
    kind: str
    source: tuple[tuple[str, str | int], ...]
    days: int = 7
