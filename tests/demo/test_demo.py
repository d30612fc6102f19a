"""The whole demo as a user starts it: `python -m demo`."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from contract import codec
from contract.report import Report
from readiness.indicators import REGISTRY

pytestmark = pytest.mark.timeout(180)

NOT_ASSESSED = {
    "A04": "NA_NO_EVIDENCE",  # the history has gone to no store
    "E02": "NA_NO_EVIDENCE",  # one machine has a meter, and 28 days are too few for a baseline
    "S03": "NA_NO_EVIDENCE",  # no server has shown a certificate, and nobody knows of the lathe
}


class Run:
    """One demo in a process of its own, with a temporary folder of its own and no terminal."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.err = folder.with_name("err.txt")
        folder.mkdir()
        with self.err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "demo", "--lang", "en", *arguments],
                stdout=subprocess.PIPE,
                stderr=err,
                text=True,
                env={**os.environ, "TMPDIR": str(folder)},
            )

    def until_said(self, text: str, seconds: float = 90) -> None:
        deadline = time.monotonic() + seconds
        while text not in self.err.read_text("utf-8"):
            assert self.process.poll() is None, self.err.read_text("utf-8")
            assert time.monotonic() < deadline, self.err.read_text("utf-8")
            time.sleep(0.02)

    def children(self) -> list[int]:
        return [pid for pid, parent in processes() if parent == self.process.pid]


