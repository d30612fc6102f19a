"""The contract of `gateway.stores.base.Store`: one suite, every store.

`exact` stores pass all of it. Tests that take `harness` run on VictoriaMetrics too, measured against what it
promises (see `tests.stores.harness`).
"""

from __future__ import annotations

import math
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.stores.base import Point
from tests.stores.harness import EmbeddedHarness, InfluxDb1Harness, merged, typed

if TYPE_CHECKING:
    from gateway.stores.base import FieldValue
    from tests.stores.harness import Harness
    from tests.support.databases import Database

T = 1_700_000_000_123_456_789
TAGS = (("factory", "f1"), ("site", "main"), ("source", "plc-1.fast"))


def point(time_ns: int = T, tags: tuple[tuple[str, str], ...] = TAGS, **fields: FieldValue) -> Point:
    """Return a point of the machine `press-1`."""
    return Point("press-1", tags, time_ns, fields)


def test_what_was_written_is_there(harness: Harness) -> None:
    points = [
        point(T, temp_f=21.5, count_i=7, open_b=True, lot_s="LOT-7"),
        point(T + 10**9, temp_f=-0.25, open_b=False, temp_q=0x80050000, temp_src=T - 5),
    ]
    store = harness.open()
    assert not store.write(points)
    store.close()
    assert harness.stored() == harness.promised(merged(points))


EDGES: list[dict[str, FieldValue]] = [
    {"a_i": 2**63 - 1, "b_i": -(2**63), "c_i": 0, "d_i": 2**53 + 1, "e_q": 2**32 - 1, "f_src": T},
    {"a_f": 1.0, "b_f": -0.0, "c_f": 0.1 + 0.2, "d_f": 5e-324, "e_f": 1.7976931348623157e308},
    {"a_b": True, "b_b": False},
    {"a_s": "", "b_s": "1", "c_s": "true", "d_s": "7i"},
]


def test_types_and_digits_come_back_exactly(exact: Harness) -> None:
    points = [Point("press-1", TAGS, T + i, fields) for i, fields in enumerate(EDGES)]
    store = exact.open()
    assert not store.write(points)
    store.close()
    assert typed(exact.stored()) == typed(merged(points))


def test_points_a_nanosecond_apart_are_two(exact: Harness) -> None:
    points = [point(T + i, n_i=i) for i in range(5)]
    store = exact.open()
    store.write(points)
    store.close()
    assert exact.stored() == merged(points)


def test_writing_again_changes_nothing(harness: Harness) -> None:
    points = [point(T + i * 10**6, x_f=i / 7, n_i=i) for i in range(100)]
    store = harness.open()
    for _ in range(3):
        assert not store.write(points)
    store.close()
    assert harness.stored() == harness.promised(merged(points))


def test_fields_of_separate_writes_merge_into_one_point(exact: Harness) -> None:
    store = exact.open()
    store.write([point(a_f=1.0, b_i=1)])
    store.write([point(b_i=2, c_s="three")])
    assert list(store.read("press-1", T, T + 1)) == [point(a_f=1.0, b_i=2, c_s="three")]
    store.close()


def test_one_point_twice_in_one_write_merges_too(exact: Harness) -> None:
    store = exact.open()
    store.write([point(a_f=1.0, b_i=1), point(b_i=2), point(c_b=True)])
    assert list(store.read("press-1", T, T + 1)) == [point(a_f=1.0, b_i=2, c_b=True)]
    store.close()


def test_reading_is_ordered_by_tags_then_time_and_half_open(exact: Harness) -> None:
    series = [(), (("a", "x"),), (("a", "x"), ("b", "y")), (("a", "x y"),), (("b", "w"),), TAGS]
    points = [point(T + i, tags, n_i=i) for tags in series for i in range(4)]
    store = exact.open()
    store.write(points[::-1])
    found = list(store.read("press-1", T + 1, T + 3))
    store.close()
    assert [(p.tags, p.time_ns) for p in found] == [(tags, T + i) for tags in sorted(series) for i in (1, 2)]


def test_reading_what_is_not_there_gives_nothing(exact: Harness) -> None:
    store = exact.open()
    assert list(store.read("nothing", 0, T)) == []
    assert store.measurements() == []
    store.write([point(n_i=1)])
    assert list(store.read("press-1", 0, T)) == []
    assert store.measurements() == ["press-1"]
    store.close()


def test_what_write_has_returned_for_survives_sigkill(exact: Harness) -> None:
    written = []
    for attempt in range(3):
        points = [point(T + attempt * 1000 + i, x_f=i / 3, s_s="한글") for i in range(200)]
        exact.write_and_crash(points)
        written += points
        assert exact.stored() == merged(written)


def test_refused_points_are_named_and_the_others_kept(harness: Harness) -> None:
    bad: dict[int, Point] = {
        1: point(T + 1, x_f=math.nan),
        2: point(T + 2, x_f=math.inf),
        4: point(T + 4, n_i=2**63),
        5: point(T + 5, n_i=1.0),
        7: point(T + 7, x_f=1),
        8: point(T + 8, b_b=1),
        9: point(T + 9),
        11: point(T + 11, (("factory", "f1\npress,x=1 y_f=1"),), x_f=1.0),
        12: Point("", TAGS, T, {"x_f": 1.0}),
        13: Point("press-1", TAGS, 2**63, {"x_f": 1.0}),
        14: point(T + 14, no_suffix_here=1.0),
        15: point(T + 15, s_s="\ud800"),
        17: point(T + 17, n_i=True),
        18: point(T + 18, (("b", "1"), ("a", "2")), x_f=1.0),
    }
    points = [bad.get(i, point(T + i * 10**6, x_f=1.5, n_i=i)) for i in range(20)]
    store = harness.open()
    refusals = store.write(points)
    store.close()
    assert [r.index for r in refusals] == sorted(bad)
    assert all(r.reason for r in refusals)
    assert harness.stored() == harness.promised(merged(p for i, p in enumerate(points) if i not in bad))


