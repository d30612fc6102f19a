"""Programmes that several tests look at, each simulated once."""

from __future__ import annotations

from functools import cache

from techsquare.catalogue.load import load
from techsquare.entry.load import load as questions
from techsquare.simulation.advice import Books
from techsquare.simulation.programme import Done, simulate
from techsquare.simulation.terms import Setting

SMALL = Setting(seed=5, factories=60, months=12, promised=0.05)
NOTHING = Setting(seed=6, factories=130, months=17, gain=0.0, promised=0.0)
ALONE = Setting(seed=5, factories=60, months=12, beside=False, promised=0.0)


@cache
def books() -> Books:
    """Return what we ship."""
    return Books(load(), questions())


@cache
def run(setting: Setting) -> Done:
    """Return a programme at its end."""
    return simulate(setting, books())
