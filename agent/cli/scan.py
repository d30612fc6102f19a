"""`tsq-agent scan`: which of the configured hosts answer, on the ports where PLCs listen.

It asks the hosts of the file and those written out on the command line, one port after another, few at a time, and
closes at once: an open port is all it wants to know. Addresses that nobody has written are never asked; a range is
refused, because a sweep looks like an attack to whoever looks after the network, and upsets some old PLCs.
"""

from __future__ import annotations

import asyncio
import errno
import re
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from agent.cli.table import table
from agent.clock import SystemClock
from agent.config.load import load
from settings.base import Host
from settings.language import Complaint, Text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from agent.clock import Clock
    from agent.config.model import AgentConfig, Device
    from settings.language import Language

PORTS = {502: "Modbus", 802: "Modbus TLS", 2004: "XGT", 4840: "OPC UA"}
PATIENCE_S = 1.5
AT_ONCE = 4
MOST_HOSTS = 16
_RANGE = re.compile(r"[/*,?\[\]{}~]|^\d+\.\d+\.\d+\.\d+\s*-|\d+-\d+$")

Outcome = Literal["answers", "refused", "silent", "no route", "no name", "no card", "fails"]
_OUTCOMES: dict[Outcome, Text] = {
    "answers": Text("answers", "응답함"),
    "refused": Text("refused", "거부(포트 닫힘)"),
    "silent": Text("silent", "응답 없음"),
    "no route": Text("unreachable", "도달 불가"),
    "no name": Text("unknown name", "모르는 이름"),
    "no card": Text("wrong source_address", "source_address 오류"),
    "fails": Text("fails", "실패"),
}


@dataclass(frozen=True, slots=True)
class Ask:
    """One host, and what is expected of it.

    Attributes:
        host: IP address or name.
        source_address: Local address to ask from.
        expected: Port to the devices of the file that use it.
    """

    host: str
    source_address: str | None
    expected: dict[int, tuple[str, ...]]

    @property
    def ports(self) -> list[int]:
        """The configured ports first."""
        return [*self.expected, *(port for port in PORTS if port not in self.expected)]


@dataclass(frozen=True, slots=True)
class Heard:
    """What one port said."""

    port: int
    outcome: Outcome
    ms: float


