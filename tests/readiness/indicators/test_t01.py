"""T01 Lot and serial binding, and which ids bind."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from msgspec import structs

from readiness.identity import valid
from readiness.indicators.base import Census, Missing, Outcome, Shares
from readiness.indicators.t01 import INDICATOR
from readiness.plant import About, Meaning
from tests.readiness.indicators.press import TOTAL, pieces
from tests.readiness.indicators.story import NOTHING, WITHOUT_SCHEDULE, Story
from tests.readiness.indicators.worlds import days_of, executing, told, view_of, working

if TYPE_CHECKING:
    from readiness.evidence import DayEvidence, SourceDay

STEP = 300
BASE = working(step_s=STEP)
LOT = Meaning(role="lot")
HOUR = 3600 // STEP
LENGTH = 8 * HOUR
"""Readings of a lot: eight hours."""
NUMBER = np.arange(BASE.n) // LENGTH
IDS = [f"L{k:04d}" for k in range(int(NUMBER[-1]) + 1)]
EVERY = np.ones(BASE.n, np.bool_)


def world(
    codes: np.ndarray[tuple[int], np.dtype[np.int64]] = NUMBER, ids: list[str] = IDS, **said: object
) -> Story:
    story = told(BASE, lot=(codes, ids, replace(LOT, **said)))  # type: ignore[arg-type]
    counters = {"total": pieces(BASE.tracks["state"][0], 3)}
    return replace(story, counters=counters, meanings={**story.meanings, "total": TOTAL})


def measure(story: Story) -> Outcome:
    return INDICATOR.evaluate(view_of(story), "press")


def found(story: Story) -> Shares:
    shares = measure(story)
    assert isinstance(shares, Shares)
    return shares


def made(
    story: Story, mask: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the pieces counted per day in planned readings of a mask."""
    each = np.diff(story.counters["total"], prepend=story.counters["total"][0])
    row: np.ndarray[tuple[int], np.dtype[np.float64]] = (
        (each * (mask & story.planned())).reshape(14, -1).sum(axis=1)
    )
    return row


def test_pieces_under_an_id_of_all_pieces() -> None:
    story = world()
    # A quarter hour whose id is missing for a part is shared by executing time: whole quarters here.
    gone = BASE.clock() % 2.5 < 0.25
    none = [*IDS, ""]
    blank = replace(world(np.where(gone, len(IDS), NUMBER), none))
    for of, mask in ((story, EVERY), (blank, ~gone), (world(np.where(gone, NOTHING, NUMBER)), ~gone)):
        shares = found(of)
        assert shares.den == pytest.approx(made(of, EVERY), abs=3)
        assert shares.num == pytest.approx(made(of, mask), abs=3)
        assert shares.shown["of"] == "pieces"


@pytest.mark.parametrize("busy", [3, 8])
def test_a_day_with_more_numbers_than_evidence_keeps_is_left_out(busy: int) -> None:
    base = working(days=21, step_s=STEP)
    number = np.arange(base.n) // LENGTH
    story = told(base, lot=(number, [f"L{k:04d}" for k in range(int(number[-1]) + 1)], LOT))
    counters = {"total": pieces(base.tracks["state"][0], 3)}
    story = replace(story, counters=counters, meanings={**story.meanings, "total": TOTAL})

    def without(day: int, record: DayEvidence) -> DayEvidence:
        parts = [replace_part(part) if day < busy else part for part in record.sources]
        return structs.replace(record, sources=parts)

    def replace_part(part: SourceDay) -> SourceDay:
        return structs.replace(part, tracks={name: t for name, t in part.tracks.items() if name != "press/lot"})

    outcome = INDICATOR.evaluate(view_of(story, edit=without), "press")
    if busy == 8:  # of 15 working days 9 are left
        assert outcome == Missing("NA_NO_EVIDENCE")
        return
    assert isinstance(outcome, Shares)
    assert not outcome.den[:busy].any()
    assert outcome.num.tolist() == outcome.den.tolist()
    assert outcome.shown["days_beyond_evidence"] == busy


def test_executing_time_serves_where_nothing_counts_pieces() -> None:
    gone = BASE.clock() % 2 < 0.5
    story = replace(world(np.where(gone, NOTHING, NUMBER)), counters={})
    shares = found(story)
    assert shares.den == pytest.approx(days_of(story, executing(story)))
    assert shares.num == pytest.approx(days_of(story, executing(story) & ~gone))


def test_the_entropy_is_that_of_the_time_of_ids() -> None:
    counts = Counter(NUMBER.tolist())
    total = sum(counts.values())
    truth = -sum(n / total * math.log2(n / total) for n in counts.values())
    assert found(world()).shown["entropy_bits"] == pytest.approx(truth)


@pytest.mark.parametrize("text", ["", " ", "0", "000", "-", "TEST", "default", "9999", "XXXX", "n/a", "기본"])
def test_placeholders_identify_nothing(text: str) -> None:
    assert not valid(text, LOT, frozenset({"test", "na"}))


