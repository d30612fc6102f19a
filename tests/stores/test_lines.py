"""Points as line protocol: known bytes, and the same refusals as everywhere."""

from __future__ import annotations

import math

import pytest

from gateway.stores.base import Point
from gateway.stores.lines import encode
from gateway.stores.rules import point_problem

TAGS = (("factory", "f1"), ("site", "main"))


@pytest.mark.parametrize(
    ("point", "line"),
    [
        (Point("m", (), 1, {"x_f": 1.5}), "m x_f=1.5 1"),
        (Point("m", TAGS, 1, {"x_f": 1e300, "n_i": -7}), "m,factory=f1,site=main x_f=1e300,n_i=-7i 1"),
        (Point("m", (), -5, {"b_b": True, "c_b": False}), "m b_b=true,c_b=false -5"),
        (Point("m", (), 1, {"n_q": 2**31, "n_src": 2**62}), "m n_q=2147483648i,n_src=4611686018427387904i 1"),
        (Point("m", (), 1, {"s_s": 'a"b\\c\nd'}), 'm s_s="a\\"b\\\\c\nd" 1'),
        (Point("m 1,2=3", (), 1, {"x_f": 1.0}), "m\\ 1\\,2=3 x_f=1.0 1"),
        (Point("m", (("a b", "c,d=e"),), 1, {"x ,=_f": 1.0}), "m,a\\ b=c\\,d\\=e x\\ \\,\\=_f=1.0 1"),
        (Point("온도", (("공장", "서울"),), 1, {"값_s": "영"}), '온도,공장=서울 값_s="영" 1'),
    ],
)
def test_a_point_becomes_these_bytes(point: Point, line: str) -> None:
    assert encode([point]) == ([line.encode()], [0], [])


@pytest.mark.parametrize(
    "point",
    [
        Point("", (), 1, {"x_f": 1.0}),
        Point("#m", (), 1, {"x_f": 1.0}),
        Point("m\n", (), 1, {"x_f": 1.0}),
        Point("m\\", (), 1, {"x_f": 1.0}),
        Point("m\\ n", (), 1, {"x_f": 1.0}),
        Point("m" * 257, (), 1, {"x_f": 1.0}),
        Point("m", (("a", ""),), 1, {"x_f": 1.0}),
        Point("m", (("", "a"),), 1, {"x_f": 1.0}),
        Point("m", (("time", "a"),), 1, {"x_f": 1.0}),
        Point("m", (("_field", "a"),), 1, {"x_f": 1.0}),
        Point("m", (("a", "1"), ("a", "2")), 1, {"x_f": 1.0}),
        Point("m", (("a", "x\ny"),), 1, {"x_f": 1.0}),
        Point("m", (("a", "\ud800"),), 1, {"x_f": 1.0}),
        Point("m", (), 1, {}),
        Point("m", (), 1, {"time": 1.0}),
        Point("m", (), 1, {"_f": 1.0}),
        Point("m", (), 1, {"x": 1.0}),
        Point("m", (), 1, {"x\n_f": 1.0}),
        Point("m", (), 1, {"ok_i": 1, "x_f": math.nan}),
        Point("m", (), 1, {"x_f": -math.inf}),
        Point("m", (), 1, {"x_f": 1}),
        Point("m", (), 1, {"x_i": True}),
        Point("m", (), 1, {"x_i": -(2**63) - 1}),
        Point("m", (), 1, {"x_q": 1.0}),
        Point("m", (), 1, {"x_s": "\udfff"}),
        Point("m", (), 1, {"x_s": "글" * 200_000}),
        Point("m", (), 2**63 - 1, {"x_f": 1.0}),
        Point("m", (), -(2**63) + 1, {"x_f": 1.0}),
    ],
)
def test_what_no_store_can_keep_is_refused_with_a_reason(point: Point) -> None:
    good = Point("m", (), 1, {"x_f": 1.0})
    lines, places, refusals = encode([good, point, good])
    assert lines == [b"m x_f=1.0 1"] * 2
    assert places == [0, 2]
    assert [(r.index, r.reason) for r in refusals] == [(1, point_problem(point))]
    assert point_problem(good) is None
