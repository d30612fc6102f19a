"""The readiness report: everything together, from canonical days to the bytes of an answer.

    assessment = assess(days, tallies, catalog, plant, calendar, now_ns, model, site)
    assessment.plant()           the retained report
    assessment.respond(body)     the answer to `report.get`

Pure and deterministic: equal evidence, configuration and data time give equal bytes.
"""

from __future__ import annotations

from collections import defaultdict
from copy import copy
from dataclasses import dataclass
from dataclasses import replace as replace_view
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from contract.codec import checksum, decode, encode
from contract.errors import WireError
from contract.report import (
    NOTE,
    Away,
    Contradiction,
    Refusal,
    Report,
    ReportRequest,
    Value,
    Window,
)
from readiness import facts
from readiness.bands import bands, carried, of_dimensions
from readiness.chances import Replicates
from readiness.combine import Combiner
from readiness.conditions import conditions
from readiness.contradictions import listed
from readiness.dimensions import dimensions, index
from readiness.evidence import Recorded, read
from readiness.fingerprint import fingerprint, of_link
from readiness.indicators import REGISTRY
from readiness.levels import cascade, judge
from readiness.measured import measured
from readiness.model import FORMULAS
from readiness.nature import is_utility, producing
from readiness.outcomes import forget, outcome
from readiness.settling import pieces
from readiness.shortened import shortened
from readiness.stats import CONFIDENCE
from readiness.view import View

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from contract.report import Error, Levels
    from readiness.catalog import Link
    from readiness.evidence import DayEvidence
    from readiness.indicators.base import Outcome
    from readiness.inventory import Machine
    from readiness.model import Model
    from readiness.past import Past
    from readiness.plant import Contradiction as Said
    from readiness.plant import Plant
    from readiness.schedule import Calendar

_NOBODY: Mapping[str, Collection[str]] = {}


@dataclass(frozen=True, slots=True)
class Site:
    """Whose report it is; ids as in topics."""

    factory: str
    site: str
    agent: str


