"""The demo's children: nobody outlives the launcher."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from demo.processes import ChildFailed, Children, free_ports

SLEEP = [sys.executable, "-S", "-E", "-c", "import time; time.sleep(600)"]
STUBBORN = [
    sys.executable, "-S", "-E", "-c",
    "import signal as s, time; s.signal(s.SIGTERM, s.SIG_IGN); print('deaf', flush=True); time.sleep(600)",
]  # fmt: skip
LAUNCHER = """
import sys, time
from pathlib import Path
from demo.processes import Children
children = Children(Path(sys.argv[1]))
children.start("one", ["sleep", "600"])
children.start("two", ["sleep", "600"])
print(*(process.pid for process in children._running.values()), flush=True)
time.sleep(600)
"""


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def until(condition: object, seconds: float = 10) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_children_die_with_a_launcher_that_is_killed(tmp_path: Path) -> None:
    launcher = subprocess.Popen([sys.executable, "-c", LAUNCHER, tmp_path], stdout=subprocess.PIPE, text=True)
    assert launcher.stdout is not None
    with launcher.stdout as out:
        pids = [int(word) for word in out.readline().split()]
    until(lambda: all(b"sleep" in Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids))
    assert all(alive(pid) for pid in pids)
    launcher.send_signal(signal.SIGKILL)
    launcher.wait()
    until(lambda: not any(alive(pid) for pid in pids))


def test_a_child_that_does_not_listen_to_reason_is_killed(tmp_path: Path) -> None:
    children = Children(tmp_path)
    children.start("stubborn", STUBBORN)
    children.start("sleeper", SLEEP)
    until(lambda: "deaf" in (tmp_path / "stubborn.log").read_text("utf-8"))
    pids = [process.pid for process in children._running.values()]
    children.stop_all(0.2)
    assert not any(alive(pid) for pid in pids)
    assert children.stop("stubborn") is None


def test_a_child_that_ends_by_itself_is_reported_with_its_last_words(tmp_path: Path) -> None:
    children = Children(tmp_path)
    children.start("talker", [sys.executable, "-S", "-E", "-c", "import sys; sys.exit('no disk, no fun')"])
    with pytest.raises(ChildFailed, match="talker ended with 1\nno disk, no fun"):
        children.wait_for_port("talker", free_ports(1)[0], 20)


def test_a_child_that_never_listens_is_reported(tmp_path: Path) -> None:
    children = Children(tmp_path)
    children.start("mute", SLEEP)
    try:
        with pytest.raises(ChildFailed, match="mute does not listen on port"):
            children.wait_for_port("mute", free_ports(1)[0], 0.2)
    finally:
        children.stop_all(1)


def test_ctrl_c_in_the_terminal_does_not_reach_the_children(tmp_path: Path) -> None:
    children = Children(tmp_path)
    children.start("sleeper", SLEEP)
    try:
        (process,) = children._running.values()
        assert os.getpgid(process.pid) != os.getpgid(os.getpid())
    finally:
        children.stop_all(1)


def test_free_ports_are_different() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
