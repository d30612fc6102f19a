"""Schemas and golden files: they say what the types say, and what is on disk is what the code makes."""

from __future__ import annotations

import copy
import hashlib
import json
import re
from typing import Any

import jsonschema
import msgspec
import pytest

from contract.codec import encode
from contract.schemas import FOLDER, PAYLOADS, schema, text
from tests.golden import EXAMPLES, MORE, SUMS
from tests.golden import FOLDER as GOLDEN

NAMES = sorted(PAYLOADS)


def validator(name: str) -> jsonschema.Draft202012Validator:
    made = schema(name)
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(made)


def required(document: Any, of: dict[str, Any]) -> list[str]:
    """Return the required fields of a document's top level."""
    name = of["$ref"].rsplit("/", 1)[1] if "$ref" in of else None
    fields: list[str] = (of["$defs"][name] if name else of).get("required", [])
    return [f for f in fields if f in document]


def test_there_is_one_example_and_one_file_for_each_payload() -> None:
    assert sorted(EXAMPLES) == NAMES
    assert sorted(p.stem for p in GOLDEN.glob("*.json")) == sorted([*NAMES, *MORE])
    assert sorted(p.stem for p in FOLDER.glob("*.json")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_schema_on_disk_is_what_the_types_say(name: str) -> None:
    stale = f"contract/schemas/{name}.json is stale: run `python -m contract.schemas`"
    assert (FOLDER / f"{name}.json").read_text("utf-8") == text(name), stale


@pytest.mark.parametrize("name", NAMES)
def test_the_golden_file_validates_and_is_read_and_written_byte_for_byte(name: str) -> None:
    raw = (GOLDEN / f"{name}.json").read_bytes()
    validator(name).validate(json.loads(raw))
    assert msgspec.json.decode(raw, type=PAYLOADS[name]) == EXAMPLES[name]
    assert encode(EXAMPLES[name]) == raw


@pytest.mark.parametrize("name", sorted(MORE))
def test_a_further_example_is_read_and_written_byte_for_byte(name: str) -> None:
    raw, (payload, example) = (GOLDEN / f"{name}.json").read_bytes(), MORE[name]
    validator(payload).validate(json.loads(raw))
    assert msgspec.json.decode(raw, type=PAYLOADS[payload]) == example
    assert encode(example) == raw


def test_the_golden_files_are_final() -> None:
    for line in SUMS.read_text("ascii").splitlines():
        digest, name = line.split()
        assert hashlib.sha256((GOLDEN / name).read_bytes()).hexdigest() == digest, f"{name}: tsq/1 never changes"
    named = {line.split()[1] for line in SUMS.read_text("ascii").splitlines()}
    assert named == {f"{name}.json" for name in (*NAMES, *MORE)}


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_field_is_refused_and_an_unknown_one_ignored_by_schema_and_type_alike(name: str) -> None:
    document = json.loads((GOLDEN / f"{name}.json").read_bytes())
    known = validator(name)
    known.validate({**document, "from_the_future": 1})
    assert msgspec.json.decode(encode({**document, "from_the_future": 1}), type=PAYLOADS[name]) == EXAMPLES[name]
    for field in required(document, schema(name)):
        less = copy.deepcopy(document)
        del less[field]
        with pytest.raises(jsonschema.ValidationError):
            known.validate(less)
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(encode(less), type=PAYLOADS[name])


def test_every_payload_but_the_empty_request_requires_something() -> None:
    for name in set(NAMES) - {"report.get"}:
        assert required(json.loads((GOLDEN / f"{name}.json").read_bytes()), schema(name)), name


@pytest.mark.parametrize("name", NAMES)
def test_no_bounded_integer_needs_more_bits_than_a_reader_in_another_language_has(name: str) -> None:
    bounds = [int(bound) for bound in re.findall(r'"(?:m|exclusiveM)aximum": (\d+)', text(name))]
    assert max(bounds, default=0) <= 2**53
