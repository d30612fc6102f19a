"""`tsq-agent import`: from an XG5000 export, a CSV or an Excel file to a device section, or into a file."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent import edit
from agent.cli import saving
from agent.cli.table import clean
from agent.importing import document
from agent.importing.file import read
from agent.importing.signals import signals
from settings.document import parse
from settings.errors import ConfigError
from settings.language import Complaint, Text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from agent.importing.file import Source
    from agent.importing.signals import Import
    from agent.importing.table import Column
    from settings.language import Language

_SHOWN = 20
_COLUMNS: dict[Column, Text] = {
    "name": Text("name", "이름"),
    "address": Text("address", "주소"),
    "type": Text("type", "타입"),
    "comment": Text("comment", "설명"),
    "unit": Text("unit", "단위"),
    "scale": Text("scale", "배율"),
    "offset": Text("offset", "보정값"),
    "kind": Text("kind", "변수 종류"),
    "scope": Text("scope", "범위"),
    "hmi": Text("HMI", "HMI"),
    "opcua": Text("OPC UA", "OPC UA"),
    "length": Text("length", "길이"),
}
_ARGUMENTS: tuple[tuple[str, Text], ...] = (
    ("--device", Text("id of the device; default: of the PLC or file name", "장치 id. 기본값: PLC나 파일 이름")),
    ("--machine", Text("id of the machine that the signals belong to", "태그가 속한 설비 id")),
    ("--host", Text("address of the PLC", "PLC의 IP 주소")),
    ("--group", Text("poll group to add to, with --into", "--into에서 추가할 그룹")),
    ("--every", Text("poll interval, 1s when absent", "수집 주기. 기본값 1s")),
    ("--sheet", Text("sheet of an Excel file", "엑셀 시트 이름")),
)


def arguments(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add the arguments of the verb."""
    file = Text("XG5000 export (CSV), CSV or .xlsx", "XG5000에서 내보낸 CSV, 일반 CSV 또는 .xlsx")
    parser.add_argument("file", type=Path, help=file(language))
    for name, text in _ARGUMENTS:
        parser.add_argument(name, help=text(language))
    every = Text("also what is not marked for HMI or OPC UA", "HMI/OPC UA로 지정되지 않은 변수까지 모두")
    parser.add_argument("--all", action="store_true", help=every(language))
    target = parser.add_mutually_exclusive_group()
    out = Text("write the section to a new file", "새 파일로 저장")
    into = Text("add it to a configuration file; its comments stay", "설정 파일에 추가(주석은 그대로)")
    target.add_argument("--out", type=Path, help=out(language))
    target.add_argument("--into", type=Path, help=into(language))


def main(args: argparse.Namespace, language: Language) -> int:
    """Import a tag list.

    Returns:
        0, or 1 when nothing in it can be read.

    Raises:
        ConfigError: a file cannot be read or written, or is no tag list.
    """
    try:
        source = read(args.file, args.sheet)
        if args.into is not None:
            return _into(args, source, language)
        result = _chosen(signals(source.table), every=args.all)
    except OSError as exc:
        raise ConfigError(f"{args.file}: {exc.strerror or exc}") from exc
    except Complaint as exc:
        raise ConfigError(f"{args.file}: {exc.text(language)}") from exc
    made = document.device(
        result,
        name=args.device or document.device_id(source.table, args.file.stem),
        machine=args.machine or "machine-1",
        host=args.host or "192.168.0.10",
        every=args.every or "1s",
    )
    text = document.written(made, result, args.file.name, language)
    report = list(_report(args.file, source, result, language))
    if not result.signals:
        _print(report, sys.stderr)
        return 1
    if args.out is None:
        sys.stdout.write(text)
        _print(report, sys.stderr)
        return 0
    try:
        saving.create(args.out, text)
    except OSError as exc:
        raise ConfigError(f"{args.out}: {exc.strerror}") from exc
    _print(report, sys.stdout)
    print(Text(f"written: {args.out}", f"저장: {args.out}")(language))
    return 0


