"""Missed days by `day.get`, seldom enough for the agent (docs/wire.md, "Days").

    Turns       whose turn it is: a minute's patience first, then a back-off that doubles up to six hours       pure
    Repair      one agent's gap: from above to below, 400 days a request, until nothing is missing or nobody has it

Numbers that the agent answers without are noted as lost (question `records_missing`) and never asked for again: a
restored box has not got them. Several workers may repair the same agent; the second one finds nothing to do.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from contract.codec import PLAIN_LIMIT, decode
from contract.day import Days
from contract.errors import WireError
from contract.report import Refusal
from techsquare.intake import agents, checks, tips
from techsquare.intake.handed import record
from techsquare.intake.questions import ACTOR, ask
from techsquare.intake.terms import NOT_KEPT, AgentKey, Held, Question
from techsquare.pull import PullError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sqlalchemy.orm import Session

    from techsquare.intake.intake import Intake

    Ask = Callable[[str, str, str, Mapping[str, object]], bytes]

logger = logging.getLogger(__name__)

LONGEST = timedelta(days=399)
"""From the first to the last day of a request: an agent answers for 400 days at most."""
OLDEST = timedelta(days=3660)
"""An agent keeps its records so long; where it has rested for a year, older ones lie behind an empty window."""
BURST, EVERY_S = 8, 6.5
"""An agent answers ten requests at once, and one more every six seconds."""
MOST = 40
"""Requests to one agent until others have their turn."""
PATIENCE_S = 60.0
LATEST_S = 6 * 3600.0


@dataclass(slots=True)
class _Turn:
    due: float
    wait: float


class Turns:
    """Whose turn it is. Times are monotonic seconds. Not thread-safe.

    Args:
        patience: What is on its way gets so long to come by itself.
        latest: Longest back-off.
    """

    def __init__(self, patience: float = PATIENCE_S, latest: float = LATEST_S) -> None:
        self._patience, self._latest = patience, latest
        self._turns: dict[AgentKey, _Turn] = {}

    def __len__(self) -> int:
        return len(self._turns)

    def note(self, agents: Iterable[AgentKey], now: float) -> None:
        """Take in agents of which records are missing; who waits already goes on waiting."""
        for of in agents:
            self._turns.setdefault(of, _Turn(now + self._patience, self._patience))

    def due(self, now: float) -> AgentKey | None:
        """Return whose turn it is, the longest overdue first."""
        of = min(self._turns, key=lambda one: (self._turns[one].due, one), default=None)
        return of if of is not None and self._turns[of].due <= now else None

    def done(self, of: AgentKey) -> None:
        """Nothing is missing any more, or nobody has it."""
        self._turns.pop(of, None)

    def failed(self, of: AgentKey, now: float) -> float:
        """It could not be asked; return how long it is left alone."""
        turn = self._turns.setdefault(of, _Turn(now, self._patience))
        turn.wait = min(2 * turn.wait, self._latest)
        turn.due = now + turn.wait
        return turn.wait

    def more(self, of: AgentKey, now: float) -> None:
        """It has answered, and there is more: others first."""
        self._turns[of] = _Turn(now + self._patience / 10, self._patience)


class Gap(NamedTuple):
    """Records that are missing: their numbers, and between which days they can lie; `lower` None: not known."""

    held: Held
    first: int
    last: int
    lower: date | None
    upper: date


class LaterError(Exception):
    """The agent did not answer as it should; the text says how."""


def gap(session: Session, of: AgentKey, now: int) -> Gap | None:
    """Return the first gap of an agent's chain, None where nothing is missing or nothing may be asked for."""
    held = agents.known(session, [of], now).get(of)
    if held is None or held.key is None or not held.reporter or not checks.records_allowed(held):
        return None
    tip, why, _ = tips.tip(session, held)
    if why is not None:
        return None
    above = next(iter(tips.links(session, held, tip.wanted + 1, None, 1)), None)
    day = held.day if tip.last is None else tip.last.day
    lower = None if day is None else day + timedelta(1)
    if above is not None:
        last, upper = above.number - 1, above.day - timedelta(1)
    elif held.head is not None and held.head[0] >= tip.wanted:
        last, upper = held.head
    else:
        return None
    return Gap(held, tip.wanted, last, lower, upper)


