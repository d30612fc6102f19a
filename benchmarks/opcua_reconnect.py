"""Who reads again sooner, asyncua's own `auto_reconnect` or ours: `python -m benchmarks.opcua_reconnect`.

Both follow the same five counting nodes of one node-opcua server, each behind a relay of its own, security None,
reports every 500 ms, in the same run. Three faults, several rounds each:

    cable    the relay stops forwarding for 6 s without closing anything
    kill     the server is killed and started again after 3 s
    restart  the server is stopped in order and started again

Prints, for each, the median time from the way being free again to the first new value, and how many of the
values that the server counted meanwhile are missing at the end (after `kill` and `restart` it counts anew).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asyncua import ua
from asyncua.client.client import Client

from agent.clock import SystemClock
from agent.collectors.base import Box
from agent.collectors.opcua.collector import OpcUaCollector
from agent.collectors.opcua.config import OpcUaDevice
from agent.frame import FrameBlock
from agent.health import Health
from agent.supervise import Supervisor
from tests.peers.opcua import Plant, opcua_server
from tests.support.sniffer import Relay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.frame import Item

NODES = 5
PERIOD_MS = 100
OUT_S = {"cable": 6.0, "kill": 3.0, "restart": 0.0}
PATIENCE_S = 60.0


class Seen:
    """The values of one side, and when the last of the first node came."""

    def __init__(self) -> None:
        self.values: list[int] = []
        self.at = 0.0

    def take(self, value: Any) -> None:
        """Take a value of the first node."""
        if isinstance(value, int):
            self.values.append(value)
            self.at = time.monotonic()


class Ours(Seen):
    """Sink of a supervised collector."""

    def put(self, item: Item) -> None:
        """Take what it reads."""
        if isinstance(item, FrameBlock):
            for index, value in zip(item.signal, item.value, strict=True):
                if index == 0:
                    self.take(value)


class Theirs(Seen):
    """Handler of asyncua's subscription."""

    def datachange_notification(self, node: Any, value: Any, _data: Any) -> None:
        """Take a change."""
        if str(node.nodeid.Identifier) == "seq-0":
            self.take(value)


def place(relay: Relay) -> str:
    """Return the endpoint behind a relay."""
    return f"opc.tcp://127.0.0.1:{relay.port}/plant"


async def ours(seen: Ours, relay: Relay, folder: Path) -> None:
    """Run our collector under its supervisor until cancelled."""
    nodes = [{"id": f"s{i}", "type": "uint32", "node": f"ns=1;s=seq-{i}"} for i in range(NODES)]
    group = {"id": "g", "every": "500ms", "queue": 1000, "sampling": "0ms", "signals": nodes}
    device = OpcUaDevice.model_validate(
        {
            "id": "d", "type": "opcua", "machine": "m", "endpoint": place(relay), "security": "None",
            "timeout": "1s", "groups": [group],
        }
    )  # fmt: skip
    clock = SystemClock(trusted=True)
    await Supervisor(
        OpcUaCollector(device, Box(clock, pki=str(folder / "pki"))), seen, Health(), clock, lambda: 1.0
    ).run()


async def theirs(seen: Theirs, relay: Relay) -> None:
    """Run asyncua's client with its own reconnection until cancelled."""
    async with Client(place(relay), timeout=1, auto_reconnect=True, reconnect_max_delay=3) as client:
        wanted = ua.CreateSubscriptionParameters(
            RequestedPublishingInterval=500, RequestedLifetimeCount=100, RequestedMaxKeepAliveCount=10
        )
        subscription = await client.create_subscription(wanted, seen)
        nodes = [client.get_node(f"ns=1;s=seq-{i}") for i in range(NODES)]
        await subscription.subscribe_data_change(nodes, queuesize=1000, sampling_interval=ua.Double(0))
        await asyncio.Event().wait()


async def until(seen: Seen, since: float) -> float:
    """Return how long after `since` a value came; infinite when none does."""
    deadline = since + PATIENCE_S
    while seen.at <= since:
        if time.monotonic() > deadline:
            return float("inf")
        await asyncio.sleep(0.01)
    return seen.at - since


async def fault(kind: str, plant: Plant, relays: Sequence[Relay], sides: Sequence[Seen]) -> list[tuple[float, int]]:
    """Cause a fault; return for each side the seconds until data and the number of lost values."""
    plant.tell("start", period=PERIOD_MS)
    now = time.monotonic()
    await asyncio.gather(*(until(side, now) for side in sides))
    await asyncio.sleep(2)
    for side in sides:
        del side.values[:-1]
    if kind == "cable":
        for relay in relays:
            relay.cut = True
        await asyncio.sleep(OUT_S[kind])
        for relay in relays:
            relay.cut = False
    else:
        await asyncio.to_thread(plant.kill if kind == "kill" else plant.stop)
        await asyncio.sleep(OUT_S[kind])
        for side in sides:
            side.values.clear()
        await asyncio.to_thread(plant.start)
        plant.tell("start", period=PERIOD_MS)
    free = time.monotonic()
    waits = await asyncio.gather(*(until(side, free) for side in sides))
    last = int(plant.tell("stop")["number"])
    await asyncio.sleep(3)
    found = []
    for side, wait in zip(sides, waits, strict=True):
        first = side.values[0] if kind == "cable" and side.values else 0
        found.append((wait, last - first - len(set(side.values)) + (1 if kind == "cable" else 0)))
    return found


async def compare(folder: Path, rounds: int) -> None:
    """Measure and print."""
    options = {"sequence": {"nodes": NODES, "log": str(folder / "sequence.log")}}
    with opcua_server(folder, **options) as plant, Relay(plant.opcua_port) as one, Relay(plant.opcua_port) as two:
        us, them = Ours(), Theirs()
        tasks = [asyncio.create_task(ours(us, one, folder)), asyncio.create_task(theirs(them, two))]
        results: dict[str, list[list[tuple[float, int]]]] = {kind: [] for kind in OUT_S}
        try:
            for kind in OUT_S:
                for _ in range(rounds):
                    results[kind].append(await fault(kind, plant, (one, two), (us, them)))
        finally:
            for task in tasks:
                task.cancel()
            with contextlib.suppress(BaseException):
                await asyncio.gather(*tasks, return_exceptions=True)
    for kind, found in results.items():
        for name, side in (("ours", 0), ("asyncua", 1)):
            waits = [one_round[side][0] for one_round in found]
            lost = [one_round[side][1] for one_round in found]
            print(
                f"{kind:8} {name:8} data after {statistics.median(waits):6.2f} s "
                f"(worst {max(waits):.2f} s), lost {lost}"
            )


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(compare(Path(folder), rounds))


if __name__ == "__main__":
    main()
