"""Opens a connection to a Modbus device by whatever transport the configuration names."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

from pymodbus.transport.serialtransport import create_serial_connection

from agent.collectors.modbus import tls
from agent.collectors.modbus.link import ReadLink
from agent.errors import Refused

if TYPE_CHECKING:
    from agent.collectors.base import Box
    from agent.collectors.modbus.config import ModbusDevice
    from agent.collectors.modbus.link import Owed

_PARITY = {"none": "N", "even": "E", "odd": "O"}


async def dial(config: ModbusDevice, box: Box, owed: Owed) -> ReadLink:
    """Connect within the device's timeout and return the link.

    Raises:
        OSError: the connection was refused, there is no way to the host, no such name, no such serial port.
        TimeoutError: nobody answered (a kind of OSError).
        Refused: TLS: a person must act.
    """
    link = ReadLink(box, config.id, numbered=config.transport in {"tcp", "tls"}, owed=owed)
    try:
        async with asyncio.timeout(config.timeout / 1e9):
            if config.serial is not None:
                await _serial(link, config, box)
            else:
                await _network(link, config, box)
    except BaseException:
        link.close()
        raise
    return link


async def _network(link: ReadLink, config: ModbusDevice, box: Box) -> None:
    context = None if config.tls is None else tls.context(config.tls)
    name = config.host if config.tls is None else config.tls.server_name or config.host
    try:
        transport, _ = await asyncio.get_running_loop().create_connection(
            lambda: link,
            str(config.host),
            config.port,
            ssl=context,
            server_hostname=name if context is not None else None,
            local_addr=(config.source_address, 0) if config.source_address else None,
        )
    except ssl.SSLError as exc:
        raise Refused(tls.explain(exc, str(name))) from exc
    if context is not None and (text := tls.expired(transport.get_extra_info("ssl_object"), box.clock)):
        raise Refused(text)


async def _serial(link: ReadLink, config: ModbusDevice, box: Box) -> None:
    line = config.serial
    assert line is not None
    transport, _ = await create_serial_connection(
        asyncio.get_running_loop(),
        lambda: link,
        str(line.port),
        baudrate=line.baudrate,
        bytesize=8,
        parity=_PARITY[line.parity],
        stopbits=line.stop_bits,
        timeout=0,
    )
    link.connection_made(transport)  # pymodbus does so a turn of the loop later, and begins to listen then
    await box.clock.sleep(0)
