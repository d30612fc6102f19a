"""Wrong files of the technician and exactly what is printed about them, in both languages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.config.load import load
from tests.support.cases import cases, expected, name, printed

if TYPE_CHECKING:
    from settings.language import Language

FOLDER = Path(__file__).parent / "cases"


@pytest.mark.parametrize(("case", "language"), cases(FOLDER), ids=name)
def test_a_wrong_file_is_answered_with_these_words(case: Path, language: Language) -> None:
    assert printed(load, case, language) == expected(load, case, language)


def test_ten_mistakes_are_ten_lines_with_the_right_numbers() -> None:
    lines = [int(line.split(":")[1]) for line in printed(load, FOLDER / "ten_mistakes.yaml", "en").splitlines()]
    assert lines == [3, 4, 6, 8, 12, 19, 23, 25, 26, 27]


def test_no_answer_repeats_a_password_that_stands_in_the_file() -> None:
    for case, language in cases(FOLDER):
        assert "hunter2" not in printed(load, case, language)
