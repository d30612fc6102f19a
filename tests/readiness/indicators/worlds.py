"""Stories of one machine made into views with more: what tags say, records of loops, a second machine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from msgspec import structs

from readiness.evidence import dump, load
from readiness.inventory import Machine
from readiness.plant import Meaning
from tests.readiness.indicators.press import EXECUTING, STATE, shift
from tests.readiness.indicators.story import NOTHING, WITHOUT_SCHEDULE, Story

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from readiness.evidence import DayEvidence
    from readiness.plant import Plant
    from readiness.records import Label
    from readiness.view import View

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

BITS = (False, True)
MODE = Meaning(role="mode", automatic=frozenset({1}))


def view_of(
    story: Story,
    *,
    tags: Mapping[str, Mapping[str, object]] | None = None,
    edit: Callable[[int, DayEvidence], DayEvidence] = lambda _, record: record,
    say: Callable[[Plant], Plant] = lambda plant: plant,
    others: Mapping[str, Story] | None = None,
) -> View:
    """Return the view of a story.

    Args:
        story: Of the machine `press`.
        tags: Signal -> fields of its configuration.
        edit: (day, evidence) -> evidence.
        say: Adds to what people say.
        others: Machine -> its story, told as if it were a press too.
    """
    view = story.view()
    records, catalog, plant = list(view.days), list(view.catalog), view.plant
    for name, other in (others or {}).items():
        told_of = other.view()
        renamed = [load(dump(day).replace(b'"press', f'"{name}'.encode())) for day in told_of.days]
        records = [
            structs.replace(a, sources=[*a.sources, *b.sources]) for a, b in zip(records, renamed, strict=True)
        ]
        for source in told_of.catalog:
            signals = tuple(replace(tag, machine=name) for tag in source.signals)  # type: ignore[type-var]
            ids = {part: getattr(source, part).replace("press", name, 1) for part in ("id", "device")}
            catalog.append(replace(source, signals=signals, **ids))  # type: ignore[type-var]
        meanings = {f"{name}/{signal}": meaning for signal, meaning in other.meanings.items()}
        plant = replace(
            plant, machines=[*plant.machines, Machine(name, name)], meanings={**plant.meanings, **meanings}
        )
    found = []
    for source in catalog:
        own = tuple(replace(tag, **(tags or {}).get(tag.id, {})) for tag in source.signals)  # type: ignore[type-var]
        found.append(replace(source, signals=own))  # type: ignore[type-var]
    edited = [edit(day, record) for day, record in enumerate(records)]
    return replace(view, days=edited, catalog=found, plant=say(plant))


def presses(story: Story, at: Sequence[int] | Ints, length: int = 1) -> tuple[Ints, tuple[bool, bool]]:
    """Return a bit that is true for `length` readings from each of `at` on."""
    row = np.zeros(story.n, np.int64)
    for reading in np.asarray(at).tolist():
        row[reading : reading + length] = 1
    return row, BITS


def working(days: int = 14, step_s: int = 60, **more: object) -> Story:
    """Return a story with a state as `press.shift` tells it."""
    story = Story(days=days, step_s=step_s)
    tracks = {"state": (shift(story), (0, 1, 2, 3, 4))}
    return replace(story, tracks=tracks, meanings={"state": STATE}, **more)  # type: ignore[arg-type]


def told(story: Story, **tracks: tuple[Ints, Sequence[Label], Meaning]) -> Story:
    """Return a story with more tracks and their meanings; a dash in a name is written as `_`."""
    rows = {name.replace("_", "-"): (row, labels) for name, (row, labels, _) in tracks.items()}
    meanings = {name.replace("_", "-"): meaning for name, (*_, meaning) in tracks.items()}
    return replace(
        story,
        tracks={**story.tracks, **rows},
        meanings={**story.meanings, **meanings},
    )


def executing(story: Story) -> Bools:
    """Return the readings in which the machine executed in planned time."""
    return np.asarray((story.tracks["state"][0] == EXECUTING) & story.planned())


def days_of(story: Story, mask: Bools) -> NDArray[np.float64]:
    """Return the time of some readings per day, nanoseconds."""
    found: NDArray[np.float64] = mask.reshape(story.days, -1).sum(axis=1) * (story.step_s * 1e9)
    return found


__all__ = [
    "BITS",
    "MODE",
    "NOTHING",
    "WITHOUT_SCHEDULE",
    "days_of",
    "executing",
    "presses",
    "told",
    "view_of",
    "working",
]
