"""The book of fit tests: whether an agent is asked, or the answer is known, or nobody may ask now.

    once      a factory is asked about a version once, for ever
    month     20 questions a calendar month by all suppliers of one owner group
    family    one question a year by one owner group about one family at one factory; what follows from its answer
              is told without asking, everything else is "unknown" until the year is over

`month` alone lets a supplier find twelve tags of a factory in a month with twelve versions of one need each, and a
number by halving. `family` makes new versions worthless for that: needs that are weaker than those which passed
pass, needs that are stronger than those which failed fail, and nothing else can be told. "Unknown" excludes nobody
from matching, so an honest new version loses nothing but a word. The owner may have a version tested earlier, for
instance after he has bought a sensor: that is his to give. Whose factory it was is not told with the word.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from contract.verbs import Fit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from contract.verbs import Lacking, Need

Word = Literal["pass", "fail", "unknown"]
Reader = Literal["supplier", "owner", "mentor", "operator"]
A_MONTH = 20
HOLDS_DAYS = 365
"""Days for which the answer about a family stands."""
Because = Literal["once", "implied", "family", "month", "consent"]


@dataclass(frozen=True, slots=True)
class Question:
    """A version that might be tested at a factory; `group`: the supplier's owner group, or itself."""

    factory: str
    group: str
    family: str
    version: str
    needs: Sequence[Need]
    by: Literal["platform", "owner"] = "platform"


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the book. `word` None: the agent was asked and has not answered; that counts as asked.

    `asked` False: a word that was told without asking an agent. It is kept, so that it never changes.
    """

    question: Question
    on: date
    word: Word | None
    asked: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """What happens now.

    `ask`: the agent is asked, and `word` is None. Otherwise `word` is told and entered, but for `month` and
    `consent`: nothing is entered then, and it may be tried again (`again`: from this day on, where one is known).
    """

    ask: bool
    word: Word | None
    because: Because | None
    again: date | None = None


def answer(book: Iterable[Entry], question: Question, on: date, *, consent: bool) -> Answer:
    """Return whether an agent is asked.

    Args:
        book: All lines of the factory, and all of the owner group, in any order.
        question: What is to be known.
        on: Today.
        consent: The owner agrees to fit tests (scope `fit`).
    """
    if not consent:
        return Answer(ask=False, word="unknown", because="consent")
    lines = sorted(book, key=lambda one: (one.on, one.question.version))
    mine = [one for one in lines if one.question.group == question.group]
    here = [one for one in mine if one.question.factory == question.factory]
    same = [one for one in here if one.question.version == question.version]
    if same:
        return Answer(ask=False, word=same[0].word or "unknown", because="once")
    standing = [
        one
        for one in here
        if one.asked and one.question.family == question.family and on - one.on < timedelta(days=HOLDS_DAYS)
    ]
    if standing and question.by == "platform":
        again = max(one.on for one in standing) + timedelta(days=HOLDS_DAYS)
        word = implied(standing, question.needs)
        return Answer(ask=False, word=word or "unknown", because="implied" if word else "family", again=again)
    month = [one for one in mine if one.asked and (one.on.year, one.on.month) == (on.year, on.month)]
    if len(month) >= A_MONTH:
        again = (on.replace(day=1) + timedelta(days=31)).replace(day=1)
        return Answer(ask=False, word="unknown", because="month", again=again)
    return Answer(ask=True, word=None, because=None)


def implied(standing: Iterable[Entry], needs: Sequence[Need]) -> Word | None:
    """Return what follows from answers that stand; None where nothing does.

    Both at once cannot be of one state of a factory; should it have changed between two answers, the later counts.
    """
    for one in sorted(standing, key=lambda one: (one.on, one.question.version), reverse=True):
        if one.word == "pass" and weaker(needs, one.question.needs):
            return "pass"
        if one.word == "fail" and weaker(one.question.needs, needs):
            return "fail"
    return None


def weaker(needs: Sequence[Need], than: Sequence[Need]) -> bool:
    """Return whether every machine that meets `than` meets `needs`: each need is wider than one of the others."""
    return all(any(_within(strict, one) for strict in than) for one in needs)


def shown(fit: Fit, reader: Reader, scopes: frozenset[str]) -> Fit | None:
    """Return an agent's answer as somebody sees it.

    Owner and mentor see what is missing, with the owner's consent to `fit_missing`. A supplier sees the word, and
    neither machine nor reason. The operator sees nothing of it.
    """
    if reader == "operator":
        return None
    if reader == "supplier":
        return Fit(fit.solution, fit.version, fit.verdict)
    missing: list[Lacking] = fit.missing if "fit_missing" in scopes else []
    return Fit(fit.solution, fit.version, fit.verdict, fit.machine, missing)


def _within(strict: Need, wide: Need) -> bool:
    low = wide.min is None or (strict.min is not None and strict.min >= wide.min)
    high = wide.max is None or (strict.max is not None and strict.max <= wide.max)
    return strict.metric == wide.metric and low and high
