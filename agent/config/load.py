"""From a file to a configuration, or to everything that is wrong with it at once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from agent.config.checks import check
from agent.config.model import AgentConfig
from agent.errors import ConfigError
from settings.document import BYTES_LIMIT, parse
from settings.explain import problems
from settings.language import Text, choose
from settings.tree import Map, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from settings.language import Language


def load(path: str | Path, lang: str | None = None) -> AgentConfig:
    """Read and check a configuration file; nothing but this file is touched.

    Args:
        path: The file; error lines begin with it as it is given.
        lang: Language of the errors, "ko" or "en"; by locale when None.

    Raises:
        ConfigError: the file cannot be read or used; the text holds every complaint, one a line, in the order of
            the file, as `file:line: path: what to do`.
    """
    language = choose(lang, os.environ)
    try:
        with Path(path).open("rb") as file:
            raw = file.read(BYTES_LIMIT + 1)  # a device file or a disk image must not fill the memory
    except OSError as exc:
        text = Text(
            f"cannot be read: {exc.strerror}: check the path and the rights",
            f"읽을 수 없습니다({exc.strerror}). 경로와 권한을 확인하십시오",
        )
        raise ConfigError(f"{path}: {text(language)}") from exc
    config, found = read(raw)
    if config is None:
        raise ConfigError("\n".join(line(problem, str(path), language) for problem in found))
    return config


def read(raw: bytes) -> tuple[AgentConfig | None, Sequence[Problem]]:
    """Return the configuration that a file's content means, or None and what is wrong with it, sorted by line."""
    document = parse(raw)
    found = list(document.problems)
    root = document.root
    if not isinstance(root, Map):
        if not found:
            found.append(
                Problem(
                    1,
                    Text(
                        "no configuration: begin with `version: 1`, see config/agent.example.yaml",
                        "설정이 없습니다. `version: 1`부터 쓰십시오(config/agent.example.yaml 참고)",
                    ),
                )
            )
        return None, found
    config: AgentConfig | None = None
    try:
        config = AgentConfig.model_validate(root)
    except ValidationError as exc:
        found += problems(exc.errors(include_url=False), root, AgentConfig)
    found += check(root)
    found.sort(key=lambda problem: problem.line)
    return (None if found else config), found


def line(problem: Problem, name: str, language: Language) -> str:
    """Return one complaint as it is printed: `file:line: path: what to do`."""
    place = f"{name}:{problem.line}: "
    return place + (f"{problem.path}: " if problem.path else "") + problem.text(language)
