"""What the kernel knows about the machine's clock: whether it is synchronised, how far it may be off, which boot.

Only read, never set: `modes` stays 0 in what is handed to adjtimex(2). The kernel says "synchronised" while a time
service (chrony, timesyncd, ntpd, ptp) disciplines it; when that falls silent, the kernel's own bound of the error
grows by 500 ppm and reaches 16 s after nine hours, and from then on it says "not synchronised".

Tests must never touch the machine's clock. The environment variable `TSQ_KERNEL_CLOCK` names a JSON file that is
read instead of the kernel at each question: {"synchronised": bool, "max_error_us": int, "boot": str}. It is no
configuration: whoever can set the environment of the process can also replace the process.
"""

from __future__ import annotations

import ctypes
import json
import os
from pathlib import Path
from typing import NamedTuple

DOUBLE = "TSQ_KERNEL_CLOCK"
BOOT = "TSQ_BOOT_ID"
"""Environment variable with the id of the boot, which a unit of systemd sets where it hides most of /proc."""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
_TIMEX_BYTES = 512  # struct timex has 208 on 64-bit systems; the kernel writes no more than it knows


class _Timex(ctypes.Structure):
    """The first fields of struct timex, the same on all Linux systems."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("rest", ctypes.c_ubyte * _TIMEX_BYTES),
    )


class KernelClock(NamedTuple):
    """Whether a time service disciplines the clock, and within how many ns of UTC it is then."""

    synchronised: bool
    max_error_ns: int = 0


def state() -> KernelClock:
    """Return what the kernel says now; "not synchronised" where it cannot be asked."""
    if (told := _double()) is not None:
        return KernelClock(told.get("synchronised") is True, 1000 * int(str(told.get("max_error_us", 1000))))
    timex = _Timex()
    try:
        code: int = ctypes.CDLL(None).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):  # no Linux
        return KernelClock(synchronised=False)
    return KernelClock(0 <= code < _TIME_ERROR, timex.maxerror * 1000)


def boot_id() -> str:
    """Return the id of this boot of the machine, "" where there is none: then no process knows another's time."""
    if (told := _double()) is not None and "boot" in told:
        return str(told["boot"])
    try:
        told_id = _BOOT_ID.read_text("ascii")
    except (OSError, UnicodeDecodeError):
        told_id = os.environ.get(BOOT, "")
    return told_id.strip().replace("-", "")  # systemd writes it without


def _double() -> dict[str, object] | None:
    if (path := os.environ.get(DOUBLE)) is None:
        return None
    told = json.loads(Path(path).read_text("utf-8"))
    return told if isinstance(told, dict) else {}
