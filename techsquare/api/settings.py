"""What can be set: where the API listens, and how much it takes."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from techsquare.api.limits import Rate
from techsquare.api.verbs import LOOPBACK

if TYPE_CHECKING:
    from datetime import time


@dataclass(frozen=True, slots=True)
class Settings:
    """Limits of the API.

    Attributes:
        by_address: Requests of one address, whoever asks.
        by_token: Requests with one token.
        tries: Wrong passwords for one account, and twice as many from one address.
        body: Bytes that a request may bring.
        handed: Bytes that may be handed in at once: some 250 signed days of 20 machines.
        problem: Bytes of what an engine is asked.
        engines: Problems that are computed at once; who comes then has to try again.
        threads: That do jobs; 0: another program does them.
        night: When the night's job begins, local time in Korea; None: another program begins it.
    """

    by_address: Rate = Rate(200, 50)  # noqa: RUF009 - it cannot be changed
    by_token: Rate = Rate(100, 20)  # noqa: RUF009 - it cannot be changed
    tries: Rate = Rate(10, 1 / 60)  # noqa: RUF009 - it cannot be changed
    body: int = 1_000_000
    handed: int = 8_000_000
    problem: int = 2_000_000
    engines: int = 2
    threads: int = 1
    night: time | None = None


class ListenError(ValueError):
    """An address on which nothing may listen like this; the text says what to do."""


def listen(text: str, *, covered: bool) -> tuple[str, int]:
    """Return host and port.

    Args:
        text: `HOST:PORT`, `[IPV6]:PORT` or `PORT`.
        covered: Somebody makes sure that passwords do not go in the clear: TLS here, or a proxy with it in front.

    Raises:
        ListenError: it is none, or beyond loopback without cover.
    """
    host, _, port = text.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not port.isdecimal() or not 0 <= int(port) < 65536:
        raise ListenError(f"{text!r} is no address: write HOST:PORT, for example {LOOPBACK}")
    try:
        near = ip_address(host).is_loopback
    except ValueError:
        near = host == "localhost"
    if not near and not covered:
        raise ListenError(
            f"{host} can be reached by others, and passwords would go in the clear: give --certificate and --key, "
            "or --proxy ADDRESS of the one with TLS in front"
        )
    return host, int(port)
