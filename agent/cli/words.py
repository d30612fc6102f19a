"""Words for quality and status codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.frame import Quality, Status
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.probe import Trouble

QUALITY = {
    Quality.GOOD: Text("good", "정상"),
    Quality.UNCERTAIN: Text("uncertain", "주의"),
    Quality.BAD: Text("bad", "불량"),
}

STATES = {
    "starting": Text("starting", "시작 중"),
    "up": Text("up", "정상"),
    "down": Text("down", "통신 끊김"),
    "refused": Text("refused", "접속 거부"),
    "faulty": Text("faulty", "수집기 오류"),
}
"""Of a device, see `agent.health`."""

TROUBLES: Mapping[Trouble | None, Text] = {
    None: Text("no value came", "값이 오지 않음"),
    "unreachable": Text("not reachable", "통신 안 됨: 주소, 전원, 배선 확인"),
    "refused": Text("refused", "접속 거부: 사용자, 비밀번호, 접속 권한 확인"),
    "silent": Text("no value in time", "시간 안에 값이 오지 않음"),
    "bug": Text("fault in the collector", "수집기 오류"),
}
"""Why signals of a device have no value; None when the device itself answered."""

_EXCEPTIONS = {
    Status.BAD_NOT_SUPPORTED | 1: Text("illegal function", "지원하지 않는 기능 코드"),
    Status.BAD_NODE_ID_UNKNOWN | 2: Text("illegal address", "없는 주소"),
    Status.BAD_OUT_OF_RANGE | 3: Text("illegal value", "허용되지 않는 값"),
    Status.BAD_DEVICE_FAILURE | 4: Text("device failure", "장치 고장"),
    Status.BAD_COMMUNICATION_ERROR | 5: Text("acknowledge", "처리 중"),
    Status.BAD_COMMUNICATION_ERROR | 6: Text("busy", "장치 사용 중"),
    Status.BAD_DEVICE_FAILURE | 8: Text("memory parity error", "메모리 패리티 오류"),
    Status.BAD_NO_COMMUNICATION | 10: Text("gateway path unavailable", "게이트웨이 경로 없음"),
    Status.BAD_NO_COMMUNICATION | 11: Text("no answer behind the gateway", "게이트웨이 하위 장치 응답 없음"),
}
"""Modbus exceptions, as `agent.collectors.modbus.refusal` makes them; XGT's codes come with other statuses."""

# Codes of OPC UA Part 6, Annex A, that a reading can bring; the lower 16 bits say more and are not compared.
_STATUS = {
    Status.BAD: Text("bad", "불량"),
    Status.UNCERTAIN: Text("uncertain", "주의"),
    Status.BAD_COMMUNICATION_ERROR: Text("communication error", "통신 오류"),
    Status.BAD_TIMEOUT: Text("no answer in time", "응답 시간 초과"),
    Status.BAD_NO_COMMUNICATION: Text("server has no link to its data source", "서버와 설비 사이 통신 끊김"),
    Status.BAD_NODE_ID_UNKNOWN: Text("unknown node or address: check it", "없는 노드 또는 주소: 주소 확인"),
    Status.BAD_OUT_OF_RANGE: Text("no number (NaN or infinite)", "숫자가 아닌 값(NaN 또는 무한대)"),
    Status.BAD_NOT_SUPPORTED: Text("not supported by the device", "장치에서 지원하지 않음"),
    Status.BAD_USER_ACCESS_DENIED: Text("this user may not read it", "읽기 권한 없음"),
    Status.BAD_TYPE_MISMATCH: Text("has another type: check type", "자료형이 다름: type 확인"),
    Status.BAD_CONFIGURATION_ERROR: Text("refused: check the address", "거부됨: 주소 확인"),
    Status.BAD_NOT_CONNECTED: Text("not connected", "연결되지 않음"),
    Status.BAD_DEVICE_FAILURE: Text("device failure", "장치 고장"),
    Status.BAD_DATA_ENCODING_INVALID: Text(
        "cannot be decoded: check type and encoding", "해석할 수 없음: type과 encoding 확인"
    ),
    Status.BAD_WAITING_FOR_INITIAL_DATA: Text("server has no value yet", "서버에 아직 값이 없음"),
    0x8033_0000: Text("malformed node: check node", "노드 형식 오류: node 확인"),
    0x8035_0000: Text("has no such attribute", "없는 속성"),
    0x803A_0000: Text("not readable", "읽을 수 없는 노드"),
    0x808C_0000: Text("sensor failure", "센서 고장"),
    0x808D_0000: Text("out of service", "사용 중지됨"),
    0x408F_0000: Text("last usable value", "마지막 유효값"),
    0x4090_0000: Text("last known value: link lost", "마지막 수신값: 통신 끊김"),
    0x4092_0000: Text("initial value", "초기값"),
    0x4093_0000: Text("sensor not accurate", "센서 정확도 저하"),
    0x4094_0000: Text("outside the unit's range", "공학 단위 범위 초과"),
    0x4095_0000: Text("fewer good sources than needed", "정상 입력 부족"),
}


def status_text(status: int) -> Text:
    """Return what a status code says; nothing for good."""
    if not status >> 30:
        return Text("", "")
    known = _STATUS.get(status & 0xFFFF_0000)
    number = f"0x{status:08X}"
    if known is None:
        return Text(number, number)
    exception = _EXCEPTIONS.get(status)
    if exception is None:
        return Text(f"{known.en} ({number})", f"{known.ko}({number})")
    code = status & 0xFF
    return Text(f"{exception.en} (exception {code})", f"{exception.ko}(예외 {code})")
