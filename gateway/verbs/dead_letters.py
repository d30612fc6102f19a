"""`tsq-gateway dead-letters list|show|replay|drop`: what could not be stored, and what to do about it.

list      a line each: its name, when, whose, how many rows, why
show      everything that is known of a letter, as JSON
replay    write the letters again, close their gaps; those that are stored now move to `replayed/`
drop      forget letters: what they hold is lost, and their gaps stay
"""

from __future__ import annotations

import base64
import json
import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from contract import codec, topics
from contract.payload import NeedBirth
from gateway import birthfiles
from gateway.clock import SystemClock
from gateway.deadletter import DeadLetters
from gateway.settled import Busy, Kept, Settling, waiting
from service import logs
from settings.language import Text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from gateway.backstage import Backstage
    from gateway.clock import Clock
    from gateway.config import GatewayConfig
    from gateway.letter import DeadLetter
    from gateway.replay import Outcome
    from gateway.stores.base import Store
    from settings.language import Language

ACTIONS = {
    "list": Text("one line each", "목록 보기"),
    "show": Text("all that is known of letters, as JSON", "내용 전체 보기(JSON)"),
    "replay": Text("store them again, when the reason is mended", "원인을 고친 뒤 다시 저장"),
    "drop": Text("forget them: what they hold is lost for ever", "삭제(복구할 수 없음)"),
}


