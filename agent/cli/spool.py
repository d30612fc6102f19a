"""`tsq-agent spool`: depth, age, bytes and wear of what waits, and how long disk and room last."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any, cast

from pydantic import TypeAdapter

from agent.cli import config_argument, spoolview
from agent.cli.asking import ask
from agent.config.load import load
from settings.base import Size
from settings.language import Complaint, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from settings.language import Language

_SIZE: TypeAdapter[int] = TypeAdapter(Size)
ENDURANCE = 30 * 10**12
"""Bytes: what a small industrial eMMC or the cheapest SSD is rated for."""


def arguments(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add the arguments of the verb."""
    parser.add_argument(
        "--json", action="store_true", help=Text("as one line of JSON", "JSON 한 줄로 출력")(language)
    )
    text = Text("what the disk is rated for, 30TB when absent", "디스크의 쓰기 수명(TBW). 기본값 30TB")
    parser.add_argument(
        "--endurance", type=_endurance, default=float(ENDURANCE), metavar="30TB", help=text(language)
    )
    config_argument(parser, language)


def main(args: argparse.Namespace, language: Language) -> int:
    """Ask the running agent and print its answer."""
    answer = ask(load(args.config, language), language, "spool")
    if answer is None:
        return 1
    if args.json:
        print(json.dumps(answer, ensure_ascii=False))
        return 0
    for text in spoolview.lines(cast("Mapping[str, Any]", answer), args.endurance):
        print(text(language))
    return 0


def _endurance(text: str) -> float:
    try:
        return float(_SIZE.validate_python(text))
    except (ValueError, Complaint) as exc:
        raise argparse.ArgumentTypeError(f"{text!r}: 30TB") from exc
