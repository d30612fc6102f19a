"""A diagnosis out of what is known of a factory: one engine after the other, one body for a page. Touches no row.

    days -> accounts -> losses by the money rule -> gaps       with the answers' account where no day tells of it
    days -> electricity                                         beside them
    report -> level, dimensions, indicators; answers and questionnaire beside it; what contradicts
    facts -> where each result stands, and what to do next

The answers are about one machine. Their account is priced beside those of days only where no day tells of that
machine and it has a name of its own: a machine that nobody has named may be one that is measured. What they say is
always shown, marked as answers, and put beside the measurement of the same machine.

The body holds nothing of when it was made, so that equal rows make equal bytes; `hash` is over them. Numbers are
rounded only here and only where they are money: won, outwards to whole ones.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec

from contract.codec import encode
from techsquare.diagnosis import beside, ledger
from techsquare.diagnosis.accounts import accounts, oee
from techsquare.diagnosis.days import chosen
from techsquare.diagnosis.energy import bases, energies
from techsquare.diagnosis.gaps import confidence, gaps, reasons_of
from techsquare.entry.cheapest import cheapest, visit
from techsquare.entry.provisional import provisional
from techsquare.entry.stages import stage, standings
from techsquare.entry.terms import MAIN
from techsquare.services import measured, said
from techsquare.services.plain import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from contract.report import Report
    from techsquare.diagnosis.terms import Account, Bucket, Energy, Gap, Loss, MachineDay, Rates, Source
    from techsquare.entry.stages import Facts, Stage
    from techsquare.entry.terms import Provisional
    from techsquare.span import Span

FORMULA: Mapping[Bucket, str] = {
    "scrap": "PRI (PQ - GQ) / PBT", "speed": "(APT - PRI PQ) / PBT", "setup": "AUST / PBT", "standby": "ADOT / PBT",
    "fault": "ADET / PBT", "off": "OFF / PBT",
}  # fmt: skip
"""Of a loss as a share of planned busy time, with the names of ISO 22400-2."""
RULE: Mapping[str, str] = {"yes": "contribution", "no": "avoidable", "unknown": "between"}
"""By which part of the money rule an hour is worth something: does the machine limit what can be sold?"""
MOST_WON = 10**15
"""No factory loses more in a year: beyond, a rate was mistyped, and the number would not fit a column."""
HEAD = (
    "made_at", "window", "formulas", "model", "evidence", "simulated", "level", "conditions", "machines", "missing",
    "settle", "dimensions", "index", "siri", "acatech", "measured", "standing", "absent",
)  # fmt: skip
"""What a diagnosis shows of a report."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a factory.

    `report` is of the plant, `machines` of single machines; `facts` are counted (`services.standing`) but for the
    rates, which follow from the losses.
    """

    rows: measured.Measured
    lines: Sequence[measured.Impossible]
    told: said.Told
    report: Report | None
    machines: Sequence[Report]
    facts: Facts


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is stored of it."""

    kind: Source
    state: Stage
    window: tuple[date, date] | None
    formulas: str | None
    model: str | None
    coverage: float
    losses: Sequence[Loss]
    gaps: Sequence[Gap]
    body: dict[str, Any]
    hash: str


def diagnose(known: Known) -> Diagnosis | None:
    """Return the diagnosis; None where nothing at all is known."""
    told, rows, report = known.told, known.rows, known.report
    answered = _provisional(told)
    prior = next(q.prior for q in said.form().questions if q.id == "days_week")
    assert prior is not None  # `entry.checks` refuses a form without one
    year, basis = measured.year(rows.days, told.days_week, (prior.low + prior.high) / 2)
    # Days on which nothing was known of the machine that the answers are about do not silence them.
    known_of = {one.machine for one in rows.days if one.planned_s > 0 and one.known_s > 0}
    silent = told.machine if answered and told.machine not in known_of else None
    every = accounts(rows.days, year)
    seen = [one for one in every if one.machine != silent]
    used = [*seen, *([answered.account] if answered and _stands(answered.account, seen) else [])]
    if not used and report is None:
        return None
    used.sort(key=lambda account: account.machine)
    losses = [loss for one in used for loss in ledger.losses([one], _rates(told, one))]
    power = energies(rows.days, told.rates, year, bases(known.machines))
    found = gaps(losses, used, power, report, reasons_of(rows.days))
    facts = replace(known.facts, rates=any(loss.won_year is not None for loss in losses))
    kind = _kind([day for day in rows.days if day.machine != silent], every, report)
    busy = sorted({one.day for one in rows.days if one.planned_s > 0})
    form, asked = said.form(), said.questionnaire()
    pairs = beside.shares([answered.account], seen, told.when or "") if answered else ()
    lacking = list(dict.fromkeys(name for loss in losses for name in loss.lacking))
    body: dict[str, Any] = {
        "version": 1,
        "kind": kind,
        "state": stage(facts.day),
        "window": {"first": busy[0], "last": busy[-1], "production_days": len(busy)} if busy else None,
        "formulas": list(rows.formulas),
        "left_out": rows.left_out,
        "year": {"production_days": year.production_days, "hours": year.hours, "by": basis},
        "rates": {one.machine: _rates(told, one) for one in used},
        "accounts": used,
        "losses": [_loss(loss, one, _rates(told, one)) for loss, one in _of(losses, used)],
        "lacking": lacking,
        "oee": oee(used),
        "energy": [_energy(one) for one in power],
        "gaps": [{**plain(gap), "won_year": won(gap.won_year)} for gap in found],
        "report": None if report is None else _report(report),
        "indicators": _indicators(rows, report, known.machines),
        "beside": beside.beside(asked, told.levels, report),
        "contradictions": [
            msgspec.to_builtins(one) for one in beside.contradictions(asked, told.levels, report, pairs)
        ],
        "questionnaire": {
            "coverage": beside.coverage(asked, told.levels, report),
            "answered": [one.question for one in told.levels if one.level is not None],
            "open": [q.id for q in asked.questions if all(s.question != q.id for s in told.levels)],
        },
        "answers": None if answered is None else _answers(told, answered, used=answered.account in used),
        "refused": [one._asdict() for one in sorted({*rows.refused, *known.lines})],
        "standings": standings(facts),
    }
    steps = cheapest(form, told.answers, _pricing(told)) if not _tells(seen, told.machine) else []
    body["next"] = {
        "actions": list(dict.fromkeys(one.next for one in standings(facts) if one.next != "look")),
        "say": lacking,
        "measure": steps,
        "visit": None if answered is None else visit(answered, steps),
    }
    plainly: dict[str, Any] = plain(body)
    return Diagnosis(
        kind=kind,
        state=stage(facts.day),
        window=(busy[0], busy[-1]) if busy else None,
        formulas=rows.formulas[-1] if rows.formulas else report.formulas if report else None,
        model=report.model if report else None,
        coverage=_coverage(used),
        losses=losses,
        gaps=found,
        body=plainly,
        hash=hashlib.sha256(encode(plainly)).hexdigest(),
    )


