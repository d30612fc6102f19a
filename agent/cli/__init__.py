"""The command `tsq-agent`.

    check FILE [--connect]   is the file right; with --connect, what does each source say now
    run --config FILE        collect until stopped
    status, retry            ask or nudge the agent that runs with that file

Exit codes: 0 done, 1 something is not good, 2 wrong words, 74 the disk failed, 78 the file is wrong.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent.control import NotRunning
from agent.errors import ConfigError, SpoolFailed
from settings.language import Text, choose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.config.model import AgentConfig
    from settings.language import Language

EXIT_IO = 74  # EX_IOERR
EXIT_CONFIG = 78  # EX_CONFIG: the unit file does not restart on it
DEFAULT_CONFIG = Path("/etc/tsq/agent.yaml")
EXTRA = frozenset({"asyncua", "holidays", "pymodbus"})
"""What `techsquare-edge[agent]` installs and `techsquare-edge` alone does not."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tsq-agent", description="The edge agent of Tech Square.")
    parser.add_argument("--lang", choices=("ko", "en"), help="language of messages; the locale's by default")
    verbs = parser.add_subparsers(dest="verb", required=True)

    check = verbs.add_parser("check", help="check a configuration file; never touches the network by itself")
    check.add_argument("file", type=Path)
    check.add_argument("--connect", action="store_true", help="read each source once and show the values")

    run = verbs.add_parser("run", help="collect until stopped")
    run.add_argument("--log-level", default="INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR"))
    status = verbs.add_parser("status", help="what each device is doing")
    status.add_argument("--json", action="store_true")
    retry = verbs.add_parser("retry", help="try a device at once, its refused signals too")
    retry.add_argument("target", metavar="DEVICE", help="id of a device, or of one of its sources")
    for verb in (run, status, retry):
        verb.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help=f"default: {DEFAULT_CONFIG}")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run `tsq-agent`; return the exit code."""
    for stream in (sys.stdout, sys.stderr):  # a terminal that cannot show a device's text must not stop us
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    args = _parser().parse_args(argv)
    verb = {"check": _check, "run": _run}.get(args.verb, _ask)
    try:
        return verb(args)
    except ConfigError as exc:
        print(exc, file=sys.stderr)
        return EXIT_CONFIG
    except SpoolFailed as exc:
        print(f"tsq-agent: {exc}", file=sys.stderr)
        return EXIT_IO
    except ModuleNotFoundError as exc:
        if exc.name not in EXTRA:
            raise
        print(f"tsq-agent: {exc.name} is not installed: pip install 'techsquare-edge[agent]'", file=sys.stderr)
        return 1
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nor is there anybody at the exit
        return 1


def _check(args: argparse.Namespace) -> int:
    from agent.cli.check import run  # noqa: PLC0415 - each verb loads only what it needs

    return run(args.file, connect=args.connect, lang=args.lang)


def _run(args: argparse.Namespace) -> int:
    from agent.app import run  # noqa: PLC0415

    logging.basicConfig(level=args.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    return run(args.config, lang=args.lang)


def _ask(args: argparse.Namespace) -> int:
    from agent.cli.status import show  # noqa: PLC0415
    from agent.config.load import load  # noqa: PLC0415
    from agent.control import ask  # noqa: PLC0415

    language = choose(args.lang, os.environ)
    config = load(args.config, language)
    folder = config.storage.directory
    try:
        if args.verb == "retry":
            return _retry(config, args.target, language)
        answer = ask(folder, "status")
    except NotRunning as exc:
        text = Text(
            f"{exc}: is it running with this file, and may you read its folder (sudo)?",
            f"{folder}에서 실행 중인 에이전트의 응답이 없습니다({exc.__cause__ or exc}). "
            "이 설정 파일로 실행 중인지, 폴더를 읽을 권한이 있는지(sudo) 확인하십시오",
        )
        print(f"tsq-agent: {text(language)}", file=sys.stderr)
        return 1
    if args.json:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        show(answer, language)
    return 0


def _retry(config: AgentConfig, target: str, language: Language) -> int:
    from agent.control import ask  # noqa: PLC0415

    devices = [device.id for device in config.devices]
    if target not in {*devices, *(source.id for source in config.sources())}:
        known = ", ".join(devices) or "-"
        text = Text(
            f"there is no device {target!r} in {config.name}: write one of {known}",
            f"설정에 없는 장치입니다({target}). 쓸 수 있는 장치: {known}",
        )
        print(f"tsq-agent: {text(language)}", file=sys.stderr)
        return 1
    answer = ask(config.storage.directory, "retry", target)
    if "error" in answer:  # it runs with what stood in the file before
        text = Text(
            f"{answer['error']}: the agent runs with an older file, restart it",
            f"실행 중인 에이전트에는 없는 장치입니다({target}). 바뀐 설정은 에이전트를 다시 시작해야 적용됩니다",
        )
        print(f"tsq-agent: {text(language)}", file=sys.stderr)
        return 1
    print(Text(f"{answer['device']}: trying now", f"{answer['device']}: 바로 다시 접속합니다")(language))
    return 0
