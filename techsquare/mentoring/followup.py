"""A project over its whole life: when somebody has to be reminded, and of what.

    agreed      not signed      planned days after it was agreed (`engagement.ANSWER_DAYS`)
    signed      not installed   `INSTALL_DAYS` planned days after the signature, or a milestone's date
    installed   not accepted    `ACCEPT_DAYS` planned days after the installation
    accepted    maintenance     once a quarter after the acceptance, as long as the project lasts: is it in use, is
    decided                     it looked after, can the data still be taken out

The verdict and what follows from it stand in the queue. A reminder has the day since which it holds, so that each
is told once, and that of every quarter anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from techsquare.mentoring.engagement import ANSWER_DAYS

if TYPE_CHECKING:
    from datetime import date

    from techsquare.mentoring.calendar import Calendar

Reminded = Literal["sign_due", "install_due", "accept_due", "care"]
INSTALL_DAYS = 40
ACCEPT_DAYS = 10
QUARTER = 91
"""Days between two looks at what is in use."""


@dataclass(frozen=True, slots=True)
class Project:
    """A project as the registry keeps it; `delivery`: the date of the first milestone, where there is one."""

    state: str
    agreed: date
    signed: date | None = None
    installed: date | None = None
    accepted: date | None = None
    delivery: date | None = None


@dataclass(frozen=True, slots=True)
class Reminder:
    """What to remind of: `on` is the day of the last step, `since` the day from which the reminder holds."""

    of: Reminded
    on: date
    since: date


def reminder(project: Project, calendar: Calendar, today: date) -> Reminder | None:
    """Return what has to be reminded of today; None where nothing is late."""
    match project:
        case Project(state="agreed", agreed=on):
            return _late("sign_due", on, calendar.after(on, ANSWER_DAYS), today)
        case Project(state="signed", signed=on) if on is not None:
            due = calendar.after(on, INSTALL_DAYS) if project.delivery is None else project.delivery
            return _late("install_due", on, due, today)
        case Project(state="installed", installed=on) if on is not None:
            return _late("accept_due", on, calendar.after(on, ACCEPT_DAYS), today)
        case Project(state="accepted" | "decided", accepted=on) if on is not None:
            quarters = (today - on).days // QUARTER
            return Reminder("care", on, on + timedelta(days=quarters * QUARTER)) if quarters > 0 else None
        case _:
            return None


def _late(of: Reminded, on: date, due: date, today: date) -> Reminder | None:
    return Reminder(of, on, due) if today > due else None
