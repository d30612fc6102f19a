"""What a contradiction is about, in Korean: every field of the answers has a word, and no English is left."""

from __future__ import annotations

import re

import pytest

from answers import sections
from readiness.subjects import FIELDS, RECORDS, about, value

NAMES = {"press-1": "프레스 1호기"}


@pytest.mark.parametrize(
    ("subject", "korean"),
    [
        ("machine press-1 has_alarms", "프레스 1호기 알람 유무(has_alarms)"),
        ("machine press-2 kind", "press-2 생산 방식(kind)"),
        ("machine ghost", "ghost"),
        ("signal press-1/shots modulus", "프레스 1호기 태그 shots 순환값(modulus)"),
        ("signal press-1/alarm:oil is low action", "프레스 1호기 태그 alarm:oil is low 조치 필요 여부(action)"),
        ("product BR 100 ideal press-1", "품목 BR 100 기준 사이클타임(ideal) 프레스 1호기"),
        ("product A per_count press-1/total", "품목 A 카운터 1회당 개수(per_count) 프레스 1호기 태그 total"),
        ("product 7 name", "품목 7 품목 이름(name)"),
        ("product 7", "품목 7"),
        ("system mes points", "시스템 mes 포인트 목록(points)"),
        ("calendar planned sat", "달력 요일별 계획(planned) 토"),
        ("calendar weekday 0", "달력 요일별 계획(weekday) 월"),
        ("calendar date 2026-12-24", "달력 날짜(date) 2026-12-24"),
        ("calendar extra 2026-12-24 08:00", "달력 특근(extra) 2026-12-24 08:00"),
        ("calendar country", "달력 공휴일 국가(country)"),
        ("inventory signed", "설비 목록 확인(signed)"),
        ("hand_count press-1 2026-11-19 08:00:00 2026-11-19 20:00:00",
         "수기 계수 프레스 1호기 2026-11-19 08:00 2026-11-19 20:00"),
        ("loop press-1/oil", "제어 루프 프레스 1호기/oil"),
        ("use 2026-11-19 mes operator", "사용 기록 2026-11-19 mes operator"),
        ("claim V03 press-1", "자체 응답값 V03 OEE 산출 가능률 프레스 1호기"),
        ("claim V03", "자체 응답값 V03 OEE 산출 가능률"),
        ("V03", "V03 OEE 산출 가능률"),
        ("", ""),
    ],
)  # fmt: skip
def test_subjects_are_told_in_korean(subject: str, korean: str) -> None:
    assert about(subject, "ko", NAMES) == korean


def test_every_field_that_can_be_answered_has_a_word() -> None:
    for kind, model in (
        ("machine", sections.MachineAnswer), ("signal", sections.SignalAnswer), ("product", sections.ProductAnswer),
        ("system", sections.SystemAnswer),
    ):  # fmt: skip
        fields = set(model.model_fields) - {"by", "on", "proof", "id", "points_file"}
        assert set(FIELDS[kind]) == fields
    words = [word for fields in FIELDS.values() for word in fields.values()] + list(RECORDS.values())
    assert not [word for word in words if re.search("[A-Za-z]", word)]


def test_words_of_the_file_are_told_and_others_stay() -> None:
    assert value("no", "ko") == "아니요"
    assert value("work (2026-11-20)", "ko") == "근무 (2026-11-20)"
    assert value("no entry", "ko") == "no entry"
    assert value("no", "en") == "no"
