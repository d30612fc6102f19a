"""`tsq-agent probe`: what stands at one address of a device, read now, in every type and order of words.

Reads only. With a file it can write the chosen line into it: `--write`, or the question that follows on a terminal.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from agent.cli.picking import ask, save_signal, wanted
from agent.config.base import Every
from agent.config.load import load
from agent.errors import AgentError
from agent.frame import DataType
from agent.interpretation import ORDERS, guess, interpret
from settings.language import Complaint, Text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from agent.config.model import Device
    from settings.language import Language

READINGS = 6


def arguments(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add the arguments of the verb."""
    target = Text(
        "a file, a device in it and an address (holding:8); or modbus://HOST:PORT/UNIT and an address",
        "설정 파일, 장치 id, 주소(holding:8). 설정 파일이 없으면 modbus://IP:포트/국번 과 주소",
    )
    parser.add_argument("target", nargs="+", metavar="FILE DEVICE ADDRESS", help=target(language))

    def option(name: str, en: str, ko: str, **more: Any) -> None:
        parser.add_argument(name, help=Text(en, ko)(language), **more)

    types = [str(dtype) for dtype in DataType]
    option("--readings", f"how often it is read; default {READINGS}", f"읽는 횟수. 기본값 {READINGS}", type=int)
    option("--every", "interval of the readings; default 500ms", "읽는 간격. 기본값 500ms", default="500ms")
    option("--write", "write it into the file as this signal", "이 id의 태그로 설정 파일에 저장", metavar="ID")
    option("--type", "type to write; the best guess when absent", "저장할 자료형. 없으면 추정값", choices=types)
    option("--word-order", "order to write", "저장할 워드 순서", choices=ORDERS)
    option("--shift", "-1 or 1: the address beside", "-1, 1: 앞뒤 주소", type=int, choices=(-1, 0, 1), default=0)
    option("--bit", "bit of the word, with --type bool", "워드의 비트 번호(--type bool)", type=int)
    option("--name", "name to write", "저장할 이름")
    option("--unit", "unit to write", "저장할 단위")
    option("--group", "group to write into", "저장할 그룹")
    option("--group-every", "make the group, with this interval", "새 그룹을 만들 때의 수집 주기")


def main(args: argparse.Namespace, language: Language) -> int:
    """Read, show, and write when asked to.

    Returns:
        0, or 1 when the address was refused or the device did not answer.
    """
    from agent.cli import probeview, probing  # noqa: PLC0415 - rich is loaded when something is shown
    from agent.clock import SystemClock  # noqa: PLC0415
    from agent.collectors.base import Box  # noqa: PLC0415

    try:
        file, device, address, zone = _target(args.target, language)
        every = _every(args.every)
        count = max(1, args.readings or READINGS)
        what = probing.window(device, address, every)
        clock = SystemClock(trusted=True)
        seen = asyncio.run(probing.look(what, Box(clock), count, 10 + 2 * count * every / 1e9))
        candidates = [] if what.bits else interpret(probing.words(seen), what.at, now_ns=clock.now(), zone=zone)
        told = guess(candidates)
        probeview.console().print(probeview.report(what, seen, candidates, told, language))
        if file is not None:
            chosen = wanted(args, what, device, told) if args.write else None
            if chosen is None and sys.stdin.isatty() and sys.stdout.isatty():
                chosen = ask(what, device, told, candidates, language)
            if chosen is not None:
                print(save_signal(file, device.id, chosen, args.group, args.group_every, language))
    except Complaint as exc:
        print(f"tsq-agent: {exc.text(language)}", file=sys.stderr)
        return 1
    except AgentError as exc:
        print(f"tsq-agent: {exc.text(language)}", file=sys.stderr)
        return 1
    return 1 if seen.status[what.at] >> 31 else 0


def _target(words: Sequence[str], language: Language) -> tuple[Path | None, Device, str, str]:
    """Return file, device, address and time zone of what was written."""
    from agent.cli.probing import device_of  # noqa: PLC0415

    if len(words) == 2 and "://" in words[0]:
        return None, device_of(words[0]), words[1], "Asia/Seoul"
    if len(words) != 3:
        raise Complaint(
            "write FILE DEVICE ADDRESS, or modbus://HOST:PORT/UNIT ADDRESS",
            "설정 파일, 장치 id, 주소를 차례로 쓰거나 modbus://IP:포트/국번 과 주소를 쓰십시오",
        )
    path = Path(words[0])
    config = load(path, language)
    for device in config.devices:
        if device.id == words[1]:
            return path, device, words[2], config.time.zone
    names = ", ".join(device.id for device in config.devices) or "-"
    raise Complaint(
        f"there is no device {words[1]} in this file: write one of {names}",
        f"이 파일에 없는 장치입니다({words[1]}). 쓸 수 있는 장치: {names}",
    )


def _every(text: str) -> int:
    try:
        return TypeAdapter(Every).validate_python(text)
    except ValidationError as exc:
        error = exc.errors()[0].get("ctx", {}).get("error")
        raise error if isinstance(error, Complaint) else Complaint(str(error), str(error)) from exc
