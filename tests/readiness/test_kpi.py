"""KPIs of ISO 22400-2: sums first, ratios last."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.kpi import FASTER_THAN_IDEAL, Basis, kpis

THREE = [(480, 432, 1.0, 410, 400), (120, 30, 2.0, 14, 12), (480, 240, 0.5, 440, 435)]
"""PBT, APT, PRI, PQ, GQ of readiness.md 5.3."""


def basis(pbt: float, apt: float, pri: float, produced: float, good: float) -> Basis:
    ideal = pri * produced
    return Basis(pbt=pbt, apt=apt, priced=apt, ideal=ideal, checked=ideal, good=pri * good, adot=pbt - apt)


def test_three_machines_together_have_an_oee_of_0_594_and_not_their_mean() -> None:
    single = [kpis(basis(*row)) for row in THREE]
    oee = [one.oee for one in single if one is not None and one.oee is not None]
    assert [round(value, 3) for value in oee] == [0.833, 0.200, 0.453]
    assert sum(oee) / 3 == pytest.approx(0.4955, abs=1e-4)
    pooled = kpis(sum((basis(*row) for row in THREE), Basis()))
    assert pooled is not None
    assert pooled.oee == pytest.approx((400 + 24 + 217.5) / 1080, abs=1e-12)
    assert round(pooled.oee or 0, 3) == 0.594
    assert pooled.availability == pytest.approx(702 / 1080)
    assert pooled.effectiveness == pytest.approx(658 / 702)
    assert pooled.quality == pytest.approx(641.5 / 658)  # by time; by pieces it would be 847/864


times = st.integers(0, 10**15)
rows = st.lists(
    st.tuples(times, times, times, times, st.floats(0.1, 10), st.integers(0, 999), st.floats(0, 1)), min_size=1
)


@given(rows)
def test_the_product_of_the_pooled_factors_is_always_the_ideal_time_of_good_pieces_of_planned_time(
    machines: list[tuple[int, int, int, int, float, int, float]],
) -> None:
    whole, good, planned = Basis(), 0.0, 0.0
    for apt, aust, adet, adot, pri, produced, share in machines:
        ideal = pri * produced
        whole += Basis(
            pbt=apt + aust + adet + adot, apt=apt, aust=aust, adet=adet, adot=adot,
            priced=apt, ideal=ideal, checked=ideal, good=ideal * share,
        )  # fmt: skip
        good += ideal * share
        planned += apt + aust + adet + adot
    found = kpis(whole)
    if planned == 0:
        assert found is None
        return
    assert found is not None
    if found.oee is not None:
        assert found.oee == pytest.approx(good / planned, rel=1e-9, abs=1e-12)
        assert (FASTER_THAN_IDEAL in found.flags) is ((found.effectiveness or 0) > 1.05)
    if found.utilisation is not None and found.allocation is not None:
        assert found.utilisation * found.allocation == pytest.approx(found.availability, abs=1e-9)


def test_without_planned_time_nothing_is_assessed_and_nothing_is_divided_by_zero() -> None:
    assert kpis(Basis()) is None
    assert kpis(Basis(apt=5.0)) is None
    idle = kpis(Basis(pbt=100.0, adot=100.0))
    assert idle is not None
    assert (idle.availability, idle.effectiveness, idle.quality, idle.oee) == (0.0, None, None, None)
    assert (idle.utilisation, idle.technical, idle.setup) == (None, None, None)


def test_an_effectiveness_above_1_05_is_flagged_and_never_capped() -> None:
    fast = kpis(basis(100, 80, 2.0, 60, 60))
    assert fast is not None
    assert fast.effectiveness == 1.5
    assert fast.oee == pytest.approx(1.2)
    assert fast.flags == (FASTER_THAN_IDEAL,)


def test_failures_are_divided_by_their_number_and_one() -> None:
    found = kpis(Basis(pbt=100, apt=60, aust=10, adet=20, adot=10, failures=3))
    assert found is not None
    assert (found.mtbf, found.mttf, found.mttr, found.divisor) == (20.0, 15.0, 5.0, "failures + 1")
    assert found.technical == 0.75
    assert found.setup == pytest.approx(1 / 7)
    unseen = kpis(Basis(pbt=100, unknown=100))
    assert unseen is not None
    assert (unseen.mtbf, unseen.mttf, unseen.mttr, unseen.unknown) == (None, None, None, 1.0)


def test_quality_is_that_of_machines_whose_good_pieces_are_counted() -> None:
    counted = basis(100, 50, 1.0, 40, 30)
    uncounted = Basis(pbt=100, apt=50, priced=50, ideal=50)
    found = kpis(counted + uncounted)
    assert found is not None
    assert found.quality == 0.75
    assert found.effectiveness == 0.9
