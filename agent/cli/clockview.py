"""What `tsq-agent status` says about the clock: who vouches for it, how far it may be off, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOCAL = Text(
    "clock: of this PC, as time.trust_local_clock says",
    "시각: 이 PC의 시계 사용(설정 time.trust_local_clock)",
)
_NONE = Text(
    "! clock: nobody confirms the time: data is sent after up to 10 minutes and is no evidence: connect a time "
    "server (NTP), or set the clock of this PC and write time.trust_local_clock: true",
    "! 시각: 확인되지 않음. 데이터가 최대 10분 늦게 전송되고 진단 근거에서 빠집니다. 시간 서버(NTP)를 연결하거나, "
    "이 PC의 시각을 맞춘 뒤 time.trust_local_clock: true를 쓰십시오",
)


def clock_line(clock: Mapping[str, Any]) -> Text:
    """Return it as one line.

    Args:
        clock: As `agent.timekeeping.Timekeeper.about` returns it.
    """
    error = within(int(clock["uncertainty_ns"] or 0))
    match clock["source"]:
        case "kernel" if clock.get("synchronised") is False:
            return Text(
                f"! clock: the time server (NTP) is silent: by what it said last, within {error}; beyond 60 s "
                "nothing is evidence any more: look at the time service of this PC",
                f"! 시각: 시간 서버(NTP) 동기화 끊김. 마지막 동기화 기준, 오차 {error} 이내. "
                "60 s를 넘으면 진단 근거에서 빠집니다. 이 PC의 시간 동기화를 확인하십시오",
            )
        case "kernel":
            return Text(
                f"clock: by the time server (NTP), within {error}",
                f"시각: 시간 서버(NTP)와 동기화, 오차 {error} 이내",
            )
        case "gateway":
            return Text(f"clock: by the gateway, within {error}", f"시각: 게이트웨이 시각 사용, 오차 {error} 이내")
        case "local":
            return _LOCAL
        case _:
            return _NONE


def disagreement_line(clock: Mapping[str, Any]) -> Text | None:
    """Return who contradicts whom about the time, None when nobody does.

    Args:
        clock: As `agent.timekeeping.Timekeeper.about` returns it.
    """
    clash = clock.get("disagreement")
    if clash is None:
        return None
    worker, known, by = clash["worker"], clash["known"], within(abs(int(clash["off_ns"])))
    if not known:
        return Text(
            f"! clock: the gateway ({worker}) contradicts what the time server (NTP) said last, by {by}: look at "
            "the clock of the gateway's PC",
            f"! 시각: 게이트웨이({worker})와 시간 서버(NTP)의 시각이 {by} 다릅니다. "
            "게이트웨이 PC의 시각을 확인하십시오",
        )
    if worker == known:
        return Text(
            f"! clock: the gateway ({worker}) contradicts what it said before, by {by}: look at the clock of "
            "its PC",
            f"! 시각: 게이트웨이({worker})의 시각이 {by} 바뀌었습니다. 게이트웨이 PC의 시각을 확인하십시오",
        )
    return Text(
        f"! clock: the gateways {known} and {worker} disagree by {by}: look at the clocks of their PCs",
        f"! 시각: 게이트웨이 {known}, {worker}의 시각이 서로 {by} 다릅니다. 두 게이트웨이 PC의 시각을 확인하십시오",
    )


def within(error_ns: int) -> str:
    """Return a bound, rounded up: 1 ms, 250 ms, 1.3 s."""
    ms = -(-error_ns // 10**6)
    return f"{max(1, ms)} ms" if ms < 1000 else f"{-(-error_ns // 10**8) / 10:g} s"
