"""What the platform may see of a factory: scopes, and which verb needs which.

The owner gives and takes scopes; whoever asks without one is told `no_consent` and nothing else. What has to be
known to ask at all (the manifest but for its machines, `consent.get`) needs none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import msgspec

from contract.payload import Nanoseconds
from contract.report import Date

if TYPE_CHECKING:
    from collections.abc import Mapping

Scope = Literal["levels", "indicators", "machines", "days", "fit", "fit_missing", "raw_hosted"]
"""levels: evidence level, gates, and what is missing for them. indicators: values of the whole plant, dimensions.
machines: values of single machines. days: what single days were, of the whole plant; with `machines` the signed
daily records, which hold every machine. fit: whether a solution fits, and nothing of why. fit_missing: to owner and
mentor, what is missing for it. raw_hosted: the site's broker is the platform's own, so raw data passes there."""
SCOPES: tuple[Scope, ...] = get_args(Scope)
NEEDS: Mapping[str, frozenset[Scope]] = {
    "report.get": frozenset({"levels", "indicators"}),
    "window.get": frozenset({"days"}),
    "day.get": frozenset({"days"}),
    "mde.get": frozenset({"days"}),
    "baseline.freeze": frozenset({"days"}),
    "fit.check": frozenset({"fit"}),
    "consent.get": frozenset(),
    "exit.test": frozenset(),
}
"""Verb -> scopes of which one suffices; none needed where there is none. Whatever tells of single machines needs
`machines` as well: one machine of `report.get`, `window.get` or `mde.get`, and all of `day.get` and
`baseline.freeze`."""
RECORDS: frozenset[Scope] = frozenset({"days", "machines"})
"""Scopes without which no daily record leaves the agent."""
NAMES: frozenset[Scope] = frozenset({"levels", "machines", "fit"})
"""Scopes of which one suffices to be told which machines there are: each speaks of single machines. Without any the
manifest names none; all else in it needs no consent."""
TELLS: Mapping[str, frozenset[Scope]] = {
    "unused": frozenset({"indicators"}),
    "decay": frozenset({"indicators"}),
    "stale": frozenset({"machines"}),
    "device_changed": frozenset({"machines"}),
    "baseline_frozen": RECORDS,
}
"""Kind of event -> scopes that it needs, all of them: what is told of the whole plant, or of single machines."""


class Given(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was agreed from a moment on; a later entry replaces it as a whole. It names nobody."""

    since: Nanoseconds
    scopes: list[Scope]
    serial: int = 0  # of the owner's file; 0: nobody has said anything
    until: Date | None = None  # from this date on nothing is agreed


class Consent(msgspec.Struct, frozen=True):
    """Answer to `consent.get`: what holds now, and all that ever held, oldest first."""

    now: Given
    history: list[Given]


def may_tell(kind: str, scopes: frozenset[Scope]) -> bool:
    """Return whether an event of a kind may leave the agent."""
    return TELLS[kind] <= scopes


def allows(verb: str, scopes: frozenset[Scope]) -> bool:
    """Return whether a verb may be answered; unknown verbs need nothing, because nobody answers them."""
    needed = NEEDS.get(verb, frozenset())
    return not needed or bool(needed & scopes)
