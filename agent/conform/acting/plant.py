"""The played factory: days and reports made up by arithmetic, so that they agree with one another. Pure.

`simulated` is 1 in all of them: nobody can take them for measured.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from contract.codec import checksum, encode
from contract.day import Day, DayMachine, MetricDay
from contract.manifest import ManifestMachine
from contract.report import Levels, Machine, Missing, Report, Value, Window
from readiness.history import series

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from contract.topics import AgentTopics

ZONE = "Asia/Seoul"
SITE = "main"
MACHINES = (
    ManifestMachine("press-1", "프레스 1호", 2.0),
    ManifestMachine("lathe", "선반", 1.0),
    ManifestMachine("packer", "포장기", 1.0),
)
METRICS = ("A01", "E01", "X01")
MODEL, CONFIG, PLANT = "6dedf82530ccd7af", "0123456789abcdef0123456789abcdef", "00112233445566ff"
FORMULAS = "played"
PLANNED_NS = 16 * 3600 * 10**9
NOTE = "a played agent: no machine was measured"
_EPOCH = datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC"))


@dataclass(frozen=True, slots=True)
class Place:
    """In the chain: where the next record stands."""

    number: int
    prev: str | None


def day(topics: AgentTopics, when: date, place: Place, key: str) -> Day:
    """Return the record of a production day; on weekends nothing is planned."""
    start, works = _midnight(when), when.weekday() < 5
    step = when.toordinal()
    lost = [(step * (7 + 4 * at)) % 97 / 1000 for at in range(len(MACHINES))]
    num = [round(PLANNED_NS * (1 - share)) * 1.0 for share in lost]
    every = list(range(len(MACHINES)))
    metrics = [
        MetricDay("A01", "1", "ratio", every, num, [PLANNED_NS * 1.0] * len(every)),
        MetricDay("E01", "kW.h", "ratio", [0], [80.0 + step % 13], [400.0 + step % 29], per=100.0, whole=True),
        MetricDay("X01", "s", "state", [0], [0.2 + step % 7 / 100], [1.0], apart={"NA_NO_BURST": [1, 2]}),
    ]
    return Day(
        factory=topics.factory,
        site=SITE,
        agent=topics.agent,
        date=when.isoformat(),
        zone=ZONE,
        start=str(start),
        end=str(_midnight(when + timedelta(days=1))),
        number=place.number,
        made_at=str(_midnight(when + timedelta(days=1)) + 600 * 10**9),
        key=key,
        formulas=FORMULAS,
        model=MODEL,
        config=CONFIG,
        plant=PLANT,
        evidence=checksum(f"{topics.root} {when}".encode()),
        simulated=1.0,
        machines=[DayMachine(m.id, m.weight, str(PLANNED_NS if works else 0)) for m in MACHINES],
        metrics=metrics if works else metrics[2:],
        prev=place.prev,
    )


def _midnight(when: date) -> int:
    moment = datetime.combine(when, time(), ZoneInfo(ZONE)) - _EPOCH
    return (moment.days * 86_400 + moment.seconds) * 10**9


@dataclass(frozen=True, slots=True)
class Shown:
    """The machines that there are."""

    inventory: Sequence[ManifestMachine] = MACHINES


@dataclass(frozen=True, slots=True)
class Said:
    """What people have said: nothing but the inventory."""

    machines: Sequence[ManifestMachine] = MACHINES
    answers: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Joined:
    """Configuration and answers."""

    plant: Said = field(default_factory=Said)


@dataclass(frozen=True, slots=True)
class Played:
    """A day of evidence that nobody has measured."""

    checksum: str = "played"


@dataclass(frozen=True, slots=True)
class Past:
    """Closed days: those that are signed."""

    dates: Callable[[], Iterable[str]]

    def days(self) -> Iterable[tuple[str, Played]]:
        """Return them by date."""
        return [(when, Played()) for when in self.dates()]


@dataclass(frozen=True, slots=True)
class Factory:
    """Stands where the reporter of an agent stands: an `agent.platform.source.Source`.

    Attributes:
        past: Closed days.
        assessment: Returns what is known now.
        joined: What people have said.
    """

    past: Past
    assessment: Callable[[], Assessed]
    joined: Joined = field(default_factory=Joined)


class Assessed:
    """What the verbs of an agent ask of an assessment, out of signed days.

    Args:
        topics: The agent's branch.
        days: Signed, at least one, in order.
    """

    def __init__(self, topics: AgentTopics, days: Sequence[Day]) -> None:
        self._topics = topics
        self._days = days[-28:]
        self.view = Shown()

    def value(self, metric: str, machine: str | None = None) -> Value:
        """Return a metric of the plant, or of a machine."""
        first, last = (date.fromisoformat(self._days[at].date) for at in (0, -1))
        made = series(self._days, metric, first, last, len(self._days), machine)
        point = None if made is None else made.points[0]
        evidence = checksum(encode(self._days[-1]))
        if made is None or point is None or point.value is None:
            return Value(metric, "1", evidence, machine, reason="NA_NO_BURST")
        lo, hi = round(point.value * 0.98, 6), round(point.value * 1.02, 6)
        return Value(
            metric,
            made.unit,
            evidence,
            machine,
            point.value,
            lo,
            hi,
            n=point.days,
            coverage=1.0,
            quality="measured",
        )

    def plant(self) -> Report:
        """Return the report of the plant."""
        return self._report(None)

    def machine(self, name: str) -> Report | None:
        """Return the report of a machine, None if there is none of that name."""
        return self._report(name) if name in {machine.id for machine in MACHINES} else None

    def _report(self, name: str | None) -> Report:
        machines = [machine for machine in MACHINES if name in {None, machine.id}]
        return Report(
            factory=self._topics.factory,
            site=SITE,
            agent=self._topics.agent,
            made_at=self._days[-1].made_at,
            window=Window(
                self._days[0].date, self._days[-1].date, ZONE, sum(len(d.metrics) > 1 for d in self._days)
            ),
            formulas=FORMULAS,
            model=MODEL,
            evidence=checksum(encode(self._days[-1])),
            confidence=0.9,
            simulated=1.0,
            note=NOTE,
            values=[self.value(metric, name) for metric in METRICS],
            machine=name,
            level=Levels(0, 2),
            conditions=["V02", "A01"],
            machines=[Machine(m.id, m.weight, Levels(0, 2), "UP") for m in machines],
            missing=[Missing("V02", "NA_NO_EVIDENCE")],
        )
