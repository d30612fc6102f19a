"""`tsq-agent retry`: try a device at once, its refused signals too."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from agent.cli import config_argument
from agent.cli.asking import ask, known
from agent.config.load import load
from settings.language import Text

if TYPE_CHECKING:
    import argparse

    from settings.language import Language


def arguments(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add the arguments of the verb."""
    text = Text("id of a device, or of one of its sources", "장치 또는 수집 단위의 id")
    parser.add_argument("target", metavar="DEVICE", help=text(language))
    config_argument(parser, language)


def main(args: argparse.Namespace, language: Language) -> int:
    """Tell the running agent."""
    config = load(args.config, language)
    if not known(config, args.target, language):
        return 1
    answer = ask(config, language, "retry", args.target)
    if answer is None:
        return 1
    if "error" in answer:  # it runs with what stood in the file before
        text = Text(
            f"{answer['error']}: the agent runs with an older file: `tsq-agent apply` takes this one over",
            f"실행 중인 에이전트에는 없는 장치입니다({args.target}). 바꾼 설정은 tsq-agent apply로 적용하십시오",
        )
        print(f"tsq-agent: {text(language)}", file=sys.stderr)
        return 1
    print(Text(f"{answer['device']}: trying now", f"{answer['device']}: 바로 다시 접속합니다")(language))
    return 0
