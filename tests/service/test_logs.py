"""What stands in a log: one line a message, nothing that steers a terminal, no secret."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from service.logs import plain
from settings.secret import Secret, masked

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "press\n2026-11-22 00:00:00 ERROR gateway.app: forged\x1b[2J\x1b]0;title\x07\r\x85\u2028\u202e\x00끝"


@pytest.mark.parametrize("text", ["plain", "한글 태그 이름", "50 °C ± 2", "\N{HORIZONTAL ELLIPSIS}"])
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert plain(text) == text


def test_nothing_in_a_message_ends_its_line_or_steers_a_terminal() -> None:
    shown = plain(HOSTILE)
    assert shown.isprintable()
    assert len(shown.splitlines()) == 1
    assert shown.startswith("press\\n2026")
    assert shown.endswith("\\x00끝")
    assert plain("\ud800") == "\\ud800"
    assert len(plain("x" * 10**6)) < 20_000


def test_a_secret_that_was_read_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", "correct horse")
    monkeypatch.setenv("SHORT", "ab")
    assert masked("say correct horse") == "say correct horse"
    Secret("env:A_SECRET").resolve()
    Secret("env:SHORT").resolve()
    assert masked("say correct horse, about") == "say ***, about"


PROGRAM = """
import logging, os, sys
from service import logs
from settings.secret import Secret
logs.configure()
os.environ["S"] = "hunter-seven"
Secret("env:S").resolve()
hostile = {hostile!r}
log = logging.getLogger("x")
log.warning("device %s said %s", hostile, "hunter-seven")
log.info(hostile)
try:
    raise ValueError(hostile + " hunter-seven")
except ValueError:
    log.exception("bug in %s", hostile)
log.error("the end", stack_info=True)
"""


def test_a_process_cannot_be_made_to_write_a_line_that_is_not_its_own(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.format(hostile=HOSTILE), "utf-8")
    done = subprocess.run([sys.executable, program], capture_output=True, check=True, timeout=60)
    lines = done.stderr.decode().split("\n")
    assert all(one.isprintable() for one in lines)
    records = [one for one in lines if one and not one.startswith("  ")]
    assert [one.split(" ")[2] for one in records] == ["WARNING", "INFO", "ERROR", "ERROR"]
    assert "hunter-seven" not in done.stderr.decode()
    assert b"ValueError" in done.stderr


def test_the_formatter_leaves_a_record_as_other_handlers_want_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        logging.getLogger("x").info("two\nlines")
    assert caplog.messages == ["two\nlines"]
