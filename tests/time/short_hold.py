"""`tsq-agent` with a shorter hold, so that no test waits for ten minutes: short_hold.py SECONDS ARGUMENTS..."""

from __future__ import annotations

import sys

import agent.spool  # noqa: F401 - so that it is there
from agent.cli import main

HOLD = "HOLD_NS"


def shorten(seconds: float) -> None:
    """Set the one constant, wherever it has been imported to."""
    places = [m for name, m in sys.modules.items() if name.startswith("agent.") and hasattr(m, HOLD)]
    assert places
    for module in places:
        setattr(module, HOLD, round(seconds * 1e9))


if __name__ == "__main__":
    shorten(float(sys.argv[1]))
    sys.exit(main(sys.argv[2:]))
