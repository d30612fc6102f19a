"""`tsq-agent answers`: is a file of the mentor's answers right; what counts now, from whom, what does not fit."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from agent.cli import DEFAULT_CONFIG
from agent.cli.asking import ask
from agent.cli.table import clean, table
from agent.clock import SystemClock
from agent.config.load import load as load_config
from answers.load import load
from answers.plant import join
from readiness.contradictions import CODES
from readiness.subjects import about, value
from settings.language import Text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping, Sequence

    from agent.config.model import AgentConfig
    from answers.load import Given
    from settings.language import Language

SECTIONS: Mapping[str, Text] = {
    "machines": Text("machines", "설비"),
    "signals": Text("signals", "태그"),
    "loops": Text("control loops", "제어 루프"),
    "products": Text("products", "품목"),
    "hand_counts": Text("hand counts", "수기 계수"),
    "stop_reasons": Text("stop reasons", "정지 사유"),
    "systems": Text("systems", "설치된 시스템"),
    "use": Text("rows of use logs", "사용 기록"),
    "bills": Text("bills", "전기요금 고지서"),
    "claims": Text("claims", "자체 응답값"),
    "onboardings": Text("onboardings", "설비 추가 기록"),
}


def arguments(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add the arguments of the verb."""
    do = Text("check a file, or show what counts in the running agent", "check: 파일 검사, show: 적용된 응답 보기")
    file = Text("the file of answers, for check", "응답 파일(check에서)")
    config = Text(
        f"the agent's file; default: {DEFAULT_CONFIG}. check looks into it where it is there",
        f"에이전트 설정 파일. 기본값: {DEFAULT_CONFIG}. check는 이 파일이 있으면 함께 대조",
    )
    parser.add_argument("do", choices=("check", "show"), help=do(language))
    parser.add_argument("file", type=Path, nargs="?", default=None, help=file(language))
    parser.add_argument("--config", type=Path, default=None, help=config(language))


def main(args: argparse.Namespace, language: Language) -> int:
    """Check a file, or ask the running agent.

    Returns:
        0, or 1 where something does not fit.

    Raises:
        ConfigError: a file cannot be used; the text holds every complaint.
    """
    if args.do == "show":
        return _show(load_config(args.config or DEFAULT_CONFIG, language), language)
    if args.file is None:
        text = Text("name the file: tsq-agent answers check FILE", "파일을 쓰십시오: tsq-agent answers check 파일")
        print(f"tsq-agent: {text(language)}", file=sys.stderr)
        return 2
    given = load(args.file, language)
    for line in summary(given, str(args.file), language):
        print(clean(line))
    path = args.config or (DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None)
    if path is None:
        return 0
    config = load_config(path, language)
    joined = join(config.sources(), config.inventory(), config.calendar(), [given])
    found = [
        {
            "code": c.code, "subject": c.subject, "said": c.said, "seen": c.seen, "who": c.who, "when": c.when,
        }
        for c in joined.plant.contradictions
    ]  # fmt: skip
    for line in contradictions(found, language):
        print(line)
    today = joined.calendar.day_of(SystemClock().now()).isoformat()
    early = {when for _, when in joined.plant.said.values() if when > today}
    for day in sorted(early):
        text = Text(
            f"{day} lies in the future: an answer of that date outweighs all others until then",
            f"{day}은(는) 미래 날짜입니다. 그때까지 다른 응답보다 우선하므로 날짜를 확인하십시오",
        )
        print(text(language))
    return 1 if found or early else 0


def summary(given: Given, name: str, language: Language) -> Iterator[str]:
    """Yield what a correct file holds."""
    answers = given.answers
    yield Text(f"{name}: no mistakes found", f"{name}: 이상 없음")(language)
    yield Text(
        f"serial {answers.serial}, {answers.author}, {answers.date}, hash {given.digest}",
        f"serial {answers.serial}, 작성 {answers.author}, {answers.date}, 해시 {given.digest}",
    )(language)
    counts = [(text(language), len(getattr(answers, section))) for section, text in SECTIONS.items()]
    yield ", ".join(f"{title} {count}" for title, count in counts if count) or "-"


def contradictions(found: Sequence[Mapping[str, Any]], language: Language) -> Iterator[str]:
    """Yield a table of what does not fit, or that nothing is so."""
    yield ""
    if not found:
        yield Text("no contradictions", "측정·설정과 다른 응답 없음")(language)
        return
    head = Text("about,answered,by,date,against it,meaning", "대상,응답,응답자,날짜,반대 근거,의미")(language)
    rows = [
        (
            about(str(one["subject"]), language),
            value(str(one["said"]), language),
            str(one["who"]),
            str(one["when"]),
            value(str(one["seen"]), language) or "-",
            CODES[one["code"]][language == "ko"] if one["code"] in CODES else str(one["code"]),
        )
        for one in found
    ]
    yield from table(head.split(","), rows)


def _show(config: AgentConfig, language: Language) -> int:
    answer = ask(config, language, "answers")
    if answer is None:
        return 1
    if "error" in answer:
        print(f"tsq-agent: {answer['error']}", file=sys.stderr)
        return 1
    sets: Any = answer["sets"]
    found: Any = answer["contradictions"]
    for line in shown(sets, config.time.zone, language):
        print(clean(line))
    for line in contradictions(found, language):
        print(line)
    return 1 if found or any("trouble" in one for one in sets) else 0


def shown(sets: Sequence[Mapping[str, Any]], zone: str, language: Language) -> Iterator[str]:
    """Yield a line for each set that counts, and one for each that was refused."""
    sources = {"file": Text("file", "파일"), "message": Text("platform", "플랫폼")}
    if not sets:
        yield Text("nothing is answered", "적용된 응답이 없습니다")(language)
    for one in sets:
        source = sources.get(one["source"], Text("?", "?"))
        if "serial" in one:
            since = dt.datetime.fromtimestamp(int(one["accepted"]) // 10**9, ZoneInfo(zone))
            yield Text(
                f"{source.en}: serial {one['serial']}, {one['author']}, {one['date']}, hash {one['hash']}, "
                f"in force since {since:%Y-%m-%d %H:%M}",
                f"{source.ko}: serial {one['serial']}, 작성 {one['author']}, {one['date']}, 해시 {one['hash']}, "
                f"{since:%Y-%m-%d %H:%M}부터 적용",
            )(language)
        if "trouble" in one:
            why = one["trouble"]
            yield Text(
                f"{source.en}: the newest is not taken over: {why['en']}",
                f"{source.ko}: 최신 응답을 적용하지 못했습니다. {why['ko']}",
            )(language)
