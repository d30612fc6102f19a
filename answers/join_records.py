"""Products, hand counts, stops, systems, use logs, bills, claims and onboardings, out of what was heard."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from readiness.plant import Bill, Claim, HandCount, Installed, Product, StopReason, Use

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping

    from answers.hearing import Heard, Hearing
    from readiness.schedule import Calendar

SECOND = 1_000_000_000
HOUR_NS = 3600 * SECOND


@dataclass(frozen=True, slots=True)
class Records:
    """Makes them; what names a machine that is not in the inventory is listed and left out."""

    hearing: Hearing
    heard: Mapping[str, Mapping[str, Heard]]
    machines: frozenset[str]
    calendar: Calendar

    def _of(self, kind: str) -> Iterator[tuple[str, Mapping[str, Heard]]]:
        for subject, answers in self.heard.items():
            if subject.startswith(f"{kind} "):
                yield subject, answers

    def _here(self, subject: str, machine: str, one: Heard, shown: str) -> bool:
        if machine not in self.machines:
            self.hearing.differs("unknown_machine", subject, "", replace(one, value=shown), "")
        return machine in self.machines

    def _ns(self, local: dt.datetime) -> int:
        return int(local.replace(tzinfo=ZoneInfo(self.calendar.zone)).timestamp()) * SECOND

    def products(self, signals: frozenset[str]) -> dict[str, Product]:
        """Return the products by the value that the product signal shows."""
        found = {}
        for subject, answers in self._of("product"):
            name = subject.partition(" ")[2]
            ideal, per_count = {}, {}
            for field, one in answers.items():
                kind, _, of = field.partition(" ")
                if kind == "ideal" and self._here(subject, of, one, f"{of}: {one.value / 1e9:g}s"):
                    ideal[of] = one.value / 1e9
                elif kind == "per_count" and of in signals:
                    per_count[of] = one.value
                elif kind == "per_count":
                    self.hearing.differs("unknown_signal", subject, field, one, "")
            title = answers.get("name")
            found[name] = Product(
                id=name, name=name if title is None else title.value, ideal_s=ideal, per_count=per_count
            )
        return found

    def hand_counts(self) -> tuple[HandCount, ...]:
        """Return the hand counts in order of time."""
        found = []
        for subject, answers in self._of("hand_count"):
            one = answers[""].value
            if self._here(subject, one.machine, answers[""], f"{one.from_:%Y-%m-%d %H:%M}"):
                count = HandCount(
                    machine=one.machine, from_ns=self._ns(one.from_), to_ns=self._ns(one.to),
                    total=one.total, good=one.good, reject=one.reject,
                )  # fmt: skip
                found.append(count)
        return tuple(sorted(found, key=lambda c: (c.to_ns, c.from_ns, c.machine)))

    def stop_reasons(self) -> tuple[StopReason, ...]:
        """Return the reasons that people entered, in order of time."""
        found = []
        for subject, answers in self._of("stop_reason"):
            one = answers[""].value
            if self._here(subject, one.machine, answers[""], one.reason):
                stop = StopReason(
                    machine=one.machine, from_ns=self._ns(one.from_), to_ns=self._ns(one.to), reason=one.reason,
                    entered_ns=self._ns(one.entered),
                )  # fmt: skip
                found.append(stop)
        return tuple(sorted(found, key=lambda s: (s.from_ns, s.to_ns, s.machine)))

    def systems(self, signals: frozenset[str]) -> tuple[Installed, ...]:
        """Return the installed systems, with the points that we read and those that we do not.

        A point that is said to be a signal that nobody reads counts as one that we do not read.
        """
        found = []
        for subject, answers in self._of("system"):
            name = subject.partition(" ")[2]
            said = {field: one.value for field, one in answers.items()}
            points = said.get("points", {})
            gone = {
                point: signal for point, signal in points.items() if signal is not None and signal not in signals
            }
            if gone:
                shown = replace(answers["points"], value=dict(list(gone.items())[:3]))
                self.hearing.differs("unknown_signal", subject, "points", shown, f"{len(gone)}")
            live = said.get("live")
            system = Installed(
                id=name, name=said.get("name", name), kind=said.get("kind", "other"),
                points={point: None if point in gone else signal for point, signal in points.items()},
                live_ns=None if live is None else self.calendar.bounds(live)[0],
            )  # fmt: skip
            found.append(system)
        return tuple(sorted(found, key=lambda s: s.id))

    def use(self) -> tuple[Use, ...]:
        """Return the use logs by day."""
        rows = [answers[""].value for _, answers in self._of("use")]
        found = [
            Use(
                day=r.day.isoformat(), system=r.system, account=r.account, reads=r.reads, acks=r.acks,
                sessions=r.sessions,
            )
            for r in rows
        ]  # fmt: skip
        return tuple(sorted(found, key=lambda u: (u.day, u.system, u.account)))

    def bills(self) -> tuple[Bill, ...]:
        """Return the bills by month."""
        rows = [answers[""].value for _, answers in self._of("bill")]
        return tuple(sorted((Bill(month=r.month, kwh=r.kwh) for r in rows), key=lambda b: b.month))

    def claims(self) -> tuple[Claim, ...]:
        """Return what people say themselves; several may say something of the same."""
        found: dict[tuple[str, str], list[Claim]] = defaultdict(list)
        for subject, answers in self._of("claim"):
            one = answers[""]
            _, metric, machine, _ = subject.split(" ", 3)
            if machine and not self._here(subject, machine, one, f"{one.value:g}"):
                continue
            claim = Claim(
                metric=metric, value=one.value, machine=machine or None, author=one.voice.who, date=one.voice.when
            )
            found[metric, machine].append(claim)
        return tuple(claim for key in sorted(found) for claim in sorted(found[key], key=lambda c: c.author))

    def onboardings(self) -> dict[str, float]:
        """Return the hours from first contact to all roles confirmed, by machine."""
        found = {}
        for subject, answers in self._of("onboarding"):
            one = answers[""].value
            hours = (self._ns(one.confirmed) - self._ns(one.first_contact)) / HOUR_NS
            if self._here(subject, one.machine, answers[""], f"{hours:g} h"):
                found[one.machine] = hours
        return found
