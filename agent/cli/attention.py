"""What a person must know about a device beside its state: maintenance, and that it is not what it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.cli.table import clean
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from settings.language import Language

SHOWN = 5  # parts that differ


def attention(name: str, device: Mapping[str, Any], now_ns: int, language: Language) -> Iterator[str]:
    """Yield lines about a device of the running agent's `status`.

    Args:
        name: Its id.
        device: What the agent said about it.
        now_ns: The agent's time.
        language: Of the reader.
    """
    if work := device.get("maintenance"):
        minutes = max(0, now_ns - int(work["since"])) // (60 * 10**9)
        until = work.get("until")
        left = "" if until is None else f"{max(0, int(until) - now_ns) // (60 * 10**9)}"
        why = f": {work['reason']}" if work["reason"] else ""
        en, ko = (f", {left} min left", f", {left}분 남음") if left else ("", "")
        yield clean(
            Text(
                f"maintenance since {minutes} min, by {work['author']}{why}{en}",
                f"점검 중(집계 제외) {minutes}분째, 작업자 {work['author']}{why}{ko}",
            )(language)
        )
    if changed := device.get("changed"):
        yield Text(
            f"not the device that it was: values are uncertain until `tsq-agent confirm {name}`",
            f"장치가 바뀌었습니다. 값은 '주의'로 저장됩니다. 확인 후 tsq-agent confirm {name}",
        )(language)
        for part, change in list(changed["changes"].items())[:SHOWN]:
            yield clean(f"  {part}: {change['old']} -> {change['new']}")
