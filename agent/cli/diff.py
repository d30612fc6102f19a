"""`tsq-agent diff`: what differs between two files, or between a file and what the running agent uses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent import changes, control
from agent.cli import config_argument
from agent.cli.asking import silent
from agent.cli.table import clean
from agent.config.load import load
from agent.control import NotRunning
from agent.errors import ConfigError
from settings.language import Text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping

    from agent.config.model import AgentConfig
    from settings.language import Language


def arguments(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add the arguments of the verb."""
    old = Text(
        "a file; alone, it is compared with what the running agent uses",
        "설정 파일. 하나만 쓰면 실행 중인 에이전트의 설정과 비교",
    )
    parser.add_argument("old", metavar="OLD", type=Path, help=old(language))
    new = Text("the file to compare with", "비교할 설정 파일")
    parser.add_argument("new", metavar="NEW", type=Path, nargs="?", help=new(language))
    config_argument(parser, language)


def main(args: argparse.Namespace, language: Language) -> int:
    """Print what differs; 1 when something does."""
    if args.new is not None:
        old, new = load(args.old, language), load(args.new, language)
        different = changes.compare(old, new)
    else:
        new = load(args.old, language)
        found = in_force(new, language)
        if found is None:
            text = Text(
                f"no agent runs: compared with {args.config}",
                f"실행 중인 에이전트가 없어 {args.config}와 비교합니다",
            )
            print(text(language))
        different = changes.compare(load(args.config, language) if found is None else found[0], new)
    for line in said(different, language):
        print(line)
    return 1 if different else 0


def said(different: changes.Changes, language: Language) -> Iterator[str]:
    """Yield the lines for a terminal."""
    for text in changes.lines(different):
        yield clean(text(language))


def in_force(config: AgentConfig, language: Language) -> tuple[Mapping[str, Any], str] | None:
    """Return what the agent in this file's state folder runs with: its meaning and its text; None without agent.

    Raises:
        ConfigError: one may run there and cannot be asked.
    """
    try:
        answer = control.ask(config.storage.directory, "config")
    except NotRunning as exc:
        if isinstance(exc.__cause__, FileNotFoundError | ConnectionRefusedError):
            return None
        raise ConfigError(f"tsq-agent: {silent(config, exc)(language)}") from exc
    meaning = answer.get("meaning")
    return meaning if isinstance(meaning, dict) else {}, str(answer.get("text", ""))
