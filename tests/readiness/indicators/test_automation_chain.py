"""R, U, E, T and L over the real analyzers: a machine read frame by frame gives what hand-made evidence gives."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from agent.analyzers.evidence import make
from agent.frame import Alarm, FrameBlock, Status, Watermark
from readiness.evidence import load
from readiness.indicators import e01, e02, l01, l02, l03, r01, r02, r03, t01, t02, t03, u01, u02, u03, u04
from readiness.indicators.base import Census, Events, Given, Missing, Outcome, Rates, Shares
from readiness.plant import About, ControlLoop, Installed, Meaning
from tests.readiness.indicators.press import EXECUTING, FAULT, PV, REJECT, TOTAL, noisy, pieces, shift
from tests.readiness.indicators.test_quality_chain import said
from tests.readiness.indicators.worlds import MODE, presses, view_of, working
from tests.readiness.plant import CALENDAR, MINUTE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.frame import Item, Source
    from readiness.evidence import DayEvidence
    from readiness.indicators.base import Indicator
    from readiness.view import View
    from tests.readiness.indicators.story import Story

DAYS = 63  # forty-five of them production days, for the baseline of energy
BASE = working(DAYS, 300)
CLOCK, DAY, N = BASE.clock(), np.arange(BASE.n) // BASE.per_day, BASE.n
RNG = np.random.default_rng(21)
LOOPS = [
    ControlLoop(machine="press", name=name, sp="sp-a", pv=f"pv-{name}", op="op", mode="mode", band=2.0, tau_s=600.0)
    for name in "abc"
]
TAGS: dict[str, dict[str, object]] = {
    "jam": {"alarm": Alarm("소재 걸림", "high")},
    "hot": {"alarm": Alarm("유압 온도 높음", "medium")},
}
BY_HAND = [m.INDICATOR for m in (e01, e02, l01, l03, r01, r02, r03, t01, t02, t03, u01, u02, u04)]
"""Loops have no hand-made evidence here; they are compared with the story itself."""


def followed(
    setting: np.ndarray[tuple[int], np.dtype[np.int64]], offset: int
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return a value that goes to its set point in five minutes, within a tenth."""
    late = np.concatenate([setting[:1], setting[:-1]])
    return late + 0.1 * np.sin(np.arange(N) + offset)


