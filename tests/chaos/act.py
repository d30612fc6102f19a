"""Carries a plan out on a plant, and writes down what was really done: from this follows which causes are right."""

from __future__ import annotations

import contextlib
import heapq
import signal
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.chaos.causes import Done

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.chaos.plan import Fault
    from tests.chaos.plant import Plant

SECOND = 10**9
SLOW_S = 0.15
FARTHEST_S = 12 * 3600.0
BATTERY_S = 86_400.0
"""Where a clock begins that has lost its battery: on 2 January 1970."""


@dataclass
class Actor:
    """Does what a plan says.

    Args:
        plant: Whom it befalls.
        say: Takes each line of the log as it is written.

    Attributes:
        done: What has happened.
        clocks: Offsets of the agent's clock that were set, in ns.
    """

    plant: Plant
    say: Callable[[str], None] = lambda _: None
    done: list[Done] = field(default_factory=list)
    clocks: list[int] = field(default_factory=lambda: [0])
    _offset_s: float = 0.0
    _suffering: set[str] = field(default_factory=set)

    def run(self, plan: Sequence[Fault], seconds: float) -> None:
        """Carry it out; return when the time is over and everything is mended."""
        begun = time.monotonic()
        todo = [(fault.at_s, number, fault) for number, fault in enumerate(plan)]
        mends: list[tuple[float, int, Callable[[], None]]] = []
        heapq.heapify(todo)
        while todo or mends or time.monotonic() - begun < seconds:
            now = time.monotonic() - begun
            if mends and mends[0][0] <= now:
                heapq.heappop(mends)[2]()
            elif todo and todo[0][0] <= now:
                _, number, fault = heapq.heappop(todo)
                if fault.target in self._suffering:  # what befell it before has taken longer than planned
                    heapq.heappush(todo, (now + 0.5, number, fault))
                    continue
                self._suffering.add(fault.target)
                self.say(f"{now:8.1f} s  {fault}")
                mend = self._begin(fault)
                heapq.heappush(mends, (time.monotonic() - begun + fault.seconds, number, mend))
            else:
                time.sleep(0.05)

    def _begin(self, fault: Fault) -> Callable[[], None]:
        """Begin a fault; return what ends it."""
        from_ns = time.time_ns()
        undo = self._do(fault)

        def end() -> None:
            undo()
            self._suffering.discard(fault.target)
            self.done.append(Done(fault, from_ns, time.time_ns()))

        return end

    def _do(self, fault: Fault) -> Callable[[], None]:
        """Begin a fault; return what ends it."""
        plant, (kind, _, name) = self.plant, fault.target.partition(":")
        if fault.kind in {"kill", "stop"}:
            plant.end(fault.target, kill=fault.kind == "kill")
            return lambda: self._start(fault.target)
        if fault.kind == "pause":
            return self._pause(fault.target)
        if kind == "line":
            return self._line(name, fault.kind)
        if kind == "net":
            return self._part(name)
        if kind == "disk":
            return self._fill(name)
        return self._clock(fault)

    def _start(self, name: str) -> None:
        self.plant.start(name)

    def _pause(self, name: str) -> Callable[[], None]:
        child = self.plant.children[name]
        with self.plant.lock:
            alive = child.process is not None and child.process.poll() is None
            if alive:
                child.send(signal.SIGSTOP)

        def go_on() -> None:
            with self.plant.lock, contextlib.suppress(ProcessLookupError):
                if alive:
                    child.send(signal.SIGCONT)

        return go_on

    def _line(self, name: str, kind: str) -> Callable[[], None]:
        line = self.plant.lines[name]
        if kind == "reset":
            line.tear()
        elif kind == "cut":
            line.cut = True
        else:
            line.pause_s = SLOW_S

        def mend() -> None:
            line.cut, line.pause_s = False, 0.0

        return mend

    def _part(self, cable: str) -> Callable[[], None]:
        net = self.plant.net
        if net.apart:
            net.pull(cable)
            return lambda: net.plug(cable)
        names = ["agent"] if cable == "office" else ["plc", "cnc"]
        mends = [self._line(name, "cut") for name in names]

        def mend() -> None:
            for each in mends:
                each()

        return mend

    def _fill(self, name: str) -> Callable[[], None]:
        disk = self.plant.disks[name]
        if not disk.own:
            return lambda: None
        disk.fill()

        def clear() -> None:
            disk.clear()
            if name == "database":
                self._restart_twice()

        return clear

    def _restart_twice(self) -> None:
        """Mend InfluxDB 1.x after its disk was full, as an operator has to.

        Its log writer refuses all writes until it is started anew (they are answered 500, so nothing is lost). The
        start cuts off the record that was torn, but goes on writing where the file ended before: what it confirms
        from then on lies behind a hole and is gone at the next start. The second start finds a file without a tear.
        """
        for _ in range(2):
            with self.plant.lock:
                self.plant.end("database", kill=False)
                self.plant.start("database")

    def _clock(self, fault: Fault) -> Callable[[], None]:
        """Set the agent's clock under it, or let its machine start without battery and without a time service."""
        plant = self.plant
        if fault.kind == "step":
            self._offset_s += fault.amount
            if abs(self._offset_s) > FARTHEST_S:
                self._offset_s = 0.0
            plant.set_clock(self._offset_s)
            self.clocks.append(round(self._offset_s * SECOND))
            return lambda: None
        with plant.lock:
            plant.end("agent", kill=True)
            plant.set_clock(BATTERY_S - time.time())
            plant.set_kernel(synchronised=False, boot=True)
            plant.start("agent")

        def synchronise() -> None:
            self._offset_s = 0.0
            plant.set_clock(0.0)
            plant.set_kernel(synchronised=True)

        return synchronise
