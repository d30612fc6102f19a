"""T01 Lot and serial binding: how much of what was made is known by an id."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from readiness.identity import identities, told_by
from readiness.indicators.absent import shortfall
from readiness.indicators.base import Census, Indicator, Missing, Outcome, Shares
from readiness.production import production
from readiness.spans import intersection
from readiness.view import NEEDED_DAYS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from contract.report import Reason
    from readiness.identity import Identities
    from readiness.indicators.base import Shown
    from readiness.view import View

    Floats = NDArray[np.float64]


def _without_signal(view: View, machine: str, reason: Reason) -> Outcome:
    """Return what a machine without an id is worth: 0 only if a person says that there is none anywhere."""
    about = view.plant.of(machine)
    nowhere = about.ids_elsewhere == "no" or (about.ids_elsewhere == "unknown" and about.elsewhere == "no")
    return Census(0.0, 0, flags=("NOT_COLLECTED",)) if nowhere and reason == "NA_NO_EVIDENCE" else Missing(reason)


def beyond(view: View, machine: str) -> NDArray[np.bool_]:
    """Return the days on which an id was read and said more than evidence keeps."""
    name = told_by(view, machine)
    if name is None:
        return np.zeros(len(view.dates), np.bool_)
    track = view.seen.track(name)
    read = view.machine_by_day(machine, view.spans(name)) > 0
    told = {day for day, *_ in view.seen.ids(name)} | (track.whole if track is not None else set())
    return read & ~np.isin(np.arange(len(read)), sorted(told))


def _of_serials(view: View, machine: str, found: Identities, *, by_pieces: bool) -> Floats:
    """Return pieces (or executing time) per day under valid serial numbers that were not used again."""
    many, facts, days = found.serials, production(view, machine), len(view.dates)
    counted = facts.quantity("total")
    if many is None:
        return np.zeros(days)
    if by_pieces and counted is not None:
        row = many.bound(
            counted, intersection(facts.domain, facts.counted_domain), facts.executing, view.seen.day_of
        )
    else:
        row = many.time(intersection(facts.executing, view.machine_domain(machine)), view.seen.day_of)
    return row[:days] * found.unique


def _serial(found: Identities) -> dict[str, Shown]:
    """Return what is shown of serial numbers."""
    many = found.serials
    return {} if many is None else {"serials_shown": many.shown, "serials_used_again": round(1 - found.unique, 4)}


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
    if found.serials is not None:
        serial = np.isin(np.arange(len(den)), sorted(found.serials.days))
        num = np.where(serial, _of_serials(view, machine, found, by_pieces=by_pieces), num)
    num = np.minimum(np.where(counting, num, 0.0), den)
    shown = {
        "ids": len({one.id for one in found.shown if not one.sampled}),
        "entropy_bits": found.entropy(),
        "of": "pieces" if by_pieces else "executing time",
        **_serial(found),
        **({"days_beyond_evidence": int(untold.sum())} if untold.any() else {}),
    }
    return Shares(num, den, flags=found.flags, shown=shown)


INDICATOR = Indicator(
    id="T01",
    ko="로트·시리얼 연계율",
    en="Lot/serial binding",
    unit="1",
    formula="pieces counted under a valid lot or serial number / pieces (executing time without a counter); what "
    "came while nothing was known is left out; of serial numbers, the share of time with a valid one, at most one "
    "piece (or as many as usual) for each that was new, less the share of a sample that was used again",
    source="readiness.md 7.3 T; decisions 49 and 71",
    inputs=("tracks", "ids", "counts", "meanings", "about", "schedule", "censored"),
    reasons=("NA_NO_SCHEDULE", "NA_NO_EVIDENCE", "NA_SHORT_WINDOW", "NA_SELF_FAULT", "NA_ROLE_UNCONFIRMED"),
    guard="an id that is constant, a placeholder, used again, or that stays when the product changes binds "
    "nothing; the entropy of ids is shown",
    evaluate=evaluate,
    roles=True,
)
