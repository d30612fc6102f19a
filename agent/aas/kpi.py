"""IDTA 02066-1-0, Process Variables for Manufacturing KPI Calculation: sums over the window of the report. Pure.

A variable without evidence is left out. Times are those of `readiness.timemodel`, of the planned time that counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.aas.elements import collection, model, prop, submodel, text
from readiness.production import production
from readiness.timemodel import TERMS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.aas.elements import Element
    from readiness.view import View

NAME = "ProcessVariablesForManufacturingKPICalculation"
SEMANTIC = f"https://admin-shell.io/idta/SubmodelTemplate/{NAME}/1/0"
_FIELD = f"https://admin-shell.io/idta/{NAME}"
NANO, MICRO = 1_000_000_000, 1_000_000


def duration(nanoseconds: float) -> str:
    """Return an xs:duration, to the microsecond."""
    seconds, micros = divmod(round(nanoseconds / 1000), MICRO)
    return f"PT{seconds}S" if not micros else f"PT{seconds}.{micros:06d}".rstrip("0") + "S"


def of_machine(id_: str, view: View, machine: str) -> Element | None:
    """Return the submodel of a machine; None where nothing of it is known."""
    elements = [_element(key, kind, value, _window(view)) for key, kind, value in _variables(view, machine)]
    return submodel(id_, NAME, model(("Submodel", SEMANTIC)), ("1", "0"), None, elements) if elements else None


def _variables(view: View, machine: str) -> Iterator[tuple[str, str, str]]:
    """Yield abbreviation, XML type and value of each variable that is known."""
    if view.shortfall(machine) == "NA_NO_SCHEDULE" or not view.tags.get(machine):
        return
    facts = production(view, machine)
    times = facts.times
    if int(times.pbt.sum()):
        yield "PBT", "xs:duration", duration(int(times.pbt.sum()))
        if int(times.unknown.sum()) < int(times.pbt.sum()):
            named = {
                "APT": times.apt, "AUST": times.aust, "AUPT": times.aupt, "ADET": times.adet, "ADOT": times.adot,
                "AUBT": times.aubt,
            }  # fmt: skip
            for key, row in named.items():
                yield key, "xs:duration", duration(int(row.sum()))
    for key, kind in (("PQ", "total"), ("GQ", "good"), ("SQ", "reject")):
        if facts.quantity(kind) is not None:  # type: ignore[arg-type]  # the three kinds
            pieces = float(facts.made(kind, facts.counted_domain).sum())  # type: ignore[arg-type]
            yield key, "xs:decimal", f"{pieces:.6f}".rstrip("0").rstrip(".")
    ideals = {p.ideal_s[machine] for p in view.plant.products.values() if machine in p.ideal_s}
    if len(ideals) == 1:  # of several products, there is no one time per item
        yield "PRI", "xs:duration", duration(ideals.pop() * NANO)


def _element(key: str, kind: str, value: str, comment: str) -> Element:
    name, meaning = TERMS[key]
    return collection(
        name,
        meaning,
        [
            prop("key", f"{_FIELD}/key/1/0", "xs:string", key),
            prop("currentValue", f"{_FIELD}/currentValue/1/0", kind, value),
            text("comment", f"{_FIELD}/comment/1/0", comment, "en"),
        ],
    )


def _window(view: View) -> str:
    return f"sum over {view.dates[0]} to {view.dates[-1]} ({view.calendar.zone}), planned time that was observed"
