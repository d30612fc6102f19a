"""The first lines of a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import pytest
from msgspec.structs import replace

from contract.report import (
    Away,
    Band,
    Chance,
    Dimension,
    Levels,
    Machine,
    Measured,
    Missing,
    Omitted,
    Reason,
    Report,
    Standing,
    Value,
    Window,
)
from readiness.facts import OF_MACHINE, OF_PLANT
from readiness.indicators import REGISTRY
from readiness.summary import head, lines
from readiness.words import FACTS, TASKS, UNITS, amount, interval, name, percent, reason, span
from tests.readiness.plant import Plant, model, source

if TYPE_CHECKING:
    from readiness.words import Language

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
    conditions=["V02", "live_pv"],
    machines=[Machine("a", 1.0, Levels(1, 2), "PU"), Machine("b", 1.0, Levels(0, 2), "UU")],
    settle=[Missing("live_pv", "NA_SHORT_WINDOW", ["b"]), Missing("V05", "NA_NO_EVIDENCE")],
    chances=[Chance(1, 1.0, 1.0), Chance(2, 0.0, 0.931)],
    dimensions=[
        Dimension("D4", 1, 5, 0.2, reason="coverage"),
        Dimension("D6", 4, 4, 1.0, reason="gate"),
        Dimension("D7", 0, 0, reason="not_applicable"),
        Dimension("D1", 5, 5, 1.0, 80.0),
    ],
    siri=[Band("SI7", 1, 2, 5, 5)],
    acatech=Band("acatech", 2, 2, 4, 6),
    measured=Measured(machines=2, reached=1, signals=12, planned_s=864_000, known=0.4381),
    standing=Standing(Levels(1, 2), "2026-10-26", 1),
)


def test_in_korean() -> None:
    measured, covers, open_, level, settle = lines(REPORT, model(), "ko", {"b": "선반 2호기"})
    assert measured == (
        "측정한 것: 2026-10-26 ~ 2026-11-22: 28일 중 생산일 20일. 설비 2대 중 1대, 태그 12개. "
        "계획 가동시간 240시간 중 43.8% 파악(미연결 설비와 수집기 중단은 미파악으로 계산). 지표 3개 중 1개 평가."
    )
    assert covers.startswith("모델별 측정 범위: 스마트공장 포털의 수준별 구분 5개 중 2개, ")
    assert "SIRI(차원) 16개 중 4개(이번 근거 1개)" in covers
    assert "acatech 성숙도 지수(구조 영역) 4개 중 2개" in covers
    assert covers.endswith(
        "나머지는 사람에게 물어야 함. "
        "근거가 뒷받침하는 상한: SI7 생산현장 연결성 1–2/5, acatech 단계의 데이터 요건 2/6. "
        "해당 모델의 판정이 아님."
    )
    assert open_ == (
        "증명되지 않은 것: 지표 1개 미평가: 근거 없음 1. 1개는 해당 없음. 점수를 낼 수 없는 영역: 가시성, 자동화. "
        "점수 기준은 설계값이며 보정되지 않음. KOSMO 수준확인 아님."
    )
    assert level == "근거수준: EL1 (범위 EL1–EL2); KOSMO 수준확인 아님. EL2 이상일 확률 0.00–0.93."
    assert settle == (
        "수준을 확정하려면: 현재값 태그를 3개 이상 수집하고 역할을 확인(role: pv) "
        "(변하는 현재값(3개 이상): 기간 부족; 선반 2호기); "
        "이를 포함해 모두 2가지가 필요함: 변하는 현재값(3개 이상), V05."
    )


def test_in_english() -> None:
    measured, covers, open_, level, _ = lines(REPORT, model(), "en")
    assert measured.startswith(
        "What was measured: 2026-10-26 to 2026-11-22: 28 days, 20 of them production days. 1 of 2"
    )
    assert "dimensions 4 of 16 (touched now: 1)" in covers
    assert "no KOSMO assessment" in open_
    assert level.startswith("Evidence level: EL1 (range EL1–EL2); No level of the Korean programme")


def test_what_is_settled_says_no_more() -> None:
    settled = replace(
        REPORT, level=Levels(2, 2), settle=[], chances=[], dimensions=[], siri=[], acatech=None, simulated=0.5,
        standing=None, measured=None,
    )  # fmt: skip
    found = head(settled, model(), "ko")
    assert list(found) == ["measured", "covers", "open", "level"]
    assert found["measured"][-1] == "근거의 50.0%는 시뮬레이션 이력임."
    assert found["level"] == ["EL2; KOSMO 수준확인 아님."]
    assert not [line for line in found["open"] if "점수를 낼 수 없는" in line]


def test_a_level_that_waits_is_told_beside_the_one_that_stands() -> None:
    waits = replace(REPORT, standing=Standing(Levels(0, 1), "2026-07-06", 9, Levels(1, 2)))
    level = head(waits, model(), "ko")["level"]
    assert level[0] == "EL0 (범위 EL0–EL1); KOSMO 수준확인 아님."
    assert level[1] == "이번 기간만 보면 EL1 (범위 EL1–EL2). 겹치지 않는 다음 기간에도 같으면 바뀜."
    stands = replace(REPORT, standing=Standing(Levels(1, 2), "2026-07-06", 9))
    assert "2026-07-06에 시작한 기간부터 유지." in head(stands, model(), "ko")["level"]


def test_a_line_that_is_broken_says_from_when() -> None:
    found = head(replace(REPORT, broken="2026-09-01"), model(), "ko")
    assert found["open"][-1].startswith("2026-09-01 이전은 다른 버전이 측정한 기록")
    assert "other release" not in " ".join(head(REPORT, model(), "en")["open"])


def test_who_has_not_come_and_what_did_not_fit_stands_in_the_first_lines() -> None:
    every = list(get_args(Omitted))
    found = replace(REPORT, absent=[Away("edge-2", 3), Away("edge-7", 28)], omitted=every)
    measured, _, open_, *_ = lines(found, model(), "ko")
    assert "edge-2 근거 3일분 없음. edge-7 근거 28일분 없음." in measured
    assert open_.endswith(
        "크기 제한으로 이 보고서에서 뺀 것(report.get으로 확인): 측정과 다른 응답, 늘고 준 설비, "
        "근거가 없는 설비 이름, 설비별 수준과 조건, 수준을 확정할 설비 이름."
    )
    measured, _, open_, *_ = lines(found, model(), "en")
    assert "Evidence of edge-2 is missing for 3 days." in measured
    assert "Left out of this report for its size (report.get has it): contradicting answers, " in open_
    plain = " ".join(lines(REPORT, model(), "en"))
    assert "is missing for" not in plain
    assert "Left out" not in plain


def test_a_plant_without_planned_time_says_so() -> None:
    bare = replace(REPORT, measured=Measured(machines=2, reached=0, signals=12, planned_s=0, known=0.0))
    assert "계획 가동시간이 입력되지 않음." in head(bare, model(), "ko")["measured"]


@pytest.mark.parametrize("scopes", [{"values", "dimensions"}, {"level", "chances", "settle", "machines"}])
def test_what_consent_has_cut_is_not_told(scopes: set[str]) -> None:
    empty: dict[str, object] = {"values": [], "dimensions": [], "chances": [], "settle": [], "machines": []}
    cut = replace(REPORT, measured=None, **{f: empty.get(f) for f in scopes})
    found = head(cut, model(), "ko")
    assert ("level" in found) == ("level" not in scopes)
    assert ("지표 3개 중 1개 평가." in found["measured"]) == ("values" not in scopes)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_piece_of_evidence_has_words(language: Language) -> None:
    assessment = Plant([source("press")], days=14).assess()
    for report in (assessment.plant(), assessment.machine("press")):
        assert report is not None
        assert all("{" not in line for line in lines(report, model(), language))
    asked = [c for step in model().gates.levels for c in step.all]
    for condition in asked:
        assert {condition.name.split("|")[0]} <= set(TASKS), condition.name
        assert name(condition.name, language) != condition.name
    assert set(FACTS) == {*OF_MACHINE, *OF_PLANT}
    for code in get_args(Reason):
        assert reason(code, language)


def test_every_unit_of_an_indicator_has_words() -> None:
    assert {i.unit for i in REGISTRY.values()} <= {*UNITS, "1"}
    for unit in UNITS:
        for language in ("en", "ko"):
            said = amount(12.345, unit, language)
            assert "12.3" in said
            assert not set(said) & set("{}*#"), said
    assert amount(77.5, "{class}", "ko") == "등급 77.5"
    assert amount(275.95, "s", "ko") == "276초"
    assert amount(3.5, "kW.h", "en") == "3.5 kW.h"  # not of an indicator, and still no braces
    assert amount(4.0, "{piece}", "en") == "4 piece"


@pytest.mark.parametrize(
    ("share", "text"),
    [(1, "100%"), (0, "0%"), (0.8889, "88.9%"), (0.99934, "99.93%"), (0.0019, "0.19%"), (0.99999, ">99.99%"),
     (0.00001, "<0.01%")],
)  # fmt: skip
def test_a_share_is_never_rounded_to_all_or_nothing(share: float, text: str) -> None:
    assert percent(share) == text


def test_the_words_say_which_of_two_things_may_be_missing() -> None:
    one = replace(REPORT.values[1], metric="V03", reason="NA_NO_SCHEDULE")
    told = head(replace(REPORT, values=[one, replace(one, metric="A01")]), model(), "ko")["open"][0]
    assert told == "지표 2개 미평가: 가동계획 또는 기준 사이클타임 없음 1, 가동계획 없음 1."
    assert reason("NA_NO_SCHEDULE", "en", "V03") == "no schedule or no ideal cycle"


def test_intervals() -> None:
    def value(**more: object) -> Value:
        return Value(metric="A01", unit="1", evidence=EVIDENCE, value=0.5, **more)  # type: ignore[arg-type]

    assert interval(value(lo=0.4, hi=0.6), "ko") == "40.0%–60.0%"
    assert interval(value(quality="census"), "ko") == "전수 확인"
    for shown, ko, en in (
        ({"met": 1, "assessed": 1, "machines": 2}, "1대 중 1대(미평가 1)", "1 of 1 (1 unknown)"),
        ({"met": 9, "assessed": 12, "machines": 12}, "12대 중 9대", "9 of 12"),
        ({"assessed": 1, "machines": 2}, "2대 중 1대 확인", "1 of 2 counted"),
    ):
        assert interval(value(quality="census", shown=shown), "ko") == ko
        assert interval(value(quality="census", shown=shown), "en") == en
    assert interval(value(quality="edge-only"), "ko") == "–"
    assert interval(value(lo=0.4), "ko") == "≥ 40.0%"
    assert span(254.2, 282.0, "s") == "254–282"
    assert span(2.0, 2.0, "d") == "2"
