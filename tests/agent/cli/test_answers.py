"""`tsq-agent answers`: what is printed about a file, and about what counts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agent.cli import main
from agent.cli.answers import contradictions, shown
from readiness.contradictions import CODES

if TYPE_CHECKING:
    from settings.language import Language

ROOT = Path(__file__).parents[3]
EXAMPLE, CONFIG = ROOT / "config" / "answers.example.yaml", ROOT / "config" / "agent.example.yaml"


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    code = main([str(word) for word in words])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_example_is_right_and_what_does_not_fit_is_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "answers", "check", EXAMPLE, "--config", CONFIG, "--lang", "en")
    assert (code, err) == (1, "")
    lines = out.splitlines()
    assert lines[0] == f"{EXAMPLE}: no mistakes found"
    assert lines[1].startswith("serial 3, 박성호 멘토, 2026-11-20, hash ")
    assert "hand counts 1" in lines[2]
    assert any(line.startswith("calendar planned sat") and "08:00-13:00" in line for line in lines)
    assert len([line for line in lines if CODES["configuration"][0] in line]) == 2


def test_in_korean_too(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "answers", "check", EXAMPLE, "--config", CONFIG, "--lang", "ko")
    assert out.startswith(f"{EXAMPLE}: 이상 없음\nserial 3, 작성 박성호 멘토")
    assert "수기 계수 1" in out
    assert CODES["configuration"][1] in out


def test_a_wrong_file_ends_with_its_lines(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("version: 1\nserial: x\n", "utf-8")
    code, out, err = run(capsys, "answers", "check", path, "--lang", "en")
    assert (code, out) == (78, "")
    assert f"{path}:2: serial: x is no whole number" in err


def test_check_without_a_file_says_what_to_write(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "answers", "check", "--lang", "ko")
    assert code == 2
    assert "tsq-agent answers check 파일" in err


def test_without_an_agent_show_says_what_to_look_at(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    config = tmp_path / "agent.yaml"
    text = CONFIG.read_text("utf-8").replace("/var/lib/tsq-agent", str(tmp_path))
    config.write_text(text, "utf-8")
    code, _, err = run(capsys, "answers", "show", "--config", config, "--lang", "en")
    assert code == 1
    assert "is it running" in err


SETS: list[dict[str, Any]] = [
    {"source": "file", "trouble": {"en": "why", "ko": "이유"}},
    {
        "source": "message", "serial": 4, "author": "나\x1b[2J", "date": "2026-11-21", "hash": "ab" * 8,
        "accepted": "1795392000000000000",
    },
]  # fmt: skip


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        (
            "en",
            [
                "file: the newest is not taken over: why",
                "platform: serial 4, 나\x1b[2J, 2026-11-21, hash abababababababab, in force since 2026-11-23 09:00",
            ],
        ),
        (
            "ko",
            [
                "파일: 최신 응답을 적용하지 못했습니다. 이유",
                "플랫폼: serial 4, 작성 나\x1b[2J, 2026-11-21, 해시 abababababababab, 2026-11-23 09:00부터 적용",
            ],
        ),
    ],
)
def test_what_counts_and_what_was_refused(language: Language, lines: list[str]) -> None:
    assert list(shown(SETS, "Asia/Seoul", language)) == lines
    assert list(shown([], "Asia/Seoul", "en")) == ["nothing is answered"]


def test_an_answer_does_not_steer_the_terminal() -> None:
    row = {"code": "new_code", "subject": "a\x1b[2J", "said": "b", "who": "c", "when": "d", "seen": ""}
    lines = list(contradictions([row], "en"))
    assert not any("\x1b" in line for line in lines)
    assert lines[-1].endswith("new_code")


def test_each_code_has_words_in_both_languages() -> None:
    for en, ko in CODES.values():
        assert en.isascii()
        assert any("가" <= letter <= "힣" for letter in ko)


def test_a_date_in_the_future_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    machine = "machines:\n  - {id: press-1, has_alarms: 'no', on: 2062-11-20}\n"
    path.write_text(f"version: 1\nserial: 1\nauthor: 박 멘토\ndate: 2020-11-20\n{machine}", "utf-8")
    code, out, _ = run(capsys, "answers", "check", path, "--config", CONFIG, "--lang", "ko")
    assert code == 1
    assert "2062-11-20은(는) 미래 날짜입니다" in out
    path.write_text(path.read_text("utf-8").replace("2062", "2020"), "utf-8")
    assert run(capsys, "answers", "check", path, "--config", CONFIG)[0] == 0
