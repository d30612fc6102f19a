"""The readiness model as data."""

from __future__ import annotations

from pathlib import Path

import pytest

from readiness.indicators import REGISTRY
from readiness.levels import conditions
from readiness.model import ModelError, parse
from tests.readiness.plant import model

FOLDER = Path(__file__).parents[2] / "config" / "readiness"
FILES = {p.name: p.read_bytes() for p in FOLDER.glob("*.yaml")}


def test_every_indicator_has_anchors_and_every_anchor_an_indicator() -> None:
    assert set(model().anchors) == set(REGISTRY)


def test_scores_are_linear_between_anchors_and_flat_beyond() -> None:
    assert model().score("A01", 0.5) == 0
    assert model().score("A01", 0.97) == pytest.approx(67.5)
    assert model().score("A01", 1.0) == 100
    assert model().score("A04", 0.2) == 100
    assert model().score("A04", 32.5) == pytest.approx(60)
    assert model().score("A04", 9999) == 0


def test_every_gate_has_exactly_one_limit() -> None:
    for condition in conditions(model().gates):
        assert (condition.min is None) != (condition.max is None), condition


def test_the_hash_follows_the_content_and_not_the_spelling() -> None:
    commented = {**FILES, "gates.yaml": b"# a comment\n" + FILES["gates.yaml"]}
    assert parse(commented).hash == model().hash
    changed = {**FILES, "gates.yaml": FILES["gates.yaml"].replace(b"0.8", b"0.7")}
    assert parse(changed).hash != model().hash


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("gates.yaml", b"version: [", "gates.yaml"),
        ("gates.yaml", b"version: 1\nquorum: much\n", "gates.yaml"),
        ("semantics.yaml", b"version: 1\nunits: []\nplaceholder: []\n", "semantics.yaml"),
        ("anchors.yaml", b"version: 1\nindicators: {A01: {anchors: [[1, 0], [0.5, 9]], why: x}}", "A01"),
        ("anchors.yaml", b"\xff", "anchors.yaml"),
        ("more.yaml", b"", "exactly"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(name: str, content: bytes, told: str) -> None:
    with pytest.raises(ModelError, match=told):
        parse({**FILES, name: content})
