"""YAML as plain data with lines."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings.document import BYTES_LIMIT, VALUES_LIMIT, parse, scalar
from settings.tree import List, Map, locate


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("null", None), ("true", True), ("False", False), ("12", 12), ("-3", -3),
        ("+4", 4), ("0", 0), ("0x1F", 31), ("0o17", 15), ("1.5", 1.5), ("-.5", -0.5), ("1e3", 1000.0),
        (".inf", float("inf")), ("08:00", "08:00"), ("10:30:00", "10:30:00"), ("no", "no"), ("on", "on"),
        ("yes", "yes"), ("2026-12-24", "2026-12-24"), ("1_000", "1_000"), ("000009", "000009"), ("007", "007"),
        ("1.2.3", "1.2.3"),
        ("+", "+"), (".", "."), ("12A", "12A"), ("e3", "e3"), ("９", "９"), ("192.168.0.10", "192.168.0.10"),
    ],
)  # fmt: skip
def test_a_plain_scalar_is_what_yaml_1_2_says(text: str, value: object) -> None:
    found = scalar(text)
    assert found == value
    assert type(found) is type(value)


def test_quotes_keep_text_and_keys_are_always_text() -> None:
    root = parse(b"a: '12'\nb: \"true\"\n1: |\n  two\n  lines\ntrue: x\n").root
    assert root == {"a": "12", "b": "true", "1": "two\nlines\n", "true": "x"}


def test_every_key_and_item_knows_its_line() -> None:
    root = parse(
        b"# first\na: 1\nb:\n  - x\n\n  - {c: 1,\n     d: 2}\n  - e:\n      f: 1\r\n  - |\n   text\n  - last\n"
    ).root
    assert isinstance(root, Map)
    assert root.lines == {"a": 2, "b": 3}
    assert isinstance(root["b"], List)
    assert root["b"].lines == [4, 6, 8, 10, 12]
    assert root["b"][1].lines == {"c": 6, "d": 7}
    assert root["b"][2].lines == {"e": 8}
    assert root["b"][2]["e"].lines == {"f": 9}


def test_an_alias_repeats_a_value_and_its_lines_are_the_anchor_s() -> None:
    root = parse(b"a: &groups\n  - {x: 1}\nb: *groups\n").root
    assert root["b"] == [{"x": 1}]
    assert root.lines == {"a": 1, "b": 3}
    assert locate(root, ("b", 0, "x")) == (2, "b[#1].x")


def test_a_location_is_told_by_ids_and_a_missing_key_by_what_should_hold_it() -> None:
    root = parse(b"devices:\n  - id: plc\n    type: modbus\n    groups:\n    - every: 1s\n    - id: 3\n").root
    assert locate(root, ("devices", 0, "modbus", "groups", 1, "every")) == (6, "devices[plc].groups[#2].every")
    assert locate(root, ("devices", 0, "modbus", "host")) == (2, "devices[plc].host")
    assert locate(root, ("uplink",)) == (1, "uplink")
    assert locate(root, ("devices", 0, "type", "str")) == (3, "devices[plc].type")


def test_a_key_with_the_name_of_a_union_s_tag_is_found() -> None:
    root = parse(b"devices:\n  - id: plc\n    type: modbus\n    modbus: 1\n").root
    assert locate(root, ("devices", 0, "modbus", "modbus")) == (4, "devices[plc].modbus")


def test_a_file_of_more_than_five_megabytes_is_refused_unread() -> None:
    document = parse(b"a: 1\n" + b"#" * BYTES_LIMIT)
    assert document.root is None
    assert "5 MB" in document.problems[0].text.en


def test_the_limit_of_values_counts_what_aliases_expand_to() -> None:
    wide = "a: &a [" + ",".join("1" * 1000) + "]\n"
    most = VALUES_LIMIT // 1001 - 2
    assert parse((wide + "b: [" + ",".join(["*a"] * most) + "]\n").encode()).problems == ()
    assert parse((wide + "b: [" + ",".join(["*a"] * (most + 3)) + "]\n").encode()).problems


@pytest.mark.parametrize("line", ["factory hanil", "factory:hanil", "- hanil:x, y"])
def test_a_missing_colon_is_told_where_it_is_missing(line: str) -> None:
    (problem,) = parse(f"version: 1\n{line}\nagent: edge-1\n".encode()).problems
    assert problem.line == 2


def test_an_invisible_character_is_told_once_a_line_in_both_languages() -> None:
    first, second = parse(b"a: \x00\x00\x00\nb: \x00\n").problems
    assert (first.line, second.line) == (1, 2)
    assert first.text.en == "invisible character U+0000 (control character): delete it"
    assert first.text.ko == "보이지 않는 문자 있음: U+0000(제어 문자). 지우십시오"


def test_a_second_mistake_is_found_behind_a_first_one() -> None:
    problems = parse(b"a: 1\na: 2\nb:\n  c: 1\n  c: 2\n  c: 3\n").problems
    assert [p.line for p in problems] == [2, 5, 6]


# JSON writes characters beyond the basic plane as two escapes, YAML as one
texts = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]))
# in YAML a key on the line of its value has at most 1,024 characters; an escape has six
keys = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=160).filter("<<".__ne__)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**25), 10**25) | texts | st.floats(-1e300, 1e300),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)


@given(json_values)
def test_json_is_yaml(value: Any) -> None:
    document = parse(json.dumps(value).encode())
    assert document.problems == ()
    assert document.root == value


SYNTAX = "ab:-[]{},&*!|>'\"%@`#? \n\t<"


@given(
    st.binary(max_size=200) | st.text(max_size=200).map(str.encode) | st.text(SYNTAX, max_size=60).map(str.encode)
)
def test_whatever_stands_in_a_file_is_data_or_a_problem_with_a_line_of_the_file(raw: bytes) -> None:
    document = parse(raw)
    last = raw.count(b"\n") + raw.count(b"\r") + 1
    for problem in document.problems:
        assert 1 <= problem.line <= last
        assert problem.text.en
        assert problem.text.ko
