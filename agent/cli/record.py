"""`tsq-agent record`: the raw frames of a device into a file, so that a field problem becomes a test."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent import control
from agent.cli import config_argument
from agent.cli.asking import known, silent
from agent.cli.maintenance import duration
from agent.config.load import load
from agent.control import NotRunning
from settings.language import Text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from settings.language import Language


def arguments(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add the arguments of the verb."""
    device = Text("id of the device", "장치 id")
    length = Text("how long, `60s`", "기록 시간. 예: 60s")
    out = Text("file that is written, a line a frame", "기록 파일(한 줄에 한 프레임)")
    parser.add_argument("device", metavar="DEVICE", help=device(language))
    parser.add_argument("--for", dest="length", type=duration(language), default=60 * 10**9, help=length(language))
    parser.add_argument("--out", type=Path, required=True, help=out(language))
    config_argument(parser, language)


def main(args: argparse.Namespace, language: Language) -> int:
    """Record until the time is over; Ctrl-C ends it earlier and keeps what came."""
    config = load(args.config, language)
    if not known(config, args.device, language):
        return 1
    seconds = args.length / 1e9
    wish = {"seconds": seconds}
    last: Mapping[str, Any] = {}
    frames = 0
    try:
        descriptor = os.open(args.out, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with (
            os.fdopen(descriptor, "w", encoding="utf-8") as out,
            contextlib.closing(
                control.stream(config.storage.directory, "record", args.device, wish, seconds + 10)
            ) as lines,
            contextlib.suppress(KeyboardInterrupt),
        ):
            for last in lines:
                out.write(json.dumps(last, ensure_ascii=False) + "\n")
                frames += "dir" in last
    except FileExistsError:
        there = Text("is there already: write another name", "파일이 이미 있습니다. 다른 이름을 쓰십시오")
        print(f"tsq-agent: {args.out}: {there(language)}", file=sys.stderr)
        return 1
    except OSError as exc:  # what came until then is worth something
        failed = Text("cannot be written", "저장할 수 없습니다")
        print(f"tsq-agent: {args.out}: {failed(language)}: {exc.strerror}", file=sys.stderr)
        return 1
    except NotRunning as exc:
        args.out.unlink()
        print(f"tsq-agent: {silent(config, exc)(language)}", file=sys.stderr)
        return 1
    if "error" in last:
        args.out.unlink()
        print(f"tsq-agent: {last['error']}", file=sys.stderr)
        return 1
    lost = last.get("lost", 0)
    text = Text(
        f"{frames} frames in {args.out}" + (f", {lost} did not fit" if lost else ""),
        f"프레임 {frames}개를 {args.out}에 기록했습니다" + (f"(누락 {lost}개)" if lost else ""),
    )
    print(text(language))
    return 0 if frames else 1
