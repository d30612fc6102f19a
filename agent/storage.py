"""What the disk under the spool says of itself."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.config.model import Storage

WORN_STEP = 10  # the health register of eMMC (JEDEC EMMC 5.0) counts tenths of the life


def about(storage: Storage, sys: Path = Path("/sys/dev/block")) -> dict[str, object]:
    """Return where the spool lies, its limits, the free space, and the wear that an eMMC tells.

    Args:
        storage: As configured.
        sys: Where the kernel shows block devices.
    """
    found: dict[str, object] = {
        "directory": str(storage.directory),
        "max_size": storage.max_size,
        "max_age": storage.max_age,
        "min_free": storage.min_free,
        "free": 0,
    }
    with contextlib.suppress(OSError):
        found["free"] = shutil.disk_usage(storage.directory).free
        device = storage.directory.stat().st_dev
        found["worn"] = worn(sys / f"{os.major(device)}:{os.minor(device)}")
    return found


def worn(device: Path) -> int | None:
    """Return the used part of an eMMC's life in percent, at most; None where the device tells nothing.

    Args:
        device: Of a partition or a whole disk, below `/sys/dev/block`.
    """
    for place in (device, device.resolve().parent):
        with contextlib.suppress(OSError, ValueError):
            text = (place / "device" / "life_time").read_text("ascii")
            return max(int(part, 16) for part in text.split()) * WORN_STEP
    return None
