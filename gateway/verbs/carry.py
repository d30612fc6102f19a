"""`tsq-gateway carry`: what agents without a line have put on a stick is stored, and the stick says so.

Each file of an agent goes through the same ingest as its messages over the broker: births first, then data, limits,
dead letters and all. The confirmations are written beside it, under its name, before the next file is begun; the
agent frees by them, and by nothing else. A file that has its confirmations is left alone without `--again`.

    {name}.tsqs            the answer to {name}.tsqd
    {name}.again{n}.tsqs   a later one
    {name}.some{n}.tsqs    not all of it could be stored or refused now: the next run takes the file again
"""

from __future__ import annotations

import contextlib
import glob
import importlib.metadata
import itertools
import os
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from contract import carry, codec
from contract.errors import WireError
from contract.topics import AgentTopics
from gateway.births import Births
from gateway.clock import SystemClock
from gateway.deadletter import DeadLetters
from settings.language import Text
from transport import stick
from transport.stick import StickFull

if TYPE_CHECKING:
    import argparse

    from gateway.config import GatewayConfig
    from gateway.ingest import Ingest
    from gateway.stores.base import Store
    from settings.language import Language

EVERY = 50  # messages between two words about progress


class _StoreAway(Exception):  # noqa: N818 - reads as what happened
    """It did not take a message."""


