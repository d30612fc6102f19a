"""The first lines of a report."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contract.report import Band, Chance, Dimension, Levels, Machine, Missing, Report, Value, Window
from readiness.summary import lines
from tests.readiness.plant import Plant, model, source

EVIDENCE = "0" * 16
REPORT = Report(
    factory="hanil",
    site="main",
    agent="edge-1",
    made_at="0",
    window=Window("2026-10-26", "2026-11-22", "Asia/Seoul", 20),
    formulas="x",
    model="0" * 16,
    evidence=EVIDENCE,
    confidence=0.9,
    simulated=0.0,
    note="x",
    values=[
        Value(metric="A01", unit="1", evidence=EVIDENCE, value=1.0),
        Value(metric="V02", unit="1", evidence=EVIDENCE, reason="NA_NO_EVIDENCE"),
        Value(metric="A06", unit="1", evidence=EVIDENCE, reason="NOT_APPLICABLE"),
    ],
    level=Levels(1, 2),
    machines=[Machine("a", 1.0, Levels(1, 2), "PU"), Machine("b", 1.0, Levels(0, 2), "UU")],
    settle=[Missing("V02", "NA_NO_EVIDENCE", ["b"]), Missing("live_pv", "NA_SHORT_WINDOW")],
    chances=[Chance(1, 1.0, 1.0), Chance(2, 0.0, 0.931)],
    dimensions=[
        Dimension("D4", 1, 5, 0.2, reason="coverage"),
        Dimension("D6", 4, 4, 1.0, reason="gate"),
        Dimension("D7", 0, 0, reason="not_applicable"),
        Dimension("D1", 5, 5, 1.0, 80.0),
    ],
    siri=[Band("SI7", 1, 2, 5, 5)],
    acatech=Band("acatech", 2, 2, 4, 6),
)


def test_in_korean() -> None:
    measured, level, covers, bands, settle, open_, note = lines(REPORT, model(), "ko")
    assert measured == (
        "측정 범위: 2026-10-26–2026-11-22, 생산일 20일, 설비 2대 중 1대 평가. "
        "지표 3개 중 1개 평가, 1개 미평가(근거 부족), 1개 해당 없음."
    )
    assert level == "근거수준 EL1 (범위 EL1–EL2); KOSMO 수준확인 아님. EL2 이상일 확률 0.00–0.93."
    assert "SIRI(차원) 16 중 4" in covers
    assert "acatech 성숙도 지수(구조 영역) 4 중 2" in covers
    assert bands == "근거가 뒷받침하는 상한: SI7 1–2/5, acatech 2/6. 해당 모델의 판정 아님."
    assert settle == (
        "수준을 확정하려면 필요한 근거: "
        "V02 생산수량 자동집계율 (근거 없음; b); 변하는 현재값(3개 이상) (기간 부족)."
    )
    assert open_ == "미평가 영역: 가시성, 자동화."
    assert note == "점수 기준은 설계값이며 보정되지 않음."


def test_in_english() -> None:
    found = lines(REPORT, model(), "en")
    assert found[0].startswith("Measured: 2026-10-26 to 2026-11-22, 20 production days; 1 of 2 machines assessed;")
    assert found[1].startswith("Evidence level EL1 (range EL1 to EL2); not a KOSMO level.")
    assert "dimensions 4 of 16" in found[2]
    assert found[-1] == "Anchors are design values, not calibrated."


def test_what_is_settled_says_no_more() -> None:
    settled = replace_(
        level=Levels(2, 2), settle=[], chances=[], dimensions=[], siri=[], acatech=None, simulated=0.5
    )
    found = lines(settled, model(), "ko")
    assert found[0].endswith("근거의 50%는 시뮬레이션 이력임.")
    assert found[1] == "근거수준 EL2; KOSMO 수준확인 아님."
    assert len(found) == 4


def replace_(**fields: object) -> Report:
    return Report(**{**{name: getattr(REPORT, name) for name in REPORT.__struct_fields__}, **fields})


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_piece_of_evidence_has_words(language: str) -> None:
    plant = replace(Plant([source("press")], days=14))
    assessment = plant.assess()
    for report in (assessment.plant(), assessment.machine("press")):
        assert report is not None
        assert all("{" not in line for line in lines(report, model(), language))  # type: ignore[arg-type]
    for condition in ("live_pv", "model_acts", "L03", "U04"):
        lines(replace_(settle=[Missing(condition, "NA_SHORT_WINDOW")]), model(), language)  # type: ignore[arg-type]
