"""`tsq-agent probe`: what stands at one address of a device, read now, in every type and order of words.

Reads only. With a file it can write the chosen line into it: `--write`, or the question that follows on a terminal.
"""

from __future__ import annotations

import asyncio
import sys
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from agent.cli.picking import ask, save_signal, wanted
from agent.clock import SystemClock
from agent.collectors.base import Box
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


@dataclass(frozen=True, slots=True)
class Target:
    """What to read.

    Attributes:
        file: The configuration that the device is from; None for one of the command line.
        device: Who is asked.
        address: As it was written.
        zone: Time zone of dates.
        pki: Path of the folder of certificates, for servers with security.
    """

    file: Path | None
    device: Device
    address: str
    zone: str = "Asia/Seoul"
    pki: str | None = None


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
    option(
        "--readings",
        f"how often it is read; default {READINGS}",
        f"읽는 횟수. 기본값 {READINGS}",
        type=int,
        default=READINGS,
    )
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
    try:
        words = [*args.target[:-1], unicodedata.normalize("NFKC", args.target[-1]).strip()]  # a Korean keyboard's
        target = _target(words, language)
        every = _every(args.every)
        if target.device.type == "opcua":
            return _node(target, args, every, language)
        return _words(target, args, every, language)
    except Complaint as exc:
        print(f"tsq-agent: {exc.text(language)}", file=sys.stderr)
    except AgentError as exc:
        print(f"tsq-agent: {exc.text(language)}", file=sys.stderr)
    return 1


def _words(target: Target, args: argparse.Namespace, every: int, language: Language) -> int:
    """Read words of memory, in every type and order."""
    from agent.cli import probeview, probing  # noqa: PLC0415 - rich is loaded when something is shown

    device, clock, count = target.device, SystemClock(trusted=True), max(1, args.readings)
    what = probing.window(device, target.address, every)
    seen = asyncio.run(probing.look(what, Box(clock, pki=target.pki), count, 10 + 2 * count * every / 1e9))
    candidates = []
    if not what.bits:
        candidates = interpret(
            probing.words(seen), what.at, now_ns=clock.now(), zone=target.zone, low_byte_first=what.low_byte_first
        )
    told = guess(candidates)
    probeview.console().print(probeview.report(what, seen, candidates, told, language))
    if target.file is not None:
        chosen = wanted(args, what, device, told) if args.write else None
        if chosen is None and sys.stdin.isatty() and sys.stdout.isatty():
            chosen = ask(what, device, told, candidates, language)
        if chosen is not None:
            print(save_signal(target.file, device.id, chosen, args.group, args.group_every, language))
    return 1 if seen.status[what.at] >> 31 else 0


def _node(target: Target, args: argparse.Namespace, every: int, language: Language) -> int:
    """Read a variable of an OPC UA server: it knows its own type."""
    from agent.cli import nodeview, probeview  # noqa: PLC0415

    seen = asyncio.run(nodeview.look(target, max(1, args.readings), every / 1e9))
    probeview.console().print(nodeview.report(target.device.id, seen, language))
    if target.file is not None and args.write:
        signal = nodeview.signal(seen[-1], args.write, args.name, args.unit)
        print(save_signal(target.file, target.device.id, signal, args.group, args.group_every, language))
    return 1 if seen[-1].status >> 31 else 0


def _target(words: Sequence[str], language: Language) -> Target:
    if len(words) == 2 and words[0].startswith("opc.tcp://"):
        from agent.cli.browsing.server import server_of  # noqa: PLC0415

        return Target(None, server_of(words[0]), words[1])
    if len(words) == 2 and "://" in words[0]:
        from agent.cli.probing import device_of  # noqa: PLC0415

        return Target(None, device_of(words[0], words[1]), words[1])
    if len(words) != 3:
        raise Complaint(
            "write FILE DEVICE ADDRESS, or modbus://HOST:PORT/UNIT ADDRESS",
            "설정 파일, 장치 id, 주소를 차례로 쓰거나 modbus://IP:포트/국번 과 주소를 쓰십시오",
        )
    config = load(words[0], language)
    for device in config.devices:
        if device.id == words[1]:
            return Target(Path(words[0]), device, words[2], config.time.zone, str(config.storage.directory / "pki"))
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
