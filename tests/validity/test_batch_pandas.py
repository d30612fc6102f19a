"""Indicators against one computation over all rows in pandas, from what was read to the value, without our code.

Time is counted in frames of readings cut by shifts in local time; only values are compared. What evidence keeps to
the millisecond agrees to a millisecond a stretch, all else to 1e-9, quantiles to the 2 % of the sketch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from readiness.counting import by_day
from readiness.indicators import REGISTRY
from readiness.outcomes import outcome
from readiness.production import production
from tests.validity.press import EXECUTING
from tests.validity.rows import number
from tests.validity.shop import Polled, Subscribed
from tests.validity.small import DAYS, ROUGH, told

if TYPE_CHECKING:
    from tests.validity.shop import Part

SHIFT = pd.Timedelta(hours=12)


def part(machine: str) -> Part:
    return next(p for p in told(*ROUGH).world.parts if p.machine == machine)


def value(name: str, machine: str) -> float:
    found = number(outcome(told(*ROUGH).view, REGISTRY[name], machine))
    assert found is not None
    return found


def readings(machine: str) -> tuple[pd.DataFrame, pd.DataFrame, float]:
    """Return values and whether they are good, by local time of the poll, within the window; and the interval."""
    stream = part(machine).streams[0]
    assert isinstance(stream, Polled)
    index = pd.DatetimeIndex(pd.to_datetime(stream.time, utc=True)).tz_convert("Asia/Seoul")
    names = [s.id for s in stream.source.signals]
    values = pd.DataFrame(dict(zip(names, stream.columns, strict=True)), index=index)
    good = pd.DataFrame(stream.status == 0, index=index, columns=names)
    site = told(*ROUGH).world.site
    before = pd.Timestamp(site.start_ns, tz="UTC") - pd.Timedelta(minutes=1)  # what is told then reaches into it
    inside = (index >= before) & (index < pd.Timestamp(site.end_ns, tz="UTC"))
    return values[inside], good[inside], stream.source.interval_ns / 1e9


def known(good: pd.Series, every_s: float) -> pd.Series:
    """Return for each good poll the planned seconds that it tells of."""
    begin = good.index.to_series()
    pause = begin.shift(-1) - begin
    bridged = good.shift(-1, fill_value=False) & (pause <= 1.2 * pd.Timedelta(seconds=every_s))
    end = begin + pause.where(bridged, pd.Timedelta(seconds=every_s))
    last = pd.Timestamp(told(*ROUGH).world.site.end_ns, tz="UTC")
    end = end.where(end < last, last)
    start = begin.dt.normalize() + pd.Timedelta(hours=8)
    length = end.clip(upper=start + SHIFT) - begin.clip(lower=start)
    planned = begin.dt.day_of_week < 5
    return length.dt.total_seconds().clip(lower=0).where(good & planned, 0.0)


@pytest.mark.parametrize("machine", ["press-1", "mill-1", "robot-1", "saw-1"])
def test_completeness(machine: str) -> None:
    _, good, every = readings(machine)
    start = pd.Timestamp(told(*ROUGH).world.site.start_ns, tz="UTC")
    unread_s = max((good.index[0] - start).total_seconds(), 0.0)  # what was never configured before is not missed
    planned_s = DAYS / 7 * 5 * SHIFT.total_seconds() - unread_s
    shares = [known(good[name], every).sum() / planned_s for name in good.columns]
    assert value("A01", machine) == pytest.approx(float(np.mean(shares)), rel=1e-9)


def test_time_in_automatic() -> None:
    values, good, every = readings("press-1")
    time = known(good["state"], every)
    work = time[values["state"] == EXECUTING]
    automatic = work[values.loc[work.index, "mode"] == 2].sum() / work.sum()
    changes = (values[["state", "mode"]].diff() != 0).any(axis=1).sum()
    assert value("U01", "press-1") == pytest.approx(float(automatic), abs=2e-3 * changes / float(work.sum()))


@pytest.mark.parametrize(("machine", "signal"), [("press-1", "total"), ("saw-1", "total")])
def test_pieces_of_each_day(machine: str, signal: str) -> None:
    values, good, _ = readings(machine)
    steps = values[signal][good[signal]].astype("int64").diff().fillna(0)
    days = steps.groupby(pd.DatetimeIndex(steps.index).normalize()).sum()
    counted = production(told(*ROUGH).view, machine).counted("total")
    assert counted is not None
    assert sorted(by_day(told(*ROUGH).view, counted)) == sorted([*days, *[0] * (DAYS - len(days))])
    assert days.sum() == values[signal].iloc[-1] - values[signal].iloc[0]


def test_pieces_that_came_one_by_one() -> None:
    values, good, _ = readings("mill-1")
    steps = values["total"][good["total"]].astype("int64").diff().fillna(0)
    alone = steps.between_time("08:00", "20:00")
    share = float((alone == 1).sum() / alone[alone > 0].sum())
    assert value("V04", "mill-1") == pytest.approx(share, rel=1e-9)
    moved = int((alone != 0).sum())
    assert value("Q07", "mill-1") == pytest.approx(1 - float((alone < 0).sum()) / moved, rel=1e-9)


def test_jitter_within_two_percent() -> None:
    values, _, every = readings("saw-1")
    pause = values.index.to_series().diff().dt.total_seconds() / every
    off = (pause[pause < 3.2] - 1).abs()
    assert value("A06", "saw-1") == pytest.approx(float(off.quantile(0.95)), rel=0.021)


def test_rows_twice_or_in_another_order() -> None:
    (stream,) = part("cnc-1").streams
    assert isinstance(stream, Subscribed)
    rows = pd.DataFrame({
        "signal": stream.signal, "time": stream.time, "value": pd.to_numeric(pd.Series(stream.value)),
        "stated": stream.source_ns, "day": (stream.time - told(*ROUGH).world.site.start_ns) // (86_400 * 10**9),
    })  # fmt: skip
    before = rows.groupby("signal")[["time", "value", "stated"]].shift()
    soon = rows["time"] - before["time"] <= 3e9
    twice = (rows["stated"] == before["stated"]) & (rows["value"] == before["value"]) & soon
    back = rows["stated"] < before["stated"]
    counts = rows["day"] % 7 < 5
    share = float((twice | back)[counts].sum() / counts.sum())
    assert value("Q06", "cnc-1") == pytest.approx(share, rel=1e-9)


def test_energy_below_the_main_meter() -> None:
    values, _, _ = readings("oven-1")
    used = values[["kwh", "main"]].iloc[-1] - values[["kwh", "main"]].iloc[0]
    assert value("E01", "oven-1") == pytest.approx(float(used["kwh"] / used["main"]), abs=1e-4)


def test_days_with_use_by_people() -> None:
    use = pd.DataFrame([{"day": u.day, "account": u.account, "reads": u.reads} for u in part("pump-1").use])
    people = use[(use["account"] == "operator") & (use["reads"] > 0)]
    assert value("L04", "pump-1") == pytest.approx(people["day"].nunique() / use["day"].nunique(), rel=1e-9)
