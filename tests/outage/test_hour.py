"""An hour of outage and its end, with all real parts; `python -m tests.outage` does the same at length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.outage.drain import drain
from tests.outage.fill import begin_ns, fill
from tests.support.plant import Plant

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 3_600


def test_an_hour_of_outage_costs_little_and_drains_beside_live_data(tmp_path: Path) -> None:
    """Every value is in the database, once; the bounds of time are far from what an idle machine does."""
    plant = Plant(start_ns=begin_ns(HOUR), hours=1)
    filled = fill(tmp_path / "spool", plant, HOUR)
    assert filled.samples == 1_000 * HOUR
    assert filled.grown < 20e6
    assert filled.fixed < 40e6
    assert (filled.blocks - filled.fixed) / filled.samples < 2.5
    assert filled.a_day() < 1.2e9  # with the files of the journal, which are written once
    drained = drain(tmp_path, tmp_path / "spool", plant, filled.values, 240)
    assert drained.stored == drained.values
    assert len(drained.live.found) > 50
    assert drained.live.quantile(0.5) < 5
