"""T02 Order, product and recipe context: whether one knows for what a machine was working."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from readiness.context import consistent, episodes, named, said
from readiness.indicators.absent import absent, shortfall
from readiness.indicators.base import Indicator, Missing, Outcome, Shares
from readiness.production import production
from readiness.seen import names_something
from readiness.spans import intersection
from readiness.view import NEEDED_DAYS

if TYPE_CHECKING:
    from readiness.seen import Labelled
    from readiness.view import View


def never_closed(view: View, machine: str, order: Labelled) -> bool:
    """Return whether one order was open all the time, though the machine was set up or its lots changed."""
    facts = production(view, machine)
    worked = view.machine_by_day(machine, facts.executing) > 0
    lots = len({lot.id for lot in facts.lots})
    ends = sum(stop.state == "setup" for stop in facts.stops) + max(lots - 1, 0) + len(facts.changeovers or ())
    return len(episodes(order)) == 1 and int(worked.sum()) >= NEEDED_DAYS and ends > 0


def evaluate(view: View, machine: str) -> Outcome:
    """Return executing time with order, product and recipe known and consistent, of executing time."""
    if (short := shortfall(view, machine)) is not None:
        return short
    facts = production(view, machine)
    single = facts.single_product
    roles = ("order", "recipe") if single else ("order", "product", "recipe")
    if (reason := view.lack(machine, "state")) is not None:
        return Missing(reason)
    if (reason := view.lack(machine, *roles)) is not None:
        return absent(view, machine, reason)
    tracks = [track for role in roles if (track := said(view, machine, role)) is not None]
    counting = view.counting(machine) > 0
    den = np.where(counting, view.machine_by_day(machine, facts.executing), 0.0)
    if len(tracks) < len(roles) or not den.any():
        return Missing("NA_NO_EVIDENCE")
    order, *others = tracks
    shown = reduce(intersection, [named(track) for track in tracks])
    stale = never_closed(view, machine, order)
    fits = intersection(shown, consistent(order, others))
    num = view.machine_by_day(machine, intersection(facts.executing, fits))
    all_known = view.machine_by_day(machine, intersection(facts.executing, shown))
    flags = ("STALE_ORDER",) * (stale or float(num.sum()) < float(all_known.sum()))
    numbers = {
        "known": float(np.where(counting, all_known, 0.0).sum() / den.sum()),
        "orders": len({str(label) for label in order.label if names_something(label)}),
    }
    return Shares(np.where(counting & (not stale), num, 0.0), den, flags=flags, shown=numbers)


INDICATOR = Indicator(
    id="T02",
    ko="작업·품목·레시피 연계율",
    en="Order/product/recipe context",
    unit="1",
    formula="executing time in which order, product and recipe were known and fitted together / executing time; "
    "the product is left out where there is only one",
    source="readiness.md 7.3 T; decision 49",
    inputs=("tracks", "counts", "meanings", "about", "schedule", "censored"),
    reasons=("NA_NO_SCHEDULE", "NA_NO_EVIDENCE", "NA_SHORT_WINDOW", "NA_SELF_FAULT", "NA_ROLE_UNCONFIRMED"),
    guard="an order that stays open when product or recipe change is stale from then on; one that is open all the "
    "time, through set-ups or lots, is worth nothing",
    evaluate=evaluate,
    roles=True,
)
