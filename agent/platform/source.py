"""What the verbs of the platform ask of whoever knows: of `agent.reporter.Reporter`, or of an agent that is played.

One shape for both, so that a type checker finds where the played one (`agent.conform.acting`) has fallen behind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from readiness.fit import Judged

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from contract.report import Report
    from readiness.evidence import Checked
    from readiness.inventory import Named


class Assessed(Judged, Protocol):
    """One state of knowledge."""

    def plant(self) -> Report:
        """Return the report of the plant."""

    def machine(self, machine: str, /) -> Report | None:
        """Return the report of one machine, None if there is none of that name."""


class Declared(Protocol):
    """What people have said."""

    @property
    def machines(self) -> Sequence[Named]:
        """The inventory."""

    @property
    def answers(self) -> Sequence[str]:
        """The sets of answers in force."""


class Joined(Protocol):
    """Configuration and answers."""

    @property
    def plant(self) -> Declared:
        """What was said."""


class Evidence(Protocol):
    """Closed days."""

    def days(self) -> Iterable[tuple[str, Checked]]:
        """Return them by date."""


class Source(Protocol):
    """Knows what is answered."""

    @property
    def past(self) -> Evidence:
        """The evidence."""

    @property
    def joined(self) -> Joined:
        """What people say of the plant."""

    def assessment(self) -> Assessed:
        """Return what is known now.

        Raises:
            sqlite3.Error: the evidence cannot be read.
        """
