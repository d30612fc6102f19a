"""`tsq-agent confirm`: a person has looked at a device that changed, and its values may be believed again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from agent.cli import config_argument
from agent.cli.asking import ask, known
from agent.cli.person import author, author_argument
from agent.cli.table import clean
from agent.config.load import load
from settings.language import Text

if TYPE_CHECKING:
    import argparse

    from settings.language import Language


def arguments(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add the arguments of the verb."""
    text = Text("id of the device", "장치 id")
    parser.add_argument("device", metavar="DEVICE", help=text(language))
    author_argument(parser, language)
    config_argument(parser, language)


def main(args: argparse.Namespace, language: Language) -> int:
    """Tell the running agent."""
    config = load(args.config, language)
    if not known(config, args.device, language):
        return 1
    answer = ask(config, language, "confirm", args.device, {"author": author(args.author)})
    if answer is None:
        return 1
    if "error" in answer:
        print(f"tsq-agent: {answer['error']}", file=sys.stderr)
        return 1
    changes = answer["changes"]
    if not isinstance(changes, dict):
        text = Text(f"{args.device}: nothing had changed", f"{args.device}: 바뀐 것이 없습니다")
        print(text(language))
        return 0
    text = Text(
        f"{args.device}: from now on this is how it shall be:", f"{args.device}: 지금 상태를 기준으로 등록했습니다."
    )
    print(text(language))
    for name, change in changes.items():
        if isinstance(change, dict):
            print(clean(f"  {name}: {change.get('old')} -> {change.get('new')}"))
    return 0
