"""The screen: what it says, in both languages, and that it fits."""

from __future__ import annotations

import dataclasses
import io
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
import pytest
from rich.cells import cell_len
from rich.console import Console

from contract.report import (
    Chance,
    Dimension,
    Levels,
    Measured,
    Missing,
    Report,
    Standing,
    Value,
    Window,
)
from demo.snapshot import MachineState, Snapshot
from demo.view import line, page, spark
from readiness.indicators import REGISTRY
from tests.readiness.plant import model

if TYPE_CHECKING:
    from settings.language import Language

PRESS = MachineState(
    id="press-1", name="프레스 1호기", protocol="Modbus", link="up", link_s=50, state=1, count=193_654,
    shown=("메인 모터 전류", "A", 24.34), trend=(1, 5, 8, 3), age_s=0.8, good=1.0,
)  # fmt: skip
CONVEYOR = MachineState(
    id="conveyor-1", name="이송 컨베이어", protocol="Modbus", link="down", link_s=7, state=1, count=1_200,
    shown=("벨트 속도", "m/min", 18.0), trend=(1, 1), age_s=9.6, good=0.913,
)  # fmt: skip
OTHERS = (
    MachineState(id="cnc-1", name="머시닝센터 1호기", protocol="OPC UA", link="refused", link_s=3_700),
    MachineState(id="mold-1", name="사출기 1호기", protocol="OPC UA", link="up", state=3),
    MachineState(id="meter-1", name="수전반 전력량계", protocol="Modbus", link="starting"),
    MachineState(id="lathe-9", name="수동 선반"),
)
EVIDENCE = "0" * 16


def value(metric: str, unit: str = "1", **more: object) -> Value:
    return Value(metric=metric, unit=unit, evidence=EVIDENCE, **more)  # type: ignore[arg-type]


VALUES = [
    value("C01", value=0.8889, coverage=1.0, score=88.9, quality="census"),
    value("C02", "{class}", value=77.5, coverage=1.0, score=77.5, quality="census"),
    value("C03", value=0.98, lo=0.97, hi=0.985, coverage=0.889, score=60.0),
    value("A04", "s", reason="NA_SHORT_WINDOW"),
    value("S03", reason="NOT_APPLICABLE"),
    *(
        value(metric, reason="NA_NO_EVIDENCE")
        for metric in REGISTRY
        if metric not in {"C01", "C02", "C03", "A04", "S03"}
    ),
]
REPORT = Report(
    factory="hanil", site="main", agent="edge-1", made_at="0",
    window=Window("2026-10-26", "2026-11-22", "Asia/Seoul", 20), formulas="x", model="0" * 16, evidence=EVIDENCE,
    confidence=0.9, simulated=1.0, note="x", values=VALUES, level=Levels(0, 3),
    settle=[Missing("V02", "NA_NO_EVIDENCE"), Missing("T01", "NA_NO_EVIDENCE"), Missing("V05", "NA_NO_EVIDENCE")],
    chances=[Chance(1, 0.0, 0.714)],
    dimensions=[
        Dimension("D1", 5, 5, 1.0, 65.7, 61.4, 66.2, 39.4, 83.8),
        *(Dimension(f"D{k}", 1, 5, 0.2, reason="coverage") for k in range(2, 10)),
        Dimension("D10", 0, 0, reason="not_applicable"),
    ],
    measured=Measured(machines=6, reached=5, signals=44, planned_s=864_000, known=0.887),
)  # fmt: skip
SHOT = Snapshot(
    site="한일정밀 1공장 (시뮬레이션)", broker="mosquitto", seconds=3_683, replayed=(12_351_041, 9.12), read=3_824,
    stored=3_790, read_rate=46.2, stored_rate=45.9, p50_s=0.71, p99_s=1.42, waiting=2,
    waiting_bytes=84_000, confirmed=81, resent=1, bad=34,
    pull="techsquare report hanil edge-1 --broker 127.0.0.1:40001",
    machines=(PRESS, *OTHERS[:2], CONVEYOR, *OTHERS[2:]), report=REPORT,
    log=((31, "이송 컨베이어", "통신 끊김"), (44, "이송 컨베이어", "통신 복구")),
)  # fmt: skip


def shown(shot: Snapshot, language: Language, width: int, height: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height, color_system=None, legacy_windows=False)
    console.print(page(shot, model(), language, width, height))
    out = console.file
    assert isinstance(out, io.StringIO)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize(("width", "height"), [(100, 30), (80, 24), (140, 50)])