def arguments(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add the arguments of the verb."""
    file = Text("the configuration file", "설정 파일")
    hosts = Text("a further address, each written out", "추가로 확인할 주소(하나씩)")
    parser.add_argument("file", type=Path, metavar="FILE", help=file(language))
    parser.add_argument("hosts", nargs="*", metavar="HOST", help=hosts(language))


def main(args: argparse.Namespace, language: Language) -> int:
    """Ask, and say what each answer means.

    Returns:
        0, or 1 when a configured port does not answer.
    """
    config = load(args.file, language)
    try:
        asks = [*configured(config), *written_out(args.hosts)]
    except Complaint as exc:
        print(f"tsq-agent: {exc.text(language)}", file=sys.stderr)
        return 2
    heard = asyncio.run(scan(asks, SystemClock()))
    rows = []
    for ask, answers in zip(asks, heard, strict=True):
        for one in answers:
            names = ", ".join(ask.expected.get(one.port, ()))
            ms = f"{one.ms:.1f}" if one.outcome in {"answers", "refused"} else "-"
            rows.append(
                (ask.host, str(one.port), PORTS.get(one.port, ""), _OUTCOMES[one.outcome](language), ms, names)
            )
    head = Text("host,port,usual for,says,ms,device", "주소,포트,용도,결과,ms,장치")(language).split(",")
    for line in table(head, rows, frozenset({1, 4})):
        print(line)
    print()
    for ask, answers in zip(asks, heard, strict=True):
        for hint in advice(ask, answers):
            print(f"{ask.host}: {hint(language)}")
    for device in config.devices:
        if _place(device) is None:
            text = Text(
                "on a serial line: check --connect reads it", "시리얼 장치입니다. check --connect로 확인하십시오"
            )
            print(f"{device.id}: {text(language)}")
    good = all(
        one.outcome == "answers" for ask, answers in zip(asks, heard, strict=True) for one in answers
        if one.port in ask.expected
    )  # fmt: skip
    return 0 if good else 1


def configured(config: AgentConfig) -> list[Ask]:
    """Return the hosts of a file, each once for each card that it is asked from."""
    found: dict[tuple[str, str | None], dict[int, list[str]]] = {}
    for device in config.devices:
        if (place := _place(device)) is not None:
            host, port = place
            found.setdefault((host, device.source_address), {}).setdefault(port, []).append(device.id)
    return [
        Ask(host, source, {port: tuple(names) for port, names in ports.items()})
        for (host, source), ports in found.items()
    ]


def written_out(hosts: Sequence[str]) -> list[Ask]:
    """Return hosts of the command line.

    Raises:
        Complaint: one is a range, or no address, or they are as many as a shell makes of a range.
    """
    for host in hosts:
        if _RANGE.search(host):
            raise Complaint(
                f"{host}: ranges are not scanned: a sweep upsets old PLCs and whoever looks after the network; "
                "write the addresses that you were given",
                f"{host}: 주소 범위는 검색하지 않습니다. 오래된 PLC가 멈추거나 보안 경보가 울릴 수 있습니다. "
                "전달받은 주소를 하나씩 쓰십시오",
            )
        try:
            TypeAdapter(Host).validate_python(host)
        except ValidationError as exc:
            raise Complaint(f"{host} is no address", f"주소 형식이 아닙니다({host})") from exc
    if len(hosts) > MOST_HOSTS:
        raise Complaint(
            f"{len(hosts)} addresses are a sweep: write at most {MOST_HOSTS}",
            f"주소가 {len(hosts)}개입니다. {MOST_HOSTS}개까지만 쓰십시오",
        )
    return [Ask(host, None, {}) for host in dict.fromkeys(hosts)]


def _place(device: Device) -> tuple[str, int] | None:
    endpoint = getattr(device, "endpoint", None)
    if endpoint is not None:
        parts = urlsplit(endpoint)
        return (parts.hostname or "", parts.port or 4840)
    host = getattr(device, "host", None)
    return None if host is None else (host, getattr(device, "port", 502))


async def scan(asks: Sequence[Ask], clock: Clock) -> list[list[Heard]]:
    """Ask all; a host is asked one port at a time, and few hosts at the same time."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(ask: Ask) -> list[Heard]:
        async with room:
            return [await _knock(ask, port, clock) for port in ask.ports]

    return await asyncio.gather(*(one(ask) for ask in asks))


async def _knock(ask: Ask, port: int, clock: Clock) -> Heard:
    start = clock.monotonic()
    source = (ask.source_address, 0) if ask.source_address else None
    outcome: Outcome = "answers"
    try:
        async with asyncio.timeout(PATIENCE_S):
            _, writer = await asyncio.open_connection(ask.host, port, local_addr=source)
        writer.close()
    except TimeoutError:
        outcome = "silent"
    except socket.gaierror:
        outcome = "no name"
    except OSError as exc:
        outcome = _outcome(exc)
    return Heard(port, outcome, (clock.monotonic() - start) / 1e6)


def _outcome(exc: OSError) -> Outcome:
    text = str(exc)  # asyncio joins the errors of several addresses into one without a number
    if exc.errno in {errno.ECONNREFUSED, errno.ECONNRESET} or "refused" in text:
        return "refused"
    if exc.errno in {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN} or "nreachable" in text:
        return "no route"
    if exc.errno == errno.EADDRNOTAVAIL or "local address" in text or "requested address" in text:
        return "no card"
    return "silent" if exc.errno == errno.ETIMEDOUT else "fails"


def advice(ask: Ask, answers: Sequence[Heard]) -> Iterator[Text]:
    """Yield what to do next."""
    said = {one.port: one.outcome for one in answers}
    outcomes = set(said.values())
    if "no card" in outcomes:
        yield Text(
            f"{ask.source_address} is no address of this box: check source_address and the network card",
            f"이 PC에 없는 주소입니다({ask.source_address}). source_address와 랜카드를 확인하십시오",
        )
        return
    if outcomes == {"no name"}:
        yield Text("nobody knows this name: write the IP address", "이름을 찾을 수 없습니다. IP 주소를 쓰십시오")
        return
    if outcomes <= {"silent", "no route", "fails"}:
        yield Text(
            "nothing answers: check power, cable, address, subnet and firewall, and ping it from here",
            "아무 응답이 없습니다. 전원, 랜 케이블, IP 주소, 서브넷, 방화벽을 확인하고 이 PC에서 ping 해 보십시오",
        )
        return
    others = [port for port, outcome in said.items() if outcome == "answers" and port not in ask.expected]
    for port, names in ask.expected.items():
        who = ", ".join(names)
        match said[port]:
            case "answers":
                yield Text(f"{port} answers: go on with check --connect ({who})",
                           f"{port} 포트 응답함. 다음은 check --connect로 값을 확인하십시오({who})")  # fmt: skip
            case "refused":
                yield Text(
                    f"the device is there but {port} is closed: switch its server on, or check the port ({who})",
                    f"장치는 켜져 있으나 {port} 포트가 닫혀 있습니다. 통신 서버 설정과 포트를 확인하십시오({who})",
                )
            case _:
                yield Text(
                    f"other ports speak but {port} is silent: a firewall, or no free connection ({who})",
                    f"{port} 포트만 응답이 없습니다. 방화벽이나 접속 수를 확인하십시오({who})",
                )
    for port in others:
        protocol = PORTS[port]
        yield Text(
            f"{port} answers as well: perhaps {protocol}", f"{port} 포트도 응답합니다. {protocol}일 수 있습니다"
        )
    if not ask.expected and not others:
        yield Text("it is there, but none of these ports is open", "켜져 있으나 열린 포트가 없습니다")
