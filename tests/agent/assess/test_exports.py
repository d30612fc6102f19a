"""Exports as spreadsheets and SCADA programs write them: thousands, decimal commas, errors, two-line headings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from agent.assess import told
from agent.assess.cells import BAD, COMMA, HOLE, values
from agent.frame import DataType
from settings.errors import ConfigError
from tests.agent.assess.plant import FILE, assess, by_metric, frame, local

if TYPE_CHECKING:
    from pathlib import Path

    from agent.assess.cells import Decimal


@pytest.mark.parametrize(
    ("decimal", "cells", "expected"),
    [
        (".", ["999", "1,000", " 12,345,678 ", "-1,234.5", "1e3"], [999, 1000, 12345678, -1234.5, 1000]),
        (".", ["12,5", "0,123", "1,23", "1234,567", "1,000,00", "1.234,5"], [BAD] * 6),
        (None, ["1,234.5", "1,234", "12,5", "7"], [1234.5, BAD, BAD, 7]),
        (",", ["12,5", "1.234,5", "1.234", "7", "-0,25", "1,5e3"], [12.5, 1234.5, 1234, 7, -0.25, 1500]),
        (",", ["12.5", "1,234.5", "1.23", "1.2345"], [BAD] * 4),
    ],
)
def test_commas_part_thousands_or_decimals_and_are_never_guessed(
    decimal: Decimal | None, cells: list[str], expected: list[Any]
) -> None:
    assert values(DataType.FLOAT64, cells, decimal)[0] == expected
    for cell, found in zip(cells, expected, strict=True):
        if found is BAD and decimal is None:
            assert COMMA.fullmatch(cell)
    whole = [value if value is BAD or value == int(value) else BAD for value in expected]
    if decimal != "," and "1e3" not in cells:
        assert values(DataType.INT64, cells, decimal)[0] == whole


def test_an_error_of_the_spreadsheet_is_no_answer_of_a_device() -> None:
    errors = ["#N/A", "#VALUE!", " #DIV/0! ", "#REF!", "########", "#NAME?"]
    for dtype in (DataType.FLOAT64, DataType.INT32, DataType.BOOL):
        assert values(dtype, errors)[0] == [HOLE] * 6
    assert values(DataType.FLOAT64, ["#", "I/O Timeout"])[0] == [BAD] * 2
    assert values(DataType.STRING, ["#N/A", "#12 press"])[0] == [HOLE, "#12 press"]


def test_thousands_are_read_as_they_are_meant(tmp_path: Path) -> None:
    data = local(frame())
    plain, grouped = tmp_path / "a.csv", tmp_path / "b.csv"
    data.to_csv(plain, index=False)
    data.assign(총수량=data["총수량"].map("{:,}".format)).to_csv(grouped, index=False, encoding="cp949")
    assert '"1,000"' in grouped.read_text("cp949")
    assert assess(tmp_path, [grouped]).days == assess(tmp_path, [plain]).days


def test_a_decimal_comma_is_asked_for_and_then_read(tmp_path: Path) -> None:
    data = local(frame())
    plain, path = tmp_path / "a.csv", tmp_path / "b.csv"
    data.to_csv(plain, index=False)
    data.to_csv(path, index=False, sep=";", decimal=",")
    with pytest.raises(ConfigError, match=r"b\.csv:2: .*is the comma a decimal sign, or between thousands"):
        assess(tmp_path, [path])
    assert assess(tmp_path, [path], source={"decimal": ","}).days == assess(tmp_path, [plain]).days


def test_three_digits_behind_a_comma_are_not_taken_for_thousands_in_a_file_with_semicolons(tmp_path: Path) -> None:
    data = local(frame())
    data["전류"] = (data["전류"].abs() + 1).map("{:.3f}".format).str.replace(".", ",")
    path = tmp_path / "b.csv"
    data.to_csv(path, index=False, sep=";")
    with pytest.raises(ConfigError, match="is the comma a decimal sign"):
        assess(tmp_path, [path])


def test_a_heading_of_several_lines_is_one(tmp_path: Path) -> None:
    plain, path = tmp_path / "a.csv", tmp_path / "b.csv"
    text = local(frame()).to_csv(index=False)
    plain.write_text(text, "utf-8")
    path.write_text('길이 5" 배관 보고서\n' + text.replace("전류", '"전류\r\n(A)"', 1), "utf-8")
    signals = [{**s, "column": "전류 (A)"} if s["column"] == "전류" else s for s in FILE["sources"][0]["signals"]]
    assert assess(tmp_path, [path], source={"signals": signals}).days == assess(tmp_path, [plain]).days


def test_columns_under_merged_cells_are_told_apart_by_their_number(tmp_path: Path) -> None:
    data = local(frame())
    plain, path = tmp_path / "a.csv", tmp_path / "b.csv"
    data.to_csv(plain, index=False)
    twin = data.assign(온도=1.5).rename(columns={"온도": "전류"})
    path.write_text(f",1호기,,,,2호기\n{twin.to_csv(index=False)}", "utf-8")
    with pytest.raises(ConfigError, match=r"b\.csv:2: column 전류 stands twice: write 전류 \(1\) for the first"):
        assess(tmp_path, [path])
    signals = [{**s, "column": s["column"].replace("전류", "전류 (1)")} for s in FILE["sources"][0]["signals"]]
    assert assess(tmp_path, [path], source={"signals": signals}).days == assess(tmp_path, [plain]).days


def test_a_missing_heading_is_shown_where_it_should_be(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    text = local(frame(days=1)).to_csv(index=False)
    path.write_text(f"한일정밀 트렌드\n\n{text.replace('시각', '일시')}", "utf-8")
    with pytest.raises(ConfigError, match=r"data\.csv:3: no column 시각\. There are: 일시, 상태"):
        assess(tmp_path, [path])
    path.write_text(text.partition("\n")[2], "utf-8")
    with pytest.raises(ConfigError, match=r"data\.csv:1: no line with the names of the columns \(시각\): this one"):
        assess(tmp_path, [path])


@pytest.mark.parametrize("magic", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0"])
def test_a_spreadsheet_is_called_one(tmp_path: Path, magic: bytes) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(magic + bytes(500))
    with pytest.raises(ConfigError, match=r"is a spreadsheet \(\.xlsx?\): save it as CSV"):
        assess(tmp_path, [path])


def test_a_status_that_is_not_listed_is_named(tmp_path: Path) -> None:
    data = local(frame()).assign(품질="정상")
    path = tmp_path / "data.csv"
    data.to_csv(path, index=False)
    quality = {"column": "품질", "good": ["Good"]}
    with pytest.raises(ConfigError, match=r"hist\.quality: no row has a status that is listed; .*stands: 정상"):
        assess(tmp_path, [path], source={"quality": quality})
    data.loc[100:149, "품질"] = "점검"
    data.to_csv(path, index=False)
    result = assess(tmp_path, [path], source={"quality": {**quality, "good": ["정상"]}})
    assert "  - quality에 없는 상태 50행(불량 처리): '점검'" in list(told.basis(result, "ko"))
    assert by_metric(result)["Q01"].value is not None


@pytest.mark.parametrize("unit", [10**9, 10**6])
def test_whole_numbers_of_a_parquet_file_are_no_instants_before_somebody_says_of_what(
    tmp_path: Path, unit: int
) -> None:
    data = frame()
    plain, path = tmp_path / "a.csv", tmp_path / "b.parquet"
    local(data).to_csv(plain, index=False)
    since = data["시각"] - pd.Timestamp("1970-01-01", tz="UTC")
    data.assign(시각=since // pd.Timedelta(unit, "ns")).to_parquet(path)
    form = {10**9: "unix_s", 10**6: "unix_ms"}[unit]
    with pytest.raises(ConfigError, match=rf"b\.parquet:1: .* is a number: .* it looks like {form}"):
        assess(tmp_path, [path])
    read = assess(tmp_path, [path], source={"time": {"column": "시각", "format": form}})
    assert read.days == assess(tmp_path, [plain]).days


def test_a_row_of_a_parquet_file_without_a_time_is_said(tmp_path: Path) -> None:
    data = frame()
    data.loc[70, "시각"] = None
    data.to_parquet(tmp_path / "b.parquet")
    with pytest.raises(ConfigError, match=r"b\.parquet:71: "):
        assess(tmp_path, [tmp_path / "b.parquet"])


def test_times_without_seconds_are_asked_about_and_doubles_are_not(tmp_path: Path) -> None:
    path, data = tmp_path / "a.csv", frame(days=3, every_s=30)
    data.assign(시각=data["시각"].dt.strftime("%Y-%m-%d %H:%M")).to_csv(path, index=False)
    (line,) = [line for line in told.basis(assess(tmp_path, [path]), "ko") if "순서가 뒤바뀐" in line]
    assert line == (
        "- 값 34,560개 가운데 중복되거나 순서가 뒤바뀐 17,280개 제외. 시각에 초가 빠졌는지 확인하십시오"
    )
    twice = pd.concat([local(data)[:50], local(data)[48:]])
    twice.to_csv(path, index=False)
    (line,) = [line for line in told.basis(assess(tmp_path, [path]), "en") if "out of order" in line]
    assert line == "- 8 of 34,568 values came twice or out of order and were left out"


def test_what_cannot_be_proved_of_one_machine_only_names_it(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    local(frame(days=3)).to_csv(path, index=False)
    machines = [*FILE["machines"], {"id": "lathe-9", "name": "수동 선반"}]
    lines = list(told.basis(assess(tmp_path, [path], change={"machines": machines}), "ko"))
    assert "- C01 (수동 선반): 자료에 없는 설비임(연결이 안 된다는 뜻은 아님)" in lines
    assert any(line.startswith("- Q01 (프레스 1호기): ") for line in lines)
    assert any(line.startswith("- C02, S01, ") for line in lines)


def test_days_of_a_spreadsheet_are_read(tmp_path: Path) -> None:
    data = frame()
    plain, path = tmp_path / "a.csv", tmp_path / "b.csv"
    local(data).to_csv(plain, index=False)
    days = (data["시각"].dt.tz_localize(None) - pd.Timestamp("1899-12-30")) / pd.Timedelta(days=1)
    data.assign(시각=days.map("{:.5f}".format)).to_csv(path, index=False)
    with pytest.raises(ConfigError, match="it looks like excel"):
        assess(tmp_path, [path])
    read = assess(tmp_path, [path], source={"time": {"column": "시각", "format": "excel"}})
    assert read.days == assess(tmp_path, [plain]).days
