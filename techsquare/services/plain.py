"""Results of engines as JSON: dataclasses by field, spans as two numbers, keys of two parts as rows of a list."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any

from techsquare.span import Span


def plain(thing: object) -> Any:  # noqa: PLR0911 - one a kind
    """Return it as JSON values; sets sorted, so that equal results are equal bytes."""
    if is_dataclass(thing) and not isinstance(thing, type):
        return {field.name: plain(getattr(thing, field.name)) for field in fields(thing)}
    if isinstance(thing, Span):
        return {"low": thing.low, "high": thing.high}
    if isinstance(thing, date):
        return thing.isoformat()
    if isinstance(thing, Mapping):
        if any(isinstance(key, tuple) for key in thing):
            return [{"at": list(key), "value": plain(value)} for key, value in sorted(thing.items())]
        return {str(key): plain(value) for key, value in thing.items()}
    if isinstance(thing, tuple) and hasattr(thing, "_asdict"):
        return {key: plain(value) for key, value in thing._asdict().items()}
    if isinstance(thing, AbstractSet):
        return sorted(plain(one) for one in thing)
    if isinstance(thing, list | tuple):
        return [plain(one) for one in thing]
    return thing
