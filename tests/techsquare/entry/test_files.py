"""Wrong files are answered with their lines, in both languages; the shipped one is right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest

from techsquare.catalogue.model import DESIGN
from techsquare.entry.load import load
from techsquare.entry.model import QuestionId
from tests.support.cases import cases, expected, name, printed

if TYPE_CHECKING:
    from settings.language import Language

FOLDER = Path(__file__).parent / "cases"


def _read(path: Path, lang: str) -> object:
    return load(path, lang)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_wrong_file_is_answered_with_these_words(language: Language) -> None:
    found = [case for case, spoken in cases(FOLDER) if spoken == language]
    assert found
    for case in found:
        assert printed(_read, case, language) == expected(_read, case, language), name(case)


def test_the_shipped_form_asks_twenty_questions_in_fifteen_minutes() -> None:
    form = load()
    assert sorted(q.id for q in form.questions) == sorted(get_args(QuestionId))
    assert len(form.questions) == 20
    assert sum(q.seconds for q in form.questions) <= 15 * 60
    assert {narrows.question for c in form.checks for narrows in c.narrows} <= {q.id for q in form.questions}
    assert form.source == DESIGN
