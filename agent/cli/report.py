"""`tsq-agent report`: the readiness report of the running agent, or of a file, as people read it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent import control
from agent.cli import config_argument
from agent.cli.asking import silent
from agent.config.load import load
from agent.control import NotRunning
from agent.errors import ConfigError
from contract.codec import decode, encode
from contract.errors import WireError
from contract.report import Refusal, Report
from settings.language import Text

if TYPE_CHECKING:
    import argparse

    from agent.config.model import AgentConfig
    from settings.language import Language

PATIENCE_S = 120.0  # an assessment of a large plant on a small box
LIMIT = 4 * 1024 * 1024  # of a whole report; only the retained one is kept small


def arguments(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add the arguments of the verb."""
    machine = Text("all values of one machine", "설비 하나의 모든 지표")
    json = Text("as the platform gets it, one line of JSON", "운영기관이 받는 그대로, JSON 한 줄")
    file = Text(
        "a report that was saved, instead of asking the agent",
        "에이전트 대신 저장된 보고서 파일(report.json)을 읽음",
    )
    parser.add_argument("--machine", metavar="ID", help=machine(language))
    parser.add_argument("--json", action="store_true", help=json(language))
    parser.add_argument("--file", type=Path, metavar="FILE", help=file(language))
    config_argument(parser, language)


def main(args: argparse.Namespace, language: Language) -> int:
    """Show the report.

    Returns:
        0, or 1 when no agent answers or it has no such machine.

    Raises:
        ConfigError: the configuration cannot be read, or the file is no report.
    """
    config = None if args.file is not None and not args.config.exists() else load(args.config, language)
    report: Report | None
    if args.file is not None:
        report = _of_file(args.file, args.machine, language)
    else:
        assert config is not None
        report = _asked(config, args.machine, language)
    if report is None:
        return 1
    if args.json:
        print(encode(report).decode())
        return 0
    from rich.console import Console  # noqa: PLC0415 - only where it is drawn

    from agent.cli.reportview import page  # noqa: PLC0415
    from agent.reporter import load_model  # noqa: PLC0415

    console = Console(highlight=False)
    names = {} if config is None else {m.id: m.name or m.id for m in config.inventory()}
    title = f"{report.factory}/{report.site}" if config is None else config.name
    console.print(page(report, load_model(), language, names, title, console.size.width))
    return 0


def _asked(config: AgentConfig, machine: str | None, language: Language) -> Report | None:
    """Ask the running agent; None, with words on the error stream, when there is no report."""
    try:
        answer = control.ask(config.storage.directory, "report", machine or "", seconds=PATIENCE_S)
    except NotRunning as exc:
        print(f"tsq-agent: {silent(config, exc)(language)}", file=sys.stderr)
        return None
    if "error" in answer:
        refusal = decode(encode(answer), Refusal) if "message" in answer else None
        said = str(answer["error"]) if refusal is None else refusal.message
        if refusal is not None and refusal.error == "no_data":
            said = Text(said, f"설비 목록에 없는 설비입니다({machine})")(language)
        print(f"tsq-agent: {said}", file=sys.stderr)
        return None
    return decode(encode(answer), Report, LIMIT)


def _of_file(path: Path, machine: str | None, language: Language) -> Report:
    """Return a report that was saved; of a machine that which `assess --out` has written beside the plant's.

    Raises:
        ConfigError: it cannot be read, is no report, or has no such machine.
    """
    try:
        found = decode(path.read_bytes().strip(), Report, LIMIT)
    except OSError as exc:
        raise ConfigError(f"{path}: {exc.strerror or exc}") from exc
    except WireError as exc:
        text = Text(f"is no readiness report: {exc}", f"준비도 보고서 파일이 아닙니다({exc})")
        raise ConfigError(f"{path}: {text(language)}") from exc
    if machine in {None, found.machine}:
        return found
    if machine not in {one.id for one in found.machines}:
        text = Text(f"has no machine {machine}", f"이 보고서에 없는 설비입니다({machine})")
        raise ConfigError(f"{path}: {text(language)}")
    return _of_file(path.parent / "machines" / f"{machine}.json", machine, language)
