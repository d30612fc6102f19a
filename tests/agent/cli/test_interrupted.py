"""Ctrl-C, and files that cannot be written: a technician reads a line, never a traceback."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from agent.cli import main
from service import exits

if TYPE_CHECKING:
    from pathlib import Path

FILE = """
version: 1
factory: hanil
agent: edge-1
name: 한일정밀
time: {zone: Asia/Seoul}
machines: [{id: press-1}]
storage: {directory: $folder/state}
uplink: {site: {host: 127.0.0.1}}
devices:
  - id: plc
    type: modbus
    machine: press-1
    host: 127.0.0.1
    port: $port
    timeout: 30s
    groups: [{every: 60s, signals: [{id: a, address: "holding:0", type: uint16}]}]
"""


def file(folder: Path, port: int = 502) -> Path:
    path = folder / "설정.yaml"
    path.write_text(FILE.replace("$folder", str(folder)).replace("$port", str(port)), "utf-8")
    return path


# A shell without job control starts what runs behind it with SIGINT ignored, and so would its children be.
ATTENTIVE = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from agent.cli import main; sys.exit(main())"
)


def test_ctrl_c_ends_a_verb_without_a_traceback(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        path = file(tmp_path, silent.getsockname()[1])
        command = [sys.executable, "-c", ATTENTIVE, "check", "--connect", str(path), "--lang", "ko"]
        verb = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        link, _ = silent.accept()
        link.settimeout(30)
        assert link.recv(12), "it has asked and waits"
        verb.send_signal(signal.SIGINT)
        _, said = verb.communicate(timeout=30)
        link.close()
    assert verb.returncode == exits.INTERRUPTED
    assert said.strip() == b""


@pytest.mark.parametrize(("place", "words"), [("there", "다른 이름"), ("no/folder", "저장할 수 없습니다")])
def test_a_recording_that_cannot_be_written_is_refused_in_words(
    place: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "there").write_text("mine", "utf-8")
    out = tmp_path / place
    assert main(["record", "plc", "--out", str(out), "--config", str(file(tmp_path)), "--lang", "ko"]) == 1
    said = capsys.readouterr().err
    assert words in said
    assert str(out) in said
    assert (tmp_path / "there").read_text("utf-8") == "mine"


def test_a_recording_without_an_agent_leaves_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "press.jsonl"
    assert main(["record", "plc", "--out", str(out), "--config", str(file(tmp_path)), "--lang", "ko"]) == 1
    assert "실행 중인 에이전트" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "No such file"), ("version: 1\n", "재생할 수 없는 파일입니다"), ("", "재생할 수 없는 파일입니다")],
)
def test_what_is_no_recording_is_refused_in_words(
    content: str | None, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "press.jsonl"
    if content is not None:
        path.write_text(content, "utf-8")
    assert main(["replay", str(path), "--lang", "ko"]) == 78
    said = capsys.readouterr().err
    assert words in said
    assert "[Errno" not in said
