"""Decode one notification of 1,000 doubles: ours against asyncua's.

    python benchmarks/opcua_decode.py

Prints microseconds a value, best of seven, and the ratio.
"""

from __future__ import annotations

import struct
import timeit

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import struct_from_binary

from agent.collectors.opcua import decode
from agent.collectors.opcua.convert import converter, row
from agent.frame import DataType

VALUES = 1000
TICKS = 134_117_136_000_000_000


def notification() -> bytes:
    """Return a Publish response, behind its header, as a server sends it."""
    items = b"".join(struct.pack("<IBBdIqq", i, 0x0F, 11, i / 7, 0, TICKS + i, TICKS + i) for i in range(VALUES))
    data = struct.pack("<i", VALUES) + items + struct.pack("<i", -1)
    body = b"\x01\x00" + struct.pack("<H", decode.DATA_CHANGE) + b"\x01" + struct.pack("<i", len(data)) + data
    return struct.pack("<IiBIqi", 1, -1, 0, 1, TICKS, 1) + body + struct.pack("<ii", -1, -1)


def main() -> None:
    """Measure and print."""
    body = notification()
    take = converter(DataType.FLOAT64)

    def ours() -> None:
        for _, sample in decode.publication(body).items:
            row(take, sample)

    def theirs() -> None:
        result = struct_from_binary(ua.PublishResult, Buffer(body))
        for part in result.NotificationMessage.NotificationData:
            for item in part.MonitoredItems:
                _ = item.Value.Value.Value

    best = {f.__name__: min(timeit.repeat(f, number=5, repeat=7)) / 5 / VALUES * 1e6 for f in (ours, theirs)}
    print(f"ours    {best['ours']:6.2f} us a value (decoded, checked against the type, times in ns)")
    print(f"asyncua {best['theirs']:6.2f} us a value (decoded only)   ratio {best['theirs'] / best['ours']:.1f}")


if __name__ == "__main__":
    main()