def test_the_page_fits_the_terminal(language: Language, width: int, height: int) -> None:
    lines = shown(SHOT, language, width, height)
    assert len(lines) <= height
    assert max(cell_len(text.rstrip()) for text in lines) <= width


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize(("width", "height"), [(100, 30), (80, 24), (140, 50)])
def test_every_machine_and_every_dimension_is_on_the_page(language: Language, width: int, height: int) -> None:
    text = "\n".join(shown(SHOT, language, width, height))
    for machine in SHOT.machines:
        assert machine.name in text
    for dimension in model().dimensions.dimensions:
        assert getattr(dimension, language) in text


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 45)])
def test_the_first_lines_say_what_was_measured_what_that_covers_and_what_is_not_proven(
    width: int, height: int
) -> None:
    lines = [line.strip() for line in shown(SHOT, "ko", width, height)]
    assert "근거수준 EL0 (범위 EL0–EL3), KOSMO 수준확인 아님 · EL1 이상일 확률 0.00–0.71" in lines
    assert "측정  설비 6대 중 5대 · 태그 44개 · 생산일 20일 · 계획시간 88.7% 파악" in lines
    assert "모델  스마트공장 포털 2/5 · SIRI 4/16 · acatech 2/4 · 점수 기준 미보정" in lines
    assert "미평가  지표 45개 중 41개: 근거 없음 40, 기간 부족 1" in lines
    assert "다음 근거  V02 생산수량 자동집계율 · T01 로트·시리얼 연계율" in lines


def test_a_level_that_stands_is_told_before_the_one_of_this_window() -> None:
    stands = msgspec.structs.replace(REPORT, standing=Standing(Levels(1, 1), "2026-08-03", 9, Levels(0, 3)))
    text = "\n".join(shown(replace(SHOT, report=stands), "ko", 80, 24))
    assert "근거수준 EL1, KOSMO" in text


def test_a_score_has_its_interval_and_what_has_none_says_of_how_much_it_would_be_made() -> None:
    text = "\n".join(shown(SHOT, "en", 80, 24))
    assert "Connectivity        ███████···  66 (61–66)" in text
    assert "Data acquisition    not proven 1/5" in text
    assert "Actual use   not applicable 0/0" in text


def test_a_tall_terminal_shows_every_indicator() -> None:
    text = "\n".join(shown(SHOT, "ko", 120, 45))
    for found in VALUES:
        assert f" {found.metric} " in text
    assert "C01 88.9%" in text
    assert "C02 등급 77.5" in text
    assert "A04 미평가" in text
    assert "S03 해당 없음" in text
    assert "C01 88.9%" not in "\n".join(shown(SHOT, "ko", 80, 24)), "no room"


def test_a_machine_whose_link_is_down_says_so_with_the_age_of_its_last_value() -> None:
    (conveyor,) = (text for text in shown(SHOT, "ko", 80, 24) if text.strip().startswith("이송"))
    assert "통신 끊김 7 s" in conveyor
    assert conveyor.endswith("10 s ")
    (lathe,) = (text for text in shown(SHOT, "ko", 80, 24) if "수동 선반" in text)
    assert "미연결" in lathe


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("width", [76, 80, 100])
def test_a_value_is_never_cut_in_half(language: Language, width: int) -> None:
    full = dataclasses.replace(PRESS, trend=(1, 2, 3, 4) * 4)  # what takes the most room
    shot = dataclasses.replace(SHOT, machines=(full, *SHOT.machines[1:]))
    (press,) = (text for text in shown(shot, language, width, 30) if "프레스" in text)
    assert "24.3 A" in press


def test_the_figures_are_on_the_page() -> None:
    text = "\n".join(shown(SHOT, "en", 100, 30))
    for figure in (
        "46 /s",
        "3,824 in all",
        "p50 0.71 s",
        "p99 1.42 s",
        "2 batches",
        "99.1 %",
        "1 sent twice",
        "34 bad",
    ):
        assert figure in text
    assert "01:01:23" in text
    assert "techsquare report hanil edge-1 --broker 127.0.0.1:40001" in text


def test_the_share_of_simulated_history_is_said() -> None:
    assert any("시뮬레이션 이력 100%" in text for text in shown(SHOT, "ko", 80, 24))


def test_before_anything_is_known_nothing_is_claimed() -> None:
    empty = Snapshot(site="x", machines=(MachineState(id="a", name="a", protocol="Modbus", link="starting"),))
    text = "\n".join(shown(empty, "en", 100, 30))
    assert "p50 –" in text
    assert "the first report is being made" in text
    assert "nothing to report" in text


def test_the_newest_events_are_kept_when_there_is_little_room() -> None:
    log = tuple((n, "m", f"event {n}") for n in range(9))
    text = "\n".join(shown(replace(SHOT, log=log), "en", 80, 29))
    assert "event 8" in text
    assert "event 0" not in text


def test_output_that_is_no_terminal_gets_one_line() -> None:
    text = line(SHOT, "ko")
    assert "\n" not in text
    assert "수집 46건/s (3,824)" in text
    assert "통신 끊김: 머시닝센터 1호기, 수전반 전력량계, 이송 컨베이어" not in text
    assert "이송 컨베이어" in text


def test_a_trend_rises_from_its_lowest_bar_to_its_highest() -> None:
    assert spark((0, 1, 2, 3, 4, 5, 6, 7), 8) == "▁▂▃▄▅▆▇█"
    assert spark((9, 9, 9), 8) == "▁▁▁"
    assert spark((1, 2, 3), 2) == "▁█"
    assert not spark((1,), 8)
