"""What devices behind one Modbus connection must agree on. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from settings.language import Text
from settings.tree import List, Map

if TYPE_CHECKING:
    from collections.abc import Iterator

    from settings.tree import Location

AGREE = ("transport", "connection", "source_address", "tls", "serial")
"""What belongs to the connection; absent means the default."""
_DEFAULTS = {"transport": "tcp", "connection": "persistent"}


def shared_connections(root: Map) -> Iterator[tuple[Location, Text]]:
    """Complain about devices that share an address and port, or a serial port, and contradict each other."""
    first: dict[object, Map] = {}
    units: dict[object, Map] = {}
    devices = root.get("devices")
    for d, device in enumerate(devices if isinstance(devices, List) else ()):
        if not isinstance(device, Map) or device.get("type") != "modbus" or (place := _place(device)) is None:
            continue
        where = f"{place[0]}:{place[1]}" if place[1] else str(place[0])
        other = first.setdefault(place, device)
        for key in AGREE:
            if _plain(device.get(key, _DEFAULTS.get(key))) != _plain(other.get(key, _DEFAULTS.get(key))):
                yield ("devices", d, key), _another(key, where, other)
                break
        unit = device.get("unit", 1)
        if not isinstance(unit, int):
            continue
        known = units.setdefault((place, unit), device)
        if known is not device and _addresses(known) & _addresses(device):  # copied, and unit forgotten
            yield ("devices", d, "unit"), _twice(unit, where, known)


def _another(key: str, where: str, other: Map) -> Text:
    name = other.get("id")
    return Text(
        f"{where} has one connection, and device {name} has another {key}: write the same in both",
        f"{where}에는 하나의 연결을 함께 씁니다. 장치 {name}의 {key} 값과 같게 쓰십시오",
    )


def _twice(unit: int, where: str, known: Map) -> Text:
    name = known.get("id")
    return Text(
        f"device {name} reads the same addresses of unit {unit} at {where}: correct unit or host",
        f"{where} 국번 {unit}의 같은 주소를 장치 {name}에서도 수집합니다. unit이나 host를 고치십시오",
    )


def _place(device: Map) -> tuple[str, int] | None:
    """Return host and port, or the serial port and 0; None when that is not written as it should be."""
    serial = device.get("serial")
    if isinstance(serial, Map):
        line = serial.get("port")
        return (line, 0) if isinstance(line, str) else None
    if device.get("transport") == "rtu":
        return None
    host, port = device.get("host"), device.get("port", 802 if device.get("transport") == "tls" else 502)
    if not isinstance(host, str) or not isinstance(port, int):
        return None
    return host.lower(), port


def _addresses(device: Map) -> set[str]:
    """Return what a device reads, as it is written."""
    found: set[str] = set()
    groups = device.get("groups")
    for group in groups if isinstance(groups, List) else ():
        signals = group.get("signals") if isinstance(group, Map) else None
        for signal in signals if isinstance(signals, List) else ():
            if isinstance(signal, Map) and isinstance(signal.get("address"), str | int):
                found.add(str(signal["address"]))
    return found


def _plain(value: Any) -> Any:
    return {key: _plain(value.get(key)) for key in value} if isinstance(value, Map) else value
