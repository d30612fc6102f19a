"""T03 As-built record: lots whose process data are complete and whose way through the plant is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from readiness.identity import identities, is_first, seen_before, told_up_to
from readiness.indicators.absent import shortfall
from readiness.indicators.base import Events, Indicator, Missing, Outcome
from readiness.interventions import days as counted_days
from readiness.production import production
from readiness.serials import EVERY, rank
from readiness.spans import EMPTY, Spans, difference, intersection, union

if TYPE_CHECKING:
    from contract.report import Reason
    from readiness.identity import Shown
    from readiness.indicators.base import Shown as Value
    from readiness.view import View

COMPLETE = 0.95
LEAST = 10
SOME = 0.5


def _lack(view: View, machine: str) -> Reason | None:
    """Return what is missing: lots, states, critical parameters, or the step before."""
    if (reason := view.lack(machine, "lot", "state")) is not None:
        return reason
    if not critical(view, machine):
        return "NA_ROLE_UNCONFIRMED"  # nobody has said which parameters are critical
    previous = view.plant.of(machine).previous
    if previous is None:
        return None if is_first(view, machine) else "NA_NO_EVIDENCE"
    return view.lack(previous, "lot")


def critical(view: View, machine: str) -> list[str]:
    """Return the signals of a machine that have to be known for each lot."""
    said = sorted(view.plant.meanings.items())
    return [
        n for n, meaning in said if meaning.critical and meaning.origin != "guess" and n.split("/")[0] == machine
    ]


def evaluate(view: View, machine: str) -> Outcome:
    """Return the lots with complete critical parameters and a link to the step before, of all whole lots."""
    if (short := shortfall(view, machine)) is not None:
        return short
    if (reason := _lack(view, machine)) is not None:
        return Missing(reason)
    found, previous = identities(view, machine), view.plant.of(machine).previous
    if found is None:
        return Missing("NA_NO_EVIDENCE")
    facts = production(view, machine)
    domain = union(EMPTY, *counted_days(view, machine))
    idle = union(*(spans for state, spans in facts.states.items() if state != "executing"))
    known = [intersection(view.spans(name), domain) for name in critical(view, machine)]
    before = None if previous is None else seen_before(view, previous)
    told = EVERY if previous is None else told_up_to(view, previous)
    lots: dict[str, list[Shown]] = {}
    for one in found.shown[1:-1]:  # the first and the last one are not known to be whole
        lots.setdefault(one.id, []).append(one)
    cut = {found.shown[0].id, found.shown[-1].id} if found.shown else set()
    num, den = 0.0 * view.planned, 0.0 * view.planned
    unlinked = mixed = 0
    for name, parts in lots.items():
        whole = union(*(Spans.between(one.from_ns, one.to_ns) for one in parts))
        work = intersection(facts.executing, whole)
        if name in cut or not len(work) or 2 * intersection(work, domain).length() < work.length():
            continue
        if before is not None and name not in before and rank(name) >= told:
            continue  # the step before shows serial numbers, and its sample does not reach this one
        # What nobody knows of a lot is missing from its record, whatever the machine did meanwhile.
        counts = intersection(difference(whole, idle), domain)
        day = int(view.seen.day_of(counts.end[-1:] - 1)[0])
        linked = before is None or before.get(name, parts[0].from_ns) < parts[0].from_ns
        # A serial number is shown for a cycle, which is sometimes shorter than the median.
        cycle = (facts.cycle_ns or 0.0) * (SOME if parts[0].sampled else 1.0)
        brief = len(parts) > 2 or counts.length() < cycle
        bound = intersection(counts, union(EMPTY, *(one.binds for one in parts)))
        full = all(intersection(k, bound).length() >= COMPLETE * counts.length() for k in known)
        den[day] += 1
        num[day] += full and linked and not brief
        unlinked, mixed = unlinked + (not linked), mixed + brief
    if den.sum() < LEAST:
        return Missing("NA_FEW_EVENTS")
    flags = ("FIRST_STEP",) * (before is None) + ("MIXED_LOTS",) * bool(mixed) + found.flags
    shown: dict[str, Value] = {"lots": int(den.sum()), "unlinked": unlinked, "mixed": mixed}
    if found.serials is not None:
        shown["serials_shown"] = found.serials.shown
    return Events(num, den, flags=flags, shown=shown)


INDICATOR = Indicator(
    id="T03",
    ko="로트별 공정데이터 연결률",
    en="As-built record",
    unit="1",
    formula="lots of which each critical parameter was known for 95 % of their executing time and whose id was "
    "shown at the step before them / lots that began and ended in the window; of serial numbers, too many a day "
    "to keep, those of a sample that is the same at each step",
    source="readiness.md 7.3 T; decision 71",
    inputs=("tracks", "ids", "known", "meanings", "about", "schedule", "censored"),
    reasons=(
        "NA_NO_SCHEDULE",
        "NA_NO_EVIDENCE",
        "NA_SHORT_WINDOW",
        "NA_SELF_FAULT",
        "NA_ROLE_UNCONFIRMED",
        "NA_FEW_EVENTS",
    ),
    guard="data join a lot by time only while its id alone was shown: lots that are taken in turns, or shorter "
    "than a cycle, are mixed and do not count as recorded; an id must come from the step before, and earlier",
    evaluate=evaluate,
    roles=True,
)
