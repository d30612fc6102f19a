"""A press with states, counters and measured values, told reading by reading, for the tests of Q and V."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from readiness.indicators.base import Given, Missing, Rates, Sample, Shares
from readiness.plant import Meaning, Product
from tests.readiness.indicators.story import NOTHING, Story

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from readiness.indicators.base import Found, Outcome

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

LABELS = (0, 1, 2, 3, 4)
STANDBY, EXECUTING, SETUP, FAULT, OFF = LABELS
STATE = Meaning(role="state", states={0: "standby", 1: "executing", 2: "setup", 3: "fault", 4: "off"})
PV = Meaning(role="pv")
TOTAL, GOOD, REJECT = (Meaning(role=f"count_{kind}") for kind in ("total", "good", "reject"))
PART = Product(id="p", name="부품", ideal_s={"press": 30.0})


def shift(story: Story) -> Ints:
    """Return states: off, and in planned time executing with half an hour each of setup, standby and fault."""
    clock = story.clock()
    state = np.full(story.n, OFF)
    state[story.planned()] = EXECUTING
    for hour, what in ((3, SETUP), (6, STANDBY), (9, FAULT)):
        state[story.planned() & (clock >= hour) & (clock < hour + 0.5)] = what
    return state


def pieces(state: Ints, each: int = 1) -> Ints:
    """Return a counter that counts `each` in every reading of execution."""
    return np.asarray(np.cumsum((state == EXECUTING) * each))


def noisy(n: int, seed: int = 1) -> Floats:
    """Return a value that is another one in each reading."""
    return 50 + np.random.default_rng(seed).normal(0, 1, n).round(3) + np.arange(n) % 2 * 0.0001


def press(**about: Any) -> Story:
    """Return the press; what is given replaces or adds to what it says."""
    base = Story(**{k: about[k] for k in ("days", "step_s", "length") if k in about})
    state = about.pop("state", None)
    state = shift(base) if state is None else state
    total = pieces(state)
    reject = total // 50
    fields: dict[str, Any] = {
        "tracks": {"state": (state, LABELS)},
        "counters": {"total": total, "good": total - reject, "reject": reject},
        "values": {"pv": noisy(base.n)},
        "meanings": {"state": STATE, "pv": PV, "total": TOTAL, "good": GOOD, "reject": REJECT},
    }
    for name in ("tracks", "counters", "values", "meanings"):
        fields[name] = {**fields[name], **about.pop(name, {})}
    for name in about.pop("without", ()):
        for kind in ("tracks", "counters", "values", "meanings"):
            fields[kind].pop(name, None)
    return Story(**{**fields, **about})


def mean(found: Outcome) -> float:
    """Return the value of an outcome."""
    assert not isinstance(found, Missing), found
    if isinstance(found, Sample):
        return float(np.median(found.values))
    if isinstance(found, Rates):
        return float(found.per * found.num.sum() / found.den.sum())
    if hasattr(found, "num"):
        return float(found.num.sum() / found.den.sum())  # type: ignore[union-attr]
    return float(found.value)  # type: ignore[union-attr]


def found(outcome: Outcome) -> Found:
    """Return an outcome that is not missing."""
    assert not isinstance(outcome, Missing), outcome
    return outcome


def reason(outcome: Outcome) -> str:
    """Return why an outcome is missing."""
    assert isinstance(outcome, Missing), outcome
    return outcome.reason


def shares(outcome: Outcome) -> Shares:
    """Return an outcome that is shares of time."""
    assert isinstance(outcome, Shares), outcome
    return outcome


def given(outcome: Outcome) -> Given:
    """Return an outcome with limits of its own."""
    assert isinstance(outcome, Given), outcome
    return outcome


def lost(row: Ints, where: Bools) -> Ints:
    """Return a row whose readings failed somewhere."""
    return np.where(where, NOTHING, row)
