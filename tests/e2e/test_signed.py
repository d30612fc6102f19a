"""The running agent signs for itself: its key, manifest and consent as others see them."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import jsonschema
import pytest

from contract.schemas import schema
from contract.signing import key_id, key_of
from tests.e2e.rig import Rig, running, tool, until
from tests.e2e.test_report import BASE, _ask

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("signed")
    with running(Rig(folder, devices=[], machines=[{"id": "press"}], readiness={"report_every": "10s"})) as rig:
        until(lambda: rig.status()["uplink"]["site"], 30, "the agent does not listen for requests", rig)
        yield rig


def test_the_manifest_is_retained_and_names_the_key(rig: Rig) -> None:
    command = ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(rig.broker.port), "-t", f"{BASE}/manifest", "-C", "1"]
    raw = subprocess.run([*command, "-W", "40"], capture_output=True, text=True, check=True, timeout=60).stdout
    manifest = json.loads(raw)
    jsonschema.validate(manifest, schema("manifest"))
    assert key_id(key_of(manifest["public_key"])) == manifest["key"]
    assert "chain" not in manifest
    assert [machine["id"] for machine in manifest["machines"]] == ["press"]
    for verb in manifest["verbs"]:
        answer = json.loads(_ask(rig, verb, "{}").stdout)
        assert answer.get("error") in {None, "bad_request"}, answer  # they are there


def test_people_see_who_signs(rig: Rig) -> None:
    for language, word in (("en", "no day is signed yet"), ("ko", "아직 서명한 날이 없습니다")):
        found = subprocess.run(
            [tool("tsq-agent"), "reporter", "show", "--config", rig.config, "--lang", language],
            capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip
        assert (found.returncode, word in found.stdout) == (0, True), found.stdout + found.stderr
