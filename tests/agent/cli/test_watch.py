"""`tsq-agent watch`: what it makes of an answer, how its lines stand under each other, and its keys."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.widgets import Static

from agent.cli import main
from agent.cli.table import width
from agent.cli.watching import lines
from agent.cli.watching.app import Watch
from agent.cli.watching.model import HISTORY, Model, error_rate, fit, pad, span_words, spark, value_words
from agent.cli.watching.rows import Rows
from agent.config.load import load, read
from agent.control import NotRunning
from agent.frame import DataType, Status
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.text import Text as Styled
    from textual.pilot import Pilot

EXAMPLE = Path(__file__).parents[3] / "config" / "agent.example.yaml"
NOW = 1_795_000_000 * 10**9


def said(
    machine: str,
    id_: str,
    value: object,
    *,
    status: int | None = 0,
    age_s: float = 0,
    history: list[Any] | None = None,
) -> dict[str, Any]:
    time = None if status is None else int(NOW - age_s * 1e9)
    base = {
        "machine": machine,
        "id": id_,
        "name": id_,
        "unit": None,
        "source": "x",
        "value": value,
        "status": status,
    }
    return base | {"time": time} | ({} if history is None else {"history": history})


def answer(*, later_s: float = 0) -> dict[str, Any]:
    stats = {"requests": 200, "timeouts": 1, "exceptions": 1, "rtt_ns": 12_300_000, "rtt_p95_ns": 31_000_000,
             "busy": 0.12, "per_second": 4.2, "slowdown": 1.5, "backoff_ns": 3 * 10**9,
             "learned": {"holes": "300"}}  # fmt: skip
    up = {"state": "up", "since": str(NOW), "text": "", "refused": ["x"], "rows": 5, "bad_rows": 0, "outages": 1}
    down = {
        **up,
        "state": "down",
        "text": "meter (10.0.0.5:502, unit 1): no answer",
        "text_ko": "meter(10.0.0.5:502, 국번 1): 응답 없음",
        "refused": [],
        "since": str(NOW - 65 * 10**9),
    }
    return {
        "time": str(int(NOW + later_s * 1e9)),
        "devices": {"press-plc": {**up, "stats": stats}, "meter": {**down, "stats": {}}, "old": up},
        "signals": [
            said("press-1", "running", True, history=[1.0, 0.0, 1.0]),
            said("press-1", "motor-current", 21.5 + later_s, history=[20.0, None, 21.5], age_s=-later_s),
            said("press-1", "lot", "한일\x1b[31m2025", history=[]),
            said("meter-1", "energy", None, status=Status.BAD_NO_COMMUNICATION, age_s=66, history=[]),
            said("cnc-1", "state", 3, status=Status.UNCERTAIN, age_s=3000, history=[3.0]),
            said("gone", "gone", 1),
        ],
    }


def model() -> Model:
    made = Model(load(EXAMPLE))
    made.take(answer())
    return made


def test_an_answer_fills_the_rows_and_the_past_goes_on_from_there() -> None:
    made = model()
    assert made.unknown == 1
    current = made.signals["press-1", "motor-current"]
    assert list(current.history) == [20.0, None, 21.5]
    made.take(answer(later_s=1))
    assert list(current.history) == [20.0, None, 21.5, 22.5]  # not the answer's past once more
    assert list(made.signals["press-1", "running"].history) == [1.0, 0.0, 1.0]  # nothing new
    for second in range(2, 100):
        made.take(answer(later_s=second))
    assert len(current.history) == HISTORY
    assert made.devices["meter"].text("ko") == "meter(10.0.0.5:502, 국번 1): 응답 없음"
    assert made.counts() == (3, 1, 6)


def test_order_and_filter() -> None:
    made = model()

    def ids(**how: Any) -> list[str]:
        return [row.id for row in made.chosen(**how)]

    assert ids()[:3] == ["running", "motor-current", "shots"]
    assert ids(words="모터") == ["motor-current"]
    assert ids(words="PRESS cur") == ["motor-current"]
    assert ids(device="meter") == ["energy"]
    assert set(ids(bad=True)) == {
        "shots", "oil-temperature", "lubrication-alarm", "energy", "state", "parts", "spindle-load",
    }  # fmt: skip
    assert ids(sort="quality")[0] == "shots"  # never heard
    assert ids(sort="age")[-1] in {"running", "motor-current", "lot"}
    names = ids(sort="name")
    assert names.index("running") < names.index("motor-current")  # 가동 before 모터


def test_a_polled_value_gets_old_and_a_subscribed_one_may_rest() -> None:
    made = model()
    running, state = made.signals["press-1", "running"], made.signals["cnc-1", "state"]
    assert not running.stale(NOW + 2 * 10**9)
    assert running.stale(NOW + 3 * 10**9)  # three intervals of 500 ms and a second
    assert not state.stale(NOW + 10**12)


@pytest.mark.parametrize("columns", [80, 100, 160])
@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_line_is_as_wide_as_the_screen(columns: int, language: Any) -> None:
    made = model()
    for device in made.devices.values():
        line = lines.device_line(device, language, NOW, columns)
        assert width(line.plain) == columns == width(lines.device_title(language, columns).plain)
    for row in made.signals.values():
        line = lines.signal_line(row, language, NOW, columns, plain=True)
        assert width(line.plain) <= columns
        assert "\x1b" not in line.plain
        assert width(lines.detail(row, "holding:8", language, columns).plain) <= columns
    assert width(lines.signal_title(language, columns).plain) == columns


def test_a_line_says_how_a_device_answers_and_what_it_is_asked() -> None:
    line = lines.device_line(model().devices["press-plc"], "en", NOW, 80).plain
    assert line.split() == ["프레스", "PLC", "up", "12.3", "31.0", "1.0%", "4.2/50", "12/80%", "x1.5", "3.0s"]
    down = lines.device_line(model().devices["meter"], "ko", NOW, 120).plain
    assert "통신 끊김" in down
    assert "65s 응답 없음" in down


@pytest.mark.parametrize(
    ("history", "plain", "bars"),
    [([], False, ""), ([None], False, ""), ([1, 1], False, "▄▄"), ([0, 7], False, "▁█"),
     ([0, None, 7], True, "_ @"),
     ([1e308, -1e308], False, "▄▄"), ([float("inf"), 1], True, " ="), (list(range(100)), True, None)],
)  # fmt: skip
def test_the_last_values_as_bars(history: list[float | None], plain: bool, bars: str | None) -> None:  # noqa: FBT001
    drawn = spark(history, 10, plain=plain)
    assert len(drawn) <= 10
    if bars is not None:
        assert drawn == bars


@pytest.mark.parametrize(
    ("ns", "words"),
    [(None, "-"), (0, "0.0s"), (9_900_000_000, "9.9s"), (12 * 10**9, "12s"), (200 * 10**9, "3m"),
     (90_000 * 10**9, "25h"), (10**15, "12d")],
)  # fmt: skip
def test_a_span_takes_few_columns(ns: int | None, words: str) -> None:
    assert span_words(ns) == words


@given(st.text(max_size=20), st.integers(0, 12))
def test_a_text_is_cut_and_padded_to_columns(text: str, columns: int) -> None:
    assert width(fit(text, columns)) <= max(columns, 0)
    assert width(pad(text, columns)) == columns


def test_values_and_rates_in_words() -> None:
    row = next(iter(model().signals.values()))

    def said(value: Any, dtype: DataType, **more: Any) -> str:
        return value_words(dataclasses.replace(row, value=value, dtype=dtype, zone="Asia/Seoul", **more), 12)

    assert said(None, DataType.BOOL) == "-"
    assert said(True, DataType.BOOL) == "1"
    assert said(0.1 + 0.2, DataType.FLOAT64) == "0.3"
    assert said("가나다라마바사", DataType.STRING) == "가나다라마."
    assert said(2**64 - 1, DataType.UINT64) == "1.844674e+19", "never the first digits of a longer number"
    assert said(1_795_362_385 * 10**9, DataType.TIMESTAMP) == "11-23 00:46"
    assert said(2, DataType.UINT16, labels=((2, "운전"),)) == "2 운전"
    assert error_rate({}) is None
    assert error_rate({"requests": 4, "timeouts": 1}) == 0.25


class Script:
    """Answers what it is given, or that nobody runs."""

    def __init__(self) -> None:
        self.later = 0.0
        self.alive = True
        self.asked: list[bool] = []
        self.retried: list[str] = []

    async def snapshot(self, *, history: bool) -> Mapping[str, Any]:
        self.asked.append(history)
        if not self.alive:
            raise NotRunning(Text("nobody answers", "응답 없음"))
        self.later += 1
        return answer(later_s=self.later)

    async def retry(self, device: str) -> None:
        self.retried.append(device)


def top(app: Watch) -> str:
    return str(app.query_one("#top", Static).render())


def test_the_keys(tmp_path: Path) -> None:
    del tmp_path
    config = load(EXAMPLE)
    source = Script()
    app = Watch(Model(config), source, config.addresses(), "ko", every_s=3600)

    async def until(pilot: Pilot[None], done: Any) -> None:
        async with asyncio.timeout(20):
            while not done():
                await pilot.pause(0.01)

    async def use() -> None:
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: app.model.heard)
            assert source.asked == [True]
            assert "한일정밀 1공장" in top(app)
            assert "정상 3 주의 1 불량 6" in top(app)
            signals = app.query_one("#signals", Rows)
            assert signals.count == 10
            await pilot.press("s", "b")
            assert app.sort == "name"
            assert signals.count == 7
            assert "[이상만]" in top(app)
            await pilot.press("escape", "slash", *"press")
            assert [row.machine for row in app.shown] == ["press-1"] * 6
            await pilot.press("enter", "down", "down", "end", "pageup", "home", "l")
            assert app.language == "en"
            assert "[/press]" in top(app)
            await pilot.press("r", "p")
            assert source.retried == ["press-plc"]
            assert "[PAUSED]" in top(app)
            await app._poll()
            assert source.asked == [True]  # a held picture asks nobody
            await pilot.press("p", "shift+tab", "down", "enter")
            assert app.device == "meter"
            source.alive = False
            await app._poll()
            assert top(app).startswith("! nobody answers")
            source.alive = True
            await app._poll()
            assert not top(app).startswith("!")
            await pilot.resize_terminal(160, 50)
            await pilot.press("q")

    asyncio.run(asyncio.wait_for(use(), 60))


def test_a_thousand_signals_draw_only_what_is_seen() -> None:
    raw = EXAMPLE.read_text("utf-8").split("devices:")[0] + "devices:\n  - id: d\n    type: modbus\n"
    raw += "    machine: press-1\n    host: 10.0.0.5\n    groups:\n      - every: 1s\n        signals:\n"
    raw += "".join(f'          - {{id: s{i}, address: "holding:{i}", type: uint16}}\n' for i in range(1000))
    config, problems = read(raw.encode())
    assert config is not None, problems
    drawn: list[int] = []

    class Counting(Watch):
        def _signal_line(self, index: int, columns: int) -> Styled:
            drawn.append(index)
            return super()._signal_line(index, columns)

    app = Counting(Model(config), Script(), {}, "en", every_s=3600)

    async def use() -> None:
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            drawn.clear()
            app.redraw()
            await pilot.pause()
            assert 0 < len(drawn) < 100
            await pilot.press("end")
            await pilot.pause()
            assert max(drawn) == 999

    asyncio.run(asyncio.wait_for(use(), 60))


def test_without_a_terminal_it_says_what_to_use_instead(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", str(EXAMPLE), "--lang", "en"]) == 2
    assert "check --connect" in capsys.readouterr().err
