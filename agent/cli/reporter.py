"""`tsq-agent reporter`: who signs the days of this agent, how far the chain has come, and taking it over."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from agent.cli import config_argument
from agent.cli.asking import ask
from agent.cli.person import author, author_argument
from agent.cli.table import clean
from agent.config.load import load
from agent.platform.refusals import grouped, words
from settings.language import Text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping

    from settings.language import Language


def arguments(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add the arguments of the verb."""
    text = Text(
        "show: who signs and what the platform may see; take: go on with the chain of another box",
        "show: 서명 상태와 공개 범위 보기, take: 다른 장비가 쓰던 서명 기록을 이어받기",
    )
    parser.add_argument("do", choices=("show", "take"), help=text(language))
    author_argument(parser, language)
    config_argument(parser, language)


def main(args: argparse.Namespace, language: Language) -> int:
    """Ask or tell the running agent."""
    config = load(args.config, language)
    wish = {"do": args.do, "author": author(args.author)}
    answer = ask(config, language, "reporter", "", wish)
    if answer is None:
        return 1
    if "error" in answer:
        print(f"tsq-agent: {answer['error']}", file=sys.stderr)
        return 1
    if args.do == "take" and not answer["taken"]:
        print(Text("nobody else signs for this agent", "서명을 이어받을 다른 장비가 없습니다")(language))
    for line in said(answer):
        print(clean(line(language)))
    return 1 if answer["trouble"] else 0


def said(answer: Mapping[str, object]) -> Iterator[Text]:
    """Yield what the agent answered, in words."""
    head, scopes = answer["chain"], ", ".join(str(one) for one in _list(answer["scopes"]))
    if isinstance(head, dict):
        yield Text(
            f"signed: {head['number']} days, the last {head['date']}, key {answer['key']}",
            f"서명한 일별 기록: {head['number']}일, 마지막 {head['date']}, 키 {answer['key']}",
        )
    else:
        yield Text(f"no day is signed yet, key {answer['key']}", f"아직 서명한 날이 없습니다. 키 {answer['key']}")
    yield from _team(answer)
    yield Text(f"the platform may see: {scopes or 'nothing'}", f"운영기관 공개 범위: {scopes or '없음'}")
    if answer["trouble"]:
        yield Text(
            f"not signing: {answer['trouble']}",
            f"서명이 멈춰 있습니다. 같은 에이전트로 서명한 다른 장비가 있으면 확인 후 "
            f"tsq-agent reporter take ({answer['trouble']})",
        )


def _team(answer: Mapping[str, object]) -> Iterator[Text]:
    """Yield who reports, and what of the other agents is here, or of this one waits."""
    for one in _list(answer["agents"]):
        if not isinstance(one, dict):
            continue
        if one["awaited"]:
            last = one["last"]
            yield Text(
                f"{one['agent']}: {one['days']} days, the last {last or 'none'}",
                f"{one['agent']}: {one['days']}일 받음, 마지막 {last or '없음'}",
            )
        for days, why in grouped(one["refused"]):
            text = words(why)
            yield Text(
                f"{one['agent']}: {days} not taken: {text.en}", f"{one['agent']}: {days} 받지 않음. {text.ko}"
            )
    outbox, contested = answer["outbox"], answer["contested"]
    if isinstance(outbox, dict):
        since = f", since {outbox['oldest']}" if outbox["waiting"] else ""
        sinds = f", 가장 오래된 날 {outbox['oldest']}" if outbox["waiting"] else ""
        yield Text(
            f"{answer['reporter']} reports for this factory: {outbox['waiting']} days wait for it{since}",
            f"대표 에이전트 {answer['reporter']}. 전송 대기 {outbox['waiting']}일{sinds}",
        )
        for days, why in [*grouped(outbox["refused"]), *grouped(outbox["given_up"])]:
            text = words(why)
            yield Text(f"{days} did not go: {text.en}", f"{days} 전송하지 못함. {text.ko}")
    for machine, agents in (contested if isinstance(contested, dict) else {}).items():
        both = ", ".join(agents)
        yield Text(
            f"machine {machine} is declared by {both}: nothing of it is assessed until only one has it",
            f"설비 {machine}이(가) {both}에 모두 있습니다. 한 곳에만 남길 때까지 이 설비는 진단하지 않습니다",
        )


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
