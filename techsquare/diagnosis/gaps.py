"""What is worth mending: losses, and what keeps losses from being seen; dearest first.

A loss is a gap where anything of it was seen. Beside it stand blind spots, which have hours and no won: unknown
time, production that cannot be told apart, machines without a meter, dimensions that are not assessed. They cost
nothing by themselves; they are why the others are wide.

    high     measured, 20 production days, 95 % of planned time known, one version of formulas
    medium   measured or counted, 10 production days, 80 %
    low      everything else, and every answer
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from techsquare.diagnosis.terms import Gap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from contract.report import Report
    from techsquare.diagnosis.terms import Account, Bucket, Confidence, Energy, Loss, MachineDay
    from techsquare.span import Span

DIMENSION: Mapping[Bucket, str] = {
    "scrap": "D5", "speed": "D4", "setup": "D4", "standby": "D4", "fault": "D5", "off": "D5",
    "unknown": "D4", "production": "D4",
}  # fmt: skip
"""The dimension that most measures of the catalogue against a loss belong to; for blind spots the one that sees."""
ENERGY = "D7"
OF_INDICATOR: Mapping[str, str] = {
    "C": "D1", "X": "D1", "A": "D2", "Q": "D3", "V": "D4", "R": "D5", "U": "D6", "E": "D7", "T": "D8", "S": "D9",
    "L": "D10",
}  # fmt: skip
"""First letter of an indicator -> its dimension."""
HIDDEN = 0.05
"""Share of planned time from which a blind spot is told; up to so much is unknown at a machine that passes V01."""
HIGH_DAYS, MEDIUM_DAYS = 20, 10
HIGH_COVERAGE, MEDIUM_COVERAGE = 0.95, 0.8
SEES: Mapping[Bucket, tuple[str, ...]] = {
    "unknown": ("APT", "UNK"),
    "production": ("E", "QR"),
}
"""Elements of the daily record whose reasons say why a blind spot is one."""


def gaps(
    losses: Iterable[Loss],
    accounts: Iterable[Account],
    energies: Iterable[Energy] = (),
    report: Report | None = None,
    reasons: Mapping[str, Mapping[str, str]] | None = None,
) -> list[Gap]:
    """Return all gaps by won, then hours (middles of their spans), then id; those without a number come last.

    Args:
        losses: Of the ledger.
        accounts: That the losses were made of.
        energies: The ledger of electricity.
        report: The readiness report of the plant; without one no dimension is looked at.
        reasons: Machine -> element -> why it is not assessed; see `reasons_of`.
    """
    of = {account.machine: account for account in accounts}
    found = [gap for loss in losses if (gap := _of_loss(loss, of[loss.machine])) is not None]
    for machine, account in sorted(of.items()):
        found += _blind(account, (reasons or {}).get(machine, {}))
    metered = {one.machine: one for one in energies}
    found += [_of_energy(one) for one in metered.values() if one.base_year is not None]
    found += [_unmetered(account) for machine, account in of.items() if machine not in metered]
    found += () if report is None else _of_report(report)
    return sorted(found, key=_order)


def _order(gap: Gap) -> tuple[float, float, str]:
    return -_middle(gap.won_year), -_middle(gap.hours_year), gap.id


def _middle(span: Span | None) -> float:
    return float("-inf") if span is None else (span.low + span.high) / 2


def confidence(account: Account) -> Confidence:
    """Return how sure what an account says is; a wrong ideal cycle leaves no speed and no scrap to be unsure of."""
    if account.source == "answered" or "simulated" in account.flags:
        return "low"
    mixed = "mixed_formulas" in account.flags or account.source != "measured"
    if not mixed and account.days >= HIGH_DAYS and account.coverage >= HIGH_COVERAGE:
        return "high"
    return "medium" if account.days >= MEDIUM_DAYS and account.coverage >= MEDIUM_COVERAGE else "low"


def _rests_on(account: Account) -> tuple[str, ...]:
    return (
        f"source:{account.source}",
        f"days:{account.days}",
        f"coverage:{account.coverage:.2f}",
        *(f"flag:{flag}" for flag in account.flags),
    )


def _of_loss(loss: Loss, account: Account) -> Gap | None:
    if account.time_us.get(loss.bucket, 0) <= 0:
        return None
    return Gap(
        id=f"{loss.machine}:{loss.bucket}",
        dimension=DIMENSION[loss.bucket],
        machine=loss.machine,
        bucket=loss.bucket,
        won_year=loss.won_year,
        hours_year=loss.hours_year,
        confidence=confidence(account),
        why=(*_rests_on(account), *(f"lacking:{name}" for name in loss.lacking)),
    )


def _blind(account: Account, reasons: Mapping[str, str]) -> Iterator[Gap]:
    planned = sum(account.time_us.values())
    for bucket, elements in SEES.items():
        if account.time_us.get(bucket, 0) <= HIDDEN * planned:
            continue
        yield Gap(
            id=f"{account.machine}:{bucket}",
            dimension=DIMENSION[bucket],
            machine=account.machine,
            bucket=bucket,
            won_year=None,
            hours_year=account.shares[bucket].times(account.planned_hours),
            confidence=confidence(account),
            why=(*_rests_on(account), *(f"not_seen:{e}:{reasons[e]}" for e in elements if e in reasons)),
        )


def _of_energy(energy: Energy) -> Gap:
    return Gap(
        id=f"{energy.machine}:energy",
        dimension=ENERGY,
        machine=energy.machine,
        bucket=None,
        won_year=energy.base_won_year,
        hours_year=None,
        confidence="medium" if energy.source == "measured" else "low",
        why=(
            f"source:{energy.source}",
            f"days:{energy.days}",
            "base_load",
            *(f"lacking:{n}" for n in energy.lacking),
        ),
    )


def _unmetered(account: Account) -> Gap:
    return Gap(
        id=f"{account.machine}:energy",
        dimension=ENERGY,
        machine=account.machine,
        bucket=None,
        won_year=None,
        hours_year=None,
        confidence=confidence(account),
        why=("not_seen:EC",),
    )


def _of_report(report: Report) -> Iterator[Gap]:
    """Yield a gap for each dimension that is not assessed, or whose indicators keep machines below a level."""
    stuck: dict[str, Counter[str]] = defaultdict(Counter)
    for machine in report.machines:
        for condition, letter in zip(report.conditions, machine.gates, strict=True):
            name = condition.partition("|")[0]
            if letter != "P" and name[:1] in OF_INDICATOR and name[1:2].isdigit():
                stuck[OF_INDICATOR[name[:1]]][f"gate:{condition}:{letter}"] += 1
    days = report.window.production_days
    sure: Confidence = "high" if days >= HIGH_DAYS else "medium" if days >= MEDIUM_DAYS else "low"
    for one in report.dimensions:
        why = [f"{code}:{number}" for code, number in sorted(stuck.get(one.id, {}).items())]
        if one.reason in {"coverage", "gate"}:
            why = [f"not_assessed:{one.reason}", *(f"missing:{name}" for name in one.missing), *why]
        if why:
            yield Gap(
                id=f"plant:{one.id}", dimension=one.id, machine=None, bucket=None, won_year=None, hours_year=None,
                confidence=sure, why=tuple(why),
            )  # fmt: skip


def reasons_of(days: Iterable[MachineDay]) -> dict[str, dict[str, str]]:
    """Return why elements are not assessed, machine by machine, as the latest measured day says it."""
    latest: dict[str, MachineDay] = {}
    for one in days:
        if one.source == "measured" and (one.machine not in latest or one.day > latest[one.machine].day):
            latest[one.machine] = one
    return {machine: dict(one.reasons) for machine, one in sorted(latest.items())}
