"""The states of a machine: exclusive spans, made of what its state signals said and what people say that means.

One enumeration tells everything. Several bits tell one state each: a true bit says more than a false one, and among
those that are true the order is fault, setup, executing, standby, off, because a lamp for "running" often stays on
in a fault. Bits tell the state only while all of them are known. What cannot be true at once (executing and off),
and what two enumerations contradict each other in, is unknown and counted as a conflict. A value without a meaning
is unknown too. Unknown time is never spread over states.

Of a day on which a track was cut (a state that changes more often than each 43 s), segments shorter than a minute
have no place within their quarter hour, only a length: `Brief`. Their sum is exact; what part of it lies in planned
time is only estimated for quarter hours that are planned in part.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from readiness.plant import STATES
from readiness.spans import EMPTY, Spans, difference, intersection, union

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from readiness.plant import Meaning, State
    from readiness.seen import Labelled
    from readiness.view import View

PRECEDENCE: tuple[State, ...] = ("fault", "setup", "executing", "standby", "off")
Said = dict["State", Spans]


@dataclass(frozen=True, slots=True)
class Brief:
    """Short segments of one state in one quarter hour."""

    at_ns: int
    state: State
    length_ns: int
    begins: int


@dataclass(frozen=True, slots=True, eq=False)
class States:
    """The states of one machine over the window, not only in planned time.

    Attributes:
        names: The state signals that this comes from; empty if there are none with evidence.
        spans: Exclusive; all states are there, some empty.
        known: Their union.
        brief: What only the sums of a cut track know.
        placed: Time whose value is known by place, with or without a meaning; `brief` lies outside of it.
        conflict: Unknown, because what was said cannot be true at once.
        overlap: Two true bits said different states at once (resolved, or a conflict).
    """

    names: tuple[str, ...]
    spans: Mapping[State, Spans]
    known: Spans
    brief: tuple[Brief, ...]
    placed: Spans
    conflict: Spans
    overlap: Spans


def states_of(view: View, machine: str) -> States:
    """Return the states of a machine, from signals for whose meaning somebody stands."""
    bits: list[tuple[Meaning, Labelled]] = []
    whole: list[tuple[Meaning, Labelled]] = []
    names = []
    for name in view.signals(machine, "state"):
        meaning, track = view.plant.meaning(name), view.seen.track(name)
        if track is not None and meaning.states:
            names.append(name)
            (bits if all(isinstance(label, bool) for label in meaning.states) else whole).append((meaning, track))
    said = [_said(meaning, track) for meaning, track in whole]
    overlap = conflict = EMPTY
    if bits:
        resolved, overlap, conflict = _of_bits(bits)
        said.append(resolved)
    merged = {state: union(*(one.get(state, EMPTY) for one in said)) for state in STATES}
    conflict = union(conflict, _collisions(list(merged.values())))
    spans = {state: difference(merged[state], conflict) for state in STATES}
    both = [*bits, *whole]
    return States(
        names=tuple(names),
        spans=spans,
        known=union(*spans.values()),
        brief=_brief(*both[0]) if len(both) == 1 else (),
        placed=union(*(track.known for _, track in both)),
        conflict=conflict,
        overlap=overlap,
    )


def _said(meaning: Meaning, track: Labelled) -> Said:
    return {state: track.where(lambda label: meaning.states.get(label) == state) for state in STATES}  # noqa: B023


def _of_bits(bits: Sequence[tuple[Meaning, Labelled]]) -> tuple[Said, Spans, Spans]:
    """Return the states that bits tell, where two true ones said different states, and where that cannot be."""
    known = bits[0][1].known
    for _, track in bits[1:]:
        known = intersection(known, track.known)

    def told(state: State, *, true: bool) -> Spans:
        found = [
            track.where(lambda label: bool(label) is true and meaning.states.get(label) == state)  # noqa: B023
            for meaning, track in bits
        ]
        return intersection(union(*found), known)

    strong = {state: told(state, true=True) for state in PRECEDENCE}
    impossible = intersection(strong["executing"], strong["off"])
    resolved: Said = dict.fromkeys(PRECEDENCE, EMPTY)
    taken = EMPTY
    for layer in (strong, {state: told(state, true=False) for state in PRECEDENCE}):
        for state in PRECEDENCE:
            more = difference(layer[state], taken)
            resolved[state], taken = union(resolved[state], more), union(taken, more)
    return resolved, _collisions(list(strong.values())), impossible


def _collisions(sets: Sequence[Spans]) -> Spans:
    """Return what lies in two of the sets at least."""
    return union(*(intersection(a, b) for a, b in combinations(sets, 2)))


def _brief(meaning: Meaning, track: Labelled) -> tuple[Brief, ...]:
    return tuple(
        Brief(short.at_ns, meaning.states[short.label], short.length_ns, short.begins)
        for short in track.rest
        if short.label in meaning.states
    )
