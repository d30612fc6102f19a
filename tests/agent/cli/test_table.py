"""Tables whose columns stand under each other."""

from __future__ import annotations

import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from agent.cli.table import clean, table, width


def test_hangul_takes_two_columns_however_it_is_composed() -> None:
    assert width("press") == 5
    assert width("프레스 1호기") == 12
    assert width(unicodedata.normalize("NFD", "프레스")) == 6
    assert width("é") == width(unicodedata.normalize("NFD", "é")) == 1


def test_columns_are_aligned() -> None:
    lines = list(table(["이름", "값"], [["모터 전류", "1.5"], ["speed", "1200"]], right=frozenset({1})))
    assert lines == ["이름         값", "---------  ----", "모터 전류   1.5", "speed      1200"]


@given(st.lists(st.lists(st.text(max_size=10), min_size=3, max_size=3), min_size=1, max_size=4))
def test_no_line_is_wider_than_its_columns_and_no_cell_steers_the_terminal(rows: list[list[str]]) -> None:
    lines = list(table(["a", "b", "c"], rows))
    assert len(lines) == len(rows) + 2
    for line in lines:
        assert line.isprintable()
        assert width(line) <= width(lines[1])


def test_control_characters_are_shown_as_dots() -> None:
    assert clean("a\x1b[31mb\nc") == "a·[31mb·c"
    assert not re.search(r"[\x00-\x1f]", clean("".join(map(chr, range(0x80)))))
