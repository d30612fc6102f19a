"""What every result is on day 0, 7 and 28: something defined, why it is not more, and what to do next.

A page never shows an empty field. Each result is in one state, from `none` to `firm`, by what is there and not by
how long one has waited; the day only decides what is proposed next, because what is right on day 0 (wait for ten
production days) is wrong on day 28 (the connection does not work).

    none < answers < counted < first < measured < firm

`answers` are the owner's word, `counted` hand counts and meters, `first` fewer than ten measured production days,
`measured` ten, `firm` what the result needs to stand: forty for a promise, twenty for a loss of high confidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

State = Literal["none", "answers", "counted", "first", "measured", "firm"]
STATES: tuple[State, ...] = get_args(State)
Stage = Literal["day0", "day7", "day28"]
Result = Literal[
    "level", "losses", "won", "gaps", "energy", "beside", "peers", "roadmap", "offers", "promise", "verdict"
]
RESULTS: tuple[Result, ...] = get_args(Result)
Reason = Literal[
    "nothing_said", "only_said", "not_connected", "no_days", "few_days", "no_rates", "not_metered", "few_baseline",
    "no_questionnaire", "few_others", "no_budget", "no_plan", "no_offers", "no_project", "before_date",
]  # fmt: skip
Action = Literal[
    "answer_questions", "count_by_hand", "book_visit", "connect", "check_connection", "wait", "say_rates",
    "read_meter", "fill_questionnaire", "say_budget", "make_plan", "see_advice", "choose_measure", "look",
]  # fmt: skip
NEEDED_DAYS, FIRM_DAYS, PROMISE_DAYS = 10, 20, 40
WEEK, MONTH = 7, 28
PLANNED, OFFERED = 2, 3


@dataclass(frozen=True, slots=True)
class Facts:
    """What is there of a factory today; `measured` and `counted` are production days, `day` counts from entry."""

    day: int
    answered: int = 0
    counted: int = 0
    connected: int = 0  # machines
    measured: int = 0
    rates: bool = False  # those that a loss at least needs to be known in won
    metered: bool = False  # a meter that is read by us
    read_meters: int = 0  # days by hand
    questionnaire: bool = False
    others: bool = False  # a table of peers is there
    towards: int = 0  # offers: 1 a budget is said, 2 a plan is made, 3 an offer stands
    installed: bool = False
    decided: bool = False  # the verdict's date has passed


@dataclass(frozen=True, slots=True)
class Standing:
    """A result: its state, why it is no better (None when it is firm), and what to do next."""

    result: Result
    state: State
    reason: Reason | None
    next: Action


def stage(day: int) -> Stage:
    """Return in which stage a day after entry lies."""
    return "day0" if day < WEEK else "day7" if day < MONTH else "day28"


def standings(facts: Facts) -> list[Standing]:
    """Return where every result stands, in the order of `RESULTS`."""
    return [Standing(result, *RULES[result](facts)) for result in RESULTS]


_Told = tuple[State, "Reason | None", Action]


def _ladder(facts: Facts, firm: int = FIRM_DAYS, by_hand: int | None = None) -> _Told:
    """Return where what is made of machine-days stands."""
    if facts.measured >= firm:
        return "firm", None, "look"
    if facts.measured >= NEEDED_DAYS:
        return "measured", "few_days", "wait"
    if facts.measured > 0:
        # Days that stay few for weeks are no matter of waiting.
        return "first", "few_days", "check_connection" if stage(facts.day) == "day28" else "wait"
    return _unmeasured(facts, facts.counted if by_hand is None else by_hand)


def _unmeasured(facts: Facts, hand: int) -> _Told:
    """Return where it stands without a measured day, with so many days by hand."""
    if facts.connected > 0:
        state: State = "counted" if hand else "answers" if facts.answered else "none"
        return state, "no_days", "wait" if stage(facts.day) == "day0" else "check_connection"
    if hand:
        return "counted", "not_connected", "connect"
    if not facts.answered:
        return "none", "nothing_said", "answer_questions"
    return "answers", "only_said", _by_hand(facts)


def _by_hand(facts: Facts) -> Action:
    """Return what a factory without hardware does next: count, and after a month without it have somebody come."""
    return "book_visit" if stage(facts.day) == "day28" else "count_by_hand"


def _level(facts: Facts) -> _Told:
    if facts.measured >= NEEDED_DAYS:
        return ("firm", None, "look") if facts.measured >= FIRM_DAYS else ("measured", "few_days", "wait")
    if facts.connected:
        late = stage(facts.day) != "day0" and not facts.measured
        state: State = "first" if facts.measured else "none"
        return state, "few_days" if facts.measured else "no_days", "check_connection" if late else "wait"
    return "none", "not_connected", "connect" if facts.answered else "answer_questions"


def _won(facts: Facts) -> _Told:
    state, reason, action = _ladder(facts)
    if state == "none" or facts.rates:
        return state, reason, action
    return "none", "no_rates", "say_rates"  # hours are there, as `losses` says


def _energy(facts: Facts) -> _Told:
    if facts.metered:
        return _ladder(facts, by_hand=facts.read_meters)
    if facts.read_meters:
        return "counted", "not_metered", "connect"
    if facts.answered:
        return "answers", "not_metered", "read_meter"
    return "none", "nothing_said", "answer_questions"


def _beside(facts: Facts) -> _Told:
    if not facts.questionnaire:
        said: State = "answers" if facts.answered else "none"
        return said, "no_questionnaire", "book_visit" if stage(facts.day) == "day28" else "fill_questionnaire"
    if facts.measured >= NEEDED_DAYS:
        return "firm", None, "look"
    return "answers", "few_days" if facts.measured else "not_connected", "wait" if facts.connected else "connect"


def _peers(facts: Facts) -> _Told:
    if facts.measured < NEEDED_DAYS:
        reason: Reason = "few_days" if facts.measured else "no_days" if facts.connected else "not_connected"
        return "none", reason, "wait" if facts.connected else "connect"
    return ("firm", None, "look") if facts.others else ("none", "few_others", "wait")


def _roadmap(facts: Facts) -> _Told:
    state, reason, action = _won(facts)
    if reason == "no_rates":
        return "none", "no_rates", "say_rates"
    if state != "none" and facts.towards < PLANNED:
        return ("none", "no_plan", "make_plan") if facts.towards else ("none", "no_budget", "say_budget")
    return state, reason, action


def _offers(facts: Facts) -> _Told:
    state, reason, action = _roadmap(facts)
    if state == "none":
        return state, reason, action
    if facts.towards < OFFERED:
        return "none", "no_offers", "see_advice"  # each measure says why: nobody, not known, or not to buy now
    return state, reason, "look" if state == "firm" else "choose_measure"


def _promise(facts: Facts) -> _Told:
    if facts.measured >= PROMISE_DAYS:
        return "firm", None, "look"
    if facts.measured:
        return "none", "few_baseline", "wait"
    return "none", "no_days" if facts.connected else "not_connected", "wait" if facts.connected else "connect"


def _verdict(facts: Facts) -> _Told:
    if facts.installed and facts.decided:
        return "firm", None, "look"
    if facts.installed:
        return "none", "before_date", "wait"
    return "none", "no_project", "choose_measure"


RULES: Mapping[Result, Callable[[Facts], _Told]] = {
    "level": _level,
    "losses": _ladder,
    "won": _won,
    "gaps": _ladder,
    "energy": _energy,
    "beside": _beside,
    "peers": _peers,
    "roadmap": _roadmap,
    "offers": _offers,
    "promise": _promise,
    "verdict": _verdict,
}
