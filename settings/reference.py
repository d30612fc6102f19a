"""A page of all keys that a configuration file may hold, from its models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from settings.base import written, written_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import BaseModel


def page(model: type[BaseModel], introduction: str, titles: Mapping[str, str]) -> str:
    """Return the page, in Markdown.

    Args:
        model: What stands in the file.
        introduction: What stands before the tables.
        titles: Headings by the name of a model; of others it is their name.
    """
    schema = model.model_json_schema()
    models = {model.__name__: schema} | schema["$defs"]
    titled = {name: titles.get(name, name.lower()) for name in models}
    parts = [introduction]
    for name in _reached(model.__name__, models):
        parts.append(f"## {titled[name]}\n")
        if text := models[name].get("description"):
            parts.append(f"{text.splitlines()[0]}\n")
        parts.append("\n".join(_table(models[name], models, titled)) + "\n")
    return "\n".join(parts)


def _reached(root: str, models: dict[str, Any]) -> list[str]:
    """Return the models in the order in which the file reaches them."""
    order: list[str] = []

    def visit(name: str) -> None:
        if name in order or "properties" not in models[name]:
            return
        order.append(name)
        for field in models[name]["properties"].values():
            for target in _targets(field):
                visit(target)

    visit(root)
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


def _table(model: dict[str, Any], models: dict[str, Any], titles: Mapping[str, str]) -> Iterator[str]:
    yield "| key | write | default | meaning |"
    yield "|---|---|---|---|"
    required = set(model.get("required", ()))
    for name, field in model["properties"].items():
        default = "**required**" if name in required or "const" in field else _default(field)
        cells = (f"`{name}`", _write(field, models, titles), default, field["description"])
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(field: dict[str, Any]) -> str:
    value = field.get("default")
    if value is None or value == [] or isinstance(value, dict):
        return ""
    form = field.get("format")
    if form == "duration":
        return f"`{written(value)}`"
    if form == "size":
        return f"`{written_size(value)}`"
    if form == "time":
        return f"`{str(value)[:5]}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _write(field: dict[str, Any], models: dict[str, Any], titles: Mapping[str, str]) -> str:  # noqa: PLR0911 - one kind of schema each
    """Say what may be written, from a JSON Schema."""
    match field:
        case {"form": form}:
            return str(form)
        case {"$ref": path}:
            return _reference(path.rpartition("/")[2], models, titles)
        case {"anyOf": options} | {"oneOf": options}:
            return " or ".join(_write(o, models, titles) for o in options if o.get("type") != "null")
        case {"const": word}:
            return f"`{str(word).lower() if word is True else word}`"
        case {"enum": words}:
            return _words(words)
        case {"type": "array"}:
            return f"list of {_write(field['items'], models, titles)}"
        case {"type": "object", "additionalProperties": dict(meaning)}:
            return f"pairs, `0: ...`: {_write(meaning, models, titles)}"
        case {"type": "boolean"}:
            return "`true`, `false`"
        case {"type": "integer" | "number" as kind}:
            return _number("whole number" if kind == "integer" else "number", field)
    return "text"


def _reference(name: str, models: dict[str, Any], titles: Mapping[str, str]) -> str:
    if "enum" in models[name]:
        return _words(models[name]["enum"])
    title = titles[name]
    anchor = "".join(c for c in title.lower() if c.isalnum() or c in " -_").replace(" ", "-")
    return f"[{title}](#{anchor})"


def _number(kind: str, field: dict[str, Any]) -> str:
    above = "above " if "exclusiveMinimum" in field else ""
    low, high = field.get("minimum", field.get("exclusiveMinimum")), field.get("maximum")
    if low is None:
        return kind
    return f"{kind}, {above}{low:g} " + (f"to {high:g}" if high is not None else "or more")


def _words(words: list[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)
