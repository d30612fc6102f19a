"""When the parts of a price are due: advice to both parties, no handling of payments.

    40 %  delivery
    50 %  functional acceptance, and use as agreed
    10 %  on the verdict's date, unless it says worse or no change

The last part does not wait for the extension, and "cannot tell" or "cause not shown" pay it: a supplier is not held
to account for what statistics cannot see. While an objection against a "worse" or "no change" of that date is open,
it is held. Use that the plan does not name cannot be asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from techsquare.verdict.terms import Word
    from techsquare.verdict.use import State

Name = Literal["delivery", "acceptance", "verdict"]
Status = Literal["due", "waiting", "held", "lapsed"]
Because = Literal["not_delivered", "not_accepted", "not_used", "before_verdict", "objection", "worse", "no_change"]
PARTS: tuple[tuple[Name, int], ...] = (("delivery", 40), ("acceptance", 50), ("verdict", 10))


@dataclass(frozen=True, slots=True)
class Milestone:
    """A part of the price in whole won; `because` says why it is not due."""

    name: Name
    percent: int
    won: int
    status: Status
    because: Because | None


def milestones(
    price: int,
    *,
    delivered: bool,
    accepted: bool,
    use: State | None,
    word: Word | None,
    contested: bool = False,
) -> Sequence[Milestone]:
    """Return what is due of a price.

    Args:
        price: Whole won; parts are rounded down, the last one takes what is left.
        delivered: Whether it was.
        accepted: Whether its functions were accepted.
        use: What is said of use; None where the plan names no signal.
        word: The verdict of the plan's first date (not of the extension); None before it.
        contested: An objection against that verdict is open.

    Raises:
        ValueError: a price below 0.
    """
    if price < 0:
        raise ValueError("a price is 0 won or more")
    first, second = price * PARTS[0][1] // 100, price * PARTS[1][1] // 100
    amounts = (first, second, price - first - second)
    said: tuple[tuple[Status, Because] | None, ...] = (
        (None if delivered else ("waiting", "not_delivered")),
        _acceptance(accepted, use),
        _last(word, contested),
    )
    found = []
    for (name, percent), won, reason in zip(PARTS, amounts, said, strict=True):
        if reason is None:
            found.append(Milestone(name, percent, won, "due", None))
        else:
            found.append(Milestone(name, percent, won, *reason))
    return tuple(found)


def _acceptance(accepted: bool, use: State | None) -> tuple[Status, Because] | None:  # noqa: FBT001 - of two
    if not accepted:
        return "waiting", "not_accepted"
    return None if use in {None, "used"} else ("waiting", "not_used")


def _last(word: Word | None, contested: bool) -> tuple[Status, Because] | None:  # noqa: FBT001 - of two
    if word is None:
        return "waiting", "before_verdict"
    if word not in {"worse", "no_change"}:
        return None
    if contested:
        return "held", "objection"
    return "lapsed", "worse" if word == "worse" else "no_change"
