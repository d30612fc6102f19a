"""What the flags of values mean, in words: a guard that has struck, or something that a reader has to know.

A test looks for every flag that a formula can set. Flags are codes of the wire: a meaning never changes, a new one
gets a new code.
"""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """One meaning in both languages."""

    en: str
    ko: str


FLAGS = {
    "AGGREGATED": Words(
        "one server holds several machines: it may be a gateway that nobody has declared",
        "서버 하나에 여러 설비가 있음: 신고되지 않은 게이트웨이일 수 있음",
    ),
    "ALWAYS_GOOD_DESPITE_FAULTS": Words(
        "the device calls everything good while faults were found: at most 80 points",
        "이상이 발견되었는데도 기기는 항상 정상으로 표시: 최대 80점",
    ),
    "ANONYMOUS_OFFER": Words("a server takes anonymous users", "익명 접속을 허용하는 서버가 있음"),
    "ASSUME_EXPOSED": Words(
        "some devices have no rights that could be asked for: take them for writable",
        "권한을 확인할 수 없는 기기가 있음: 쓰기 가능한 것으로 보아야 함",
    ),
    "BACKFILLED": Words(
        "days were filled in afterwards: they are no measurement of ours",
        "나중에 채워 넣은 날이 있음: 실측 이력이 아님",
    ),
    "BASELINE_IN_WINDOW": Words(
        "what is usual was learned within the window itself", "정상 기준을 평가 기간 안에서 학습함"
    ),
    "BILL": Words("against the energy bill of a month, not a main meter", "주계량기 대신 월 요금 고지서와 비교함"),
    "BOUNCE": Words(
        "more cycles than pieces: a bit bounces; at most 60 points",
        "생산량보다 사이클이 많음: 접점 떨림(채터링) 의심, 최대 60점",
    ),
    "CERTIFICATE_ENDS_SOON": Words("a certificate ends within 90 days", "인증서 만료가 90일 이내로 남음"),
    "CERTIFICATE_INVALID": Words("a certificate is not valid now", "현재 유효하지 않은 인증서가 있음"),
    "CONSTANT_ID": Words("an id never changes", "번호가 전혀 바뀌지 않음"),
    "COUNTED_WITHOUT_RUN": Words(
        "pieces are counted while the machine does not run (jogging)", "설비가 가동하지 않는데 계수됨(조그 운전 등)"
    ),
    "CYCLE_UNKNOWN": Words(
        "how long a set point has to stay was not judged: no cycle time",
        "사이클타임을 알 수 없어 설정값 유지 여부는 판단하지 않음",
    ),
    "DEPRECATED_POLICY": Words(
        "a server offers an outdated security policy", "폐기된 보안 정책을 제공하는 서버가 있음"
    ),
    "ESTIMATED": Words(
        "a meter that counts the same whatever the machine does was left out",
        "가동과 무관하게 일정한 계량값(추정값)은 제외함",
    ),
    "FASTER_THAN_IDEAL": Words(
        "faster than the ideal cycle: it is set too long", "기준 사이클타임보다 빠름: 기준값이 너무 길게 설정됨"
    ),
    "FAULTS_WITHOUT_ALARM": Words(
        "faults came without an alarm: the score is at most the share that had one",
        "알람 없이 발생한 고장이 있음: 알람이 있던 고장 비율까지만 점수 인정",
    ),
    "FEW_LABELS": Words(
        "fewer than ten labelled events (stops with a reason, rejects): at most 60 points",
        "사유 있는 비가동·불량 기록이 10건 미만: 최대 60점",
    ),
    "FIRST_STEP": Words(
        "the first process step: there is none before it to link to", "첫 공정이라 연결할 이전 공정이 없음"
    ),
    "FORWARD_FILL": Words(
        "a gateway repeats what it knew last: at most 60 points", "게이트웨이가 마지막 값을 되풀이함: 최대 60점"
    ),
    "GATEWAY": Words(
        "behind a gateway: the controller was rated, not the gateway",
        "게이트웨이 뒤의 설비: 게이트웨이가 아닌 제어기를 평가함",
    ),
    "GUESSED_LEFT_OUT": Words(
        "meters whose role nobody has confirmed were left out", "역할이 확인되지 않은 계량기는 제외함"
    ),
    "HAND_FED": Words(
        "automatic, and yet a hand on every second cycle: at most 40 points",
        "자동 모드이지만 두 사이클에 한 번꼴로 수동 조작: 최대 40점",
    ),
    "IDEAL_IS_MEDIAN": Words(
        "an ideal cycle equals the observed median: it was probably copied from it",
        "기준 사이클타임이 실측 중앙값과 같음: 실측값을 옮겨 적었을 수 있음",
    ),
    "IDLE_BURSTS": Words(
        "fast samples were taken while the machine did not run: not used", "비가동 중의 고속 수집은 사용하지 않음"
    ),
    "INTERVAL_TOO_COARSE": Words(
        "read too slowly for the length of a cycle", "사이클 길이에 비해 수집 주기가 너무 김"
    ),
    "INVALID_ID": Words("ids that are placeholders or of a wrong form", "형식이 틀리거나 임시로 넣은 번호가 있음"),
    "INVENTORY_SHRUNK": Words(
        "machines that were read in the window are no longer in the list of machines",
        "평가 기간에 수집하던 설비가 설비 목록에서 빠짐",
    ),
    "INVENTORY_UNSIGNED": Words("nobody stands for the list of machines", "설비 목록을 확인한 사람이 없음"),
    "IRREGULAR_CYCLES": Words(
        "cycle times of one product scatter like those of hand work: at most 40 points",
        "같은 품목의 사이클타임 편차가 수작업 수준: 최대 40점",
    ),
    "ISOLATED_CELL": Words(
        "a plain session in a cell that a person has proven to be isolated counts 0.4",
        "격리가 확인된 셀 안의 평문 통신은 0.4로 인정",
    ),
    "LIMITS_CHANGED": Words(
        "limits were changed: days before that were left out", "한계값이 변경되어 그 이전 날은 제외함"
    ),
    "LOWER_BOUND": Words(
        "only changes of mode are seen: a lower bound", "모드 변경만 확인됨: 실제는 이보다 많을 수 있음"
    ),
    "MIN_CYCLE_UNKNOWN": Words(
        "no ideal cycle: whether pieces came too fast was not checked",
        "기준 사이클타임이 없어 과속 계수는 확인하지 못함",
    ),
    "POOLED": Words("machines with few events are taken together", "건수가 적은 설비들은 합쳐서 계산함"),
    "MIXED_LOTS": Words("lots were interrupted or are shorter than a cycle", "로트가 섞이거나 한 사이클보다 짧음"),
    "MODEL_UNUSED": Words(
        "the server lists a companion specification that no read signal uses",
        "서버에 표준 정보모델이 있으나 수집 신호에는 쓰이지 않음",
    ),
    "NOISE_ONLY": Words(
        "points move like an input without a sensor", "센서 없는 입력처럼 잡음만 있는 포인트가 있음"
    ),
    "NOTHING_MOVES": Words(
        "the controller answers, and nothing in it ever changes", "응답은 하나 값이 전혀 변하지 않음"
    ),
    "NOT_BROWSABLE": Words("a protocol that cannot be browsed", "탐색(브라우즈)할 수 없는 프로토콜"),
    "NOT_BROWSED": Words(
        "addresses were imported, not found by browsing", "탐색이 아니라 목록으로 등록한 주소가 있음"
    ),
    "NOT_COLLECTED": Words(
        "a person says that no other system collects it: 0",
        "다른 시스템에서도 수집하지 않는다고 확인됨: 0으로 평가",
    ),
    "NOT_CONFIRMED": Words(
        "said to be found by browsing, not confirmed by the device", "탐색으로 찾았다고 하나 기기에서 확인되지 않음"
    ),
    "NOT_PEOPLE_EXCLUDED": Words(
        "kiosks, service and supplier accounts were left out", "현황판·서비스·공급기업 계정의 사용은 제외함"
    ),
    "NOT_PROVEN": Words("the lower limit is not above 0: no points", "신뢰구간 하한이 0을 넘지 않음: 점수 없음"),
    "NO_ALARMS": Words("a person says that the machine has no alarms: 0", "알람이 없다고 확인된 설비: 0으로 평가"),
    "NO_BASELINE": Words(
        "signals without enough good days to learn what is usual", "정상 기준을 학습할 날이 부족한 신호가 있음"
    ),
    "NO_COUNTER": Words(
        "no counter to compare with: only lengths of cycles", "비교할 카운터가 없어 사이클 길이만 평가함"
    ),
    "NO_SCHEDULE_EXISTS": Words(
        "a person says that there is no usable schedule or ideal cycle: 0",
        "쓸 수 있는 가동계획·기준 사이클타임이 없다고 확인됨: 0으로 평가",
    ),
    "NO_SOURCE_TIME": Words(
        "no value bears the device's own time: at most 60 points", "기기 자체 시각이 없는 값: 최대 60점"
    ),
    "ONE_PRIORITY": Words("all alarms have the same priority", "모든 알람의 우선순위가 같음"),
    "ONE_REASON_TOO_OFTEN": Words(
        "one reason covers over 60 % of explained time: half the value",
        "한 가지 사유가 60 %를 넘음: 값을 절반으로 인정",
    ),
    "OTHER_TOO_OFTEN": Words(
        '"other" covers over 30 % of explained time: half the value', "'기타'가 30 %를 넘음: 값을 절반으로 인정"
    ),
    "RANGE_TOO_WIDE": Words(
        "a range of over twenty times what is seen is no limit: left out",
        "실측 폭의 20배가 넘는 범위는 한계로 보지 않고 제외함",
    ),
    "RECIPE_ATOMIC": Words(
        "set points change together; who wrote them is not known", "설정값이 함께 바뀜: 누가 썼는지는 알 수 없음"
    ),
    "REJECT_MISSING": Words("rejects are not counted: at most 70 points", "불량 수량이 집계되지 않음: 최대 70점"),
    "RESETS_UNSEEN": Words(
        "most faults end without an action that can be seen: at most 75 points",
        "고장 해제 조작이 대부분 보이지 않음: 최대 75점",
    ),
    "RESTING_TOGETHER": Words(
        "all signals rest together while the machine is said to run", "가동 중이라는데 모든 신호가 함께 멈춰 있음"
    ),
    "REUSED_ID": Words("ids were used again for something else", "이미 쓴 번호가 다시 쓰임"),
    "SAMPLING_UNPROVEN": Words(
        "no fast samples: whether reading is fast enough is not known",
        "고속 수집이 없어 수집 주기가 충분한지 알 수 없음",
    ),
    "SELF_SIGNED_FOR_LIFE": Words(
        "a self-signed certificate for twenty years or more", "유효기간 20년 이상의 자체 서명 인증서"
    ),
    "SET_POINT_FOLLOWS": Words(
        "set points that were copied from the value count as not followed",
        "현재값을 뒤따라 복사한 설정값은 미반영으로 봄",
    ),
    "SHARED_CERTIFICATE": Words("several devices show one certificate", "여러 기기가 같은 인증서를 사용함"),
    "SOME_TOO_SLOW": Words("signals that are read too slowly were left out", "수집이 너무 느린 신호는 제외함"),
    "STALE_ID": Words("an id stays when the product changes", "품목이 바뀌어도 번호가 그대로임"),
    "STALE_ORDER": Words(
        "an order stays open when others have begun", "다음 작업이 시작되어도 이전 작업지시가 남아 있음"
    ),
    "STATE_UNKNOWN": Words(
        "a machine has no state: its points are judged without it",
        "가동상태를 모르는 설비의 포인트는 상태 없이 판단함",
    ),
    "STEP_GRID_HIDDEN": Words(
        "scaling or added noise hides a coarser grid, which was counted",
        "환산·잡음에 가려진 실제 분해능으로 평가함",
    ),
    "STROKES_NOT_PARTS": Words(
        "the counter counts strokes, not pieces: a factor is missing",
        "생산량이 아니라 행정(타수)을 셈: 환산 계수 필요",
    ),
    "SYSTEM_SAID": Words(
        "that a system writes a set point is what a person says; reads do not show who writes",
        "시스템이 설정값을 쓴다는 것은 응답에 따름: 읽기만으로는 누가 썼는지 알 수 없음",
    ),
    "TAP": Words("read by a retrofit tap", "외부에 덧붙인 장치(탭)로 수집함"),
    "TYPED_BY_HAND": Words("addresses were typed by hand", "손으로 입력한 주소가 있음"),
    "UNPROTECTED_OFFER": Words(
        "a server offers sessions without protection", "보호 없는 접속을 제공하는 서버가 있음"
    ),
    "UNPROTECTED_PROTOCOL": Words("a protocol without protection of its own", "자체 보호 기능이 없는 프로토콜"),
    "UNREADABLE_NAMES": Words("names that are addresses", "주소 그대로인 이름이 있음"),
    "UNREAD_POINTS": Words(
        "points of the list that nobody reads count as dead", "목록에 있으나 수집하지 않는 포인트는 미사용으로 봄"
    ),
    "UNRECONCILED": Words(
        "nobody has counted by hand within 90 days: half the value", "90일 안에 실사(수기 계수)가 없음: 절반만 인정"
    ),
    "WEAK_HASH": Words("a certificate is signed with an outdated hash", "오래된 해시로 서명된 인증서가 있음"),
    "WEAK_KEY": Words("a certificate with a key that is too short", "키 길이가 부족한 인증서가 있음"),
    "WIDE_BAND": Words(
        "a band that spans half of all values earns nothing", "허용 폭이 값 범위의 절반을 넘으면 인정하지 않음"
    ),
    "ZONE": Words(
        "a clock is off by whole hours: a time zone is set wrong", "시각이 시간 단위로 어긋남: 시간대 설정 오류"
    ),
}
