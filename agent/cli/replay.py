"""`tsq-agent replay`: what this release makes of a recording from the field, or of what a spool holds.

No device is touched. A file is played as its device had answered; a folder is read as the analyzers had been fed:
see `agent.cli.anew`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli import anew
from agent.cli.table import clean, table
from agent.cli.words import QUALITY, status_text
from agent.errors import ConfigError
from agent.frame import Quality, quality
from agent.replaying import opcua
from agent.replaying.play import play
from agent.replaying.script import read
from settings.language import Text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from agent.frame import Value
    from agent.replaying.play import Made
    from agent.replaying.script import Script
    from settings.language import Language


def arguments(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add the arguments of the verb."""
    file = Text(
        "what `tsq-agent record` has written, or the agent's storage.directory",
        "tsq-agent record로 기록한 파일, 또는 에이전트 저장 폴더(storage.directory)",
    )
    real = Text("in the time that it took then", "기록 당시와 같은 속도로 재생")
    rows = Text("every row, as lines of JSON", "모든 값을 JSON 줄로 출력")
    parser.add_argument("file", metavar="FILE", type=Path, help=file(language))
    parser.add_argument("--real", action="store_true", help=real(language))
    parser.add_argument("--json", action="store_true", help=rows(language))
    anew.arguments(parser, language)


def main(args: argparse.Namespace, language: Language) -> int:
    """Play it and print what came of it; 0 when every recorded request was asked again."""
    if args.file.is_dir():
        return anew.main(args, language)
    try:
        lines = args.file.read_text("utf-8").splitlines()
        if _protocol(lines) == "opcua":
            made, all_used = asyncio.run(opcua.play(lines))
            _print(made, args, language)
            if not all_used:
                text = Text("not all publications were used", "기록된 통지 중 재생되지 않은 것이 있습니다")
                print(text(language), file=sys.stderr)
            return 0 if all_used else 1
        script = read(lines)
        made = asyncio.run(play(script, real=args.real))
    except OSError as exc:
        raise ConfigError(f"{args.file}: {exc.strerror or exc}") from exc
    except ValueError as exc:
        text = Text(f"cannot be played: {exc}", f"재생할 수 없는 파일입니다({exc})")
        raise ConfigError(f"{args.file}: {text(language)}") from exc
    _print(made, args, language)
    if not args.json:
        print(_used(script, made)(language))
    if not script.exhausted:
        left = script.total - script.served
        text = Text(
            f"{left} of {script.total} recorded requests were not asked again: this release reads in another way",
            f"기록된 요청 {script.total}개 중 {left}개는 다시 요청되지 않았습니다(읽는 방식이 달라짐)",
        )
        print(text(language), file=sys.stderr)
        return 1
    return 0


def _protocol(lines: list[str]) -> object:
    """Return what the first line says, None when it says nothing."""
    with contextlib.suppress(ValueError, IndexError, RecursionError):
        head = json.loads(lines[0])
        if isinstance(head, dict):
            return head.get("protocol")
    return None


def _print(made: Made, args: argparse.Namespace, language: Language) -> None:
    if args.json:
        for source, signal, value, status in made.rows():
            print(json.dumps({"source": source, "signal": signal, "value": value, "status": status}))
    else:
        for line in told(made, language):
            print(line)


def told(made: Made, language: Language) -> Iterator[str]:
    """Yield a table of the signals, and what is refused."""
    last: dict[tuple[str, str], tuple[Value, int]] = {}
    counts: Counter[tuple[str, str, Quality]] = Counter()
    for source, signal, value, status in made.rows():
        last[source, signal] = value, status
        counts[source, signal, quality(status)] += 1
    head = [
        Text("source", "수집 단위"), Text("tag", "태그"), QUALITY[Quality.GOOD], QUALITY[Quality.UNCERTAIN],
        QUALITY[Quality.BAD], Text("last value", "마지막 값"), Text("status", "상태"),
    ]  # fmt: skip
    rows = [
        [
            source, signal, *(str(counts[source, signal, q]) for q in Quality),
            "-" if value is None else str(value), status_text(status)(language),
        ]
        for (source, signal), (value, status) in last.items()
    ]  # fmt: skip
    yield from table([text(language) for text in head], rows, frozenset({2, 3, 4, 5}))
    for text in made.refused:
        yield clean(f"- {text(language)}")


def _used(script: Script, made: Made) -> Text:
    """Return how much of the recording was used."""
    outages = sum(event.kind == "link_down" for event in made.events)
    return Text(
        f"{script.served} recorded requests asked again, {script.again} repeated, "
        f"{script.unknown} not in the recording; link lost {outages} times",
        f"기록된 요청 {script.served}개 재생, 반복 {script.again}개, 기록에 없는 요청 {script.unknown}개, "
        f"통신 끊김 {outages}회",
    )
