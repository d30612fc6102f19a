"""Stops with their reasons, changeovers and lots."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pytest

from readiness.plant import Meaning, StopReason
from readiness.production import production
from readiness.stops import Changeover, Stop
from tests.readiness.seconds import DAY_S, NOTHING, SECOND, START, World, planned

LABELS = (0, 1, 2, 3)
MEANING = Meaning(role="state", states={0: "off", 1: "executing", 2: "standby", 3: "fault"})
BITS = (False, True)
MINUTE = 60


def at(second: int) -> int:
    return START + second * SECOND


def stops(world: World) -> list[Stop]:
    return list(production(world.view(), "press").stops)


def running(days: int = 1, **pieces: tuple[int, int, int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return a machine that executes all the time but for pieces (from, to, label)."""
    codes = np.full(days * DAY_S, 1)
    for begin, end, code in pieces.values():
        codes[begin:end] = code
    return codes


def runs(mask: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[tuple[int, int]]:
    """Return (first, behind the last) of each run of true seconds."""
    found, second = list[tuple[int, int]](), 0
    for inside, group in groupby(mask.tolist()):
        length = sum(1 for _ in group)
        if inside:
            found.append((second, second + length))
        second += length
    return found


@pytest.mark.parametrize("seed", range(4))
def test_stops_equal_those_found_second_by_second(seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts: list[int] = []
    while len(parts) < 2 * DAY_S:
        code = int(rng.choice([1, 2, 3, NOTHING], p=[0.4, 0.25, 0.15, 0.2]))
        length = int(rng.integers(5, 90)) if code == NOTHING else int(rng.geometric(1 / 300))
        parts += [code] * length
    codes = np.array(parts[: 2 * DAY_S])
    off = np.zeros(len(codes), np.bool_)
    off[20_000:23_000] = True
    counts = planned(2) & ~off
    # A second belongs to a stop if the machine is seen idle, or is unknown for at most a minute between two such.
    idle = np.isin(codes, (0, 2, 3)) & counts
    bridged = idle.copy()
    for begin, end in runs(~idle):
        if begin and end < len(idle) and end - begin <= 60 and counts[begin:end].all():
            bridged[begin:end] = codes[begin:end] != 1
    expected = [
        (at(begin), at(end), int(idle[begin:end].sum()) * SECOND)
        for begin, end in runs(bridged)
        if end - begin >= 300
    ]
    found = stops(World(2, {"s": (codes, LABELS)}, meanings={"s": MEANING}, censored=off))
    assert [(s.from_ns, s.to_ns, s.known_ns) for s in found] == expected
    assert len(found) > 20
    for stop in found:
        part = codes[(stop.from_ns - START) // SECOND : (stop.to_ns - START) // SECOND]
        label = max((0, 2, 3), key=lambda code: int((part == code).sum()))
        assert stop.state == MEANING.states[label]


def test_shorter_than_five_minutes_is_no_stop_and_neither_is_time_that_is_not_planned() -> None:
    codes = running(a=(1000, 1299, 2), b=(2000, 2300, 2), c=(13 * 3600, 14 * 3600, 3), d=(43_000, 46_000, 2))
    found = stops(World(1, {"s": (codes, LABELS)}, meanings={"s": MEANING}))
    assert [(s.from_ns, s.to_ns) for s in found] == [(at(2000), at(2300))]
    assert found[0].length_ns == 300 * SECOND


@pytest.mark.parametrize(("between", "number"), [(1, 0), (3, 1)])
def test_of_a_cut_track_a_short_run_ends_a_stop_and_a_short_fault_does_not(between: int, number: int) -> None:
    codes = running(a=(1000, 1180, 2), b=(1180, 1210, between), c=(1210, 1390, 2))
    world = World(1, {"s": (codes, LABELS)}, meanings={"s": MEANING}, cut=frozenset({"s"}))
    assert [(s.from_ns, s.to_ns) for s in stops(world)] == [(at(1000), at(1390))] * number
    world.cut = frozenset()
    assert len(stops(world)) == number


def test_unknown_time_is_no_stop() -> None:
    codes = running(a=(1000, 8000, NOTHING))
    assert stops(World(1, {"s": (codes, LABELS)}, meanings={"s": MEANING})) == []


def alarm(begin: int, end: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    codes = np.zeros(DAY_S, np.int64)
    codes[begin:end] = 1
    return codes


SPECIFIC = Meaning(role="alarm", specific=True)


@pytest.mark.parametrize(
    ("begin", "end", "meaning", "reason"),
    [
        (3600, 3700, SPECIFIC, "jam"),
        (3571, 3580, SPECIFIC, "jam"),  # went before, by less than 30 s
        (3630, 3700, SPECIFIC, "jam"),
        (3632, 3700, SPECIFIC, None),
        (3500, 3570, SPECIFIC, None),
        (3600, 3700, Meaning(role="alarm"), None),  # says nothing about a reason
        (3600, 3700, Meaning(role="alarm", specific=True, advice=True), None),
        (3600, 3700, Meaning(role="alarm", specific=True, origin="guess"), None),
    ],
)
def test_a_specific_alarm_around_the_begin_is_an_automatic_reason(
    begin: int, end: int, meaning: Meaning, reason: str | None
) -> None:
    world = World(1, {"s": (running(a=(3600, 4200, 3)), LABELS), "jam": (alarm(begin, end), BITS)})
    world.meanings = {"s": MEANING, "jam": meaning}
    (stop,) = stops(world)
    assert (stop.reason, stop.automatic, stop.other) == (reason, reason is not None, False)
    assert stop.state == "fault"


def test_of_several_alarms_the_one_that_came_closest_to_the_begin_is_the_reason() -> None:
    columns = {
        "door": (alarm(100, 4000), BITS),
        "jam": (alarm(3590, 4000), BITS),
        "late": (alarm(3620, 3900), BITS),
    }
    world = World(1, {"s": (running(a=(3600, 4200, 3)), LABELS), **columns})
    world.meanings = {"s": MEANING, **dict.fromkeys(columns, SPECIFIC)}
    assert stops(world)[0].reason == "jam"


@pytest.mark.parametrize(
    ("hours", "hole_s", "reason"), [(23, 0, "door"), (26, 0, None), (26, 600, None), (26, 7200, "door")]
)
def test_an_alarm_that_merely_stands_is_no_reason(hours: int, hole_s: int, reason: str | None) -> None:
    door = np.zeros(3 * DAY_S, np.int64)
    stop = DAY_S + 5 * 3600
    door[stop + 3600 - hours * 3600 : stop + 3600] = 1
    door[stop - 5 * 3600 : stop - 5 * 3600 + hole_s] = NOTHING
    world = World(3, {"s": (running(3, a=(stop, stop + 600, 3)), LABELS), "door": (door, BITS)})
    world.meanings = {"s": MEANING, "door": SPECIFIC}
    assert [found.reason for found in stops(world)] == [reason]


def test_a_fault_of_days_keeps_the_alarm_that_began_with_it() -> None:
    jam = np.zeros(4 * DAY_S, np.int64)
    begin = 5 * 3600
    jam[begin : begin + 60 * 3600] = 1
    world = World(4, {"s": (running(4, a=(begin, begin + 60 * 3600, 3)), LABELS), "jam": (jam, BITS)})
    world.meanings = {"s": MEANING, "jam": SPECIFIC}
    found = stops(world)
    assert len(found) > 1
    assert {stop.reason for stop in found} == {"jam"}


def test_an_alarm_word_names_its_reason_by_its_value() -> None:
    word = np.zeros(DAY_S, np.int64)
    word[3590:3700] = 2
    meaning = Meaning(role="alarm", specific=True, reasons={7: "overload", 12: "no material"})
    world = World(1, {"s": (running(a=(3600, 4200, 2)), LABELS), "word": (word, (0, 7, 12))})
    world.meanings = {"s": MEANING, "word": meaning}
    assert stops(world)[0].reason == "no material"


REASONS = Meaning(role="reason", reasons={0: "", 1: "tool change", 2: "기타"})


@pytest.mark.parametrize(
    ("pieces", "reason", "other"),
    [
        ([(3700, 4100, 1)], "tool change", False),
        ([(3700, 4000, 2), (4000, 4100, 1)], "tool change", False),
        ([(3700, 4100, 2)], None, True),
        ([(3700, 4100, 3)], None, False),  # a code that nobody has explained
        ([(1000, 4300, 1)], None, False),  # still there from before
        ([(4300, 4400, 1)], None, False),  # behind it
        ([(1000, 3800, 1), (3900, 4300, 1)], None, False),  # from before, and not known for a while
        ([(1000, 3800, 1), (3900, 4000, 0), (4000, 4300, 1)], "tool change", False),
        ([(3700, 3800, 1), (3900, 4300, 1)], "tool change", False),  # begun, and not known for a while
    ],
)
def test_a_reason_signal_counts_with_what_it_began_to_say_in_the_stop(
    pieces: list[tuple[int, int, int]], reason: str | None, *, other: bool
) -> None:
    codes = np.full(DAY_S, NOTHING)
    for begin, end, code in pieces:
        codes[begin:end] = code
    world = World(1, {"s": (running(a=(3600, 4200, 2)), LABELS), "r": (codes, (0, 1, 2, 9))})
    world.meanings = {"s": MEANING, "r": REASONS}
    (stop,) = stops(world)
    assert (stop.reason, stop.automatic, stop.other) == (reason, False, other)


@pytest.mark.parametrize(
    ("begin", "end", "entered_h", "words", "reason", "other"),
    [
        (3600, 4200, 1, "no operator", "no operator", False),
        (3500, 3950, 24, "no operator", "no operator", False),  # most of it
        (3600, 3850, 1, "no operator", None, False),  # less than half of it
        (3600, 4200, 25, "no operator", None, False),  # too late
        (3600, 4200, 1, " Other ", None, True),
    ],
)
def test_a_person_tells_a_reason_within_a_day_for_at_least_half_of_the_stop(
    begin: int, end: int, entered_h: int, words: str, reason: str | None, *, other: bool
) -> None:
    entered = StopReason(
        machine="press", from_ns=at(begin), to_ns=at(end), reason=words, entered_ns=at(4200 + entered_h * 3600)
    )
    elsewhere = StopReason(machine="lathe", from_ns=at(0), to_ns=at(9999), reason="x", entered_ns=at(5000))
    world = World(1, {"s": (running(a=(3600, 4200, 2)), LABELS)}, meanings={"s": MEANING})
    world.about = {"reasons": [elsewhere, entered]}
    (stop,) = stops(world)
    assert (stop.reason, stop.automatic, stop.other) == (reason, False, other)


def test_what_is_automatic_goes_before_what_a_person_has_entered() -> None:
    world = World(1, {"s": (running(a=(3600, 4200, 3)), LABELS), "jam": (alarm(3600, 3700), BITS)})
    world.meanings = {"s": MEANING, "jam": SPECIFIC}
    told = StopReason(machine="press", from_ns=at(3600), to_ns=at(4200), reason="no operator", entered_ns=at(5000))
    world.about = {"reasons": [told]}
    assert stops(world)[0].reason == "jam"


def product(*pieces: tuple[int, int, int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    codes = np.full(DAY_S, NOTHING)
    for begin, end, code in pieces:
        codes[begin:end] = code
    return codes


def test_changeovers_are_changes_between_products_over_holes_and_over_values_that_name_nothing() -> None:
    codes = product(
        (0, 1000, 1), (1000, 2000, 2), (2100, 3000, 2), (3000, 3100, 0), (3100, 4000, 2), (4050, 5000, 1)
    )
    world = World(1, {"p": (codes, ("", "A", "B"))}, meanings={"p": Meaning(role="product")})
    facts = production(world.view(), "press")
    assert facts.changeover_signal == "press/p"
    assert facts.changeovers == (
        Changeover(at(1000), at(1000), "A", "B"),
        Changeover(at(4000), at(4050), "B", "A"),
    )


def test_recipes_tell_changeovers_where_no_product_is_told_and_nothing_is_not_zero() -> None:
    codes = product((0, 1000, 0), (1000, 2000, 1))
    world = World(1, {"r": (codes, (7, 8))}, meanings={"r": Meaning(role="recipe")})
    assert len(production(world.view(), "press").changeovers or ()) == 1
    world.meanings = {"r": Meaning(role="recipe", origin="guess")}
    assert production(world.view(), "press").changeovers is None


def test_lots_have_the_pieces_that_were_counted_while_their_id_was_shown() -> None:
    codes = product((0, 9000, 1), (9000, 9900, 0), (9900, 10_000, 1), (10_800, 27_000, 2), (27_000, 36_000, 1))
    pieces = (np.random.default_rng(4).random(DAY_S) < 0.1).astype(np.int64)
    pieces[0] = 0
    world = World(1, {"l": (codes, ("", "L1", "L2"))}, {"n": np.cumsum(pieces)})
    world.meanings = {"l": Meaning(role="lot"), "n": Meaning(role="count_total")}
    lots = production(world.view(), "press").lots
    ends = [(0, 10_000), (10_800, 27_000), (27_000, 36_000)]
    assert [(lot.id, lot.from_ns, lot.to_ns) for lot in lots] == [
        (name, at(a), at(b)) for name, (a, b) in zip(("L1", "L2", "L1"), ends, strict=True)
    ]
    assert [lot.pieces for lot in lots[1:]] == [pieces[a:b].sum() for a, b in ends[1:]]
    # The first ends within a quarter hour: its pieces lie between those of the whole quarters.
    assert pieces[:9900].sum() <= (lots[0].pieces or 0) <= pieces[:10_800].sum()
    world.meanings = {"l": Meaning(role="lot")}
    assert {lot.pieces for lot in production(world.view(), "press").lots} == {None}
