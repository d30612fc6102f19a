"""`tsq-agent assess` as it is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from rich.cells import cell_len

from agent.cli import main
from contract.report import Report
from readiness.evidence import load
from readiness.indicators import REGISTRY
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
    told = (out / "report.txt").read_text("utf-8")
    for text in (said.out, told):
        lines = text.splitlines()
        assert " ".join(lines[0].split()) == "디지털화 준비도 한일정밀 · 저장된 자료로 진단"
        assert "".join(lines[3:6]).split()[:3] == ["2026-09-21", "~", "2026-10-18:"], "what was measured, first"
        for line in lines[-3:]:
            assert not line.startswith(" C01"), "indicators stand above what they rest on"
    by_metric = {line.split()[0]: " ".join(line.split()[1:]) for line in told.splitlines() if line[1:4] in REGISTRY}
    assert len(by_metric) == 45
    assert by_metric["C01"] == "설비 연결률 100% 1대 중 1대 100% ██████████ 100", "with its coverage"
    assert "C01: 설비 목록을 확인한 사람이 없음" in told, "flags are told"
    assert "## 사용한 자료\n- hist (파일 1개): 태그 4개, 값 80,640개" in told
    assert max(map(cell_len, told.splitlines())) <= 110
    plant = msgspec.json.decode((out / "report.json").read_bytes(), type=Report)
    assert (plant.factory, plant.agent, len(plant.values)) == ("hanil", "assess", 45)
    machine = msgspec.json.decode((out / "machines" / "press-1.json").read_bytes(), type=Report)
    assert machine.machine == "press-1"
    days = sorted((out / "days").glob("*.json"))
    assert len(days) == 14
    assert [load(path.read_bytes()).day for path in days] == [path.stem for path in days]
    first = {path: path.read_bytes() for path in out.rglob("*.json")}
    assert main([*words, "en"]) == 0
    assert "stored at an interval of 1m" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in out.rglob("*.json")} == first


def test_what_is_wrong_ends_with_78_and_is_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "assess.yaml"
    config.write_text(written(), "utf-8")
    assert main(["assess", "--data", str(tmp_path / "no.csv"), "--config", str(config)]) == 78
    assert "no.csv" in capsys.readouterr().err
    assert main(["assess", "--config", str(config), "--language", "ko"]) == 78
    assert capsys.readouterr().err == f"{config}: sources.hist: *에 맞는 파일이 없습니다\n"


def test_of_one_machine_of_two_nothing_reads_as_the_plants(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, config, out = tmp_path / "hist.csv", tmp_path / "assess.yaml", tmp_path / "report"
    local(frame()).to_csv(data, index=False)
    config.write_text(written({"machines": [{"id": "press-1"}, {"id": "lathe", "name": "선반"}]}), "utf-8")
    words = ["assess", "--data", str(data), "--config", str(config), "--out", str(out)]
    assert main([*words, "--language", "ko"]) == 0
    told = {line.split()[0]: line for line in (out / "report.txt").read_text("utf-8").splitlines() if line.strip()}
    assert "1대 중 1대(미평가 1)" in told["C01"]
    assert " 25.0% " in told["A01"], "one of two machines, in two of four weeks"
    capsys.readouterr()
    assert main(["--lang", "ko", "report", "--file", str(out / "report.json")]) == 0
    assert "1대 중 1대(미평가 1)" in capsys.readouterr().out, "one renderer for both"
    assert main(["--lang", "ko", "report", "--file", str(out / "report.json"), "--machine", "press-1"]) == 0
    said = capsys.readouterr().out
    assert "press-1" in said.splitlines()[0]
    assert main(["--lang", "ko", "report", "--file", str(out / "report.json"), "--machine", "press-7"]) == 78
    assert "이 보고서에 없는 설비입니다(press-7)" in capsys.readouterr().err
