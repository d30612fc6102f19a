"""`tsq-agent watch`: every signal and every device, live, on the whole terminal."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli import config_argument
from agent.config.load import load
from settings.language import Text

if TYPE_CHECKING:
    import argparse

    from agent.cli.watching.app import Watch
    from agent.cli.watching.source import Values
    from agent.config.model import AgentConfig
    from settings.language import Language


def arguments(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add the arguments of the verb."""
    file = Text("a configuration file, like --config", "설정 파일(--config와 같음)")
    direct = Text("read the devices here, when no agent runs", "에이전트 없이 직접 장치를 읽음(시운전용)")
    every = Text("seconds between two pictures", "화면 갱신 간격(초)")
    plain = Text("draw with ASCII alone", "ASCII 문자만 사용")
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help=file(language))
    parser.add_argument("--direct", action="store_true", help=direct(language))
    parser.add_argument("--every", type=float, default=1.0, metavar="S", help=every(language))
    parser.add_argument("--ascii", action="store_true", help=plain(language))
    config_argument(parser, language)


def main(args: argparse.Namespace, language: Language) -> int:
    """Show until somebody presses q."""
    config = load(args.file or args.config, language)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        text = Text(
            "watch needs a terminal; in a script use status or check --connect",
            "watch는 터미널에서만 쓸 수 있습니다. 스크립트에서는 status나 check --connect를 쓰십시오",
        )
        print(f"tsq-agent: {text(language)}", file=sys.stderr)
        return 2
    if args.direct:
        return asyncio.run(_direct(config, args, language))
    from agent.cli.asking import ask  # noqa: PLC0415
    from agent.cli.watching.source import Running  # noqa: PLC0415

    if ask(config, language, "values", "", {"history": False}) is None:
        hint = Text("to read the devices without it: --direct", "에이전트 없이 직접 읽으려면 --direct를 쓰십시오")
        print(f"tsq-agent: {hint(language)}", file=sys.stderr)
        return 1
    _app(config, Running(config.storage.directory), args, language).run()
    return 0


async def _direct(config: AgentConfig, args: argparse.Namespace, language: Language) -> int:
    from agent.cli.watching.source import reading  # noqa: PLC0415

    async with reading(config) as source:
        await _app(config, source, args, language).run_async()
    return 0


def _app(config: AgentConfig, source: Values, args: argparse.Namespace, language: Language) -> Watch:
    from agent.cli.watching.app import Watch  # noqa: PLC0415 - textual, when there is something to show
    from agent.cli.watching.model import Model  # noqa: PLC0415

    app = Watch(Model(config), source, config.addresses(), language, max(0.2, args.every))
    app.plain = args.ascii
    return app
