"""Wrong files of the gateway and exactly what is printed about them, in both languages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.config import load
from tests.support.cases import cases, expected, name, printed

if TYPE_CHECKING:
    from settings.language import Language

FOLDER = Path(__file__).parent / "cases"


@pytest.mark.parametrize(("case", "language"), cases(FOLDER), ids=name)
def test_a_wrong_file_is_answered_with_these_words(case: Path, language: Language) -> None:
    assert printed(load, case, language) == expected(load, case, language)


def test_no_answer_repeats_a_password_that_stands_in_the_file() -> None:
    for case, language in cases(FOLDER):
        assert "hunter2" not in printed(load, case, language)
