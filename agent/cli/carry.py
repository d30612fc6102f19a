"""`tsq-agent carry`: a site without any line brings what waits to the gateway on a stick, and the answer back.

    export    what waits and is not on the stick yet is written to it; nothing is freed by that
    confirm   what the gateway says it has stored is freed

On the other side `tsq-gateway carry` stores and confirms. Everything may be done again, in any order, and what goes
over the broker meanwhile is no trouble: an entry is known by its number and checksum wherever it turns up.
"""

from __future__ import annotations

import base64
import contextlib
import copy
import importlib.metadata
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from agent import control
from agent.carry import Courier, confirmed, entries_of, grouped, named
from agent.cli import config_argument
from agent.cli.asking import silent
from agent.cli.table import clean
from agent.clock import SystemClock
from agent.config.load import load
from agent.control import NotRunning
from agent.errors import SpoolFailed
from agent.lock import hold
from agent.spool import Spool
from contract import carry, codec
from contract.errors import WireError
from contract.payload import Stored
from contract.topics import AgentTopics
from settings.language import Text
from transport import stick
from transport.stick import StickFull

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Mapping

    from agent.config.model import AgentConfig
    from agent.delivery import Entry
    from contract.carry import Container
    from settings.language import Language

    Ask = Callable[[Mapping[str, object]], Mapping[str, Any]]
    Key = tuple[str, int, str]

ANSWER_S = 60.0
SETTLES = 20  # times that we look whether what was confirmed is free
EVERY = 50  # messages between two words about progress
NAMED = 5  # files that are named in a complaint


