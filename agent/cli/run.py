"""`tsq-agent run`: collect until stopped."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from agent.cli import config_argument
from service import logs
from settings.language import Text

if TYPE_CHECKING:
    import argparse

    from settings.language import Language


def arguments(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add the arguments of the verb."""
    text = Text("what is written to the log", "로그에 남길 수준")
    parser.add_argument(
        "--log-level", default="INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR"), help=text(language)
    )
    config_argument(parser, language)


def main(args: argparse.Namespace, language: Language) -> int:
    """Collect until SIGTERM or SIGINT."""
    from agent.app import run  # noqa: PLC0415 - the whole agent, when it is needed

    logs.configure(args.log_level)
    os.umask(0o077)  # what was read from the machines is nobody else's on this box
    return run(args.config, lang=language)
