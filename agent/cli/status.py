"""Shows what `tsq-agent status` has been told, in lines that fit a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECOND = 10**9


def show(answer: Mapping[str, object]) -> None:
    """Print the answer of a running agent."""
    for line in lines(cast("Mapping[str, Any]", answer)):
        print(line)


def lines(answer: Mapping[str, Any]) -> list[str]:
    """Return it as lines: who, each device with its refused signals, the spool, the uplinks."""
    now = int(answer["time"])
    out = [f"{answer['agent']}  {answer['name']}" + ("" if answer["clock_trusted"] else "  (clock not trusted)")]
    devices: Mapping[str, Mapping[str, Any]] = answer["devices"]
    width = max((len(name) for name in devices), default=0)
    for name, device in devices.items():
        since = max(0, now - int(device["since"])) // _SECOND if int(device["since"]) else 0
        text = f"  {device['text']}" if device["text"] and device["state"] != "up" else ""
        out.append(
            f"  {name:{width}}  {device['state']:8} {_span(since):>9}  rows {device['rows']}, "
            f"bad {device['bad_rows']}, outages {device['outages']}{text}"
        )
        out += [f"  {'':{width}}  - {refused}" for refused in device["refused"]]
    spool = answer["spool"]
    age = "" if spool["oldest_ns"] is None else f", oldest {_span(max(0, now - spool['oldest_ns']) // _SECOND)}"
    out.append(
        f"  spool: {spool['entries']} entries wait ({spool['rows']} rows{age}), {spool['bytes']} bytes on disk"
    )
    uplink = answer["uplink"]
    for name in ("site", "platform"):
        if uplink[name] is not None:
            out.append(f"  {name}: {'connected' if uplink[name] else 'not connected'}")
    return out


def _span(seconds: int) -> str:
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    clock = f"{hours:02}:{rest // 60:02}:{rest % 60:02}"
    return f"{days}d {clock}" if days else clock
