"""Serial numbers of single pieces, from readings through the real analyzers: T01 and T03."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from msgspec import structs

from agent.analyzers.evidence import make
from agent.frame import DataType, FrameBlock, Signal, Source, Status, Watermark
from readiness.evidence import load
from readiness.indicators import t01, t03
from readiness.indicators.base import Events, Missing, Shares
from readiness.inventory import Machine
from readiness.plant import About, Meaning, Plant
from readiness.view import View
from tests.readiness.plant import CALENDAR, DAY, HOUR, SECOND, START, model

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from agent.frame import Value
    from readiness.evidence import DayEvidence

    Ints = NDArray[np.int64]

DAYS = 14
T = 30 * SECOND
PIECE = 4
"""Readings a piece: two minutes."""
PER_DAY = DAY // T
CLOCK = np.arange(DAYS * PER_DAY) % PER_DAY * T
WORK = (CLOCK < 12 * HOUR) & (np.arange(DAYS * PER_DAY) // PER_DAY % 7 < 5)
STEPS = np.cumsum(WORK)
NUMBER = np.maximum(STEPS - 1, 0) // PIECE
"""The piece at hand in each reading; it is counted when the next one comes."""
PIECES = int(NUMBER[-1])


def name(k: int) -> str:
    """Return the serial number of a piece."""
    return f"P26A-{k * 7 + 10000:06d}"


@dataclass
class Press:
    """Two machines; the saw shows each number an hour before the press does."""

    serial: list[Value] = field(default_factory=lambda: [name(k) for k in NUMBER.tolist()])
    before: list[Value] = field(
        default_factory=lambda: [name(k) for k in np.append(NUMBER[120:], [NUMBER[-1]] * 120).tolist()]
    )
    known: NDArray[np.bool_] = field(default_factory=lambda: np.ones(len(WORK), np.bool_))
    dtype: DataType = DataType.STRING
    meaning: Meaning = field(default_factory=lambda: Meaning(role="lot"))

    def view(self) -> View:
        """Return what comes out of the analyzers."""
        kinds = {
            "state": DataType.INT16, "total": DataType.UINT32, "serial": self.dtype, "heat": DataType.FLOAT64
        }  # fmt: skip
        roles = {"state": "state", "total": "count_total", "serial": "lot", "heat": "pv"}
        sources = [
            Source(
                id=f"{m}-plc.main", device=f"{m}-plc", protocol="modbus", mode="poll", interval_ns=T,
                signals=tuple(
                    Signal(id=n, machine=m, name=n, dtype=d, role=roles[n], role_confirmed=True)  # type: ignore[arg-type]
                    for n, d in kinds.items()
                ),
            )
            for m in ("press", "saw")
        ]  # fmt: skip
        rng = np.random.default_rng(1)
        heat = rng.normal(50, 1, len(WORK)).tolist()
        evidence = make(sources, CALENDAR)
        total = NUMBER.tolist()
        for day in range(DAYS):
            for of, ids in zip(sources, (self.serial, self.before), strict=True):
                part = range(day * PER_DAY, (day + 1) * PER_DAY)
                rows: list[Value] = [
                    v for i in part for v in (int(WORK[i]), total[i], ids[i], heat[i] if self.known[i] else None)
                ]
                time = START + np.repeat(np.array(part, np.int64), 4) * T
                bad = np.array([v is None for v in rows])
                evidence.feed([
                    FrameBlock(
                        source=of, signal=np.tile(np.arange(4, dtype=np.int32), PER_DAY), time_ns=time, value=rows,
                        status=np.where(bad, Status.BAD_OUT_OF_RANGE, 0).astype(np.uint32),
                    )
                ])  # fmt: skip
        for of in sources:
            evidence.feed([Watermark(of.id, START + (DAYS + 1) * DAY)])
        days = [load(raw) for raw in evidence.take_closed().values()]
        meanings = {
            "state": Meaning(role="state", states={0: "off", 1: "executing"}), "total": Meaning(role="count_total"),
            "serial": self.meaning, "heat": Meaning(role="pv", critical=True),
        }  # fmt: skip
        plant = Plant(
            machines=[Machine("press", "press"), Machine("saw", "saw")],
            meanings={f"{m}/{n}": meaning for m in ("press", "saw") for n, meaning in meanings.items()},
            about={"press": About(previous="saw")},
        )
        return View(
            days=days, tallies={}, catalog=sources, plant=plant, calendar=CALENDAR,
            now_ns=START + DAYS * DAY, model=model(), length=DAYS,
        )  # fmt: skip


def binding(press: Press) -> Shares:
    """Return T01 of the press."""
    found = t01.INDICATOR.evaluate(press.view(), "press")
    assert isinstance(found, Shares), found
    return found


def share(found: Shares) -> float:
    """Return the value."""
    return float(found.num.sum() / found.den.sum())


def told(change: Callable[[int], Value]) -> list[Value]:
    """Return what is read when a piece's number is what `change` says."""
    return [change(k) for k in NUMBER.tolist()]


