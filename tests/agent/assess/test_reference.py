"""The pages are up to date, and the example is an example."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.assess.config import load
from agent.assess.reference import reference

if TYPE_CHECKING:
    from settings.language import Language

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(("language", "name"), [("en", "assess.md"), ("ko", "assess.ko.md")])
def test_the_page_is_what_the_models_say(language: Language, name: str) -> None:
    assert (ROOT / "docs" / name).read_text("utf-8") == reference(language)


def test_the_example_is_understood_and_uses_each_kind_of_source() -> None:
    config = load(ROOT / "config" / "assess.example.yaml")
    kinds = {(s.influx is not None, s.tag is not None, s.quality is not None) for s in config.sources}
    assert kinds == {(False, False, False), (False, True, True), (True, False, False)}
    assert {s.source(1).mode for s in config.sources} == {"poll"}
