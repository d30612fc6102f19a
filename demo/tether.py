"""Run a command that dies with the process that started it: `python -S -E tether.py PARENT_PID COMMAND...`.

A launcher that is killed cannot end its children; the kernel can. Where it offers nothing of the kind (not Linux)
the command simply runs. Nothing is imported that would make the start slow.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie this process to its parent and become the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before we asked
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - the launcher's own words, no shell


if __name__ == "__main__":
    main()
