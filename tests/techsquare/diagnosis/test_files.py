"""Wrong files are answered with their lines, in both languages; the shipped one is right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from techsquare.diagnosis.load import load
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