AWKWARD = [
    "온도 센서",
    "a b",
    "a,b",
    "a=b",
    'a"b',
    "a\\b",
    "a'b",
    "#a",
    "tab-less",
    "a.b:c/d",
    "日本",
    "x\\\\y",
    "${a}",
]


@pytest.mark.parametrize("text", AWKWARD)
def test_names_with_awkward_characters_come_back(exact: Harness, text: str) -> None:
    points = [
        Point(f"m{text}", (("factory", text), (f"tag{text}", "v")), T, {f"{text}_f": 1.5, f"n{text}_i": 3}),
        Point("m", (("factory", f"{text}2"),), T, {"x_f": 1.5}),
    ]
    store = exact.open()
    assert not store.write(points)
    assert [p for m in store.measurements() for p in store.read(m, T, T + 1)] == sorted(
        points, key=lambda p: p.measurement
    )
    store.close()


@pytest.mark.parametrize(
    "text",
    [
        *AWKWARD,
        "two\nlines",
        "carriage\r\nreturn",
        "tab\t",
        "end\\",
        '"',
        '\\"',
        "\\n",
        "\x00\x01",
        " ",
        "a" * 50_000,
    ],
)
def test_text_values_come_back(exact: Harness, text: str) -> None:
    points = [point(T, a_s=text, b_s=text + text[:1], n_i=1), point(T + 1, a_s="after", n_i=2)]
    store = exact.open()
    assert not store.write(points)
    store.close()
    assert exact.stored() == merged(points)


def test_ten_thousand_points_in_one_write(harness: Harness) -> None:
    points = [
        point(T + i * 10**6, (("factory", "f1"), ("source", f"plc-{i % 10}")), x_f=i * 0.1, n_i=i, on_b=i % 3 == 0)
        for i in range(10_000)
    ]
    store = harness.open()
    assert not store.write(points)
    store.close()
    assert harness.stored() == harness.promised(merged(points))


def test_a_point_of_a_thousand_fields_and_a_write_of_none(harness: Harness) -> None:
    wide = Point("press-1", TAGS, T, {f"signal-{i}_f": i / 8 for i in range(1000)})
    store = harness.open()
    assert not store.write([])
    assert not store.write([wide])
    store.ping()
    store.close()
    assert harness.stored() == harness.promised(merged([wide]))


def test_two_clients_write_at_once(exact: Harness) -> None:
    stores = [exact.open(), exact.open()]
    points = [Point("m", TAGS, T + i, {f"s{i % 7}_i": i, f"t{i % 3}_f": 0.5}) for i in range(60)]
    for i, p in enumerate(points):
        stores[i % 2].write([p])
    for store in stores:
        store.close()
    assert exact.stored() == merged(points)


VALUES = {
    "f": st.floats(allow_nan=False, allow_infinity=False),
    "i": st.integers(-(2**63), 2**63 - 1),
    "b": st.booleans(),
    "s": st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
}
FIELDS = st.dictionaries(
    st.sampled_from([f"{name}_{suffix}" for name in ("a", "b") for suffix in VALUES]), st.none(), min_size=1
).flatmap(lambda names: st.fixed_dictionaries({n: VALUES[n[-1]] for n in names}))
TAG = st.sampled_from(["x", "y z", "온도", "a,b=c"])
POINTS = st.lists(
    st.builds(
        Point,
        st.sampled_from(["m", "m 2"]),
        st.dictionaries(st.sampled_from(["factory", "source"]), TAG).map(lambda tags: tuple(sorted(tags.items()))),
        st.integers(T, T + 3),
        FIELDS,
    ),
    min_size=1,
    max_size=25,
)


def _written_twice_in_any_order_is_the_merge(harness: Harness, points: list[Point], data: st.DataObject) -> None:
    # Two values for one field at one time: the later write wins, so only such pairs keep their order.
    first = merged(points)
    unambiguous = [Point(p.measurement, p.tags, p.time_ns, {n: first[p.measurement, p.tags, p.time_ns, n] for n in p.fields}) for p in points]  # fmt: skip  # noqa: E501
    order = data.draw(st.permutations(unambiguous + unambiguous))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(order)), max_size=4)))
    store = harness.open()
    for start, stop in pairwise([0, *cuts, len(order)]):
        assert not store.write(order[start:stop])
    read = {m: list(store.read(m, T, T + 10)) for m in store.measurements()}
    store.close()
    assert typed(merged(p for found in read.values() for p in found)) == typed(first)
    for found in read.values():
        keys = [(p.tags, p.time_ns) for p in found]
        assert keys == sorted(set(keys))


@given(points=POINTS, data=st.data())
@settings(max_examples=60, deadline=None)
def test_random_points_in_any_order_twice_are_their_merge_embedded(
    points: list[Point], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _written_twice_in_any_order_is_the_merge(EmbeddedHarness(Path(folder)), points, data)


@given(points=POINTS, data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_points_in_any_order_twice_are_their_merge_influxdb(
    influx_server: Database, points: list[Point], data: st.DataObject
) -> None:
    _written_twice_in_any_order_is_the_merge(InfluxDb1Harness(influx_server), points, data)