class Repair:
    """Fills gaps.

    Args:
        intake: Where records go, with all checks.
        ask: Sends a request and returns the answer; raises PullError.
        now: UTC ns.
        wait: Waits so many seconds; returns True when the work is to end.
    """

    def __init__(self, intake: Intake, ask: Ask, now: Callable[[], int], wait: Callable[[float], bool]) -> None:
        self._intake, self._ask, self._now, self._wait = intake, ask, now, wait
        self._asked = 0

    def run(self, of: AgentKey) -> bool:
        """Fill the gaps of one agent; return whether there is nothing more to do.

        Raises:
            LaterError: it does not answer, or not as it should.
            RegistryError: the database is busy.
        """
        self._asked = 0
        while True:
            with self._intake.registry.reading() as session:
                found = gap(session, of, self._now())
            if found is None:  # another worker may have brought what was missing
                self._intake.settle([], set(), {of: None})
                return True
            whole = self._fill(found)
            if whole is None:
                return False
            self._note(found)
            self._intake.settle([], set(), {of: None})

    def _fill(self, found: Gap) -> bool | None:
        """Ask for every day of a gap; None: it is others' turn."""
        upper, floor = found.upper, found.lower or found.upper - OLDEST
        while True:
            lower = max(floor, upper - LONGEST)
            if lower > upper:
                return True
            got = self._span(found.held, lower, upper)
            if got is None:
                return None
            if lower == floor or (got and found.lower is None and self._there(found.held, 1)):
                return True
            upper = lower - timedelta(1)

    def _there(self, held: Held, number: int) -> bool:
        with self._intake.registry.reading() as session:
            return bool(tips.links(session, held, number, number, 1))

    def _span(self, held: Held, lower: date, upper: date) -> int | None:
        """Ask for some days; return how many records came, None when others have their turn."""
        begin, got = lower.isoformat(), 0
        while True:
            if self._asked >= MOST or (self._asked >= BURST and self._wait(EVERY_S)):
                return None
            self._asked += 1
            answer = self._request(held, begin, upper.isoformat())
            if answer is None:
                return got
            outcomes = self._intake.take([record(signed) for signed in answer.days])
            bad = next((one for one in outcomes if one.fate in NOT_KEPT), None)
            if bad is not None:
                raise LaterError(f"a record of its answer is not kept ({bad.fate}): {bad.why}")
            got += len(outcomes)
            if answer.next is None:
                return got
            if not begin < answer.next <= upper.isoformat():
                raise LaterError(f"its answer goes on at {answer.next}")
            begin = answer.next

    def _request(self, held: Held, begin: str, end: str) -> Days | None:
        """Return the records of some days, None where there are none."""
        try:
            raw = self._ask(held.factory, held.agent, "day.get", {"from": begin, "to": end})
        except PullError as exc:
            raise LaterError(str(exc)) from exc
        try:
            return decode(raw, Days, PLAIN_LIMIT)
        except WireError as exc:
            try:
                refusal = decode(raw, Refusal)
            except WireError:
                raise LaterError(f"no answer to day.get: {exc}") from exc
        if refusal.error == "no_data":
            return None
        raise LaterError(f"{refusal.error}: {refusal.message}")

    def _note(self, found: Gap) -> None:
        """Note numbers that the agent has answered without."""
        held = found.held
        with self._intake.registry.reading() as session:
            there = {
                link.number
                for link in tips.links(session, held, found.first, found.last, found.last - found.first + 1)
            }
        spans: list[list[int]] = []
        for number in range(found.first, found.last + 1):
            if number in there:
                continue
            if spans and spans[-1][1] == number - 1:
                spans[-1][1] = number
            else:
                spans.append([number, number])
        if not spans:
            return
        logger.warning("%s/%s has not got records %s any more", held.factory, held.agent, spans[:5])
        questions = [
            Question(
                held.factory, "records_missing",
                (("agent", held.agent), ("key", held.key_id), ("first", first), ("last", last)), 30,
            )
            for first, last in spans
        ]  # fmt: skip
        self._intake.registry.decide(lambda s: ask(s, questions, self._now()), ACTOR)
