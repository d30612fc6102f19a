"""`tsq-agent init`: a guided start that writes a commented file which passes `tsq-agent check`."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.cli.saving import create, save, text_of
from agent.cli.starting import Answers, Question, question, taken, written
from agent.config.load import read
from settings.language import Complaint, Text
from settings.load import line

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from settings.language import Language

OPTIONS = {
    "name": Text("name of the factory", "공장 이름"),
    "factory": Text("id of the company", "공장 id"),
    "site": Text("id of this address", "사업장 id"),
    "agent": Text("id of this box", "수집 PC id"),
    "zone": Text("time zone", "시간대"),
    "day": Text("begin of the production day, 08:00", "생산일 시작 시각, 08:00"),
    "planned": Text(
        "planned hours, 'mon-fri 08:00-17:00, sat 08:00-12:00'", "계획 가동시간, 'mon-fri 08:00-17:00'"
    ),
    "machines": Text("'press-1=Press 1, press-2=Press 2'", "'press-1=프레스 1호기, press-2=프레스 2호기'"),
    "broker": Text("MQTT broker, HOST or HOST:PORT", "MQTT 브로커, 주소 또는 주소:포트"),
}
BACK = "<"


def arguments(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add the arguments of the verb."""
    file = Text("the file to write", "만들 설정 파일")
    device = Text("'modbus 192.168.0.10 [MACHINE]', several times", "'modbus 192.168.0.10 [설비 id]', 여러 번 가능")
    yes = Text("ask nothing: what is not given takes its default", "묻지 않고 나머지는 기본값 사용")
    force = Text(
        "replace a file that is there; it is kept as FILE.bak", "기존 파일을 바꿈(이전 파일은 .bak로 보관)"
    )
    parser.add_argument("file", type=Path, metavar="FILE", help=file(language))
    for key, text in OPTIONS.items():
        parser.add_argument(f"--{key}", help=text(language))
    parser.add_argument("--device", action="append", default=[], metavar="DEVICE", help=device(language))
    parser.add_argument("--yes", action="store_true", help=yes(language))
    parser.add_argument("--force", action="store_true", help=force(language))


def main(args: argparse.Namespace, language: Language) -> int:
    """Ask, and write the file.

    Returns:
        0, or 1 when nothing was written.
    """

    def say(text: Text) -> str:
        return text(language)

    path: Path = args.file
    terminal = sys.stdin.isatty() and not args.yes
    try:
        _possible(path, say, force=args.force, terminal=terminal)
        given = _given(args)
        answers = _guide(given, say, input) if terminal else _unasked(given)
    except Complaint as exc:
        print(f"tsq-agent: {exc.text(language)}", file=sys.stderr)
        return 1
    except (EOFError, KeyboardInterrupt):
        print(f"\n{say(Text('nothing written', '저장하지 않았습니다'))}", file=sys.stderr)
        return 1
    except UnicodeError:
        text = Text(
            "this terminal does not send UTF-8: set its character set",
            "터미널의 문자 집합을 UTF-8로 바꾸십시오(PuTTY: Translation)",
        )
        print(f"\ntsq-agent: {say(text)}", file=sys.stderr)
        return 1
    made = written(answers, say)
    config, problems = read(made.encode())
    if config is None:  # days of the plan, for instance, are checked with the file as a whole
        for problem in problems:
            print(f"tsq-agent: {line(problem, str(path), language)}", file=sys.stderr)
        return 1
    if path.exists():
        save(path, text_of(path, language), made, language)
    else:
        try:
            create(path, made)
        except OSError as exc:
            print(f"tsq-agent: {path}: {exc.strerror}", file=sys.stderr)
            return 1
    done = Text("written. Next:", "저장했습니다. 다음 순서:")
    print(f"{path}: {say(done)}")
    for next_ in ("check", "scan", "check --connect"):
        print(f"  tsq-agent {next_} {shlex.quote(str(path))}")
    return 0


def _possible(path: Path, say: Callable[[Text], str], *, force: bool, terminal: bool) -> None:
    """Look whether the file can be written, before anybody has answered anything.

    Raises:
        Complaint: it cannot, or it is there and shall stay.
    """
    if not os.access(path.parent, os.W_OK):
        raise Complaint(f"{path.parent}: no file can be written to this folder",
                        f"{path.parent}: 이 폴더에는 파일을 만들 수 없습니다")  # fmt: skip
    if path.exists() and not force:
        text = Text(f"{path} is there already. Replace it (kept as .bak)? [y/N] ",
                    f"{path} 파일이 이미 있습니다. 바꿀까요(이전 파일은 .bak)? [y/N] ")  # fmt: skip
        if not terminal or input(say(text)).strip().lower() not in {"y", "yes", "예", "ㅛ"}:
            raise Complaint(f"{path}: is there already: --force replaces it",
                            f"{path}: 파일이 이미 있습니다. 바꾸려면 --force를 쓰십시오")  # fmt: skip


def _given(args: argparse.Namespace) -> dict[str, Any]:
    """Return what the options say: lines by question; devices as pairs of line and machine."""
    lines: dict[str, Any] = {key: value for key in OPTIONS if (value := getattr(args, key)) is not None}
    devices = []
    for one in args.device:
        words = one.split()
        devices.append((" ".join(words[:2]), words[2] if len(words) > 2 else None))
    return lines | {"device": devices}


def _unasked(given: dict[str, Any]) -> Answers:
    """Return the answers of options and defaults.

    Raises:
        Complaint: one is wrong, or has no default.
    """
    answers: Answers = {}
    devices = list(given["device"])
    machine: str | None = None
    while (asked := question(answers)) is not None:
        if asked.key == "device":
            said, machine = devices.pop(0) if devices else ("", None)
        elif asked.key == "machine of device":
            said = machine or asked.default
        else:
            said = given.get(asked.key, asked.default)
            if not said and asked.key in {"name", "machines"}:
                raise Complaint(f"--{asked.key}: {asked.text.en}", f"--{asked.key}: {asked.text.ko}")
        answers = taken(answers, asked, asked.read(said))
    return answers


def _guide(given: dict[str, Any], say: Callable[[Text], str], ask: Callable[[str], str]) -> Answers:
    """Ask what the options leave open; `<` goes one question back.

    Raises:
        UnicodeError: the terminal sends something else than UTF-8.
    """
    print(say(Text("Enter takes what stands in brackets, < goes back.", "Enter: 괄호 안의 값, <: 이전 질문")))
    answers: Answers = {}
    past: list[Answers] = []
    devices = list(given["device"])
    machine: str | None = None
    while (asked := question(answers)) is not None:
        if asked.key in OPTIONS and asked.key in given:
            answers = taken(answers, asked, asked.read(given[asked.key]))
            continue
        if asked.key == "device" and devices:
            said, machine = devices.pop(0)
        elif asked.key == "machine of device" and machine is not None:
            said, machine = machine, None
        else:
            said = _line(asked, say, ask)
        if said == BACK:
            answers = past.pop() if past else answers
            continue
        try:
            answer = asked.read(said)
        except Complaint as exc:
            print(f"  {say(exc.text)}")
            continue
        past.append(answers)
        answers = taken(answers, asked, answer)
    return answers


def _line(asked: Question, say: Callable[[Text], str], ask: Callable[[str], str]) -> str:
    shown = f" [{asked.default}]" if asked.default else ""
    said = ask(f"{say(asked.text)}{shown}: ").strip()
    said.encode()  # bytes of CP949 come as halves of characters, which no file can hold
    return said or asked.default