def processes() -> list[tuple[int, int]]:
    """Return (pid, parent's pid) of all processes that are not zombies."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = path.read_text("utf-8").rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != "Z":
            found.append((int(path.parent.name), int(parent)))
    return found


def gone(pids: list[int], seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while set(pids) & {pid for pid, _ in processes()}:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def said_in_its_first_lines(text: str) -> None:
    """Hold that a Korean report says first what was measured, what that covers, and what is not proven."""
    lines = [line.strip() for line in text.splitlines()]
    heads = [lines.index(head) for head in ("측정한 것", "모델별 측정 범위", "증명되지 않은 것", "근거수준")]
    assert heads == sorted(heads)
    assert heads[0] <= 3, "at the top"
    measured, covers, open_, level = (
        " ".join(lines[begin + 1 : end]) for begin, end in zip(heads, [*heads[1:], heads[-1] + 4], strict=True)
    )
    assert "설비 6대 중 5대, 태그 57개." in measured
    assert re.search(r"28일 중 생산일 \d\d일\.", measured)
    assert re.search(r"계획 가동시간 \d+시간 중 88\.\d% 파악", measured)
    assert "근거의 100%는 시뮬레이션 이력임." in measured
    assert "스마트공장 포털의 수준별 구분 5개 중 2개" in covers
    assert "SIRI(차원) 16개 중 4개" in covers
    assert "acatech 성숙도 지수(구조 영역) 4개 중 2개" in covers
    assert f"지표 {len(REGISTRY)}개 중 {len(REGISTRY) - len(NOT_ASSESSED)}개 평가." in measured
    assert f"지표 {len(NOT_ASSESSED)}개 미평가: 근거 없음 {len(NOT_ASSESSED)}." in open_
    assert "점수 기준은 설계값이며 보정되지 않음." in open_
    assert "KOSMO 수준확인 아님." in open_
    assert level.startswith("EL1 (범위 EL1–EL2)")
    assert "EL2 이상일 확률 0.00–" in level
    settle = text[text.index("수준을 확정하려면") :]
    assert "A04 종단 지연" in settle[: settle.index("영역")]
    differs = text[text.index("측정과 응답이 다름") :]
    assert "이송 컨베이어 알람 유무(has_alarms): 알람이 없다고 응답했으나 알람이 발생함" in differs
    assert "L01 살아있는 데이터포인트: 측정값(신뢰구간)과 응답이 다름. 응답 95.0%" in differs
    assert not re.search(r"NA_|[{}]", text), "codes are words"


def test_a_bounded_run_loses_nothing_and_says_what_it_came_to(tmp_path: Path) -> None:
    run = Run(tmp_path / "tmp", "--for", "8", "--json")
    run.until_said("batches confirmed")
    children = run.children()
    assert len(children) == 4, "broker, factory, gateway, agent"
    (hint,) = (line for line in run.err.read_text("utf-8").splitlines() if "techsquare report" in line)
    script, *words = hint.partition(": ")[2].split()
    pulled = subprocess.run(
        [Path(sys.executable).with_name(script), *words], capture_output=True, timeout=30, check=True
    )
    report = codec.decode(pulled.stdout.strip(), Report)
    assert (report.factory, report.simulated) == ("hanil", 1.0)
    out, _ = run.process.communicate(timeout=60)
    assert run.process.returncode == 0, run.err.read_text("utf-8")
    result = json.loads(out.splitlines()[-1])
    assert result["lost"] == 0
    assert result["duplicated"] == 0
    assert result["samples_read"] == result["samples_stored"] > 50
    assert 0 < result["latency_p50_s"] <= result["latency_p99_s"] < 30
    assert 10_000_000 < result["replayed_samples"] <= 20_000_000
    assert set(result["indicators"]) == set(REGISTRY)
    assert result["indicators"]["C01"]["value"] == pytest.approx(8 / 9, abs=1e-3), "all but the lathe, by weight"
    assert 0.98 < result["indicators"]["A01"]["lo"] < result["indicators"]["A01"]["hi"] < 1
    assert result["indicators"]["S01"]["value"] == 0
    lacking = {metric: found["reason"] for metric, found in result["indicators"].items() if "reason" in found}
    assert lacking == NOT_ASSESSED
    assert result["indicators"]["V02"]["value"] == pytest.approx(7 / 8, abs=1e-3), (
        "all that make pieces but the lathe"
    )
    assert result["indicators"]["R01"]["value"] == 0, "simulated days are no history"
    assert gone(children, 0)
    assert list(run.folder.iterdir()) == []


def test_ctrl_c_ends_it_with_everything_stored_and_nothing_left_behind(tmp_path: Path) -> None:
    run = Run(tmp_path / "tmp", "--own-broker")
    run.until_said("batches confirmed")
    children = run.children()
    (config,) = run.folder.glob("tsq-demo-*/agent.yaml")
    command: list[str | Path] = [Path(sys.executable).with_name("tsq-agent"), "report", "--config", config]
    read = subprocess.run([*command, "--lang", "ko"], capture_output=True, text=True, timeout=60, check=True)
    said_in_its_first_lines(read.stdout)
    asked = time.monotonic()
    run.process.send_signal(signal.SIGINT)
    out, _ = run.process.communicate(timeout=30)
    assert time.monotonic() - asked < 20
    assert run.process.returncode == 0, run.err.read_text("utf-8")
    assert "lost 0, duplicated 0" in out
    assert "What is not proven" in out[: out.index("lost 0")]
    assert gone(children, 0)
    assert list(run.folder.iterdir()) == []


def test_ctrl_c_during_the_replay_ends_it_at_once(tmp_path: Path) -> None:
    run = Run(tmp_path / "tmp")
    run.until_said("replaying")
    run.process.send_signal(signal.SIGINT)
    run.process.communicate(timeout=15)
    assert run.process.returncode == 0, run.err.read_text("utf-8")
    assert list(run.folder.iterdir()) == []


def test_ctrl_c_while_the_agent_starts_is_no_failure(tmp_path: Path) -> None:
    run = Run(tmp_path / "tmp")
    run.until_said("starting the agent")
    children = run.children()
    run.process.send_signal(signal.SIGINT)
    run.process.communicate(timeout=30)
    assert run.process.returncode == 0, run.err.read_text("utf-8")
    assert "did not end well" not in run.err.read_text("utf-8")
    assert gone(children, 0)


def test_a_part_that_fails_ends_the_demo_and_is_named(tmp_path: Path) -> None:
    run = Run(tmp_path / "tmp")
    run.until_said("replaying")
    children = run.children()
    (factory,) = (pid for pid in children if b"demo.factory" in Path(f"/proc/{pid}/cmdline").read_bytes())
    os.kill(factory, signal.SIGKILL)
    run.process.communicate(timeout=30)
    assert run.process.returncode == 1
    assert "demo: factory ended with -9" in run.err.read_text("utf-8")
    assert gone(children)
    assert list(run.folder.iterdir()) == []


def test_a_launcher_that_is_killed_leaves_no_process_behind(tmp_path: Path) -> None:
    run = Run(tmp_path / "tmp")
    run.until_said("replaying")
    children = run.children()
    assert len(children) == 3
    run.process.kill()
    run.process.communicate(timeout=15)
    assert gone(children)


def test_a_folder_that_is_not_empty_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine", "utf-8")
    said = subprocess.run(
        [sys.executable, "-m", "demo", "--keep", tmp_path], capture_output=True, text=True, timeout=60, check=False
    )
    assert said.returncode == 1
    assert "is not empty" in said.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]
