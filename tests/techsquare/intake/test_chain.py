"""Chains held against a plain reading of the same rules."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from techsquare.intake.chain import Link, Tip, misfit, walk

START = date(2026, 1, 1)


def whole(count: int) -> list[Link]:
    return [Link(n, f"h{n}", f"h{n - 1}" if n > 1 else None, START + timedelta(2 * n)) for n in range(1, count + 1)]


@given(st.integers(0, 25), st.sets(st.integers(1, 25)), st.sets(st.integers(1, 25)))
def test_a_chain_is_whole_up_to_the_first_number_that_is_neither_there_nor_lost(
    count: int, gone: set[int], lost: set[int]
) -> None:
    links = [link for link in whole(count) if link.number not in gone | lost]
    spans = [(n, n) for n in sorted(lost)]
    tip, why = walk(Tip(None, 1), links, spans)
    there = {link.number for link in links}
    first = next(n for n in range(1, 99) if n not in there | lost)
    assert (tip.wanted, why) == (first, None)
    below = [link for link in links if link.number < first]
    assert tip.last == (below[-1] if below else None)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=6), st.integers(1, 12))
def test_steps_end_where_one_walk_ends(cuts: list[int], count: int) -> None:
    links = whole(count)
    at_once, _ = walk(Tip(None, 1), links)
    tip = Tip(None, 1)
    for cut in [*cuts, 99]:
        tip, why = walk(tip, [link for link in links if tip.wanted <= link.number < tip.wanted + cut])
        assert why is None
    assert tip == at_once


@given(st.integers(2, 9), st.data())
def test_a_record_of_another_chain_is_found_from_both_sides(count: int, data: st.DataObject) -> None:
    links = whole(count)
    at = data.draw(st.integers(1, count))
    right = links[at - 1]
    there = {link.number: link for link in links if link.number != at}
    assert misfit(right, there) is None
    assert misfit(right, {at: right}) is None
    head = right._replace(head="forged")
    if at < count:
        assert misfit(head, there) is not None
        assert walk(Tip(None, 1), [*links[: at - 1], head, *links[at:]])[1] is not None
    if at > 1:
        assert misfit(right._replace(prev="forged"), there) is not None
        assert misfit(right._replace(day=links[at - 2].day), there) is not None
    if at < count:
        assert misfit(right._replace(day=links[at].day), there) is not None
    assert misfit(head, {at: right}) is not None
