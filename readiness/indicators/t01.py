"""T01 Lot and serial binding: how much of what was made is known by an id."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from readiness.identity import identities
from readiness.indicators.absent import shortfall
from readiness.indicators.base import Census, Indicator, Missing, Outcome, Shares
from readiness.production import production
from readiness.spans import intersection
from readiness.view import NEEDED_DAYS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from contract.report import Reason
    from readiness.view import View


def _without_signal(view: View, machine: str, reason: Reason) -> Outcome:
    """Return what a machine without an id is worth: 0 only if a person says that there is none anywhere."""
    about = view.plant.of(machine)
    nowhere = about.ids_elsewhere == "no" or (about.ids_elsewhere == "unknown" and about.elsewhere == "no")
    return Census(0.0, 0, flags=("NOT_COLLECTED",)) if nowhere and reason == "NA_NO_EVIDENCE" else Missing(reason)


def beyond(view: View, machine: str) -> NDArray[np.bool_]:
    """Return the days on which an id was read and said more than evidence keeps (serial numbers of each piece)."""
    name = next(name for name in view.signals(machine, "lot") if view.seen.track(name) is not None)
    track = view.seen.track(name)
    read = view.machine_by_day(machine, view.spans(name)) > 0
    return read & ~np.isin(np.arange(len(read)), sorted(track.whole if track is not None else ()))


def evaluate(view: View, machine: str) -> Outcome:
    """Return pieces made under a valid id, of all pieces; executing time where nothing counts pieces."""
    if (short := shortfall(view, machine)) is not None:
        return short
    if (reason := view.lack(machine, "lot")) is not None:
        return _without_signal(view, machine, reason)
    found = identities(view, machine)
    if found is None:
        return Missing("NA_NO_EVIDENCE")
    facts = production(view, machine)
    counting = view.counting(machine) > 0
    untold = counting & beyond(view, machine)
    counting &= ~untold
    if untold.any() and int(counting.sum()) < NEEDED_DAYS:
        return Missing("NA_NO_EVIDENCE", {"days_beyond_evidence": int(untold.sum())})
    by_pieces = facts.quantity("total") is not None
    if by_pieces:
        den, num = facts.made("total", facts.domain), facts.made("total", found.binds)
    else:
        den = view.machine_by_day(machine, facts.executing)
        num = view.machine_by_day(machine, intersection(facts.executing, found.binds))
    den = np.where(counting, den, 0.0)
    if not den.any():
        return Missing("NA_NO_EVIDENCE")
    num = np.minimum(np.where(counting, num, 0.0), den)
    shown = {
        "ids": len({one.id for one in found.shown}),
        "entropy_bits": found.entropy(),
        "of": "pieces" if by_pieces else "executing time",
        **({"days_beyond_evidence": int(untold.sum())} if untold.any() else {}),
    }
    return Shares(num, den, flags=found.flags, shown=shown)


INDICATOR = Indicator(
    id="T01",
    ko="로트·시리얼 연계율",
    en="Lot/serial binding",
    unit="1",
    formula="pieces counted under a valid lot or serial number / pieces (executing time without a counter); what "
    "came while nothing was known is left out, and so are days with more ids than evidence keeps",
    source="readiness.md 7.3 T; decision 49",
    inputs=("tracks", "counts", "meanings", "about", "schedule", "censored"),
    reasons=("NA_NO_SCHEDULE", "NA_NO_EVIDENCE", "NA_SHORT_WINDOW", "NA_SELF_FAULT", "NA_ROLE_UNCONFIRMED"),
    guard="an id that is constant, a placeholder, used again, or that stays when the product changes binds "
    "nothing; the entropy of ids is shown",
    evaluate=evaluate,
    roles=True,
)
