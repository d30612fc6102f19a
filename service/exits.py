"""Exit codes of the services, as sysexits.h names them: the service manager decides by them what to do.

The units in `systemd/` restart after every code but `CONFIG` and `UNAVAILABLE`: these need a person.
"""

from __future__ import annotations

CLEAN = 0
FAULT = 1
"""Something has broken here; a new process may mend it."""
USAGE = 2
"""Wrong words on the command line."""
UNAVAILABLE = 69
"""EX_UNAVAILABLE: this process is not wanted here, such as a second worker at a broker that cannot share."""
IO = 74
"""EX_IOERR: neither disk nor memory takes data."""
CONFIG = 78
"""EX_CONFIG: the file is wrong, or a secret cannot be read; starting again would not mend it."""
INTERRUPTED = 130
"""Ctrl-C ended a command of a person."""
