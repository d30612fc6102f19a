"""How often may be asked, against counting."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.platform.limits import CLIENTS, RATES, TOGETHER, USUAL, Limits

VERBS = [*RATES, "window.get", "no.such"]


@given(
    st.sampled_from(VERBS),
    st.lists(st.integers(0, 20 * 10**9), min_size=1, max_size=200),
)
def test_no_span_of_time_lets_more_pass_than_the_burst_and_what_grew_in_it(verb: str, steps: list[int]) -> None:
    limits, now, passed = Limits(), 10**15, []
    for step in steps:
        now += step
        wait = limits.wait_ns("a", verb, now)
        assert wait >= 0
        if not wait:
            passed.append(now)
    burst, every = RATES.get(verb, USUAL)
    for i, begin in enumerate(passed):
        for j, end in enumerate(passed[i:], i):
            assert j - i + 1 <= burst + (end - begin) / every + 1e-6


def test_who_waits_as_long_as_he_was_told_is_answered() -> None:
    limits, now = Limits(), 0
    for _ in range(100):
        wait = limits.wait_ns("a", "fit.check", now)
        if wait:
            assert limits.wait_ns("a", "fit.check", now + wait // 2) > 0
            now += wait
            assert not limits.wait_ns("a", "fit.check", now)


def test_clients_do_not_take_from_one_another_until_all_together_are_too_many() -> None:
    limits = Limits()
    burst = RATES["exit.test"].burst
    for client in range(TOGETHER):
        assert [bool(limits.wait_ns(f"c{client}", "exit.test", 0)) for _ in range(burst + 1)] == [False] * burst + [
            True
        ]
    assert limits.wait_ns("another", "exit.test", 0)
    assert not limits.wait_ns("another", "report.get", 0)


def test_names_that_are_made_up_do_not_fill_the_memory() -> None:
    limits = Limits()
    for n in range(3 * CLIENTS):
        limits.wait_ns(f"client-{n}", f"verb-{n}", n)
    assert len(limits._buckets) <= CLIENTS
    assert len(limits._all) == 1
