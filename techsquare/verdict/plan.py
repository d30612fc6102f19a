"""The plan: everything that could be argued about later, fixed and hashed before the installation begins.

    applied < baseline ... | blackout | installed | blackout | days after | verdict | extension

The hash is SHA-256 over canonical JSON of all fields; both parties keep it, a verdict carries it, and a plan that
was changed afterwards no longer has it. A plan without comparison machines is no error: it says from the first day
on what it will not be able to say.
"""

from __future__ import annotations

import hashlib
from dataclasses import fields, is_dataclass, replace
from datetime import date, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Literal

from contract.codec import encode
from techsquare.verdict.phases import DAY, windows
from techsquare.verdict.terms import LEAST_DAYS, Plan, Use

if TYPE_CHECKING:
    from collections.abc import Sequence

    from techsquare.verdict.controls import Choice
    from techsquare.verdict.terms import Over

BLACKOUT_DAYS = 14
LONGEST = timedelta(days=366)
"""From the baseline's first day to the verdict: later, seasons are compared and no project."""

Refusal = Literal[
    "no_machine",  # nothing is treated, or a machine twice
    "treated_is_control",
    "baseline_before_application",  # factories ask in bad months: what follows is better by itself
    "baseline_short",  # fewer than LEAST_DAYS days before the blackout
    "after_short",  # fewer than LEAST_DAYS days between blackout and verdict
    "extension_before_verdict",
    "frozen_late",  # on or after the day of the installation, or before the baseline is over
    "too_long",
    "no_least",  # what is worth it was not said
    "bad_rhythm",  # of use
    "wrong_hash",
]


def draft(
    *,
    project: str,
    metric: str,
    unit: str,
    sign: Literal[1, -1],
    treated: Sequence[str],
    choice: Choice,
    applied: date,
    frozen: date,
    baseline: tuple[date, date],
    installed: date,
    days_after: int,
    extension_days: int,
    least: float,
    use: Use | None = None,
    blackout_days: int = BLACKOUT_DAYS,
) -> Plan:
    """Return a plan with its hash; `refusals` says whether it can be frozen."""
    verdict_on = installed + timedelta(days=blackout_days + days_after + 1)
    over: Over = choice.over
    plan = Plan(
        project=project,
        metric=metric,
        unit=unit,
        sign=sign,
        treated=tuple(treated),
        controls=tuple(choice.controls),
        over=over,
        applied=applied,
        frozen=frozen,
        baseline=baseline,
        installed=installed,
        blackout_days=blackout_days,
        verdict_on=verdict_on,
        extended_to=verdict_on + timedelta(days=extension_days),
        least=least,
        use=use,
        hash="",
    )
    return hashed(plan)


def hashed(plan: Plan) -> Plan:
    """Return a plan with its own hash."""
    return replace(plan, hash=digest(plan))


def digest(plan: Plan) -> str:
    """Return the SHA-256 of a plan, its hash left out."""
    return hashlib.sha256(encode(_plain(replace(plan, hash="")))).hexdigest()


def refusals(plan: Plan) -> Sequence[Refusal]:
    """Return everything that keeps a plan from being frozen; nothing when it can be."""
    before, after = windows(plan, 1)
    machines = list(plan.treated)
    found: list[tuple[Refusal, bool]] = [
        ("no_machine", not machines or len(set(machines)) < len(machines)),
        ("treated_is_control", bool(set(machines) & set(plan.controls))),
        ("baseline_before_application", plan.baseline[0] <= plan.applied),
        ("baseline_short", (before.last - before.first).days + 1 < LEAST_DAYS),
        ("after_short", (after.last - after.first).days + 1 < LEAST_DAYS),
        ("extension_before_verdict", plan.extended_to <= plan.verdict_on),
        ("frozen_late", not plan.baseline[1] < plan.frozen < plan.installed),
        ("too_long", plan.verdict_on - plan.baseline[0] > LONGEST),
        ("no_least", not (isfinite(plan.least) and plan.least > 0)),
        ("bad_rhythm", plan.use is not None and plan.use.every_days < 1),
        ("wrong_hash", plan.hash != digest(plan)),
    ]
    return tuple(name for name, holds in found if holds)


def last_baseline_day(installed: date, blackout_days: int = BLACKOUT_DAYS) -> date:
    """Return the last day that a baseline can have."""
    return installed - timedelta(days=blackout_days) - DAY


def _plain(thing: object) -> object:
    if is_dataclass(thing) and not isinstance(thing, type):
        return {field.name: _plain(getattr(thing, field.name)) for field in fields(thing)}
    if isinstance(thing, date):
        return thing.isoformat()
    if isinstance(thing, tuple | list):
        return [_plain(one) for one in thing]
    return thing
