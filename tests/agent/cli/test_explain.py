"""`tsq-agent explain`, as a technician runs it: without the device, in both languages."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli import main
from agent.collectors.modbus.explained import recalled
from agent.collectors.modbus.plan import Span, Table
from agent.collectors.planning import Cost
from agent.config.load import load
from agent.memory import DiskMemory

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "config" / "agent.example.yaml"
HANGUL = re.compile("[가-힣]")


def explained(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Return what the verb prints."""
    assert main(["explain", *words]) == 0
    return capsys.readouterr().out


def test_every_request_is_told_with_both_notations_its_cost_and_what_one_for_each_signal_would_take(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = explained(capsys, str(EXAMPLE), "press-plc", "--lang", "en")
    assert "press-plc.fast: 3 signals every 500ms by 2 requests of 15 in all (5 asked for), 10.7 ms (2.1%" in text
    assert "one request for each signal would be 3 requests, 15.2 ms" in text
    assert re.search(r"holding:8 \(400009\) +holding:21 \(400022\) +14 +4 +2 +5\.7 ms", text)
    assert "a request takes 5 ms, and 50 us for each register (assumed)" in text
    assert "budget: 4.2 of 50 requests a second (8%), 2.2% of the time under way, at most 80%" in text
    assert "meter" not in text


def test_in_korean(capsys: pytest.CaptureFixture[str]) -> None:
    text = explained(capsys, str(EXAMPLE), "--lang", "ko")
    assert "요청 1회 5 ms, 레지스터 1개당 50 us (가정한 값)" in text
    assert (
        "press-plc.fast: 태그 3개, 주기 500ms, 요청 2회, 전체 길이 15(필요한 길이 5), 10.7 ms(주기의 2.1%)" in text
    )
    for line in text.splitlines():
        assert HANGUL.search(line) or re.search(r"\d|---|max_|^$", line), line


def test_what_the_running_agent_has_learned_and_measured_is_told_and_planned_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "agent.yaml"
    text = EXAMPLE.read_text("utf-8")
    directory = re.search(r"directory: *(\S+)", text)
    state = tmp_path / "state"
    state.mkdir()
    if directory:
        text = text.replace(directory[0], f"directory: {state}")
    else:
        text += f"\nstorage:\n  directory: {state}\n"
    file.write_text(text, "utf-8")
    device = next(d for d in load(file).devices if d.id == "press-plc")
    memory = DiskMemory(state)
    learned = recalled(device, memory, 0)  # type: ignore[arg-type]
    learned.hole(Table.HOLDING, (10, 20), 0)
    learned.refuse(Span(Table.INPUT, 30, 1), 2, 0)
    learned.limit(Table.HOLDING, 60)
    learned.cost = Cost(2_000_000, 1000)
    memory.remember("press-plc", "modbus", learned.body())
    memory.stop()
    before = {p: p.read_bytes() for p in state.rglob("*") if p.is_file()}
    told = explained(capsys, str(file), "press-plc", "--lang", "en")
    assert "a request takes 2 ms, and 1 us for each register (measured on this link)" in told
    assert "max_registers: 60 (learned; the file says 125)" in told
    assert "learned: 1 gaps are not read over: holding:10 (400011) - 19" in told
    assert "learned: 1 values are refused (address: exception): input:30 (300031): 2" in told
    assert "press-plc.fast: 3 signals every 500ms by 3 requests" in told
    assert "학습함" in explained(capsys, str(file), "press-plc", "--lang", "ko")
    assert before == {p: p.read_bytes() for p in state.rglob("*") if p.is_file()}, "it only looks"


def test_a_plan_above_the_budget_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "agent.yaml"
    text = EXAMPLE.read_text("utf-8")
    text = text.replace("    type: modbus\n", "    type: modbus\n    budget: {requests_per_second: 2}\n", 1)
    file.write_text(text, "utf-8")
    assert "MORE than the budget permits" in explained(capsys, str(file), "--lang", "en")
    assert "한도 초과" in explained(capsys, str(file), "--lang", "ko")
    assert "MORE" not in explained(capsys, str(EXAMPLE), "--lang", "en")


def test_a_subscription_has_items_and_no_requests(capsys: pytest.CaptureFixture[str]) -> None:
    text = explained(capsys, str(EXAMPLE), "cnc", "--lang", "en")
    assert "cnc.state: 2 items in one subscription, reported at most every 1s; no reading" in text
    assert "cnc.axis: poll, 1 item every 5s" in text


def test_a_device_that_is_not_in_the_file_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(EXAMPLE), "pres-plc", "--lang", "en"]) == 1
    assert "no device pres-plc: there are press-plc, meter, cnc" in capsys.readouterr().err


def test_it_works_without_a_network_and_loads_no_protocol_library() -> None:
    guard = (
        "import sys\n"
        "def guard(event, args):\n"
        "    if event.startswith('socket.') or event.startswith('subprocess.'):\n"
        "        raise SystemExit(99)\n"
        "sys.addaudithook(guard)\n"
        "from agent.cli import main\n"
        f"code = main(['explain', {str(EXAMPLE)!r}])\n"
        "print({'asyncua', 'pymodbus', 'paho'} & set(sys.modules))\n"
        "raise SystemExit(code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", guard], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "set()"
