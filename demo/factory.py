"""The demo's factory as a process of its own: Modbus TCP and OPC UA servers over the model in `demo.machines`.

    python -m demo.factory --config agent.yaml --live-from NANOSECONDS

It reads the same file as the agent and serves what stands there: every Modbus device at its host and port, every
OPC UA device at its endpoint. A device whose machine has link faults (the conveyor) stops listening and drops its
connections for as long as each lasts. The servers accept reads only.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import struct
import time
from collections import deque
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from demo.machines import Machine, factory
from demo.timeline import SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asyncua.common.node import Node
    from pymodbus.constants import ExcCodes

NEVER = 2**62
CODES = {"int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "float32": "f", "float64": "d"}


class Registers:
    """The holding or input registers of one PLC, filled from the model at each read.

    Args:
        machine: What the values come from.
        signals: The device's signals as they stand in the configuration.
    """

    def __init__(self, machine: Machine, signals: Sequence[Mapping[str, Any]]) -> None:
        self._machine = machine
        self._ids = [s["id"] for s in signals]
        self._fields = [(int(s["address"].partition(":")[2]), *_packer(s)) for s in signals]
        self.count = max(address + (size + 1) // 2 for address, size, _ in self._fields)

    def read(self, time_ns: int) -> list[int]:
        """Return all registers as they are at this moment."""
        raw = bytearray(self.count * 2)
        columns = self._machine.columns(self._ids, np.array([time_ns]))
        for column, (address, size, pack) in zip(columns, self._fields, strict=True):
            raw[address * 2 : address * 2 + size] = pack(column[0])
        return list(struct.unpack(f">{self.count}H", raw))


def _packer(signal: Mapping[str, Any]) -> tuple[int, Any]:
    """Return the size in bytes of a signal on the wire and what makes them of a value."""
    if signal["type"] == "string":
        length = int(signal["length"])
        return length, lambda value: str(value).encode("ascii")[:length].ljust(length, b"\0")
    code, scale = CODES[signal["type"]], float(signal.get("scale", 1))
    layout = struct.Struct(f">{code}")
    if code in "fd":
        return layout.size, lambda value: layout.pack(float(value))
    return layout.size, lambda value: layout.pack(round(float(value) / scale))


async def serve_modbus(device: Mapping[str, Any], machine: Machine) -> None:
    """Serve one PLC until cancelled; while its link is at fault nothing listens."""
    from pymodbus.constants import ExcCodes  # noqa: PLC0415 - the model is tested without servers
    from pymodbus.server import ModbusTcpServer  # noqa: PLC0415
    from pymodbus.simulator import DataType, SimData, SimDevice  # noqa: PLC0415

    registers = Registers(machine, [s for g in device["groups"] for s in g["signals"]])

    async def refresh(
        _function: int, _start: int, _address: int, _count: int, now: list[int], wanted: Sequence[int] | None
    ) -> ExcCodes | None:
        if wanted is not None:
            return ExcCodes.ILLEGAL_FUNCTION
        now[: registers.count] = registers.read(time.time_ns())
        return None

    outages = machine.outages
    spans = [] if outages is None else zip(outages.start_ns.tolist(), outages.stop_ns.tolist(), strict=True)
    away = deque((start, stop) for start, stop in spans if stop > time.time_ns())
    while True:
        block = SimData(0, count=registers.count, values=0, datatype=DataType.REGISTERS)
        server = ModbusTcpServer(
            SimDevice(id=1, simdata=[block], action=refresh), address=(device["host"], device["port"])
        )
        await server.serve_forever(background=True)
        start, stop = away.popleft() if away else (NEVER, NEVER)
        try:
            await _until(start)
        finally:
            await server.shutdown()  # type: ignore[no-untyped-call]
        await _until(stop)


async def serve_opcua(device: Mapping[str, Any], machine: Machine) -> None:
    """Serve one controller until cancelled; each value is renewed once a second, when it has changed."""
    from asyncua import ua  # noqa: PLC0415
    from asyncua.server.server import Server  # noqa: PLC0415
    from asyncua.ua.attribute_ids import AttributeIds  # noqa: PLC0415

    signals = [s for g in device["groups"] for s in g["signals"]]
    types = {
        "bool": ua.VariantType.Boolean,
        "uint16": ua.VariantType.UInt16,
        "uint32": ua.VariantType.UInt32,
        "float64": ua.VariantType.Double,
        "string": ua.VariantType.String,
    }
    server = Server()
    await server.init()
    server.set_endpoint(device["endpoint"])
    server.set_server_name(device["name"])
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    space = await server.register_namespace(signals[0]["node"].partition(";")[0].removeprefix("nsu="))
    folder = await server.nodes.objects.add_folder(space, device["id"])
    nodes: dict[str, Node] = {}
    for s in signals:
        kind = types[s["type"]]
        node = await folder.add_variable(
            ua.NodeId(s["node"].partition(";s=")[2], ua.Int16(space)),
            s["id"],
            "" if s["type"] == "string" else 0,
            kind,
        )
        texts = {AttributeIds.DisplayName: s["name"], AttributeIds.Description: s["description"]}
        for attribute, text in texts.items():
            await server.write_attribute_value(
                node.nodeid, ua.DataValue(ua.Variant(ua.LocalizedText(text))), attribute
            )
        nodes[s["id"]] = node
    last: dict[str, tuple[Any, int]] = {}
    async with server:
        while True:
            now = time.time_ns()
            moment = np.array([now])
            stamp = ua.DateTime.fromtimestamp(now / SECOND, UTC)
            for s, column in zip(signals, machine.columns(nodes, moment), strict=True):
                value, status = column[0], int(machine.status(s["id"], moment)[0])
                value = str(value) if s["type"] == "string" else value.item()
                said = (None if status >> 31 else value, status)
                if last.get(s["id"]) == said:
                    continue
                last[s["id"]] = said
                value = float(value) if s["type"] == "float64" else value
                await server.write_attribute_value(
                    nodes[s["id"]].nodeid,
                    ua.DataValue(
                        ua.Variant(value, types[s["type"]]),
                        StatusCode=ua.StatusCode(ua.UInt32(status)),
                        SourceTimestamp=stamp,
                        ServerTimestamp=stamp,
                    ),
                )
            await asyncio.sleep(1 - time.time_ns() % SECOND / SECOND)


async def _until(time_ns: int) -> None:
    await asyncio.sleep(max(0.0, (time_ns - time.time_ns()) / SECOND))


async def run(config: Mapping[str, Any], machines: Mapping[str, Machine]) -> None:
    """Serve all devices of a configuration until cancelled."""
    async with asyncio.TaskGroup() as group:
        for device in config["devices"]:
            serve = serve_modbus if device["type"] == "modbus" else serve_opcua
            group.create_task(serve(device, machines[device["machine"]]), name=device["id"])


def main() -> None:
    """Run the process until SIGTERM or SIGINT."""
    from agent.config.load import load  # noqa: PLC0415
    from demo.plan import shifts  # noqa: PLC0415

    parser = argparse.ArgumentParser(prog="python -m demo.factory")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--live-from", type=int, required=True)
    args = parser.parse_args()
    logging.basicConfig(level=logging.ERROR, format="%(asctime)s %(name)s: %(message)s")
    config = yaml.safe_load(args.config.read_text("utf-8"))
    machines = factory(shifts(load(args.config).calendar(), args.live_from))

    async def serve() -> None:
        task = asyncio.ensure_future(run(config, machines))
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(serve())


if __name__ == "__main__":
    main()
