"""What docs/tools.md says can be typed, and its pictures ask nobody for anything."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from agent.cli import VERBS, _parser

DOCS = Path(__file__).parents[3] / "docs"
PAGES = ("tools.md", "tools.ko.md")


def commands(page: str) -> list[str]:
    return re.findall(r"^tsq-agent .+$", (DOCS / page).read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_understood(page: str) -> None:
    assert len(commands(page)) >= 12
    for command in commands(page):
        words = shlex.split(command)[1:]
        assert _parser("en", words[0]).parse_args(words).verb == words[0], command


@pytest.mark.parametrize("page", PAGES)
def test_every_verb_of_a_technician_is_told(page: str) -> None:
    assert set(VERBS) - {shlex.split(command)[1] for command in commands(page)} == {"run", "status"}


def test_both_languages_show_the_same_commands() -> None:
    english, korean = ([re.sub(r'"[^"]*"', "", c) for c in commands(page)] for page in PAGES)
    assert english == korean


@pytest.mark.parametrize("name", ["watch", "probe", "browse", "report"])
def test_a_picture_of_each_screen_stands_alone(name: str) -> None:
    picture = (DOCS / "pictures" / f"{name}.svg").read_text("utf-8")
    assert set(re.findall(r"https?://[^\"\s)<]+", picture)) == {"http://www.w3.org/2000/svg"}
    assert "@font-face" not in picture
    assert picture.count("<tspan") > 100
    for page in PAGES:
        assert f"pictures/{name}.svg" in (DOCS / page).read_text("utf-8")
