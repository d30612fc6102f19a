"""The kit passes our own agent, and the verb prints for people and programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from agent.cli import main
from agent.conform.acting.tricks import TRICKS
from agent.conform.bench import Bench
from agent.conform.checks import CHECKS, run
from agent.conform.findings import PAGE, RULES
from agent.conform.port import Port
from contract.report import STANDS_S
from settings.broker import Broker
from tests.agent.conform.rig import QUICK
from tests.agent.platform.test_office import DESK, REGISTER, SIGNED_DAYS, Rig
from tests.agent.test_uplink import BRANCH, eventually
from tests.support.brokers import mosquitto
from tests.support.processes import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("conform")
    with running(mosquitto(folder / "broker")) as broker:
        made = Rig(folder / "state", broker.port)
        made.turn(4)
        made.uplink.publish_retained(BRANCH.readiness, made.office._retained(DESK.assessment()), STANDS_S)
        eventually(lambda: len(made.book.dates()) == SIGNED_DAYS)
        made.port = broker.port  # type: ignore[attr-defined]
        yield made
        made.stop()


def test_our_own_agent_passes_without_a_finding_right_asked_and_wrong(rig: Rig) -> None:
    port = Port(Broker(host="127.0.0.1", port=rig.port), BRANCH)  # type: ignore[attr-defined]
    assert port.open()
    try:
        port.settled(1)
        results = list(run(Bench(port, QUICK, REGISTER, freeze=True)))
    finally:
        port.close()
    assert [(one.check, one.findings) for one in results] == [(name, ()) for name in CHECKS]
    # broker and platform are one here, so that the status of the site is seen; nothing else is left open
    assert {one.check for one in results if one.ok is None} <= {"more"}
    assert (rig.folder / "baselines").exists(), "every verb was asked rightly as well"


def test_each_rule_is_a_heading_of_the_page() -> None:
    from tests.contract.test_docs import PAGE as TEXT  # noqa: PLC0415

    headings = {
        "#" + "".join(c for c in line.lstrip("# ").lower().replace(" ", "-") if c.isalnum() or c == "-")
        for line in TEXT.splitlines()
        if line.startswith("#")
    }
    assert set(RULES) <= headings
    assert PAGE == "docs/wire.md"


def test_the_verb_prints_for_people_and_programs(
    rig: Rig, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    where = f"127.0.0.1:{rig.port}"  # type: ignore[attr-defined]
    key = tmp_path / "register.key"
    key.write_text((b"r" * 32).hex())
    assert main(["conform", "hanil", "edge-1", "--broker", where, "--register", str(key), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["agent"], told["conforms"], told["mqtt"]) == ("hanil/edge-1", True, "5")
    assert [one["check"] for one in told["checks"]] == list(CHECKS)
    assert main(["conform", "hanil", "nobody", "--broker", where, "--lang", "en", "--json"]) == 1
    finding = json.loads(capsys.readouterr().out)["checks"][0]["findings"][0]
    assert finding == {
        "topic": "tsq/1/hanil/nobody/manifest", "field": "", "expected": "a retained message", "found": "nothing",
        "rule": "docs/wire.md#manifest-and-report",
    }  # fmt: skip
    assert main(["conform", "hanil", "nobody", "--broker", where, "--lang", "ko"]) == 1
    assert "manifest   실패" in capsys.readouterr().out
    key.write_text("no key")
    assert main(["conform", "hanil", "edge-1", "--broker", where, "--register", str(key)]) == 2
    assert main(["conform", "hanil", "edge-1", "--broker", "127.0.0.1:1", "--mqtt311", "--json"]) == 2


def test_the_verb_plays_an_agent(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    where = f"127.0.0.1:{rig.port}"  # type: ignore[attr-defined]
    words = ["conform", "hanil", "played", "--broker", where, "--platform", "--patience", "1s", "--lang", "en"]
    assert main([*words, "--trick", "gap", "--trick", "older_head", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [(one["trick"], one["ok"]) for one in told["tricks"]] == [("gap", False), ("older_head", False)]
    assert told["tricks"][1]["unseen"] == TRICKS["older_head"].unseen.en  # type: ignore[union-attr]
    assert {one["rule"] for one in told["tricks"][0]["findings"]} == {"docs/wire.md#days"}
    assert main([*words, "--trick", "bad_signature"]) == 1
    out = capsys.readouterr().out
    assert "bad_signature" in out
    assert "nobody can see here whether: it does not count the wrong record" in out
    assert main([*words, "--trick", "nonsense"]) == 2
    assert "first_contact, gap" in capsys.readouterr().err
