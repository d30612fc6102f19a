"""What may be on a disk after the power went, from a trace of what was written and synced.

The model is POSIX, taken strictly, with sectors of 512 bytes:

- What was written to a file before a sync of it began is there once that sync has returned. Everything later is
  *pending*: of what is pending, a sector may be there or not, each in any of the versions that were written, in
  any order. The size may be any that it had since the sync; what lies below it and was never written is zero.
- After a sync that failed, what it should have written counts as written for the running system, but may never
  reach the disk: a later sync that succeeds says nothing about it (so it is on Linux). Only writing it again helps.
- A name (made, renamed, removed) is there once a sync of its directory has returned that began later. Of pending
  names the disk may have those up to any moment (a journalling file system), or any subset (a strict one).

`Disk` walks through the trace, `image` makes a folder as it may be at that point. Pure but for `write`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Mapping

SECTOR = 512
_HEAD = struct.Struct("<BBHiqqII")


class Record(NamedTuple):
    """One line of the trace; see `disk.c` for what the letters mean."""

    what: str
    made: bool
    error: int
    handle: int
    a: int
    b: int
    first: bytes
    second: bytes


def read_trace(path: Path) -> Iterator[Record]:
    """Yield what was recorded; a last line that a kill has cut is left out."""
    data = memoryview(path.read_bytes())
    at = 0
    while at + _HEAD.size <= len(data):
        what, made, error, handle, a, b, n_first, n_second = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        middle, end = at + n_first, at + n_first + n_second
        if end > len(data):
            return
        yield Record(chr(what), bool(made), error, handle, a, b, bytes(data[at:middle]), bytes(data[middle:end]))
        at = end


class Change(NamedTuple):
    """A pending change of a file: data at a place, or a new size when there is no data."""

    when: int
    at: int
    data: bytes | None


@dataclass(slots=True)
class File:
    """One file, whatever its name: what is durable, and what is pending on top of it."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[Change] = field(default_factory=list)
    doomed: list[Change] = field(
        default_factory=list
    )  # a failed sync has dropped them from what a later one writes

    def now(self) -> bytearray:
        """Return what the running system reads."""
        data = bytearray(self.durable)
        for change in sorted([*self.doomed, *self.pending]):
            _apply(data, change)
        return data


def _apply(data: bytearray, change: Change) -> None:
    if change.data is None:
        del data[change.at :]
        data.extend(bytes(change.at - len(data)))
        return
    if len(data) < change.at:
        data.extend(bytes(change.at - len(data)))
    data[change.at : change.at + len(change.data)] = change.data


class Naming(NamedTuple):
    """A pending change of names: each to what it means from then on, None for nothing."""

    when: int
    parent: str
    names: dict[str, File | str | None]  # path -> file, "" for a directory, None when it is gone