class Assessment:
    """One state of knowledge: values are computed once, then answers are cut from them.

    Args:
        view: The window's evidence.
        site: Whose it is.
        evidence: Hash of all that the values depend on beside the model.
        sums: ISO date -> hash of what is known of that day, for all days up to the window's last.
        away: Agents, and dates of which others have evidence and they have not.

    Attributes:
        sums: As given.
        made_ns: Data time at which it was asked for.
        past: What earlier windows say, where somebody looks back.
        broken: First day that can be compared, where evidence of days before was measured differently.
        look_up: Returns the days of a window that ends with a date, where these here are not whole for it.
    """

    def __init__(
        self,
        view: View,
        site: Site,
        evidence: str,
        sums: Mapping[str, str] | None = None,
        away: Mapping[str, Collection[str]] = _NOBODY,
    ) -> None:
        self._view = view
        self._away = away
        self._site = site
        self._evidence = evidence
        self.sums = dict(sums or {})
        self.past: Past | None = None
        self.broken: str | None = None
        self.look_up: Callable[[date], Sequence[DayEvidence]] | None = None
        self.made_ns = view.now_ns
        self._combiner = Combiner(view, evidence)
        self._outcomes: dict[str, dict[str, Outcome]] = {}
        self._values: dict[tuple[str, str], Value] = {}

    @property
    def view(self) -> View:
        """The evidence that it rests on."""
        return self._view

    def after(self, before: Assessment | None) -> Assessment:
        """Return this assessment, with what was computed before where all that it depends on is as it was."""
        if before is None or self.depends != before.depends:
            return self
        again = copy(before)
        again.made_ns = self.made_ns
        return again

    @property
    def depends(self) -> tuple[object, ...]:
        """All that its values and its head rest on, beside the time at which it is made."""
        return self._evidence, self._view.dates, self._view.model.hash, self._site, self._away, self.broken

    def outcomes(self, metric: str) -> Mapping[str, Outcome]:
        """Return what a formula found at each declared machine."""
        self.look([metric])
        return self._outcomes[metric]

    def look(self, metrics: Iterable[str]) -> None:
        """Evaluate formulas, machine by machine: what looks back far holds much of each."""
        wanted = [REGISTRY[metric] for metric in metrics if metric not in self._outcomes]
        machines = [m.id for m in self._view.inventory if wanted]
        found: dict[str, dict[str, Outcome]] = {
            one.id: {m: outcome(self._view, one, machines[0]) for m in machines if one.scope == "plant"}
            for one in wanted
        }
        for machine in machines:
            for one in wanted:
                if one.scope != "plant":
                    found[one.id][machine] = outcome(self._view, one, machine)
            forget(self._view, machine)
        self._outcomes |= found
        if wanted:
            forget(self._view)

    def value(self, metric: str, machine: str) -> Value:
        """Return an indicator of one declared machine."""
        if (metric, machine) not in self._values:
            found = self.outcomes(metric)[machine]
            self._values[metric, machine] = self._combiner.machine(REGISTRY[metric], machine, found)
        return self._values[metric, machine]

    def values(self, machines: Collection[str] | None = None) -> dict[str, Value]:
        """Return all indicators of the plant, or of a part of its machines."""
        self.look(REGISTRY)
        return {
            metric: self._combiner.plant(
                indicator, {m: o for m, o in self.outcomes(metric).items() if machines is None or m in machines}
            )
            for metric, indicator in REGISTRY.items()
        }

    def whole(self) -> Mapping[str, Value]:
        """Return all indicators of the whole plant."""
        return self._plant

    @cached_property
    def _plant(self) -> dict[str, Value]:
        return self.values()

    @property
    def level(self) -> Levels:
        """The plant's level in this window alone."""
        return judge(self._view.model.gates, producing(self._view), self._gated)[0]

    @property
    def production_days(self) -> int:
        """Days of the window that count for any machine."""
        return int(self._days.sum())

    def key(self, last: date, more: str = "") -> str:
        """Return a hash of all that the window which ends with `last` depends on, as things are known now."""
        parts = [f"{day} {one}" for day, one in sorted(self.sums.items()) if day <= last.isoformat()]
        return checksum(" ".join([*parts, last.isoformat(), self._said, more]).encode())

    @cached_property
    def _said(self) -> str:
        return _said(self._view) + self._view.model.hash

    def earlier(self, last: date, key: str) -> Assessment:
        """Return the window that ends with `last`, assessed with what is configured, answered and kept now."""
        view = self._view
        now_ns = view.calendar.bounds(last)[1]
        kept = view.days if self.look_up is None else self.look_up(last)
        days = [day for day in kept if day.day <= last.isoformat()]
        return Assessment(replace_view(view, days=days, now_ns=now_ns), self._site, key)

    @cached_property
    def _gated(self) -> dict[str, dict[str, Value]]:
        """Machine -> what its gates ask for."""
        asked = [m for condition in conditions(self._view.model.gates.levels) for m in condition.metrics()]
        self.look(asked)
        return {
            m.id: {
                **{metric: self.value(metric, m.id) for metric in asked},
                **facts.of_machine(self._view, m.id, self._evidence),
            }
            for m in self._view.inventory
        }

    def plant(self) -> Report:
        """Return the report of the plant: its values, what they sum up to, and the gates of each machine."""
        model, values = self._view.model, self._plant
        found = dimensions(model, values, self._evidence)
        quorum, inventory = model.gates.quorum, self._view.inventory
        told = self.past and self.past.of(self)
        known = {
            **{metric: carried(v, self.outcomes(metric), inventory, quorum) for metric, v in values.items()},
            **facts.of_plant(self._view, self.outcomes, self._evidence),
            **of_dimensions(found, self._evidence),
        }
        return self._report(
            list(values.values()),
            **self._levels(producing(self._view)),
            **self._answered(listed(self, values.values())),
            dimensions=found,
            index=index(found),
            siri=bands(model.siri, known),
            acatech=bands(model.acatech, known)[0],
            measured=measured(self._view),
            standing=told and told.standing,
            trend=told and told.trend,
            broken=self.broken,
        )

    def machine(self, machine: str) -> Report | None:
        """Return the report of one machine with all its values, or None if the inventory has no such machine."""
        inventory = [m for m in self._view.inventory if m.id == machine]
        if not inventory:
            return None
        values = {metric: self.value(metric, machine) for metric in REGISTRY}
        return self._report(
            list(values.values()),
            machine=machine,
            **({} if is_utility(self._view, machine) else self._levels(inventory)),
            **self._answered([c for c in listed(self) if c.machine == machine]),
            dimensions=dimensions(self._view.model, values, self._evidence),
            measured=measured(self._view, machine),
        )

    def _levels(self, inventory: Sequence[Machine]) -> dict[str, object]:
        gates = self._view.model.gates
        level, machines, missing = judge(gates, inventory, self._gated)
        asked = conditions(gates.levels)
        outcomes = {metric: self.outcomes(metric) for condition in asked for metric in condition.metrics()}
        drawn = Replicates(gates, self._gated, outcomes, self._days, f"{self._evidence} levels")
        return {
            "level": machines[0].level if len(inventory) == 1 else level,
            "machines": machines,
            "missing": missing,
            "conditions": [condition.name for condition in asked],
            "settle": pieces(gates, machines, self._gated),
            "chances": drawn.chances(inventory),
            "cascade": cascade(gates, machines),
        }

    def _answered(self, found: Iterable[Said]) -> dict[str, object]:
        return {
            "answers": list(self._view.plant.answers),
            "contradictions": [
                Contradiction(
                    code=c.code, subject=c.subject, said=c.said, seen=c.seen, when=c.when, machine=c.machine
                )
                for c in found
            ],
        }

    @cached_property
    def _days(self) -> NDArray[np.bool_]:
        """Days of the window that count for any machine."""
        counted = [self._view.counting(m.id) > 0 for m in self._view.inventory]
        return np.asarray(np.any([np.zeros(len(self._view.dates), np.bool_), *counted], axis=0))

    def retained(self) -> bytes:
        """Return the plant's report for the retained topic, at most 32 kB."""
        return shortened(self.plant())

    def respond(self, body: bytes) -> bytes:
        """Return the answer to `report.get`: a Report, or a Refusal (`bad_request`, `no_data`)."""
        try:
            request = decode(body.strip() or b"{}", ReportRequest)
        except WireError as exc:
            return refusal("bad_request", f'{exc}; send {{}} or {{"machine": ID}}')
        if request.machine is None:
            return encode(self.plant())
        report = self.machine(request.machine)
        if report is None:
            return refusal("no_data", f"no machine {request.machine!r} in the inventory of {self._site.agent}")
        return encode(report)

    def _report(self, values: list[Value], **parts: object) -> Report:
        view = self._view
        return Report(
            factory=self._site.factory,
            site=self._site.site,
            agent=self._site.agent,
            made_at=str(self.made_ns),
            window=Window(
                view.dates[0].isoformat(), view.dates[-1].isoformat(), view.calendar.zone, self.production_days
            ),
            formulas=FORMULAS,
            model=view.model.hash,
            evidence=self._evidence,
            confidence=CONFIDENCE,
            simulated=round(view.simulated, 6),
            note=NOTE,
            values=values,
            absent=self._absent(),
            **parts,  # type: ignore[arg-type]  # fields of Report
        )

    def _absent(self) -> list[Away]:
        """Return the agents of which days of the window are missing."""
        window = {date.isoformat() for date in self._view.dates}
        found = [Away(agent, len(window & set(dates))) for agent, dates in sorted(self._away.items())]
        return [one for one in found if one.days]


