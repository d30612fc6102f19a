"""The JSON Schema for editors: up to date, kind to what is right, hard on what is wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path
from string import Template
from typing import Any

import pytest
from jsonschema import Draft7Validator

from agent.config.schema import FORMS, schema
from settings.document import parse
from tests.agent.config.test_model import SMALL
from tests.agent.config.test_samples import SHIPPED
from tests.agent.config.test_shipped_profiles import NAMES, entry

ROOT = Path(__file__).parents[3]
FILE = ROOT / "docs" / "agent.schema.json"
VALIDATOR = Draft7Validator(json.loads(FILE.read_text("utf-8")))
CASES = sorted((ROOT / "tests" / "agent" / "config" / "cases").glob("*.yaml"))
BETWEEN_PARTS = {"agents", "bursts", "cross_checks", "reserved_machine", "schedule"}
"""Cases whose mistakes lie between two parts of a file, which only `check` can see."""


def mistakes(text: str) -> list[str]:
    """Return where the schema finds something wrong, and what."""
    document = parse(text.encode())
    assert not document.problems
    found = VALIDATOR.iter_errors(document.root)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in found]


def test_the_file_is_what_the_models_say() -> None:
    written = json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"
    assert FILE.read_text("utf-8") == written, "run: python -m agent.config.schema > docs/agent.schema.json"
    Draft7Validator.check_schema(schema())


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_shipped_is_right(path: Path) -> None:
    template = Template(path.read_text("utf-8"))
    values = {name: "/tmp/demo" if name == "directory" else "5020" for name in template.get_identifiers()}
    assert mistakes(template.safe_substitute(values)) == []


@pytest.mark.parametrize("name", NAMES)
def test_an_entry_that_extends_a_profile_needs_no_more(name: str) -> None:
    groups = "  - {id: job, drop: [a], signals: [{id: b, role: pv}], alarms: [{id: c, bits: {3: x}}]}"
    assert mistakes(entry(name, "" if name.startswith("ls/xg") else groups)) == []


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_file_of_mistakes_is_not_right(path: Path) -> None:
    document = parse(path.read_bytes())
    found = [*VALIDATOR.iter_errors(document.root)]
    assert bool(document.problems or found) is (path.stem not in BETWEEN_PARTS)


def test_most_of_ten_mistakes_are_found_while_one_types() -> None:
    text = (ROOT / "tests" / "agent" / "config" / "cases" / "ten_mistakes.yaml").read_text("utf-8")
    assert len(mistakes(text)) >= 8


DEVICE = "devices: [{id: a, machine: press-1, %s}]\n"
GROUP = "type: modbus, host: 10.0.0.1, groups: [{every: 1s, %s}]"
SIGNAL = GROUP % "signals: [{id: s, %s}]"


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        (SIGNAL % "address: 'holding:8', type: int16", ""),
        (SIGNAL % "address: 400009, type: int16", ""),
        (SIGNAL % "address: 000009, type: bool", ""),
        (SIGNAL % "address: D00120, type: int16, bits: [4, 7], labels: {0: stop, -1: alarm}", ""),
        (SIGNAL % "address: M0012F, type: bool, alarm: {text: x}", ""),
        (SIGNAL % "address: 'holding:8', type: timestamp, format: bcd6, zone: '+09:00'", ""),
        (GROUP % "alarms: [{id: h, address: 'holding:1', bits: {0: x, 3: {text: y, priority: high}}}]", ""),
        ("extends: eastron/sdm630, drop: [energy]", ""),
        (SIGNAL % "address: hodling:8, type: int16", "devices/0/groups/0/signals/0/address: "),
        (SIGNAL % "address: 'holding:8', type: flaot", "devices/0/groups/0/signals/0/type: 'flaot' is not one of"),
        (SIGNAL % "address: 'holding:8', type: int16, roll: pv", "('roll' was unexpected)"),
        (SIGNAL % "type: int16", "'address' is a required property"),
        (SIGNAL.replace("1s", "1") % "address: 'holding:8', type: int16", "devices/0/groups/0/every: 1 is not of"),
        (GROUP % "alarms: [{id: h, address: 'holding:1', bits: {}}]", "devices/0/groups/0/alarms/0/bits: "),
        ("type: modbuss, host: 10.0.0.1", "devices/0/type: 'modbuss' is not one of ['modbus', 'opcua'"),
        ("host: 10.0.0.1", "devices/0: 'type' is a required property"),
        ("extends: Eastron/SDM630", "devices/0/extends: "),
        ("extends: a/b, drop: energy", "devices/0/drop: 'energy' is not of type 'array'"),
        ("extends: a/b, groups: [{id: a, signals: [{role: pv}]}]", "'id' is a required property"),
        (SIGNAL % "address: 'holding:8', type: int16, drop: [a]", "('drop' was unexpected)"),
    ],
)  # fmt: skip
def test_what_an_editor_says(entry: str, found: str) -> None:
    said = mistakes(SMALL + DEVICE % entry)
    assert (len(said) == 0) is (found == "")
    assert not found or any(found in text for text in said), said


def test_every_key_is_described_and_nothing_of_ours_is_left() -> None:
    def look(node: Any) -> None:
        if isinstance(node, dict):
            assert "form" not in node
            for name, field in node.get("properties", {}).items():
                assert field.get("description") or "$ref" in field or "const" in field, name
            for value in node.values():
                look(value)
        elif isinstance(node, list):
            for value in node:
                look(value)

    look(schema())
    for made in FORMS.values():
        for pattern in re.findall(r"'pattern': '([^']*)'", str(made)):
            re.compile(pattern.replace("\\\\", "\\"))


def test_defaults_are_as_people_write_them() -> None:
    defs = schema()["$defs"]
    assert defs["ModbusDevice"]["properties"]["timeout"]["default"] == "1500ms"
    assert defs["Storage"]["properties"]["max_size"]["default"] == "2GB"
    assert defs["Schedule"]["properties"]["production_day_start"]["default"] == "00:00"


def test_the_example_names_the_schema_for_editors() -> None:
    example = ROOT / "config" / "agent.example.yaml"
    (named,) = re.findall(r"^# yaml-language-server: \$schema=(.+)$", example.read_text("utf-8"), re.MULTILINE)
    assert (example.parent / named).resolve() == FILE
