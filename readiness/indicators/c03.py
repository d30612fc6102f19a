"""C03 Link availability in planned time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from readiness.evidence import EVERYTHING
from readiness.indicators.base import Indicator, Missing, Outcome, Shares
from readiness.routes import routes
from readiness.spans import EMPTY, difference, intersection, union

if TYPE_CHECKING:
    from readiness.indicators.base import Shown
    from readiness.view import View


def around_the_clock(view: View, machine: str) -> dict[str, Shown]:
    """Return the share of all time in which the machine's links were alive, for a site without a schedule.

    It is shown and never scored: a machine that is switched off by night is no lost link.
    """
    whole = alive = 0
    for source, *_ in routes(view, machine):
        for _, record, part in view.seen.order(source):
            own = [
                record.spans(packed)
                for sources in record.censored.values()
                for name, packed in sources.items()
                if name in {source, EVERYTHING}
            ]
            served = difference(record.spans(part.service), union(EMPTY, *own))
            whole += served.length()
            alive += intersection(record.spans(part.live), served).length()
    return {"calendar_share": round(alive / whole, 6)} if whole else {}


def evaluate(view: View, machine: str) -> Outcome:
    """Return live time of the machine's links, of the time that counts."""
    if (reason := view.shortfall(machine)) is not None:
        return Missing(reason, around_the_clock(view, machine) if reason == "NA_NO_SCHEDULE" else {})
    counting = view.counting(machine) > 0
    sources = [source for source, *_ in routes(view, machine) if source in view.sources]
    den = np.sum([view.sources[s][0] for s in sources], axis=0)
    num = np.sum([view.sources[s][1] for s in sources], axis=0)
    return Shares(np.where(counting, num, 0.0), np.where(counting, den, 0.0))


INDICATOR = Indicator(
    id="C03",
    ko="통신 가용률",
    en="Link availability in planned time",
    unit="1",
    formula="live time / planned time; poll: union of answered intervals, subscription: session with keep-alives",
    source="readiness.md 7.3 C; DESIGN 9",
    inputs=("live", "schedule", "censored"),
    reasons=("NA_NO_SCHEDULE", "NA_NO_EVIDENCE", "NA_SHORT_WINDOW", "NA_SELF_FAULT"),
    guard="only planned time counts, so a machine switched off by night loses nothing; our own outages "
    "are censored; without a schedule only the share of all time is shown, not scored",
    evaluate=evaluate,
)
