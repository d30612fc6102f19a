"""`tsq-agent maintenance`: people work on a machine; what stands still meanwhile is nobody's fault."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from agent.cli import config_argument
from agent.cli.asking import ask, known
from agent.cli.person import author, author_argument
from agent.config.load import load
from settings.base import Duration, written
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from settings.language import Language

_DURATION: TypeAdapter[int] = TypeAdapter(Duration)
_DAY_NS = 86_400 * 10**9


def duration(language: Language) -> Callable[[str], int]:
    """Return a reader of times such as 90s or 2h, for arguments."""

    def read(value: str) -> int:
        try:
            length = _DURATION.validate_python(value)
        except ValidationError:
            length = 0
        if not 0 < length <= 31 * _DAY_NS:
            text = Text(
                f"write a time such as 90s, 30m or 2h, not {value!r}", f"90s, 30m, 2h처럼 쓰십시오({value})"
            )
            raise argparse.ArgumentTypeError(text(language))
        return length

    return read


def arguments(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("do", choices=("start", "stop"), help=Text("begin or end", "시작 또는 종료")(language))
    device = Text("only this device; all when absent", "대상 장치 id. 생략하면 모든 장치")
    reason = Text("what is done", "작업 내용")
    length = Text("it ends by itself after this time, `2h`", "이 시간이 지나면 자동으로 종료. 예: 2h")
    parser.add_argument("--device", default="", help=device(language))
    parser.add_argument("--reason", default="", help=reason(language))
    parser.add_argument("--for", dest="length", type=duration(language), default=None, help=length(language))
    author_argument(parser, language)
    config_argument(parser, language)


def main(args: argparse.Namespace, language: Language) -> int:
    """Tell the running agent."""
    config = load(args.config, language)
    if args.device and not known(config, args.device, language):
        return 1
    wish = {"do": args.do, "author": author(args.author), "reason": args.reason[:500], "for_ns": args.length}
    answer = ask(config, language, "maintenance", args.device, wish)
    if answer is None:
        return 1
    if "error" in answer:
        print(f"tsq-agent: {answer['error']}", file=sys.stderr)
        return 1
    print(_said(args.do, [str(device) for device in _list(answer["devices"])], args.length)(language))
    return 0


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _said(do: str, devices: list[str], length: int | None) -> Text:
    names = ", ".join(devices)
    if not devices:
        return Text("no maintenance was open", "진행 중인 점검이 없습니다")
    if do == "stop":
        return Text(f"maintenance ended: {names}", f"점검 종료: {names}")
    if length is None:
        return Text(
            f"maintenance begun: {names}; end it with `tsq-agent maintenance stop`",
            f"점검 시작(집계 제외): {names}. 끝나면 tsq-agent maintenance stop으로 종료하십시오",
        )
    return Text(
        f"maintenance begun: {names}, for {written(length)}",
        f"점검 시작(집계 제외): {names}. {written(length)} 뒤 자동 종료",
    )
