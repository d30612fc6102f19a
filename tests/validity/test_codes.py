"""Each code of each indicator: there when what it stands for is withheld, and on the whole plant nowhere.

What is taken away is taken from a view of the whole chain, or does not happen on a plant of its own. With
`test_withheld` (input by input) this is "not assessed exactly when the evidence is withheld".
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.frame import Facts
from readiness.indicators import REGISTRY
from readiness.indicators.base import Missing
from readiness.nature import OF_PIECES
from readiness.outcomes import outcome
from readiness.report import Assessment
from tests.readiness.plant import SITE
from tests.validity import mill, oven, press
from tests.validity.chain import World
from tests.validity.cheats import DAYS, LEVEL, edited
from tests.validity.ours import silenced
from tests.validity.press import EXECUTING, OFF
from tests.validity.rows import ROWS
from tests.validity.shop import Site, works
from tests.validity.small import CALM, only, told
from tests.validity.test_withheld import left
from tests.validity.tricks import TRICKS

if TYPE_CHECKING:
    from collections.abc import Callable

    from readiness.view import View
    from tests.validity.shop import Column, Floats

CODES = [(name, code) for name, indicator in REGISTRY.items() for code in indicator.reasons]
STEADY = ("lot", "order", "product", "recipe", "sp-0", "sp-1", "sp-2", "good", "reject")
TRIED = {(trick.id, trick.reason) for trick in TRICKS}
"""Codes that a trick earns: `test_gaming` has them."""


def _since(view: View, production: int) -> set[str]:
    """Return the dates from the given last production day on."""
    planned = [d for d in view.dates if view.calendar.planned_spans(d).length()]
    return {d.isoformat() for d in view.dates if d >= planned[-production]}


@functools.cache
def nine() -> View:
    """The last nine production days alone, of evidence and of what people wrote down."""
    view = told(*CALM).view
    dates = _since(view, 9)
    tallies = {key: counts for key, counts in view.tallies.items() if key[0] in dates}
    use = [u for u in view.plant.use if u.day in dates]
    days = [d for d in view.days if d.day in dates]
    return replace(view, days=days, tallies=tallies, plant=replace(view.plant, use=use))


@functools.cache
def four() -> View:
    """The last four production days, less than ten days even where days without work count."""
    view = told(*CALM).view
    return replace(view, days=[d for d in view.days if d.day in _since(view, 4)])


@functools.cache
def weekend() -> View:
    """Two days on which nothing was planned."""
    view = told(*CALM).view
    idle = {d.isoformat() for d in view.dates if not view.calendar.planned_spans(d).length()}
    return replace(view, days=[d for d in view.days if d.day in idle])


@functools.cache
def nothing() -> View:
    """No day of evidence, and nothing that people wrote down about use."""
    view = told(*CALM).view
    return replace(view, days=[], tallies={}, plant=replace(view.plant, use=()))


@functools.cache
def guessed() -> View:
    """Nobody has confirmed what any signal means."""
    view = told(*CALM).view
    meanings = {name: replace(meaning, origin="guess") for name, meaning in view.plant.meanings.items()}
    return replace(view, plant=replace(view.plant, meanings=meanings))


@functools.cache
def away() -> View:
    """We ourselves were away nearly all of the time, and what came later came from a backlog."""
    view = silenced(told(*CALM).world, 0.99, ("agent_off",), 10**7).view()
    window = {d.isoformat() for d in view.dates}
    tallies = {(day, key.replace("-edge", "-dirty")): counts for (day, key), counts in view.tallies.items()}
    return replace(view, tallies=tallies, days=[d for d in view.days if d.day in window])


def _first(name: str) -> Callable[[dict[str, Column], Floats], Column]:
    return lambda old, _: np.full_like(old[name], old[name][0])


@functools.cache
def uneventful() -> View:
    """Machines that work through their shifts: no stop, no piece, one lot, one set point; and each day is alike."""
    site = Site(LEVEL, 1, days=DAYS, history=56)
    one = edited(press.press(site), site, {
        "state": lambda _, s: np.where(works(s), EXECUTING, OFF),
        "total": lambda _, s: np.zeros(len(s), np.int64),
        **{name: _first(name) for name in STEADY},
    })  # fmt: skip
    two = edited(oven.oven(site), site, {
        "total": lambda _, s: np.cumsum(works(s)), "state": lambda _, s: np.where(works(s), EXECUTING, OFF),
    })  # fmt: skip
    two = edited(two, site, {
        "l-sp-0": lambda old, _: np.full_like(old["l-sp-0"], 100.0),
        "l-alert": lambda old, _: np.zeros(len(old["l-alert"]), np.bool_),
    }, 1)  # fmt: skip
    two = replace(two, loops=two.loops[:2])
    three = mill.robot(site)
    said = Facts(kind="connection", time_ns=site.start_ns, subject="robot-1-plc", body={"protocol": "modbus"})
    return World(site, [one, two, replace(three, items=[*three.items, said])]).view()


@functools.cache
def ahead() -> View:
    """The store's clock is behind the devices'."""
    view = told(*CALM).view
    tallies = {key: {-abs(bucket): n for bucket, n in counts.items()} for key, counts in view.tallies.items()}
    return replace(view, tallies=tallies)


@functools.cache
def batches() -> View:
    """A machine that makes batches, not pieces."""
    few = only(told(*CALM).world, "mill-1")
    (part,) = few.parts
    assert part.about is not None
    return replace(few, parts=[replace(part, about=replace(part.about, kind="batch"))]).view()


@functools.cache
def utility(machine: str) -> View:
    """A machine that makes nothing, as somebody says, and that counts nothing."""
    view = told(*CALM).view
    about = {**view.plant.about, machine: replace(view.plant.of(machine), kind="utility")}
    meanings = {
        name: meaning
        for name, meaning in view.plant.meanings.items()
        if meaning.role not in OF_PIECES or not name.startswith(f"{machine}/")
    }
    return replace(view, plant=replace(view.plant, about=about, meanings=meanings))


OF_ALL: dict[str, Callable[[], View]] = {
    "NA_NO_SCHEDULE": lambda: left("schedule"),
    "NA_NO_EVIDENCE": nothing,
    "NA_SHORT_WINDOW": nine,
    "NA_SELF_FAULT": away,
    "NA_ROLE_UNCONFIRMED": guessed,
}
OF_ONE: dict[tuple[str, str], tuple[Callable[[], View], str]] = {
    ("L01", "NA_SELF_FAULT"): (lambda: left("values"), "pump-1"),  # no record tells whether anything moved
    ("A02", "NA_NO_EVIDENCE"): (lambda: left("catalog"), "mill-1"),
    ("Q09", "NA_NO_EVIDENCE"): (lambda: left("catalog"), "line-1"),
    ("R01", "NA_SHORT_WINDOW"): (weekend, "oven-1"),
    ("E01", "NA_SHORT_WINDOW"): (four, "oven-1"),
    ("A04", "NA_CLOCK"): (ahead, "pump-1"),
    ("A06", "NOT_APPLICABLE"): (lambda: told(*CALM).view, "cnc-1"),
    ("Q04", "NOT_APPLICABLE"): (lambda: told(*CALM).view, "saw-1"),
    ("Q04", "NA_FEW_EVENTS"): (lambda: told(*CALM).view, "line-1"),
    ("Q06", "NOT_APPLICABLE"): (lambda: told(*CALM).view, "press-1"),
    ("V04", "NOT_APPLICABLE"): (batches, "mill-1"),
    ("V04", "NA_FEW_EVENTS"): (uneventful, "press-1"),
    ("V05", "NA_FEW_EVENTS"): (uneventful, "press-1"),
    ("R03", "NA_FEW_EVENTS"): (uneventful, "oven-1"),
    ("U03", "NA_FEW_EVENTS"): (uneventful, "oven-1"),
    ("U04", "NA_FEW_EVENTS"): (uneventful, "press-1"),
    ("T03", "NA_FEW_EVENTS"): (uneventful, "press-1"),
    ("L02", "NA_FEW_EVENTS"): (uneventful, "oven-1"),
    ("L03", "NA_FEW_EVENTS"): (uneventful, "oven-1"),
    ("E02", "NA_NO_VARIATION"): (uneventful, "oven-1"),
    ("S03", "NOT_APPLICABLE"): (uneventful, "robot-1"),
}


@pytest.mark.parametrize(("name", "code"), [pair for pair in CODES if pair not in TRIED], ids=lambda x: x)
def test_a_code_is_there_when_its_evidence_is_withheld(name: str, code: str) -> None:
    row = next(r for r in ROWS if r.id == name)
    if code == "NA_NO_INVENTORY":
        empty = replace(told(*CALM).view, plant=replace(told(*CALM).view.plant, machines=()))
        assert Assessment(empty, SITE, "0" * 16).values()[name].reason == code
        return
    if code == "NOT_APPLICABLE" and row.indicator.production and (name, code) not in OF_ONE:
        assert outcome(utility(row.machine), row.indicator, row.machine) == Missing("NOT_APPLICABLE")
        return
    make, machine = OF_ONE.get((name, code)) or (OF_ALL[code], row.machine)
    said = row.indicator.evaluate(make(), machine)
    assert isinstance(said, Missing), said
    assert said.reason == code


@pytest.mark.parametrize("row", ROWS, ids=lambda r: f"{r.id}-{r.machine}")
def test_no_code_is_there_while_nothing_is_withheld(row: object) -> None:
    found = next(r for r in ROWS if r is row)
    assert not isinstance(outcome(told(*CALM).view, found.indicator, found.machine), Missing)
