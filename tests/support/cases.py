"""Wrong files and exactly what is printed about them.

A case is `cases/<what>.yaml` with `<what>.en.txt` and `<what>.ko.txt`. After a change of words run the tests with
`TSQ_RENEW=1` and read the difference.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, get_args

import pytest

from settings.errors import ConfigError
from settings.language import Language

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Load = Callable[[Path, str], object]


def cases(folder: Path) -> list[tuple[Path, Language]]:
    """Return each case of a folder in each language."""
    return [(case, language) for case in sorted(folder.glob("*.yaml")) for language in get_args(Language)]


def name(value: Path | str) -> str:
    """Return how a case and its language stand in the name of a test."""
    return getattr(value, "stem", str(value))


def printed(load: Load, case: Path, language: Language) -> str:
    """Return what is printed about a wrong file, under the file's name alone."""
    with pytest.raises(ConfigError) as caught:
        load(case, language)
    return str(caught.value).replace(str(case), case.name) + "\n"


def expected(load: Load, case: Path, language: Language) -> str:
    """Return what has to be printed."""
    file = case.with_suffix(f".{language}.txt")
    if os.environ.get("TSQ_RENEW"):
        file.write_text(printed(load, case, language), "utf-8")
    return file.read_text("utf-8")
