"""The contract of a time-series store, and the points that it takes.

A point is identified by (measurement, tags, time); a field of it by its name. Writing is an idempotent
upsert: the same field of the same point written twice is there once, and fields written at different times
merge into one point. `tests/stores/` holds one suite that each store passes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

T = TypeVar("T")

FieldValue = bool | int | float | str


class Point(msgspec.Struct, frozen=True):
    """One line: what a measurement said at one moment.

    Field names end in their type (`_f`, `_i`, `_s`, `_b`; `_q` and `_src` are integers), so that an edited
    data type never conflicts. Integers fit 64 bits signed.
    """

    measurement: str
    tags: tuple[tuple[str, str], ...]  # sorted by key
    time_ns: int
    fields: Mapping[str, FieldValue]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A point that the store refuses for ever, and why; `index` is its place in the written sequence."""

    index: int
    reason: str


class StoreUnavailable(Exception):  # noqa: N818 - reads as what happened
    """The store cannot take anything now; nothing, part or all of the call may be in it. Write again later."""


class UnsupportedOperation(Exception):  # noqa: N818 - reads as what happened
    """This server has no way to do that; it never will, and nothing was done."""


class Store(Protocol):
    """Where points end up.

    Used from one thread at a time. Every network call inside has a timeout.
    """

    def write(self, points: Sequence[Point]) -> Sequence[Refusal]:
        """Store points; they are durable when this returns, all but the refused ones.

        Raises:
            StoreUnavailable: the database is away, full, or answers with an error that may pass.
        """

    def writing(self, points: Sequence[Point]) -> Generator[None, None, Sequence[Refusal]]:
        """Do what `write` does in steps of one request each: to find the refused lines may take thousands.

        Raises:
            StoreUnavailable: as `write`, at any step.
        """

    def read(self, measurement: str, start_ns: int, stop_ns: int) -> Iterator[Point]:
        """Yield the points of a measurement with start <= time < stop, ordered by (tags, time)."""

    def measurements(self) -> Sequence[str]:
        """Return the names of all measurements, sorted."""

    def ping(self) -> None:
        """Return if the store would take a write now.

        Raises:
            StoreUnavailable: it would not.
        """

    def close(self) -> None:
        """Release connections and files; the store is not used afterwards."""


def finish(steps: Generator[object, None, T]) -> T:
    """Do all steps at once; return what comes out at the end."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            result: T = done.value
            return result
