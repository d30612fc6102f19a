"""A disk that remembers and misbehaves, for a program that runs with `disk.c` preloaded.

`Disk` is the test's end: it makes the control file, gives the environment to start the program with, and says at
any moment what the disk does from now on. The program may be the test's own process as well (started with that
environment): both ends share the control file.
"""

from __future__ import annotations

import atexit
import errno
import functools
import mmap
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCE = Path(__file__).with_name("disk.c")

WRITE, SYNC, OPEN, NAME, SIZE, READ = 1, 2, 4, 8, 16, 32
CHANGES = WRITE | SYNC | OPEN | NAME | SIZE
"""Classes of calls: all that change what is on the disk."""

BEFORE, HALF, AFTER = range(3)
"""When a process kills itself at a call: before it, after half of a write, after it."""

_FIELDS = (
    "calls",
    "counted",
    "kill_at",
    "kill_mode",
    "fail_at",
    "fail_count",
    "fail_errno",
    "fail_mask",
    "stall_mask",
    "stalled",
    "limited",
    "room",
    "failed",
)
_PLACE = {name: i * 8 for i, name in enumerate(_FIELDS)}


@functools.cache
def build() -> Path:
    """Compile the library once per process; return it."""
    folder = Path(tempfile.mkdtemp(prefix="tsq-disk-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    library = folder / "disk.so"
    flags = ["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(["cc", *flags, SOURCE, "-o", library, "-ldl", "-pthread"], check=True)
    return library


class Disk:
    """What the disk below one folder does.

    Args:
        folder: The folder; it need not exist.
        control: File that both ends share; made when it is missing.
        trace: File that records everything, when it is wanted.
    """

    def __init__(self, folder: Path, control: Path, trace: Path | None = None) -> None:
        self.folder, self.control, self.trace = folder, control, trace
        if not control.exists():
            control.write_bytes(bytes(8 * len(_FIELDS)))
        with control.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 8 * len(_FIELDS))

    @property
    def mark(self) -> Path:
        """Path under which the program opens a file to write marks into the trace."""
        return self.control.with_suffix(".mark")

    @property
    def env(self) -> Mapping[str, str]:
        """What a program is started with to run on this disk."""
        env = {
            "LD_PRELOAD": str(build()),
            "TSQ_DISK_FOLDER": str(self.folder.resolve()),
            "TSQ_DISK_CONTROL": str(self.control),
            "TSQ_DISK_MARK": str(self.mark),
        }
        return env if self.trace is None else {**env, "TSQ_DISK_TRACE": str(self.trace)}

    def get(self, name: str) -> int:
        """Return a field of `enum control`."""
        value: int = struct.unpack_from("<q", self._map, _PLACE[name])[0]
        return value

    def set(self, **fields: int) -> None:
        """Set fields of `enum control`, in the order given."""
        for name, value in fields.items():
            struct.pack_into("<q", self._map, _PLACE[name], value)

    def count(self, classes: int = CHANGES) -> None:
        """Count calls of these classes from now on, from 0."""
        self.set(counted=classes, calls=0)

    def kill(self, at: int, mode: int = BEFORE, classes: int = CHANGES) -> None:
        """Have the process kill itself at the call of this number from now on."""
        self.set(kill_mode=mode, kill_at=at)
        self.count(classes)

    def fail(self, error: int, *, at: int = 1, count: int = 2**40, classes: int = CHANGES) -> None:
        """Make `count` calls fail from the one of number `at` from now on.

        Args:
            error: An errno; 0 makes writes stop half way instead.
            at: 1 is the next one.
            count: How many.
            classes: Of these classes; only they are counted.
        """
        self.set(fail_at=0, failed=0, fail_errno=error, fail_mask=classes, fail_count=count)
        self.count(classes)
        self.set(fail_at=at)

    def read_only(self) -> None:
        """Refuse every change, as after a read-only remount."""
        self.fail(errno.EROFS, classes=CHANGES & ~SYNC)

    def limit(self, room: int) -> None:
        """Have room for so many bytes more."""
        self.set(room=room, limited=1)

    def stall(self, classes: int = CHANGES) -> None:
        """Let calls of these classes hang until `well`."""
        self.set(stall_mask=classes)

    def well(self) -> None:
        """Do everything right from now on."""
        self.set(kill_at=0, fail_at=0, stall_mask=0, limited=0)
