"""From the file of the twenty questions to a form, or to everything that is wrong with it at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from settings import load as loading
from settings.language import Text
from techsquare.catalogue.load import shipped
from techsquare.entry.checks import form as check
from techsquare.entry.model import Form

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from settings.tree import Problem

ENTRY = "entry.yaml"


def load(path: str | Path | None = None, lang: str | None = None) -> Form:
    """Read and check a form; None: the shipped one.

    Raises:
        ConfigError: it cannot be read or used; the text holds every complaint about it, one a line.
    """
    return loading.load(shipped() / ENTRY if path is None else path, read, lang)


def read(raw: bytes) -> tuple[Form | None, Sequence[Problem]]:
    """Return the form that some text means, or None and what is wrong with it, sorted by line."""
    begin = Text(
        f"begin with `version: 1`, see config/catalogue/{ENTRY}",
        f"`version: 1`부터 쓰십시오(config/catalogue/{ENTRY} 참고)",
    )
    return loading.read(raw, Form, begin, check)
