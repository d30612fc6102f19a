"""What must hold between the parts of a questionnaire: names are used once, and lead somewhere.

Like `techsquare.catalogue.checks` these read the plain data, so that they also speak when something else is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from readiness.indicators import REGISTRY
from settings.language import Text
from techsquare.catalogue.finding import entries, told, twice, unknown, words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from settings.tree import Map, Problem
    from techsquare.catalogue.finding import Finding


def questionnaire(root: Map) -> Iterator[Problem]:
    """Yield what is wrong between the models and the questions of a file."""
    parts = frozenset(
        f"{model.get('id')}/{part.get('id')}"
        for _, model in entries(root, "models")
        for _, part in entries(model, "parts")
    )
    yield from told(root, twice(root, ("models",)))
    for index, model in entries(root, "models"):
        yield from told(root, twice(model, ("parts",), ("models", index)))
        yield from told(root, _indicators(model, index))
    yield from told(root, twice(root, ("questions",)))
    yield from told(root, _parts(root, parts))


def _indicators(model: Map, index: int) -> Iterator[Finding]:
    for number, part in entries(model, "parts"):
        for place, name in words(part, "indicators"):
            if name not in REGISTRY:
                loc = ("models", index, "parts", number, "indicators", place)
                yield loc, unknown(Text("indicator", "지표"), name, REGISTRY)


def _parts(root: Map, known: Collection[str]) -> Iterator[Finding]:
    for index, question in entries(root, "questions"):
        for place, name in words(question, "parts"):
            if name not in known:
                yield ("questions", index, "parts", place), unknown(Text("part", "영역"), name, known)
