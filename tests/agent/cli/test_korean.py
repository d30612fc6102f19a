"""What argparse itself says is Korean where the person is, and English where not."""

from __future__ import annotations

import argparse
import inspect
import re

import pytest

from agent.cli import VERBS, main
from agent.cli.korean import WORDS


def told(*words: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    printed = capsys.readouterr()
    assert ended.value.code in {0, 2}
    return printed.out + printed.err


def test_a_wrong_command_line_is_explained_in_the_language(capsys: pytest.CaptureFixture[str]) -> None:
    assert "빠진 항목이 있습니다: FILE" in told("scan", "--lang", "ko", capsys=capsys).replace("file", "FILE")
    assert "알 수 없는 항목입니다: --speed" in told("status", "--speed", "--lang", "ko", capsys=capsys)
    assert "unrecognized arguments: --speed" in told("status", "--speed", "--lang", "en", capsys=capsys)
    said = told("probe", "x", "y", "z", "--type", "real", "--lang", "ko", capsys=capsys)
    assert "쓸 수 없는 값입니다('real')" in said
    assert "사용법:" in said
    assert "오류:" in said


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_its_help_in_korean(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = told(verb, "--help", "--lang", "ko", capsys=capsys)
    assert "사용법: tsq-agent" in said
    assert "이 도움말 출력" in said
    assert not re.search(r"show this help|options:|positional", said)


def test_argparse_still_says_what_is_translated() -> None:
    source = inspect.getsource(argparse)
    missing = [text for text in WORDS if repr(text)[1:-1] not in source and text.rstrip("\n") not in source]
    assert missing == []