def _said(view: View) -> str:
    """Return a hash of what people and configuration say."""
    links = checksum(encode([of_link(link) for link in view.catalog]))
    return fingerprint(view.inventory, view.plant, view.calendar) + links


def refusal(error: Error, message: str) -> bytes:
    """Return the bytes of an answer that says no."""
    return encode(Refusal(error, message))


def assess(
    days: Mapping[str, bytes | Recorded],
    tallies: Mapping[tuple[str, str], Mapping[int, int]],
    catalog: Sequence[Link],
    plant: Plant,
    calendar: Calendar,
    now_ns: int,
    model: Model,
    site: Site,
    away: Mapping[str, Collection[str]] = _NOBODY,
) -> Assessment:
    """Assess a site over the 28 production days before the one that `now_ns` lies in.

    Args:
        days: ISO date -> evidence of closed days, as bytes or read; more than the window may be given.
        tallies: (ISO date, key) -> bucket -> number, as counted by `agent.analyzers.latency.Latency`.
        catalog: The configured sources; `agent.frame.Source` fits.
        plant: What people say; `readiness.plant.configured` makes it of a configuration alone.
        calendar: The site's calendar.
        now_ns: Data time, UTC nanoseconds.
        model: From `readiness.model.parse`.
        site: Ids for the head.
        away: Of a factory with several agents: agent -> ISO dates of which its evidence has not come.

    Raises:
        WireError: a day's bytes are not evidence of a version that this release reads.
    """
    recorded = {day: one if isinstance(one, Recorded) else read(one) for day, one in sorted(days.items())}
    view = View(
        days=[one.day for one in recorded.values()],
        tallies=tallies, catalog=catalog, plant=plant, calendar=calendar, now_ns=now_ns, model=model,
    )  # fmt: skip
    until = view.dates[-1].isoformat()
    used = {day: one.checksum for day, one in recorded.items() if day <= until}
    counted: dict[str, list[object]] = defaultdict(list)
    for (day, name), buckets in sorted(tallies.items()):
        if day <= until:
            counted[day].append([day, name, sorted(buckets.items())])
    sums = {day: used.get(day, "") + checksum(encode(counted[day])) for day in used.keys() | counted.keys()}
    every = [one for day in sorted(counted) for one in counted[day]]
    evidence = checksum("".join(used.values()).encode()) + checksum(encode(every))
    return Assessment(view, site, checksum((evidence + _said(view)).encode()), sums, away)
