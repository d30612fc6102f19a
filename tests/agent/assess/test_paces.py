"""Two intervals in one file: said with columns, shares and what to write; gaps and drops are no interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agent.assess import told
from agent.assess.paces import Pace, Paces
from tests.agent.assess.plant import FILE, assess, by_metric, frame, local

if TYPE_CHECKING:
    from pathlib import Path

SECOND = 10**9


def paces(steps_s: list[float], interval_s: float = 1, cut: int = 7) -> list[Pace]:
    times = (np.cumsum([1_790_000_000, *steps_s]) * SECOND).astype(np.int64)
    found = Paces(1, round(interval_s * SECOND))
    for at in range(0, len(times), cut):
        found.add(0, times[at : at + cut])
    return list(found.others())


def test_another_interval_is_found_however_the_rows_are_cut() -> None:
    steps = [1.0] * 200 + [10.0] * 40
    for cut in (1, 7, 64, 10_000):
        (pace,) = paces(steps, cut=cut)
        assert (pace.signal, pace.interval_ns) == (0, 10 * SECOND)
        assert 0.6 < pace.share < 0.7  # 390 of 590 s: the first long step may be a gap


def test_a_shorter_one_too() -> None:
    assert paces([1.0] * 100, interval_s=10) == [Pace(0, SECOND, 1.0)]


def test_gaps_drops_jitter_and_nights_are_no_interval() -> None:
    rng = np.random.default_rng(1)
    assert not paces(np.where(rng.random(5000) < 0.15, 2.0, 1.0).tolist())
    assert not paces((1 + rng.uniform(-0.15, 0.15, 5000)).tolist())
    assert not paces(([1.0] * 100 + [50_400.0]) * 30)
    assert not paces([86_400.0] * 300), "a value a day is no series"
    assert not paces([1.0] * 100 + [10.0] * 10), "ten of them are an attempt"
    assert not paces([])


def test_a_column_that_is_stored_more_seldom_is_named_with_what_to_write(tmp_path: Path) -> None:
    data = local(frame())
    path = tmp_path / "a.csv"
    data["전류"] = data["전류"].where(np.arange(len(data)) % 10 == 0)
    data.to_csv(path, index=False)
    result = assess(tmp_path, [path])
    korean, english = (
        [line for line in told.basis(result, language) if line.startswith("  - ")] for language in ("ko", "en")
    )
    (line,) = korean
    assert line.startswith("  - 전류: 저장 주기가 1m가 아니라 10m인 시간이 100%. 그 사이는 수집 공백으로 계산됨.")
    assert "every: 10m로 쓰십시오" in line
    assert english[0].startswith(
        "  - 전류: 100% of the time at 10m and not at 1m; what lies between counts as lost."
    )
    # What it says to write is right: with a source of its own, nothing is lost any more.
    signals = FILE["sources"][0]["signals"]
    two = [
        {**FILE["sources"][0], "signals": signals[:3]},
        {**FILE["sources"][0], "id": "slow", "every": "10m", "signals": signals[3:]},
    ]
    mended = assess(tmp_path, [path], change={"sources": two})
    assert not [line for line in told.basis(mended, "ko") if "저장 주기가" in line]
    assert by_metric(result)["A01"].value < 0.8
    assert by_metric(mended)["A01"].value == 1


def test_one_value_a_row_and_a_change_in_the_middle(tmp_path: Path) -> None:
    data = local(frame())
    data = data[(data.index < 10_000) | (data.index % 5 == 0)]
    path = tmp_path / "a.csv"
    data.melt(id_vars="시각", var_name="tag", value_name="value").sort_values("시각", kind="stable").to_csv(
        path, index=False
    )
    (line,) = [
        line
        for line in told.basis(assess(tmp_path, [path], source={"tag": "tag", "value": "value"}), "ko")
        if "저장 주기가" in line
    ]
    assert "상태, 총수량, 불량, 전류: 저장 주기가 1m가 아니라 5m인 시간이 50%" in line
