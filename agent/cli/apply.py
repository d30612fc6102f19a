"""`tsq-agent apply`: try a changed file in the running agent, and keep it when it is good.

The file that the agent starts with next time is the one in force: it is replaced only when the change is kept, the
one before it stays beside it as `.previous`. A file that was edited in its place makes room for the old one while
it is on trial, whatever happens to the box or to us meanwhile, and stays beside it as `.rejected` when it is not
kept.
What somebody else has written into the file and nobody has applied is never lost: it stays as `.unapplied`.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent import control
from agent.changes import compare
from agent.cli import config_argument
from agent.cli.asking import silent
from agent.cli.diff import in_force, said
from agent.cli.maintenance import duration
from agent.cli.person import author, author_argument
from agent.cli.saving import put
from agent.cli.table import clean
from agent.config.load import load
from agent.control import NotRunning
from settings.language import Text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Collection, Iterable, Mapping

    from agent.config.model import AgentConfig
    from settings.language import Language

ANSWER_S = 120.0  # for one step: a dry read of a slow device


def arguments(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add the arguments of the verb."""
    file = Text("the changed file; default: the agent's own", "바꾼 설정 파일. 생략하면 에이전트 설정 파일")
    watch = Text("how long to watch before it is kept, `30s`", "적용 후 지켜볼 시간. 예: 30s")
    anyway = Text("also when new tags cannot be read", "새 태그를 읽지 못해도 적용")
    yes = Text("replace the file without asking when no agent runs", "에이전트가 꺼져 있으면 묻지 않고 파일만 교체")
    parser.add_argument("file", metavar="FILE", type=Path, nargs="?", help=file(language))
    parser.add_argument("--watch", type=duration(language), default=30 * 10**9, help=watch(language))
    parser.add_argument("--anyway", action="store_true", help=anyway(language))
    parser.add_argument("--yes", action="store_true", help=yes(language))
    author_argument(parser, language)
    config_argument(parser, language)


def main(args: argparse.Namespace, language: Language) -> int:
    """Try it; 0 when the new file is in force."""
    place: Path = args.config.resolve()  # a link stays one
    file: Path = place if args.file is None else args.file.resolve()
    new, raw = load(file, language), file.read_bytes()
    found = in_force(new, language)
    if found is None and file != place and place.exists():  # its state folder may be what changes
        found = in_force(load(place, language), language)
    if found is None:
        return _without_agent(args, file, new, raw, language)
    old, text = found
    different = compare(old, new)
    for line in said(different, language):
        print(line)
    if different.fixed:
        restart = Text(
            "nothing was changed: put the file in its place and restart the agent "
            "(systemctl restart tsq-agent), or take these parts out of the change",
            "적용하지 않았습니다. 파일을 교체하고 에이전트를 다시 시작하거나(systemctl restart tsq-agent), "
            "위 항목을 빼고 다시 시도하십시오",
        )
        print(restart(language))
        return 1
    wish = {
        "text": raw.decode(), "author": author(args.author), "watch": args.watch / 1e9, "anyway": args.anyway,
    }  # fmt: skip
    make_room = functools.partial(_make_room, file, raw, text.encode(), language) if file == place else None
    last = _try(new, wish, make_room, language)
    if last.get("step") not in {"kept", "same"}:
        return 1
    try:
        _keep(place, raw, text.encode(), file, language)
        if file == place:
            _beside(place, "rejected").unlink(missing_ok=True)
    except OSError as exc:
        said_so = Text(
            f"{place} cannot be written: {exc.strerror}; the agent runs with the new file and forgets it at its "
            "next start: make room and apply it again",
            f"{place} 파일을 쓸 수 없습니다({exc.strerror}). 에이전트는 새 설정으로 실행 중이지만 다시 시작하면 "
            "잃어버립니다. 공간을 확보하고 다시 적용하십시오",
        )
        print(f"tsq-agent: {said_so(language)}", file=sys.stderr)
        return 1
    return 0


def _try(
    config: AgentConfig, wish: Mapping[str, object], changing: Callable[[], None] | None, language: Language
) -> Mapping[str, Any]:
    """Have the agent try it and show what happens; return its last step, or nothing when it has not answered."""
    last: Mapping[str, Any] = {}
    try:
        with contextlib.closing(control.stream(config.storage.directory, "apply", "", wish, ANSWER_S)) as steps:
            for last in steps:
                _show(last, language)
                if changing is not None and last.get("step") == "changing":
                    changing()
    except NotRunning as exc:
        print(f"tsq-agent: {silent(config, exc)(language)}", file=sys.stderr)
        return {}
    except OSError as exc:  # nowhere to put the file meanwhile: the agent goes back as well
        print(f"tsq-agent: {exc.filename}: {exc.strerror}", file=sys.stderr)
        return {}
    except KeyboardInterrupt:  # the agent hears that nobody waits any more, and goes back by itself
        left = Text("left off: the agent keeps the old file", "중단했습니다. 에이전트는 이전 설정을 그대로 씁니다")
        print(f"\n{left(language)}", file=sys.stderr)
        return {}
    return last


def _make_room(file: Path, raw: bytes, old: bytes, language: Language) -> None:
    put(_beside(file, "rejected"), raw, file)
    _replace(file, old, {raw}, file, language)


