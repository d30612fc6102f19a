"""Children that live on the disk of their parent, and tell it what they were promised until they die."""

from __future__ import annotations

import os
import signal
import struct
import threading
import traceback
from typing import TYPE_CHECKING

import msgspec

from tests.faults.plant import Told

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.disk import Disk


def live(
    run: Callable[[Callable[[Told], None]], None], recorder: Disk, *, killed_after_s: float | None = None
) -> tuple[int, list[Told]]:
    """Run something in a child.

    Args:
        run: Is given what it tells with.
        recorder: The disk; it is well again afterwards.
        killed_after_s: When to kill it from outside, if at all.

    Returns:
        The status that it ended with, and what it has told.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)

        def tell(told: Told) -> None:
            data = msgspec.msgpack.encode(told)
            data = struct.pack("<I", len(data)) + data
            while data:
                data = data[os.write(writing, data) :]

        try:
            run(tell)
        except BaseException:  # noqa: BLE001 - whatever it is, it must not go on as a second parent
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.close(writing)
    timer = None
    if killed_after_s is not None:
        timer = threading.Timer(killed_after_s, os.kill, (child, signal.SIGKILL))
        timer.start()
    with os.fdopen(reading, "rb") as pipe:
        data = pipe.read()
    if timer is not None:  # before its number is free for another process
        timer.cancel()
        timer.join()
    _, status = os.waitpid(child, 0)
    recorder.well()
    return status, list(_messages(data))


def _messages(data: bytes) -> list[Told]:
    said, at = [], 0
    while at + 4 <= len(data):
        end = at + 4 + struct.unpack_from("<I", data, at)[0]
        if end > len(data):
            break
        said.append(msgspec.msgpack.decode(data[at + 4 : end], type=Told))
        at = end
    return said
