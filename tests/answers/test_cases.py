"""Wrong files of answers and exactly what is printed about them, in both languages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from answers.load import load
from tests.support.cases import cases, expected, name, printed

if TYPE_CHECKING:
    from settings.language import Language

FOLDER = Path(__file__).parent / "cases"


@pytest.mark.parametrize(("case", "language"), cases(FOLDER), ids=name)
def test_a_wrong_file_is_answered_with_these_words(case: Path, language: Language) -> None:
    assert printed(load, case, language) == expected(load, case, language)


def test_no_complaint_repeats_the_name_or_number_of_a_person() -> None:
    for language in ("ko", "en"):
        text = printed(load, FOLDER / "persons.yaml", language)
        assert len(text.splitlines()) == 5
        assert not any(word in text for word in ("hong", "홍길동", "1234", "kim"))
