"""Z'' and its own cut-offs; conditions that a tier adds, and none that it takes."""

from __future__ import annotations

import pytest

from techsquare.matching.constraints import CONTINUITY
from techsquare.matching.continuity import Accounts, asked, open_conditions, tier, z_score
from tests.techsquare.matching.small import solution


def accounts(**changed: int) -> Accounts:
    plain = {
        "current_assets": 500, "current_liabilities": 300, "assets": 1000, "liabilities": 600,
        "retained_earnings": 100, "ebit": 80, "equity": 400,
    }  # fmt: skip
    return Accounts(**{**plain, **changed})


def test_the_score_is_the_formula_by_hand() -> None:
    # 6.56 * 0.2 + 3.26 * 0.1 + 6.72 * 0.08 + 1.05 * 0.6667
    assert z_score(accounts()) == pytest.approx(1.312 + 0.326 + 0.5376 + 0.7)
    assert z_score(accounts(assets=0)) is None
    assert z_score(accounts(liabilities=0)) == float("inf")


def scored(score: float) -> Accounts:
    """Return accounts of so many points, all of them from EBIT."""
    return accounts(
        current_assets=0, current_liabilities=0, retained_earnings=0, equity=0, assets=672_000_000,
        ebit=round(score * 100_000_000),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("score", "word"),
    [(2.61, "safe"), (2.60, "grey"), (2.0, "grey"), (1.10, "grey"), (1.09, "distress"), (-3.0, "distress"),
     (2.89, "safe"), (1.22, "grey")],
)  # fmt: skip
def test_tiers_have_the_cut_offs_of_this_formula(score: float, word: str) -> None:
    assert z_score(scored(score)) == pytest.approx(score)
    assert tier(scored(score)) == word


def test_missing_accounts_are_grey_not_bad() -> None:
    assert tier(None) == "grey"
    assert tier(accounts(assets=0)) == "grey"


def test_each_tier_asks_at_least_what_the_better_one_asks() -> None:
    safe, grey, distress = (set(asked(one)) for one in ("safe", "grey", "distress"))
    assert CONTINUITY < safe < grey < distress


def test_conditions_are_open_until_met_or_agreed() -> None:
    bare = solution(0, "s", continuity=frozenset({"store"}))
    assert open_conditions(bare, "safe", frozenset()) == ["tags", "interface", "export", "milestones"]
    full = solution(0, "s", escrow="deposited")
    assert open_conditions(full, "grey", frozenset({"milestones"})) == []
    assert open_conditions(full, "distress", frozenset({"milestones"})) == ["escrow_verified", "second_supplier"]
    best = solution(0, "s", escrow="verified")
    assert open_conditions(best, "distress", frozenset({"milestones", "second_supplier"})) == []
