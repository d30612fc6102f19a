"""What a machine did on a day, for its signed record: the sums of ISO 22400-2 beside the indicators.

    metric   num / den of a day                 value over any days
    APT      APT / PBT                          availability
    AUST     AUST / PBT                         share of planned time for setting up
    ADET     ADET / PBT                         ... stopped by a fault
    ADOT     ADOT / PBT                         ... that could run and does not
    OFF      switched off / PBT
    UNK      nothing known / PBT
    E        PRI PQ / APT with an ideal cycle   effectiveness
    QR       PRI GQ / PRI PQ                    quality rate
    OEE      A E QR PBT / PBT                   overall equipment effectiveness index
    PQ       pieces / PBT                       pieces an hour of planned time
    EC       kWh / 1                            kilowatt-hours a day, planned or not

Numerators and denominators are added up over days and machines and divided last; times are seconds. The six shares
of PBT add up to 1 each day. They are no indicators: they say what a plant does, not whether it can tell, so they
have no score, and the report does not hold them. What has no evidence is not assessed, with the reason, and no
element is made from the pieces of another one: without an ideal cycle there is no effectiveness, and no OEE.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from readiness.energy import daily, meters_of
from readiness.indicators.base import Missing, Outcome, Rates
from readiness.production import production

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from contract.report import Reason
    from readiness.plant import State
    from readiness.production import Production
    from readiness.view import View

    Floats = NDArray[np.float64]

SECOND = 1e9
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Element:
    """One metric of the record: `evaluate` looks at one machine, like an indicator's."""

    id: str
    ko: str
    en: str
    unit: str
    evaluate: Callable[[View, str], Outcome]
    scope: Literal["machine"] = "machine"


def _lack(view: View, machine: str) -> Reason | None:
    """Return why nothing can be said of what the machine did; a day stands for itself, however short the window."""
    if not view.tags.get(machine):
        return "NA_NO_EVIDENCE"
    return view.lack(machine, "state")


def _of_time(state: State | None) -> Callable[[View, str], Outcome]:
    def evaluate(view: View, machine: str) -> Outcome:
        if (reason := _lack(view, machine)) is not None:
            return Missing(reason)
        times = production(view, machine).times
        part = times.unknown if state is None else times.states[state]
        return Rates(part / SECOND, times.pbt / SECOND)

    return evaluate


def _ratio(part: Callable[[Production], Floats], whole: Callable[[Production], Floats]) -> Callable[..., Outcome]:
    """Return an element of two rows; days on which `whole` is nothing do not count."""

    def evaluate(view: View, machine: str) -> Outcome:
        if (reason := _lack(view, machine) or view.lack(machine, "count_total")) is not None:
            return Missing(reason)
        made = production(view, machine)
        over = whole(made)
        if not over.any():
            return Missing("NA_NO_EVIDENCE")
        return Rates(np.where(over > 0, part(made), 0.0) / SECOND, over / SECOND)

    return evaluate


def _overall(made: Production) -> Floats:
    """Return A E QR PBT of each day: the part of APT that E and QR were seen in stands for all of it."""
    effective = np.divide(made.earned.total, made.priced_time, out=_zero(made), where=made.priced_time > 0)
    good = np.divide(made.earned.good, made.earned.checked, out=_zero(made), where=made.earned.checked > 0)
    return np.asarray(made.times.apt * effective * good)


def _judged(made: Production) -> Floats:
    """Return PBT of the days of which effectiveness and quality are known, or on which nothing was produced."""
    told = (made.priced_time > 0) & (made.earned.checked > 0)
    idle = (made.times.apt == 0) & bool(told.any())
    return np.where(told | idle, made.times.pbt, 0.0)


def _zero(made: Production) -> Floats:
    return np.zeros(len(made.view.dates))


def _pieces(view: View, machine: str) -> Outcome:
    if (reason := _lack(view, machine) or view.lack(machine, "count_total")) is not None:
        return Missing(reason)
    made = production(view, machine)
    return Rates(made.made("total", made.domain), made.times.pbt / SECOND, per=HOUR_S)


def _energy(view: View, machine: str) -> Outcome:
    meters = meters_of(view, machine, "machine")
    if (reason := _lack(view, machine)) is not None:
        return Missing(reason)
    if not meters:
        return Missing(view.lack(machine, "energy") or "NA_NO_EVIDENCE")
    kwh, seen = daily(view, meters)
    return Rates(np.where(seen, kwh, 0.0), seen.astype(np.float64))


def _time(name: str, ko: str, en: str, state: State | None) -> Element:
    return Element(name, ko, en, "1", _of_time(state))


_ALL = (
    _time("APT", "실가동 시간", "Actual production time", "executing"),
    _time("AUST", "준비·교체 시간", "Actual unit setup time", "setup"),
    _time("ADET", "고장 정지 시간", "Actual unit delay time", "fault"),
    _time("ADOT", "대기 시간", "Actual unit down time", "standby"),
    _time("OFF", "전원 꺼짐 시간", "Switched off", "off"),
    _time("UNK", "상태 모름 시간", "Unknown", None),
    Element("E", "성능 가동률", "Effectiveness", "1", _ratio(lambda p: p.earned.total, lambda p: p.priced_time)),
    Element("QR", "양품률", "Quality rate", "1", _ratio(lambda p: p.earned.good, lambda p: p.earned.checked)),
    Element("OEE", "설비종합효율", "Overall equipment effectiveness index", "1", _ratio(_overall, _judged)),
    Element("PQ", "생산 수량", "Produced quantity", "1/h", _pieces),
    Element("EC", "전력 사용량", "Energy consumption", "kWh/d", _energy),
)
ELEMENTS: Mapping[str, Element] = {element.id: element for element in _ALL}
