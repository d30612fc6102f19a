"""Small roadmaps whose every number can be checked with a pencil."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from techsquare.roadmap.plan import roadmap
from techsquare.roadmap.terms import Means, Measure, Programme
from techsquare.span import Span, exactly

BEGINS = dt.date(2027, 1, 4)
PRESS, LATHE = ("press-1", "setup"), ("lathe-1", "fault")
WEALTHY = Means(cash=(10**9, 0, 0), staff_days=(99, 99, 99), support=(0, 0, 0))
YEAR = 365.25
LOSSES = {PRESS: exactly(10e6), LATHE: exactly(20e6)}


def measure(name: str, cost: float, gain: dict[tuple[str, str], float], **more: Any) -> Measure:
    given = {"yearly": exactly(0)} | more
    return Measure(
        name, {"ko": name, "en": name}, exactly(cost), gain={p: exactly(g) for p, g in gain.items()}, **given
    )


def test_two_measures_on_one_bucket_do_not_save_it_twice() -> None:
    half, most = measure("half", 1e6, {PRESS: 0.5}), measure("most", 1e6, {PRESS: 0.6})
    found = roadmap([half, most], LOSSES, WEALTHY, (), BEGINS)
    assert [c.measure for c in found.chosen] == ["half", "most"]
    assert found.credited == {PRESS: round(0.7 * 10e6 * 1096 / YEAR)}
    assert found.value == found.gain - 2_000_000


def test_what_comes_later_gives_less_and_a_prerequisite_keeps_waiting() -> None:
    counter = measure("counter", 1e6, {}, months=4, data=True)
    setup = measure("setup", 1e6, {PRESS: 0.5}, months=2, needs=frozenset({"counter"}))
    found = roadmap([counter, setup], LOSSES, WEALTHY, (), BEGINS)
    # Not together: begun after 91 days, held up until the counter counts after 122, in use 61 days later.
    assert [(c.measure, c.phase) for c in found.chosen] == [("counter", 0), ("setup", 1)]
    assert found.gain == round(5e6 * (1096 - 122 - 61) / YEAR)
    together = replace(setup, together=frozenset({"counter"}))
    found = roadmap([counter, together], LOSSES, WEALTHY, (), BEGINS)
    assert found.gain == round(5e6 * (1096 - 122 - 61) / YEAR)
    quick = replace(counter, months=1)
    found = roadmap([quick, together], LOSSES, WEALTHY, (), BEGINS)
    assert found.gain == round(5e6 * (1096 - 30 - 61) / YEAR)
    assert [c.phase for c in found.chosen] == [0, 0]


def test_cash_that_is_left_over_is_there_in_the_next_phase() -> None:
    one, two = measure("one", 3e6, {PRESS: 0.6}), measure("two", 3e6, {LATHE: 0.6})
    means = Means(cash=(4_000_000, 1_999_999, 0), staff_days=(9, 9, 9), support=(0, 0, 0))
    found = roadmap([one, two], LOSSES, means, (), BEGINS)
    assert [c.measure for c in found.chosen] == ["two"]
    found = roadmap([one, two], LOSSES, replace(means, cash=(4_000_000, 2_000_000, 0)), (), BEGINS)
    assert [(c.measure, c.phase) for c in found.chosen] == [("two", 0), ("one", 1)]


def grant(**more: Any) -> Programme:
    opens, closes = BEGINS + dt.timedelta(days=20), BEGINS + dt.timedelta(days=60)
    given: dict[str, Any] = {
        "share": 0.5,
        "cap": 4_000_000,
        "opens": opens,
        "closes": closes,
        "eligible": {"one": 0.8, "two": 1.0},
    }
    return Programme("grant", **(given | more))


FUNDED = replace(WEALTHY, support=(9_000_000, 9_000_000, 0))
ONE, TWO = measure("one", 5e6, {PRESS: 0.6}), measure("two", 6e6, {LATHE: 0.6})


def test_a_programme_pays_its_share_of_eligible_cost_up_to_its_cap_and_between_its_dates() -> None:
    found = roadmap([ONE], LOSSES, FUNDED, [grant()], BEGINS)
    assert [(c.support, c.programme, c.month) for c in found.chosen] == [(2_000_000, "grant", 0.7)]
    assert found.gain == round(6e6 * (1096 - 20) / YEAR)
    found = roadmap([ONE, TWO], LOSSES, FUNDED, [grant()], BEGINS)
    assert sum(c.support for c in found.chosen) == found.support == 4_000_000
    closed = grant(closes=BEGINS - dt.timedelta(days=1), opens=BEGINS - dt.timedelta(days=30))
    assert roadmap([ONE], LOSSES, FUNDED, [closed], BEGINS).support == 0
    late = grant(opens=BEGINS + dt.timedelta(days=1080), closes=BEGINS + dt.timedelta(days=1090))
    assert roadmap([ONE], LOSSES, replace(FUNDED, support=(9e6, 9e6, 9e6)), [late], BEGINS).support == 0  # type: ignore[arg-type]
    assert (
        roadmap([ONE], LOSSES, replace(FUNDED, support=(1_500_000, 0, 0)), [grant()], BEGINS).support == 1_500_000
    )


def test_one_programme_pays_for_a_measure_never_two() -> None:
    second = replace(grant(), id="second")
    found = roadmap([ONE], LOSSES, FUNDED, [grant(), second], BEGINS)
    assert found.support == 2_000_000
    found = roadmap([ONE, TWO], LOSSES, FUNDED, [grant(), second], BEGINS)
    assert {c.programme for c in found.chosen} == {"grant", "second"}
    assert found.support == 5_000_000


@pytest.mark.parametrize(
    ("back", "eligible", "support", "cost"),
    [(3.0, True, 2_000_000, 5_000_000), (3.0, False, 2_000_000, 5_000_000),
     (None, True, 2_200_000, 5_500_000), (None, False, 2_000_000, 5_500_000)],
)  # fmt: skip
def test_vat_is_a_cost_only_where_it_does_not_come_back(
    *,
    back: float | None,
    eligible: bool,
    support: int,
    cost: int,
) -> None:
    found = roadmap([ONE], LOSSES, replace(FUNDED, vat_back_months=back), [grant(vat=eligible)], BEGINS)
    assert (found.support, found.cost) == (support, cost)


def test_what_comes_late_has_to_be_bridged_or_it_is_not_begun() -> None:
    one = replace(ONE, months=1.0, yearly=exactly(365_250))
    means = Means(cash=(3_600_000, 1_000_000, 500_000), staff_days=(9, 9, 9), support=(9_000_000, 0, 0))
    found = roadmap([one], LOSSES, means, [grant(upfront=0.25, after_months=6.0)], BEGINS)
    first, bill = found.months[:2]
    assert (first.own, first.support, first.bills, first.balance) == (3_600_000, 500_000, 0, 4_100_000)
    # In use on day 50, until day 61 of the second month eleven days: 1,000 won each.
    assert (bill.bills, bill.vat, bill.running, bill.balance) == (5_000_000, 500_000, 11_000, -1_411_000)
    assert found.bridged == 1_411_000 + found.months[2].running
    late = [(m.month, m.support, m.vat_back) for m in found.months[2:] if m.support or m.vat_back]
    assert late == [(4, 0, 500_000), (7, 1_500_000, 0)]
    assert [m.month for m in found.months if m.balance < 0] == [1, 2, 3, 4, 5, 6]
    bridge = replace(means, bridge=found.bridged)
    assert roadmap([one], LOSSES, bridge, [grant(upfront=0.25, after_months=6.0)], BEGINS).chosen == found.chosen
    tight = roadmap([one], LOSSES, replace(means, bridge=0), [grant(upfront=0.25, after_months=6.0)], BEGINS)
    assert tight.bridged == 0
    assert [c.phase for c in tight.chosen] != [0]


def test_a_quick_win_is_preferred_but_not_at_any_price() -> None:
    """Cash for one only: over three years the other saves 150,000, 270,000 or 330,000 won more."""
    means = Means(cash=(2_000_000, 0, 0), staff_days=(9, 9, 9), support=(0, 0, 0), most_measures=1)
    quick = measure("quick", 2e6, {PRESS: 0.5}, provable=True)
    for share, name in ((0.2525, "quick"), (0.2545, "quick"), (0.2555, "slow")):
        slow = measure("slow", 2e6, {LATHE: share})
        assert [c.measure for c in roadmap([quick, slow], LOSSES, means, (), BEGINS).chosen] == [name]
    # On something that costs more than it ever saves there is no quick win: nothing is better.
    under = measure("under", 12.95e6, {}, data=True)
    needs = replace(quick, needs=frozenset({"under"}), together=frozenset({"under"}))
    wealthy = replace(means, cash=(20_000_000, 0, 0), most_measures=3)
    assert roadmap([under, needs], LOSSES, wealthy, (), BEGINS).chosen
    under = replace(under, cost=exactly(13.1e6))
    assert roadmap([under, needs], LOSSES, wealthy, (), BEGINS, reasons=False).chosen == []
    unproven = replace(quick, provable=None)
    slow = measure("slow", 2e6, {LATHE: 0.2525})
    assert [c.measure for c in roadmap([unproven, slow], LOSSES, means, (), BEGINS).chosen] == ["slow"]
    assert roadmap([], LOSSES, means, (), BEGINS).value == 0


def test_solid_is_what_is_in_at_both_ends_and_the_others_tell_what_decides() -> None:
    losses = {PRESS: Span(2e6, 18e6), LATHE: Span(19e6, 21e6)}
    one, two = measure("one", 6e6, {PRESS: 0.5}), measure("two", 6e6, {LATHE: 0.5})
    found = roadmap([one, two], losses, WEALTHY, (), BEGINS)
    assert [(c.measure, c.solid, c.depends) for c in found.chosen] == [("one", False, (PRESS,)), ("two", True, ())]
    assert found.worth["low"] < found.worth["middle"] == found.value < found.worth["high"]
    low, high = found.chosen[0].payback_months or (0, 0)
    assert (low, high) == (8.0, 72.0)


def test_prices_at_their_upper_end_tell_what_would_be_lacking() -> None:
    dear = replace(ONE, cost=Span(4e6, 6e6))
    means = replace(WEALTHY, cash=(5_200_000, 0, 0))
    assert roadmap([dear], LOSSES, means, (), BEGINS).dear == 800_000
    assert roadmap([dear], LOSSES, WEALTHY, (), BEGINS).dear == 0
