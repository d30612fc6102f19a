"""From answers to a provisional diagnosis: an account with wide spans, priced by the ledger of measured ones.

    stops           hours a day                                    fault; changeovers x minutes each; waiting
    production P    planned hours a day - all stops
    speed           P (1 - pace)                                   pace: as fast as it could be, 1 is ideal
    scrap           P pace r                                       r: share of pieces thrown away
    good            P pace (1 - r)
    made an hour    pieces a day / P

A number of an owner becomes a span by the question's `spread`; "모름" becomes its `prior`, and where the file has
none it stays unknown, and what needs it is not priced. Being switched off in planned time is part of waiting: an
owner cannot tell them apart. Losses are told as hours, and only shown as shares. An answer is used where it can be
true and told as a conflict where it cannot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from techsquare.diagnosis.terms import Account, Rates
from techsquare.entry.terms import MAIN, Provisional
from techsquare.span import Span, exactly, total

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from techsquare.diagnosis.terms import Bucket, Lacking, Tell
    from techsquare.entry.model import Form, Question
    from techsquare.entry.terms import Answers, Conflict, Ledger

WEEKS = 50.0
"""Of production in a year: 52 without public holidays and the summer break. Design value."""
HOUR_MIN = 60.0
HOUR_US = 3_600_000_000
LEAST_PRODUCTION = 0.2
"""Share of planned time that a machine that ships anything runs at least; below, pieces an hour mean nothing."""
LEAST_PACE = 0.2
MONTHS = 12
UNIT_WON = 10_000
"""Bills and cash are asked for in 만원."""

Spans = dict[str, Span | None]


def spread(value: float, factor: float, least: float) -> Span:
    """Return what somebody means who says a number."""
    return Span(max(0.0, min(value / factor, value - least)), max(value * factor, value + least))


def spans(form: Form, answers: Answers) -> tuple[Spans, list[str], list[tuple[Conflict, str]]]:
    """Return what each question about a number tells, which ones rest on a prior, and answers that cannot be."""
    known = {question.id: question for question in form.questions}
    wrong: list[tuple[Conflict, str]] = [("unknown_question", name) for name in sorted(set(answers) - set(known))]
    found: Spans = {}
    priors = []
    for question in form.questions:
        value = answers.get(question.id)
        if question.choices:
            if value is not None and value not in {choice.id for choice in question.choices}:
                wrong.append(("unknown_choice", question.id))
            continue
        span = None
        if value is not None:
            span = _span(question, value)
            if span is None:
                wrong.append(("out_of_range", question.id))
        if span is None and question.prior is not None:
            span = Span(question.prior.low, question.prior.high)
            priors.append(str(question.id))
        found[question.id] = span
    return found, priors, wrong


def _span(question: Question, value: float | str) -> Span | None:
    """Return the span of a number, None for what is none or cannot be; within what can be at all."""
    if isinstance(value, str) or question.limits is None or question.spread is None:
        return None
    low, high = question.limits.low, question.limits.high
    if not low <= value <= high:
        return None
    found = spread(value, question.spread.factor, question.spread.least)
    return Span(max(low, found.low), min(high, found.high))


def provisional(form: Form, answers: Answers, ledger: Ledger, machine: str = MAIN) -> Provisional:
    """Return what answers tell.

    Args:
        form: The questions.
        answers: As given; what is absent counts as "모름".
        ledger: See `terms.Ledger`.
        machine: Which one was meant, once it has an id, so that it can be put beside its measurement.

    Raises:
        ValueError: the form has neither answer nor prior for a time, so that there is no account at all.
    """
    told, priors, wrong = spans(form, answers)
    account, fits = account_of(told, machine)
    if not fits:
        wrong.append(("stops_exceed_day", "hours_day"))
    rates = rates_of(answers, told, machine)
    found = ledger([account], rates)
    lacking: dict[Lacking, None] = {}
    for loss in found:
        lacking |= dict.fromkeys(loss.lacking)
    bill = told["bill"]
    unknown = {name for conflict, name in wrong if conflict != "stops_exceed_day"}
    return Provisional(
        account=account,
        rates=rates,
        losses=found,
        energy_won_year=None if bill is None else bill.times(exactly(MONTHS * UNIT_WON)),
        priors=priors,
        open=[
            str(q.id)
            for q in form.questions
            if (answers.get(q.id) is None or q.id in unknown) and q.id not in priors
        ],
        lacking=list(lacking),
        conflicts=wrong,
    )


def account_of(told: Mapping[str, Span | None], machine: str = MAIN) -> tuple[Account, bool]:
    """Return the main machine's account, and whether its stops fit into a day.

    Raises:
        ValueError: see `provisional`.
    """
    hours, days = _needed(told, "hours_day"), _needed(told, "days_week").times(exactly(WEEKS))
    stops = _stops(told)
    lost = total(stops.values())
    fits = lost.low <= hours.high
    produced = Span(max(0.0, hours.low - lost.high), max(0.0, hours.high - lost.low))
    running = Span(max(0.0, 1 - lost.high / hours.low), max(0.0, 1 - lost.low / hours.high))
    pace = _share(_needed(told, "pace_percent"), LEAST_PACE)
    reject = _share(_needed(told, "rejects_percent"), 0.0)
    parts = _parts(pace, reject)
    shares = {bucket: running.times(part) for bucket, part in parts.items()}
    shares |= {b: Span(min(1.0, s.low / hours.high), min(1.0, s.high / hours.low)) for b, s in stops.items()}
    daily = {bucket: produced.times(part) for bucket, part in parts.items()} | stops
    made = _made(told.get("pieces_day"), hours, produced)
    account = Account(
        machine=machine,
        planned_hours=hours.times(days),
        time_us=_middles(hours, stops, pace, reject),
        shares=shares,
        made_hour=made,
        ideal_hour=None if made is None else Span(made.low / pace.high, made.high / pace.low),
        good=Span(1 - reject.high, 1 - reject.low),
        coverage=1.0,
        days=0,
        source="answered",
        hours={bucket: span.times(days) for bucket, span in daily.items()},
        pieces={bucket: span.times(days) for bucket, span in _lost_pieces(told.get("pieces_day"), pace, reject)},
    )
    return account, fits


def _stops(told: Mapping[str, Span | None]) -> dict[Bucket, Span]:
    """Return hours a day of each stop."""
    minutes: dict[Bucket, Span] = {
        "setup": _needed(told, "changeovers").times(_needed(told, "setup_minutes")),
        "fault": _needed(told, "fault_minutes"),
        "standby": _needed(told, "waiting_minutes"),
    }
    return {bucket: span.times(exactly(1 / HOUR_MIN)) for bucket, span in minutes.items()}


def _parts(pace: Span, reject: Span) -> dict[Bucket, Span]:
    """Return which part of production is good, scrap and speed."""
    return {
        "good": pace.times(Span(1 - reject.high, 1 - reject.low)),
        "scrap": pace.times(reject),
        "speed": Span(1 - pace.high, 1 - pace.low),
    }


def _made(pieces: Span | None, hours: Span, produced: Span) -> Span | None:
    if pieces is None:
        return None
    least = max(LEAST_PRODUCTION * hours.low, produced.low)
    return Span(pieces.low / max(least, produced.high), pieces.high / least)


def _lost_pieces(pieces: Span | None, pace: Span, reject: Span) -> Iterator[tuple[Bucket, Span]]:
    """Yield pieces a day that a full pace would have brought, and those thrown away: neither needs the hours."""
    if pieces is not None:
        yield "speed", pieces.times(Span(1 / pace.high - 1, 1 / pace.low - 1))
        yield "scrap", pieces.times(reject)


def _middles(hours: Span, stops: Mapping[Bucket, Span], pace: Span, reject: Span) -> dict[Bucket, int]:
    """Return a day by the middles of what was said, in microseconds that add up to it."""
    planned = round(_middle(hours) * HOUR_US)
    told = {bucket: _middle(span) / _middle(hours) for bucket, span in stops.items()}
    scale = planned / max(1.0, sum(told.values()))  # what does not fit into a day is shown in proportion
    time: dict[Bucket, int] = {bucket: int(share * scale) for bucket, share in told.items()}
    produced = planned - sum(time.values())
    ideal = round(produced * _middle(pace))
    scrap = round(ideal * _middle(reject))
    return {
        "good": ideal - scrap, "scrap": scrap, "speed": produced - ideal, "production": 0, **time, "off": 0,
        "unknown": 0,
    }  # fmt: skip


def rates_of(answers: Answers, told: Mapping[str, Span | None], machine: str = MAIN) -> Rates:
    """Return the rates as answered; the hour of the people beside the machine is all that is known as avoidable."""
    wage, people = told.get("wage"), told.get("people")
    return Rates(
        contribution_piece=told.get("contribution"),
        scrap_piece=told.get("material"),
        staff_hour=wage,
        avoidable_hour=None if wage is None or people is None else wage.times(people),
        limits={machine: _tell(answers.get("limits"))},
        orders_wait=_tell(answers.get("orders")),
    )


def _tell(value: float | str | None) -> Tell:
    return "yes" if value == "yes" else "no" if value == "no" else "unknown"


def _share(percent: Span, least: float) -> Span:
    return Span(min(1.0, max(least, percent.low / 100)), min(1.0, max(least, percent.high / 100)))


def _middle(span: Span) -> float:
    return (span.low + span.high) / 2


def _needed(told: Mapping[str, Span | None], name: str) -> Span:
    span = told.get(name)
    if span is None or (name == "hours_day" and span.low <= 0):
        raise ValueError(f"{name} has neither an answer nor a prior above 0")
    return span