def _provisional(told: said.Told) -> Provisional | None:
    """Return what answers alone say, by the rates of the form where there are any; None without an answer."""
    if not told.answered:
        return None
    return provisional(said.form(), told.answers, _pricing(told), told.machine)


def _pricing(told: said.Told) -> Any:
    """Return the ledger for accounts of answers: their rates stand where nobody has said any by form."""

    def price(accounts: Sequence[Account], rates: Rates) -> Sequence[Loss]:
        # `cheapest` names the machine by its default; whose rates they are is the told machine's all the same.
        theirs = replace(rates, limits={told.machine: next(iter(rates.limits.values()), "unknown")})
        own = told.rates_for(told.machine, theirs)
        return ledger.losses([replace(one, machine=told.machine) for one in accounts], own)

    return price


def _rates(told: said.Told, account: Account) -> Rates:
    return told.guessed() if account.source == "answered" else told.rates_for(account.machine)


def _stands(account: Account, seen: Sequence[Account]) -> bool:
    """Return whether the answers' account is one of the diagnosis."""
    return not seen or (account.machine != MAIN and not _tells(seen, account.machine))


def _tells(seen: Sequence[Account], machine: str) -> bool:
    return any(one.machine == machine for one in seen)


def _kind(days: Sequence[MachineDay], seen: Sequence[Account], report: Report | None) -> Source:
    """Return the best that it rests on; each loss says its own."""
    used = chosen(days, lambda one: one.known_s > 0).values()
    told = {one.source for of_machine in used for one in of_machine if one.planned_s > 0}
    if "measured" in told or (report is not None and not seen):
        return "measured"
    return "counted" if "counted" in told else "answered"


def _coverage(used: Sequence[Account]) -> float:
    """Return the share of planned time that was measured or counted; an owner's word is neither."""
    looked = [one for one in used if one.source != "answered"]
    planned = sum(sum(one.time_us.values()) for one in looked)
    return 1 - sum(one.time_us.get("unknown", 0) for one in looked) / planned if planned else 0.0


def _of(losses: Sequence[Loss], used: Sequence[Account]) -> list[tuple[Loss, Account]]:
    by = {one.machine: one for one in used}
    return [(loss, by[loss.machine]) for loss in losses]


def _loss(loss: Loss, account: Account, rates: Rates) -> dict[str, Any]:
    """Return a loss as a page shows it, with what it was computed by."""
    return {
        **plain(loss),
        "won_year": won(loss.won_year),
        "middle": None if loss.middle is None else round(max(-MOST_WON, min(MOST_WON, loss.middle))),
        "formula": FORMULA[loss.bucket],
        "rule": RULE[ledger.limiting(account, rates)],
        "confidence": confidence(account),
    }


def _energy(one: Energy) -> dict[str, Any]:
    return {**plain(one), "won_year": won(one.won_year), "base_won_year": won(one.base_won_year)}


def _answers(told: said.Told, found: Provisional, *, used: bool) -> dict[str, Any]:
    """Return what the answers say; `used`: the diagnosis rests on them for this machine."""
    return {
        "machine": told.machine,
        "when": told.when,
        "used": used,
        "said": dict(sorted(told.answers.items())),
        "priors": found.priors,
        "open": found.open,
        "lacking": found.lacking,
        "conflicts": [list(pair) for pair in found.conflicts],
        "losses": [_loss(loss, found.account, told.guessed()) for loss in found.losses],
        "energy_won_year": won(found.energy_won_year),
    }


def _report(report: Report) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(report)
    return {name: told.get(name) for name in HEAD}


def _indicators(
    rows: measured.Measured, report: Report | None, machines: Sequence[Report]
) -> list[tuple[str, str, float]]:
    """Return what is assessed, [machine or "", name, value]: of reports, then of days that the machine has told."""
    found = {(machine, name): value for machine, name, value in rows.indicators}
    for one in (*machines, *([] if report is None else [report])):
        for told in one.values:
            if told.value is not None:
                found[told.machine or one.machine or "", told.metric] = told.value
    return [(machine, name, value) for (machine, name), value in sorted(found.items())]


def won(span: Span | None) -> dict[str, int] | None:
    """Return a span of won, outwards to whole ones."""
    if span is None:
        return None
    low, high = max(-MOST_WON, min(MOST_WON, span.low)), max(-MOST_WON, min(MOST_WON, span.high))
    return {"low": math.floor(low), "high": math.ceil(high)}
