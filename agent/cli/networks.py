"""Which network card of this box leads to a device: two cards on overlapping networks cost an hour.

Linux keeps what is connected in `/proc/net/route`; where that is missing, nothing is said. Pure.
"""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agent.config.model import Device

ROUTES = "/proc/net/route"
_UP = 1


def connected(table: str) -> list[tuple[str, IPv4Network]]:
    """Return card and network of each route that needs no gateway, out of the text of `ROUTES`."""
    found = []
    for line in table.splitlines()[1:]:
        words = line.split()
        if len(words) < 8:
            continue
        network, gateway, mask = (_address(words[i]) for i in (1, 2, 7))
        if int(gateway) == 0 and int(mask) and int(words[3], 16) & _UP:
            found.append((words[0], IPv4Network((int(network), int(mask).bit_count()), strict=False)))
    return found


def _address(word: str) -> IPv4Address:
    return IPv4Address(struct.pack("=I", int(word, 16)))  # in the processor's order


def overlaps(devices: Iterable[Device], networks: Iterable[tuple[str, IPv4Network]]) -> Iterator[Text]:
    """Yield a complaint for each device that two cards of this box believe to be theirs.

    A device with a `source_address` is left out: somebody has decided. So are names, which only a resolver knows.
    """
    known = list(networks)
    for device in devices:
        address = _place(device)
        if address is None or device.source_address is not None:
            continue
        cards = {card: network for card, network in known if address in network}
        if len(cards) > 1:
            said = ", ".join(f"{card} {network}" for card, network in sorted(cards.items()))
            yield Text(
                f"{device.id} ({address}): several network cards of this box have its network ({said}), "
                "and the wrong one may be used: change the subnet of one card, or write source_address and "
                "a route of its own",
                f"{device.id}({address}): 수집 PC의 랜카드 여러 개가 같은 대역입니다({said}). "
                "다른 쪽으로 나갈 수 있습니다. 한쪽 대역을 바꾸거나, 장치 경로(route)를 따로 잡고 "
                "source_address를 쓰십시오",
            )


def _place(device: Device) -> IPv4Address | None:
    endpoint = getattr(device, "endpoint", None)
    host = getattr(device, "host", None) if endpoint is None else urlsplit(endpoint).hostname
    try:
        return IPv4Address(host or "")
    except ValueError:
        return None
