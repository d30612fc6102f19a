"""Every trick of readiness.md 7.3 (and of its sections 0 and 5): the plant it is played on, and what comes of it.

What is judged is the value in the report: a trick is caught when the flag stands there, the score keeps below its
cap, the value is what the machine really is worth, or nothing is assessed for a stated reason.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from readiness.report import Assessment
from tests.readiness.plant import SITE
from tests.validity import alone, cheats

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from contract.report import Value
    from tests.validity.chain import World

NEAR = 0.05


@dataclass(frozen=True, slots=True)
class Trick:
    """One line.

    Attributes:
        id: Of the indicator that it aims at.
        machine: Where it is played.
        plant: Name of the plant it is played on, in `PLANTS`.
        what: What somebody does, or what happens to look better than it is.
        flag: That has to stand at the value.
        worth: What the value has to be, within NEAR.
        true: The value has to be the plant's truth instead, within NEAR.
        most: What the value may be at most.
        score: Points that it may get at most.
        reason: Why nothing is assessed.
        shown: Numbers that have to stand beside it.
    """

    id: str
    machine: str
    plant: str
    what: str
    flag: str = ""
    worth: float | None = None
    true: bool = False
    most: float | None = None
    score: float | None = None
    reason: str = ""
    shown: Mapping[str, float | None] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return f"{self.id} {self.machine}: {self.what}"


PLANTS: Mapping[str, Callable[[int], World]] = {"first": cheats.first, "second": cheats.second, **alone.PLANTS}

TRICKS = (
    Trick("C01", "lathe-1", "first", "a controller that answers and holds nothing", "NOTHING_MOVES", worth=0),
    Trick("C01", "robot-1", "short", "an inventory made shorter", "INVENTORY_UNSIGNED", shown={"declared": 2}),
    Trick("C02", "line-1", "first", "a gateway before a closed controller", "GATEWAY", most=50),
    Trick("C03", "robot-1", "first", "a link restarted by night", worth=1),  # no loss, and no credit either
    Trick("C04", "line-1", "first", "addresses for names", "UNREADABLE_NAMES", worth=0),
    Trick("X01", "robot-1", "first", "restarts by night thin out the long ones", reason="NA_FEW_EVENTS"),
    Trick("A01", "robot-1", "twice", "rows told twice, to be counted", true=True),
    Trick("A01", "press-1", "filled", "a gateway that repeats what it knew last", "FORWARD_FILL", score=60),
    Trick("A01", "press-1", "filled blind", "the same, without times of the device", "RESTING_TOGETHER"),
    Trick("A02", "mill-1", "first", "bursts while nothing runs", reason="NA_NO_BURST"),
    Trick("A02", "mill-1", "coarse", "steps of the converter that look like fast changes", true=True),
    Trick("A03", "saw-1", "first", "a bit that bounces", "BOUNCE", score=60),
    Trick("A04", "pump-1", "fresh", "a server that calls every value new", true=True),
    Trick("A05", "cnc-1", "first", "a clock of another zone", "ZONE", most=40_000, score=0),
    Trick("A05", "robot-1", "first", "no times of its own, so none that is wrong", "NO_SOURCE_TIME", score=60),
    Trick("A06", "saw-1", "busy", "an agent that is late itself", true=True),
    Trick("Q01", "press-1", "first", "a device that calls everything good", "ALWAYS_GOOD_DESPITE_FAULTS", score=80),
    Trick("Q02", "press-1", "first", "a range so wide that it says nothing", reason="NA_ROLE_UNCONFIRMED"),
    Trick("Q03", "press-1", "stuck", "what is usual is learned from a value that is stuck", "NO_BASELINE"),
    Trick("Q03", "press-1", "often stuck", "the same, so often that it seems usual", "BASELINE_IN_WINDOW"),
    Trick("Q03", "oven-1", "steady", "a value that a loop holds still", worth=1, shown={"steady": 6}),
    Trick("Q04", "mill-1", "first", "a converter behind scaling and noise", "STEP_GRID_HIDDEN", most=200),
    Trick("Q05", "mill-1", "second", "read so slowly that no spike is seen", reason="NA_UNDERSAMPLED"),
    Trick("Q06", "cnc-1", "repeated", "rows that a database would merge", true=True),
    Trick("Q07", "mill-1", "first", "a counter that begins anew with each shift", reason="NA_ROLE_UNCONFIRMED"),
    Trick("Q07", "saw-1", "second", "a counter moved by hand", "COUNTED_WITHOUT_RUN"),
    Trick("Q08", "press-1", "loose", "rules that cannot be broken", reason="NA_NO_EVIDENCE"),
    Trick("Q09", "line-1", "first", "filler for descriptions", most=0.85),
    Trick("V01", "cnc-1", "first", "a lamp that says run while the power is on", worth=0),
    Trick("V02", "cnc-1", "first", "strokes for parts", "STROKES_NOT_PARTS", worth=0),
    Trick("V02", "saw-1", "first", "nobody has counted by hand", "UNRECONCILED", worth=0.5, score=70),
    Trick("V03", "press-1", "first", "an ideal cycle that is easily beaten", "FASTER_THAN_IDEAL"),
    Trick("V03", "press-1", "second", "an ideal cycle that is what is usual", "IDEAL_IS_MEDIAN"),
    Trick("V04", "mill-1", "second", "averages for cycle times", worth=0),
    Trick("V05", "press-1", "first", "one reason for everything", "ONE_REASON_TOO_OFTEN", most=0.5),
    Trick("V05", "press-1", "second", '"other" for every second stop', "OTHER_TOO_OFTEN", most=0.5),
    Trick("R01", "oven-1", "second", "history that was made up", "BACKFILLED", most=14 + 56 - 7),
    Trick("R02", "press-1", "turns", "each value is complete, and never all at once", worth=0),
    Trick("R03", "pump-1", "first", "alarms switched off", "FAULTS_WITHOUT_ALARM", worth=0),
    Trick("U01", "press-1", "first", "a selector left on automatic, fed by hand", "HAND_FED", score=40),
    Trick("U01", "press-1", "by hand", "the same, nobody presses anything", "IRREGULAR_CYCLES", score=40),
    Trick("U02", "press-1", "second", "faults that are cleared unseen", "RESETS_UNSEEN", score=75),
    Trick("U03", "oven-1", "first", "a band that always holds", "WIDE_BAND", worth=0),
    Trick("U04", "press-1", "second", "a recipe called at the panel", "RECIPE_ATOMIC"),
    Trick("E01", "oven-1", "first", "energy that is only estimated", "ESTIMATED", worth=0),
    Trick("E01", "oven-1", "second", "parts larger than the whole", reason="NA_METERS_DISAGREE"),
    Trick("E02", "oven-1", "few days", "more parameters than days can tell", shown={"kwh_per_hour": None}),
    Trick("E02", "oven-1", "volume", "more pieces, so that each costs less energy", true=True),
    Trick("T01", "press-1", "first", "one id for everything", "CONSTANT_ID", worth=0),
    Trick("T02", "press-1", "first", "an order that nobody closes", "STALE_ORDER", worth=0),
    Trick("T03", "press-1", "second", "lots taken in turns", "MIXED_LOTS", worth=0),
    Trick("S01", "line-1", "first", "protection that is offered and not used", worth=0),
    Trick("S02", "line-1", "first", "a weak endpoint that is for discovery only", worth=1),
    Trick("S03", "line-1", "first", "a certificate for ever", "SELF_SIGNED_FOR_LIFE"),
    Trick("S04", "press-1", "first", "a protocol without rights to be asked for", reason="NA_ASSUME_EXPOSED"),
    Trick("L01", "pump-1", "first", "noise of an input without a sensor", "NOISE_ONLY", worth=0),
    Trick("L01", "pump-1", "quiet", "alarms that have never come", true=True),
    Trick("L02", "oven-1", "first", "a set point copied from the value", "SET_POINT_FOLLOWS", worth=0),
    Trick("L03", "oven-1", "first", "buttons pressed all the time", "NOT_PROVEN", score=0),
    Trick("L03", "oven-1", "automatic", "what the machine does itself at an alert", "NOT_PROVEN", score=0),
    Trick("L04", "pump-1", "first", "a screen that refreshes itself", "NOT_PEOPLE_EXCLUDED", worth=0),
    Trick("L04", "pump-1", "bots", "services and the supplier's own people", "NOT_PEOPLE_EXCLUDED", worth=0),
    Trick("L04", "pump-1", "one click", "one click a day", shown={"median_sessions": 1.0}),
)  # fmt: skip


@functools.cache
def played(name: str, seed: int = 1) -> tuple[World, Assessment]:
    """Return a plant on which tricks were played, and what the report says of it."""
    world = PLANTS[name](seed)
    return world, Assessment(world.view(), SITE, "0" * 16)


def reported(trick: Trick, seed: int = 1) -> Value:
    """Return the value that the trick aims at, as it stands in the report."""
    return played(trick.plant, seed)[1].value(trick.id, trick.machine)


def wrong(trick: Trick, seed: int = 1) -> str:
    """Return what the report says that it must not say, nothing if the trick is caught."""
    value, (world, _) = reported(trick, seed), played(trick.plant, seed)
    if trick.reason or value.value is None or value.score is None:
        return (
            "" if value.reason == trick.reason else f"{value.value} {value.reason}, not {trick.reason or 'a value'}"
        )
    truth = next(p.truth.get(trick.id) for p in world.parts if p.machine == trick.machine)
    worth = truth if trick.true else trick.worth
    told = {name: value.shown.get(name) for name in trick.shown}
    found = {
        f"flags {value.flags} without {trick.flag}": trick.flag and trick.flag not in value.flags,
        f"{value.score} points, more than {trick.score}": trick.score is not None and value.score > trick.score,
        f"{value.value}, more than {trick.most}": trick.most is not None and value.value > trick.most,
        f"{value.value} instead of {worth}":
            worth is not None and abs(value.value - worth) > NEAR * max(abs(worth), 1.0),
        f"{told} instead of {dict(trick.shown)}": told != dict(trick.shown),
    }  # fmt: skip
    return "; ".join(text for text, struck in found.items() if struck)
