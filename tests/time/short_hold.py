"""`tsq-agent` with a shorter hold, so that no test waits for ten minutes: short_hold.py SECONDS ARGUMENTS..."""

from __future__ import annotations

import functools
import sys

import agent.app
from agent.cli import main
from agent.spool import Spool

if __name__ == "__main__":
    hold_ns = round(float(sys.argv[1]) * 1e9)
    vars(agent.app)["Spool"] = functools.partial(Spool, hold_ns=hold_ns)
    sys.exit(main(sys.argv[2:]))
