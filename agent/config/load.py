"""From the technician's file to a configuration, or to everything that is wrong with it at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.config.checks import check
from agent.config.model import AgentConfig
from settings import load as loading
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from settings.tree import Problem

_BEGIN = Text(
    "begin with `version: 1`, see config/agent.example.yaml",
    "`version: 1`부터 쓰십시오(config/agent.example.yaml 참고)",
)


def load(path: str | Path, lang: str | None = None) -> AgentConfig:
    """Read and check a configuration file; nothing but this file is touched.

    Args:
        path: The file; error lines begin with it as it is given.
        lang: Language of the errors, "ko" or "en"; by locale when None.

    Raises:
        ConfigError: the file cannot be read or used; the text holds every complaint, one a line, in the order of
            the file, as `file:line: path: what to do`.
    """
    return loading.load(path, read, lang)


def read(raw: bytes) -> tuple[AgentConfig | None, Sequence[Problem]]:
    """Return the configuration that a file's content means, or None and what is wrong with it, sorted by line."""
    return loading.read(raw, AgentConfig, _BEGIN, check)
