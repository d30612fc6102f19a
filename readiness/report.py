"""The readiness report: everything together, from canonical days to the bytes of an answer.

    assessment = assess(days, tallies, catalog, plant, calendar, now_ns, model, site)
    assessment.plant()           the retained report
    assessment.respond(body)     the answer to `report.get`

Pure and deterministic: equal evidence, configuration and data time give equal bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec.structs import replace

from contract.codec import REPORT_LIMIT, checksum, decode, encode
from contract.errors import WireError
from contract.report import NOTE, Missing, Refusal, Report, ReportRequest, Value, Window
from readiness.combine import Combiner
from readiness.evidence import digest, load
from readiness.indicators import REGISTRY
from readiness.levels import conditions, judge
from readiness.model import FORMULAS
from readiness.stats import CONFIDENCE
from readiness.view import View

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contract.report import Error
    from readiness.catalog import Link
    from readiness.indicators.base import Outcome
    from readiness.model import Model
    from readiness.plant import Plant
    from readiness.schedule import Calendar


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
        evidence: Hash of the evidence.
    """

    def __init__(self, view: View, site: Site, evidence: str) -> None:
        self._view = view
        self._site = site
        self._evidence = evidence
        self._combiner = Combiner(view, evidence)

    @cached_property
    def _outcomes(self) -> dict[str, dict[str, Outcome]]:
        """Metric -> machine -> what the formula found."""
        return {
            metric: {m.id: indicator.evaluate(self._view, m.id) for m in self._view.inventory}
            for metric, indicator in REGISTRY.items()
        }

    @cached_property
    def _machines(self) -> dict[str, dict[str, Value]]:
        """Machine -> metric -> value."""
        return {
            m.id: {
                metric: self._combiner.machine(REGISTRY[metric], m.id, outcomes[m.id])
                for metric, outcomes in self._outcomes.items()
            }
            for m in self._view.inventory
        }

    def plant(self) -> Report:
        """Return the report of the plant: its values, and the gates of each machine."""
        values = [self._combiner.plant(REGISTRY[metric], outcomes) for metric, outcomes in self._outcomes.items()]
        gates = self._view.model.gates
        level, machines, missing = judge(gates, self._view.inventory, self._machines)
        asked = [c.metric for c in conditions(gates)]
        return self._report(values, level=level, machines=machines, missing=missing, conditions=asked)

    def machine(self, machine: str) -> Report | None:
        """Return the report of one machine with all its values, or None if the inventory has no such machine."""
        if machine not in self._machines:
            return None
        gates, values = self._view.model.gates, self._machines
        inventory = [m for m in self._view.inventory if m.id == machine]
        _, machines, missing = judge(gates, inventory, values)
        asked = [c.metric for c in conditions(gates)]
        return self._report(
            list(values[machine].values()), machine=machine, level=machines[0].level,
            machines=machines, missing=missing, conditions=asked,
        )  # fmt: skip

    def retained(self) -> bytes:
        """Return the plant's report for the retained topic, at most 32 kB.

        Of a plant too large for that, details go that `report.get` gives for each machine: first for which machines
        evidence is missing, then the machines' gates. Values, level and reasons always stay.
        """
        report = self.plant()
        if len(encode(report)) > REPORT_LIMIT:
            report = replace(report, missing=[Missing(m.metric, m.reason) for m in report.missing])
        if len(encode(report)) > REPORT_LIMIT:
            report = replace(report, machines=[])
        return encode(report)

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
        counted = [view.counting(m.id) > 0 for m in view.inventory]
        days = sum(any(day) for day in zip(*counted, strict=True)) if counted else 0
        return Report(
            factory=self._site.factory,
            site=self._site.site,
            agent=self._site.agent,
            made_at=str(view.now_ns),
            window=Window(view.dates[0].isoformat(), view.dates[-1].isoformat(), view.calendar.zone, days),
            formulas=FORMULAS,
            model=view.model.hash,
            evidence=self._evidence,
            confidence=CONFIDENCE,
            simulated=round(view.simulated, 6),
            note=NOTE,
            values=values,
            **parts,  # type: ignore[arg-type]  # fields of Report
        )


def refusal(error: Error, message: str) -> bytes:
    """Return the bytes of an answer that says no."""
    return encode(Refusal(error, message))


def assess(
    days: Mapping[str, bytes],
    tallies: Mapping[tuple[str, str], Mapping[int, int]],
    catalog: Sequence[Link],
    plant: Plant,
    calendar: Calendar,
    now_ns: int,
    model: Model,
    site: Site,
) -> Assessment:
    """Assess a site over the 28 production days before the one that `now_ns` lies in.

    Args:
        days: ISO date -> canonical evidence of closed days; more than the window may be given.
        tallies: (ISO date, key) -> bucket -> number, as counted by `agent.analyzers.latency.account`.
        catalog: The configured sources; `agent.frame.Source` fits.
        plant: What people say; `readiness.plant.configured` makes it of a configuration alone.
        calendar: The site's calendar.
        now_ns: Data time, UTC nanoseconds.
        model: From `readiness.model.parse`.
        site: Ids for the head.

    Raises:
        WireError: a day's bytes are not evidence of a version that this release reads.
    """
    view = View(
        days=[load(raw) for _, raw in sorted(days.items())],
        tallies=tallies, catalog=catalog, plant=plant, calendar=calendar, now_ns=now_ns, model=model,
    )  # fmt: skip
    window = {day.isoformat() for day in view.dates}
    used = [raw for day, raw in sorted(days.items()) if day in window]
    counted = sorted(
        [day, name, sorted(buckets.items())] for (day, name), buckets in tallies.items() if day in window
    )
    return Assessment(view, site, checksum((digest(used) + checksum(encode(counted))).encode()))