def _into(args: argparse.Namespace, source: Source, language: Language) -> int:
    """Add the signals to a configuration file that is there."""
    before = saving.text_of(args.into, language)
    root = parse(before.encode()).root
    devices = [d for d in _list(root, "devices") if isinstance(d.get("id"), str)]
    name = args.device or document.device_id(source.table, args.file.stem)
    there = next((device for device in devices if device["id"] == name), None)
    known = {_spelled(s.get("address")) for s in _signals(there)} if there is not None else set()
    table = dataclasses.replace(
        source.table, variables=tuple(v for v in source.table.variables if _spelled(v.address) not in known)
    )
    taken = {str(s.get("id")) for device in devices for s in _signals(device)}
    result = _chosen(signals(table, taken=taken), every=args.all)
    report = list(_report(args.file, source, result, language))
    entries = [signal.entry for signal in result.signals if signal.chosen]
    count, old = len(entries), len(source.table.variables) - len(table.variables)
    if not entries:
        _print(report, sys.stderr)
        text = Text(f"nothing new for {name}, {old} are there", f"{name}에 추가할 태그 없음(이미 {old}개 있음)")
        print(f"{args.into}: {text(language)}", file=sys.stderr)
        return 1
    if there is None:
        after = edit.add_device(before, _new_device(args, result, name))
    else:
        after = edit.add_signals(before, name, args.group, entries, every=args.every)
    saving.save(args.into, before, after, language)
    _print(report, sys.stdout)
    print(
        Text(
            f"{args.into}: {count} signals added to {name}" + (f", {old} were there" if old else ""),
            f"{args.into}: {name}에 태그 {count}개 추가" + (f", 이미 있는 태그 {old}개" if old else ""),
        )(language)
    )
    return 0


def _new_device(args: argparse.Namespace, result: Import, name: str) -> dict[str, Any]:
    if args.machine is None or args.host is None:
        raise Complaint(
            f"there is no device {name} in {args.into}: write --device with one that is, or --machine and --host",
            f"{args.into}에 없는 장치입니다({name}). --device에 있는 장치를 쓰거나 --machine과 --host를 쓰십시오",
        )
    return document.device(result, name=name, machine=args.machine, host=args.host, every=args.every or "1s")


def _chosen(result: Import, *, every: bool) -> Import:
    """Return the import with every signal chosen, when that is wanted."""
    if every:
        result.signals = [dataclasses.replace(signal, chosen=True) for signal in result.signals]
    return result


def _report(path: Path, source: Source, result: Import, language: Language) -> Iterator[str]:
    """Yield what was taken for what, and what is left out."""
    table = source.table
    columns = ", ".join(f"{_COLUMNS[column](language)} = {title}" for column, title in table.columns.items())
    yield f"{path}: {table.layout}, {source.form}"
    yield Text(f"columns: {columns}", f"열: {columns}")(language)
    if table.ignored:
        ignored = ", ".join(table.ignored)
        yield Text(f"columns not used: {ignored}", f"사용하지 않은 열: {ignored}")(language)
    chosen, guessed = sum(s.chosen for s in result.signals), sum("role" in s.entry for s in result.signals)
    yield Text(
        f"{chosen} of {len(result.signals)} signals taken, {guessed} with a guessed role, "
        f"{len(result.skipped)} variables left out",
        f"태그 {len(result.signals)}개 중 {chosen}개 선택, 역할 추정 {guessed}개, 제외 {len(result.skipped)}개",
    )(language)
    for skipped in result.skipped[:_SHOWN]:
        yield f"{path}:{skipped.line}: {skipped.name}: {skipped.reason(language)}"
    more = len(result.skipped) - _SHOWN
    if more > 0:
        yield Text(f"... and {more} more", f"... 외 {more}개")(language)


def _print(lines: list[str], stream: Any) -> None:
    for line in lines:
        print(clean(line), file=stream)


def _list(holder: Any, key: str) -> list[dict[str, Any]]:
    found = holder.get(key) if isinstance(holder, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _signals(device: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for group in _list(device, "groups"):
        yield from _list(group, "signals")


def _spelled(address: object) -> str:
    return str(address).strip().upper()
