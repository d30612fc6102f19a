"""From the technician's file to a configuration, or to everything that is wrong with it at once."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from agent.config.checks import check
from agent.config.library import Folders
from agent.config.model import AgentConfig
from agent.config.profiles import complete
from settings import load as loading
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from settings.tree import Problem

_BEGIN = Text(
    "begin with `version: 1`, see config/agent.example.yaml",
    "`version: 1`부터 쓰십시오(config/agent.example.yaml 참고)",
)


def load(path: str | Path, lang: str | None = None) -> AgentConfig:
    """Read and check a configuration file; nothing but this file and its device profiles is touched.

    Args:
        path: The file; error lines begin with it as it is given.
        lang: Language of the errors, "ko" or "en"; by locale when None.

    Raises:
        ConfigError: the file cannot be read or used; the text holds every complaint, one a line, in the order of
            the file, as `file:line: path: what to do`.
    """
    return loading.load(path, partial(read, folder=Path(path).parent), lang)


def read(raw: bytes, folder: Path | None = None) -> tuple[AgentConfig | None, Sequence[Problem]]:
    """Return the configuration that a file's content means, or None and what is wrong with it, sorted by line.

    Args:
        raw: The content.
        folder: Where the file stands: device profiles may stand in `devices/` beside it.
    """
    return loading.read(raw, AgentConfig, _BEGIN, check, partial(complete, library=Folders(folder)))
