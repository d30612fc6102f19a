"""The readiness model as data."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from readiness import facts
from readiness.conditions import conditions
from readiness.indicators import REGISTRY
from readiness.inputs import INPUTS
from readiness.model import Condition, ModelError, parse
from tests.readiness.plant import model

FOLDER = Path(__file__).parents[2] / "config" / "readiness"
FILES = {p.name: p.read_bytes() for p in FOLDER.glob("*.yaml")}
GROUPS = {"C": 4, "X": 1, "A": 6, "Q": 9, "V": 5, "R": 3, "U": 4, "E": 2, "T": 3, "S": 4, "L": 4}
KINDS = {r for r in FILES if r != "semantics.yaml"}


def test_the_registry_holds_all_45() -> None:
    assert len(REGISTRY) == 45
    for group, number in GROUPS.items():
        assert [m for m in REGISTRY if m[0] == group] == [f"{group}{k:02d}" for k in range(1, number + 1)]


@pytest.mark.parametrize("metric", REGISTRY)
def test_each_indicator_says_all_that_a_reader_needs(metric: str) -> None:
    indicator = REGISTRY[metric]
    assert indicator.id == metric
    assert any("가" <= letter <= "힣" for letter in indicator.ko)
    for text in (indicator.en, indicator.unit, indicator.formula, indicator.source, indicator.guard):
        assert text.strip() == text != ""
    assert set(indicator.inputs) <= set(INPUTS)
    assert indicator.inputs
    assert len(set(indicator.inputs)) == len(indicator.inputs)
    assert indicator.reasons
    assert len(set(indicator.reasons)) == len(indicator.reasons)
    assert len(model().anchors[metric]) >= 2
    assert len(model().why[metric]) > 10
    informs = model().crosswalk.indicators[metric]
    assert informs.korean or informs.siri or informs.acatech or informs.other


def test_every_file_of_the_model_speaks_of_these_indicators_and_no_others() -> None:
    assert set(model().anchors) == set(REGISTRY)
    assert set(model().crosswalk.indicators) == set(REGISTRY)
    summed = [m for d in model().dimensions.dimensions for m in d.weights]
    assert sorted(summed) == sorted(REGISTRY)  # each in one dimension
    ladders = [*model().siri.scales, *model().acatech.scales]
    asked = [c for steps in (model().gates.levels, *(x.steps for x in ladders)) for c in conditions(steps)]
    known = set(REGISTRY) | {d.id for d in model().dimensions.dimensions}
    assert {m for c in asked for m in c.metrics()} <= known
    leaves = [part for c in asked for part in (c.any or [c])]
    assert {c.fact for c in leaves if c.fact} == {*facts.OF_MACHINE, *facts.OF_PLANT}
    gated = [part for c in conditions(model().gates.levels) for part in (c.any or [c])]
    assert {c.fact for c in gated if c.fact} == set(facts.OF_MACHINE)


def test_dimensions_need_what_levels_rest_on_that_are_measured() -> None:
    """Levels 1 to 3: the fourth is never automatic."""
    gates = [sorted(c.metrics()) for step in model().gates.levels[:3] for c in step.all if c.metrics()]
    needs = [sorted(one) for d in model().dimensions.dimensions for one in d.needs]
    assert sorted(gates) == sorted(needs)


def test_no_facts_are_asked_that_a_dimension_could_hide() -> None:
    assert [step.level for step in model().gates.levels] == [1, 2, 3, 4]
    for scale in (*model().siri.scales, *model().acatech.scales):
        assert scale.steps[-1].level <= scale.of


def test_scores_are_linear_between_anchors_and_flat_beyond() -> None:
    assert model().score("A01", 0.5) == 0
    assert model().score("A01", 0.97) == pytest.approx(67.5)
    assert model().score("A01", 1.0) == 100
    assert model().score("A04", 0.2) == 100
    assert model().score("A04", 32.5) == pytest.approx(60)
    assert model().score("A04", 9999) == 0


def test_a_step_belongs_to_its_upper_side() -> None:
    assert model().score("A02", 0.999) == 0
    assert model().score("A02", 1.0) == 40
    assert model().score("A02", 1.75) == pytest.approx(60)


@pytest.mark.parametrize("metric", REGISTRY)
def test_scores_go_one_way_from_0_to_100(metric: str) -> None:
    points = model().anchors[metric]
    scores = [score for _, score in points]
    assert {min(scores), max(scores)} == {0, 100}
    assert scores in (sorted(scores), sorted(scores, reverse=True))
    for value, score in points:
        if [v for v, _ in points].count(value) == 1:
            assert model().score(metric, value) == score


def test_every_condition_asks_for_one_thing_in_one_way() -> None:
    assert all(c.sound() for c in conditions(model().gates.levels))
    assert not Condition().sound()
    assert not Condition(metric="A01").sound()
    assert not Condition(metric="A01", fact="live_pv", min=1).sound()
    assert not Condition(metric="A01", min=1, max=2).sound()
    assert not Condition(any=[Condition(metric="A01")]).sound()
    assert not Condition(metric="A01", any=[Condition(metric="A01", min=1)]).sound()


@pytest.mark.parametrize("name", sorted(KINDS))
def test_the_hash_follows_the_content_and_not_the_spelling(name: str) -> None:
    commented = {**FILES, name: b"# a comment\n" + FILES[name]}
    assert parse(commented).hash == model().hash
    changed = {**FILES, name: FILES[name].replace(b"version: ", b"version: 1")}
    assert parse(changed).hash != model().hash


GATES, TWO = FILES["gates.yaml"], b"{metric: Q07, min: 0.995}"


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("gates.yaml", b"version: [", "gates.yaml"),
        ("gates.yaml", b"version: 1\nquorum: much\n", "gates.yaml"),
        ("gates.yaml", GATES.replace(TWO, b"{metric: Q07}"), "gates.yaml: level 1: Q07"),
        ("gates.yaml", GATES.replace(TWO, b"{metric: Q07, min: 1, max: 1}"), "level 1: Q07"),
        ("gates.yaml", GATES.replace(TWO, b"{min: 1}"), "level 1: a condition"),
        ("gates.yaml", GATES.replace(b"level: 2", b"level: 7"), "write level 2 where 7 stands"),
        ("siri.yaml", FILES["siri.yaml"].replace(b"level: 3", b"level: 4"), "siri.yaml: SI7"),
        ("dimensions.yaml", FILES["dimensions.yaml"].replace(b"C01: 1", b"C01: 0"), "dimensions.yaml: D1"),
        ("dimensions.yaml", FILES["dimensions.yaml"].replace(b"[[C03]]", b"[[Q01]]"), "dimensions.yaml: D1"),
        ("semantics.yaml", b"version: 1\nunits: []\nplaceholder: []\n", "semantics.yaml"),
        ("anchors.yaml", b"version: 1\nindicators: {A01: {anchors: [[1, 0], [0.5, 9]], why: x}}", "A01"),
        ("anchors.yaml", b"version: 1\nindicators: {A01: {anchors: [[1, 0], [1, 9]], why: x}}", "A01"),
        ("anchors.yaml", b"\xff", "anchors.yaml"),
        ("more.yaml", b"", "exactly"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(name: str, content: bytes, told: str) -> None:
    with pytest.raises(ModelError, match=told):
        parse({**FILES, name: content})


def test_the_model_cannot_be_changed_by_accident() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        model().hash = "x"  # type: ignore[misc]
