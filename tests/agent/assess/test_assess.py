"""What the report says of files, against what pandas counts in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from agent.assess import told
from agent.assess.provable import WHY
from contract.codec import encode
from tests.agent.assess.plant import FILE, assess, by_metric, frame, local, planned

if TYPE_CHECKING:
    from pathlib import Path

    from agent.assess.run import Result
    from settings.language import Language

HANDS = {
    "version": 1, "serial": 1, "author": "mentor", "date": "2026-11-01",
    "signals": [{"id": "press-1/state", "role": "state", "states": {"2": "executing", "0": "off"}}],
}  # fmt: skip


LANGUAGES: tuple[Language, ...] = ("en", "ko")


def same(one: Result, other: Result) -> bool:
    """Return whether two reports hold the same days; sources may be called otherwise in their heads."""
    return list(one.days.values()) == list(other.days.values())


def test_completeness_is_the_share_of_planned_minutes_that_have_a_row(tmp_path: Path) -> None:
    data = frame()
    keep = np.random.default_rng(1).random(len(data)) > 0.03
    keep[0] = True
    gap = (data["시각"] >= "2026-10-07 09:10+09:00") & (data["시각"] < "2026-10-07 11:00+09:00")
    data = data[keep & ~gap]
    path = tmp_path / "hist.csv"
    local(data).to_csv(path, index=False)
    minutes = 10 * 9 * 60
    found = by_metric(assess(tmp_path, [path]))["A01"]
    assert found.value == pytest.approx(int(planned(data).sum()) / minutes, abs=1e-6)


def test_good_share_is_that_of_the_status_column_uncertain_for_half(tmp_path: Path) -> None:
    data = frame()
    said = np.random.default_rng(2).choice(["Good", "Uncertain", "Bad"], len(data), p=[0.95, 0.03, 0.02])
    path = tmp_path / "hist.csv"
    local(data.assign(품질=said)).to_csv(path, index=False)
    quality = {"column": "품질", "good": ["Good"], "uncertain": ["Uncertain"]}
    result = assess(tmp_path, [path], source={"quality": quality})
    there = pd.Series(said)[planned(data)].value_counts()
    expected = (there["Good"] + there["Uncertain"] / 2) / there.sum()
    assert by_metric(result)["Q01"].value == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("off", [0, 5, -40])
def test_a_hand_count_of_a_shift_is_held_against_the_counter(tmp_path: Path, off: int) -> None:
    data = frame()
    path = tmp_path / "hist.csv"
    local(data).to_csv(path, index=False)
    shift = data[(data["시각"] >= "2026-10-13 08:00+09:00") & (data["시각"] < "2026-10-13 17:00+09:00")]
    made = int(shift["총수량"].iloc[-1] - shift["총수량"].iloc[0]) + 1
    hand = {"machine": "press-1", "from": "2026-10-13 08:00", "to": "2026-10-13 17:00", "total": made + off}
    found = by_metric(assess(tmp_path, [path], answers={**HANDS, "hand_counts": [hand]}))["V02"]
    assert found.value == float(abs(made / (made + off) - 1) <= 0.02)


def test_without_a_hand_count_the_counter_gets_half(tmp_path: Path) -> None:
    path = tmp_path / "hist.csv"
    local(frame()).to_csv(path, index=False)
    assert by_metric(assess(tmp_path, [path], answers=HANDS))["V02"].value == 0.5


def test_layout_encoding_and_kind_of_file_change_nothing(tmp_path: Path) -> None:
    data = frame()
    data = data[np.random.default_rng(3).random(len(data)) > 0.1].reset_index(drop=True)
    plain = tmp_path / "a.csv"
    local(data).to_csv(plain, index=False)
    first = assess(tmp_path, [plain], source={"every": "1m"})
    korean = tmp_path / "b.csv"
    local(data).to_csv(korean, index=False, encoding="cp949", sep=";")
    wide = tmp_path / "c.txt"
    local(data).to_csv(wide, index=False, encoding="utf-16", sep="\t")
    marked = tmp_path / "d.csv"
    local(data).to_csv(marked, index=False, encoding="utf-8-sig", lineterminator="\r\n")
    for path in (korean, wide, marked):
        assert same(first, assess(tmp_path, [path], source={"every": "1m"})), path
    aware = tmp_path / "e.parquet"
    data.to_parquet(aware)
    assert same(first, assess(tmp_path, [aware], source={"every": "1m"}))
    naive = tmp_path / "f.parquet"
    data.assign(시각=data["시각"].dt.tz_localize(None)).to_parquet(naive)
    assert same(first, assess(tmp_path, [naive], source={"every": "1m"}))
    long = tmp_path / "g.csv"
    melted = local(data).melt("시각", var_name="태그", value_name="값").sort_values("시각", kind="stable")
    melted.to_csv(long, index=False)
    assert same(first, assess(tmp_path, [long], source={"every": "1m", "tag": "태그", "value": "값"}))


def test_parts_in_any_order_are_one(tmp_path: Path) -> None:
    data = local(frame())
    whole = tmp_path / "whole.csv"
    data.to_csv(whole, index=False)
    parts = []
    for number, rows in enumerate(np.array_split(np.arange(len(data)), 9)):
        parts.append(tmp_path / f"part{number}.csv")
        data.iloc[rows].to_csv(parts[-1], index=False)
    columns = [tmp_path / "left.csv", tmp_path / "right.csv"]
    data[["시각", "상태", "총수량"]].to_csv(columns[0], index=False)
    data[["시각", "불량", "전류"]].to_csv(columns[1], index=False)
    first = assess(tmp_path, [whole])
    assert same(first, assess(tmp_path, parts[::-1]))
    assert same(first, assess(tmp_path, columns))


def test_two_sources_side_by_side_do_not_hold_each_other_up(tmp_path: Path) -> None:
    data = frame()
    fast, slow = tmp_path / "fast.csv", tmp_path / "slow.csv"
    local(data)[["시각", "상태", "총수량"]].to_csv(fast, index=False)
    late = local(data.iloc[::5])[["시각", "전류"]]
    late[late["시각"] >= "2026-10-07"].to_csv(slow, index=False)
    signals = FILE["sources"][0]["signals"]
    base = {"machine": "press-1", "time": {"column": "시각"}}
    sources = [
        {**base, "id": "slow", "files": "slow*", "signals": signals[3:]},
        {**base, "id": "fast", "files": "fast*", "signals": signals[:2]},
    ]
    result = assess(tmp_path, [slow, fast], {"sources": sources})
    assert [(p.source.interval_ns / 1e9, p.estimated) for p in result.parts] == [(300, True), (60, True)]
    assert by_metric(result)["A01"].value == 1.0
    assert result.late == 0


def test_daylight_saving_hours_are_neither_lost_nor_doubled(tmp_path: Path) -> None:
    for first in ("2026-03-23", "2026-10-19"):  # the clock is set on the Sunday in the middle
        data = frame("Europe/Berlin", first)
        path = tmp_path / f"{first}.csv"
        local(data).to_csv(path, index=False)
        week = {"planned": [{"days": "mon-sun", "from": "00:00", "to": "24:00"}]}
        result = assess(tmp_path, [path], {"zone": "Europe/Berlin", "schedule": week})
        assert by_metric(result)["A01"].value == 1.0, first
        assert result.late == 0
        utc = tmp_path / f"{first}-utc.csv"
        data.assign(시각=data["시각"].dt.tz_convert("UTC").dt.strftime("%Y-%m-%dT%H:%M:%SZ")).to_csv(
            utc, index=False
        )
        assert same(result, assess(tmp_path, [utc], {"zone": "Europe/Berlin", "schedule": week}))


def test_a_file_that_ends_at_noon_leaves_its_last_day_out(tmp_path: Path) -> None:
    data = frame(days=16)
    path = tmp_path / "hist.csv"
    local(data[data["시각"] < "2026-10-20 12:00+09:00"]).to_csv(path, index=False)
    result = assess(tmp_path, [path])
    assert result.left_out == "2026-10-20"
    assert result.assessment.plant().window.last == "2026-10-19"
    assert by_metric(result)["A01"].value == 1.0
    local(data[data["시각"] < "2026-10-20 17:00+09:00"]).to_csv(path, index=False)
    whole = assess(tmp_path, [path])
    assert (whole.left_out, whole.assessment.plant().window.last) == (None, "2026-10-20")
    assert by_metric(whole)["A01"].value == 1.0


def test_a_day_without_any_row_is_named(tmp_path: Path) -> None:
    data = frame()
    path = tmp_path / "hist.csv"
    local(data[data["시각"].dt.strftime("%Y-%m-%d") != "2026-10-08"]).to_csv(path, index=False)
    result = assess(tmp_path, [path])
    assert result.empty == ("2026-10-08",)
    assert by_metric(result)["A01"].value == pytest.approx(0.9, abs=1e-6)


def test_what_the_data_cannot_tell_is_not_assessed_and_says_why(tmp_path: Path) -> None:
    path = tmp_path / "hist.csv"
    local(frame()).to_csv(path, index=False)
    result = assess(tmp_path, [path], answers=HANDS)
    found = by_metric(result)
    assert len(found) == 45
    for metric in (*WHY["stored"], *WHY["ungraded"]):
        assert (found[metric].value, found[metric].reason) == (None, "NA_NOT_IN_SOURCE"), metric
    assert found["A01"].value == 1.0
    for language in LANGUAGES:
        text = "\n".join(told.basis(result, language))
        for metric, why in WHY["stored"].items():
            assert re.search(rf"^- [A-Z0-9, ]*{metric}[A-Z0-9, ]*: {re.escape(why(language))}$", text, re.MULTILINE)


def test_storage_on_change_holds_values_and_leaves_completeness_open(tmp_path: Path) -> None:
    data = frame()
    rows = local(data).melt("시각", var_name="태그", value_name="값")
    rows = rows[rows.groupby("태그")["값"].diff() != 0].sort_values("시각", kind="stable")
    path = tmp_path / "changes.csv"
    rows.to_csv(path, index=False)
    source = {"tag": "태그", "value": "값", "stored": "changes", "every": "5m"}
    result = assess(tmp_path, [path], source=source, answers=HANDS)
    found = by_metric(result)
    for metric in WHY["changes"]:
        assert found[metric].reason == "NA_NOT_IN_SOURCE", metric
    assert found["V02"].value == 0.5
    assert encode(result.assessment.plant()) == encode(
        assess(tmp_path, [path], source=source, answers=HANDS).assessment.plant()
    )


def test_a_machine_of_which_nothing_is_stored_is_no_machine_without_a_connection(tmp_path: Path) -> None:
    path = tmp_path / "hist.csv"
    local(frame()).to_csv(path, index=False)
    result = assess(tmp_path, [path], {"machines": [{"id": "press-1"}, {"id": "lathe"}]})
    report = result.assessment.machine("lathe")
    assert report is not None
    found = {value.metric: value for value in report.values}  # noqa: PD011 - no pandas
    assert (found["C01"].value, found["C01"].reason) == (None, "NA_NOT_IN_SOURCE")
    whole = by_metric(result)
    for metric in WHY["stored"]:  # the plant's reason is not the one of machines without data
        assert (found[metric].reason, whole[metric].reason) == ("NA_NOT_IN_SOURCE", "NA_NOT_IN_SOURCE"), metric
    assert all(value.value is None for name, value in found.items() if name[0] in "CAQV" and name != "Q09")
