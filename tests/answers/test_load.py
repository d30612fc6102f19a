"""From text to answers: the same set whatever its form and order."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any, get_args

from agent.frame import Role
from answers import reference, words
from answers.load import load, read
from settings.document import BYTES_LIMIT, parse
from tests.answers.given import given, raw

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config" / "answers.example.yaml"


def plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: plain(value) for key, value in node.items()}
    return [plain(value) for value in node] if isinstance(node, list) else node


def shuffled(node: Any, chance: random.Random) -> Any:
    """Return the same in another order: of keys, and of entries of every list but pairs of numbers."""
    if isinstance(node, dict):
        items = [(key, shuffled(value, chance)) for key, value in node.items()]
        chance.shuffle(items)
        return dict(items)
    if isinstance(node, list):
        found = [shuffled(value, chance) for value in node]
        if not (len(found) == 2 and all(isinstance(value, int | float) for value in found)):
            chance.shuffle(found)
        return found
    return node


def test_the_example_is_right_and_shows_every_section_but_loops() -> None:
    answers = load(EXAMPLE).answers
    empty = {name for name in type(answers).model_fields if not getattr(answers, name)}
    assert empty == {"loops", "use_file"}
    assert answers.author == "박성호 멘토"
    assert answers.machines[1].by == "이정민 전산팀"


def test_what_is_kept_as_json_is_the_same_set_again() -> None:
    first = load(EXAMPLE)
    again, problems = read(first.text.encode(), "file")
    assert again is not None, problems
    assert again == first


def test_order_changes_no_hash_and_each_answer_does() -> None:
    root = plain(parse(EXAMPLE.read_bytes()).root)
    digest = load(EXAMPLE).digest
    for seed in range(20):
        text = json.dumps(shuffled(copy.deepcopy(root), random.Random(seed))).encode()
        found, problems = read(text)
        assert found is not None, problems
        assert found.digest == digest
    for section in ("machines", "signals", "products", "hand_counts", "use", "bills", "claims"):
        less = copy.deepcopy(root)
        less[section].pop()
        found, _ = read(json.dumps(less).encode())
        assert found is not None
        assert found.digest != digest, section


def test_tables_beside_the_file_are_as_if_they_stood_in_it(tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-8-sig", "cp949"):
        (tmp_path / "points.csv").write_text("포인트;태그\n온도;press-1/temp\n압력;\n", encoding)
        (tmp_path / "use.csv").write_text(
            '일자,시스템,계정 종류,조회수,확인수,접속수\n2026-11-18,mes,operator,"1,204",3,2\n\n', encoding
        )
        parts = raw(systems=[{"id": "mes", "points": {"A": None}, "points_file": "points.csv"}], use_file="use.csv")
        (tmp_path / "answers.yaml").write_text(json.dumps(parts), "utf-8")
        inline = given(
            systems=[{"id": "mes", "points": {"A": None, "온도": "press-1/temp", "압력": None}}],
            use=[
                {
                    "day": "2026-11-18",
                    "system": "mes",
                    "account": "operator",
                    "reads": 1204,
                    "acks": 3,
                    "sessions": 2,
                }
            ],
        )
        found = load(tmp_path / "answers.yaml")
        assert found.answers == inline.answers
        assert found.digest == inline.digest


def test_a_message_has_nothing_beside_it() -> None:
    parts = raw(systems=[{"id": "mes", "points_file": "points.csv"}], use_file="/etc/passwd")
    found, problems = read(json.dumps(parts).encode(), "message")
    assert found is None
    assert [p.path for p in problems] == ["use_file", "systems[mes].points_file"] or [p.path for p in problems] == [
        "systems[mes].points_file", "use_file",
    ]  # fmt: skip
    assert {p.text.en.split(":")[0] for p in problems} == {"a message has nothing beside it"}


def test_what_could_not_be_read_again_from_the_disk_is_not_accepted() -> None:
    rows = b"point,signal\n" + b"".join(b"point-%d-%s,\n" % (n, b"x" * 150) for n in range(24_000))
    assert len(rows) < 4_000_000 < BYTES_LIMIT
    parts = raw(systems=[{"id": "a", "points_file": "a.csv"}, {"id": "b", "points_file": "a.csv"}])
    found, problems = read(json.dumps(parts).encode(), "file", lambda _: rows)
    assert found is None
    assert problems[0].text.en == "with its tables it has more than 5 MB"


def test_roles_are_those_of_the_configuration() -> None:
    assert set(get_args(words.SignalRole)) == {*get_args(Role), "none"}


def test_the_page_is_up_to_date() -> None:
    assert (ROOT / "docs" / "answers.md").read_text("utf-8") == reference.reference()
