"""The report: what it holds, how large it is, and how requests are answered."""

from __future__ import annotations

import json

import jsonschema
import msgspec
import pytest

from agent.frame import Event, Status
from contract.codec import REPORT_LIMIT
from contract.report import Refusal, Report
from contract.schemas import schema
from readiness.indicators import REGISTRY
from readiness.inventory import Machine
from tests.readiness.plant import DAY, START, Plant, signal, source

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


@pytest.mark.parametrize("machines", [150, 250])
def test_a_larger_plant_leaves_out_what_can_be_asked_for(machines: int) -> None:
    answer = uneven(machines).assess().retained()
    assert len(answer) <= REPORT_LIMIT
    report = msgspec.json.decode(answer, type=Report)
    assert [v.metric for v in report.values] == list(REGISTRY)
    assert len(report.machines) in {0, machines}
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


def test_tallies_are_evidence_too() -> None:
    before = Plant([source("press")], days=14).assess().plant().evidence
    counted = Plant([source("press")], days=14, tallies={("2026-10-27", "latency/press"): {5: 1}})
    assert counted.assess(START + 14 * DAY).plant().evidence != before


def test_simulated_history_is_told_in_the_head() -> None:
    mark = Event(kind="agent_start", time_ns=START, from_ns=START, to_ns=START + 7 * DAY, body={"simulated": True})
    plant = Plant([source("press")], days=28, items=[mark])
    assert plant.assess().plant().simulated == 0.25