def story() -> Story:
    state = shift(BASE)
    faults = np.flatnonzero((state[1:] == FAULT) & (state[:-1] != FAULT)) + 1
    working_at = np.flatnonzero((state == EXECUTING) & (CLOCK < 11))[::31]
    alerts = np.sort(RNG.choice(working_at, 90, replace=False))
    lot, kind = DAY, DAY % 2
    setting = np.where(kind == 1, 80, 60)
    dark = (DAY % 9 == 1) & (CLOCK >= 7) & (CLOCK < 7.5)
    tracks = {
        "state": (state, (0, 1, 2, 3, 4)),
        "mode": (np.where((CLOCK >= 2) & (CLOCK < 3), 0, 1), (0, 1)),
        "reset": presses(BASE, alerts[::2] + 2),
        "jam": presses(BASE, alerts),
        "hot": presses(BASE, faults[::2], 3),
        "lot": (lot, [f"L{k:04d}" for k in range(DAYS)]),
        "order": (lot, [f"WO{k:04d}" for k in range(DAYS)]),
        "product": (kind, ("A", "B")),
        "recipe": (kind, ("RA", "RB")),
        "sp-a": (kind, (60, 80)),
        "sp-b": (kind, (10, 20)),
        "sp-c": (np.where(DAY % 3 == 0, np.roll(kind, 1), kind), (5, 6)),
        "op": (np.ones(N, np.int64), (0, 1)),
    }
    made = pieces(np.where(RNG.random(N) < 0.3 + 0.5 * (DAY % 4) / 4, state, 0))
    used = np.cumsum(2 + 3 * np.diff(made, prepend=0) + RNG.integers(0, 2, N))
    counters = {"total": made, "reject": made // 40, "kwh": used, "main": used * 2 + np.arange(N) // 3}
    values = {f"pv-{name}": followed(setting, k) for k, name in enumerate("abc")} | {"x": noisy(N)}
    roles = {"mode": MODE, "total": TOTAL, "reject": REJECT}
    roles |= {"kwh": Meaning(role="energy", meter="machine"), "main": Meaning(role="energy", meter="main")}
    roles |= {
        "reset": Meaning(role="intervention"),
        "jam": Meaning(role="alarm", action=True),
        "op": Meaning(role="op"),
    }
    roles |= {"hot": Meaning(role="alarm")}
    roles |= {name: Meaning(role=name) for name in ("lot", "order", "product", "recipe")}
    roles |= {name: Meaning(role="sp") for name in ("sp-a", "sp-b", "sp-c")}
    roles |= {name: replace(PV, critical=name == "pv-a") for name in values}
    points = {"1": "press/x", "2": "press/pv-a", "3": "press/sp-a", "4": None, "5": "press/op"}
    return replace(
        BASE,
        length=28,
        tracks={name: (np.where(dark, -1, row), labels) for name, (row, labels) in tracks.items()},
        counters={name: np.where(dark, -1, row) for name, row in counters.items()},
        values={name: np.where(dark, np.nan, row) for name, row in values.items()},
        meanings={**BASE.meanings, **roles},
        about={
            "loops": LOOPS,
            "systems": [Installed(id="mes", name="MES", kind="mes", points=points)],
            "about": {"press": About(single_product="no")},
        },
    )


def read(told: Story, source: Source) -> list[DayEvidence]:
    """Return the evidence that the analyzers make of the story's frames, a day a block."""
    rows = said(told)
    columns = [rows[signal.id] for signal in source.signals]
    analyzers, n = make([source], CALENDAR, loops=LOOPS), len(columns)
    found: dict[str, bytes] = {}
    for begin in range(0, told.n, 288):
        part = range(begin, min(begin + 288, told.n))
        values = [columns[k][i] for i in part for k in range(n)]
        status = [Status.GOOD if v is not None else Status.BAD_NO_COMMUNICATION for v in values]
        block: Item = FrameBlock(
            source=source,
            signal=np.tile(np.arange(n, dtype=np.int32), len(part)),
            time_ns=np.repeat(np.array([told.at(i) for i in part], np.int64), n),
            value=values,
            status=np.array(status, np.int64).astype(np.uint32),
        )
        analyzers.feed([block])
        found.update(analyzers.take_closed())
    analyzers.feed([Watermark(source.id, told.at(told.n) + 20 * MINUTE)])
    found.update(analyzers.take_closed())
    return [load(raw) for _, raw in sorted(found.items())]


@pytest.fixture(scope="module")
def views() -> tuple[View, View]:
    """Return the view on hand-made evidence, and the one on what the analyzers made."""
    told = story()
    by_hand = view_of(told, tags=TAGS)
    roles = {name.split("/")[1]: meaning.role for name, meaning in by_hand.plant.meanings.items()}
    source: Any = by_hand.catalog[0]
    source = replace(
        source, signals=tuple(replace(s, role=roles[s.id], role_confirmed=True) for s in source.signals)
    )  # fmt: skip
    return by_hand, replace(by_hand, days=read(told, source), catalog=[source])


def numbers(found: Outcome) -> Sequence[float]:
    """Return what a formula found, as numbers."""
    if isinstance(found, Shares | Events | Rates):
        return [*found.num.tolist(), *found.den.tolist()]
    assert isinstance(found, Census | Given), found
    return [found.value, found.lo, found.hi] if isinstance(found, Given) else [found.value]


@pytest.mark.parametrize("indicator", BY_HAND, ids=lambda i: i.id)
def test_the_analyzers_make_the_evidence_that_formulas_expect(
    indicator: Indicator, views: tuple[View, View]
) -> None:
    by_hand, by_machine = (indicator.evaluate(view, "press") for view in views)
    assert not isinstance(by_hand, Missing), by_hand
    assert not isinstance(by_machine, Missing), by_machine
    assert by_machine.flags == by_hand.flags
    assert by_machine.shown == pytest.approx(by_hand.shown)
    assert numbers(by_machine) == pytest.approx(numbers(by_hand), rel=1e-9)


def test_loops_that_follow_their_set_points_are_found(views: tuple[View, View]) -> None:
    held = u03.INDICATOR.evaluate(views[1], "press")
    assert isinstance(held, Census)
    assert (held.value, held.n) == (1.0, 3)
    moves = l02.INDICATOR.evaluate(views[1], "press")
    assert isinstance(moves, Events)
    # The set point changes when each of the twenty production days begins; three loops share it.
    assert moves.den.sum() == 3 * 20
    assert moves.num.sum() == moves.den.sum()
