"""The money rule, by hand, over every combination of what is known."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from techsquare.diagnosis.accounts import accounts
from techsquare.diagnosis.ledger import losses
from techsquare.diagnosis.terms import LOSSES, Account, Bucket, Loss, Rates
from techsquare.span import Span, exactly
from tests.techsquare.diagnosis.made import YEAR, account, truth

ALL = Rates(
    contribution_piece=exactly(500.0), scrap_piece=exactly(200.0), avoidable_hour=exactly(15_000.0),
    limits={"press": "yes"}, orders_wait="yes",
)  # fmt: skip


def by_bucket(one: Account, rates: Rates) -> dict[str, Loss]:
    found = losses([one], rates)
    assert [loss.bucket for loss in found] == [bucket for bucket in LOSSES if bucket in one.shares]
    return {loss.bucket: loss for loss in found}


def test_on_a_limiting_machine_while_orders_wait_time_is_contribution() -> None:
    found = by_bucket(account(), ALL)
    hours = 400.0
    for bucket in ("setup", "standby", "fault", "off"):
        assert found[bucket].won_year == pytest.approx((hours * 60 * 0.9 * 500,) * 2)
    assert found["speed"].won_year == pytest.approx((hours * 80 * 0.9 * 500,) * 2)
    assert found["scrap"].won_year == pytest.approx((hours * 80 * (500 + 200),) * 2)
    assert all(loss.hours_year == pytest.approx((hours, hours)) for loss in found.values())


@pytest.mark.parametrize(("limits", "orders"), list(product(("yes", "no", "unknown"), repeat=2)))
def test_otherwise_it_is_avoidable_cost_and_between_where_it_is_unknown(limits: str, orders: str) -> None:
    rates = replace(ALL, limits={"press": limits}, orders_wait=orders)  # type: ignore[arg-type, dict-item]
    won = by_bucket(account(), rates)["fault"].won_year
    sold, kept = 400 * 60 * 0.9 * 500.0, 400 * 15_000.0
    if "no" in (limits, orders):
        assert won == pytest.approx((kept, kept))
    elif limits == orders == "yes":
        assert won == pytest.approx((sold, sold))
    else:
        assert won == pytest.approx((min(sold, kept), max(sold, kept)))


def test_a_machine_that_nobody_spoke_of_is_unknown() -> None:
    assert by_bucket(account(), replace(ALL, limits={}))["fault"].won_year == pytest.approx((6_000_000, 10_800_000))


@pytest.mark.parametrize(
    ("rates", "one", "bucket", "lacking"),
    [
        (replace(ALL, contribution_piece=None), {}, "fault", ("contribution",)),
        (ALL, {"made_hour": None, "ideal_hour": None}, "fault", ("pieces",)),
        (ALL, {"good": None}, "setup", ("rejects",)),
        (replace(ALL, scrap_piece=None), {}, "scrap", ("scrap_piece",)),
        (ALL, {"ideal_hour": None}, "scrap", ("ideal_cycle",)),
        (replace(ALL, avoidable_hour=None, orders_wait="no"), {}, "standby", ("avoidable_hour",)),
        (Rates(), {}, "standby", ("contribution", "avoidable_hour")),
        (Rates(), {"good": None}, "scrap", ("contribution", "avoidable_hour", "scrap_piece")),
    ],
)
def test_without_a_rate_there_are_hours_and_what_is_lacking(
    rates: Rates, one: dict[str, object], bucket: str, lacking: tuple[str, ...]
) -> None:
    loss = by_bucket(account(**one), rates)[bucket]
    assert loss.won_year is None
    assert loss.lacking == lacking
    assert loss.hours_year == pytest.approx((400, 400))


def test_people_beside_a_machine_are_avoidable_where_nothing_else_was_said() -> None:
    rates = Rates(staff_hour=Span(10_000, 12_000), attended={"press": 1.5}, limits={"press": "no"})
    assert by_bucket(account(), rates)["fault"].won_year == pytest.approx((400 * 15_000, 400 * 18_000))
    assert by_bucket(account(machine="oven"), rates)["fault"].won_year is None


def test_the_owner_s_word_of_good_pieces_stands_in_where_nobody_counts_rejects() -> None:
    rates = replace(ALL, good_share=Span(0.9, 1.0))
    assert by_bucket(account(good=None), rates)["fault"].won_year == pytest.approx((10_800_000, 12_000_000))
    assert by_bucket(account(), rates)["fault"].won_year == pytest.approx((10_800_000, 10_800_000))


def test_spans_of_time_pieces_and_rates_all_widen_the_won() -> None:
    one = account(shares={"fault": Span(0.05, 0.2)}, made_hour=Span(50, 70), good=Span(0.8, 1.0))
    loss = by_bucket(one, replace(ALL, contribution_piece=Span(400, 600)))["fault"]
    assert loss.won_year == pytest.approx((200 * 50 * 0.8 * 400, 800 * 70 * 1.0 * 600))


def test_production_and_unknown_time_are_no_losses() -> None:
    days = [
        replace(d, ideal_s=None, priced_s=None, good_s=None, checked_s=None, production_s=(d.production_s or 0) / 2)
        for d in truth(np.random.default_rng(3), 12)
    ]
    (one,) = accounts(days, YEAR)
    assert {"production", "unknown"} <= set(one.shares)
    assert [loss.bucket for loss in losses([one], ALL)] == ["setup", "standby", "fault", "off"]


def test_unknown_time_widens_every_loss_and_costs_nothing_itself() -> None:
    days = truth(np.random.default_rng(3), 15)
    dim = [replace(d, planned_s=d.planned_s * 1.25) for d in days]
    (clear,), (dark,) = accounts(days, YEAR), accounts(dim, YEAR)
    buckets: tuple[Bucket, ...] = ("setup", "fault", "standby", "speed", "scrap")
    for bucket in buckets:
        assert dark.shares[bucket].high > clear.shares[bucket].high + 0.1
        assert dark.shares[bucket].low < clear.shares[bucket].high
    assert dark.coverage == pytest.approx(0.8)


def test_a_plan_counts_on_what_was_seen_and_not_on_what_unknown_time_may_hide_in_every_bucket() -> None:
    # Two days of forty on which nobody saw anything, as where a cable was pulled.
    dark = {"production_s": 0.0, "setup_s": 0.0, "fault_s": 0.0, "standby_s": 0.0, "off_s": 0.0, "known_s": 60.0}
    days = truth(np.random.default_rng(3), 40)
    days[5:7] = [replace(d, ideal_s=None, priced_s=None, good_s=None, checked_s=None, **dark) for d in days[5:7]]  # type: ignore[arg-type]
    one = accounts(days, YEAR)[0]
    assert one.coverage == pytest.approx(0.95, abs=0.01)
    rates = replace(
        ALL, limits={one.machine: "no"}, avoidable_hour=Span(10_000.0, 20_000.0), scrap_piece=exactly(0.0)
    )
    found = by_bucket(one, rates)
    planned = sum(one.time_us.values())
    for bucket, loss in found.items():
        assert loss.won_year is not None
        assert loss.middle is not None
        seen = one.time_us[bucket] / planned * one.planned_hours.low  # type: ignore[index]
        assert loss.middle == pytest.approx(seen * 15_000)
        assert loss.won_year.low <= loss.middle <= loss.won_year.high
    lost = sum(loss.middle or 0.0 for loss in found.values())
    stopped = 1 - (one.time_us["good"] + one.time_us["unknown"]) / planned
    assert lost == pytest.approx(stopped * one.planned_hours.low * 15_000)
    assert sum(sum(loss.won_year or (0, 0)) / 2 for loss in found.values()) > 1.5 * lost
    assert by_bucket(one, replace(rates, avoidable_hour=None))["fault"].middle is None
