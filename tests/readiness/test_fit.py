"""A need is met, not met, or open: by the interval, never by the point alone."""

from __future__ import annotations

import pytest

from contract.report import Value
from contract.verbs import Need
from readiness.fit import judged


@pytest.mark.parametrize(
    ("lo", "hi", "least", "most", "verdict"),
    [
        (0.90, 0.95, 0.90, None, "pass"),
        (0.89, 0.95, 0.90, None, "unknown"),
        (0.80, 0.90, 0.90, None, "unknown"),
        (0.80, 0.89, 0.90, None, "fail"),
        (0.80, 0.89, None, 0.89, "pass"),
        (0.80, 0.89, None, 0.85, "unknown"),
        (0.80, 0.89, None, 0.79, "fail"),
        (0.80, 0.89, 0.5, 0.95, "pass"),
        (None, None, 0.85, None, "pass"),
        (None, None, 0.86, None, "fail"),
    ],
)
def test_a_value_meets_a_need_with_its_whole_interval(
    lo: float | None, hi: float | None, least: float | None, most: float | None, verdict: str
) -> None:
    value = Value("A01", "1", "0" * 16, value=0.85 if lo is None or hi is None else (lo + hi) / 2, lo=lo, hi=hi)
    assert judged(Need("n", "A01", least, most), value) == verdict


def test_what_is_not_assessed_is_open_and_what_does_not_apply_is_not_there() -> None:
    need = Need("n", "A01", 0.5)
    assert judged(need, None) == "unknown"
    assert judged(need, Value("A01", "1", "0" * 16, reason="NA_NO_EVIDENCE")) == "unknown"
    assert judged(need, Value("A01", "1", "0" * 16, reason="NOT_APPLICABLE")) == "fail"
