"""`tsq-agent report`: a report as people read it, on terminals of several widths, in both languages."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from rich.cells import cell_len
from rich.console import Console

from agent.cli import main
from agent.cli.reportview import page
from agent.platform.cut import cut
from contract.codec import encode
from contract.report import Change, Contradiction, Measured, Missing, Report, Standing, Trend, Value
from readiness.contradictions import CODES
from readiness.indicators import REGISTRY
from readiness.words import UNITS
from tests.agent.cli.test_terminal import terminal
from tests.readiness.plant import Plant, model, source

if TYPE_CHECKING:
    from settings.language import Language

EXAMPLE = Path(__file__).parents[3] / "config" / "agent.example.yaml"
NAMES = {"press": "프레스 1호기(신규 증설 라인)", "lathe": "수동 선반"}
SIZES = (80, 100, 140)


def made() -> Report:
    """Return the report of a real assessment, with everything that a report can tell."""
    found = Plant([source("press"), source("lathe")], days=28).assess().plant()
    assert found.level is not None
    values = [full(value) for value in found.values]
    odd = [Contradiction(code, f"machine press {code}", "yes", "9-12", "2026-11-20", "press") for code in CODES]
    trend = Trend(
        "2026-09-28", "2026-10-25", 2,
        [Change("D1", 58.0, 71.2, 6.1, 20.3, "better", 11.9), Change("D2", 58.0, 59.0, -3.1, 4.9, "none", 1.0),
         Change("A01", 90.0, 80.0, -12.0, -8.0, "worse")], ["lathe"], ["oven"],
    )  # fmt: skip
    return replace(
        found, values=values, contradictions=odd, trend=trend, standing=Standing(found.level, "2026-08-03", 9),
        measured=Measured(2, 1, 44, 864_000, 0.887), broken="2026-07-01", simulated=0.5,
    )  # fmt: skip


def full(value: Value) -> Value:
    """Return an indicator with a number where it would have none, so that every unit is shown."""
    if value.metric in {"A02", "Q05", "Q04", "U02", "R01"}:
        return replace(value, value=12.34, lo=11.1, hi=15.5, score=55.0, reason=None, n=20, coverage=0.9)
    return value


REPORT = made()


def drawn(report: Report, language: Language, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, color_system=None, legacy_windows=False, highlight=False)
    console.print(page(report, model(), language, NAMES, "한일정밀 1공장", width))
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("width", SIZES)
def test_everything_is_told_and_fits(language: Language, width: int) -> None:
    lines = drawn(REPORT, language, width)
    assert max(cell_len(line) for line in lines) <= width
    text = "\n".join(lines)
    for metric in REGISTRY:
        assert re.search(rf"^ {metric} ", text, re.MULTILINE), metric
    assert "…" not in text, "nothing is cut off"
    assert not re.search(r"NA_|[{}]", text), "codes are words"
    for words in CODES.values():
        assert "".join(words[language == "ko"].split()) in "".join(text.split())
    for unit in UNITS:
        assert unit not in text or unit in {"s", "d"}


def test_the_first_lines_are_first() -> None:
    lines = drawn(REPORT, "ko", 80)
    heads = [line.strip() for line in lines if re.match(r" [^ ]", line)]
    order = ["측정한 것", "모델별 측정 범위", "증명되지 않은 것", "근거수준"]
    assert [h for h in heads if h in order] == order
    assert lines.index(" 측정한 것") < 4
    text = "\n".join(lines)
    assert "KOSMO 수준확인 아님" in text
    assert "프레스 1호기(신규 증설 라인)" in re.sub(r"\s+", " ", text)


def test_columns_stand_under_each_other_with_korean() -> None:
    lines = drawn(REPORT, "ko", 100)
    rows = [re.match(r" [A-Z]\d\d  .*? ([\d.]+%)  [\d.]+%–", line) for line in lines]
    ends = [cell_len(row.string[: row.end(1)]) for row in rows if row is not None]
    assert len(ends) >= 3
    assert len(set(ends)) == 1, "values end in one column"


def test_what_was_not_assessed_has_a_reason_and_no_number() -> None:
    value = next(v for v in REPORT.values if v.reason == "NA_NO_EVIDENCE")
    (line,) = (line for line in drawn(REPORT, "ko", 100) if line.startswith(f" {value.metric} "))
    assert "미평가" in line
    assert "근거 없음" in line
    assert "%" not in line


def test_changes_are_called_only_when_they_are_sure() -> None:
    text = "\n".join(drawn(REPORT, "ko", 100))
    assert "연결성 58.0 → 71.2: +13.2 개선 [+6.1, +20.3], 전체 설비 +11.9" in text
    assert "A01 계획시간 대비 수집 완전성 90.0 → 80.0: -10.0 악화" in text
    assert "수집 58.0" not in text
    assert "새로 추가되어 비교하지 않음: 수동 선반" in text
    assert REPORT.trend is not None
    quiet = replace(REPORT, trend=replace(REPORT.trend, changes=REPORT.trend.changes[1:2]))
    assert "확실한 변화 없음" in "\n".join(drawn(quiet, "ko", 140))


@pytest.mark.parametrize("scopes", [{"levels"}, {"indicators"}])
@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_report_that_consent_has_cut_can_be_read(scopes: set[str], language: Language) -> None:
    part = cut(REPORT, frozenset(scopes))  # type: ignore[arg-type]
    assert part is not None
    lines = drawn(part, language, 80)
    text = "\n".join(lines)
    assert "V02" in text
    assert ("C04" in text) == ("indicators" in scopes)
    assert any("EL0" in line for line in lines) == ("levels" in scopes)


def test_what_an_answer_is_about_is_told_in_korean() -> None:
    odd = [
        Contradiction("alarms_seen", "machine press has_alarms", "no", "press/oil", "2026-11-20", "press"),
        Contradiction("two_answers", "calendar date 2026-12-24", "off", "work (2026-11-20)", "2026-11-19"),
        Contradiction("claim", "V03", "0.8", "0.5-0.6", "2026-11-20", "press"),
        Contradiction("claim", "V03", "", "", "2026-11-20", "lathe"),
        Contradiction("claim", "A04", "1", "2-", "2026-11-20"),
    ]
    text = " ".join("".join(drawn(replace(REPORT, contradictions=odd), "ko", 140)).split())
    told = "프레스 1호기(신규 증설 라인) 알람 유무(has_alarms): 알람이 없다고 응답했으나 알람이 발생함."
    assert f"{told} 응답 아니요, 확인 press/oil" in text
    assert "달력 날짜(date) 2026-12-24: 두 응답이 다름(나중 응답을 적용). 응답 휴무, 확인 근무 (2026-11-20)" in text
    told = "프레스 1호기(신규 증설 라인) V03 OEE 산출 가능률: 측정값(신뢰구간)과 응답이 다름."
    assert f"{told} 응답 80.0%, 확인 50.0%–60.0%" in text
    assert "A04 종단 지연: 측정값(신뢰구간)과 응답이 다름. 응답 1초, 확인 ≥ 2초" in text
    assert "수동 선반 V03 OEE 산출 가능률: 측정값(신뢰구간)과 응답이 다름 -" in text
    assert not re.search("응답 ,", text), "what consent has cut is no empty answer"


def test_machines_without_a_level_are_named() -> None:
    assert REPORT.measured is not None
    three = replace(REPORT, measured=replace(REPORT.measured, machines=3))
    names = {**NAMES, "meter": "전력량계"}
    console = Console(file=io.StringIO(), width=100, color_system=None, highlight=False)
    console.print(page(three, model(), "ko", names, "", 100))
    assert isinstance(console.file, io.StringIO)
    assert "생산하지 않는 설비 1대는 수준을 따지지 않음: 전력량계" in console.file.getvalue()
    assert "생산하지 않는 설비 1대는 수준을 따지지 않음\n" in "\n".join(drawn(three, "ko", 100)) + "\n"
    for other in (REPORT, replace(three, omitted=["machines"], machines=[]), cut(three, frozenset({"indicators"}))):
        assert other is not None
        assert "수준을 따지지 않음" not in "\n".join(drawn(other, "ko", 100))


def test_one_machine_has_its_name_on_top() -> None:
    report = Plant([source("press")], days=14).assess().machine("press")
    assert report is not None
    assert "프레스 1호기" in drawn(report, "ko", 80)[0]


def test_pieces_of_evidence_are_told_with_what_to_do() -> None:
    assert REPORT.level is not None
    asked = replace(REPORT, settle=[Missing("V02", "NA_NO_EVIDENCE", ["press"]), Missing("L03", "NA_FEW_EVENTS")])
    text = "".join("".join(drawn(asked, "ko", 80)).split())
    assert "한근무조의생산수량을손으로세어입력" in text
    assert "모두2가지가필요함:V02,L03" in text


def test_a_saved_report_is_read_from_its_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = tmp_path / "report.json"
    saved.write_bytes(encode(REPORT))
    nowhere = str(tmp_path / "none.yaml")
    assert main(["report", "--file", str(saved), "--config", nowhere, "--lang", "ko"]) == 0
    shown = capsys.readouterr().out
    assert "측정한 것" in shown
    assert "hanil/main" in shown
    assert main(["report", "--file", str(saved), "--config", str(EXAMPLE), "--lang", "en"]) == 0
    assert "What was measured" in capsys.readouterr().out
    assert main(["report", "--file", str(saved), "--config", nowhere, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(encode(REPORT))
    saved.write_text("{}", "utf-8")
    assert main(["report", "--file", str(saved), "--config", nowhere, "--lang", "ko"]) == 78
    assert "보고서 파일이 아닙니다" in capsys.readouterr().err
    assert main(["report", "--file", str(tmp_path / "none"), "--config", nowhere, "--lang", "ko"]) == 78


def test_without_an_agent_it_says_what_to_look_at(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--config", str(EXAMPLE), "--lang", "ko"]) == 1
    assert "실행 중인 에이전트의 응답이 없습니다" in capsys.readouterr().err


def test_on_a_real_terminal_of_80_columns_nothing_wraps(tmp_path: Path) -> None:
    saved = tmp_path / "report.json"
    saved.write_bytes(encode(REPORT))
    with terminal("report", "--file", saved, "--config", tmp_path / "none.yaml", "--lang", "ko") as screen:
        assert screen.ended() == 0
        lines = screen.text.replace("\r", "").splitlines()
    assert max(cell_len(line) for line in lines) <= 80
    assert any(line.strip() == "증명되지 않은 것" for line in lines)
    assert b"\x1b[" in screen.raw, "with colours"
