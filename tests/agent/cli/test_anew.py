"""`tsq-agent replay FOLDER`: days of evidence anew, put in the place of those that reports use."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from agent.analyzers.evidence import make
from agent.cli import main
from agent.cli.progress import SECOND, Progress
from agent.config.load import load
from agent.lock import hold
from agent.spool import Spool, blocks
from readiness.evidence import load as load_day
from service import exits
from tests.support.clocks import FakeClock
from tests.support.items import birth_of, frame
from tests.support.kept import born, parts

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from agent.frame import Source

START = 1_763_760_600_000_000_007  # 2025-11-22 06:30 in Seoul
FILE = """
version: 1
factory: hanil
agent: edge-1
name: 한일정밀
time: {zone: Asia/Seoul}
schedule: {production_day_start: "08:00"}
machines: [{id: press-1}]
storage: {directory: $folder/state}
uplink: {site: {host: 127.0.0.1}}
devices:
  - id: plc
    type: modbus
    machine: press-1
    host: 127.0.0.1
    groups: [{every: 60s, signals: [{id: temp, address: "holding:0", type: float32, $range}]}]
"""


def file(folder: Path, limits: str = "instrument_range: [0, 500]") -> Path:
    """Write the agent's file."""
    path = folder / "agent.yaml"
    path.write_text(FILE.replace("$folder", str(folder)).replace("$range", limits), "utf-8")
    return path


def kept(folder: Path, config: Path) -> Source:
    """Leave a spool of three hours, in which a day has closed."""
    (source,) = load(config, "en").sources()
    clock = FakeClock(START)
    spool = Spool(folder, birth=birth_of("hanil", "main", "edge-1", [source]), sources=[source])
    spool.begin(clock, make([source], load(config, "en").calendar()))
    for minute in range(120):
        spool.put(frame(source, clock.now(), [50.0 + minute]))
        clock.advance(60)
        spool.tick()
    clock.advance(700)
    spool.tick()
    spool.stop()
    return source


def days(folder: Path, source: Source) -> dict[str, bytes]:
    """Return the days that reports use."""
    return Spool(folder, birth=birth_of("hanil", "main", "edge-1", [source]), sources=[source]).days()


def test_a_range_that_was_corrected_counts_for_days_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state, out = tmp_path / "state", tmp_path / "days"
    config = file(tmp_path)
    source = kept(state, config)
    before = days(state, source)
    assert list(before) == ["2025-11-21"]
    config = file(tmp_path, "instrument_range: [0, 100]")
    words = ["replay", str(state), "--config", str(config), "--out", str(out), "--lang", "en"]
    assert main(words) == 0
    assert "1 days, 2025-11-21 to 2025-11-21, from 120 values" in capsys.readouterr().out
    assert days(state, source) == before, "without --keep nothing is changed"
    assert main([*words, "--keep"]) == 0
    after = days(state, source)
    assert after == {"2025-11-21": (out / "2025-11-21.json").read_bytes()}
    ranges = [load_day(found["2025-11-21"]).sources[0].values["press-1/temp"].limits for found in (before, after)]
    assert ranges == [[0.0, 500.0], [0.0, 100.0]]
    assert main(words) == 0
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {"2025-11-21.json": after["2025-11-21"]}


def test_days_of_a_running_agent_are_not_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = file(tmp_path)
    state = tmp_path / "state"
    kept(state, config)
    hold(state)
    assert main(["replay", str(state), "--config", str(config), "--keep", "--lang", "en"]) == exits.IO
    assert "in use by another agent" in capsys.readouterr().err
    assert main(["replay", str(state), "--config", str(config), "--lang", "en"]) == 0, "reading disturbs nobody"


def test_ctrl_c_leaves_whole_days_and_again_gives_the_same(tmp_path: Path) -> None:
    config, state, out = file(tmp_path), tmp_path / "state", tmp_path / "days"
    (source,) = load(config, "en").sources()
    made = list(
        parts(
            ([frame(source, START + minute * 60 * SECOND, [minute % 97 / 2])] for minute in range(60 * 24 * 6)),
            born(state, [source]),
            start_ns=START,
            most=60,
        )
    )
    (state / blocks.FOLDER).mkdir()
    for part in made:
        (state / blocks.FOLDER / f"{part.seq}{blocks.SUFFIX}").write_bytes(part.data)
    attentive = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from agent.cli import main; sys.exit(main())"
    )
    words = ["replay", str(state), "--config", str(config), "--out", str(out), "--lang", "ko"]
    verb = subprocess.Popen(
        [sys.executable, "-c", attentive, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    while not (out.is_dir() and any(out.glob("*.json"))) and verb.poll() is None:
        time.sleep(0.02)
    verb.send_signal(signal.SIGINT)
    _, said = verb.communicate(timeout=60)
    assert "Traceback" not in said.decode()
    first = {path.name: path.read_bytes() for path in out.glob("*.json")}
    assert main(words) == 0
    again = {path.name: path.read_bytes() for path in out.glob("*.json")}
    assert len(again) == 6
    assert first.items() <= again.items()


class Terminal(io.StringIO):
    """A screen."""

    def isatty(self) -> bool:
        """Return that somebody watches."""
        return True


def test_the_bar_tells_how_far_it_is_and_how_long_it_takes() -> None:
    clock, screen = FakeClock(), Terminal()
    progress = Progress(1000, "ko", screen, clock.monotonic)
    for _ in range(3):
        clock.advance(100)
        progress.advance(100)
    assert (
        screen.getvalue().split("\r")[-1]
        == "\033[K읽는 중 [#########.....................]  30 %, 남은 시간 11분 40초"
    )
    progress.advance(100)
    assert screen.getvalue().count("읽는 중") == 3, "not at every file"
    progress.end()
    assert screen.getvalue().endswith("\r\033[K")


def test_a_log_gets_a_plain_line_now_and_then() -> None:
    clock, log = FakeClock(), io.StringIO()
    progress = Progress(100_000, "en", log, clock.monotonic)
    for _ in range(100):
        clock.advance(1)
        progress.advance(100)
    progress.end()
    assert log.getvalue().splitlines() == [
        "reading   3 %, 16 min 10 s left", "reading   6 %, 15 min 40 s left", "reading   9 %, 15 min 10 s left",
    ]  # fmt: skip
