"""`tsq-agent assess` as it is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from agent.cli import main
from contract.report import Report
from readiness.evidence import load
from tests.agent.assess.plant import frame, local, written

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_verb_prints_the_report_and_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, config, out = tmp_path / "hist.csv", tmp_path / "assess.yaml", tmp_path / "report"
    local(frame()).to_csv(data, index=False, encoding="cp949")
    config.write_text(written(), "utf-8")
    words = ["assess", "--data", str(data), "--config", str(config), "--out", str(out), "--language"]
    assert main([*words, "ko"]) == 0
    said = capsys.readouterr()
    assert said.err == ""  # nobody watches: no progress
    assert said.out.startswith(
        "# 한일정밀\n\n- 측정한 것: 2026-09-21 ~ 2026-10-18: 28일 중 생산일 10일. 설비 1대 중 1대, 태그 4개."
    )
    assert "\n저장된 자료로 진단.\n" in said.out
    assert (out / "report.txt").read_text("utf-8") in said.out
    plant = msgspec.json.decode((out / "report.json").read_bytes(), type=Report)
    assert (plant.factory, plant.agent, len(plant.values)) == ("hanil", "assess", 45)
    machine = msgspec.json.decode((out / "machines" / "press-1.json").read_bytes(), type=Report)
    assert machine.machine == "press-1"
    days = sorted((out / "days").glob("*.json"))
    assert len(days) == 14
    assert [load(path.read_bytes()).day for path in days] == [path.stem for path in days]
    first = {path: path.read_bytes() for path in out.rglob("*.json")}
    assert main([*words, "en"]) == 0
    assert "Completeness against schedule: 100% [" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in out.rglob("*.json")} == first


def test_what_is_wrong_ends_with_78_and_is_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "assess.yaml"
    config.write_text(written(), "utf-8")
    assert main(["assess", "--data", str(tmp_path / "no.csv"), "--config", str(config)]) == 78
    assert "no.csv" in capsys.readouterr().err
    assert main(["assess", "--config", str(config), "--language", "ko"]) == 78
    assert capsys.readouterr().err == f"{config}: sources.hist: *에 맞는 파일이 없습니다\n"
