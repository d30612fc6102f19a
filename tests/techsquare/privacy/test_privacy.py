"""Bands, the notice, and retention beside the tables that it speaks of."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.consent import SCOPES as AGREED
from techsquare.privacy.bands import MOST, TOPS, band, beyond, most_won
from techsquare.privacy.notice import SCOPES, Notice, Scope, recorded, refuse_release, text
from techsquare.privacy.retention import RETENTION, told
from techsquare.registry import tables  # noqa: F401 - declares them
from techsquare.registry.base import Base
from techsquare.registry.policy import declaration, model_of
from techsquare.registry.privacy import SCOPES as KEPT

TODAY = date(2026, 11, 23)
NOTICE = Notice("대성정밀", ["프레스 3호기", "사출 1호기"], frozenset({"levels", "days"}), "총무팀", TODAY)


@given(st.integers(0, MOST))
def test_each_budget_is_in_one_band(won: int) -> None:
    low, high = band(won)
    assert low < won <= high or (won == low == 0)
    assert most_won(won) == high >= won
    assert band(high).high == high
    assert beyond(high, won) == high - won
    assert beyond(won, won) == 0


def test_bands_follow_each_other_and_refuse_what_is_no_budget() -> None:
    assert list(TOPS) == sorted(set(TOPS))
    assert [band(top).high for top in TOPS] == list(TOPS)
    assert all(band(top + 1).low == top for top in TOPS)
    for wrong in (-1, MOST + 1):
        with pytest.raises(ValueError, match="a budget of"):
            band(wrong)


def test_the_notice_names_all_that_is_released_and_nothing_else() -> None:
    assert set(SCOPES) == set(get_args(Scope)) == set(AGREED)
    for scope in SCOPES:
        for language in ("ko", "en"):
            one = replace(NOTICE, scopes=frozenset({scope}))
            lines = text(one, TODAY, language)
            named = [name for name, words in SCOPES.items() if f"- {words(language)}" in lines]
            assert named == [scope]
            assert any("프레스 3호기, 사출 1호기" in line for line in lines)
            assert any("총무팀" in line for line in lines)
            assert not any("{" in line for line in lines)
    korean, english = text(NOTICE, TODAY, "ko"), text(NOTICE, TODAY, "en")
    assert len(korean) == len(english)
    assert all(any("가" <= letter <= "힣" for letter in line) for line in korean)
    for wrong in (replace(NOTICE, machines=[]), replace(NOTICE, contact=" ")):
        with pytest.raises(ValueError, match="whom to ask"):
            text(wrong, TODAY, "ko")


def test_nothing_is_released_before_the_notice_and_new_scopes_need_a_new_one() -> None:
    given_ = recorded(NOTICE, TODAY)
    levels, more = frozenset[Scope]({"levels"}), frozenset[Scope]({"levels", "machines"})
    assert refuse_release(levels, None, TODAY) == "no_notice"
    assert refuse_release(frozenset(), None, TODAY) is None
    assert refuse_release(levels, given_, TODAY) is None
    assert refuse_release(levels, given_, TODAY - timedelta(days=1)) == "not_yet"
    assert refuse_release(more, given_, TODAY) == "other_scopes"
    assert recorded(NOTICE, TODAY) == given_
    assert recorded(replace(NOTICE, machines=["선반"]), TODAY).hash != given_.hash


def test_retention_says_what_the_tables_do() -> None:
    assert [one.scope for one in RETENTION] == list(KEPT)
    kept: dict[str, list[int | None]] = {scope: [] for scope in KEPT}
    for table in Base.metadata.sorted_tables:
        declared = declaration(model_of(table.name)).keep
        for scope in declared.scopes:
            kept[scope].append(declared.days)
    for one in RETENTION:
        days = kept[one.scope]
        assert days, one.scope
        longest = None if None in days else max(day for day in days if day is not None)
        assert one.longest == longest, one.scope
        for shorter in {day for day in days if day is not None and day != longest}:
            said = (
                (f"{shorter // 365} year", f"{shorter // 365}년")
                if shorter >= 365
                else (f"{shorter} day", f"{shorter}일")
            )
            assert said[0] in one.what.en, (one.scope, said)
            assert said[1] in one.what.ko, (one.scope, said)
    for language in ("ko", "en"):
        lines = told(language)
        assert len(lines) == len(KEPT)
        assert not any("{" in line for line in lines)
