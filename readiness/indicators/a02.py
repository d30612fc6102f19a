"""A02 Sampling sufficiency: whether measured values are read fast enough for what is in them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from readiness.catalog import key
from readiness.indicators.base import Indicator, Missing, Outcome, Sample
from readiness.production import production
from readiness.records import MILLI_NS
from readiness.spans import Spans

if TYPE_CHECKING:
    from readiness.catalog import Link, Tag
    from readiness.view import View

NOT_ANALOG = frozenset({"bool", "string", "timestamp"})
FASTER = 2.0
"""Times as fast as the normal reading that a burst must be to show anything that the normal one cannot."""
NOISE = 0.9
"""Share of a burst's power in the noise floor beyond which what is above it is chance."""
WHOLE = 0.99
"""Of a burst must lie in executing time; the rest is the rounding of both."""


@dataclass(slots=True)
class _Looked:
    """What bursts said of a machine's signals."""

    ratios: dict[str, float] = field(default_factory=dict)  # by signal
    bursts: int = 0
    idle: int = 0


def _siblings(view: View, machine: str) -> dict[str, list[str]]:
    """Return for each signal that is read normally the names in evidence under which it is read in bursts.

    A burst has a signal of its own, because ids are unique on a machine: it says whose (`burst_of`), or, where it
    does not, it bears the name of the one it is of. A name that several normal signals bear says nothing.
    """
    normal = [tag for _, tag in view.tags.get(machine, ())]
    often = Counter(tag.name for tag in normal)
    fast: dict[str, list[str]] = {}
    named: dict[str, list[str]] = {}
    for _, tag in view.fast.get(machine, ()):
        if tag.burst_of is not None:
            fast.setdefault(tag.burst_of, []).append(key(tag))
        else:
            named.setdefault(tag.name, []).append(key(tag))
    return {
        key(tag): [
            key(tag), *fast.get(tag.id, ()), *(named.get(tag.name, ()) if often[tag.name] == 1 else ()),
        ]
        for tag in normal
    }  # fmt: skip


def _look(view: View, machine: str, wanted: list[tuple[Link, Tag]]) -> _Looked:
    executing, siblings, found = production(view, machine).executing, _siblings(view, machine), _Looked()
    for link, tag in wanted:
        rate, ratios = 1e9 / link.interval_ns, []
        for name in siblings[key(tag)]:
            for _, record, bursts in view.seen.bursts(name):
                for burst in bursts:
                    if burst.f95_hz <= 0 or burst.flat > NOISE or burst.rate_hz < FASTER * rate:
                        continue  # nothing but noise was seen, or nothing that the normal reading does not see
                    found.bursts += 1
                    start = record.start_ns + burst.begin_ms * MILLI_NS
                    window = Spans.between(start, start + burst.length_ms * MILLI_NS)
                    if executing.within(window).sum() >= WHOLE * burst.length_ms * MILLI_NS:
                        ratios.append(rate / (2 * burst.f95_hz))
                    else:
                        found.idle += 1
        if ratios:
            found.ratios[key(tag)] = median(ratios)
    return found


def evaluate(view: View, machine: str) -> Outcome:
    """Return for each measured value how often it is read, in multiples of what its frequencies demand."""
    if (reason := view.lack(machine, "pv")) is not None:
        return Missing(reason)
    names = set(view.signals(machine, "pv"))
    wanted = [(link, tag) for link, tag in view.tags[machine] if key(tag) in names and tag.dtype not in NOT_ANALOG]
    if not wanted:
        return Missing("NA_NO_EVIDENCE")
    found = _look(view, machine, wanted)
    if not found.ratios:
        state = view.lack(machine, "state")
        return Missing(state if found.bursts and state is not None else "NA_NO_BURST")
    without = len(wanted) - len(found.ratios)
    return Sample(
        tuple(sorted(found.ratios.values())),
        quality="partial" if without else "measured",
        flags=("IDLE_BURSTS",) if found.idle else (),
        shown={
            "sufficient_share": round(sum(r >= 1 for r in found.ratios.values()) / len(found.ratios), 6),
            "without_burst": without,
            "idle_bursts": found.idle,
            "filter_before": "unknown",
        },
    )


INDICATOR = Indicator(
    id="A02",
    ko="샘플링 충분성",
    en="Sampling sufficiency",
    unit="{ratio}",
    formula="median over analog measured values of r = rate of reading / (2 f95); f95 is the frequency below "
    "which 95 % of the power above the noise floor lie, in bursts; the share with r >= 1 is shown",
    source="readiness.md 7.3 A; decision 0047",
    inputs=("bursts", "tracks", "catalog", "meanings"),
    reasons=("NA_NO_EVIDENCE", "NA_ROLE_UNCONFIRMED", "NA_NO_BURST"),
    guard="never from the normal reading, in which what is too fast looks slow; only bursts that lie in "
    "executing time (IDLE_BURSTS); the noise floor, quantisation included, is taken out; filters in the "
    "controller are not known",
    evaluate=evaluate,
    roles=True,
)
