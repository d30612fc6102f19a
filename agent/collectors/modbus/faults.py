"""What a technician reads when a Modbus device cannot be reached or does not answer."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING

from agent.collectors.modbus.link import LinkLost, LinkSilent
from settings.language import Text

if TYPE_CHECKING:
    from agent.collectors.modbus.config import ModbusDevice
    from agent.collectors.modbus.plan import Span


def at(config: ModbusDevice, text: Text) -> Text:
    """Put the device, its place and its unit before a text."""
    where = f"{config.id} ({config.place}, unit {config.unit})"
    return Text(f"{where}: {text.en}", f"{config.id}({config.place}, 국번 {config.unit}): {text.ko}")


def no_answer(config: ModbusDevice, exc: Exception, span: Span) -> Text:
    """Say why a request was not answered and what to look at."""
    if isinstance(exc, LinkSilent):
        seconds = f"{config.timeout / 1e9:g}"
        return at(config, Text(
            f"connected, but no answer within {seconds} s to reading {span}: check the unit id, that no other "
            "master keeps the device busy, and timeout",
            f"연결은 되었으나 {seconds}초 안에 응답이 없습니다({span} 읽기). 국번(unit)과 timeout, 다른 마스터가 "
            "장치를 점유하고 있지 않은지 확인하십시오",
        ))  # fmt: skip
    if isinstance(exc, LinkLost) and config.tls is not None:
        return at(config, Text(
            f"{exc} while reading {span}: check that the device runs, has a free connection and trusts our tls "
            "certificate",
            f"{span} 읽는 중에 연결이 끊겼습니다. 장치가 켜져 있는지, 남은 접속 수가 있는지, 우리 인증서(tls "
            "certificate)를 신뢰하는지 확인하십시오",
        ))  # fmt: skip
    if isinstance(exc, LinkLost):
        return at(config, Text(
            f"{exc} while reading {span}: check that the device runs and has a free connection",
            f"{span} 읽는 중에 연결이 끊겼습니다. 장치가 켜져 있는지, 남은 접속 수가 있는지 확인하십시오",
        ))  # fmt: skip
    return at(config, Text(
        f"wrong answer to reading {span} ({exc}): check the unit id and transport",
        f"{span} 읽기에 맞지 않는 응답이 왔습니다({exc}). 국번(unit)과 transport를 확인하십시오",
    ))  # fmt: skip


def no_connection(config: ModbusDevice, exc: OSError) -> Text:
    """Say why no connection came about and what to look at; the system's words come last."""
    return at(config, _serial(exc) if config.serial is not None else _network(config, exc))


def _serial(exc: OSError) -> Text:
    if exc.errno == errno.ENOENT:
        return Text(
            "no such serial port: check the adapter's plug, and the name with ls /dev/serial/by-id",
            "시리얼 포트가 없습니다. 어댑터 연결을 확인하고 ls /dev/serial/by-id 명령으로 이름을 확인하십시오",
        )
    if exc.errno in {errno.EACCES, errno.EPERM}:
        return Text(
            "no right to the serial port: add the service's user to the group dialout",
            "시리얼 포트 접근 권한이 없습니다. 서비스 사용자를 dialout 그룹에 추가하십시오",
        )
    if exc.errno in {errno.EAGAIN, errno.EBUSY}:
        return Text(
            "the serial port is in use: close the other program that holds it",
            "다른 프로그램이 시리얼 포트를 사용 중입니다. 그 프로그램을 닫으십시오",
        )
    return Text(
        f"the serial port cannot be opened: check adapter, baudrate and parity ({exc})",
        f"시리얼 포트를 열 수 없습니다. 어댑터와 baudrate, parity를 확인하십시오({exc})",
    )


def _network(config: ModbusDevice, exc: OSError) -> Text:
    if isinstance(exc, TimeoutError):
        seconds = f"{config.timeout / 1e9:g}"
        return Text(
            f"no connection within {seconds} s: check power, cable, address and firewall",
            f"{seconds}초 안에 연결되지 않습니다. 전원, 케이블, IP 주소, 방화벽을 확인하십시오",
        )
    if isinstance(exc, socket.gaierror):
        return Text(
            f"the name is not known: check host, or write the IP address ({exc.strerror})",
            f"알 수 없는 이름입니다. host를 확인하거나 IP 주소를 쓰십시오({exc.strerror})",
        )
    if exc.errno == errno.ECONNREFUSED:
        return Text(
            f"connection refused: check that the device's Modbus server is on and the port is right ({exc})",
            f"장치가 연결을 거절했습니다. 장치의 Modbus 서버 설정과 port를 확인하십시오({exc})",
        )
    if exc.errno == errno.EADDRNOTAVAIL:
        return Text(
            f"cannot connect from {config.source_address}: check source_address and the network card ({exc})",
            f"{config.source_address}에서는 연결할 수 없습니다. source_address와 랜카드를 확인하십시오({exc})",
        )
    return Text(
        f"no connection: check cable, address and gateway ({exc})",
        f"연결되지 않습니다. 케이블, IP 주소, 게이트웨이를 확인하십시오({exc})",
    )
