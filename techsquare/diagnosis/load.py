"""From the file of the mentor's questions to a questionnaire, or to everything that is wrong with it at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from settings import load as loading
from settings.language import Text
from techsquare.catalogue.load import shipped
from techsquare.diagnosis.checks import questionnaire as check
from techsquare.diagnosis.questionnaire import Questionnaire

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from settings.tree import Problem

QUESTIONNAIRE = "questionnaire.yaml"


def load(path: str | Path | None = None, lang: str | None = None) -> Questionnaire:
    """Read and check a questionnaire; None: the shipped one.

    Raises:
        ConfigError: it cannot be read or used; the text holds every complaint about it, one a line.
    """
    return loading.load(shipped() / QUESTIONNAIRE if path is None else path, read, lang)


def read(raw: bytes) -> tuple[Questionnaire | None, Sequence[Problem]]:
    """Return the questionnaire that some text means, or None and what is wrong with it, sorted by line."""
    begin = Text(
        f"begin with `version: 1`, see config/catalogue/{QUESTIONNAIRE}",
        f"`version: 1`부터 쓰십시오(config/catalogue/{QUESTIONNAIRE} 참고)",
    )
    return loading.read(raw, Questionnaire, begin, check)
