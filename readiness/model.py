"""The readiness model as data: anchors, gates, and what counts as information or protection.

Whoever runs the agent reads the files of `config/readiness` and hands their bytes to `parse`; the hash over all
of them goes into each report, so that two reports tell whether they were measured with the same yardstick.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import yaml

from contract.codec import checksum, encode

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMULAS = "2026.11"
"""Version of the formulas in `readiness.indicators`; raise it with any change that changes a value."""


_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


class ModelError(Exception):
    """A file of the readiness model is missing or cannot be used; the text names it."""


class _Scale(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    anchors: list[tuple[float, float]]
    why: str


class _Anchors(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    indicators: dict[str, _Scale]


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One condition of a level: `metric` at least `min` or at most `max`."""

    metric: str
    min: float | None = None
    max: float | None = None


class Level(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One evidence level and all its conditions."""

    level: int
    all: list[Condition]


class Gates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All levels, the share of weight that must pass, and how far an interval may reach behind a limit."""

    version: int
    quorum: float
    tolerance: float
    levels: list[Level]


class Semantics(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words and codes that formulas look up."""

    version: int
    policies_deprecated: list[str]
    placeholders: list[str]
    units: list[str]


@dataclass(frozen=True, slots=True)
class Model:
    """The whole model.

    Attributes:
        hash: 64 bits over the content of all files, as hex.
        anchors: Indicator -> (value, score), values increasing.
        gates: The levels.
        semantics: Lists that formulas look up.
    """

    hash: str
    anchors: Mapping[str, tuple[tuple[float, float], ...]]
    gates: Gates
    semantics: Semantics

    def score(self, metric: str, value: float) -> float:
        """Return the score 0-100 of a value, linear between anchors and flat beyond them."""
        points = self.anchors[metric]
        if value <= points[0][0]:
            return points[0][1]
        for (low, from_score), (high, to_score) in itertools.pairwise(points):
            if value <= high:
                return from_score + (to_score - from_score) * (value - low) / (high - low)
        return points[-1][1]


def parse(files: Mapping[str, bytes]) -> Model:
    """Read the model from the files of its folder.

    Args:
        files: Name -> content of `anchors.yaml`, `gates.yaml` and `semantics.yaml`; others are refused.

    Raises:
        ModelError: a file is missing, unknown, no YAML, or of another shape.
    """
    parts: dict[str, Any] = {}
    shapes = {"anchors.yaml": _Anchors, "gates.yaml": Gates, "semantics.yaml": Semantics}
    if set(files) != set(shapes):
        raise ModelError(f"the readiness model needs exactly {', '.join(sorted(shapes))}; found {sorted(files)}")
    for name, shape in shapes.items():
        try:
            raw = yaml.load(files[name], Loader=_LOADER)  # noqa: S506 - base: plain strings, no objects
            parts[name] = msgspec.convert(raw, shape, strict=False)
        except (yaml.YAMLError, UnicodeDecodeError, msgspec.ValidationError) as exc:
            raise ModelError(f"{name}: {exc}") from exc
    anchors = {metric: tuple(scale.anchors) for metric, scale in parts["anchors.yaml"].indicators.items()}
    for metric, points in anchors.items():
        values = [value for value, _ in points]
        if len(points) < 2 or values != sorted(set(values)):
            raise ModelError(f"anchors.yaml: {metric}: write at least two anchors with increasing values")
    return Model(checksum(encode(parts)), anchors, parts["gates.yaml"], parts["semantics.yaml"])
