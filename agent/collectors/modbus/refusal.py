"""What Modbus exception codes mean: as status codes, and in words. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.frame import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.collectors.modbus.plan import Span

_MEANING = {
    1: (Status.BAD_NOT_SUPPORTED, "illegal function", "the device does not serve this table; try another one"),
    2: (Status.BAD_NODE_ID_UNKNOWN, "illegal address", "check the address against the device's register list"),
    3: (Status.BAD_OUT_OF_RANGE, "illegal value", "check address and type; lower max_registers or max_bits"),
    4: (Status.BAD_DEVICE_FAILURE, "device failure", "check the device's own diagnosis; try max_gap: 0"),
    5: (Status.BAD_COMMUNICATION_ERROR, "acknowledge", "the device needs longer"),
    6: (Status.BAD_COMMUNICATION_ERROR, "device busy", "read less often, or set request_gap"),
    8: (Status.BAD_DEVICE_FAILURE, "memory parity error", "check the device's own diagnosis"),
    10: (Status.BAD_NO_COMMUNICATION, "gateway path unavailable", "check the gateway's settings and the unit id"),
    11: (Status.BAD_NO_COMMUNICATION, "gateway target silent", "check power, wiring and unit behind the gateway"),
}  # fmt: skip
_UNKNOWN = (Status.BAD_COMMUNICATION_ERROR, "unknown exception", "see the device's manual")

UNLISTED = frozenset({5, 6})
"""Passing states that come and go by themselves: bad rows, but no words."""
NAMED = 3


def status_of(code: int) -> int:
    """Return the status of a value refused with this exception; the code stays in the lowest byte."""
    return _MEANING.get(code, _UNKNOWN)[0] | code


def describe(code: int, span: Span, signals: Sequence[str]) -> str:
    """Say which signals are refused, where, why, and what to do."""
    _, meaning, advice = _MEANING.get(code, _UNKNOWN)
    names = ", ".join(signals[:NAMED])
    if len(signals) > NAMED:
        names += f" and {len(signals) - NAMED} more"
    return f"signal{'s' if len(signals) > 1 else ''} {names} ({span}): {meaning} (exception {code}): {advice}"
