"""Writes `docs/configuration.md` from the models: `python -m agent.config.reference > docs/configuration.md`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from agent.config.model import AgentConfig
from settings.base import written

if TYPE_CHECKING:
    from collections.abc import Iterator

_INTRODUCTION = """\
# The agent's configuration

<!-- Made from the models by `python -m agent.config.reference > docs/configuration.md`; a test compares. -->

One YAML file describes one site, such as [config/agent.example.yaml](../config/agent.example.yaml). Check it first:

    tsq-agent check agent.yaml              # never touches the network
    tsq-agent check --connect agent.yaml    # also reads each source once and shows the values

All mistakes are printed at once, as `file:line: path: what to do`, in Korean or English by locale (`--lang ko`).
The exit code is 78 when the file is wrong, 1 when something that was read is not good.

- Unknown keys are mistakes. Nothing that was written is corrected.
- Times and sizes carry their unit: `500ms`, `2s`, `1m`, `8h`, `30d`; `500MB`, `2GB` (powers of ten).
- Ids stand in topics and in the store and never change; names are for people and may.
- Passwords do not stand in the file: `env:NAME` names an environment variable, `file:/path` a file.
- YAML 1.2 words: `08:00`, `no` and `2026-12-24` are text, only `true` and `false` are yes and no, and a number with
  a leading zero stays text. Anchors and aliases (`&`, `*`) may be used; merge keys (`<<`) and tags (`!`) not.
"""

_TITLES = {
    "AgentConfig": "The file",
    "MachineEntry": "machines: one machine",
    "Planned": "schedule.planned: one span",
    "Holidays": "schedule.holidays",
    "Broker": "uplink: a broker",
    "ModbusDevice": "devices: Modbus TCP",
    "ModbusGroup": "devices: group of a Modbus device",
    "ModbusSignal": "devices: signal of a Modbus device",
    "OpcUaDevice": "devices: OPC UA",
    "OpcUaGroup": "devices: group of an OPC UA device",
    "OpcUaSignal": "devices: signal of an OPC UA device",
    "OpcUaLogin": "devices: login of an OPC UA device",
}


def reference() -> str:
    """Return the page."""
    schema = AgentConfig.model_json_schema()
    models = {"AgentConfig": schema} | schema["$defs"]
    parts = [_INTRODUCTION]
    for name in _reached(models):
        parts.append(f"## {_title(name)}\n")
        if text := models[name].get("description"):
            parts.append(f"{text.splitlines()[0]}\n")
        parts.append("\n".join(_table(models[name], models)) + "\n")
    return "\n".join(parts)


def _title(model: str) -> str:
    return _TITLES.get(model, model.lower())


def _reached(models: dict[str, Any]) -> list[str]:
    """Return the models in the order in which the file reaches them."""
    order: list[str] = []

    def visit(name: str) -> None:
        if name in order or "properties" not in models[name]:
            return
        order.append(name)
        for field in models[name]["properties"].values():
            for target in _targets(field):
                visit(target)

    visit("AgentConfig")
    return order


def _targets(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref":
                yield value.rpartition("/")[2]
            elif key != "discriminator":
                yield from _targets(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _targets(value)


def _table(model: dict[str, Any], models: dict[str, Any]) -> Iterator[str]:
    yield "| key | write | default | meaning |"
    yield "|---|---|---|---|"
    required = set(model.get("required", ()))
    for name, field in model["properties"].items():
        default = "**required**" if name in required else _default(field)
        cells = (f"`{name}`", _write(field, models), default, field["description"])
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(field: dict[str, Any]) -> str:
    value = field.get("default")
    if value is None or value == [] or isinstance(value, dict):
        return ""
    form = field.get("format")
    if form == "duration":
        return f"`{written(value)}`"
    if form == "size":
        return f"`{value // 10**9}GB`" if value % 10**9 == 0 else f"`{value // 10**6}MB`"
    if form == "time":
        return f"`{str(value)[:5]}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _write(field: dict[str, Any], models: dict[str, Any]) -> str:  # noqa: PLR0911 - one kind of schema each
    """Say what may be written, from a JSON Schema."""
    match field:
        case {"form": form}:
            return str(form)
        case {"$ref": path}:
            return _reference(path.rpartition("/")[2], models)
        case {"anyOf": options} | {"oneOf": options}:
            return " or ".join(_write(o, models) for o in options if o.get("type") != "null")
        case {"const": word}:
            return f"`{word}`"
        case {"enum": words}:
            return _words(words)
        case {"type": "array"}:
            return f"list of {_write(field['items'], models)}"
        case {"type": "boolean"}:
            return "`true`, `false`"
        case {"type": "integer" | "number" as kind}:
            return _number("whole number" if kind == "integer" else "number", field)
    return "text"


def _reference(name: str, models: dict[str, Any]) -> str:
    if "enum" in models[name]:
        return _words(models[name]["enum"])
    title = _title(name)
    anchor = "".join(c for c in title.lower() if c.isalnum() or c in " -").replace(" ", "-")
    return f"[{title}](#{anchor})"


def _number(kind: str, field: dict[str, Any]) -> str:
    above = "above " if "exclusiveMinimum" in field else ""
    low, high = field.get("minimum", field.get("exclusiveMinimum")), field.get("maximum")
    if low is None:
        return kind
    return f"{kind}, {above}{low:g} " + (f"to {high:g}" if high is not None else "or more")


def _words(words: list[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


if __name__ == "__main__":
    sys.stdout.write(reference())
