"""The one way in: messages as they came, by the broker, by HTTP or from a file, into the registry.

    intake.take([Incoming(topic, bytes), ...]) -> an outcome for each, committed

Of a batch that the database refuses, each message is tried alone, so that one that nobody can store does not keep
the others out. A database that is away is not the message's fault: the error goes to the caller, and nothing counts
as taken.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from typing import TYPE_CHECKING

from sqlalchemy.exc import DataError, IntegrityError

from contract.errors import WireError
from contract.topics import split
from techsquare.intake import checks, filing, handed, manifests, tips
from techsquare.intake.questions import ACTOR, ask
from techsquare.intake.seldom import Seldom
from techsquare.intake.terms import NOT_KEPT, AgentKey, Incoming, Outcome, Question
from techsquare.registry.errors import ConflictError
from techsquare.registry.factories import Agent, Factory

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from techsquare.intake.chain import Link
    from techsquare.registry.store import Registry

logger = logging.getLogger(__name__)
_PART = 100  # records a transaction


def _introduce(session: Session, factory: str, agent: str) -> None:
    """Have a row for whatever made a report that is handed in: an assessment of stored data has no key."""
    if session.get(Factory, factory) is not None and session.get(Agent, (factory, agent)) is None:
        session.add(Agent(factory_id=factory, id=agent, site="main", reporter=False))


class Intake:
    """Takes messages in. Thread-safe.

    Args:
        registry: Where to.
        now: UTC ns.
        behind: Told of agents of which records are missing.

    Attributes:
        counts: Fates so far, and `unasked` questions that are new.
    """

    def __init__(
        self,
        registry: Registry,
        now: Callable[[], int] = time.time_ns,
        behind: Callable[[set[AgentKey]], None] = lambda _agents: None,
    ) -> None:
        self.registry = registry
        self.counts: Counter[str] = Counter()
        self._now = now
        self._behind = behind
        self._seldom = Seldom(now)

    def take(self, batch: Sequence[Incoming], *, given: bool = False) -> list[Outcome]:
        """Take messages in; when this returns, what they say is committed.

        Args:
            batch: In the order in which they came.
            given: They were handed in by somebody who may: a report of an agent that has never spoken of consent
                is agreed to by that.

        Raises:
            RegistryError: the database is busy.
            sqlalchemy.exc.SQLAlchemyError: the database is away.
        """
        outcomes: list[Outcome] = [Outcome("empty")] * len(batch)
        rest: list[int] = []
        for at, message in enumerate(batch):
            if message.topic.endswith("/manifest") and message.payload:
                self._flush(batch, rest, outcomes, given=given)  # what came before it is judged by what held then
                outcomes[at] = self._manifest(message)
            else:
                rest.append(at)
        self._flush(batch, rest, outcomes, given=given)
        self.counts.update(outcome.fate for outcome in outcomes)
        for message, outcome in zip(batch, outcomes, strict=True):
            if outcome.fate in NOT_KEPT:
                self._tell(message, outcome)
        return outcomes

    def _tell(self, message: Incoming, outcome: Outcome) -> None:
        """Write a line of what is not kept, now and then: somebody may send it every minute for years."""
        levels = message.topic[:160].split("/")
        branch = "/".join(levels[2:4]) or message.topic[:160]
        left = self._seldom.may((branch, outcome.fate))
        if left is None:
            return
        if outcome.fate == "unknown":
            what = f"{branch} sends, and nobody has registered it here: nothing of it is kept"
        else:
            what = f"{message.topic[:160]} is not kept ({outcome.fate}): {outcome.why[:300]}"
        more = f" ({left} lines like this were left out)" if left else ""
        logger.log(logging.WARNING if outcome.fate == "unknown" else logging.INFO, "%s%s", what, more)

    def hand(self, raw: bytes, factory: str | None = None) -> list[tuple[Incoming, Outcome]]:
        """Take in what somebody hands in who may: the bytes of a file, or the body of a request.

        Args:
            raw: See `techsquare.intake.handed`.
            factory: The only one that he may speak for; None: any.

        Raises:
            WireError: it is nothing that is taken in, or of another factory.
            RegistryError: the database is busy.
        """
        found = handed.messages(raw)
        for message in found:
            topics, _ = split(message.topic)
            if factory is not None and topics.factory != factory:
                raise WireError(f"it is of the factory {topics.factory}")
        return self.bring(found, given=True)

    def bring(self, found: Sequence[Incoming], *, given: bool) -> list[tuple[Incoming, Outcome]]:
        """Take in messages that somebody hands in who may speak for their factories.

        Args:
            found: From `techsquare.intake.handed`.
            given: He may agree for the owner as well; see `take`.

        Raises:
            RegistryError: the database is busy.
        """
        for message in found:
            topics, levels = split(message.topic)
            if levels == ["readiness"]:
                self.registry.decide(lambda s, t=topics: _introduce(s, t.factory, t.agent), ACTOR)  # type: ignore[misc]
        outcomes: list[Outcome] = []
        for at in range(0, len(found), _PART):
            outcomes += self.take(found[at : at + _PART], given=given)
        return list(zip(found, outcomes, strict=True))

    def _flush(self, batch: Sequence[Incoming], rest: list[int], outcomes: list[Outcome], *, given: bool) -> None:
        if not rest:
            return
        for at, outcome in zip(rest, self._others([batch[at] for at in rest], given=given), strict=True):
            outcomes[at] = outcome
        rest.clear()

    def _manifest(self, message: Incoming) -> Outcome:
        now = self._now()
        try:
            topics, levels = split(message.topic)
            if levels != ["manifest"]:
                return Outcome("wrong", "nothing of this topic is taken in")
            found = checks.manifest(message.payload, topics, now)
        except WireError as exc:
            return Outcome("wrong", str(exc))
        of = found.factory, found.agent
        with self.registry.reading() as session:
            if session.get(Factory, found.factory) is None:
                return Outcome("unknown", f"no factory {found.factory} is registered here")
            row = session.get(Agent, of)
            usual = row is not None and not manifests.remarkable(row, found, manifests.latest(session, *of))
        try:
            if usual:
                outcome = self.registry.load(lambda s: manifests.renew(s, found, message.payload, now))
            else:
                outcome = self.registry.decide(lambda s: manifests.take(s, found, message.payload, now), ACTOR)
        except (ConflictError, DataError, IntegrityError) as exc:
            return Outcome("unfit", type(exc).__name__)
        if outcome.fate == "stored":
            self.settle([], {of}, {of: None})
        return outcome

    def _others(self, batch: list[Incoming], *, given: bool) -> list[Outcome]:
        now = self._now()
        try:
            filed = self.registry.load(lambda s: filing.file(s, batch, now, handed=given))
        except (ConflictError, DataError, IntegrityError, UnicodeError, OverflowError) as exc:
            if len(batch) == 1:
                logger.warning("%s cannot be stored: %s", batch[0].topic[:160], type(exc).__name__)
                return [Outcome("unfit", "the database refuses it")]
            return [outcome for message in batch for outcome in self._others([message], given=given)]
        self.settle(filed.questions, filed.touched, filed.chains)
        return filed.outcomes

    def settle(
        self,
        questions: Sequence[Question],
        touched: set[AgentKey],
        chains: Mapping[AgentKey, Sequence[Link] | None],
    ) -> None:
        """Move chains on, and ask what is to be asked.

        Args:
            questions: For the owners.
            touched: Agents that were heard.
            chains: See `tips.advance`.
        """
        now = self._now()

        def move(session: Session) -> tuple[list[Question], set[AgentKey]]:
            return tips.advance(session, touched, chains, now)

        more, behind = self.registry.load(move)
        asked = [*questions, *more]
        if asked:
            self.counts["questions"] += self.registry.decide(lambda s: ask(s, asked, now), ACTOR)
        if behind:
            self._behind(behind)
