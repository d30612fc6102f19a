"""How much the memory before the next commit holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.spool.ring import MOST_ROWS, ROWS, rows_for
from tests.support.items import source

SECOND = 10**9


@pytest.mark.parametrize(
    ("groups", "rows"),
    [
        ([], ROWS),
        ([(1_000, SECOND)], ROWS),
        ([(10_000, SECOND)], 300_000),
        ([(10_000, SECOND), (5_000, SECOND // 10)], 1_800_000),
        ([(1_000, 100 * SECOND), (10_000, SECOND)], 300_300),
        ([(10_000, 7 * SECOND)] * 7, 300_006),  # a broken row is a whole one
        ([(10_000, SECOND // 20)], MOST_ROWS),
    ],
)
def test_it_holds_thirty_seconds_of_what_is_configured_and_neither_too_little_nor_too_much(
    groups: list[tuple[int, int]], rows: int
) -> None:
    sources = [replace(source(f"a.g{i}", n), interval_ns=every) for i, (n, every) in enumerate(groups)]
    assert rows_for(sources) == rows
    subscribed = [replace(one, mode="subscription") for one in sources]
    assert rows_for(subscribed) == rows
