"""A client that is not ours gets a readiness report by request and response, and it validates."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

import contract
from readiness.indicators import REGISTRY
from tests.e2e.rig import AGENT, FACTORY, Rig, running, tool, until
from tests.peers.modbus import server as modbus_server
from tests.support.processes import running as child_running

if TYPE_CHECKING:
    from collections.abc import Iterator

BASE = f"tsq/1/{FACTORY}/{AGENT}"


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("report")
    plc = modbus_server(folder / "plc")
    with child_running(plc):
        signals = [{"id": "level", "address": "holding:7", "type": "uint16", "role": "pv", "unit": "mm"}]
        devices = [{
            "id": "plc", "type": "modbus", "machine": "press", "host": "127.0.0.1", "port": plc.port,
            "timeout": "400ms", "groups": [{"id": "main", "every": "500ms", "signals": signals}],
        }]  # fmt: skip
        machines: list[dict[str, Any]] = [{"id": "press", "weight": 2}, {"id": "lathe"}]
        with running(Rig(folder, devices=devices, machines=machines)) as rig:
            rig.wait_for_state("plc", "up")
            until(lambda: rig.status()["uplink"]["site"], 30, "the agent does not listen for requests", rig)
            yield rig


def _ask(rig: Rig, verb: str, body: str, response: str = f"{BASE}/rsp/me") -> subprocess.CompletedProcess[str]:
    binary = shutil.which("mosquitto_rr")
    assert binary, "mosquitto-clients is not installed: run `make test`"
    command = [
        binary, "-V", "5", "-h", "127.0.0.1", "-p", str(rig.broker.port), "-q", "1", "-W", "5",
        "-t", f"{BASE}/req/{verb}", "-e", response, "-m", body,
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)


def _schema(name: str) -> dict[str, Any]:
    path = Path(contract.__file__).with_name("schemas") / f"{name}.json"
    schema: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return schema


def test_mosquitto_rr_gets_a_report_that_validates(rig: Rig) -> None:
    answer = _ask(rig, "report.get", "{}")
    assert answer.returncode == 0, answer.stderr
    report = json.loads(answer.stdout)
    jsonschema.validate(report, _schema("readiness"))
    metrics = {value["metric"] for value in report["values"]}
    assert metrics == set(REGISTRY)
    assert metrics >= {"C01", "C03", "A01", "A04", "Q01", "Q09", "S01"}


def test_a_machine_can_be_asked_for_alone(rig: Rig) -> None:
    answer = _ask(rig, "report.get", '{"machine": "press"}')
    report = json.loads(answer.stdout)
    jsonschema.validate(report, _schema("readiness"))
    assert {value["machine"] for value in report["values"]} == {"press"}


@pytest.mark.parametrize(
    ("verb", "body", "error"),
    [
        ("report.get", '{"machine": "nobody"}', "no_data"),
        ("report.get", "[]", "bad_request"),
        ("report.get", "nonsense", "bad_request"),
        ("plc.write", "{}", "unknown_verb"),
    ],
)
def test_what_cannot_be_answered_is_an_error_with_a_code(rig: Rig, verb: str, body: str, error: str) -> None:
    answer = _ask(rig, verb, body)
    assert json.loads(answer.stdout)["error"] == error


def test_the_agent_answers_nowhere_but_below_its_own_branch(rig: Rig) -> None:
    answer = _ask(rig, "report.get", "{}", response="tsq/1/another/edge-1/rsp/me")
    assert answer.returncode != 0
    assert not answer.stdout


def test_techsquare_pulls_the_same_report(rig: Rig) -> None:
    command: list[str | Path] = [
        tool("techsquare"),
        "report",
        FACTORY,
        AGENT,
        "--broker",
        f"127.0.0.1:{rig.broker.port}",
    ]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert answer.returncode == 0, answer.stderr
    jsonschema.validate(json.loads(answer.stdout), _schema("readiness"))


def test_techsquare_says_why_there_is_no_report_and_fails(rig: Rig) -> None:
    command: list[str | Path] = [tool("techsquare"), "report", FACTORY, AGENT, "--machine", "nobody"]
    broker = f"127.0.0.1:{rig.broker.port}"
    answer = subprocess.run([*command, "--broker", broker], capture_output=True, text=True, check=False, timeout=30)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "no machine 'nobody'" in answer.stderr
    assert "no_data" in answer.stderr
    wrong = subprocess.run(
        [*command, "--broker", "127.0.0.1:99999"], capture_output=True, text=True, check=False, timeout=30
    )
    assert wrong.returncode == 2
    assert "HOST:PORT" in wrong.stderr


def test_the_report_is_retained(rig: Rig) -> None:
    binary = shutil.which("mosquitto_sub")
    assert binary
    command = [binary, "-p", str(rig.broker.port), "-t", f"{BASE}/readiness", "-C", "1", "-W", "20"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    jsonschema.validate(json.loads(answer.stdout), _schema("readiness"))


def _shown(rig: Rig, *words: str) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [tool("tsq-agent"), "report", "--config", rig.config, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_people_read_it_from_the_running_agent(rig: Rig) -> None:
    shown = _shown(rig, "--lang", "ko")
    assert shown.returncode == 0, shown.stderr
    lines = [line.strip() for line in shown.stdout.splitlines()]
    heads = ["측정한 것", "모델별 측정 범위", "증명되지 않은 것", "근거수준"]
    assert [line for line in lines if line in heads] == heads
    assert "미평가" in shown.stdout
    english = _shown(rig, "--machine", "press", "--lang", "en")
    assert english.returncode == 0, english.stderr
    assert "What was measured" in english.stdout
    assert "press" in english.stdout.splitlines()[0]
    raw = _shown(rig, "--json")
    jsonschema.validate(json.loads(raw.stdout), _schema("readiness"))
    wrong = _shown(rig, "--machine", "nobody", "--lang", "ko")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "설비 목록에 없는 설비입니다(nobody)" in wrong.stderr
