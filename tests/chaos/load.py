"""When a process of the plant wanted a processor and got none: what a machine that is busy otherwise does to it.

An agent that is starved is late or stands still, and a device that is starved does not answer in time, although no
fault was injected; the gaps that follow are right, and the run must not be called bad for them. The kernel counts
for each thread how long it has waited for a processor (`/proc/PID/task/TID/schedstat`), so this is measured, not
guessed: what nobody starved has no excuse. The judge's own process is watched by its own lateness, because the
lines between the others run in it.
"""

from __future__ import annotations

import collections
import contextlib
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

EVERY_S = 0.25
STARVED_NS = 300_000_000
"""More than lies between two looks: a wait in one piece, two thirds of the time-out of a device. A machine whose
processors are shared fairly by many has none of these, however busy it is, and needs no excuse."""
JUDGE = "judge"


class Starved(NamedTuple):
    """A process has waited for a processor, at true times."""

    name: str
    from_ns: int
    to_ns: int
    waited_ns: int


def waits(pid: int) -> dict[int, int]:
    """Return by thread how long it has waited for a processor since it began (ns); of one that is gone nothing."""
    found = {}
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError, ValueError, IndexError):
                found[int(task.name)] = int((task / "schedstat").read_text("ascii").split()[1])
    return found


def seconds(starved: Iterable[Starved]) -> dict[str, float]:
    """Return by process how long it has waited."""
    total: collections.Counter[str] = collections.Counter()
    for one in starved:
        total[one.name] += one.waited_ns
    return {name: round(waited / 1e9, 1) for name, waited in sorted(total.items())}


class Load:
    """Watches processes in a thread, within `with`.

    Args:
        pids: Returns those to be watched, by name.

    Attributes:
        starved: What was found.
    """

    def __init__(self, pids: Callable[[], Mapping[str, int]]) -> None:
        self.starved: list[Starved] = []
        self._pids = pids
        self._before: dict[tuple[int, int], int] = {}  # (process, thread) -> its waiting
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        due = time.monotonic_ns()
        while not self._stop.wait(EVERY_S):
            late = time.monotonic_ns() - due - round(EVERY_S * 1e9)
            if late > STARVED_NS:
                self._note(JUDGE, late)
            self.look()
            due = time.monotonic_ns()

    def look(self) -> None:
        """Note who has waited since the last look; a thread that waits still shows it when it has run again."""
        now: dict[tuple[int, int], int] = {}
        for name, pid in self._pids().items():
            mine = {(pid, thread): waited for thread, waited in waits(pid).items()}
            most = max((waited - self._before.get(key, waited) for key, waited in mine.items()), default=0)
            if most > STARVED_NS:
                self._note(name, most)
            now |= mine
        self._before = now

    def _note(self, name: str, waited_ns: int) -> None:
        to_ns = time.time_ns()
        self.starved.append(Starved(name, to_ns - waited_ns - round(EVERY_S * 1e9), to_ns, waited_ns))
