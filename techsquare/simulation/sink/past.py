"""Verdicts of earlier years: projects that are over, of factories that have long left, as rows.

No platform stood there, so there is nothing to call: what is written is what `services.plans` would have left of
them, with the outcomes that the market draws (`market.past`). Without it every record would begin empty, and the
first night would advise everybody not to buy.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from techsquare.registry import tables as t
from techsquare.registry.ids import new_id
from techsquare.registry.store import add
from techsquare.services.plain import plain
from techsquare.services.series import METRICS
from techsquare.simulation.market import past
from techsquare.simulation.seeds import generator
from techsquare.simulation.sink import MARK
from techsquare.simulation.sink.clock import instant
from techsquare.verdict import plan as planning
from techsquare.verdict.controls import Choice
from techsquare.verdict.terms import ALPHAS, DECIDED, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from sqlalchemy.orm import Session

    from techsquare.catalogue.model import Entry
    from techsquare.matching.terms import Counted
    from techsquare.registry.base import Base
    from techsquare.simulation.sink.desk import Desk
    from techsquare.simulation.terms import Setting, Vendor
    from techsquare.verdict.terms import Plan, Word

FACTORIES = 12
BEGUN = (600, 1000)
"""Days before the programme in which they began: no gain of theirs is watched any more."""
WORSE = 0.3
"""Of decided outcomes that are no improvement."""
OF_BUCKET: Mapping[str, str] = {
    "setup": "setup", "fault": "fault", "standby": "standby", "off": "availability", "speed": "effectiveness",
    "scrap": "quality",
}  # fmt: skip
"""Loss -> the metric of a plan against it."""
Z = 2.054


def written(desk: Desk, setting: Setting, market: Sequence[Vendor], versions: Mapping[str, str]) -> None:
    """Write the verdicts of the years before."""
    entries = {entry.id: entry for entry in desk.books.catalogue.entries}
    names = [f"p{number:03d}" for number in range(FACTORIES)]
    at, left = instant(setting.begins - timedelta(days=BEGUN[1] + 30)), instant(setting.begins - timedelta(days=30))
    for name in names:
        party = t.Party(
            id=name, kind="factory", name=f"{MARK}이전 사업 참여 공장 {name}", created_at=at, closed_at=left
        )
        about = t.Factory(id=name, kind="factory", region="KR-41", industry="C25")
        desk.write(lambda s, rows=(party, about): add(s, *rows))  # type: ignore[misc]
    counts = past(setting, market)
    for vendor in market:
        found: list[Base] = []
        for product in vendor.products:
            counted = counts.get((vendor.supplier.id, product.solution.family))
            if counted is not None:
                rng = generator(setting.seed, "past rows", product.solution.id)
                version = versions[product.solution.id]
                found += _of(counted, entries[product.entry], vendor.supplier.id, version, names, setting, rng)

        def work(session: Session, rows: Sequence[Base] = found) -> None:
            add(session, *rows)

        desk.write(work)


def _of(
    counted: Counted, entry: Entry, supplier: str, version: str, names: Sequence[str], setting: Setting,
    rng: np.random.Generator,
) -> Iterator[Base]:  # fmt: skip
    words: list[tuple[Word, tuple[float, float] | None]] = [("improved", gain) for gain in counted.gains]
    others = counted.decided - counted.improved
    words += [("worse" if rng.random() < WORSE else "no_change", None) for _ in range(others)]
    words += [("cannot_tell", None) for _ in range(counted.cannot_tell)]
    words += [("cause_not_shown", None) for _ in range(counted.cause_not_shown)]
    metric = OF_BUCKET[str(next(gain.bucket for gain in entry.gains if gain.bucket != "energy"))]
    for word, gain in words:
        factory = names[int(rng.integers(len(names)))]
        begun = setting.begins - timedelta(days=int(rng.integers(*BEGUN)))
        yield from _project(word, gain, metric, (factory, supplier, version, entry.id), begun, float(rng.normal()))


def _project(
    word: Word, gain: tuple[float, float] | None, metric: str, of: tuple[str, str, str, str], begun: date,
    moved: float,
) -> Iterator[Base]:  # fmt: skip
    factory, supplier, version, measure = of
    project, key = new_id(), new_id()
    plan = _plan(project, metric, factory, begun)
    about = METRICS[metric]
    level = 0.1
    share, error = gain or (moved * 0.05, 0.12)
    if word == "worse":
        share, error = -0.4, 0.1
    estimate, half = about.sign * share * level, Z * error * level
    told = None if word == "cause_not_shown" else (estimate - half, estimate + half)
    outcome = Verdict(
        word=word, look=1, alpha=ALPHAS[0], estimate=None if told is None else estimate,
        low=None if told is None else told[0], high=None if told is None else told[1],
        own=(estimate, estimate - half, estimate + half), controls=0 if told is None else 8,
        sites=0 if told is None else 1, days=(50, 48), dropped=(1, 2), placebo=None, placebos=(),
        larger_than=abs(estimate) + half if word == "no_change" else None, why=(), plan=plan.hash,
    )  # fmt: skip
    body = plain(outcome) | ({} if gain is None else {"gain": {"share": share, "error": error}})
    signed, frozen = begun + timedelta(days=60), begun + timedelta(days=70)
    yield t.Engagement(
        id=project, factory_id=factory, supplier_id=supplier, version_id=version, measure_id=measure, state="ended",
        agreed_on=signed - timedelta(days=5), signed_on=signed, installed_on=plan.installed,
        accepted_on=plan.installed + timedelta(days=14), ended_on=plan.extended_to + timedelta(days=5),
    )  # fmt: skip
    yield t.MeasurementPlan(
        id=key, engagement_id=project, metric=metric, applied_on=plan.applied, baseline_from=plan.baseline[0],
        baseline_to=plan.baseline[1], verdict_on=plan.verdict_on, extended_to=plan.extended_to, least=plan.least,
        body={name: value for name, value in plain(plan).items() if name != "controls"} | {"machines": 8},
        owner_at=instant(frozen), supplier_at=instant(frozen), frozen_at=instant(frozen), hash=plan.hash,
    )  # fmt: skip
    looks = ((1, plan.verdict_on),) if word in DECIDED else ((1, plan.verdict_on), (2, plan.extended_to))
    for look, on in looks:
        yield t.Outcome(
            id=new_id(), plan_id=key, look=look, on_date=on, word=word, estimate=outcome.estimate,
            low=outcome.low, high=outcome.high, body=body | {"look": look}, at=instant(on),
        )  # fmt: skip


def _plan(project: str, metric: str, factory: str, begun: date) -> Plan:
    about = METRICS[metric]
    installed = begun + timedelta(days=85)
    return planning.draft(
        project=project, metric=metric, unit=about.unit, sign=1 if about.sign > 0 else -1,
        treated=[f"{factory}/m01"], choice=Choice((), "site", {}), applied=begun,
        frozen=begun + timedelta(days=71), baseline=(begun + timedelta(days=2), begun + timedelta(days=70)),
        installed=installed, days_after=60, extension_days=30, least=0.01,
    )  # fmt: skip
