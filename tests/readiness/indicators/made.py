"""Evidence written by hand: what analyzers would leave behind, so that formulas are judged by themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from readiness.evidence import Connection, DayEvidence, SignalDay, SourceDay
from readiness.indicators.base import Missing
from readiness.inputs import INPUTS
from readiness.inventory import Machine
from readiness.plant import Plant, configured
from readiness.sketch import value
from readiness.spans import Spans
from readiness.view import View
from tests.readiness.plant import CALENDAR, DAY, FIRST, START, model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from agent.frame import Source
    from readiness.indicators.base import Indicator, Outcome
    from readiness.records import Sparse

DAYS = 28
PRODUCTION_DAYS = [day for day in range(DAYS) if day % 7 < 5]
"""Of the calendar of `tests.readiness.plant`: 08:00 to 20:00 from Monday to Friday, days begin at 08:00."""
PLAIN = Connection(protocol="modbus-tcp", mode="None", policy="None", peer_authenticated=False, time="1")
SECURE = Connection("opcua", "SignAndEncrypt", "Basic256Sha256", peer_authenticated=True, time="1")


def whole(day: int) -> Spans:
    """Return a production day."""
    return Spans.between(START + day * DAY, START + (day + 1) * DAY)


def part(
    source: Source, day: int, *, live: Spans | None = None, known: Mapping[str, Spans] | None = None, **more: object
) -> SourceDay:
    """Return one day of a source: alive and known all day unless told otherwise; `known` by signal id."""
    start, spans, signals = START + day * DAY, [], {}
    for tag in source.signals:
        spans.append((known or {}).get(tag.id, whole(day)).clip(start, start + DAY).pack(start))
        signals[f"{tag.machine}/{tag.id}"] = SignalDay(len(spans) - 1, -1, -1, 1, 0, 0, 0)
    return SourceDay(
        source=source.id, device=source.device, protocol=source.protocol, mode=source.mode,
        interval_ns=source.interval_ns, service=whole(day).pack(start),
        live=(whole(day) if live is None else live).clip(start, start + DAY).pack(start),
        spans=spans, signals=signals, requests={}, late=0, **more,  # type: ignore[arg-type]  # fields of SourceDay
    )  # fmt: skip


def record(day: int, parts: Sequence[SourceDay], **more: object) -> DayEvidence:
    """Return one day of evidence."""
    start = START + day * DAY
    fields: dict[str, object] = {"censored": {}, "connections": {}, "native": {}, **more}
    return DayEvidence(
        version=2, day=(FIRST + timedelta(days=day)).isoformat(), zone=CALENDAR.zone, start=str(start),
        end=str(start + DAY), sources=[*parts], simulated=[], late_events=0, **fields,  # type: ignore[arg-type]
    )  # fmt: skip


def days(sources: Sequence[Source], number: int = DAYS, **more: object) -> list[DayEvidence]:
    """Return days on which all sources but those of bursts were alive; `more` is the same on each day."""
    polled = [s for s in sources if s.mode != "burst"]
    return [record(day, [part(s, day) for s in polled], **more) for day in range(number)]


def view(
    sources: Sequence[Source],
    records: Sequence[DayEvidence],
    about: Callable[[Plant], Plant] = lambda plant: plant,
    machines: Sequence[str] = ("press",),
) -> View:
    """Return the view at the end of the last of 28 days; `about` adds what people say."""
    plant = about(configured(sources, [Machine(m, m) for m in machines]))
    return View(
        days=records, tallies={}, catalog=sources, plant=plant, calendar=CALENDAR, now_ns=START + DAYS * DAY,
        model=model(),
    )  # fmt: skip


def outcome(
    indicator: Indicator,
    sources: Sequence[Source],
    records: Sequence[DayEvidence],
    about: Callable[[Plant], Plant] = lambda plant: plant,
    machine: str = "press",
) -> Outcome:
    """Return what a formula finds at one machine."""
    machines = sorted({tag.machine for source in sources for tag in source.signals} | {machine})
    found = indicator.evaluate(view(sources, records, about, machines), machine)
    assert not isinstance(found, Missing) or found.reason in indicator.reasons
    assert set(indicator.inputs) <= set(INPUTS)
    return found


def device(source: Source, name: str, **more: object) -> Source:
    """Return a source as another device's."""
    return replace(source, id=f"{name}.main", device=name, **more)  # type: ignore[arg-type]  # fields of Source


def sparse(counts: Mapping[int, int]) -> Sparse:
    """Return [index, number, ...]."""
    return [n for pair in sorted(counts.items()) for n in pair]


def near(counts: Sequence[Mapping[int, int]], share: float) -> float:
    """Return the quantile of sketches by writing all values out and sorting them."""
    every = np.sort(np.concatenate([np.repeat(value(b), n) for day in counts for b, n in day.items()]))
    return float(every[max(0, int(np.ceil(share * len(every) - 1e-9)) - 1)])
