"""The pages of keys: made from the models, and each link of theirs leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import Field

from agent.config import reference as agent
from gateway import access_reference as access
from gateway import reference as gateway
from settings.base import Duration, Model, Size
from settings.reference import page

if TYPE_CHECKING:
    from types import ModuleType

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [(DOCS / "configuration.md", agent), (DOCS / "gateway.md", gateway), (DOCS / "access.md", access)]


@pytest.mark.parametrize(("path", "source"), PAGES, ids=["configuration", "gateway", "access"])
def test_a_page_is_made_from_the_models_and_its_links_lead_to_its_headings(path: Path, source: ModuleType) -> None:
    text = path.read_text("utf-8")
    assert text == source.reference(), f"run: python -m {source.__name__} > docs/{path.name}"
    # as GitHub makes anchors of headings: letters, digits, - and _ stay, a space becomes -
    titles = re.findall(r"^## (.*)$", text, re.MULTILINE)
    headings = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
    links = set(re.findall(r"\]\(#([^)]+)\)", text))
    assert links
    assert links <= headings
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (DOCS / target).exists(), target


class Inner(Model):
    every: Duration = Field(90 * 10**9, description="how | often")


class Outer(Model):
    inner: Inner = Field(description="what is inside")
    size: Size = Field(15 * 10**8, description="how much")


def test_a_key_says_how_it_is_written_its_default_and_its_meaning() -> None:
    text = page(Outer, "# Title\n", {"Outer": "The file", "Inner": "inner_part: one"})
    assert text.splitlines() == [
        "# Title",
        "",
        "## The file",
        "",
        "| key | write | default | meaning |",
        "|---|---|---|---|",
        "| `inner` | [inner_part: one](#inner_part-one) | **required** | what is inside |",
        "| `size` | size, `500MB` | `1500MB` | how much |",
        "",
        "## inner_part: one",
        "",
        "| key | write | default | meaning |",
        "|---|---|---|---|",
        "| `every` | time, `500ms` | `90s` | how \\| often |",
    ]
