"""What can go wrong in the agent, and who has to act.

ConfigError          the file is wrong, or a secret cannot be read: exit 78
AgentError
├── Unreachable      network, timeout, device silent: tried again within seconds
├── Refused          login, certificate, unknown node: a person must act; tried again every minute
├── SpoolFailed      neither disk nor memory can take data: the process ends, the service manager restarts it
└── WireError        a payload that we cannot read: dead letter

Anything else that is raised is a bug. Messages name the device, its address and what to try, with the foreign
text quoted. Either log an error or raise it, never both.
"""

from __future__ import annotations

from typing import Final

from contract.errors import WireError
from settings.errors import ConfigError
from settings.language import Text

__all__ = ["AgentError", "ConfigError", "Refused", "SpoolFailed", "Unreachable", "WireError"]


MOST: Final = 2000
"""Characters of a message: what it quotes, a device may have made as long as it likes."""


def quotable(text: Text) -> Text:
    """Return a message in one line, however strange the foreign text in it: it goes into logs and terminals."""
    return Text(_line(text.en), _line(text.ko))


def _line(text: str) -> str:
    line = text if text.isprintable() else "".join(c if c.isprintable() else "\N{MIDDLE DOT}" for c in text)
    return line if len(line) <= MOST else line[: MOST - 1] + "…"


class AgentError(Exception):
    """Base of the agent's own errors.

    Args:
        text: What a technician reads; plain English where no Korean has been written.

    Attributes:
        text: In both languages.
    """

    def __init__(self, text: Text | str) -> None:
        self.text = quotable(text if isinstance(text, Text) else Text(text, text))
        super().__init__(self.text.en)


class Unreachable(AgentError):  # noqa: N818 - reads as what happened, like the library it wraps
    """The device does not answer now; trying again may help."""


class Refused(AgentError):  # noqa: N818
    """The device answers and says no; a person must act."""


class SpoolFailed(AgentError):  # noqa: N818
    """Neither the spool's file, nor a fresh one, nor its ring can take data."""
