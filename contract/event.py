"""Events of the platform uplink: what has happened to a plant that somebody should look after.

Each is told once when it begins; when it has ended and begins anew, it is told again. Events are not retained and
may be missed: the report says the same for as long as it holds. `baseline_frozen` is a payload of its own.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from contract.payload import Nanoseconds
from contract.report import Date, Id, Score

Kind = Literal["unused", "stale", "decay", "device_changed"]
"""unused: an installed system of whose points none is alive, or that nobody has looked at on any of the window's
days that its log speaks of (ten or more). stale: a machine of which no value was known on its last three production
days. decay: a dimension or indicator whose change for the worse the report calls. device_changed: a device that is
not the one that was confirmed, or has another program."""


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event; its kind is the last level of the topic as well."""

    factory: Id
    agent: Id
    kind: Kind
    subject: Id  # of an installed system, a machine, a dimension or indicator, a device
    date: Date  # production day on which it was found
    made_at: Nanoseconds  # data time
    why: Literal["points", "use"] | None = None  # of unused
    before: Score | None = None  # of decay
    after: Score | None = None
