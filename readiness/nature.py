"""What a machine is by nature: one that makes things, or a utility (a meter, a compressor) that makes none.

What asks for pieces, lots, cycles or states of production does not apply to a utility (readiness.md 7.2: it leaves
the denominator), and the levels, which say how production is known, are asked of the others only. A person has to
say so, and is not believed of a machine that counts pieces: else the machine that fails a gate would be one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from readiness.inventory import Machine
    from readiness.view import View

OF_PIECES = ("count_total", "count_good", "count_reject", "cycle")


def pieces(view: View, machine: str) -> list[str]:
    """Return the signals of a machine that count pieces, or are guessed to."""
    return [name for role in OF_PIECES for name in (*view.signals(machine, role), *view.guessed(machine, role))]


def is_utility(view: View, machine: str) -> bool:
    """Return whether a machine makes nothing: somebody says so, and nothing of it counts pieces."""
    return view.plant.of(machine).kind == "utility" and not pieces(view, machine)


def producing(view: View) -> Sequence[Machine]:
    """Return the declared machines that make things, of which the levels speak."""
    return [machine for machine in view.inventory if not is_utility(view, machine.id)]
