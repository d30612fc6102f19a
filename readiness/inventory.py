"""What the factory says it has: every machine, also those that nobody has connected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Named(Protocol):
    """Something with an id."""

    @property
    def id(self) -> str:
        """As in the configuration and in topics."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One declared machine.

    Attributes:
        id: As in the configuration and in topics.
        name: As the factory calls it.
        weight: Share of the plant it stands for, > 0; only ratios matter.
        path: ISA-95 equipment path, where configured.
    """

    id: str
    name: str
    weight: float = 1.0
    path: str | None = None
