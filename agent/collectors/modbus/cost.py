"""What a request to a device takes on its link: assumed at first, then measured while it is read.

The model is `overhead + per_register x registers`. Both are fitted to the round trips of answered requests, by
weighted least squares over about the last 256, so that they follow the link. Three things keep it sane: a round
trip counts at most four times what was expected (a hiccup is not the link); where requests of different length give
no evidence for what a register costs, a link that is faster than assumed is taken to be so in both parts alike; and
both stay within wide bounds.

On a serial line the assumed model comes from its speed: a byte is 10 to 12 bits, a request 8 bytes, an answer 5 and
two for each register, with 3.5 bytes of silence after each. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.collectors.modbus.plan import USUAL
from agent.collectors.planning import Cost

if TYPE_CHECKING:
    from agent.collectors.modbus.config import ModbusDevice

MEMORY = 1 / 256
CLIP = 4.0
SPREAD = 10.0 * 10.0 / MEMORY
"""Evidence against which the assumed part per register is given up: lengths that differ by about 10 registers."""
OVERHEAD_NS = (50_000.0, 30e9)
PER_REGISTER = (0.01, 20.0)  # times the assumed one
TURNAROUND_NS = 5_000_000  # of a serial device
MATERIAL = 1.5


def assumed(config: ModbusDevice) -> Cost:
    """Return what a request costs on such a link before anything was measured, without the pause before it."""
    if config.transport in {"tcp", "tls"}:
        return USUAL
    line = config.serial
    bits = 10 if line is None else 9 + line.stop_bits + (line.parity != "none")
    byte = bits * 1_000_000_000 // (9600 if line is None else line.baudrate)
    return Cost(overhead_ns=20 * byte + TURNAROUND_NS, per_unit_ns=2 * byte)


def differs(cost: Cost, planned: Cost) -> bool:
    """Tell whether a plan made under `planned` may be a poor one by now: by how long a gap it pays to read."""
    one, other = (c.overhead_ns / max(c.per_unit_ns, 1) for c in (cost, planned))
    return not 1 / MATERIAL < one / other < MATERIAL


class LinkCost:
    """The measured model.

    Args:
        start: The assumed one, or what was measured before the restart.
        pause_ns: What goes before each request, without any of it being the link's.

    Attributes:
        observed: Round trips it was made of.
    """

    def __init__(self, start: Cost, pause_ns: int = 0) -> None:
        self._pause = pause_ns
        self._slope = self._usual_slope = float(max(start.per_unit_ns, 1))
        self._overhead = self._usual_overhead = max(float(start.overhead_ns), OVERHEAD_NS[0])
        self._registers = self._trip = self._xx = self._xy = 0.0
        self.observed = 0

    @property
    def cost(self) -> Cost:
        """What a request takes now, the pause before it included; per register."""
        return Cost(round(self._overhead) + self._pause, round(self._slope))

    @property
    def measured(self) -> Cost:
        """The same without the pause."""
        return Cost(round(self._overhead), round(self._slope))

    def observe(self, registers: float, rtt_ns: int) -> None:
        """Take the round trip of one served request; bits count a sixteenth of a register."""
        expected = self._overhead + self._slope * registers
        trip = min(max(float(rtt_ns), expected / CLIP), expected * CLIP)
        self.observed += 1
        weight = max(1 / self.observed, MEMORY)
        dx, dy = registers - self._registers, trip - self._trip
        self._registers += weight * dx
        self._trip += weight * dy
        self._xx = (1 - weight) * (self._xx + weight * dx * dx)
        self._xy = (1 - weight) * (self._xy + weight * dx * dy)
        seen = min(self.observed, 1 / MEMORY)
        faster = self._trip / (self._usual_overhead + self._usual_slope * self._registers)
        slope = (self._xy * seen + self._usual_slope * faster * SPREAD) / (self._xx * seen + SPREAD)
        self._slope = min(max(slope, self._usual_slope * PER_REGISTER[0]), self._usual_slope * PER_REGISTER[1])
        overhead = self._trip - self._slope * self._registers
        self._overhead = min(max(overhead, OVERHEAD_NS[0]), OVERHEAD_NS[1])
