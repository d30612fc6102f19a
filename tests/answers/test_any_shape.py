"""Whatever shape answers have, they are understood or refused with words; nothing raises."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from answers.load import read
from answers.plant import join
from answers.tables import POINTS, USE, rows
from settings.document import parse
from tests.answers.given import CALENDAR, CATALOG, MACHINES
from tests.answers.test_load import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLE = Path(__file__).parents[2] / "config" / "answers.example.yaml"
BASE = plain(parse(EXAMPLE.read_bytes()).root)
VALUES: list[Any] = [
    None, True, 0, 1, -1, 2**70, 1.5, 1e308, "", "x", "1s", "press-1", "press-1/temp", "cnc-1/alarm:x", "ghost/x",
    "yes", "2026-11-20", "2026-11-20 08:00", "0001-01-01", "9999-12-31", "0001-01-01 00:00", "9999-12-31 23:45",
    "08:00",
    "a" * 300, [], {}, [[]], [{}], {"a": 1}, "none", "V03", "(", "KR", [0, 1], "points.csv",
]  # fmt: skip
ADDED: dict[str, Any] = {
    "by": "김", "on": "2026-01-01", "role": "state", "states": {"0": "off"}, "points_file": "a.csv",
    "use_file": "b.csv",
    "loops": [{"machine": "press-1", "name": "a", "sp": "sp", "pv": "temp", "band": 1, "tau": "1s"}],
    "name": "x",
    "proof": "p", "modulus": 8, "country": "KR", "user": "hong",
}  # fmt: skip


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each container with each of its keys or indices."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        yield node, key
        if isinstance(value, dict | list):
            yield from places(value)


def fetched(_: str) -> bytes:
    return b"point,signal\nX,press-1/temp\n"


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_shape_is_understood_or_refused_with_words(data: st.DataObject) -> None:
    root = copy.deepcopy(BASE)
    for _ in range(data.draw(st.integers(1, 5))):
        holder, key = data.draw(st.sampled_from([*places(root)]))
        what = data.draw(st.sampled_from(["replace", "remove", "repeat", "add"]))
        if what == "remove" and isinstance(holder, dict) and len(holder) > 1:
            del holder[key]
        elif what == "repeat" and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        elif what == "add" and isinstance(holder[key], dict):
            name = data.draw(st.sampled_from(sorted(ADDED)))
            holder[key][name] = copy.deepcopy(ADDED[name])
        else:
            holder[key] = copy.deepcopy(data.draw(st.sampled_from(VALUES)))
    found, problems = read(json.dumps(root, ensure_ascii=False).encode(), "file", fetched)
    assert (found is None) is bool(problems)
    for problem in problems:
        assert problem.line >= 1
        assert problem.text.en
        assert problem.text.ko
    if found is not None:
        joined = join(CATALOG, MACHINES, CALENDAR, [found])
        assert joined.plant.hash
        again, _ = read(found.text.encode())
        assert again is not None
        assert again.digest == found.digest


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode), st.sampled_from([POINTS, USE]))
def test_any_table_is_understood_or_refused_with_words(content: bytes, shape: Any) -> None:
    for head in (b"", b"point,signal\n", "일자;시스템;계정종류\n".encode("cp949")):
        found, problems = rows(head + content, shape, "a.csv", 3, "use_file")
        assert len(found) == len(found.lines)
        assert all(p.line >= 1 and p.text.en and p.text.ko for p in problems)
