"""Payloads of somebody else: read, and what is wrong with one by the field. Pure."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, TypeVar

from agent.conform.findings import PAYLOADS, Broken, Finding
from contract.codec import PLAIN_LIMIT, SAFE, decode
from contract.errors import WireError
from contract.schemas import schema

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")
SHOWN = 80
"""Characters of what somebody else has written."""
_MISSING = re.compile(r"missing required field `([^`]+)`")
_EXPECTED = re.compile(r"[Ee]xpected (.+?), got (.+)$")


def read(raw: bytes, kind: type[T], topic: str, limit: int = PLAIN_LIMIT) -> T:
    """Return a payload.

    Raises:
        Broken: too large, not JSON, or not of that shape.
    """
    if len(raw) > limit:
        raise Broken(Finding(topic, "", f"at most {limit} bytes", f"{len(raw)} bytes", PAYLOADS))
    try:
        return decode(raw, kind, limit)
    except WireError as exc:
        text, _, path = str(exc).partition(" - at `$")
        text = text.partition(": ")[2]
        field = path.rstrip("`").removeprefix(".")
        if missing := _MISSING.search(text):
            field = f"{field}.{missing[1]}".removeprefix(".")
            raise Broken(Finding(topic, field, "a value", "nothing", PAYLOADS)) from exc
        told = _EXPECTED.search(text)
        expected, found = (
            (quoted(told[1]), quoted(told[2])) if told else (f"a {kind.__name__} in JSON", quoted(text))
        )
        raise Broken(
            Finding(topic, field, expected, f"{found}: {quoted(raw)}" if not field else found, PAYLOADS)
        ) from exc


def quoted(value: object) -> str:
    """Return the begin of something that somebody else has written."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    text = "".join(c if c.isprintable() else "·" for c in text[: SHOWN + 1])
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def numbers(raw: bytes, topic: str) -> Iterator[Finding]:
    """Yield integers that a reader with 53 bits would change."""
    for path, value in _leaves(_document(raw, topic), ""):
        if isinstance(value, int) and not isinstance(value, bool) and not -SAFE <= value <= SAFE:
            yield Finding(topic, quoted(path), "a decimal string beyond 2^53", f"the number {value}", PAYLOADS)


def _document(raw: bytes, topic: str) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as exc:  # digits by the thousand, brackets by the thousand
        raise Broken(Finding(topic, "", "JSON that any reader takes", quoted(exc), PAYLOADS)) from exc


def _leaves(document: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(document, dict):
        for name, value in document.items():
            yield from _leaves(value, f"{path}.{name}".removeprefix("."))
    elif isinstance(document, list):
        for at, value in enumerate(document):
            yield from _leaves(value, f"{path}[{at}]")
    else:
        yield path, document


def unknown(raw: bytes, name: str) -> Iterator[str]:
    """Yield the paths of fields that the contract does not know: of a later version, or more than may be said.

    Args:
        raw: A payload that was read.
        name: Of its schema.
    """
    whole = schema(name)
    yield from _unknown(_document(raw, name), whole, whole.get("$defs", {}), "")


def _unknown(document: Any, part: dict[str, Any], parts: dict[str, Any], path: str) -> Iterator[str]:
    if "$ref" in part:
        part = parts[part["$ref"].rsplit("/", 1)[1]]
    for other in part.get("anyOf", ()):
        if "$ref" in other:
            part = parts[other["$ref"].rsplit("/", 1)[1]]
    if isinstance(document, dict) and "properties" in part:
        for field, value in document.items():
            where = f"{path}.{field}".removeprefix(".")
            if field in part["properties"]:
                yield from _unknown(value, part["properties"][field], parts, where)
            else:
                yield quoted(where)
    elif isinstance(document, list) and isinstance(part.get("items"), dict):
        for value in document:
            yield from _unknown(value, part["items"], parts, f"{path}[]")
