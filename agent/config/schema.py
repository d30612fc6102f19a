"""Writes the JSON Schema for editors: `python -m agent.config.schema > docs/agent.schema.json`.

An editor with the YAML language server then completes keys, shows what they mean and underlines mistakes while one
types. The schema is made from the models; `tsq-agent check` stays the judge, because most of what lies between two
fields or two parts of a file cannot be said in a schema. Two things are made for people:

- Each device is checked against the schema of its `type` alone, not against "one of three": an error then names the
  key and not the union.
- A device with `extends` takes what it lacks from a profile, so nothing but `id` and `machine` is required there,
  down to its signals, and `drop` is known.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from agent.config.model import AgentConfig
from settings.base import written, written_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Schema = dict[str, Any]

_NUMBER = {"type": "number"}
_MK = r"(ZR|[A-Z])[0-9]{1,7}[0-9A-F]?(\.[0-9A-F])?"
_IEC = r"%(ZR|[A-Z])[XBWDL][0-9]{1,8}(\.[0-9]{1,5}){0,2}"
_DAY = "(mon|tue|wed|thu|fri|sat|sun)"


def _like(pattern: str, **more: Any) -> Schema:
    return {"type": "string", "pattern": f"^(?:{pattern})$", **more}


FORMS: Mapping[str, Schema] = {
    "text": {"type": "string", "minLength": 1, "maxLength": 4096},
    "id: `a-z`, `0-9`, `-`, at most 32": _like("[a-z0-9-]{1,32}"),
    "id: `a-z`, `0-9`, `-`, `_`, at most 48": _like("[a-z0-9_-]{1,48}"),
    "profile: `folder/name`": _like("[a-z0-9][a-z0-9_-]{0,47}(/[a-z0-9][a-z0-9_-]{0,47}){0,3}"),
    "`machine/signal`": _like("[a-z0-9_-]{1,48}/[a-z0-9_-]{1,48}"),
    "address or host name": _like(r"[A-Za-z0-9_:]([A-Za-z0-9._:%-]{0,252})"),
    "IP address": _like("[0-9A-Fa-f.:]{2,45}"),
    "time, `500ms`": _like(r"\s*[0-9]{1,6}(\.[0-9]{1,9})?\s*(ms|s|min|m|h|d)\s*"),
    "size, `500MB`": _like(r"\s*[0-9]{1,6}(\.[0-9]{1,3})?\s*(kB|MB|GB|TB)\s*"),
    "`YYYY-MM-DD`": _like(r"\s*[0-9]{4}-[0-9]{2}-[0-9]{2}\s*"),
    "`HH:MM`": _like(r"\s*(([01]?[0-9]|2[0-3]):[0-5][0-9]|24:00)\s*"),
    "days, `mon-fri`": {
        "anyOf": [
            _like(f"{_DAY}(-{_DAY})?"),
            {"type": "array", "minItems": 1, "items": _like(f"{_DAY}(-{_DAY})?")},
        ]
    },
    "country code, `KR`": _like("[A-Z]{2}"),
    "time zone, `Asia/Seoul`": _like("[A-Za-z0-9_+/-]{1,64}"),
    "time zone `Asia/Seoul`, or `+09:00`": _like("[A-Za-z0-9_+/:-]{1,64}"),
    "full path": _like(r"(/|[A-Za-z]:[\\/]).*"),
    "full path or `credential:NAME`": _like(r"(/.*|credential:[A-Za-z0-9_.-]{1,100})"),
    "`[low, high]`": {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2},
    "`[first, last]`": {
        "type": "array",
        "items": {"type": "integer", "minimum": 0, "maximum": 63},
        "minItems": 2,
        "maxItems": 2,
    },
    "address, `holding:8`": {
        "anyOf": [
            _like(f"(coil|discrete|input|holding):[0-9]{{1,5}}|[0134][0-9]{{5}}|{_MK}|{_IEC}"),
            {"type": "integer", "minimum": 1, "maximum": 465_536},
        ]
    },
    "bit address, `M00000`": _like(f"{_MK}|{_IEC}"),
    "word address, `D00000`": _like(f"{_MK}|{_IEC}"),
    "number or per cent, `0.5`, `1%`": {"anyOf": [_like(r"\s*[0-9.eE+-]+\s*%?\s*"), _NUMBER]},
}
"""What a form of `settings.base.form` means to an editor; others are any text."""


def schema() -> Schema:
    """Return the schema."""
    made: Schema = AgentConfig.model_json_schema()
    defs: dict[str, Schema] = made["$defs"]
    by_type = {
        word: path.rpartition("/")[2]
        for word, path in made["properties"]["devices"]["items"]["discriminator"]["mapping"].items()
    }
    defs |= _extended([defs[name] for name in by_type.values()], defs)
    made["properties"]["devices"]["items"] = _device(by_type)
    _tidy(made)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "https://techsquare.example/agent.schema.json",
        **made,
        "title": "Tech Square Edge: settings of an agent",
        "description": "One site: its machines, when they work, and what is read from where.",
    }


def _device(by_type: Mapping[str, str]) -> Schema:
    """Return what one entry of `devices` is: by its type, or by the profile that it extends."""
    return {
        "type": "object",
        "required": ["id", "machine"],
        "if": {"required": ["extends"]},
        "then": {"$ref": "#/$defs/ExtendedDevice"},
        "else": {
            "required": ["type"],
            "properties": {"type": {"enum": [*by_type], "description": "protocol of the device"}},
            "allOf": [
                {
                    "if": {"properties": {"type": {"const": word}}, "required": ["type"]},
                    "then": {"$ref": f"#/$defs/{name}"},
                }
                for word, name in by_type.items()
            ],
        },
    }


def _extended(devices: list[Schema], defs: Mapping[str, Schema]) -> dict[str, Schema]:
    """Return the definitions of a device that a profile completes, whatever its protocol."""
    groups = [defs[_item(device["properties"]["groups"])] for device in devices]
    signals = [defs[_item(group["properties"]["signals"])] for group in groups]
    alarms = defs["AlarmBits"]
    drop = {"type": "array", "items": {"type": "string", "form": "id: `a-z`, `0-9`, `-`, `_`, at most 48"}}
    of_device = {**drop, "description": "groups of the profile that are left out"}
    of_group = {**drop, "description": "signals, alarm words or bits of them, `status-3`, that are left out"}
    nested = {
        "signals": _list_of("ExtendedSignal", "signals to change or to add"),
        "alarms": _list_of("ExtendedAlarms", "alarm words to change or to add"),
        "drop": of_group,
    }
    return {
        "ExtendedDevice": _united(
            devices, {"groups": _list_of("ExtendedGroup", "groups to change or to add"), "drop": of_device}
        )
        | {"required": ["id", "machine", "extends"]},
        "ExtendedGroup": _united(groups, nested),
        "ExtendedSignal": _united(signals, {}) | {"required": ["id"]},
        "ExtendedAlarms": _united([alarms], {}) | {"required": ["id"]},
    }


def _item(array: Schema) -> str:
    return str(array["items"]["$ref"].rpartition("/")[2])


def _list_of(name: str, description: str) -> Schema:
    return {"type": "array", "items": {"$ref": f"#/$defs/{name}"}, "description": description}


def _united(schemas: Iterable[Schema], more: Schema) -> Schema:
    """Return an object with the properties of all, none required."""
    found: dict[str, list[Schema]] = {}
    for one in schemas:
        for name, field in one["properties"].items():
            kept = found.setdefault(name, [])
            if field not in kept:
                kept.append(field)
    properties = {name: fields[0] if len(fields) == 1 else _any(fields) for name, fields in found.items()}
    return {"type": "object", "additionalProperties": False, "properties": properties | more}


def _any(fields: list[Schema]) -> Schema:
    plain = [{k: v for k, v in field.items() if k not in {"description", "default", "title"}} for field in fields]
    return {"description": fields[0].get("description", ""), "anyOf": plain}


def _tidy(node: Any) -> None:
    """Turn forms into patterns and defaults into what is written, in place."""
    if isinstance(node, list):
        for one in node:
            _tidy(one)
    if not isinstance(node, dict):
        return
    _write_default(node)
    if "form" in node:
        node.pop("format", None)
        del node["type"]
        node |= FORMS.get(node.pop("form"), {"type": "string"})
    if isinstance(node.get("properties"), dict):
        for field in node["properties"].values():
            field.pop("title", None)
    node.pop("discriminator", None)
    for value in node.values():
        _tidy(value)


def _write_default(node: Schema) -> None:
    """Replace a default by how it is written in the file; leave out the one that means "absent"."""
    default = node.get("default", 0)
    format_ = next((o["format"] for o in (node, *node.get("anyOf", ())) if "format" in o), None)
    if default is None:
        del node["default"]
    elif format_ == "duration" and default:
        node["default"] = written(default)
    elif format_ == "size" and default:
        node["default"] = written_size(default)
    elif format_ == "time" and default:
        node["default"] = str(default)[:5]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(schema(), indent=1, ensure_ascii=False) + "\n")
