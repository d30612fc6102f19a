"""Wrong files and exactly what is printed about them, in both languages.

A case is `cases/<what>.yaml` with `<what>.en.txt` and `<what>.ko.txt`. After a change of words run
`TSQ_RENEW=1 pytest tests/agent/config/test_cases.py` and read the difference.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import get_args

import pytest

from agent.config.load import load
from agent.errors import ConfigError
from settings.language import Language

CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
BOTH: list[tuple[Path, Language]] = [(case, language) for case in CASES for language in get_args(Language)]


def printed(case: Path, language: Language) -> str:
    with pytest.raises(ConfigError) as caught:
        load(case, language)
    return str(caught.value).replace(str(case), case.name) + "\n"


@pytest.mark.parametrize(("case", "language"), BOTH, ids=lambda value: getattr(value, "stem", value))
def test_a_wrong_file_is_answered_with_these_words(case: Path, language: Language) -> None:
    expected = case.with_suffix(f".{language}.txt")
    if os.environ.get("TSQ_RENEW"):
        expected.write_text(printed(case, language), "utf-8")
    assert printed(case, language) == expected.read_text("utf-8")


def test_ten_mistakes_are_ten_lines_with_the_right_numbers() -> None:
    case = Path(__file__).parent / "cases" / "ten_mistakes.yaml"
    lines = [int(line.split(":")[1]) for line in printed(case, "en").splitlines()]
    assert lines == [3, 4, 6, 8, 12, 19, 23, 25, 26, 27]


def test_no_answer_repeats_a_password_that_stands_in_the_file() -> None:
    for case, language in BOTH:
        assert "hunter2" not in printed(case, language)