def arguments(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add the arguments of the verb."""
    do = Text("export: write to the stick; confirm: take the gateway's answer back",
              "export: USB에 쓰기, confirm: 게이트웨이의 확인 결과 반영")  # fmt: skip
    path = Text("where the stick is mounted, `/media/usb`", "USB가 연결된 폴더. 예: /media/usb")
    parser.add_argument("do", choices=("export", "confirm"), help=do(language))
    parser.add_argument("stick", type=Path, help=path(language))
    config_argument(parser, language)


def main(args: argparse.Namespace, language: Language) -> int:
    """Do it; return the exit code."""
    config = load(args.config, language)
    try:
        with _asking(config, args.do, language) as ask:
            if ask is None:
                return 1
            return (_export if args.do == "export" else _confirm)(ask, config, args.stick, language)
    except OSError as exc:
        _complain(
            Text(
                f"{args.stick}: {exc.strerror or exc}: is the stick plugged in, and may you write to it (sudo)? "
                "Run it again: what is on it already is not written twice",
                f"{args.stick}: {exc.strerror or exc}. USB가 꽂혀 있는지, 쓰기 권한이 있는지(sudo) 확인하고 다시 "
                "실행하십시오. 이미 쓴 데이터는 다시 쓰지 않습니다",
            ),
            language,
        )
        return 1


def _complain(text: Text, language: Language) -> None:
    print(f"tsq-agent: {clean(text(language))}", file=sys.stderr)


@contextlib.contextmanager
def _asking(config: AgentConfig, do: str, language: Language) -> Iterator[Ask | None]:
    """Yield a way to ask: the running agent, or, to export, the spool itself when no agent runs."""
    folder = config.storage.directory

    def ask(args: Mapping[str, object]) -> Mapping[str, Any]:
        return control.ask(folder, "carry", "", args, ANSWER_S)

    try:
        ask({"do": "waiting", "after": 2**62})
    except NotRunning as exc:
        with _as_owner(folder):
            lock = _free(folder) if do == "export" else None
            spool = None if lock is None else Spool(folder, birth=config.birth(), sources=config.sources())
        if spool is None:
            _complain(silent(config, exc), language)
            yield None
            return
        try:
            yield lambda args: _answered(folder, Courier(spool), args)
        finally:
            with _as_owner(folder):
                spool.stop()
        return
    try:
        yield ask
    except NotRunning as exc:
        raise OSError(str(exc)) from exc


def _answered(folder: Path, courier: Courier, args: Mapping[str, object]) -> Mapping[str, Any]:
    with _as_owner(folder):
        return courier.answer(args)


@contextlib.contextmanager
def _as_owner(folder: Path) -> Iterator[None]:
    """Be the user of a state folder where root runs the command: an agent could not write to root's files there.

    Nor does it see the serial number that root does, by which it knows that its disk has not been copied.
    """
    if os.geteuid() != 0 or not folder.is_dir():
        yield
        return
    owner, group = folder.stat(), os.getegid()
    os.setegid(owner.st_gid)
    os.seteuid(owner.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)


def _free(folder: Path) -> int | None:
    """Hold a state folder that an agent has left behind."""
    if not folder.is_dir():
        return None
    with contextlib.suppress(SpoolFailed):
        return hold(folder)
    return None


def _waiting(ask: Ask) -> Iterator[Entry]:
    after = 0
    while page := entries_of(ask({"do": "waiting", "after": after})):
        yield from page
        after = page[-1].seq


# Export


def _export(ask: Ask, config: AgentConfig, path: Path, language: Language) -> int:
    there, damaged = _on_stick(path, config)
    for name in damaged[:NAMED]:
        _complain(
            Text(f"{name}: damaged, what it should hold is written again",
                 f"{name}: 손상된 파일입니다. 그 안의 데이터를 다시 씁니다"), language,
        )  # fmt: skip
    for torn in stick.folder(path).glob(f"{config.factory}.{config.agent}.*{stick.PART}"):
        torn.unlink()
        _complain(Text("the stick was pulled out in the middle, what was missing is written now",
                       "지난번에 쓰는 중에 USB가 빠졌습니다. 빠진 부분을 지금 다시 씁니다"), language)  # fmt: skip
    wanted = [one for one in _waiting(ask) if one.key not in there]
    del there
    done = 0
    writer = _Writer(ask, config, path)
    try:
        for number, group in enumerate(grouped(wanted), 1):
            done += writer.write(group)
            if number % EVERY == 0:
                share = 100 * done // len(wanted)
                print(Text(f"{share} % written, {done} of {len(wanted)}",
                           f"{share} % 기록 중({done}/{len(wanted)})")(language), flush=True)  # fmt: skip
        writer.end()
    except StickFull:
        writer.end()
        _complain(
            Text(
                f"the stick is full: {done} of {len(wanted)} are on it. Bring it to the gateway and confirm it "
                "here, or go on with another one",
                f"USB 용량이 부족합니다. {len(wanted)}건 중 {done}건만 썼습니다. 이 USB를 게이트웨이에서 처리하고 "
                "확인한 뒤 계속하거나 다른 USB로 다시 실행하십시오",
            ),
            language,
        )
        return 1
    finally:
        writer.abandon()
    if not wanted:
        print(Text("nothing waits that is not on the stick already",
                   "USB에 새로 쓸 데이터가 없습니다")(language))  # fmt: skip
        return 0
    print(
        Text(
            f"{done} entries written, {writer.bytes / 1e6:.1f} MB. You may pull the stick out. They stay here "
            "until the gateway has stored them: `tsq-gateway carry`, then `tsq-agent carry confirm`",
            f"{done}건({writer.bytes / 1e6:.1f} MB)을 USB에 썼습니다. 이제 USB를 빼도 됩니다. 게이트웨이 PC에서 "
            "tsq-gateway carry로 저장하고, 다시 가져와 tsq-agent carry confirm을 실행할 때까지 이 장비에도 그대로 "
            "남아 있습니다",
        )(language)
    )
    return 0


def _on_stick(path: Path, config: AgentConfig) -> tuple[set[Key], list[str]]:
    """Return what is on the stick from here already, and which of our files are damaged."""
    there: set[Key] = set()
    damaged = []
    for file in stick.files(path, carry.DATA):
        with file.open("rb") as raw:
            try:
                container = carry.Container(raw.read)
                if not _ours(container, config):
                    continue
                for message in container.messages():
                    if message.topic.endswith("/data"):
                        there |= named(message.payload)
            except WireError:
                damaged.append(file.name)
    return there, damaged


def _ours(container: Container, config: AgentConfig) -> bool:
    return (container.head.factory, container.head.agent) == (config.factory, config.agent)


class _Writer:
    """Writes messages into files of a stick, with the births that each file needs."""

    def __init__(self, ask: Ask, config: AgentConfig, path: Path) -> None:
        self._ask = ask
        self._topics = AgentTopics(config.factory, config.agent)
        self._path = path
        self._file: stick.Fresh | None = None
        self._packer = carry.Packer()
        self._births: set[str] = set()  # in this file
        self._first = self._last = 0
        self._spool = ""
        self.bytes = 0

    def write(self, group: list[Entry]) -> int:
        """Write a message; return how many entries it holds, less those that are free by now."""
        refs = [list(one) for one in group]
        answer = self._ask({"do": "message", "entries": refs})
        if not answer["entries"]:
            return 0
        payload = base64.b64decode(answer["payload"])
        if self._file is not None and self._file.size + len(payload) > carry.FILE_BYTES:
            self.end()
        file = self._file or self._begun(group[0])
        births = [] if group[0].birth in self._births else self._parts(group[0].birth)
        packer = copy.copy(self._packer)  # what does not fit was never said
        piece = b"".join(packer.message(topic, part) for topic, part in births)
        piece += packer.message(self._topics.data, payload)
        file.write(piece)
        self._packer = packer
        self._births.add(group[0].birth)
        self._last = max(self._last, group[-1].seq)
        self.bytes += len(piece)
        return len(answer["entries"])

    def _begun(self, first: Entry) -> stick.Fresh:
        clock = SystemClock()
        self._packer, self._births = carry.Packer(), set()
        self._first = self._last = first.seq
        self._spool = first.spool
        head = carry.Head(
            "data", self._topics.factory, self._topics.agent, str(clock.now()),
            importlib.metadata.version("techsquare-edge"),
        )  # fmt: skip
        self._file = stick.Fresh(self._path, self._name())
        self._file.write(self._packer.head(head))
        return self._file

    def _parts(self, digest: str) -> list[tuple[str, bytes]]:
        parts = self._ask({"do": "birth", "birth": digest})["parts"]
        n = len(parts)
        return [(self._topics.birth(digest, i, n), base64.b64decode(part)) for i, part in enumerate(parts, 1)]

    def _name(self, last: str = "") -> str:
        spool = "".join(c for c in self._spool if c.isascii() and c.isalnum())[:12]
        return f"{self._topics.factory}.{self._topics.agent}.{spool}.{self._first}{last}"

    def end(self) -> None:
        """End the file that is being written, if any."""
        if self._file is None or not self._packer.messages:
            self.abandon()
            return
        file, self._file = self._file, None
        file.write(self._packer.end(), reserve=0)
        for number in range(1, stick.FILES_LIMIT):
            again = "" if number == 1 else f".{number}"
            with contextlib.suppress(FileExistsError):
                file.finish(f"{self._name(f'-{self._last}')}{again}{carry.DATA}")
                return

    def abandon(self) -> None:
        """Let go of a file that could not be ended."""
        if self._file is not None:
            self._file.abandon()
            self._file = None


# Confirm


def _confirm(ask: Ask, config: AgentConfig, path: Path, language: Language) -> int:
    waiting = {one.key for one in _waiting(ask)}
    free: set[Key] = set()
    found, others, damaged = 0, set(), []
    for file in stick.files(path, carry.STORED):
        with file.open("rb") as raw:
            try:
                container = carry.Container(raw.read)
                if not _ours(container, config):
                    others.add(f"{container.head.factory}/{container.head.agent}")
                    continue
                found += 1
                for message in container.messages():
                    stored = codec.decode(message.payload, Stored)
                    if confirmed(stored) & waiting:
                        ask({"do": "confirm", "stored": message.payload.decode()})
                        free |= confirmed(stored) & waiting
            except (WireError, msgspec.DecodeError) as exc:
                damaged.append(f"{file.name}: {exc}")
    for line in damaged[:NAMED]:
        _complain(
            Text(
                f"{line}: what came before it counts; run `tsq-gateway carry` once more",
                f"{line}. 그 앞까지만 반영했습니다. 게이트웨이 PC에서 tsq-gateway carry를 다시 실행하십시오",
            ),
            language,
        )
    if not found:
        _complain(_nothing(path, config, sorted(others)), language)
        return 1
    left = _settled(ask, free)
    gone = len(free) - len(left)
    more = len(waiting) - gone
    print(
        Text(
            f"{gone} entries confirmed and freed, {more} still wait",
            f"{gone}건의 저장을 확인해 이 장비에서 비웠습니다. 아직 남은 데이터 {more}건",
        )(language)
    )
    return 1 if left or damaged else 0


def _nothing(path: Path, config: AgentConfig, others: list[str]) -> Text:
    ours = f"{config.factory}/{config.agent}"
    if others:
        names = ", ".join(others[:NAMED])
        return Text(
            f"this stick is of {names}, and this box is {ours}: nothing is freed",
            f"다른 에이전트의 USB입니다({names}). 이 장비는 {ours}이므로 아무것도 비우지 않았습니다",
        )
    return Text(
        f"{stick.folder(path)} holds no confirmation: run `tsq-gateway carry` with this stick first",
        f"{stick.folder(path)}에 확인 결과가 없습니다. 먼저 게이트웨이 PC에서 tsq-gateway carry를 실행하십시오",
    )


def _settled(ask: Ask, free: set[Key]) -> set[Key]:
    """Wait until the spool has let go of what was confirmed; return what it still holds."""
    left = free
    for _ in range(SETTLES):
        if not left:
            break
        ask({"do": "settle"})
        left = free & {one.key for one in _waiting(ask)}
    return left
