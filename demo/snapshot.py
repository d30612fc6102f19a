"""What the demo's screen shows at one moment: plain data between the observer and the view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from contract.report import Report

Link = Literal["none", "starting", "up", "down", "refused", "faulty"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineState:
    """One machine of the inventory.

    Attributes:
        id, name: As configured.
        protocol: "Modbus", "OPC UA"; empty when nothing is connected.
        link: State of its device's connection; "none" when nothing is connected.
        link_s: Seconds since the link entered that state.
        state: Value of its `state` signal, None when unknown.
        count: Value of its production counter.
        shown: Name, unit and latest value of its most telling signal.
        trend: Its last values, oldest first.
        age_s: Age of the newest value in the store.
        good: Share of its samples that were good, 0..1, None before the first.
    """

    id: str
    name: str
    protocol: str = ""
    link: Link = "none"
    link_s: float = 0.0
    state: int | None = None
    count: int | None = None
    shown: tuple[str, str, float] | None = None
    trend: tuple[float, ...] = ()
    age_s: float | None = None
    good: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything.

    Attributes:
        site: Name of the factory.
        broker: Which broker runs.
        seconds: Since the live phase began.
        replayed: Samples of the simulated history, and the seconds that they took.
        read: Samples read from devices so far.
        stored: Samples that the gateway has confirmed so far.
        read_rate, stored_rate: Per second, over the last seconds.
        p50_s, p99_s: From acquisition to the commit in the store, of the last samples.
        waiting: Entries in the spool that are not confirmed.
        waiting_bytes: Bytes that the spool takes.
        confirmed: Entries that the gateway has confirmed.
        resent: Confirmations of what was confirmed before.
        bad: Samples that were bad.
        machines: In the order of the configuration.
        report: The latest readiness report, None before the first.
        pull: Command that pulls the report from another terminal.
        log: The newest events as they stand on the screen: seconds since the beginning, machine, what.
    """

    site: str
    broker: str = ""
    seconds: float = 0.0
    replayed: tuple[int, float] = (0, 0.0)
    read: int = 0
    stored: int = 0
    read_rate: float = 0.0
    stored_rate: float = 0.0
    p50_s: float | None = None
    p99_s: float | None = None
    waiting: int = 0
    waiting_bytes: int = 0
    confirmed: int = 0
    resent: int = 0
    bad: int = 0
    machines: tuple[MachineState, ...] = ()
    report: Report | None = None
    pull: str = ""
    log: tuple[tuple[float, str, str], ...] = ()
