"""The reference says what the registry says, and every word that a report can hold is explained."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import get_args

import pytest

from contract.report import Quality, Reason
from readiness.flags import FLAGS
from readiness.indicators import REGISTRY
from readiness.korean import KOREAN
from readiness.reference import QUALITIES, REASONS, text
from tests.readiness.__main__ import FILES
from tests.readiness.plant import model

READINESS = Path(__file__).parents[2] / "readiness"
# elements and timemodel have the names of ISO 22400's time elements
NO_FLAGS = {"elements.py", "flags.py", "timemodel.py", "reference.py"}
WORDS = {"TLS"}


def flags_in_the_sources() -> set[str]:
    """Return every code in capitals that is no reason: what a formula can set as a flag."""
    found: set[str] = set()
    for path in READINESS.rglob("*.py"):
        if path.name in NO_FLAGS:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= {node.value} if re.fullmatch(r"[A-Z][A-Z0-9]*[A-Z_]{2,}", node.value) else set()
    return found - set(get_args(Reason)) - WORDS


def test_every_flag_that_a_formula_can_set_is_explained_and_no_other() -> None:
    assert flags_in_the_sources() == set(FLAGS)


def test_every_flag_of_the_model_is_one() -> None:
    named = {flag for step in model().gates.levels for c in step.all for flag in c.open}
    assert named <= set(FLAGS)


def test_reasons_and_qualities_have_words() -> None:
    assert set(REASONS) == set(get_args(Reason))
    assert set(QUALITIES) == set(get_args(Quality))


def test_every_indicator_has_a_korean_definition() -> None:
    assert list(KOREAN) == list(REGISTRY)


def test_korean_words_are_korean() -> None:
    korean = [w.ko for table in (FLAGS, REASONS, QUALITIES) for w in table.values()]
    korean += [line for words in KOREAN.values() for line in words]
    for line in korean:
        assert re.search("[가-힣]", line), line
        assert line == line.strip(), line


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_pages_are_up_to_date(language: str) -> None:
    stale = f"{FILES[language].name} is stale: run `python -m tests.readiness`"
    assert FILES[language].read_text("utf-8") == text(model(), language), stale  # type: ignore[arg-type]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_each_page_holds_every_indicator_flag_and_reason(language: str) -> None:
    page = text(model(), language)  # type: ignore[arg-type]
    for metric in REGISTRY:
        assert f"\n### {metric} " in page
    for code in (*FLAGS, *REASONS, *QUALITIES):
        assert f"`{code}`" in page, code
