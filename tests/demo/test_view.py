"""The screen: what it says, in both languages, and that it fits."""

from __future__ import annotations

import dataclasses
import io
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

import pytest
from rich.cells import cell_len
from rich.console import Console

from demo.snapshot import MachineState, Snapshot
from demo.view import line, page, spark

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
SHOT = Snapshot(
    site="한일정밀 1공장 (시뮬레이션)", broker="mosquitto", seconds=3_683, replayed=(12_351_041, 9.12), read=3_824,
    stored=3_790, read_rate=46.2, stored_rate=45.9, p50_s=0.71, p99_s=1.42, waiting=2,
    waiting_bytes=84_000, confirmed=81, resent=1, bad=34,
    pull="techsquare report hanil edge-1 --broker 127.0.0.1:40001",
    machines=(PRESS, *OTHERS[:2], CONVEYOR, *OTHERS[2:]),
    log=((31, "이송 컨베이어", "통신 끊김"), (44, "이송 컨베이어", "통신 복구")),
)  # fmt: skip


def shown(shot: Snapshot, language: Language, width: int, height: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height, color_system=None, legacy_windows=False)
    console.print(page(shot, language, width, height))
    out = console.file
    assert isinstance(out, io.StringIO)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize(("width", "height"), [(100, 30), (80, 24), (140, 50)])
def test_the_page_fits_the_terminal(language: Language, width: int, height: int) -> None:
    lines = shown(SHOT, language, width, height)
    assert len(lines) <= height
    assert max(cell_len(text.rstrip()) for text in lines) <= width


@pytest.mark.parametrize(("width", "height"), [(100, 30), (80, 24)])
def test_every_machine_and_every_indicator_is_on_the_page(width: int, height: int) -> None:
    text = "\n".join(shown(SHOT, "ko", width, height))
    for machine in SHOT.machines:
        assert machine.name in text
    for indicator in SHOT.indicators:
        assert indicator.id in text


def test_what_is_not_assessed_says_why_and_shows_no_number() -> None:
    (korean,) = (text for text in shown(SHOT, "ko", 80, 24) if "A04" in text)
    (english,) = (text for text in shown(SHOT, "en", 80, 24) if "A04" in text)
    assert "미평가(기간 부족)" in korean
    assert "not assessed (too few days)" in english
    assert "%" not in korean


def test_every_reason_of_the_report_has_words() -> None:
    assert set(REASONS) == set(get_args(Reason))


def test_a_value_has_its_interval_and_a_census_says_that_it_is_one() -> None:
    lines = shown(SHOT, "en", 100, 30)
    assert any("C03" in text and "98.0%" in text and "97.0% – 98.5%" in text and "88.9 %" in text for text in lines)
    assert any("C01" in text and "all counted" in text for text in lines)
    assert any("Q01" in text and "–" in text and "all counted" not in text for text in lines)


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
    assert any("100% 시뮬레이션 이력" in text for text in shown(SHOT, "ko", 80, 24))


def test_before_anything_is_known_nothing_is_claimed() -> None:
    empty = Snapshot(site="x", machines=(MachineState(id="a", name="a", protocol="Modbus", link="starting"),))
    text = "\n".join(shown(empty, "en", 100, 30))
    assert "p50 –" in text
    assert "the first report is being made" in text
    assert "nothing to report" in text


def test_the_newest_events_are_kept_when_there_is_little_room() -> None:
    log = tuple((n, "m", f"event {n}") for n in range(9))
    text = "\n".join(shown(replace(SHOT, log=log), "en", 80, 24))
    assert "event 8" in text
    assert "event 0" not in text


def test_output_that_is_no_terminal_gets_one_line() -> None:
    text = line(SHOT, "ko")
    assert "\n" not in text
    assert "수집 46건/s (3,824)" in text
    assert "통신 끊김: 머시닝센터 1호기, 수전반 전력량계, 이송 컨베이어" not in text
    assert "이송 컨베이어" in text


@pytest.mark.parametrize(
    ("number", "unit", "text"),
    [
        (0.8889, "1", "88.9%"),
        (0.99934, "1", "99.93%"),
        (1.0, "1", "100.0%"),
        (0.0, "1", "0.0%"),
        (1.25, "s", "1.25 s"),
    ],
)
def test_numbers_are_written_as_people_read_them(number: float, unit: str, text: str) -> None:
    assert value(number, unit) == text


def test_a_trend_rises_from_its_lowest_bar_to_its_highest() -> None:
    assert spark((0, 1, 2, 3, 4, 5, 6, 7), 8) == "▁▂▃▄▅▆▇█"
    assert spark((9, 9, 9), 8) == "▁▁▁"
    assert spark((1, 2, 3), 2) == "▁█"
    assert not spark((1,), 8)