def _without_agent(args: argparse.Namespace, file: Path, new: AgentConfig, raw: bytes, language: Language) -> int:
    print(Text("no agent runs with this file", "이 설정으로 실행 중인 에이전트가 없습니다")(language))
    place = args.config.resolve()
    if file == place:
        print(
            Text(
                "the file is right: it counts from the next start",
                "파일에 문제가 없습니다. 다음 시작 때 적용됩니다",
            )(language)
        )
        return 0
    old = place.read_bytes() if place.exists() else b""
    if old:
        for line in said(compare(load(args.config, language), new), language):
            print(line)
    question = Text(f"replace {args.config}? write yes: ", f"{args.config} 파일을 교체하려면 yes를 입력하십시오: ")
    if not args.yes and (not sys.stdin.isatty() or input(question(language)).strip() != "yes"):
        print(Text("nothing was changed", "바꾸지 않았습니다")(language))
        return 1
    try:
        _keep(place, raw, old, file, language)
    except OSError as exc:
        print(f"tsq-agent: {place}: {exc.strerror}", file=sys.stderr)
        return 1
    return 0


def _keep(place: Path, raw: bytes, old: bytes, like: Path, language: Language) -> None:
    """Put the new file in its place, and what was in force beside it."""
    if old and old != raw:
        put(_beside(place, "previous"), old, place if place.exists() else like)
    _replace(place, raw, {old}, like, language)


def _beside(path: Path, name: str) -> Path:
    return path.with_name(f"{path.name}.{name}")


def _replace(path: Path, raw: bytes, known: Collection[bytes], like: Path, language: Language) -> None:
    """Put `raw` at `path`, whole or not at all; keep what stands there and is not known beside it."""
    like = path if path.exists() else like
    there = path.read_bytes() if path.exists() else raw
    if there != raw and there not in known:
        aside = _beside(path, "unapplied")
        put(aside, there, like)
        said = Text(
            f"{path} had changes that were never applied: they are kept in {aside}",
            f"{path} 파일에 적용하지 않은 수정이 있어 {aside}에 따로 보관했습니다",
        )
        print(said(language))
    if there != raw or not path.exists():
        put(path, raw, like)


def _show(step: Mapping[str, Any], language: Language) -> None:
    for text in _words(step):
        print(clean(text(language)), flush=True)


def _words(step: Mapping[str, Any]) -> Iterable[Text]:
    match step.get("step"):
        case "dry":
            yield from _dry(step)
        case "changing":
            names = ", ".join(step["devices"]) or "-"
            yield Text(f"going over: {names}", f"적용 중: {names}")
        case "watching":
            left, good, n = round(step["left"]), step["good"], step["of"]
            if left % 5 == 0:
                yield Text(
                    f"watching, {left} s: {good} of {n} good", f"확인 중 {left}초 남음: {n}개 중 {good}개 정상"
                )
        case "kept":
            good, n = step["good"], step["of"]
            yield Text(f"kept: {good} of {n} tags are good", f"적용 완료: 태그 {n}개 중 {good}개 정상")
        case "same":
            yield Text("the agent runs with this already", "에이전트가 이미 이 설정으로 실행 중입니다")
        case "reverted":
            good, n, bad = step["good"], step["of"], ", ".join(step["bad"])
            yield Text(
                f"went back to the old file: only {good} of {n} tags were good: {bad}",
                f"이전 설정으로 되돌렸습니다. 태그 {n}개 중 {good}개만 정상: {bad}",
            )
        case "stuck":
            yield Text(
                f"the old file could not be taken up again: {step['text']}; the agent runs with the changed one "
                "until it is restarted (systemctl restart tsq-agent)",
                f"이전 설정으로 되돌리지 못했습니다. {step['text_ko']}. 에이전트를 다시 시작할 때까지"
                "(systemctl restart tsq-agent) 바꾼 설정으로 동작합니다",
            )
        case "refused":
            yield _refused(step)
        case _:
            yield Text(str(step.get("error", step)), str(step.get("error", step)))


def _dry(step: Mapping[str, Any]) -> Iterable[Text]:
    device, good, n = step["device"], step["good"], max(step["of"], 0)
    yield Text(f"{device}: {good} of {n} new tags can be read", f"{device}: 새 태그 {n}개 중 {good}개 읽기 성공")
    if step.get("trouble"):
        yield Text(f"  {step['trouble']}", f"  {step.get('trouble_ko') or step['trouble']}")
    for en, ko in zip(step.get("refused", ()), step.get("refused_ko", ()), strict=False):
        yield Text(f"  {en}", f"  {ko}")
    if step.get("bad"):
        names = ", ".join(step["bad"])
        yield Text(f"  not read: {names}", f"  읽지 못함: {names}")


def _refused(step: Mapping[str, Any]) -> Text:
    match step["why"]:
        case "dry":
            return Text(
                "nothing was changed: correct the tags above, or write --anyway",
                "적용하지 않았습니다. 위 태그를 고치거나 --anyway를 붙이십시오",
            )
        case "busy":
            return Text(
                "somebody else is applying a change now", "다른 변경을 적용하는 중입니다. 잠시 후 다시 하십시오"
            )
        case "failed":
            return Text(f"nothing was changed: {step['text']}", f"적용하지 않았습니다. {step['text_ko']}")
        case why:
            return Text(f"nothing was changed: {why}", f"적용하지 않았습니다({why})")