class Disk:
    """A folder as the trace tells it.

    Args:
        folder: Of the trace; other paths in it are not below.
        syncs: Whether syncing is believed; without it nothing ever becomes durable.
        start: Files that were there and durable before, by path below the folder.
    """

    def __init__(self, folder: str, *, syncs: bool = True, start: Mapping[str, bytes] | None = None) -> None:
        self._folder = folder
        self._syncs = syncs
        self._durable: dict[str, File | str] = {folder: ""}
        self._names: dict[str, File | str] = {folder: ""}
        self._pending: list[Naming] = []
        self._open: dict[int, tuple[str, File | str]] = {}
        self._begun: dict[int, list[int]] = {}
        self._when = 0
        self.unseen: list[str] = []
        """What the recorder could not follow: paths of files that were mapped for writing, calls."""
        for name, data in (start or {}).items():
            path = f"{folder}/{name}"
            for parent in Path(path).parents:
                if len(str(parent)) >= len(folder):
                    self._names[str(parent)] = self._durable[str(parent)] = ""
            self._names[path] = self._durable[path] = File(bytearray(data))

    def step(self, record: Record) -> None:  # noqa: C901 - a table
        """Go on by one line of the trace."""
        self._when += 1
        what = record.what
        if what == "o":
            self._opened(record)
        elif what in "wta":
            self._changed(record)
        elif what == "s":
            self._begun.setdefault(record.handle, []).append(self._when)
        elif what in "df":
            since = self._begun[
                record.handle
            ].pop()  # syncs of one handle at once: the latest beginning is believed
            if self._syncs:
                self._synced(self._open[record.handle], since, failed=what == "f")
        elif what == "r":
            old, new = record.first.decode(), record.second.decode()
            moved = {p: node for p, node in self._names.items() if p == old or p.startswith(f"{old}/")}
            names: dict[str, File | str | None] = dict.fromkeys(moved)
            self._name(new, names | {new + p[len(old) :]: node for p, node in moved.items()})
        elif what == "u":
            self._name(record.first.decode(), {record.first.decode(): None})
        elif what == "k":
            self._name(record.first.decode(), {record.first.decode(): ""})
        elif what == "l":
            self._name(record.second.decode(), {record.second.decode(): self._names[record.first.decode()]})
        elif what == "x":
            self.unseen.append(self._open[record.handle][0])
        elif what == "?":
            self.unseen.append(record.first.decode())

    def _opened(self, record: Record) -> None:
        path = record.first.decode()
        if record.made:
            self._name(path, {path: File()})
        node = self._names.get(path, "")
        self._open[record.handle] = (path, node)
        if record.a and isinstance(node, File):
            node.pending.append(Change(self._when, 0, None))

    def _changed(self, record: Record) -> None:
        _, node = self._open[record.handle]
        assert isinstance(node, File)
        if record.what == "w":
            node.pending.append(Change(self._when, record.a, record.first))
        elif record.what == "t" or record.a > len(node.now()):
            node.pending.append(Change(self._when, record.a, None))

    def _synced(self, opened: tuple[str, File | str], since: int, *, failed: bool) -> None:
        path, node = opened
        if isinstance(node, File):
            done = [c for c in node.pending if c.when < since]
            node.pending = [c for c in node.pending if c.when >= since]
            if failed:
                node.doomed += done
                return
            for change in done:
                _apply(node.durable, change)
                node.doomed = [  # written again, or cut off: what was doomed there is over
                    rest
                    for old in node.doomed
                    for rest in (_uncovered(old, change) if old.when < change.when else [old])
                ]
        elif not failed:
            for naming in [n for n in self._pending if n.parent == path and n.when < since]:
                _rename(self._durable, naming.names)
            self._pending = [n for n in self._pending if not (n.parent == path and n.when < since)]

    def _name(self, path: str, names: dict[str, File | str | None]) -> None:
        _rename(self._names, names)
        self._pending.append(Naming(self._when, path.rpartition("/")[0], names))

    def now(self) -> dict[str, bytes]:
        """Return the files as the running system sees them, by path below the folder."""
        return {p: bytes(n.now()) for p, n in self._below(self._names) if isinstance(n, File)}

    def image(self, rng: random.Random) -> dict[str, bytes | None]:
        """Return what may be there after the power goes now: paths below the folder, None for a directory."""
        names = dict(self._durable)
        if rng.random() < 0.5:
            kept = self._pending[: rng.randint(0, len(self._pending))]
        else:
            likely = rng.choice((0.0, 0.5, 1.0))
            kept = [naming for naming in self._pending if rng.random() < likely]
        for naming in kept:
            _rename(names, naming.names)
        out: dict[str, bytes | None] = {}
        contents: dict[int, bytes] = {}  # a file under two names is one file
        for path, node in self._below(names):
            if isinstance(node, File):
                if id(node) not in contents:
                    contents[id(node)] = _survives(node, rng)
                out[path] = contents[id(node)]
            else:
                out[path] = None
        return out

    def _below(self, names: Mapping[str, File | str]) -> Iterator[tuple[str, File | str]]:
        for path, node in names.items():
            inside = path.startswith(f"{self._folder}/")
            if inside and all(
                names.get(str(p)) == "" for p in Path(path).parents if len(str(p)) >= len(self._folder)
            ):
                yield path[len(self._folder) + 1 :], node


def _rename(names: dict[str, File | str], change: Mapping[str, File | str | None]) -> None:
    for path, node in change.items():
        if node is None:
            names.pop(path, None)
        else:
            names[path] = node


def _uncovered(old: Change, new: Change) -> Iterator[Change]:
    """Yield what of an older change lies outside a newer one."""
    if new.data is None:
        if old.data is not None and old.at < new.at:
            yield old._replace(data=old.data[: new.at - old.at])
        return
    if old.data is None:
        yield old
        return
    a, b = old.at, old.at + len(old.data)
    before, behind = min(b, new.at), max(a, new.at + len(new.data))
    if a < before:
        yield Change(old.when, a, old.data[: before - a])
    if behind < b:
        yield Change(old.when, behind, old.data[behind - a :])


def _survives(file: File, rng: random.Random) -> bytes:
    """Return what of one file is there: all up to a random change, and of the later ones sectors at random."""
    data = bytearray(file.durable)
    pending = sorted([*file.doomed, *file.pending])
    if not pending:
        return bytes(data)
    cut = rng.choice((0, len(pending), rng.randint(0, len(pending))))
    for change in pending[:cut]:
        _apply(data, change)
    likely = rng.choice((0.0, 0.2, 0.5, 0.8))
    for change in pending[cut:]:
        if change.data is None:
            if change.at > len(data) and rng.random() < likely:  # a file that grows; shrinking is dropped
                _apply(data, change)
            continue
        first, last = change.at // SECTOR, (change.at + len(change.data) - 1) // SECTOR
        for sector in range(first, last + 1):
            if rng.random() < likely:
                a, b = max(sector * SECTOR, change.at), min((sector + 1) * SECTOR, change.at + len(change.data))
                _apply(data, Change(0, a, change.data[a - change.at : b - change.at]))
    return bytes(data)


def write(image: Mapping[str, bytes | None], folder: Path) -> None:
    """Put an image into a folder that is empty or does not exist."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in sorted(image.items()):
        path = folder / name
        if data is None:
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
