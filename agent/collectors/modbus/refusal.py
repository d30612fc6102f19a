"""What Modbus exception codes mean: as status codes, and in words. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.collectors.modbus.plan import Span
from agent.frame import Status
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from agent.collectors.modbus.plan import Table

_MEANING: Mapping[int, tuple[int, Text, Text]] = {
    1: (
        Status.BAD_NOT_SUPPORTED,
        Text("illegal function", "지원하지 않는 기능 코드"),
        Text(
            "the device does not serve this table; try another one",
            "장치가 이 영역을 지원하지 않습니다. 다른 영역으로 바꿔 보십시오",
        ),
    ),
    2: (
        Status.BAD_NODE_ID_UNKNOWN,
        Text("illegal address", "없는 주소"),
        Text("check the address against the device's register list", "장치 매뉴얼의 주소표와 비교하십시오"),
    ),
    3: (
        Status.BAD_OUT_OF_RANGE,
        Text("illegal value", "허용되지 않는 값"),
        Text(
            "check address and type; lower max_registers or max_bits",
            "주소와 type을 확인하고, max_registers나 max_bits를 줄여 보십시오",
        ),
    ),
    4: (
        Status.BAD_DEVICE_FAILURE,
        Text("device failure", "장치 고장"),
        Text(
            "check the device's own diagnosis; try max_gap: 0",
            "장치의 자체 진단을 확인하고, max_gap: 0으로도 읽어 보십시오",
        ),
    ),
    5: (
        Status.BAD_COMMUNICATION_ERROR,
        Text("acknowledge", "처리 중"),
        Text("the device needs longer", "장치가 처리하는 데 시간이 더 걸립니다"),
    ),
    6: (
        Status.BAD_COMMUNICATION_ERROR,
        Text("device busy", "장치 사용 중"),
        Text("read less often, or set request_gap", "수집 주기를 늘리거나 request_gap을 쓰십시오"),
    ),
    8: (
        Status.BAD_DEVICE_FAILURE,
        Text("memory parity error", "메모리 패리티 오류"),
        Text("check the device's own diagnosis", "장치의 자체 진단을 확인하십시오"),
    ),
    10: (
        Status.BAD_NO_COMMUNICATION,
        Text("gateway path unavailable", "게이트웨이 경로 없음"),
        Text("check the gateway's settings and the unit id", "게이트웨이 설정과 국번(unit)을 확인하십시오"),
    ),
    11: (
        Status.BAD_NO_COMMUNICATION,
        Text("gateway target silent", "게이트웨이 하위 장치 응답 없음"),
        Text(
            "check power, wiring and unit behind the gateway",
            "게이트웨이에 물린 장치의 전원, 배선, 국번(unit)을 확인하십시오",
        ),
    ),
}
_UNKNOWN = (
    Status.BAD_COMMUNICATION_ERROR,
    Text("unknown exception", "알 수 없는 예외"),
    Text("see the device's manual", "장치 매뉴얼을 확인하십시오"),
)

UNLISTED = frozenset({5, 6})
"""Passing states that come and go by themselves: bad rows, but no words."""
NOT_SERVED = 1
NAMED = 3


def status_of(code: int) -> int:
    """Return the status of a value refused with this exception; the code stays in the lowest byte."""
    return _MEANING.get(code, _UNKNOWN)[0] | code


def describe(code: int, span: Span, signals: Sequence[str]) -> Text:
    """Say which signals are refused, where, why, and what to do."""
    _, meaning, advice = _MEANING.get(code, _UNKNOWN)
    names = ", ".join(signals[:NAMED])
    more = len(signals) - NAMED
    plural = "s" if len(signals) > 1 else ""
    return Text(
        f"signal{plural} {names}{f' and {more} more' if more > 0 else ''} ({span}): "
        f"{meaning.en} (exception {code}): {advice.en}",
        f"태그 {names}{f' 외 {more}개' if more > 0 else ''} ({span}): {meaning.ko}(예외 {code}). {advice.ko}",
    )


def tell(
    refused: Mapping[Span, int], rows: Sequence[tuple[int, Sequence[Span]]], named: Callable[[Span], Sequence[str]]
) -> Sequence[Text]:
    """Say what is refused: a line for each value, each table that is not served at all, and each row.

    Args:
        refused: Values, and the exception of each.
        rows: Values that share an exception, of which it is not known yet who is to blame.
        named: Returns the ids of the signals at a span.
    """
    unserved: dict[Table, list[Span]] = {}
    for span, code in refused.items():
        if code == NOT_SERVED:
            unserved.setdefault(span.table, []).append(span)
    alone: list[tuple[int, Sequence[Span]]] = [(c, [span]) for span, c in refused.items() if c != NOT_SERVED]
    found: dict[tuple[Table, int, int, int], Text] = {}
    for code, spans in (*alone, *((NOT_SERVED, spans) for spans in unserved.values()), *rows):
        if spans and code not in UNLISTED:
            start, end = min(s.start for s in spans), max(s.end for s in spans)
            names = [name for span in sorted(set(spans), key=lambda s: (s.start, s.count)) for name in named(span)]
            table = spans[0].table
            found[table, start, end, code] = describe(code, Span(table, start, end - start), names)
    return [found[where] for where in sorted(found)]
