"""An indicator is missing exactly when evidence that it cannot do without is withheld, input by input.

Of each of its inputs, an indicator is asked what it finds without it. It answers with a reason, or, where the input
only guards, corrects or completes it, with a value; which of the two is stated here, so that a change is noticed.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from readiness.indicators.base import Missing
from tests.readiness.indicators.story import WITHOUT_SCHEDULE
from tests.validity.rows import ROWS, number
from tests.validity.small import CALM, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from readiness.evidence import DayEvidence, SourceDay
    from readiness.indicators.base import Outcome
    from readiness.view import View
    from tests.validity.rows import Row

CLEAN: dict[str, dict[str, object]] = {
    "tracks": {"tracks": {}},
    "counts": {"counts": {}},
    "values": {"values": {}},
    "ids": {"ids": {}},
    "jitter": {"jitter": []},
    "order": {"rows": 0, "with_source_time": 0, "repeated": 0, "disordered": 0},
}
OF_DAYS: dict[str, dict[str, object]] = {
    "connection": {"connections": {}},
    "native": {"native": {}},
    "loops": {"loops": {}},
    "bursts": {"bursts": {}},
    "skew": {"skews": {}},
    "offers": {"offers": {}},
    "certificates": {"certificates": {}},
    "access": {"access": {}},
}
OF_PLANT: dict[str, dict[str, object]] = {
    "meanings": {"meanings": {}},
    "products": {"products": {}},
    "hand_counts": {"hand_counts": ()},
    "stop_reasons": {"reasons": ()},
    "systems": {"systems": ()},
    "use": {"use": ()},
    "bills": {"bills": ()},
    "about": {"about": {}},
    "loops": {"loops": ()},
}
ABSENCE = {"uncertain", "bad", "censored"}
"""Inputs whose absence is a statement: nothing was uncertain, refused or censored."""


def of_parts(view: View, change: Callable[[SourceDay], SourceDay]) -> View:
    days = [structs.replace(d, sources=[change(p) for p in d.sources]) for d in view.days]
    return replace(view, days=days)


def of_days(view: View, fields: dict[str, object]) -> View:
    def change(day: DayEvidence) -> DayEvidence:
        return structs.replace(day, **fields)

    return replace(view, days=[change(d) for d in view.days])


def without_alarms(view: View) -> View:
    meanings = {key: m for key, m in view.plant.meanings.items() if m.role != "alarm"}
    return replace(view, plant=replace(view.plant, meanings=meanings))


OF_VIEW: dict[str, Callable[[View], View]] = {
    # What a source that was read leaves of itself: nothing.
    "known": lambda view: of_days(view, {"sources": []}),
    "live": lambda view: of_days(view, {"sources": []}),
    "latency": lambda view: replace(view, tallies={}),
    "schedule": lambda view: replace(view, calendar=WITHOUT_SCHEDULE),
    "inventory": lambda view: replace(view, plant=replace(view.plant, machines=())),
    "catalog": lambda view: replace(view, catalog=()),
    "alarms": without_alarms,
}


def without(view: View, name: str) -> View:
    """Return a view from which one input is withheld."""
    assert name in {*OF_PLANT, *OF_DAYS, *CLEAN, *OF_VIEW}
    if name in OF_PLANT:
        view = replace(view, plant=replace(view.plant, **OF_PLANT[name]))  # type: ignore[arg-type]
    if name in OF_DAYS:
        view = of_days(view, OF_DAYS[name])
    if name in CLEAN:
        view = of_parts(view, lambda part: structs.replace(part, **CLEAN[name]))
    return OF_VIEW[name](view) if name in OF_VIEW else view


@functools.cache
def left(withheld: str) -> View:
    """Return what is left of the calm plant without one input."""
    return without(told(*CALM).view, withheld)


def ask(view: View, row: Row) -> Outcome | None:
    """Return what a row finds, None if its machine is not declared any more: then nobody asks."""
    if row.machine not in view.tags:
        return None
    return row.indicator.evaluate(view, row.machine)


ROWS_AT = {(row.id, name): row for row in reversed(ROWS) for name in row.indicator.inputs if name not in ABSENCE}
GUARDS = {
    # They guard the value or share it out, and do not make it: without them a guard has nothing to strike at.
    "about": "C02 L02 R02 R03 S01 T01 T02 U01 U03 U04 V01 V02 V03 V04 V05",
    "alarms": "U02 V05",
    "bills": "E01",
    "loops": "L03",
    "meanings": "A01 C04 L01 Q01 Q09 R01",
    "order": "A01",
    "stop_reasons": "R01 V05",
    "systems": "L04",
    "values": "A01 C01 Q01 Q08 V01",
    # Something else tells the same, more coarsely; the formula flags it or drops a parameter.
    "bursts": "Q05",
    "counts": "A01 A03 C01 L01 L02 Q01 R01 T01 T02 U01",
    "hand_counts": "V02",
    "ids": "T01 T03",
    "native": "C02 Q09",
    "products": "Q07",
    "tracks": "A01 C01 E01 E02 L01 L02 Q01 Q07 R01 V01 V02 V04",
    # Nothing is connected at all, or a state never said what it is: that is the finding.
    "catalog": "C01",
}
"""Input -> indicators that answer with a value without it."""


@pytest.mark.parametrize(("name", "withheld"), sorted(ROWS_AT), ids=lambda x: x)
def test_without_an_input_it_is_missing_or_says_so(name: str, withheld: str) -> None:
    row = ROWS_AT[name, withheld]
    found = ask(left(withheld), row)
    if name in GUARDS.get(withheld, "").split():
        assert found is not None
        assert not isinstance(found, Missing), found
    else:
        assert found is None or isinstance(found, Missing), (number(found), found.flags)
        assert found is None or found.reason in row.indicator.reasons
