"""A day of another agent, as the reporter takes it: refused with a word, or one that no report breaks on."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING

from contract.errors import WireError
from readiness import sound
from readiness.evidence import dump, load
from readiness.report import Assessment
from tests.fuzz.target import Target
from tests.readiness.plant import SITE
from tests.readiness.test_sound import told

if TYPE_CHECKING:
    from readiness.view import View


@functools.cache
def view() -> View:
    """Return what a press has told in twelve days."""
    return told(12)


def run(data: bytes) -> None:
    """Bytes are a day that can be assessed, or a `WireError` says why not."""
    try:
        day = load(data)
        sound.require(day)
    except WireError:
        return
    Assessment(replace(view(), days=[*view().days[1:], day]), SITE, "0" * 16).plant()


TARGET = Target(run, ("readiness",), lambda: [dump(day) for day in view().days[:2]])
