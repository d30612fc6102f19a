"""The report: what it holds, how large it is, and how requests are answered."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

import jsonschema
import msgspec
import pytest

from agent.frame import Event, Status
from contract.codec import REPORT_LIMIT
from contract.report import Omitted, Refusal, Report
from contract.schemas import schema
from readiness.indicators import REGISTRY
from readiness.inventory import Machine
from readiness.plant import configured
from readiness.report import assess
from tests.readiness.plant import CALENDAR, DAY, FIRST, SITE, START, Plant, model, signal, source

if TYPE_CHECKING:
    from agent.frame import Source
    from readiness.plant import Plant as Said
    from readiness.schedule import Calendar

PLANT = Plant([source("press"), source("lathe")], [Machine(m, m) for m in ("press", "lathe", "saw")])


def test_the_answer_holds_every_indicator_and_validates_against_the_shipped_schema() -> None:
    assessment = PLANT.assess()
    for body in (b"", b"{}", b'{"machine": "press"}', b'{"machine": null, "later": 1}'):
        answer = json.loads(assessment.respond(body))
        jsonschema.validate(answer, schema("readiness"))
        assert [v["metric"] for v in answer["values"]] == list(REGISTRY)
    report = assessment.plant()
    assert report.note == "anchors are design values, not calibrated"
    assert report.confidence == 0.9
    assert [m.id for m in report.machines] == ["press", "lathe", "saw"]
    assert all(len(m.gates) == len(report.conditions) for m in report.machines)


def test_values_of_a_machine_come_by_request() -> None:
    report = msgspec.json.decode(PLANT.assess().respond(b'{"machine": "press"}'), type=Report)
    assert report.machine == "press"
    assert {v.machine for v in report.values} == {"press"}
    assert [m.id for m in report.machines] == ["press"]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"machine": "nobody"}', "no_data"),
        (b'{"machine": ""}', "bad_request"),
        (b'{"machine": 7}', "bad_request"),
        (b"[]", "bad_request"),
        (b"\xff\xfe", "bad_request"),
        (b"{" * 5000, "bad_request"),
        (b'{"machine": "' + b"x" * 300_000 + b'"}', "bad_request"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_its_code(body: bytes, error: str) -> None:
    answer = PLANT.assess().respond(body)
    jsonschema.validate(json.loads(answer), schema("refusal"))
    assert msgspec.json.decode(answer, type=Refusal).error == error
    assert len(answer) < 1000


def uneven(machines: int) -> Plant:
    """Return a plant whose machines each miss something else, so that nothing can be told for all together."""
    names = [f"machine-with-a-long-name-{n:03d}-{'x' * 18}" for n in range(machines)]
    connected = [n for k, n in enumerate(names) if k % 5]
    sources = [source(n, [signal(n, 0, role_confirmed=bool(k % 2))]) for k, n in enumerate(connected)]
    plant = Plant(sources, [Machine(n, n, 1.25) for n in names], days=14)
    plant.status = lambda of, number, times: (
        times * 0 + (0 if int(of.id.split("-")[5]) % 3 else Status.BAD_NO_COMMUNICATION) * (number == 0)
    )
    return plant


def test_a_plant_of_fifty_machines_fits_the_retained_topic_with_all_its_details() -> None:
    assessment = uneven(50).assess()
    answer = assessment.retained()
    assert len(answer) <= REPORT_LIMIT
    assert answer == assessment.respond(b"{}")
    report = msgspec.json.decode(answer, type=Report)
    assert len(report.machines) == 50
    assert any(m.machines for m in report.missing)
    assert report.omitted == []


@pytest.mark.parametrize("machines", [150, 250])
def test_a_larger_plant_leaves_out_what_can_be_asked_for(machines: int) -> None:
    answer = uneven(machines).assess().retained()
    assert len(answer) <= REPORT_LIMIT
    report = msgspec.json.decode(answer, type=Report)
    assert [v.metric for v in report.values] == list(REGISTRY)
    assert len(report.machines) in {0, machines}
    # What is not there is named: an empty list would else mean all machines, or none.
    whole = uneven(machines).assess().plant()
    assert whole.omitted == []
    gone = {part for part in get_args(Omitted) if part in report.omitted}
    assert ("machines" in gone) == (not report.machines)
    for name in ("missing", "settle"):
        same = getattr(report, name) == getattr(whole, name)
        assert (f"{name}.machines" in gone) != same
    assert "missing.machines" in gone
    jsonschema.validate(json.loads(answer), schema("readiness"))


def test_equal_evidence_gives_equal_bytes_and_other_evidence_another_hash() -> None:
    def lossy(seed: int) -> Plant:
        plant = Plant([source("press")], days=14)
        plant.status = lambda of, number, times: (
            times * 0
            + ((times // 10**9 * 7919 + seed) % 97 == len(of.id) + number) * int(Status.BAD_NO_COMMUNICATION)
        )
        return plant

    first, again, other = (lossy(seed).assess() for seed in (1, 1, 2))
    assert first.respond(b"{}") == again.respond(b"{}")
    assert first.plant().evidence != other.plant().evidence


def test_what_people_and_configuration_say_is_evidence_too() -> None:
    days = Plant([source("press")], days=14).evidence()
    machines = [Machine("press", "press")]
    plain = configured([source("press")], machines)
    meaning = plain.meanings["press/s0"]

    def evidence(plant: Said = plain, calendar: Calendar = CALENDAR, catalog: Source | None = None) -> str:
        links = [catalog or source("press")]
        return assess(days, {}, links, plant, calendar, START + 14 * DAY, model(), SITE).plant().evidence

    before = evidence()
    assert evidence() == before
    changed = [
        evidence(replace(plain, machines=[Machine("press", "press", 2.0)])),
        evidence(replace(plain, signed=("Kim", "2026-11-01"))),
        evidence(replace(plain, meanings={**plain.meanings, "press/s0": replace(meaning, critical=True)})),
        evidence(
            replace(plain, meanings={**plain.meanings, "press/s0": replace(meaning, automatic=frozenset("ab"))})
        ),
        evidence(calendar=replace(CALENDAR, holidays=frozenset([FIRST]))),
        evidence(catalog=source("press", [signal("press", 0), signal("press", 1, unit="A")])),
    ]
    assert len({before, *changed}) == 1 + len(changed)
    # The order of what has none changes nothing.
    turned = dict(reversed(list(plain.meanings.items())))
    assert evidence(replace(plain, meanings=turned)) == before


def test_days_after_the_window_are_no_evidence_and_days_before_it_are() -> None:
    days = Plant([source("press")], days=35).evidence()
    plant = configured([source("press")], [Machine("press", "press")])

    def evidence(used: dict[str, bytes]) -> str:
        now = START + 30 * DAY
        return assess(used, {}, [source("press")], plant, CALENDAR, now, model(), SITE).plant().evidence

    dates = sorted(days)
    assert evidence({d: days[d] for d in dates[:30]}) == evidence(days)
    assert evidence({d: days[d] for d in dates[1:]}) != evidence(days)


def test_the_report_sums_up_what_it_holds() -> None:
    report = PLANT.assess().plant()
    assert [d.id for d in report.dimensions] == [f"D{k}" for k in range(1, 11)]
    values = {v.metric: v for v in report.values}
    for asked, found in zip(model().dimensions.dimensions, report.dimensions, strict=True):
        assert found.applicable == sum(values[m].reason != "NOT_APPLICABLE" for m in asked.weights)
        assert found.assessed == sum(values[m].score is not None for m in asked.weights)
    assert report.index is not None
    assert [b.id for b in report.siri] == ["SI7", "SI4", "SI10", "SI1"]
    assert report.acatech is not None
    assert [c.level for c in report.chances] == [1, 2, 3, 4]
    for low, high in zip(report.chances, report.chances[1:], strict=False):
        assert (low.low, low.high) >= (high.low, high.high)
    assert report.level is not None
    assert report.level.low < report.level.high
    # A third of the plant is not connected: whatever the other machines show, the quorum hangs on it.
    assert report.settle
    assert report.cascade is not None
    assert 0 <= report.cascade.low <= report.cascade.high <= 3


def test_the_report_of_a_machine_has_its_own_level_and_not_the_scales_of_a_plant() -> None:
    report = PLANT.assess().machine("press")
    assert report is not None
    assert report.level == report.machines[0].level
    assert {d.id for d in report.dimensions} == {f"D{k}" for k in range(1, 11)}
    assert report.index is None
    assert report.siri == []


def test_tallies_are_evidence_too() -> None:
    before = Plant([source("press")], days=14).assess().plant().evidence
    counted = Plant([source("press")], days=14, tallies={("2026-10-27", "latency/press"): {5: 1}})
    assert counted.assess(START + 14 * DAY).plant().evidence != before


def test_simulated_history_is_told_in_the_head() -> None:
    mark = Event(kind="agent_start", time_ns=START, from_ns=START, to_ns=START + 7 * DAY, body={"simulated": True})
    plant = Plant([source("press")], days=28, items=[mark])
    assert plant.assess().plant().simulated == 0.25
