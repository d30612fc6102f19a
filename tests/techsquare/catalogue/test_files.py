"""Shipped files are right and say where their numbers come from; wrong ones are answered with their lines."""

from __future__ import annotations

import tomllib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from readiness.indicators import REGISTRY
from readiness.model import FORMULAS
from techsquare.catalogue import reference
from techsquare.catalogue.load import load, load_measures, load_programmes, shipped
from techsquare.catalogue.model import DESIGN
from techsquare.diagnosis.terms import LOSSES
from tests.support.cases import cases, expected, name, printed

if TYPE_CHECKING:
    from settings.language import Language

ROOT = Path(__file__).parents[3]
FOLDER = Path(__file__).parent / "cases"
KNOWN = frozenset({"mes-light", "andon"})


def _read(kind: str, path: Path, lang: str) -> object:
    return load_measures(path, lang) if kind == "measures" else load_programmes(path, KNOWN, lang)


@pytest.mark.parametrize("kind", ["measures", "programmes"])
@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_wrong_file_is_answered_with_these_words(kind: str, language: Language) -> None:
    found = [case for case, spoken in cases(FOLDER / kind) if spoken == language]
    assert found
    read = partial(_read, kind)
    for case in found:
        assert printed(read, case, language) == expected(read, case, language), name(case)


def test_the_shipped_catalogue_can_propose_something_for_every_loss_and_gives_what_it_asks_for() -> None:
    entries = load().entries
    assert len(entries) >= 30
    assert {gain.bucket for entry in entries for gain in entry.gains} == {*LOSSES, "energy"}
    given = {indicator for entry in entries for indicator in entry.gives}
    asked = {need.indicator for entry in entries for need in entry.data}
    assert asked <= given <= REGISTRY.keys()
    everywhere = {i for e in entries for i in e.gives if not e.interfaces and not e.processes}
    assert {"V01", "V02", "V04", "V05", "E01", "R01"} <= everywhere, "for machines without a controller as well"
    assert {name for entry in entries for name in (*entry.needs, *entry.excludes)} <= {e.id for e in entries}
    assert FORMULAS


def test_every_number_says_where_it_comes_from() -> None:
    catalogue = load()
    sources = [source for e in catalogue.entries for source in (e.cost.source, *(g.source for g in e.gains))]
    assert all(source == DESIGN or any(c.isdigit() for c in source) for source in sources)
    assert DESIGN in sources
    assert len(set(sources)) >= 4
    for programme in catalogue.programmes:
        assert programme.example
        assert programme.ko.startswith("(예시)")
        assert programme.en.startswith("(example)")


def test_gains_do_not_promise_more_than_is_credited() -> None:
    for entry in load().entries:
        for gain in entry.gains:
            assert gain.mean <= 0.35
            assert 0.3 <= gain.sd / gain.mean <= 0.8


def test_the_page_is_made_from_models_and_files() -> None:
    text = (ROOT / "docs" / "catalogue.md").read_text("utf-8")
    assert text == reference.reference(), "run: python -m techsquare.catalogue.reference > docs/catalogue.md"
    assert [entry.id for entry in load().entries if f"`{entry.id}`" not in text] == []


def test_it_is_installed_where_it_is_looked_for() -> None:
    files = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["data-files"]
    assert shipped() == ROOT / "config" / "catalogue"
    assert files["share/techsquare-edge/catalogue"] == ["config/catalogue/*.yaml"]
    assert {path.name for path in shipped().iterdir()} == {
        "entry.yaml", "measures.yaml", "programmes.yaml", "questionnaire.yaml",
    }  # fmt: skip
