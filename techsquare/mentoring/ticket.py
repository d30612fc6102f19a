"""Maintenance: something does not work. Was it answered in time, and what does that say of the supplier?

How soon tickets are answered is the earliest sign that a supplier is in trouble, long before its accounts show it.
It is told with its number, and not below five tickets. Time counts in planned days of the factory: nobody waits for
an answer in the summer holidays.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from techsquare.mentoring.calendar import Calendar

Severity = Literal["low", "high", "stopped"]
Refusal = Literal["closed", "open", "order", "no_text"]
ANSWER_DAYS: Mapping[Severity, int] = {"low": 5, "high": 2, "stopped": 1}
CLOSE_DAYS: Mapping[Severity, int] = {"low": 30, "high": 10, "stopped": 3}
"""Planned days of the factory, unless a contract says less."""
LEAST = 5
"""Tickets below which nothing is said of a supplier."""
LOST_DAYS = 10
"""Planned days without an answer to a stopped machine: then the supplier counts as out of reach."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket. Opened anew it keeps its first answer: `reopened` counts how often it was not done."""

    severity: Severity
    opened: date
    answered: date | None = None
    closed: date | None = None
    reopened: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """Where it stands: when an answer and the end are due, and what is late."""

    state: Literal["open", "answered", "closed"]
    answer_by: date
    close_by: date
    late: bool
    out_of_reach: bool


@dataclass(frozen=True, slots=True)
class Service:
    """What tickets say of a supplier: how many, of them answered in time, and planned days to the answer.

    `in_time` and `days` are None below `LEAST` tickets that are answered or late.
    """

    tickets: int
    in_time: float | None
    days: float | None
    reopened: int


def standing(ticket: Ticket, calendar: Calendar, today: date) -> Standing:
    """Return where a ticket stands on a day."""
    answer_by = calendar.after(ticket.opened, ANSWER_DAYS[ticket.severity])
    close_by = calendar.after(ticket.opened, CLOSE_DAYS[ticket.severity])
    waited = calendar.between(ticket.opened, today)
    if ticket.closed is not None:
        return Standing("closed", answer_by, close_by, late=ticket.closed > close_by, out_of_reach=False)
    if ticket.answered is not None:
        return Standing("answered", answer_by, close_by, late=today > close_by, out_of_reach=False)
    lost = ticket.severity == "stopped" and waited > LOST_DAYS
    return Standing("open", answer_by, close_by, late=today > answer_by, out_of_reach=lost)


def answer(ticket: Ticket, on: date, text: str) -> Ticket | Refusal:
    """Return the ticket after an answer, or why it is none."""
    if ticket.closed is not None:
        return "closed"
    if on < ticket.opened:
        return "order"
    if not text.strip():
        return "no_text"
    return Ticket(ticket.severity, ticket.opened, ticket.answered or on, None, ticket.reopened)


def close(ticket: Ticket, on: date) -> Ticket | Refusal:
    """Return the ticket after the owner has closed it; he may do so without an answer."""
    if ticket.closed is not None:
        return "closed"
    if on < (ticket.answered or ticket.opened):
        return "order"
    return Ticket(ticket.severity, ticket.opened, ticket.answered, on, ticket.reopened)


def reopen(ticket: Ticket, on: date) -> Ticket | Refusal:
    """Return the ticket after it has turned out not to be done: its time goes on from the first opening."""
    if ticket.closed is None:
        return "open"
    if on < ticket.closed:
        return "order"
    return Ticket(ticket.severity, ticket.opened, ticket.answered, None, ticket.reopened + 1)


def service(tickets: Sequence[tuple[Ticket, Calendar]], today: date) -> Service:
    """Return what tickets of a supplier say, each with its factory's calendar.

    A ticket that nobody has answered and that is late counts with the days until today: otherwise a supplier that
    answers nothing would look quick. One that the owner closed without an answer says nothing of it.
    """
    days: list[int] = []
    late = 0
    for one, calendar in tickets:
        stands = standing(one, calendar, today)
        if one.answered is not None:
            days.append(calendar.between(one.opened, one.answered))
            late += one.answered > stands.answer_by
        elif stands.state == "open" and stands.late:
            days.append(calendar.between(one.opened, today))
            late += 1
    reopened = sum(one.reopened for one, _ in tickets)
    if len(days) < LEAST:
        return Service(len(tickets), None, None, reopened)
    return Service(len(tickets), 1 - late / len(days), float(median(days)), reopened)
