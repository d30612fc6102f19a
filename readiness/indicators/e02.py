"""E02 Baseline quality: how well energy per day can be told from what was made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from readiness.counting import by_day
from readiness.energy import baseline, daily, meters_of
from readiness.indicators.base import Given, Indicator, Missing, Outcome
from readiness.production import production
from readiness.stats import Z

if TYPE_CHECKING:
    from contract.report import Reason
    from readiness.indicators.base import Shown
    from readiness.production import Quantity
    from readiness.view import View

HISTORY_DAYS = 400
HOUR_NS = 3_600_000_000_000
KNOWN = 0.95
KINDS: tuple[Quantity, ...] = ("total", "good", "reject")
LACKS: dict[str, Reason] = {
    "days": "NA_SHORT_WINDOW",
    "variation": "NA_NO_VARIATION",
    "consumption": "NA_NO_EVIDENCE",
}


def evaluate(view: View, machine: str) -> Outcome:
    """Return CV(RMSE) of daily energy on days that the baseline was not fitted on, over all evidence given."""
    whole = view.over(HISTORY_DAYS)
    if not view.calendar.has_schedule():
        return Missing("NA_NO_SCHEDULE")
    if (reason := whole.lack(machine, "energy")) is not None:
        return Missing(reason)
    facts = production(whole, machine)
    total, meters = facts.quantity("total") or facts.quantity("good"), meters_of(whole, machine, "machine")
    if total is None or not meters:
        return Missing("NA_NO_EVIDENCE")
    kwh, seen = daily(whole, meters)
    parts = [c for kind in KINDS if (c := facts.counted(kind)) is not None and c.name in total.name.split(" ")]
    days = seen & daily(whole, parts)[1] & (whole.counting(machine) > 0)
    hours = whole.machine_by_day(machine, facts.executing) / HOUR_NS
    stated = whole.machine_by_day(machine, facts.known) >= KNOWN * whole.counting(machine)
    other = hours[days] if bool(stated[days].all()) else None
    model = baseline(kwh[days], by_day(whole, total)[days], other)
    if isinstance(model, str):
        return Missing(LACKS[model])
    shown: dict[str, Shown] = {
        "base_kwh": model.base,
        "kwh_per_piece": model.per_piece,
        "kwh_per_hour": model.per_other,
        "days_fitted": model.trained,
    }
    return Given(model.cv, *model.limits(Z), model.tried, shown=shown)


INDICATOR = Indicator(
    id="E02",
    ko="원단위 기준선 품질",
    en="Baseline quality",
    unit="1",
    formula="CV(RMSE) of daily kWh = a + b pieces + c hours of executing on the last third of at least 40 "
    "production days, fitted on the first two thirds; limits as of a standard deviation (chi-square), wider by "
    "what the mean and the parameters leave open",
    source="readiness.md 7.3 E, 5.4; ISO 50006",
    inputs=("counts", "tracks", "meanings", "schedule", "censored"),
    reasons=(
        "NA_NO_SCHEDULE",
        "NA_NO_EVIDENCE",
        "NA_SHORT_WINDOW",
        "NA_ROLE_UNCONFIRMED",
        "NA_NO_VARIATION",
        "NOT_APPLICABLE",
    ),
    guard="energy per piece alone falls with volume and is not scored; at most one parameter for ten days of "
    "fitting, and the error is that of days not fitted on",
    evaluate=evaluate,
    roles=True,
    production=True,
)
