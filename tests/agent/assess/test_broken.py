"""What is wrong with data or configuration is said with file and line, and nothing is assessed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from agent.assess.config import load
from settings.errors import ConfigError
from tests.agent.assess.plant import FILE, assess, by_metric, frame, local, written

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "시각,상태,총수량,불량,전류"


def lines(n: int = 60) -> list[str]:
    return [HEAD, *(f"2026-10-05 08:{m:02d}:00,2,{m},0,12.5" for m in range(n))]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: [rows[0].replace("시각", "시간"), *rows[1:]], "csv:1: no column 시각. There are: 시간"),
        (lambda rows: ["그냥 글", *rows[1:]], "data.csv:2: no line with the names of the columns (시각)"),
        (lambda rows: [*rows[:30], "어제,2,3,0,12.5", *rows[30:]], "data.csv:31: '어제' is no time with the year"),
        (lambda rows: [*rows[:30], "2026-10-05 07:00:00,2,3", *rows[30:]], "data.csv:31: 3 cells under a heading"),
        (lambda rows: [rows[0], *rows[:0:-1]], "goes back in time by more than ten minutes"),
        (lambda rows: [*rows[:20], rows[1], *rows[20:]], "data.csv:21: goes back in time"),
        (lambda rows: rows[:1], "or not at one interval"),
        (lambda rows: [row.replace(",12.5", ",열두") for row in rows], "nothing in column 전류 is float64: '열두'"),
        (lambda rows: [row.replace("전류", "압력") for row in rows], "current: no file has anything of 전류"),
        (lambda rows: [rows[0] + ",전류", *(row + ",1" for row in rows[1:])], "column 전류 stands twice"),
    ],
    ids=[
        "heading", "no heading", "time", "cut", "newest first", "back", "empty", "type", "column", "twice",
    ],
)  # fmt: skip
def test_each_mistake_is_said_where_it_is(tmp_path: Path, change: Any, said: str) -> None:
    path = tmp_path / "data.csv"
    path.write_text("\n".join(change(lines())) + "\n", "utf-8")
    with pytest.raises(ConfigError) as caught:
        assess(tmp_path, [path])
    assert said in str(caught.value)


def test_lines_are_counted_through_quoted_ones_empty_ones_and_a_preamble(tmp_path: Path) -> None:
    rows = lines()
    rows[5] += ',"두\n줄"'
    rows = [f"{row},메모" if n == 0 else row if '"' in row else f"{row}," for n, row in enumerate(rows)]
    rows[20:20] = ["", ""]
    rows[40] = "x" + rows[40]
    path = tmp_path / "data.csv"
    path.write_text("히스토리안 내보내기\n기간: 10월\n" + "\n".join(rows) + "\n", "utf-8")
    with pytest.raises(ConfigError) as caught:
        assess(tmp_path, [path], source={"every": "1m"})
    number = next(n for n, row in enumerate(path.read_text("utf-8").split("\n"), 1) if row.startswith("x"))
    assert f"data.csv:{number}: 'x2026" in str(caught.value)


def test_bytes_of_no_encoding_are_refused_at_their_line(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    text = "\n".join(lines()).encode()
    path.write_bytes(text + b"\n2026-10-05 09:00:00,2,60,0,\xff\xff\xff\n")
    with pytest.raises(ConfigError, match=r"data\.csv:62: neither UTF-8"):
        assess(tmp_path, [path])
    path.write_bytes(text + b"\n2026-10-05 09:00:00,2,60,0,\x00\n")
    with pytest.raises(ConfigError, match="zero bytes"):
        assess(tmp_path, [path])


def test_korean_may_begin_late_in_an_ascii_file(tmp_path: Path) -> None:
    data = local(frame()).rename(
        columns={"시각": "at", "상태": "state", "총수량": "total", "불량": "reject", "전류": "current"}
    )
    data["note"] = ""
    data.loc[len(data) - 1, "note"] = "정지"
    path = tmp_path / "data.csv"
    data.to_csv(path, index=False, encoding="cp949")
    signals = [{**s, "column": s["id"]} for s in FILE["sources"][0]["signals"]]
    found = assess(tmp_path, [path], source={"time": {"column": "at"}, "signals": signals})
    assert by_metric(found)["A01"].value == 1.0


def test_words_in_place_of_numbers_are_bad_values_that_the_report_names(tmp_path: Path) -> None:
    data = local(frame()).astype({"전류": object})
    bad = np.random.default_rng(4).random(len(data)) < 0.01
    data.loc[bad, "전류"] = "I/O Timeout"
    path = tmp_path / "data.csv"
    data.to_csv(path, index=False)
    seen = assess(tmp_path, [path]).parts[0].seen
    first = int(np.flatnonzero(bad)[0])
    assert seen.unreadable.tolist() == [0, 0, 0, int(bad.sum())]
    assert seen.read.tolist() == [len(data)] * 3 + [len(data) - int(bad.sum())]
    assert seen.first[3] == (f"{path}:{first + 2}", "I/O Timeout")


def test_a_time_that_no_clock_showed_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    rows = [HEAD, *(f"2026-03-29 {h:02d}:{m:02d}:00,2,{m},0,12.5" for h in (1, 2) for m in range(60))]
    path.write_text("\n".join(rows), "utf-8")
    with pytest.raises(ConfigError, match=r"data\.csv:62: 2026-03-29 02:00:00 was on no clock of Europe/Berlin"):
        assess(tmp_path, [path], {"zone": "Europe/Berlin"})


def test_files_and_sources_belong_together(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("\n".join(lines()), "utf-8")
    with pytest.raises(ConfigError, match="source hist: none of the files is called press"):
        assess(tmp_path, [path], source={"files": "press*"})
    other = tmp_path / "other.csv"
    other.write_text("", "utf-8")
    with pytest.raises(ConfigError, match=r"other\.csv belongs to no source"):
        assess(tmp_path, [path, other], source={"files": "data*"})
    with pytest.raises(ConfigError, match="No such file"):
        assess(tmp_path, [tmp_path / "none.csv"])


def test_a_parquet_file_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    frame().to_parquet(path)
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])
    with pytest.raises(ConfigError, match=r"data\.parquet"):
        assess(tmp_path, [path])


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"tag": "태그"}, "write both tag and value, or neither"),
        ({"stored": "changes"}, "needs every"),
        ({"time": {"column": "시각", "format": "%d.%m %H"}}, "write auto"),
        ({"machine": "press-9"}, "machine press-9 is not declared"),
        (
            {"quality": {"column": "품질", "good": ["G"], "lost": ["G"]}},
            "G stands in two of good, uncertain and lost",
        ),
        (
            {"signals": [*FILE["sources"][0]["signals"], {"id": "x", "column": "전류", "type": "bool"}]},
            "column of two",
        ),
        ({"time": None}, "files need time"),
        ({"every": "10"}, "write a time with its unit"),
    ],
)
def test_mistakes_of_the_configuration_stand_at_their_line(
    tmp_path: Path, source: dict[str, Any], said: str
) -> None:
    path = tmp_path / "assess.yaml"
    path.write_text(written(None, source), "utf-8")
    for language in ("en", "ko"):
        with pytest.raises(ConfigError) as caught:
            load(path, language)
        assert f"{path}:" in str(caught.value)
        assert (said in str(caught.value)) == (language == "en")
