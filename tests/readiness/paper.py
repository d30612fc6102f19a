"""A machine of which every hour is like the other, so that each truth is a fraction that one can check on paper.

An hour of work, minute by minute; each minute is one reading, and outside of planned time the machine is off:

    state     0-40 executing, 40-54 fault, 54-60 standby
    total     one piece at 20, one at 40: a cycle of 20 minutes; the first is good, the second rejected
    cycle     a bit that is true from 20 to 30: one of two cycles is seen
    mode      0-30 automatic, then manual; button: pressed from 35 to 36
    alarm     40-54; reason: from 41 to 60, always the same
    lot       a new valid id from 0 to 30, then none; order: a new one from 0 to 20, then none
    product, recipe  one of each
    pv1-pv4   grow by 1 a minute from 0 to 49 and fall again, day and night; pv1 is bad from 10 to 13, pv2 uncertain
              from 10 to 16, pv3 out of its range from 30 to 36
    main      60 kWh an hour; own: 1,000 Wh a minute while executing
    57-60     nobody answers

Nothing in here knows of days, shifts, zones or summer time: hours of work are counted on, wherever they lie.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.analyzers.evidence import make
from agent.frame import Alarm, DataType, Facts, FrameBlock, Signal, Source, Status, Watermark
from readiness.evidence import load
from readiness.inventory import Machine
from readiness.plant import About, HandCount, Installed, Meaning, Plant, Product, Use, configured
from readiness.sketch import buckets
from readiness.spans import union
from readiness.view import View
from tests.readiness.plant import HOUR, MINUTE, SECOND, model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from readiness.evidence import DayEvidence
    from readiness.schedule import Calendar

    Ints = NDArray[np.int64]
    Column = NDArray[Any]

DAYS = 14
PLC = "press-plc"
EXECUTING, STANDBY, FAULT, OFF = range(4)
WHOLE, BIT, WORD, REAL = DataType.INT32, DataType.BOOL, DataType.STRING, DataType.FLOAT64
KINDS = {
    **dict.fromkeys(("cycle", "button", "alarm"), BIT),
    **dict.fromkeys(("lot", "order", "product", "recipe"), WORD),
    **dict.fromkeys(("pv1", "pv2", "pv3", "pv4"), REAL),
}  # fmt: skip
MEANT = {
    "state": Meaning(role="state", states={0: "executing", 1: "standby", 2: "fault", 3: "off"}),
    **{name: Meaning(role=f"count_{name}") for name in ("total", "good", "reject")},
    "cycle": Meaning(role="cycle"), "mode": Meaning(role="mode", automatic=frozenset({1})),
    "button": Meaning(role="intervention"), "alarm": Meaning(role="alarm"),
    "reason": Meaning(role="reason", reasons={1: "자재 대기"}), "lot": Meaning(role="lot", pattern=r"L\d{5}"),
    **{name: Meaning(role=name) for name in ("order", "product", "recipe")},
    **{name: Meaning(role="pv") for name in ("pv1", "pv2", "pv3", "pv4")},
}  # fmt: skip
MORE: dict[str, dict[str, Any]] = {
    "alarm": {"alarm": Alarm("유압 온도 높음", "high")},
    "pv3": {"instrument_range": (0.0, 100.0)},
    "main": {"unit": "kWh"},
    "own": {"unit": "Wh"},
}


@dataclass(frozen=True)
class Paper:
    """Two weeks of it under one calendar from `first` on."""

    calendar: Calendar
    first: date
    days: int = DAYS
    edit: Callable[[dict[str, Column]], dict[str, Column]] = lambda columns: columns  # what else happens

    @property
    def start(self) -> int:
        """Start of the window."""
        return self.calendar.bounds(self.first)[0]

    @property
    def end(self) -> int:
        """End of the window."""
        return self.calendar.bounds(self.first + timedelta(days=self.days - 1))[1]

    def minutes(self) -> tuple[Ints, Ints, Ints]:
        """Return each minute, the minute of its hour of work (-1 outside of planned time), the hours before it."""
        time = np.arange(self.start - 6 * HOUR, self.end + HOUR, MINUTE, dtype=np.int64)
        dates = [self.first + timedelta(days=n) for n in range(-2, self.days + 2)]
        planned = union(*(self.calendar.planned_spans(day) for day in dates))
        minute, hour = np.full(len(time), -1, np.int64), np.zeros(len(time), np.int64)
        before = 0
        for begin, end in planned:
            inside = (time >= begin) & (time < end)
            minute[inside] = (time[inside] - begin) // MINUTE % 60
            hour[inside] = before + (time[inside] - begin) // HOUR
            before += (end - begin) // HOUR
        return time, minute, hour

    def columns(self) -> tuple[Ints, dict[str, Column], dict[str, Ints]]:
        """Return each minute, what each signal says in it, and status codes."""
        time, m, hour = self.minutes()
        on = m >= 0
        work = on & (m < 40)

        def words(prefix: str, until: int) -> Column:
            said = [f"{prefix}{n:05d}" if there else "" for n, there in zip(hour, on & (m < until), strict=True)]
            return np.array(said, object)

        def steps(at: Column) -> Ints:
            return np.cumsum(at).astype(np.int64)

        saw = np.abs(np.arange(len(m)) % 98 - 49).astype(np.float64)
        columns: dict[str, Column] = {
            "state": np.select([~on, m < 40, m < 54], [OFF, EXECUTING, FAULT], STANDBY),
            "total": steps((m == 20) | (m == 40)), "good": steps(m == 20), "reject": steps(m == 40),
            "cycle": (m >= 20) & (m < 30), "mode": (on & (m < 30)).astype(np.int64), "button": m == 35,
            "alarm": (m >= 40) & (m < 54), "reason": (m >= 41).astype(np.int64),
            "lot": words("L", 30), "order": words("WO", 20),
            "product": np.where(on, "A", "").astype(object), "recipe": np.where(on, "R1", "").astype(object),
            "pv1": saw, "pv2": saw, "pv3": np.where((m >= 30) & (m < 36), 150.0, saw), "pv4": saw,
            "main": steps(on), "own": 1000 * steps(work),
        }  # fmt: skip
        gone = np.where(m >= 57, int(Status.BAD_NO_COMMUNICATION), 0)
        status = dict.fromkeys(columns, gone)
        status["pv1"] = np.where((m >= 10) & (m < 13), int(Status.BAD_DEVICE_FAILURE), gone)
        status["pv2"] = np.where((m >= 10) & (m < 16), int(Status.UNCERTAIN), gone)
        return time, columns | self.edit(columns), status

    def source(self, names: tuple[str, ...]) -> Source:
        """Return the one source of the machine."""
        signals = tuple(
            Signal(
                id=name, machine="press", name=name, dtype=KINDS.get(name, WHOLE),
                role_confirmed=True,
                **{"role": MEANT[name].role if name in MEANT else "energy", **MORE.get(name, {})},
            )
            for name in names
        )  # fmt: skip
        return Source(
            id=f"{PLC}.main", device=PLC, protocol="modbus", mode="poll", interval_ns=MINUTE, signals=signals
        )

    def blocks(self) -> Iterator[FrameBlock]:
        """Yield the readings, three hours at a time."""
        time, columns, status = self.columns()
        source, k = self.source(tuple(columns)), len(columns)
        for low in range(0, len(time), 180):
            part = slice(low, low + 180)
            table = np.empty((len(time[part]), k), object)
            for index, column in enumerate(columns.values()):
                table[:, index] = column[part].tolist()
            codes = np.stack([status[name][part] for name in columns], axis=1).astype(np.uint32)
            table[codes >> 31 == 1] = None
            yield FrameBlock(
                source=source, signal=np.tile(np.arange(k, dtype=np.int32), len(table)),
                time_ns=np.repeat(time[part], k), value=table.ravel().tolist(), status=codes.ravel(),
            )  # fmt: skip

    def evidence(self) -> list[DayEvidence]:
        """Return the closed days, made by the real analyzers."""
        blocks = list(self.blocks())
        analyzers = make([blocks[0].source], self.calendar)
        body: dict[str, Any] = {
            "protocol": "modbus-tcp",
            "mode": "None",
            "policy": "None",
            "host": "10.0.0.5",
            "port": 502,
        }
        analyzers.feed([Facts(kind="connection", time_ns=self.start, subject=PLC, body=body)])
        for block in blocks:
            analyzers.feed([block])
        analyzers.feed([Watermark(f"{PLC}.main", self.end + HOUR)])
        return [load(raw) for _, raw in sorted(analyzers.take_closed().items())]

    def worked(self) -> list[date]:
        """Return the production days."""
        dates = [self.first + timedelta(days=n) for n in range(self.days)]
        return [day for day in dates if self.calendar.planned_spans(day).length()]

    def plant(self, source: Source) -> Plant:
        """Return what people say: a hand count of a shift, points, use on every second day, an ideal cycle."""
        said = configured([source], [Machine("press", "press")])
        meanings = {f"press/{name}": meaning for name, meaning in MEANT.items()}
        meanings["press/main"] = replace(said.meaning("press/main"), meter="main")
        dates = [self.first + timedelta(days=n) for n in range(-1, 4)]
        shifts = list(union(*map(self.calendar.planned_spans, dates)))
        begin, end = next((a, b) for a, b in shifts if a >= self.start + 18 * HOUR)
        end = max(b for _, b in shifts if b <= begin + 12 * HOUR) if end < begin + 12 * HOUR else begin + 8 * HOUR
        hours = sum(min(b, end) - a for a, b in shifts if begin <= a < end) // HOUR
        points = {"1": "press/total", "2": "press/pv1", "3": None}
        return replace(
            said,
            meanings={**said.meanings, **meanings},
            about={"press": About(isolated="unknown")},
            products={"A": Product(id="A", name="A", ideal_s={"press": 900.0})},
            hand_counts=[HandCount(machine="press", from_ns=begin, to_ns=end, total=2 * hours)],
            systems=[Installed(id="mes", name="MES", kind="mes", points=points)],
            use=[
                Use(day=day.isoformat(), system="mes", account="operator", reads=1 - n % 2)
                for n, day in enumerate(self.worked())
            ],
        )

    def view(self, say: Callable[[Plant], Plant] = lambda plant: plant, **more: Any) -> View:
        """Return what formulas look at; `more` replaces fields of the view."""
        source = self.source(tuple(self.columns()[1]))
        slow, fast = (int(buckets(np.array([s * SECOND]))[0]) for s in (30, 1))
        latency = {(day.isoformat(), "latency-edge/press"): {fast: 90, slow: 10} for day in self.worked()}
        made = View(
            days=self.evidence(), tallies=latency, catalog=[source], plant=say(self.plant(source)),
            calendar=self.calendar, now_ns=self.end, model=model(), length=self.days,
        )  # fmt: skip
        return replace(made, **more)
