"""The log of a service: one line a message, whatever stands in it, and no secret.

Names and texts in messages come from devices, brokers and databases. A line end in one of them would forge a line
of its own, an escape sequence would steer the terminal of whoever reads the log, and a proxy that repeats a request
would bring a password into it. So this is settled in one place, for every message of ours and of the libraries.
"""

from __future__ import annotations

import logging
import sys

from settings.secret import masked

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
LIMIT = 16_000  # characters of one message


def configure(level: int | str = logging.INFO, form: str = FORMAT) -> None:
    """Write the log to the standard error output from now on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine(form))
    logging.basicConfig(level=level, handlers=[handler])


class _OneLine(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        record.message = plain(masked(record.message))
        return super().formatMessage(record)

    def formatException(self, ei: object) -> str:  # noqa: N802
        return _indented(super().formatException(ei))  # type: ignore[arg-type] # as the class above has it

    def formatStack(self, stack_info: str) -> str:  # noqa: N802
        return _indented(super().formatStack(stack_info))


def _indented(text: str) -> str:
    """Return a traceback: lines that nobody can take for messages."""
    return "\n".join("  " + plain(masked(line)) for line in text.split("\n"))


def plain(text: str) -> str:
    """Return a text in one line, with everything that is not printable as an escape."""
    shown = text if len(text) <= LIMIT else text[:LIMIT] + "..."
    if shown.isprintable():
        return shown
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in shown)
