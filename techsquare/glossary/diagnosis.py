"""Words of the diagnosis: where time goes, how sure that is, what is lacking, what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

BUCKET: Mapping[str, Text] = {
    "good": Text("good pieces", "양품 생산"),
    "scrap": Text("scrap", "불량"),
    "speed": Text("lost speed", "속도 저하"),
    "setup": Text("set-up", "준비교체"),
    "standby": Text("standby", "대기"),
    "fault": Text("faults", "고장"),
    "off": Text("switched off", "전원 꺼짐"),
    "unknown": Text("not known", "미확인"),
    "production": Text("production", "가동"),
    "energy": Text("energy", "에너지"),
}
"""Of planned time; `energy` is a ledger beside it."""
SOURCE: Mapping[str, Text] = {
    "measured": Text("measured", "측정"),
    "counted": Text("counted by hand", "수기 집계"),
    "answered": Text("answered", "응답"),
}
BY: Mapping[str, Text] = {
    "measured": Text("measured", "측정"),
    "answered": Text("answered", "응답"),
    "both": Text("measured and answered", "측정과 응답"),
    "nobody": Text("not assessed", "미평가"),
}
TELL: Mapping[str, Text] = {
    "yes": Text("yes", "예"), "no": Text("no", "아니요"), "unknown": Text("not known", "모름"),
}  # fmt: skip
CONFIDENCE: Mapping[str, Text] = {
    "low": Text("low", "낮음"), "medium": Text("medium", "보통"), "high": Text("high", "높음"),
}  # fmt: skip
LACKING: Mapping[str, Text] = {
    "contribution": Text("what a piece leaves", "개당 공헌이익"),
    "pieces": Text("pieces", "생산량"),
    "ideal_cycle": Text("ideal cycle", "기준 사이클타임"),
    "rejects": Text("rejects", "불량 수량"),
    "scrap_piece": Text("what a rejected piece costs", "불량 1개의 재료비"),
    "avoidable_hour": Text("what an idle hour costs", "비가동 1시간의 비용"),
    "tariff_kwh": Text("price of a kWh", "전력 단가"),
}
FLAG: Mapping[str, Text] = {
    "faster_than_ideal": Text(
        "faster than the ideal cycle: it is wrong", "기준 사이클타임보다 빠름(기준값 확인 필요)"
    ),
    "mixed_formulas": Text("records of several formula versions", "계산식 버전이 섞임"),
    "simulated": Text("simulated days in it", "모의 데이터 포함"),
    "counted_days": Text("days counted by hand in it", "수기 집계 포함"),
    "no_split": Text("good, scrap and speed cannot be told apart", "양품·불량·속도 저하를 나눌 수 없음"),
}
READING: Mapping[str, Text] = {
    "planned_min": Text("planned minutes", "계획 가동시간(분)"),
    "production_min": Text("minutes of production", "실가동시간(분)"),
    "setup_min": Text("minutes of set-up", "준비교체(분)"),
    "fault_min": Text("minutes of faults", "고장(분)"),
    "standby_min": Text("minutes of standby", "대기(분)"),
    "off_min": Text("minutes switched off", "전원 꺼짐(분)"),
    "pieces": Text("pieces", "생산량(개)"),
    "rejects": Text("rejects", "불량 수량(개)"),
    "ideal_cycle_s": Text("ideal cycle, seconds", "기준 사이클타임(초)"),
    "meter_kwh": Text("reading of the meter, kWh", "전력량계 지침(kWh)"),
}
READING_WRONG: Mapping[str, Text] = {
    "no_planned_time": Text("no planned time on this day", "계획 가동시간이 없음"),
    "more_than_planned": Text("more minutes than were planned", "합계가 계획 가동시간보다 김"),
    "rejects_above_pieces": Text("more rejects than pieces", "불량 수량이 생산량보다 많음"),
    "meter_fell": Text("the meter shows less than before", "전력량계 지침이 앞보다 작음"),
    "meter_seldom": Text("the meter was read too seldom", "전력량계를 읽은 간격이 너무 김"),
}
ENTRY_CONFLICT: Mapping[str, Text] = {
    "stops_exceed_day": Text("stops are longer than the day", "멈춘 시간이 하루보다 김"),
    "unknown_question": Text("no such question", "없는 질문"),
    "unknown_choice": Text("no such choice", "없는 선택지"),
    "out_of_range": Text("out of range", "범위를 벗어난 값"),
}
RESULT: Mapping[str, Text] = {
    "level": Text("evidence level", "근거수준"),
    "losses": Text("losses in hours", "손실(시간)"),
    "won": Text("losses in won", "손실(원)"),
    "gaps": Text("gaps", "개선 항목"),
    "energy": Text("energy", "에너지"),
    "beside": Text("other models", "다른 진단모델"),
    "peers": Text("other companies", "다른 기업과 비교"),
    "roadmap": Text("roadmap", "로드맵"),
    "offers": Text("offers", "제안"),
    "promise": Text("what could be shown", "확인할 수 있는 변화량"),
    "verdict": Text("verdict", "판정"),
}
RESULT_STATE: Mapping[str, Text] = {
    "none": Text("nothing yet", "아직 없음"),
    "answers": Text("by your answers", "응답 기준"),
    "counted": Text("by hand counts", "수기 집계 기준"),
    "first": Text("first measured days", "첫 측정(10일 미만)"),
    "measured": Text("measured", "측정 기준"),
    "firm": Text("firm", "확정"),
}
RESULT_REASON: Mapping[str, Text] = {
    "nothing_said": Text("no question is answered", "질문에 답하지 않음"),
    "only_said": Text("only answers, nothing counted or measured", "응답만 있고 측정이 없음"),
    "not_connected": Text("no machine is connected", "연결된 설비가 없음"),
    "no_days": Text("connected, and no day yet", "연결했으나 측정된 날이 없음"),
    "few_days": Text("too few measured days", "측정된 날이 모자람"),
    "no_rates": Text("no rates", "단가를 입력하지 않음"),
    "not_metered": Text("no meter", "전력량계가 없음"),
    "few_baseline": Text("too few days for a baseline", "도입 전 기준값을 정할 날이 모자람"),
    "no_questionnaire": Text("the mentor's questionnaire is empty", "멘토 질문지를 작성하지 않음"),
    "few_others": Text("too few other companies", "비교할 기업이 모자람"),
    "no_budget": Text("no budget", "예산을 입력하지 않음"),
    "no_plan": Text("no roadmap", "로드맵을 만들지 않음"),
    "no_offers": Text("no offers", "제안이 없음"),
    "no_project": Text("no project", "진행한 사업이 없음"),
    "before_date": Text("its day has not come", "판정일 전"),
}
NEXT: Mapping[str, Text] = {
    "answer_questions": Text("answer the twenty questions", "질문 20개에 답하기"),
    "count_by_hand": Text("count a day by hand", "하루치를 수기로 집계하기"),
    "book_visit": Text("book a visit", "멘토 방문 예약하기"),
    "connect": Text("connect a machine", "설비 연결하기"),
    "check_connection": Text("look at the connection", "설비 통신 확인하기"),
    "wait": Text("wait: days are being collected", "기다리기(수집 중)"),
    "say_rates": Text("say your rates", "단가 입력하기"),
    "read_meter": Text("read the meter", "전력량계 읽기"),
    "fill_questionnaire": Text("go through the mentor's questionnaire", "멘토 질문지 작성하기"),
    "say_budget": Text("say your budget", "예산 입력하기"),
    "make_plan": Text("make the roadmap", "로드맵 만들기"),
    "see_advice": Text("see what is said of each measure", "과제별 안내 보기"),
    "choose_measure": Text("choose a measure", "추진 과제 고르기"),
    "look": Text("look at it", "결과 보기"),
}
STAGE: Mapping[str, Text] = {
    "day0": Text("beginning", "시작(첫 주)"),
    "day7": Text("after a week", "7일 이후"),
    "day28": Text("after four weeks", "28일 이후"),
}
WORTH_STORING: Mapping[str, Text] = {
    "first": Text("the first diagnosis", "첫 진단"),
    "kind": Text("measured instead of said", "진단 방식이 바뀜(응답→집계→측정)"),
    "standing": Text("something stands otherwise", "결과 단계가 바뀜"),
    "formulas": Text("other formulas", "계산식이 바뀜"),
    "rates": Text("other rates", "단가가 바뀜"),
    "losses": Text("losses have moved", "손실이 달라짐"),
    "level": Text("another level", "근거수준이 바뀜"),
    "contradictions": Text("answers and measurements differ otherwise", "측정과 응답이 다른 항목이 바뀜"),
    "gaps": Text("other gaps", "개선 항목이 바뀜"),
    "month": Text("four weeks have passed", "4주가 지남"),
}
SUPPRESSED: Mapping[str, Text] = {
    "few": Text("too few companies", "비교할 기업이 모자람"),
    "heavy": Text("one company would weigh too much", "한 기업의 비중이 너무 큼"),
}
QUARTER: Mapping[str, Text] = {
    "lowest": Text("lowest quarter", "하위 25 %"),
    "second": Text("second quarter", "중하위 25 %"),
    "third": Text("third quarter", "중상위 25 %"),
    "highest": Text("highest quarter", "상위 25 %"),
}
METRIC: Mapping[str, Text] = {
    "availability": Text("availability", "시간가동률"),
    "setup": Text("share of set-up", "준비교체 비율"),
    "standby": Text("share of standby", "대기 비율"),
    "fault": Text("share of faults", "고장 비율"),
    "effectiveness": Text("effectiveness", "성능가동률"),
    "quality": Text("quality rate", "양품률"),
    "energy": Text("energy per piece", "에너지 원단위"),
}
