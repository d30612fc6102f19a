"""The readiness model as data: anchors, gates, dimensions, crosswalks, and words and codes that formulas look up.

Whoever runs the agent reads the files of `config/readiness` and hands their bytes to `parse`; the hash over all
of them goes into each report, so that two reports tell whether they were measured with the same yardstick.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import yaml

from contract.codec import checksum, encode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FORMULAS = "2026.11.3"
"""Version of the formulas in `readiness.indicators`; raise it with any change that changes a value."""


_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


class ModelError(Exception):
    """A file of the readiness model is missing or cannot be used; the text names it."""


class Scale(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Anchors of one indicator, (value, score) with values increasing, and why they stand where they do."""

    anchors: list[tuple[float, float]]
    why: str


class _Anchors(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    indicators: dict[str, Scale]


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One condition: a `metric` or a `fact` has one limit, or one condition of `any` holds.

    `min` and `max` are limits of the value; `above` is one that the whole interval has to lie above. With a flag of
    `open` a value on the wrong side is not failed: what is missing has a name.
    """

    metric: str | None = None
    fact: str | None = None
    any: list[Condition] = []
    min: float | None = None
    max: float | None = None
    above: float | None = None
    open: list[str] = []

    @property
    def name(self) -> str:
        """What the condition asks for, as it stands in reports."""
        return self.metric or self.fact or "|".join(part.name for part in self.any)

    def metrics(self) -> list[str]:
        """Return the indicators that it looks at."""
        return [self.metric] if self.metric else [m for part in self.any for m in part.metrics()]

    def sound(self) -> bool:
        """Return whether it asks for one thing in one way."""
        limits = [limit for limit in (self.min, self.max, self.above) if limit is not None]
        if self.any:
            return not self.metric and not self.fact and not limits and all(part.sound() for part in self.any)
        return (self.metric is None) != (self.fact is None) and len(limits) == 1


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One level (band, stage) of a ladder and its conditions; those of all lower ones count with it."""

    level: int
    why: str
    all: list[Condition]


class Gates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All evidence levels, the share of weight that must pass, and how far an interval may reach behind a limit."""

    version: int
    quorum: float
    tolerance: float
    levels: list[Step]


class Ladder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A scale of another model that the plant's evidence is laid against; `of` is its highest level."""

    id: str
    en: str
    ko: str
    of: int
    steps: list[Step]


class Ladders(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Scales of one model."""

    version: int
    tolerance: float
    scales: list[Ladder]


class Dimension(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A dimension: weights of its indicators, and what must be assessed (one of each list)."""

    id: str
    en: str
    ko: str
    why: str
    weights: dict[str, float]
    needs: list[list[str]]


class Dimensions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All dimensions, the share of indicators that is enough, and how many weightings the band is drawn from."""

    version: int
    enough: float
    draws: int
    dimensions: list[Dimension]


class Informs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an indicator informs in other models."""

    korean: list[str] = []
    siri: list[str] = []
    acatech: list[int] = []
    other: list[str] = []


class Touched(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many parts of another model machines can speak of, of how many; `on` more under a condition."""

    id: str
    en: str
    ko: str
    parts: int
    of: int
    why: str


class Crosswalk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where indicators stand in other models."""

    version: int
    models: list[Touched]
    indicators: dict[str, Informs]


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
        anchors: Indicator -> (value, score), values increasing; two equal ones are a step.
        gates: The levels.
        semantics: Lists that formulas look up.
        dimensions: What indicators are summed up into.
        siri: Evidence bands.
        acatech: The stage.
        crosswalk: Where indicators stand in other models.
        why: Indicator -> why its anchors stand where they do.
    """

    hash: str
    anchors: Mapping[str, tuple[tuple[float, float], ...]]
    gates: Gates
    semantics: Semantics
    dimensions: Dimensions
    siri: Ladders
    acatech: Ladders
    crosswalk: Crosswalk
    why: Mapping[str, str] = field(default_factory=dict)

    def score(self, metric: str, value: float) -> float:
        """Return the score 0-100 of a value, linear between anchors and flat beyond them."""
        points = self.anchors[metric]
        if value < points[0][0]:
            return points[0][1]
        for (low, from_score), (high, to_score) in itertools.pairwise(points):
            if low <= value < high:
                return from_score + (to_score - from_score) * (value - low) / (high - low)
        return points[-1][1]


SHAPES: Mapping[str, Any] = {
    "anchors.yaml": _Anchors,
    "gates.yaml": Gates,
    "dimensions.yaml": Dimensions,
    "siri.yaml": Ladders,
    "acatech.yaml": Ladders,
    "crosswalk.yaml": Crosswalk,
    "semantics.yaml": Semantics,
}


def parse(files: Mapping[str, bytes]) -> Model:
    """Read the model from the files of its folder.

    Args:
        files: Name -> content of the files in `SHAPES`; others are refused.

    Raises:
        ModelError: a file is missing, unknown, no YAML, or of another shape.
    """
    parts: dict[str, Any] = {}
    if set(files) != set(SHAPES):
        raise ModelError(f"the readiness model needs exactly {', '.join(sorted(SHAPES))}; found {sorted(files)}")
    for name, shape in SHAPES.items():
        try:
            raw = yaml.load(files[name], Loader=_LOADER)  # noqa: S506 - base: plain strings, no objects
            parts[name] = msgspec.convert(raw, shape, strict=False)
        except (yaml.YAMLError, UnicodeDecodeError, msgspec.ValidationError) as exc:
            raise ModelError(f"{name}: {exc}") from exc
    scales: dict[str, Scale] = parts["anchors.yaml"].indicators
    anchors = {metric: tuple(scale.anchors) for metric, scale in scales.items()}
    for metric, points in anchors.items():
        values = [value for value, _ in points]
        if len(set(values)) < 2 or values != sorted(values) or any(values.count(v) > 2 for v in values):
            raise ModelError(f"anchors.yaml: {metric}: write at least two anchors with increasing values")
    _check_ladder("gates.yaml", parts["gates.yaml"].levels)
    for name in ("siri.yaml", "acatech.yaml"):
        for scale in parts[name].scales:
            _check_ladder(f"{name}: {scale.id}", scale.steps)
    for dimension in parts["dimensions.yaml"].dimensions:
        strange = {m for one in dimension.needs for m in one} - set(dimension.weights)
        if strange or not dimension.weights or any(w <= 0 for w in dimension.weights.values()):
            raise ModelError(f"dimensions.yaml: {dimension.id}: write weights above 0, and needs among them")
    return Model(
        hash=checksum(encode(parts)),
        anchors=anchors,
        gates=parts["gates.yaml"],
        semantics=parts["semantics.yaml"],
        dimensions=parts["dimensions.yaml"],
        siri=parts["siri.yaml"],
        acatech=parts["acatech.yaml"],
        crosswalk=parts["crosswalk.yaml"],
        why={metric: scale.why for metric, scale in scales.items()},
    )


def _check_ladder(name: str, steps: Sequence[Step]) -> None:
    for index, step in enumerate(steps, 1):
        if step.level != index:
            raise ModelError(f"{name}: write level {index} where {step.level} stands: levels count from 1")
        for condition in step.all:
            if not condition.sound():
                raise ModelError(
                    f"{name}: level {index}: {condition.name or 'a condition'}: write a metric or a fact with one "
                    "of min, max, above, or a list of these under any"
                )