def arguments(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add the arguments of the verb."""
    actions = parser.add_subparsers(dest="action", required=True)
    for action, text in ACTIONS.items():
        one = actions.add_parser(action, help=text(language), description=text(language))
        one.add_argument("--config", type=Path, required=True, metavar="FILE")
        one.add_argument(
            "letters", nargs="*", metavar="NAME",
            help=Text("names of letters, as `list` shows them", "목록에 나온 이름")(language),
        )  # fmt: skip
        filters = {
            "agent": Text("only those of this factory/agent", "이 공장/에이전트의 것만"),
            "reason": Text("only those whose reason holds this text", "사유에 이 문구가 있는 것만"),
            "file": Text("only those in this file", "이 파일에 있는 것만"),
        }
        for name, about in filters.items():
            one.add_argument(f"--{name}", default="", help=about(language))
        if action in {"replay", "drop"}:
            one.add_argument("--all", action="store_true", help=Text("all of them", "전부")(language))


def main(args: argparse.Namespace, settings: GatewayConfig, language: Language) -> int:
    """Do it; return the exit code."""
    folder = settings.dead_letters.directory
    chosen = _filter(args)
    if args.action in {"replay", "drop"} and not (
        args.letters or args.agent or args.reason or args.file or args.all
    ):
        print(
            Text(
                "say which: names, --agent, --reason, --file or --all",
                "대상을 지정하십시오: 이름, --agent, --reason, --file, --all",
            )(language)
        )
        return 2
    try:
        next(folder.iterdir(), None)  # a search in a folder that may not be read finds nothing, and says nothing
        match args.action:
            case "replay":
                return _replay(settings, chosen, language)
            case "drop":
                return _drop(settings, chosen, language)
            case _:
                return _list(folder, chosen, language, show=args.action == "show")
    except Busy:
        print(Text("another replay is running", "이미 다른 창에서 다시 저장하는 중입니다")(language))
    except FileNotFoundError:
        print(
            Text(
                f"{folder} does not exist: no gateway has run with this file yet",
                f"{folder} 폴더가 없습니다. 이 설정으로 게이트웨이를 실행한 적이 없습니다",
            )(language)
        )
    except PermissionError as exc:
        print(
            Text(
                f"{exc.filename}: you may not read or write it: run it as the gateway's user or with sudo",
                f"{exc.filename}: 권한이 없습니다. 게이트웨이 사용자로 실행하거나 sudo를 쓰십시오",
            )(language)
        )
    except OSError as exc:
        print(
            Text(
                f"{folder}: {exc}: nothing is lost, run it again when there is room",
                f"{folder}: {exc}. 지워진 항목은 없으니 공간을 확보한 뒤 다시 실행하십시오",
            )(language)
        )
    return 1


def _list(folder: Path, chosen: Callable[[Kept], bool], language: Language, *, show: bool) -> int:
    found = [kept for kept in waiting(folder) if chosen(kept)]
    for kept in found:
        print(_shown(kept) if show else _line(kept)(language))
    if not show:
        count = len(found)
        print(Text(f"{count} dead letters in {folder}", f"저장하지 못한 항목 {count}건({folder})")(language))
    return 0


def _filter(args: argparse.Namespace) -> Callable[[Kept], bool]:
    names = tuple(args.letters)

    def chosen(kept: Kept) -> bool:
        letter = kept.letter
        if names and not kept.name.startswith(names):
            return False
        if args.file and kept.path.name != args.file:
            return False
        if args.agent and (letter is None or f"/{args.agent}/" not in letter.topic):
            return False
        return not args.reason or (letter is not None and any(args.reason in reason for reason in _reasons(letter)))

    return chosen


def _reasons(letter: DeadLetter) -> Iterator[str]:
    yield letter.reason
    for rejected in letter.rejected:
        yield rejected.reason


def _line(kept: Kept) -> Text:
    letter, place = kept.letter, f"{kept.path.name}:{kept.number}"
    if letter is None:
        return Text(
            f"{kept.name} {place}: a damaged line, perhaps torn by a power cut",
            f"{kept.name} {place}: 손상된 줄입니다. 정전으로 잘렸을 수 있습니다",
        )
    when = datetime.fromtimestamp(letter.at // 10**9, UTC).isoformat()
    what = Text("cannot be read", "읽을 수 없음") if letter.malformed else _rows(letter)
    topic, reason = clean(letter.topic), clean(letter.reason)
    return Text(
        f"{kept.name} {when} {topic} {what.en}: {reason} ({place})",
        f"{kept.name} {when} {topic} {what.ko}: {reason} ({place})",
    )


def clean(text: str) -> str:
    """Return a text without control characters: what somebody has sent must not steer the terminal."""
    return "".join(c if c.isprintable() else "\N{MIDDLE DOT}" for c in text)


def _rows(letter: DeadLetter) -> Text:
    rows: dict[str, int] = {}
    for rejected in letter.rejected:
        for source, _, _, n in rejected.rows:
            rows[source] = rows.get(source, 0) + n
    return Text(
        ", ".join(f"{n} rows of {source}" for source, n in rows.items()),
        ", ".join(f"{source} {n}행" for source, n in rows.items()),
    )


def _shown(kept: Kept) -> str:
    """Return a letter as JSON; of a message that cannot be read, also what its compression held."""
    letter = kept.letter
    about: dict[str, object] = {"letter": kept.name, "file": kept.path.name, "line": kept.number}
    if letter is None:
        about["damaged"] = kept.raw[:2000].decode("utf-8", "replace")
        return json.dumps(about, ensure_ascii=True)
    about |= json.loads(kept.raw)
    if letter.payload is not None:
        raw = base64.b64decode(letter.payload)
        try:
            raw = codec.decompress(raw, codec.DATA_LIMIT)
            about["decompressed"] = len(raw)
        except ValueError as exc:
            about["decompressed"] = str(exc)
        about["text"] = raw[:2000].decode("utf-8", "replace")
    return json.dumps(about, ensure_ascii=True)  # control characters and all


def _drop(settings: GatewayConfig, chosen: Callable[[Kept], bool], language: Language) -> int:
    count, now = 0, SystemClock().now()
    with Settling(settings.dead_letters.directory) as settling:
        for kept in waiting(settings.dead_letters.directory):
            if chosen(kept):
                settling.settle(kept, "dropped", now)
                count += 1
    print(Text(f"{count} dead letters dropped", f"{count}건을 삭제했습니다")(language))
    return 0


def _replay(settings: GatewayConfig, chosen: Callable[[Kept], bool], language: Language) -> int:
    from gateway.backstage import Backstage  # noqa: PLC0415 - `list` loads no broker or database library
    from gateway.replay import Outcome, Replay, groups  # noqa: PLC0415
    from gateway.stores import open_store  # noqa: PLC0415
    from gateway.stores.base import StoreUnavailable  # noqa: PLC0415

    logs.configure(logging.WARNING, "%(message)s")
    folder, clock = settings.dead_letters.directory, SystemClock(trust=settings.trust_local_clock)
    total, code = Outcome([]), 0
    with Settling(folder) as settling, Backstage(settings.mqtt) as backstage:
        try:
            store = open_store(settings.store)
            replay = Replay(
                store,
                clock,
                lambda branch, digest: birthfiles.read(folder, branch, digest) or backstage.ask(branch, digest),
                lambda letter: arrive(letter, settings, store, backstage, clock),
            )
            for group in groups(waiting(folder), chosen):
                outcome = replay.replay(group)
                for kept in group if outcome.done else ():
                    settling.settle(kept, "replayed", clock.now())
                total.letters += group if outcome.done else []
                total.stored += outcome.stored
                total.missing += outcome.missing
                code |= not outcome.done
                print(_result(outcome)(language), flush=True)
        except StoreUnavailable as exc:
            print(
                Text(
                    f"the store is away, what is left stays where it is: {exc}",
                    f"저장소에 연결할 수 없어 나머지는 그대로 두었습니다: {exc}",
                )(language)
            )
            code = 1
        else:
            store.close()
    n = len(total.letters)
    print(
        Text(
            f"{n} dead letters replayed: {total.stored} rows stored, {total.missing} refused again",
            f"{n}건을 다시 저장했습니다: {total.stored}행 저장, {total.missing}행은 다시 거부됨",
        )(language)
    )
    return code


def _result(outcome: Outcome) -> Text:
    names = " ".join(kept.name for kept in outcome.letters)
    why = clean("; ".join(outcome.why))
    if outcome.done:
        return Text(f"{names}: stored, {outcome.stored} rows", f"{names}: 저장했습니다({outcome.stored}행)")
    return Text(
        f"{names}: {outcome.stored} rows stored, {outcome.missing} refused again: {why}",
        f"{names}: {outcome.stored}행 저장, {outcome.missing}행은 다시 거부됨: {why}",
    )


class _Again:
    """Keeps what is refused of a message like any refusal, but not once more that it cannot be read."""

    def __init__(self, settings: GatewayConfig, clock: Clock) -> None:
        letters = settings.dead_letters
        self._letters = DeadLetters(letters.directory, letters.max_size, _worker(), clock)
        self.reason = ""

    def append(self, letter: DeadLetter, birth: Callable[[], bytes | None] | None = None) -> bool:
        self.reason = letter.reason
        return False if letter.malformed else self._letters.append(letter, birth)

    def close(self) -> None:
        self._letters.close()


def _worker() -> str:
    return f"replay-{os.getpid()}"


def arrive(
    letter: DeadLetter, settings: GatewayConfig, store: Store, backstage: Backstage, clock: Clock
) -> str | None:
    """Handle a message that could not be read once more; return why it still cannot be stored, or None.

    Raises:
        StoreUnavailable: it did not take the message.
    """
    from gateway.ingest import Ingest  # noqa: PLC0415
    from gateway.stores.base import StoreUnavailable  # noqa: PLC0415

    again = _Again(settings, clock)
    ingest = Ingest(_worker(), store, backstage, again, clock, settings.factory)
    came = letter.topic, base64.b64decode(letter.payload or ""), letter.content_type
    answers = ingest.handle(*came)
    if ingest.counts["need_birth"]:
        digest = codec.decode(answers[0].payload, NeedBirth).birth
        if backstage.ask(topics.split(letter.topic)[0], digest) is None:
            return "its tag dictionary is neither on the broker nor at the agent"
        answers = ingest.handle(*came)
    again.close()
    if ingest.counts["unavailable"]:
        raise StoreUnavailable("it did not take the message")
    if ingest.counts["malformed"] or ingest.counts["dead_letters_full"]:
        return again.reason
    for answer in answers:
        backstage.publish(answer)  # nobody waits for it: whoever sends the entry again is told again
    return None