def test_a_serial_number_for_each_piece_binds_it() -> None:
    found = binding(Press())
    assert found.den.sum() == pytest.approx(PIECES, abs=12)
    assert share(found) >= 0.995
    assert found.flags == ()
    assert found.shown["serials_shown"] == pytest.approx(PIECES, abs=2)


def test_numbers_in_a_register_bind_like_texts() -> None:
    found = binding(Press(serial=told(lambda k: 10_000 + k), dtype=DataType.INT32))
    assert share(found) >= 0.995


@pytest.mark.parametrize("nothing", ["", "NOREAD", "0000000", "?P26A-010007"])
def test_what_was_not_read_binds_nothing(nothing: str) -> None:
    lost = np.random.default_rng(2).random(PIECES + 1) < 0.2
    meaning = Meaning(role="lot", pattern=r"P\d\d[A-Z]-\d{6}")
    found = binding(Press(serial=told(lambda k: nothing if lost[k] else name(k)), meaning=meaning))
    assert share(found) == pytest.approx(1 - lost.mean(), abs=0.01)
    assert ("INVALID_ID" in found.flags) is (nothing not in {"", "0000000"})


def test_a_number_that_stays_is_that_of_one_piece() -> None:
    stuck = (np.arange(PIECES + 1) % 200) // 2 * 2 >= 100  # half of the time, an hour and more at a time
    last = np.maximum.accumulate(np.where(stuck, 0, np.arange(PIECES + 1)))
    found = binding(Press(serial=told(lambda k: name(int(last[k])))))
    assert share(found) == pytest.approx(1 - stuck.mean(), abs=0.02)


def test_numbers_that_begin_anew_bind_nothing() -> None:
    found = binding(Press(serial=told(lambda k: name(k % 300))))  # each day the same ones
    assert share(found) <= 0.02
    assert "REUSED_ID" in found.flags
    some = binding(Press(serial=told(lambda k: name(k % 300 if k % 4 == 0 else k))))
    assert share(some) == pytest.approx(0.75, abs=0.08)  # by a sample of 320 shows


def linked(press: Press) -> Events:
    """Return T03 of the press."""
    found = t03.INDICATOR.evaluate(press.view(), "press")
    assert isinstance(found, Events), found
    return found


def test_the_sample_of_pieces_is_followed_through_the_plant() -> None:
    whole = linked(Press())
    assert whole.den.sum() >= 150
    assert whole.num.sum() >= 0.98 * whole.den.sum()
    strange = np.random.default_rng(4).random(PIECES + 1) < 0.3
    press = Press()
    press.serial = told(lambda k: f"Q26A-{k:06d}" if strange[k] else name(k))
    part = linked(press)
    assert part.num.sum() / part.den.sum() == pytest.approx(1 - strange.mean(), abs=0.12)


def test_pieces_without_their_critical_parameter_have_no_record() -> None:
    dark = np.random.default_rng(5).random(PIECES + 1) < 0.25
    found = linked(replace(Press(), known=~dark[NUMBER]))
    assert found.num.sum() / found.den.sum() == pytest.approx(1 - dark.mean(), abs=0.1)


def test_without_the_ids_of_the_day_nothing_is_assessed() -> None:
    view = Press().view()
    bare = [replace_ids(day) for day in view.days]
    assert t01.INDICATOR.evaluate(replace(view, days=bare), "press") == Missing("NA_NO_EVIDENCE")


def replace_ids(day: DayEvidence) -> DayEvidence:
    """Return a day without its ids."""
    return structs.replace(day, sources=[structs.replace(part, ids={}) for part in day.sources])
