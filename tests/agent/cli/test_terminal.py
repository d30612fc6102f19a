"""The tools on a real terminal of 80x24: a pty, their own process, keys as bytes."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from agent.config.load import load
from tests.peers.modbus import server
from tests.support.processes import Child, free_port, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE = """version: 1
factory: hanil
agent: edge-1
name: 한일정밀
time: {zone: Asia/Seoul, trust_local_clock: true}
machines: [{id: press-1}]
uplink: {site: {host: 127.0.0.1, port: $broker}}
storage: {directory: $state}
devices:
  - id: press-plc
    type: modbus
    machine: press-1
    host: 127.0.0.1
    port: $port
    groups:
      - every: 200ms
        signals:
          - {id: current, name: 모터 전류, address: "holding:16840", type: float32, unit: A}   # 손대지 말 것
"""
PATIENCE_S = 60.0


class Terminal:
    """A program on a terminal, and all that it has shown."""

    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        self._master = master
        self.process = process
        self.raw = b""

    def read(self) -> bool:
        """Take what there is; return whether there may be more."""
        if not select.select([self._master], [], [], 0.2)[0]:
            return self.process.poll() is None
        try:
            chunk = os.read(self._master, 65536)
        except OSError:  # the other end is closed
            return False
        self.raw += chunk
        return bool(chunk)

    @property
    def text(self) -> str:
        """What was shown, without what steers the terminal."""
        return re.sub(
            r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-_])", "", self.raw.decode(errors="replace")
        )

    def until(self, words: str, *, since: int = 0) -> None:
        """Wait until words stand there."""
        end = time.monotonic() + PATIENCE_S
        while words not in self.text[since:]:
            assert time.monotonic() < end, f"{words!r} never came: {self.text[-2000:]}"
            assert self.read() or words in self.text[since:], f"ended without {words!r}: {self.text[-2000:]}"

    def keys(self, keys: str) -> None:
        """Type."""
        os.write(self._master, keys.encode())

    def ended(self) -> int:
        """Wait for the end; return the exit code."""
        end = time.monotonic() + PATIENCE_S
        while self.read():
            assert time.monotonic() < end, f"it never ends: {self.text[-2000:]}"
        return self.process.wait(PATIENCE_S)


@contextmanager
def terminal(*words: str | Path) -> Iterator[Terminal]:
    """Run a verb on a terminal of 80x24."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "agent.cli", *map(str, words)],
        stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    try:
        yield Terminal(master, process)
    finally:
        process.kill()
        process.wait()
        os.close(master)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    with running(server(tmp_path)) as peer:
        path = tmp_path / "agent.yaml"
        state = tmp_path / "state"
        text = (
            FILE.replace("$port", str(peer.port)).replace("$state", str(state)).replace("$broker", str(free_port()))
        )
        path.write_text(text, "utf-8")
        yield path


def test_watch_reads_the_devices_itself(file: Path) -> None:
    with terminal("watch", file, "--direct", "--lang", "ko") as screen:
        screen.until("모터 전류")
        screen.until("25.0321 A")
        screen.until("정상")
        shown = len(screen.text)
        screen.keys("l")
        screen.until("last values", since=shown)
        screen.keys("q")
        assert screen.ended() == 0


def test_watch_shows_the_agent_that_runs_and_says_when_none_does(file: Path, tmp_path: Path) -> None:
    with terminal("watch", file, "--lang", "ko") as screen:
        assert screen.ended() == 1
        assert "--direct" in screen.text
    agent = Child([sys.executable, "-m", "agent.cli", "run", "--config", file], log=tmp_path / "agent.log")
    (tmp_path / "state").mkdir()
    with running(agent):
        end = time.monotonic() + PATIENCE_S
        while not (tmp_path / "state" / "control.sock").exists():
            assert time.monotonic() < end, agent.output()
            time.sleep(0.05)
        with terminal("watch", file, "--lang", "en", "--ascii") as screen:
            screen.until("25.0321 A")
            screen.keys("q")
            assert screen.ended() == 0


def test_probe_asks_what_to_write(file: Path) -> None:
    before = file.read_text("utf-8")
    with terminal(
        "probe", file, "press-plc", "holding:20000", "--readings", "2", "--every", "50ms", "--lang", "ko"
    ) as screen:
        screen.until("저장할 번호")
        assert "> " in screen.text
        screen.keys("1\n")
        screen.until("이름(현장에서 부르는 이름)")
        screen.keys("토크\n")
        screen.until("id, ")
        screen.keys("torque\n")
        screen.until("단위")
        screen.keys("Nm\n")
        screen.until("저장했습니다")
        assert screen.ended() == 0
    after = file.read_text("utf-8")
    (added,) = [line for line in after.splitlines() if line not in before.splitlines()]
    assert "id: torque, name: 토크" in added
    assert after.replace(added + "\n", "") == before
    assert load(file).devices[0].groups[0].signals[1].unit == "Nm"


def test_init_is_a_conversation(tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    with terminal("init", path, "--lang", "ko") as screen:
        for question, answer in [
            ("공장 이름", "한일정밀"), ("공장 id", "hanil"), ("사업장 id", ""), ("수집 PC의 id", ""),
            ("시간대", ""), ("생산일 시작", ""), ("계획 가동시간", ""), ("설비 이름", "press-1=프레스"),
            ("장치: 종류와 주소", "xgt 10.0.0.7"), ("장치: 종류와 주소", ""), ("MQTT 브로커", ""),
        ]:  # fmt: skip
            seen = len(screen.text)
            screen.until(question, since=max(0, seen - 200))
            screen.keys(answer + "\n")
        screen.until("저장했습니다")
        assert screen.ended() == 0
    assert load(path).devices[0].id == "xgt-1"
