"""At what interval a source was stored, from the beginning of its data. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

ROWS = 20_000
"""So many rows are looked at."""
NEEDED = 20
"""Steps from one time to the next that an estimate needs."""
REGULAR, NEAR = 0.8, 0.2
"""At an interval means: so many of the steps are so near to the middle one. What is stored on change is not."""
ROUND = 0.02
MILLI = 1_000_000


def interval_ns(batches: Iterable[tuple[Ints, Sequence[str]]]) -> int | None:
    """Return the interval in nanoseconds; None where the data is not at an interval, or too little.

    Args:
        batches: Times, and the name of the signal of each where a row holds one value.
    """
    last: dict[str, int] = {}
    steps: list[int] = []
    rows = 0
    for times, names in batches:
        if names:
            for time, name in zip(times.tolist(), names, strict=True):
                if time > last.get(name, time):
                    steps.append(time - last[name])
                last[name] = time
        else:
            line = np.append(last.get("", times[0]), times)
            steps += [step for step in np.diff(line).tolist() if step > 0]
            last[""] = int(times[-1])
        rows += len(times)
        if rows >= ROWS:
            break
    if len(steps) < NEEDED:
        return None
    middle = float(np.median(steps))
    near = np.abs(np.array(steps) - middle) <= NEAR * middle
    return _rounded(middle) if near.mean() >= REGULAR else None


def _rounded(middle: float) -> int:
    """Return the interval that somebody has configured: 10.003 s were meant to be 10 s."""
    digit = 10.0 ** (np.floor(np.log10(middle)) - 1)
    plain = round(middle / digit) * digit
    return int(plain if abs(plain - middle) <= ROUND * middle else round(middle / MILLI) * MILLI)
