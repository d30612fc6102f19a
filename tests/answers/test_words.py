"""Patterns of lot numbers: those of factories may be written, those that never end may not."""

from __future__ import annotations

import json
import re
import time

import pytest

from answers.load import read
from tests.answers.given import given, raw


def accepted(pattern: str) -> bool:
    found, _ = read(json.dumps(raw(signals=[{"id": "press-1/lot", "pattern": pattern}])).encode())
    return found is not None


@pytest.mark.parametrize(
    "pattern",
    ["[A-Z]{2}[0-9]{6}", r"LOT-\d+", "[0-9]{8}(-[0-9]{3})?", "(AB|CD)[0-9]{4,6}", "[가-힣]+[0-9]+", r"\w*"],
)
def test_patterns_of_factories(pattern: str) -> None:
    assert accepted(pattern)


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+b", "(a|aa)+b", "((a|aa))*b", "a*a*a*a*b", "a{1,9}a{1,9}a{1,9}a{1,9}b", r"(a)\1",
     "(?=a)a", "(?<=a)b", "[",
     "", "a" * 101],
)  # fmt: skip
def test_patterns_that_never_end_or_are_none(pattern: str) -> None:
    assert not accepted(pattern)


def test_the_slowest_that_is_accepted_ends_in_time() -> None:
    pattern = given(signals=[{"id": "press-1/lot", "pattern": "a*a*a*b"}]).answers.signals[0].pattern
    assert pattern is not None
    begun = time.monotonic()
    assert re.fullmatch(pattern, "a" * 200) is None
    assert time.monotonic() - begun < 5