def test_ids_and_patterns() -> None:
    for text in ("L0001", "7", "A-17", "20261101-03", "로트17"):
        assert valid(text, LOT, frozenset({"test"}))
    dated = Meaning(role="lot", pattern=r"\d{6}-\d{2}")
    assert valid("261101-03", dated, frozenset())
    assert not valid("261101-3", dated, frozenset())
    assert not valid("000000-00"[:6], dated, frozenset())


def test_a_lot_number_in_a_register_of_floating_point_binds_like_any_other() -> None:
    numbers = [1000.0 + k for k in range(len(IDS))]
    assert found(world(ids=numbers)).num.tolist() == found(world()).num.tolist()  # type: ignore[arg-type]


def test_ids_that_do_not_match_the_pattern_do_not_bind() -> None:
    ids = [name if k % 2 else f"?{name}" for k, name in enumerate(IDS)]
    story = world(ids=ids, pattern=r"L\d{4}")
    shares = found(story)
    assert shares.num == pytest.approx(made(story, NUMBER % 2 == 1), abs=3)
    assert shares.flags == ("INVALID_ID",)


def test_a_constant_id_binds_nothing() -> None:
    shares = found(world(np.zeros(BASE.n, np.int64), ["L0001"]))
    assert shares.num.sum() == 0
    assert shares.flags == ("CONSTANT_ID",)
    assert shares.shown["entropy_bits"] == 0


def test_numbers_that_begin_anew_bind_nothing_but_a_lot_may_be_interrupted() -> None:
    again = NUMBER % 3  # 0, 1, 2, 0, 1, 2, ...: each comes back more than once
    shares = found(world(again))
    assert shares.num.sum() == 0
    assert shares.flags == ("REUSED_ID",)
    back = NUMBER.copy()
    back[NUMBER == 8] = 5  # lot 5 again after two others: one day later
    assert found(world(back)).num == pytest.approx(made(world(), EVERY), abs=3)
    late = NUMBER.copy()
    late[NUMBER == 26] = 5  # a week later
    shares = found(world(late))
    assert shares.num == pytest.approx(made(world(), (NUMBER != 5) & (NUMBER != 26)), abs=3)


def test_an_id_that_stays_when_the_product_changes_is_stale_from_then_on() -> None:
    middle = NUMBER * LENGTH + LENGTH // 2
    at = np.arange(BASE.n)
    changes = (NUMBER >= 6) & (
        at >= middle
    )  # from lot 6 on the product changes in the middle of each lot, and back
    story = told(world(), product=(changes.astype(np.int64), ("A", "B"), Meaning(role="product")))
    shares = found(story)
    assert shares.flags == ("STALE_ID",)
    assert shares.num == pytest.approx(made(story, (NUMBER < 6) | (at < middle)), abs=9)
    near = told(
        world(), product=(np.roll(NUMBER, HOUR // 6) % 2, ("A", "B"), Meaning(role="product"))
    )  # fmt: skip  # ten minutes after the id: the same changeover
    assert found(near).flags == ()


def test_what_came_unseen_is_left_out_and_our_own_outages_as_well() -> None:
    story = world()
    gone = (np.arange(BASE.n) // BASE.per_day == 2) & (BASE.clock() >= 4) & (BASE.clock() < 8)
    counters = {"total": np.where(gone, NOTHING, story.counters["total"])}
    dark = replace(
        story, counters=counters, tracks={k: (np.where(gone, NOTHING, r), n) for k, (r, n) in story.tracks.items()}
    )
    for of in (dark, replace(dark, censored=gone)):
        shares = found(of)
        assert shares.num == pytest.approx(shares.den)
        assert shares.den == pytest.approx(made(story, ~gone), abs=3)


def test_not_assessed_without_a_lot_signal_unless_there_is_none_anywhere() -> None:
    story = world()
    bare = replace(story, meanings={k: m for k, m in story.meanings.items() if k != "lot"})

    def about(**said: object) -> Outcome:
        return measure(replace(bare, about={"about": {"press": About(**said)}}))  # type: ignore[arg-type]

    assert about() == Missing("NA_NO_EVIDENCE")
    assert about(ids_elsewhere="yes", elsewhere="no") == Missing("NA_NO_EVIDENCE")
    for said in ({"ids_elsewhere": "no"}, {"elsewhere": "no"}):
        zero = about(**said)
        assert isinstance(zero, Census)
        assert zero.value == 0.0
    assert measure(world(origin="guess")) == Missing("NA_ROLE_UNCONFIRMED")
    assert measure(replace(story, tracks={"state": story.tracks["state"]})) == Missing("NA_NO_EVIDENCE")
    assert measure(replace(story, calendar=WITHOUT_SCHEDULE)) == Missing("NA_NO_SCHEDULE")
