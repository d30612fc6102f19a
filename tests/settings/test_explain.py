"""Every mistake that the models can find has words in both languages."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, ValidationError

from agent.config.load import read
from agent.config.model import AgentConfig, MachineEntry
from answers.model import Answers
from gateway.access import Access
from gateway.config import GatewayConfig
from settings.document import parse
from settings.explain import OTHER_TYPES, PATTERNS, TEXTS, WORD_TYPES, explain, fields_at
from settings.suggest import nearest, slug

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SCHEMAS = [model.__pydantic_core_schema__ for model in (AgentConfig, GatewayConfig, Access, Answers)]

# Which errors each kind of node in pydantic's schema can produce, by its constraints.
FINISHED = {"time", "date", "datetime", "lax-or-strict"}
"""What stands only behind a function that hands in a finished value, so that it has nothing to refuse."""
NO_ERRORS = {
    "any",
    "definitions",
    "definition-ref",
    "default",
    "nullable",
    "no-info",
    "with-info",
    "model-field",
    "union",
}
ERRORS = {
    "model": {"model_type"},
    "model-fields": {"missing", "extra_forbidden", "model_attributes_type"},
    "literal": {"literal_error"},
    "enum": {"enum"},
    "str": {"string_type"},
    "bool": {"bool_type"},
    "int": {"int_type", "int_parsing", "int_parsing_size", "int_from_float"},
    "float": {"float_type", "float_parsing", "finite_number"},
    "tuple": {"tuple_type", "missing", "too_long"},
    "dict": {"dict_type"},
    "function-wrap": {"value_error"},
    "tagged-union": {"union_tag_invalid", "union_tag_not_found", "model_attributes_type"},
    "function-after": {"value_error"},
    "function-before": {"value_error"},
    "function-plain": {"value_error"},
}
CONSTRAINTS = {
    "pattern": "string_pattern_mismatch", "gt": "greater_than", "ge": "greater_than_equal", "lt": "less_than",
    "le": "less_than_equal",
}  # fmt: skip


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield every node of a core schema."""
    if isinstance(schema, dict):
        if isinstance(schema.get("type"), str):
            yield schema
        for key, value in schema.items():
            finished = schema.get("type") == "function-before" and key == "schema" and value["type"] in FINISHED
            if key not in {"metadata", "serialization"} and not finished:
                yield from nodes(value)
    elif isinstance(schema, (list, tuple)):
        for value in schema:
            yield from nodes(value)


def possible(node: dict[str, Any]) -> set[str]:
    kind = node["type"]
    assert kind in ERRORS or kind in NO_ERRORS, f"which errors can a {kind} produce? Add it here"
    assert kind != "bool" or node.get("strict"), "write Flag: pydantic makes True of `yes` and False of 0"
    found = set(ERRORS.get(kind, ()))
    found |= {error for constraint, error in CONSTRAINTS.items() if node.get(constraint) is not None}
    if node.get("min_length") is not None:
        found.add("string_too_short" if kind == "str" else "too_short")
    if node.get("max_length") is not None:
        found.add("string_too_long" if kind == "str" else "too_long")
    return found


def test_each_error_that_the_models_can_produce_has_words() -> None:
    produced = {error for node in nodes(SCHEMAS) for error in possible(node)}
    known = set(TEXTS) | WORD_TYPES | OTHER_TYPES
    assert produced - known == set()
    assert known - produced == set(), "words that nothing needs"


def test_each_pattern_of_the_models_has_words() -> None:
    assert {node["pattern"] for node in nodes(SCHEMAS) if node.get("pattern")} == set(PATTERNS)


def test_a_model_complains_in_both_languages() -> None:
    places = [
        *(ROOT / "settings").glob("*.py"),
        *(ROOT / "answers" / name for name in ("words.py", "sections.py", "model.py", "tables.py")),
        *(ROOT / "agent" / "config").glob("*.py"),
        *(ROOT / "agent" / "collectors").glob("*/config.py"),
        ROOT / "agent" / "collectors" / "opcua" / "node.py",
        ROOT / "gateway" / "config.py",
        ROOT / "gateway" / "stores" / "settings.py",
    ]
    for path in places:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                raised = ast.unparse(node.exc.func)
                assert raised not in {"ValueError", "AssertionError", "TypeError"}, f"{path}:{node.lineno}"
            assert not isinstance(node, ast.Assert) or path.name == "document.py", (
                f"{path}:{node.lineno}: pydantic turns an assert into an error of the technician"
            )


def test_english_words_are_ascii_and_korean_ones_are_korean() -> None:
    for text in (*TEXTS.values(), *PATTERNS.values()):
        assert text.en.isascii()
        assert re.search("[가-힣]", text.ko)
        assert re.findall(r"\{\w+\}", text.en) == re.findall(r"\{\w+\}", text.ko)


def first_error(text: str, model: type[BaseModel] = AgentConfig) -> Any:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(parse(text.encode()).root)
    return caught.value.errors(include_url=False)[0]


def test_an_error_without_words_keeps_those_of_pydantic() -> None:
    error = first_error("version: 1")
    assert explain(error | {"type": "a_new_type"}).en == error["msg"]


def test_the_keys_that_may_stand_somewhere_are_known_through_unions_and_lists() -> None:
    assert "machines" in fields_at(AgentConfig, ())
    assert fields_at(AgentConfig, ("schedule", "planned", 3)) == ("days", "from", "to")
    assert "port" in fields_at(AgentConfig, ("uplink", "platform"))
    modbus = fields_at(AgentConfig, ("devices", 0, "modbus"))
    assert "host" in modbus
    assert "endpoint" not in modbus
    assert "node" in fields_at(AgentConfig, ("devices", 0, "opcua", "groups", 0, "signals", 9))
    assert fields_at(AgentConfig, ("version", "x")) == ()
    assert "bucket" in fields_at(GatewayConfig, ("store", "influxdb2"))
    assert fields_at(GatewayConfig, ("store", "embedded", "keep")) == ("max_size", "max_age")


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("adress", ["address", "id"], "address"), ("ADDRESS", ["address"], "address"),
        ("max-size", ["max_size", "max_age"], "max_size"), ("ｐｏｒｔ", ["port"], "port"), ("x", ["address"], None),
    ],
)  # fmt: skip
def test_the_nearest_word_is_suggested(word: str, known: list[str], meant: str | None) -> None:
    assert nearest(word, known) == meant


def test_an_id_is_suggested_from_a_name() -> None:
    assert slug("Press 3") == "press-3"
    assert slug("Ｐress＿３") == "press_3"
    assert slug("프레스") == ""


@pytest.mark.parametrize(("name", "example"), [("Press 1", "press-1"), ("프레스-1", None), ("3 호기", None)])
def test_an_example_of_an_id_has_letters(name: str, example: str | None) -> None:
    said = explain(first_error(f"id: {name}", MachineEntry)).en
    assert said.partition(", for example ")[2] == (example or "")


def test_a_mistyped_key_is_one_mistake_and_two_of_them_are_two() -> None:
    text = "version: 1\nfactroy: a\nagnet: b\nname: x\ntime: {zone: UTC}\nmachines: [{id: m}]\n"
    _, problems = read(text.encode() + b"uplink: {site: {host: h}}\n")
    assert [(p.line, p.path) for p in problems] == [(2, "factroy"), (3, "agnet")]
