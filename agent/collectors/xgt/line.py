"""The way from the collectors of one box to one PLC: a connection that they share, and the words when it fails.

LS modules take few connections (see `modules.json`), and HMI and engineering tools need some of them. So all
devices of the configuration with one host and port share one, opened by the first and closed with the last.
Anything but an answer is `Unreachable`; the supervisor opens the next. One case is mended here without a word: a
connection that has served before and is found closed is opened again and asked once more, because modules close
idle ones.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from agent.collectors.xgt.link import LinkGarbled, LinkLost, LinkSilent, open_link
from agent.errors import Unreachable
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agent.clock import Clock
    from agent.collectors.base import Box
    from agent.collectors.xgt.frame import Ask, Refusal, Reply, Station
    from agent.collectors.xgt.link import XgtLink

_OPEN = {
    errno.ECONNREFUSED: Text(
        "connection refused: check that the XGT server is switched on in XG5000's communication settings, the "
        "port, and that the module has a free connection",
        "접속 거부: XG5000 통신 설정에서 XGT 서버 사용 여부, 포트, 통신 모듈의 남은 접속 수를 확인하십시오",
    ),
    errno.EADDRNOTAVAIL: Text(
        "cannot connect from the source_address: check it and the network card",
        "source_address로 접속할 수 없습니다. 주소와 랜카드를 확인하십시오",
    ),
}
_NO_WAY = Text(
    "no connection: check cable, address and gateway",
    "연결되지 않습니다. 케이블, IP 주소, 게이트웨이를 확인하십시오",
)
_NO_NAME = Text(
    "the name is not known: check host, or write the IP address",
    "호스트 이름을 찾을 수 없습니다. host를 확인하거나 IP 주소로 쓰십시오",
)


@dataclass(frozen=True, slots=True)
class Where:
    """How a device is reached, as its configuration says.

    Attributes:
        device: Its id, for words and for the tap.
        host: Name or address.
        port: TCP port.
        station: Of the headers.
        timeout_s: For the connection, and for each answer.
        source_address: Local address.
    """

    device: str
    host: str
    port: int
    station: Station
    timeout_s: float
    source_address: str | None

    def __str__(self) -> str:
        return f"{self.device} ({self.host}:{self.port})"


class GivenUp(Protocol):
    """Is told of a request without an answer."""

    def __call__(self, sent: int, *, silent: bool) -> None:
        """Take the monotonic time at which it left, and whether an answer could still have come."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, and between which monotonic times the request was under way.

    Attributes:
        reply: Data or refusal.
        sent: When the request left.
        received: When the answer was complete.
        reopened: Whether the connection had been closed while idle.
    """

    reply: Reply | Refusal
    sent: int
    received: int
    reopened: bool


class Line:
    """The connection to one host and port, shared by the collectors of one box: get it with `line`."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._clock: Clock = box.clock
        self._lock = asyncio.Lock()
        self._link: XgtLink | None = None
        self._users = 0

    async def join(self, where: Where) -> None:
        """Connect, or use the connection that another device has opened.

        Raises:
            Unreachable: no connection within the timeout.
        """
        async with self._lock:
            if self._link is None:
                await self._open(where)
        self._users += 1

    def leave(self) -> None:
        """Close the connection when nobody else uses it."""
        self._users -= 1
        if self._users == 0:
            self._drop()

    async def ask(
        self, where: Where, ask: Ask, given_up: GivenUp, paced: Callable[[], Awaitable[None]]
    ) -> Answered:
        """Send one request when it is our turn.

        Args:
            where: Who asks.
            ask: For what.
            given_up: Is told of each request that left and got no answer.
            paced: Waits until another request may leave.

        Raises:
            Unreachable: there was no answer, or not to this question. The connection is closed then.
        """
        try:
            try:
                return await self._once(where, ask, given_up, again=False)
            except LinkLost as exc:
                if not exc.served:
                    raise
            await paced()  # the request that was lost may have reached the PLC
            return await self._once(where, ask, given_up, again=True)
        except (LinkLost, LinkSilent, LinkGarbled) as exc:
            raise Unreachable(_explain(exc, where, ask)) from exc

    async def _once(self, where: Where, ask: Ask, given_up: GivenUp, *, again: bool) -> Answered:
        async with self._lock:
            reopened = again and self._link is None
            if self._link is None:  # closed, or another device's request has failed on it
                await self._open(where)
            assert self._link is not None
            leaves = self._link.active
            sent = self._clock.monotonic()
            try:
                reply = await self._link.ask(ask, where.timeout_s)
            except BaseException as exc:  # also cancelled: the answer that is still to come must meet nobody
                if leaves:
                    given_up(sent, silent=isinstance(exc, (LinkSilent, LinkGarbled)))
                self._drop()
                raise
            return Answered(reply, sent, self._clock.monotonic(), reopened)

    async def _open(self, where: Where) -> None:
        def tap(direction: str, data: bytes) -> None:
            if self._box.tap is not None:
                self._box.tap(where.device, "sent" if direction == "sent" else "received", data)

        try:
            self._link = await open_link(
                where.host,
                where.port,
                station=where.station,
                timeout_s=where.timeout_s,
                source_address=where.source_address,
                tap=tap,
            )
        except OSError as exc:
            words = _no_connection(exc, where)
            raise Unreachable(Text(f"{where}: {words.en} ({exc})", f"{where}: {words.ko} ({exc})")) from exc

    def _drop(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None


def line(box: Box, where: Where) -> Line:
    """Return the one line of a box to a host and port."""
    return box.shared(("xgt", where.host, where.port), lambda: Line(box))


def _no_connection(exc: OSError, where: Where) -> Text:
    if isinstance(exc, TimeoutError):
        return Text(
            f"no connection within {where.timeout_s:g} s: check power, cable, address and firewall",
            f"{where.timeout_s:g}초 안에 연결되지 않습니다. 전원, 케이블, IP 주소, 방화벽을 확인하십시오",
        )
    if isinstance(exc, socket.gaierror):
        return _NO_NAME
    return _OPEN.get(exc.errno or 0, _NO_WAY)


def _explain(exc: Exception, where: Where, ask: Ask) -> Text:
    if isinstance(exc, LinkSilent):
        half = (
            Text("only half an answer", "응답이 중간에 끊겼습니다") if exc.begun else Text("no answer", "응답 없음")
        )
        return Text(
            f"{where}: connected, but {half.en} within {where.timeout_s:g} s to reading {ask}: check that the port "
            "is the XGT server's (2004), base and slot, and timeout",
            f"{where}: 접속은 되었으나 {where.timeout_s:g}초 안에 {half.ko}({ask} 읽기). "
            "포트가 XGT 서버(2004)인지, base와 slot, timeout을 확인하십시오",
        )
    if isinstance(exc, LinkLost):
        return Text(
            f"{where}: {exc} while reading {ask}: check that the PLC runs and the module has a free connection",
            f"{where}: {ask}을(를) 읽는 중 통신이 끊겼습니다({exc}). "
            "PLC 전원과 통신 모듈의 남은 접속 수를 확인하십시오",
        )
    return Text(
        f"{where}: wrong answer to reading {ask} ({exc}): check that an XGT server listens on this port",
        f"{where}: {ask} 읽기에 맞지 않는 응답입니다({exc}). 이 포트가 XGT 서버인지 확인하십시오",
    )
