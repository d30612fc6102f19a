"""What is wrong with a single signal, and what to do about it, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asyncua.ua.status_codes import StatusCodes

from agent.collectors.opcua.convert import type_name
from agent.collectors.opcua.faults import name
from agent.errors import quotable
from agent.frame import Status
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.collectors.opcua.signals import OpcUaSignal

_NODE: Final = {
    StatusCodes.BadNodeIdUnknown: Text(
        "the server does not know this node: check the node id",
        "서버에 없는 노드입니다. 노드 ID를 확인하십시오",
    ),
    StatusCodes.BadNodeIdInvalid: Text(
        "the server does not take this as a node id: check it",
        "서버가 노드 ID로 인식하지 못합니다. 표기를 확인하십시오",
    ),
    StatusCodes.BadAttributeIdInvalid: Text(
        "this node has no value: name a variable, not an object or folder",
        "값이 없는 노드입니다. 폴더나 객체가 아닌 변수를 쓰십시오",
    ),
    StatusCodes.BadNotReadable: Text(
        "the server does not let anybody read this node", "서버가 읽기를 허용하지 않는 노드입니다"
    ),
    StatusCodes.BadUserAccessDenied: Text(
        "this user may not read the node: ask for the right to read it",
        "이 사용자에게 읽기 권한이 없습니다. 서버 관리자에게 권한을 요청하십시오",
    ),
    StatusCodes.BadTooManyMonitoredItems: Text(
        "the server monitors no more nodes: use fewer signals or mode: poll",
        "서버의 감시 항목 수가 한도에 도달했습니다. 태그를 줄이거나 mode: poll로 바꾸십시오",
    ),
}
MISFITS: Final = {Status.BAD_TYPE_MISMATCH, Status.BAD_OUT_OF_RANGE, Status.BAD_DATA_ENCODING_INVALID}


def of_node(status: int) -> Text | None:
    """Return what to do about a node's status, None if nobody can do anything in the configuration."""
    advice = _NODE.get(status & 0xFFFF_0000)
    return None if advice is None else Text(f"{advice.en} ({name(status)})", f"{advice.ko} ({name(status)})")


def unmonitored(status: int) -> Text:
    """Return that a server refuses to monitor a node for a reason of its own."""
    return Text(
        f"the server refuses to monitor this node ({name(status)})",
        f"서버가 이 노드의 감시를 거부했습니다 ({name(status)})",
    )


def misfit(signal: OpcUaSignal, vtype: int, status: int, *, array: bool) -> Text:
    """Return that the server gives something else than the configuration says."""
    served = type_name(vtype, array=array)
    if array and signal.index is None:
        return Text(
            f"the server gives {served}, the configuration says {signal.type}: write index ({name(status)})",
            f"서버 값은 배열({served})입니다. index로 원소를 지정하십시오 ({name(status)})",
        )
    return Text(
        f"the server gives {served}, the configuration says {signal.type}: change type ({name(status)})",
        f"서버의 자료형은 {served}, 설정은 {signal.type}입니다. type을 바꾸십시오 ({name(status)})",
    )


def of_notifier(source: str, node: str, status: int) -> Text:
    """Return that a server gives no events of a node."""
    return Text(
        f"events of {source}: the server reports none from {node} ({name(status)}): "
        "name a node that is an event notifier, or leave notifier out",
        f"이벤트 {source}: 서버가 {node}의 이벤트를 제공하지 않습니다({name(status)}). "
        "이벤트 통지 노드를 쓰거나 notifier를 지우십시오",
    )


def about(signal: OpcUaSignal, text: Text) -> Text:
    """Return a text with the signal that it is about."""
    where = f"{signal.id} ({signal.where()})"
    return quotable(Text(f"signal {where}: {text.en}", f"태그 {where}: {text.ko}"))


def untimed(source: str, said: Mapping[str, Sequence[str]]) -> Text | None:
    """Return one text about the source times of a group that are not kept: by reason, the signals."""
    names = [name for each in said.values() for name in each]
    if not names:
        return None
    shown = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
    return Text(
        f"{source}: source times stand still or are far off ({len(names)}: {shown}): "
        "rows keep the time of reading alone; check the clock of the device",
        f"{source}: 서버가 주는 원본 시각이 멈춰 있거나 실제와 크게 다릅니다({len(names)}개: {shown}). "
        "수집 시각만 저장합니다. 장비의 시계를 확인하십시오",
    )
