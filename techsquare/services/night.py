"""What the platform does once a day by itself: a list of tasks, each in transactions of its own.

A task that fails is told and does not keep the others from being done; what it has left is done the next night.
Each may be run twice on a day without doing anything twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from techsquare.catalogue.load import Catalogue
from techsquare.intake import watch
from techsquare.registry.store import Registry
from techsquare.services import (
    assessing,
    fit,
    following,
    followup,
    leaving,
    months,
    nights,
    notice,
    offers,
    peering,
    urgent,
    watching,
)

if TYPE_CHECKING:
    from techsquare.services.work import Told

Task = Callable[[Registry, Catalogue, int], dict[str, int]]
"""Registry, catalogue and ns since 1970 -> what was done, counted."""


def _silence(registry: Registry, _catalogue: Catalogue, now: int) -> dict[str, int]:
    """Look who has fallen silent; an intake worker does it every ten minutes, where there is one."""
    return watch.look(registry, now)


TASKS: tuple[tuple[str, Task], ...] = (
    ("silence", _silence),
    ("retention", leaving.night),
    ("diagnoses", assessing.night),
    ("peers", peering.night),
    ("notice", notice.night),
    ("fit", fit.night),
    ("verdicts", watching.judge_due),
    ("gains", watching.watch_gains),
    ("use", watching.watch_use),
    ("offers", offers.expire),
    ("projects", following.follow_all),
    ("lists", nights.due),
    ("arrived", offers.arrived),
    ("months", months.close),
    ("queue", urgent.night),
    ("follow_up", followup.night),
)
"""By name, in the order in which they are done."""
_log = logging.getLogger(__name__)


def run(registry: Registry, catalogue: Catalogue, now: int, told: Told) -> dict[str, Any]:
    """Do all tasks; return what each has done, or `failed`."""
    done: dict[str, Any] = {}
    for i, (name, task) in enumerate(TASKS):
        told(i / len(TASKS))
        try:
            done[name] = task(registry, catalogue, now)
        except Exception:  # noqa: BLE001 - whatever it was, the others must not wait for it
            _log.exception("the night's task %s has failed", name)
            done[name] = "failed"
    return done
