"""Q09 Semantic richness: what a reader of the data is told about each signal."""

from __future__ import annotations

import math
from collections import Counter
from statistics import fmean
from typing import TYPE_CHECKING

from readiness.catalog import key
from readiness.indicators.base import Census, Indicator, Missing, Outcome
from readiness.naming import bare

if TYPE_CHECKING:
    from readiness.catalog import Link, Tag
    from readiness.view import View

NATIVE, MAPPED, NOTHING = 1.0, 0.8, 0.0
SHORTEST = 4
WITHOUT_UNIT = frozenset({"state", "mode", "alarm", "lot", "order", "product", "recipe", "reason", "intervention"})
TYPED = frozenset({"opcua"})
"""Protocols whose addresses are names that the device itself gives out and keeps."""


def says_something(tag: Tag, placeholders: frozenset[str], others: Counter[str]) -> bool:
    """Return whether a description tells more than the name, is no filler, and stands on one signal only."""
    text = (tag.description or "").strip()
    word = bare(text)
    # Two Korean syllables carry what four Latin letters do.
    weight = sum(2 if ord(letter) > 0x2E80 else 1 for letter in word)
    same = {bare(tag.name), bare(tag.id), bare(tag.unit or "")}
    return weight >= SHORTEST and word not in placeholders | same and others[word] <= 1


def worths(view: View, machine: str) -> list[float]:
    """Return the credit of each signal of a machine, 0-1."""
    tags = view.tags.get(machine, [])
    placeholders = frozenset(bare(p) for p in view.model.semantics.placeholders)
    units = frozenset(view.model.semantics.units)
    descriptions = Counter(bare(tag.description or "") for _, tag in tags)
    paths = Counter(m.path for m in view.inventory if m.path)
    path = next((m.path for m in view.inventory if m.id == machine), None)
    native = view.native()

    def credit(source: Link, tag: Tag) -> float:
        declared = native.get(key(tag), frozenset())
        meaning = view.plant.meaning(key(tag))
        role = meaning.role if meaning.origin != "guess" else None  # a guess excuses from nothing

        def worth(attribute: str, mapped: object) -> float:
            return NATIVE if attribute in declared else MAPPED if mapped else NOTHING

        ranges = [r for r in (tag.instrument_range, tag.eu_range, meaning.limits) if r is not None]
        place = tag.path or path
        parts = [
            NATIVE if source.protocol in TYPED else MAPPED,
            worth("description", says_something(tag, placeholders, descriptions)),
            worth("path", place is not None and paths[place] <= 1),
            NOTHING if role is None else NATIVE if meaning.origin == "native" else MAPPED,
        ]
        if tag.dtype not in {"bool", "string"} and role not in WITHOUT_UNIT:
            parts.append(worth("unit", tag.unit in units))
            parts.append(worth("range", any(math.isfinite(a) and math.isfinite(b) and a < b for a, b in ranges)))
        return fmean(parts)

    return [credit(source, tag) for source, tag in tags]


def evaluate(view: View, machine: str) -> Outcome:
    """Return the mean credit of a machine's signals."""
    found = worths(view, machine)
    return Census(fmean(found), len(found)) if found else Missing("NA_NO_EVIDENCE")


INDICATOR = Indicator(
    id="Q09",
    ko="의미정보 충족도",
    en="Semantic richness",
    unit="1",
    formula="mean over signals of stable id, description, unit, range, ISA-95 path, confirmed role; from "
    "the device 1.0, "
    "mapped by a person 0.8, inferred 0; unit and range only where a signal can have them",
    source="readiness.md 7.3 Q",
    inputs=("catalog", "inventory", "native", "meanings"),
    reasons=("NA_NO_INVENTORY", "NA_NO_EVIDENCE"),
    guard="descriptions that are short, placeholders, or equal to the name or to each other earn nothing; "
    "a unit must be "
    "in the list; a path must be one machine's only",
    evaluate=evaluate,
    roles=True,
)
