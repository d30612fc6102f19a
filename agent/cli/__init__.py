"""The command `tsq-agent`: a table of verbs, each a module of this package that is loaded when it is called.

A verb's module has two functions:

    arguments(parser, language)      adds its own arguments; their help in that language
    main(args, language) -> int      does it; returns the exit code

`--lang` may stand anywhere. Exit codes: 0 done, 1 something is not good, 2 wrong words, 74 the disk failed,
78 the file is wrong, 130 Ctrl-C.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.korean import speak
from agent.errors import ConfigError, SpoolFailed
from service import exits
from settings.language import Text, choose

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from settings.language import Language

DEFAULT_CONFIG = Path("/etc/tsq/agent.yaml")
EXTRA = {
    **dict.fromkeys(
        ("asyncua", "cryptography", "holidays", "openpyxl", "pymodbus", "rich", "serial", "textual"), "agent"
    ),
    "pyarrow": "assess",
}
"""Library -> the extra of `techsquare-edge` that installs it; `techsquare-edge` alone does not."""

VERBS: Mapping[str, tuple[str, Text]] = {
    "init": ("init", Text("a first file, by questions", "질문에 답하며 설정 파일 만들기")),
    "check": (
        "check",
        Text(
            "is the file right; with --connect: what does each device say",
            "설정 파일 검사, --connect로 값까지 확인",
        ),
    ),
    "explain": (
        "explain",
        Text(
            "which requests read a device, and what they cost", "장치를 어떤 요청으로 읽는지, 얼마나 걸리는지 보기"
        ),
    ),
    "scan": (
        "scan",
        Text("which configured hosts answer on which port", "설정된 주소가 어느 포트로 응답하는지 확인"),
    ),
    "probe": (
        "probe",
        Text(
            "read one address now, in every type and word order",
            "주소 하나를 모든 자료형·워드 순서로 읽어 보기",
        ),
    ),
    "browse": (
        "browse",
        Text("the tree of an OPC UA server: pick and write signals", "OPC UA 서버 트리에서 태그 골라 저장"),
    ),
    "watch": ("watch", Text("every signal live on the screen", "모든 태그를 화면에서 실시간으로 보기")),
    "run": ("run", Text("collect until stopped", "수집 시작(끝낼 때까지)")),
    "status": ("status", Text("what each device is doing", "장치별 상태 보기")),
    "report": ("report", Text("the readiness report, its first lines first", "디지털화 준비도 보고서 보기")),
    "spool": (
        "spool",
        Text("what waits, how long the room and the disk last", "저장 대기 데이터와 디스크 수명 보기"),
    ),
    "import": (
        "import_",
        Text("an XG5000 export, CSV or Excel list as YAML", "XG5000 내보내기, CSV, 엑셀 목록을 YAML로 가져오기"),
    ),
    "answers": (
        "answers",
        Text("what the mentor has answered: check a file, see what counts", "멘토 응답 검사, 적용된 응답 보기"),
    ),
    "retry": ("retry", Text("try a device at once, its refused signals too", "장치에 바로 다시 접속")),
    "pki": ("pki", Text("certificates of OPC UA: whom the agent trusts", "OPC UA 인증서 신뢰 등록과 확인")),
    "diff": ("diff", Text("what a changed file would change", "바꾼 설정 파일과 현재 설정 비교")),
    "apply": (
        "apply",
        Text("try a changed file in the running agent, keep it when good", "바꾼 설정을 실행 중에 적용"),
    ),
    "maintenance": (
        "maintenance",
        Text("people work on a machine: count nothing against it", "설비 점검 시작/종료(집계 제외)"),
    ),
    "confirm": ("confirm", Text("a device that has changed is right as it is", "바뀐 장치를 확인하고 등록")),
    "record": ("record", Text("raw frames of a device into a file", "통신 프레임을 파일로 기록")),
    "carry": (
        "carry",
        Text("bring what waits to the gateway on a USB stick", "통신이 안 될 때 USB로 데이터 옮기기"),
    ),
    "replay": (
        "replay",
        Text(
            "what a recording or a spool's folder gives when it is read again",
            "기록한 통신이나 지난 날을 다시 읽기",
        ),
    ),
    "assess": (
        "assess",
        Text("a report of data in files or a database, without an agent", "파일이나 DB에 쌓인 자료로 진단"),
    ),
    "reporter": (
        "reporter",
        Text("who signs the daily records, and taking that over", "일별 기록의 서명 상태 보기, 이어받기"),
    ),
    "conform": (
        "conform",
        Text("does an agent of any make keep to the wire", "에이전트가 통신 규격을 지키는지 시험"),
    ),
    "export": ("export", Text("the plant as an Asset Administration Shell", "자산관리쉘(AAS)로 내보내기")),
}
"""Verb to its module and what it does, in the order of the help."""


def config_argument(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add `--config` of the verbs that concern a running agent or its file."""
    text = Text(f"the agent's file; default: {DEFAULT_CONFIG}", f"에이전트 설정 파일. 기본값: {DEFAULT_CONFIG}")
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help=text(language))


def _language(argv: Sequence[str]) -> tuple[Language, list[str]]:
    """Take `--lang` out of the words, wherever it stands."""
    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    early.add_argument("--lang", choices=("ko", "en"))
    found, rest = early.parse_known_args(argv)
    return choose(found.lang, os.environ), rest


def _parser(language: Language, called: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tsq-agent",
        description=Text("The edge agent of Tech Square.", "Tech Square 에지 에이전트")(language),
        epilog=Text("--lang ko|en: language of messages", "--lang ko|en: 메시지 언어")(language),
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, (module, text) in VERBS.items():
        one = verbs.add_parser(verb, help=text(language), description=text(language))
        if verb == called:
            importlib.import_module(f"agent.cli.{module}").arguments(one, language)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run `tsq-agent`; return the exit code."""
    for stream in (sys.stdout, sys.stderr):  # a terminal that cannot show a device's text must not stop us
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    language, words = _language(sys.argv[1:] if argv is None else argv)
    speak(language)
    try:
        called = next((word for word in words if word in VERBS), None)
        args = _parser(language, called).parse_args(words)
        code: int = importlib.import_module(f"agent.cli.{VERBS[args.verb][0]}").main(args, language)
    except ConfigError as exc:
        print(exc, file=sys.stderr)
        return exits.CONFIG
    except SpoolFailed as exc:
        print(f"tsq-agent: {exc}", file=sys.stderr)
        return exits.IO
    except ModuleNotFoundError as exc:
        if exc.name not in EXTRA:
            raise
        how = f"pip install 'techsquare-edge[{EXTRA[exc.name]}]'"
        text = Text(f"{exc.name} is not installed: {how}", f"{exc.name}이(가) 설치되지 않았습니다. 설치: {how}")
        print(f"tsq-agent: {text(language)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # each verb has tidied up behind itself by now
        print(file=sys.stderr)
        return exits.INTERRUPTED
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nor is there anybody at the exit
        return 1
    return code
