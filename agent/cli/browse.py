"""`tsq-agent browse`: what an OPC UA server has; picked on the screen or by a pattern, written into the file."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.browsing.entries import entries, line, reason, usable
from agent.cli.browsing.server import server_of
from agent.cli.saving import save, text_of
from agent.cli.table import table
from agent.cli.values import of_node
from agent.config.load import load
from agent.edit import add_signals
from agent.errors import AgentError
from settings.language import Complaint, Text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import Any

    from agent.collectors.opcua.choose import Found
    from agent.collectors.opcua.config import OpcUaDevice
    from agent.config.model import AgentConfig
    from settings.language import Language


def arguments(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add the arguments of the verb."""

    def option(name: str, en: str, ko: str, **more: Any) -> None:
        parser.add_argument(name, help=Text(en, ko)(language), **more)

    target = Text(
        "a file and an OPC UA device in it; or opc.tcp://HOST:4840",
        "설정 파일과 OPC UA 장치 id. 설정 파일이 없으면 opc.tcp://IP:4840",
    )
    parser.add_argument("target", nargs="+", metavar="FILE DEVICE", help=target(language))
    option("--match", "no screen: print what matches, such as '*Position' or 'Objects/**/Axes/*'",
           "화면 없이 패턴에 맞는 노드만 출력. 예: '*Position'", metavar="GLOB")  # fmt: skip
    option("--start", "node id to begin at", "시작할 노드", metavar="NODE")
    option("--yaml", "print lines for the file", "설정 파일용 줄로 출력", action="store_true")
    option("--write", "with --match: write all that match", "--match로 찾은 노드를 모두 저장", action="store_true")
    option("--group", "group to write into", "저장할 그룹")
    option("--group-every", "make the group, with this interval", "새 그룹을 만들 때의 수집 주기")


def main(args: argparse.Namespace, language: Language) -> int:
    """Look around; write when asked to."""
    if args.match is None and not (sys.stdin.isatty() and sys.stdout.isatty()):
        text = Text("without a terminal write --match GLOB", "터미널이 아니면 --match 패턴을 쓰십시오")
        print(f"tsq-agent: {text(language)}", file=sys.stderr)
        return 1
    try:
        file, config, device = _target(args.target, language)
        return asyncio.run(_main(args, file, config, device, language))
    except Complaint as exc:
        print(f"tsq-agent: {exc.text(language)}", file=sys.stderr)
    except AgentError as exc:
        print(f"tsq-agent: {exc.text(language)}", file=sys.stderr)
    return 1


async def _main(
    args: argparse.Namespace,
    file: Path | None,
    config: AgentConfig | None,
    device: OpcUaDevice,
    language: Language,
) -> int:
    from agent.clock import SystemClock  # noqa: PLC0415
    from agent.collectors.base import Box  # noqa: PLC0415
    from agent.collectors.opcua.browse import opened  # noqa: PLC0415 - asyncua costs 48 MB

    nodes = [getattr(signal, "node", "") for group in device.groups for signal in group.signals]
    stops: list[Text] = []
    pki = None if config is None else str(config.storage.directory / "pki")
    async with opened(device, Box(SystemClock(trusted=True), pki=pki)) as tree:
        if args.match is None:
            from agent.cli.browsing.app import Browse  # noqa: PLC0415 - textual

            title = f"{device.id} ({device.endpoint})"
            picked = await Browse(tree, title, language, nodes).run_async() or []
        else:
            picked = [f async for f in tree.search(args.match, start=args.start, stopped=stops.append)]
    for stop in stops:
        print(f"tsq-agent: {stop(language)}", file=sys.stderr)
    made = entries(picked, _taken(config, device))
    screen = args.match is None
    if not picked and not screen:
        none = Text("no node of this server is called so", "이 서버에 일치하는 노드가 없습니다")
        print(f"tsq-agent: {device.id}: {args.match}: {none(language)}", file=sys.stderr)
    elif screen or args.yaml:
        for entry in made:
            print(line(entry))
    else:
        _print(picked, language)
    if file is not None and made and (args.write or (screen and _sure(len(made), language))):
        group = args.group or _group(device, language, ask=screen)
        before = text_of(file, language)
        save(file, before, add_signals(before, device.id, group, made, every=args.group_every), language)
        done = Text(
            f"{file}: {len(made)} signals written (the file before: {file}.bak)",
            f"{file}: 태그 {len(made)}개를 저장했습니다(이전 파일: {file}.bak)",
        )
        print(done(language))
    return 0 if picked or screen else 1


def _target(words: Sequence[str], language: Language) -> tuple[Path | None, AgentConfig | None, OpcUaDevice]:
    from agent.collectors.opcua.config import OpcUaDevice  # noqa: PLC0415

    if len(words) == 1 and words[0].startswith("opc.tcp://"):
        return None, None, server_of(words[0])
    if len(words) != 2:
        raise Complaint(
            "write FILE DEVICE, or opc.tcp://HOST:4840", "설정 파일과 장치 id, 또는 opc.tcp://IP:4840 을 쓰십시오"
        )
    config = load(words[0], language)
    servers = [device for device in config.devices if isinstance(device, OpcUaDevice)]
    for device in servers:
        if device.id == words[1]:
            return Path(words[0]), config, device
    names = ", ".join(device.id for device in servers) or "-"
    raise Complaint(
        f"there is no OPC UA device {words[1]} in this file: write one of {names}",
        f"이 파일에 없는 OPC UA 장치입니다({words[1]}). 쓸 수 있는 장치: {names}",
    )


def _taken(config: AgentConfig | None, device: OpcUaDevice) -> set[str]:
    """Return the ids that the device's machine has already, whichever device reads them."""
    if config is None:
        return set()
    return {s.id for source in config.sources() for s in source.signals if s.machine == device.machine}


def _print(picked: Sequence[Found], language: Language) -> None:
    head = Text("path,type,value,unit,read,node", "경로,자료형,값,단위,읽기,노드")(language).split(",")
    yes, no = Text("yes", "가능"), Text("no", "불가")
    rows = []
    for found in picked:
        why = reason(found)
        node = found.node if why is None else f"{found.node}  ({why(language)})"
        variable = found.node_class == "Variable"
        dtype = str(found.dtype or found.data_type or "") if variable else found.node_class
        access = (yes if usable(found) else no)(language) if variable else ""
        rows.append((found.path, dtype, of_node(found.value, found.dtype), found.unit or "", access, node))
    for text in table(head, rows, frozenset({2})):
        print(text)


def _sure(count: int, language: Language) -> bool:
    question = Text(f"write these {count} signals? [Y/n] ", f"태그 {count}개를 저장할까요? [Y/n] ")
    try:
        return input(question(language)).strip().lower() in {"", "y", "yes", "예", "ㅛ"}
    except (EOFError, KeyboardInterrupt):
        return False


def _group(device: OpcUaDevice, language: Language, *, ask: bool) -> str | None:
    names = [group.id for group in device.groups]
    if not ask or len(names) < 2:
        return None
    question = Text(f"group ({', '.join(names)}) [{names[0]}]: ", f"그룹({', '.join(names)}) [{names[0]}]: ")
    return input(question(language)).strip() or names[0]
