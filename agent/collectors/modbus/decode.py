"""Values from the bytes of a Modbus reply: `agent.collectors.binary` on registers, and the tables of bits. Pure.

A register travels as two bytes, high byte first. Each item of a decoded reply is a value, None or `Marked`:
`agent.collectors.binary.rated` makes value and status of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.collectors import binary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.collectors.binary import Kind, Marked
    from agent.collectors.modbus.plan import Request
    from agent.frame import Value


def compile_decoder(request: Request, kinds: Sequence[Kind]) -> Callable[[bytes], list[Value | Marked]]:
    """Return a function from the data bytes of a reply to one item per value of the request, in its order.

    It expects exactly the bytes that were asked for.

    Args:
        request: What was asked.
        kinds: How to make each value; the request's items index it.
    """
    if request.span.table.bits:
        places = [(offset >> 3, 1 << (offset & 7)) for _, offset in request.items]
        return lambda data: [data[byte] & mask != 0 for byte, mask in places]
    items = [(index, offset * 2) for index, offset in request.items]
    return binary.compile_decoder(items, request.span.count * 2, kinds)
