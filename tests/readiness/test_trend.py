"""Changes between two windows, on the machines that both have."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.frame import Status
from readiness.inventory import Machine
from readiness.plant import configured
from readiness.report import Assessment, assess
from readiness.trend import NotComparableError, change, trend
from tests.readiness.plant import CALENDAR, DAY, MINUTE, SITE, START, Plant, model, source

if TYPE_CHECKING:
    from agent.frame import Source
    from tests.readiness.plant import Ints


def test_the_interval_of_a_difference_by_hand() -> None:
    found = change("A01", (50.0, 46.0, 53.0), (60.0, 57.0, 64.0))
    assert (found.d, found.called) == (10.0, "better")
    assert (found.lo, found.hi) == pytest.approx((10 - math.hypot(3, 3), 10 + math.hypot(4, 4)), abs=0.051)


@pytest.mark.parametrize(
    ("before", "after", "called"),
    [
        ((50, 50, 50), (54.9, 54.9, 54.9), "none"),  # sure, and too small
        ((50, 40, 60), (58, 48, 68), "none"),  # large, and not sure
        ((50, 49, 51), (56, 55, 57), "better"),
        ((56, 55, 57), (50, 49, 51), "worse"),
        ((50, 50, 50), (55, 55, 55), "better"),
    ],
)
def test_a_change_is_called_when_it_is_sure_and_matters(
    before: tuple[float, float, float], after: tuple[float, float, float], called: str
) -> None:
    assert change("A01", before, after).called == called


def test_the_difference_of_two_means_is_covered() -> None:
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(2000):
        a, b = rng.normal(50, 2), rng.normal(57, 3)
        found = change("A01", (a, a - 1.645 * 2, a + 1.645 * 2), (b, b - 1.645 * 3, b + 1.645 * 3))
        covered += found.lo <= 7 <= found.hi
    assert 0.88 <= covered / 2000 <= 0.93


PRESS, LATHE = source("press"), source("lathe")


def fading(of: Source, number: int, times: Ints) -> Ints:
    """Return outages of the press each day, of 40 to 60 minutes in the first 28 days and of 6 to 8 afterwards."""
    del number
    day, minute = (times - START) // DAY, (times - START) % DAY // MINUTE
    lost = np.where(day < 28, 40 + 5 * (day % 5), 6 + day % 3) * (of is PRESS)
    return np.where(minute < lost, int(Status.BAD_NO_COMMUNICATION), 0)


PLANT = Plant([PRESS, LATHE], days=56, status=fading)
EVIDENCE = PLANT.evidence()


def window(days: int, *machines: str, weight: float = 1.0) -> Assessment:
    plant = configured(PLANT.sources, [Machine(m, m, weight) for m in machines])
    return assess(EVIDENCE, {}, PLANT.sources, plant, CALENDAR, START + days * DAY, model(), SITE)


def test_outages_that_stopped_are_called_better_on_the_machines_of_both_windows() -> None:
    found = trend(window(28, "press"), window(56, "press", "lathe"))
    assert (found.panel, found.added, found.gone) == (("press",), ("lathe",), ())
    changes = {c.id: c for c in found.changes}
    link = changes["C03"]
    # 40 to 60 of 720 minutes on five days a week, then 6 to 8
    work = [d for d in range(28) if d % 7 < 5]
    minutes = sum(40 + 5 * (d % 5) for d in work), sum(6 + (d + 28) % 3 for d in work)
    lost = [m / 720 / len(work) for m in minutes]
    expected = [model().score("C03", 1 - share) for share in lost]
    assert [link.before, link.after] == pytest.approx(expected, abs=0.1)
    assert link.called == "better"
    assert 0 < link.lo < link.d < link.hi
    assert changes["C01"].called == "none"
    assert link.total is not None
    assert link.total > link.d  # the lathe had no outage at all
    back = trend(window(28, "press", "lathe"), window(56, "lathe"))
    assert (back.panel, back.gone) == (("lathe",), ("press",))
    assert {c.id for c in back.changes if c.called != "none"} <= {"R01"}  # history has grown; nothing else changed


def test_windows_that_cannot_be_compared_are_refused() -> None:
    with pytest.raises(NotComparableError, match="share days"):
        trend(window(28, "press"), window(55, "press"))
    with pytest.raises(NotComparableError, match="no machine"):
        trend(window(28, "press"), window(56, "lathe"))
    with pytest.raises(NotComparableError, match="weights"):
        trend(window(28, "press"), window(56, "press", weight=2.0))