def arguments(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add the arguments of the verb."""
    path = Text("where the stick is mounted, `/media/usb`", "USB가 연결된 폴더. 예: /media/usb")
    again = Text("also files that were stored before", "이미 처리한 파일도 다시 저장")
    parser.add_argument("stick", type=Path, help=path(language))
    parser.add_argument("--config", type=Path, required=True, metavar="FILE")
    parser.add_argument("--again", action="store_true", help=again(language))


def main(args: argparse.Namespace, settings: GatewayConfig, language: Language) -> int:
    """Do it; return the exit code."""
    from gateway.stores import open_store  # noqa: PLC0415 - other verbs load no database library
    from gateway.stores.base import StoreUnavailable  # noqa: PLC0415

    try:
        files = stick.files(args.stick, carry.DATA)
        if not files:
            where = stick.folder(args.stick)
            _say(Text(f"{where} holds nothing of an agent: run `tsq-agent carry export` first",
                      f"{where}에 에이전트 데이터가 없습니다. 먼저 현장에서 tsq-agent carry export를 실행하십시오"),
                 language)  # fmt: skip
            return 1
        store = open_store(settings.store)
        try:
            store.ping()
            return _Unloading(args.stick, settings, store, language).all(files, again=args.again)
        finally:
            store.close()
    except (StoreUnavailable, _StoreAway) as exc:
        _say(Text(f"the store is away ({exc}): run it again, what is stored is stored",
                  f"저장소에 연결할 수 없습니다({exc}). 다시 실행하면 이어서 저장합니다"), language)  # fmt: skip
    except StickFull:
        _say(Text("the stick is full, there is no room for the confirmations: delete other files and run it again",
                  "USB 용량이 부족해 확인 결과를 쓸 수 없습니다. 다른 파일을 지우고 다시 실행하십시오"),
             language)  # fmt: skip
    except OSError as exc:
        _say(Text(f"{args.stick}: {exc.strerror or exc}: is the stick plugged in, and may you write to it?",
                  f"{args.stick}: {exc.strerror or exc}. USB가 꽂혀 있는지, 쓰기 권한이 있는지 확인하십시오"),
             language)  # fmt: skip
    return 1


def _say(text: Text, language: Language) -> None:
    said = "".join(c if c.isprintable() else "\N{MIDDLE DOT}" for c in text(language))
    print(f"tsq-gateway: {said}", file=sys.stderr)


class _Unloading:
    """One stick being stored."""

    def __init__(self, path: Path, settings: GatewayConfig, store: Store, language: Language) -> None:
        from gateway.ingest import Ingest  # noqa: PLC0415

        letters, worker = settings.dead_letters, f"carry-{os.getpid()}"
        self._clock = SystemClock(trust=settings.trust_local_clock)
        self._letters = DeadLetters(letters.directory, letters.max_size, worker, self._clock)
        self._ingest: Ingest = Ingest(worker, store, Births(), self._letters, self._clock)
        self._path = path
        self._factory = settings.factory
        self._language = language

    def all(self, files: list[Path], *, again: bool) -> int:
        """Store the files; return the exit code."""
        code = 0
        before: Counter[str] = Counter(self._ingest.counts)
        for number, file in enumerate(files, 1):
            if again or not _answered(file):
                print(Text(f"{number} of {len(files)}: {file.name}", f"{number}/{len(files)}: {file.name}")(
                    self._language), flush=True)  # fmt: skip
                code |= not self._one(file)
        self._letters.close()
        counts = self._ingest.counts
        counts.subtract(before)
        print(
            Text(
                f"{counts['stored']} entries stored, {counts['rejected']} refused (`dead-letters list`), "
                f"{counts['rows']} rows. Bring the stick back: `tsq-agent carry confirm`",
                f"{counts['stored']}건 저장, {counts['rejected']}건 거부(tsq-gateway dead-letters list로 확인), "
                f"{counts['rows']}행. USB를 현장 장비로 가져가 tsq-agent carry confirm을 실행하십시오",
            )(self._language)
        )
        if any(counts[key] for key in ("malformed", "need_birth", "dead_letters_full", "rejected")):
            code = 1
        return code

    def _one(self, file: Path) -> bool:
        """Store one file and write its confirmations; return whether all of it could be read."""
        with file.open("rb") as raw:
            try:
                container = carry.Container(raw.read)
                branch = AgentTopics(container.head.factory, container.head.agent)
            except WireError as exc:
                _say(Text(f"{file.name}: {exc}", f"{file.name}: 읽을 수 없는 파일입니다({exc})"), self._language)
                return False
            if self._factory not in {None, branch.factory}:
                _say(
                    Text(
                        f"{file.name} is of the factory {branch.factory}, this gateway is of {self._factory}: "
                        "nothing of it is stored",
                        f"{file.name}: 다른 공장({branch.factory})의 USB입니다. 이 게이트웨이는 {self._factory} "
                        "공장이므로 저장하지 않았습니다",
                    ),
                    self._language,
                )
                return False
            fresh = stick.Fresh(self._path, f"{file.stem}{carry.STORED}")
            try:
                kept = self._ingest.counts["dead_letters_full"]
                good = self._unload(file, container, branch, fresh)
                done = self._ingest.counts["dead_letters_full"] == kept
                self._name(fresh, file.stem, done=done)
            except BaseException:
                fresh.abandon()
                raise
            if not done:
                _say(
                    Text(
                        f"{file.name}: the dead letters are full, what is refused of it is not confirmed: make "
                        "room (`tsq-gateway dead-letters list`) and run it again",
                        f"{file.name}: 저장하지 못한 항목을 보관할 공간이 부족합니다. "
                        "tsq-gateway dead-letters list로 확인해 정리한 뒤 다시 실행하십시오",
                    ),
                    self._language,
                )
            return good and done

    def _unload(self, file: Path, container: carry.Container, branch: AgentTopics, fresh: stick.Fresh) -> bool:
        packer = carry.Packer()
        version = importlib.metadata.version("techsquare-edge")
        made = str(self._clock.now())
        fresh.write(packer.head(carry.Head("stored", branch.factory, branch.agent, made, version)))
        good = True
        try:
            for number, message in enumerate(container.messages(), 1):
                if not message.topic.startswith(f"{branch.root}/"):
                    raise WireError(f"a message of {message.topic[:80]!r} in a file of {branch.root}")  # noqa: TRY301
                away = self._ingest.counts["unavailable"]
                answers = self._ingest.handle(message.topic, message.payload, codec.CONTENT_TYPE_ZSTD)
                if self._ingest.counts["unavailable"] > away:
                    raise _StoreAway(file.name)
                for answer in answers:
                    if answer.topic == branch.stored:
                        fresh.write(packer.message(answer.topic, answer.payload), reserve=4096)
                if number % EVERY == 0:
                    done = Text(f"  {number} messages", f"  메시지 {number}건 처리")
                    print(done(self._language), flush=True)
        except WireError as exc:
            good = False
            _say(
                Text(
                    f"{file.name}: {exc}: what came before is stored; export once more onto this stick",
                    f"{file.name}: {exc}. 그 앞까지만 저장했습니다. 이 USB에 다시 export하십시오",
                ),
                self._language,
            )
        fresh.write(packer.end(), reserve=0)
        return good

    def _name(self, fresh: stick.Fresh, stem: str, *, done: bool) -> None:
        more = (f"{stem}.{'again' if done else 'some'}{number}" for number in range(1, stick.FILES_LIMIT))
        for name in itertools.chain([stem] if done else [], more):
            with contextlib.suppress(FileExistsError):
                fresh.finish(f"{name}{carry.STORED}")
                return


def _answered(file: Path) -> bool:
    """Whether the confirmations of a file are on the stick, whole."""
    again = file.parent.glob(f"{glob.escape(file.stem)}.again*{carry.STORED}")
    return any(map(_whole, (file.with_suffix(carry.STORED), *again)))


def _whole(answer: Path) -> bool:
    if not answer.is_file():
        return False
    with answer.open("rb") as raw:
        try:
            container = carry.Container(raw.read)
            for _ in container.messages():
                pass
        except WireError:
            return False
        return container.complete
