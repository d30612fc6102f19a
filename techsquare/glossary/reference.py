"""Writes `docs/glossary.md`: `python -m techsquare.glossary.reference > docs/glossary.md`."""

from __future__ import annotations

import sys

from techsquare.glossary import COLUMNS, LISTS

_INTRODUCTION = """\
# Words of the platform: Korean and English

<!-- Made by `python -m techsquare.glossary.reference > docs/glossary.md`; a test compares. -->

Rows, engines and the API say short words (`cannot_tell`); people are shown the texts beside them. A running server
gives the same lists at `/v1/words`. Problems have their own page each (`/problems/not_yours`, also at
[api.md](api.md#errors)). The words of the shop floor that texts are made of:

| English | 한국어 | not |
|---|---|---|
| factory, site; as a party | 공장, 사업장; 도입기업 | |
| supplier, solution | 공급기업, 솔루션 | 벤더 |
| operator of the platform | 운영기관 | 관리자 |
| owner | 대표 | 오너 |
| mentor | 멘토 | 코치 |
| machine, line, process | 설비, 라인, 공정 | 기계 |
| agent (the box) | 수집 장치 | 에이전트 (기술 문서에서만) |
| production, set-up, fault, standby | 가동, 준비교체, 고장, 대기 | 셋업, 다운타임 |
| downtime, minor stop | 비가동, 순간정지 | |
| pieces, good, scrap, rework | 생산량, 양품, 불량, 재작업 | 스크랩 |
| readiness, evidence level | 디지털화 준비도, 근거수준 | 수준확인(정부의 등급) |
| not assessed | 미평가 | N/A |
| diagnosis, loss | 진단, 손실 | |
| roadmap, measure | 로드맵, 추진 과제 | |
| own cash, support money | 자부담, 지원금 | |
| offer, matching, round | 제안, 매칭, 매칭 회차 | 라운드 |
| escrow, takeover | 임치, 승계 | 에스크로 |
| baseline, comparison machines | 도입 전 기준값, 비교 설비 | 베이스라인, 대조군 |
| verdict | 판정 | |
| consent (to scopes) | 데이터 제공 동의 | |
| exit drill | 데이터 반출 점검 | |
"""


def reference() -> str:
    """Return the page."""
    parts = [_INTRODUCTION]
    for name, words in LISTS.items():
        columns = ", ".join(f"`{column}`" for column, of in COLUMNS.items() if of == name)
        heads = [
            f"\n## {name}\n",
            *([f"In {columns}.\n"] if columns else []),
            "| word | 한국어 | English |",
            "|---|---|---|",
        ]
        parts += [*heads, *(f"| `{word}` | {text.ko} | {text.en} |" for word, text in words.items())]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
