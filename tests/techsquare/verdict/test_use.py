"""Use: what is said from observed planned days, and only where the plan names a signal."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from techsquare.verdict.terms import Use
from techsquare.verdict.use import UNUSED_DAYS, UseDay, assess

FIRST = date(2026, 6, 1)
MES = Use("mes", "screen_opened", 5)
MARKS = {"u": (True, True), "-": (True, False), "?": (True, None), " ": (False, False), "U": (False, True)}


def days(marks: str) -> list[UseDay]:
    """Read marks: u used, - not used, ? our outage (all planned); blank not planned, U used though not planned."""
    return [UseDay(FIRST + timedelta(days=i), *MARKS[mark]) for i, mark in enumerate(marks)]


@pytest.mark.parametrize(
    ("marks", "state", "idle", "observed", "censored"),
    [
        ("u----", "used", 4, 5, 0),
        ("u-----", "late", 5, 6, 0),
        ("u" + "-" * 13, "late", 13, 14, 0),
        ("u" + "-" * 14, "not_used", 14, 15, 0),
        ("-" * 14, "not_used", 14, 14, 0),
        ("-" * 4, "not_assessed", 4, 4, 0),
        ("u" + "?" * 30, "used", 0, 1, 30),
        ("u" + "-?" * 13, "late", 13, 14, 13),
        ("u" + "-----  " * 2 + "---", "late", 13, 14, 0),
        ("-" * 13 + "U-", "used", 1, 14, 0),
        ("?" * 40, "not_assessed", 0, 0, 40),
        ("", "not_assessed", 0, 0, 0),
    ],
)
def test_what_is_said(marks: str, state: str, idle: int, observed: int, censored: int) -> None:
    told = assess(MES, days(marks))
    assert (told.state, told.idle, told.observed, told.censored) == (state, idle, observed, censored)
    assert (told.reason == "few_days") == (state == "not_assessed")


def test_a_slow_rhythm_takes_two_rhythms_to_be_unused() -> None:
    monthly = Use("mes", "report", 20)
    assert assess(monthly, days("u" + "-" * 39)).state == "late"
    assert assess(monthly, days("u" + "-" * 40)).state == "not_used"


@given(st.text(alphabet="u-? U", max_size=60))
def test_without_a_signal_use_is_never_assessed(marks: str) -> None:
    told = assess(None, days(marks))
    assert (told.state, told.reason, told.share) == ("not_assessed", "no_signal", None)


@given(st.text(alphabet="u-? U", max_size=80), st.integers(0, 80))
def test_our_own_outages_and_days_off_never_count_against_anybody(marks: str, at: int) -> None:
    told = assess(MES, days(marks))
    for quiet in "? ":
        more = assess(MES, days(marks[:at] + quiet + marks[at:]))
        assert (more.state, more.idle, more.share) == (told.state, told.idle, told.share)


@given(st.text(alphabet="u-", max_size=80))
def test_the_share_is_that_of_whole_rhythms(marks: str) -> None:
    parts = [marks[i : i + 5] for i in range(0, len(marks) - 4, 5)]
    expected = sum("u" in part for part in parts) / len(parts) if parts else None
    told = assess(MES, days(marks))
    assert told.share == expected
    assert (told.state == "not_used") == (len(marks) - len(marks.rstrip("-")) >= UNUSED_DAYS)


def test_days_in_disorder_and_rhythms_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="in order"):
        assess(MES, days("uu")[::-1])
    with pytest.raises(ValueError, match="rhythm"):
        assess(Use("mes", "x", 0), days("u"))
