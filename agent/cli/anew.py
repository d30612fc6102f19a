"""`tsq-agent replay FOLDER`: days of evidence, computed anew from what a spool's folder holds.

After a range, a role, a band or this release has changed, closed days say what was asked of them then. Where the
readings are still there, they are asked again; the rest of the line stays visibly broken.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from agent.answered import Store
from agent.answering import declared, key_of
from agent.cli import config_argument
from agent.cli.progress import Progress
from agent.config.load import load
from agent.lock import hold
from agent.replaying.days import Replay, uncollected
from agent.replaying.kept import Folder
from agent.spool.daystore import DayStore
from answers.load import load as load_answers
from answers.plant import join
from answers.signed import key_id
from settings.errors import ConfigError
from settings.language import Text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from agent.config.model import AgentConfig
    from agent.replaying.days import Seen
    from answers.load import Given
    from settings.language import Language

_SHOWN = 8


def arguments(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add the arguments that concern a folder."""
    config_argument(parser, language)
    answers = Text(
        "of a folder: answers to compute with, instead of those in force",
        "폴더일 때: 적용 중인 응답 대신 사용할 응답 파일",
    )
    out = Text("of a folder: where to write the days", "폴더일 때: 일별 근거를 쓸 폴더")
    keep = Text(
        "of a folder: put the days in the place of those that its reports use; the agent must not run",
        "폴더일 때: 보고서가 쓰는 일별 근거를 새로 계산한 것으로 교체(에이전트를 멈춘 상태에서만)",
    )
    parser.add_argument("--answers", type=Path, action="append", default=[], metavar="FILE", help=answers(language))
    parser.add_argument("--out", type=Path, metavar="DIR", help=out(language))
    parser.add_argument("--keep", action="store_true", help=keep(language))


def main(args: argparse.Namespace, language: Language) -> int:
    """Compute.

    Returns:
        0 when there was a whole day, else 1.

    Raises:
        ConfigError: the folder is none of a spool, or a file cannot be read.
        SpoolFailed: the agent runs, and its days were to be replaced.
    """
    config = load(args.config, language)
    catalog = [source for source in config.sources() if source.mode != "burst"]
    joined = join(catalog, config.inventory(), config.calendar(), _answers(args, config, language))
    loops, ranges = declared(joined)
    days: list[str] = []
    try:
        folder = Folder(args.file)
        progress = Progress(folder.total, language)
        replay = Replay(folder, config.calendar(), loops, ranges, config.sources(), progress.advance)
        with contextlib.ExitStack() as stack:
            stack.callback(progress.end)
            stack.enter_context(uncollected())
            kept = stack.enter_context(_kept(args.file)) if args.keep else None
            if args.out is not None:
                args.out.mkdir(parents=True, exist_ok=True)
            for day, raw in replay.days():
                days.append(day)
                if args.out is not None:
                    _write(args.out / f"{day}.json", raw)
                if kept is not None:
                    kept.put(day, raw)
    except OSError as exc:
        raise ConfigError(f"{exc.filename or args.file}: {exc.strerror or exc}") from exc
    for text in _told(days, replay.seen):
        print(text(language))
    if args.out is not None and days:
        print(Text(f"written: {args.out}", f"저장: {args.out}")(language))
    return 0 if days else 1


def _answers(args: argparse.Namespace, config: AgentConfig, language: Language) -> Sequence[Given]:
    if args.answers:
        return [load_answers(path, language) for path in args.answers]
    found = [] if config.readiness.answers is None else [load_answers(config.readiness.answers, language)]
    key = None if config.uplink.platform is None else key_of(config.uplink.platform.answers_key)
    message = None if key is None else Store(args.file).latest("message")
    if key is not None and message is not None and message.key == key_id(key):
        found.append(message.given)
    return found


@contextlib.contextmanager
def _kept(folder: Path) -> Iterator[DayStore]:
    descriptor = hold(folder)
    try:
        with contextlib.closing(DayStore(folder)) as store:
            yield store
    finally:
        os.close(descriptor)


def _write(path: Path, raw: bytes) -> None:
    """Write a day; whoever looks finds all of it or nothing."""
    fresh = path.with_suffix(".new")
    fresh.write_bytes(raw)
    fresh.replace(path)


def _told(days: Sequence[str], seen: Seen) -> Iterator[Text]:
    """Yield what came of it."""
    if days:
        yield Text(
            f"{len(days)} days, {days[0]} to {days[-1]}, from {seen.rows:,} values in {seen.entries:,} entries",
            f"{days[0]} ~ {days[-1]}, {len(days)}일분을 값 {seen.rows:,}개로 다시 계산했습니다"
            f"(묶음 {seen.entries:,}개)",
        )
    else:
        yield Text(
            f"no whole day in {seen.rows:,} values: a day is whole when everything from before its start until ten "
            "minutes after its end is still here",
            f"값 {seen.rows:,}개 중에 온전한 하루가 없습니다. 하루 시작 전부터 끝난 뒤 10분까지의 데이터가 "
            "모두 남아 있어야 합니다",
        )
    if seen.partial:
        listed = ", ".join(seen.partial[:_SHOWN]) + (" ..." if len(seen.partial) > _SHOWN else "")
        yield Text(
            f"left out, because not all of it is here: {listed}", f"데이터가 일부만 남아 있어 제외: {listed}"
        )
    if seen.held:
        yield Text(
            f"{seen.held:,} entries were read without the time and are in no day",
            f"시각이 확인되지 않은 상태로 읽은 묶음 {seen.held:,}개 제외",
        )
    for problem in seen.damaged[:_SHOWN]:
        yield Text(f"damaged: {problem}", f"손상됨: {problem}")
