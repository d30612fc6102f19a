"""Questions of fit tests that stand in the book, put to agents, and their answers written down.

A worker takes a question by an update that only one can win, asks for the owner (so that what is missing comes
along where he agrees to that), and keeps the word. What an agent refuses for good is "unknown"; one that does not
answer, or has been asked too often, is asked again after `AGAIN_NS`, and one that cannot answer yet (no machine, no
key of ours) the next day. Nothing is asked that the owner does not agree to at that moment.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import or_, select, update

from contract.codec import decode
from contract.errors import WireError
from contract.report import Refusal
from contract.verbs import Fit, Need, Solution
from techsquare.fit.register import Registered, hashed, request, text
from techsquare.intake import agents
from techsquare.intake.questions import ACTOR
from techsquare.pull import PullError
from techsquare.registry.factories import Agent
from techsquare.registry.matches import FitCheck
from techsquare.registry.suppliers import SolutionVersion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.orm import Session

    from contract.signing import PrivateKey
    from techsquare.registry.store import Registry

    Ask = Callable[[str, str, str, Mapping[str, object]], bytes]

AGAIN_NS = 10 * 60 * 10**9
DAY_NS = 86_400 * 10**9
FINAL = frozenset({"no_consent", "bad_request", "unknown_verb", "too_fine"})
"""Errors of an agent after which it would say the same again."""
logger = logging.getLogger(__name__)


class Question(NamedTuple):
    """A question that this worker has taken."""

    check: str
    factory: str
    agent: str
    version: str
    solution: Solution


class Fits:
    """Puts questions.

    Args:
        registry: Where they stand.
        ask: Sends a request and returns the answer; raises PullError.
        key: By which the platform signs what is registered.
        now: UTC ns.
    """

    def __init__(self, registry: Registry, ask: Ask, key: PrivateKey, now: Callable[[], int]) -> None:
        self._registry, self._ask, self._key, self._now = registry, ask, key, now

    def run(self) -> bool:
        """Put one question, if there is any; return whether there was."""
        taken = self._registry.decide(self._take, ACTOR)
        if taken is None:
            return False
        said = self._answer(taken)
        if said is not None:
            self._registry.decide(lambda s: self._keep(s, taken, said), ACTOR)
        return True

    def _take(self, session: Session) -> Question | None:
        now = self._now()
        old = or_(FitCheck.tried_at.is_(None), FitCheck.tried_at < now - AGAIN_NS)
        rows = session.execute(
            select(FitCheck, Agent.id)
            .join(Agent, Agent.factory_id == FitCheck.factory_id)
            .where(FitCheck.asked, FitCheck.result.is_(None), old, Agent.reporter)
            .order_by(FitCheck.at, FitCheck.id)
            .limit(100)
        ).all()
        for row, agent in rows:
            of = (row.factory_id, agent)
            held = agents.known(session, [of], now).get(of)
            if held is None or "fit" not in (held.scopes or ()):
                continue
            won = session.connection().execute(
                update(FitCheck).where(FitCheck.id == row.id, FitCheck.result.is_(None), old).values(tried_at=now)
            )
            if not won.rowcount:
                continue
            version = session.get_one(SolutionVersion, row.version_id)
            needs = [Need(**one) for one in (version.requires or {}).get("needs", ())]
            solution = Solution(version.solution_id, version.version, needs)
            return Question(row.id, row.factory_id, agent, version.id, solution)
        return None

    def _answer(self, taken: Question) -> Fit | None:
        """Return what the agent says; None where it is to be asked again."""
        solution = taken.solution
        body = request(
            Registered(solution.solution, solution.version, text(solution), hashed(solution)), self._key,
            audience="owner",
        )  # fmt: skip
        asked = {
            "registered": body.registered, "key": body.key, "signature": body.signature, "audience": body.audience,
        }  # fmt: skip
        unknown = Fit(solution.solution, solution.version, "unknown")
        try:
            raw = self._ask(taken.factory, taken.agent, "fit.check", asked)
        except PullError as exc:
            logger.info("fit test at %s/%s: %s; again later", taken.factory, taken.agent, exc)
            return None
        try:
            said = decode(raw, Fit)
        except WireError:
            try:
                refusal = decode(raw, Refusal)
            except WireError as exc:
                logger.warning("fit test at %s/%s: no answer to fit.check: %s", taken.factory, taken.agent, exc)
                return unknown
            logger.info("fit test at %s/%s: %s", taken.factory, taken.agent, refusal.error)
            if refusal.error == "no_data":
                self._registry.decide(lambda s: self._tomorrow(s, taken.check), ACTOR)
            return unknown if refusal.error in FINAL else None
        if (said.solution, said.version) != (solution.solution, solution.version):
            logger.warning("fit test at %s/%s: an answer about something else", taken.factory, taken.agent)
            return unknown
        return said

    def _tomorrow(self, session: Session, check: str) -> None:
        row = session.get(FitCheck, check)
        if row is not None and row.result is None:
            row.tried_at = self._now() + DAY_NS - AGAIN_NS

    def _keep(self, session: Session, taken: Question, said: Fit) -> None:
        row = session.get(FitCheck, taken.check)
        if row is None or row.result is not None:
            return
        of = (taken.factory, taken.agent)
        held = agents.known(session, [of], self._now()).get(of)
        scopes = frozenset() if held is None else held.scopes or frozenset()
        row.result = said.verdict
        if "fit_missing" in scopes and said.verdict != "pass":
            row.missing = [
                {"need": one.need, "machine": one.machine, "verdict": one.verdict, "reason": one.reason}
                for one in said.missing
            ]
