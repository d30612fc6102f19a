"""What files and databases cannot prove, and why: not assessed (`NA_NOT_IN_SOURCE`), never a zero. Pure.

An agent sees the connection, the answer and its time. Somebody else's storage shows values that were stored, under
times that were stored; between the device and the file, another program has decided what to keep.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

Kind = Literal["stored", "changes", "ungraded"]
"""What holds of a source: `stored`: of every one; `changes`: stored only when a value changed; `ungraded`: without
the status of values."""

_CONNECTION = Text("a file does not show the connection to the device", "파일에는 장치와의 연결이 나타나지 않음")
_GAPS = Text(
    "a gap may be the historian's own, or its compression", "빈 구간이 저장 시스템의 정지나 압축 때문일 수 있음"
)
_TIMES = Text(
    "when a value reached the storage, and by whose clock, is not stored",
    "저장 시각과 시계의 출처가 남아 있지 않음",
)
_MERGED = Text(
    "duplicates vanish in storage, order is the exporter's", "중복은 저장하면서 사라지고 순서는 내보내기 결과임"
)
_COMPRESSED = Text(
    "storage on change, mostly with a deadband, has decided what to keep",
    "변화분만(대개 불감대 적용) 저장하여 원래 값의 움직임을 알 수 없음",
)
_SILENT = Text(
    "without a sample at each interval nothing tells a value that stayed from one that was lost",
    "주기마다 저장하지 않아 값이 유지된 것인지 누락된 것인지 구별할 수 없음",
)
_STATUS = Text("no status of values is stored", "값의 품질(상태) 정보가 저장되어 있지 않음")

WHY: Mapping[Kind, Mapping[str, Text]] = {
    "stored": {
        "C02": _CONNECTION,
        "C03": _GAPS,
        "C04": Text("how addresses were found is not stored", "태그 주소를 어떻게 찾았는지 남아 있지 않음"),
        "X01": _GAPS,
        "A02": Text("no burst of fast readings: slow ones look right when they are not", "고속 측정 구간이 없음"),
        "A04": _TIMES,
        "A05": _TIMES,
        "A06": Text(
            "stored times are those of the historian's own grid", "저장 시각은 저장 시스템의 주기에 맞춰진 것임"
        ),
        "Q06": _MERGED,
        "S01": _CONNECTION,
        "S02": _CONNECTION,
        "S03": _CONNECTION,
        "S04": _CONNECTION,
    },
    "changes": {
        "A01": _SILENT,
        "A03": _SILENT,
        "Q03": _COMPRESSED,
        "Q04": _COMPRESSED,
        "Q05": _COMPRESSED,
        "R01": _SILENT,
        "R02": _SILENT,
        "V04": _COMPRESSED,
    },
    "ungraded": {"Q01": _STATUS},
}
"""Per kind of source the indicators that it cannot support."""

ABSENT = {
    "C01": Text(
        "nothing of this machine is in the data: that does not show that it cannot be reached",
        "자료에 없는 설비임(연결이 안 된다는 뜻은 아님)",
    )
}
"""Of a machine of which the data holds nothing."""


def unprovable(kinds: Collection[Kind]) -> dict[str, Text]:
    """Return indicator -> why it is not assessed, of a machine whose sources are of these kinds.

    What no stored data proves, it does not prove of a machine of which nothing is stored either.
    """
    found: dict[str, Text] = {}
    for kind in ("stored", "changes", "ungraded"):
        if kind in kinds:
            found |= WHY[kind]
    return dict(sorted((found if kinds else {**WHY["stored"], **ABSENT}).items()))
