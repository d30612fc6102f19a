"""Who says what, of several that say it: one answer counts, and where two differ both are listed.

    hearing.add(subject, field, value, voice)    each answer of each set
    hearing.settle()                              subject -> field -> the one that counts

The later answer counts: by its date, then by the serial of its set, then by its source and text, so that the result
is the same in whatever order sets are heard.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from readiness.plant import Contradiction

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMES = frozenset({"ideal", "tau"})
"""Fields in nanoseconds."""
KEYS = frozenset({"machine", "from", "to", "day", "system", "account", "month"})
"""Fields of records that stand in their subject."""
_OF_PRODUCT = re.compile(r" (?:ideal|per_count) ([^ /]+)[^ ]*$")


@dataclass(frozen=True, slots=True, order=True)
class Voice:
    """Who says something: `when` is an ISO date; `source` is file or message."""

    when: str
    serial: int
    source: str
    who: str


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer with who gave it."""

    value: Any
    voice: Voice


@dataclass(frozen=True, slots=True)
class Signed:
    """Who stands for something, and since when; of the two only the date is shown."""

    by: str
    on: str


@dataclass(slots=True)
class Hearing:
    """Collects answers.

    Attributes:
        contradictions: Filled by `settle`.
    """

    contradictions: list[Contradiction] = field(default_factory=list)
    _heard: dict[str, dict[str, list[Heard]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )

    def add(self, subject: str, name: str, value: Any, voice: Voice) -> None:
        """Take one answer.

        Args:
            subject: What it is about: a kind and an id, `machine press-1`.
            name: Which of its fields.
            value: What is answered; equal values agree.
            voice: Who says it.
        """
        self._heard[subject][name].append(Heard(value, voice))

    def settle(self) -> Mapping[str, Mapping[str, Heard]]:
        """Return by subject and field the answer that counts, and list those that differ from it."""
        settled: dict[str, dict[str, Heard]] = {}
        for subject in sorted(self._heard):
            settled[subject] = {}
            for name in sorted(self._heard[subject]):
                row = sorted(self._heard[subject][name], key=lambda h: (h.voice, spoken(name, h.value)))
                last = settled[subject][name] = row[-1]
                for other in row[:-1]:
                    if other.value != last.value:
                        self.differs(
                            "two_answers", subject, name, other, f"{spoken(name, last.value)} ({last.voice.when})"
                        )
        return settled

    def differs(self, code: str, subject: str, name: str, heard: Heard, seen: str) -> None:
        """List a contradiction; it goes into reports, so nothing in it but `who` names a person."""
        found = Contradiction(
            code=code,
            subject=f"{_impersonal(subject)} {name}".strip(),
            machine=machine_of(f"{subject} {name}"),
            said=spoken(name, heard.value),
            seen=seen,
            who=heard.voice.who,
            when=heard.voice.when,
        )
        if found not in self.contradictions:
            self.contradictions.append(found)


def machine_of(subject: str) -> str | None:
    """Return the machine that a subject with its field belongs to, None for the plant."""
    kind, _, rest = subject.partition(" ")
    if kind in {"machine", "signal", "loop", "hand_count", "stop_reason", "onboarding"}:
        return rest.split(" ")[0].split("/")[0]
    if kind == "claim":  # its metric, its machine or nothing, its author
        return rest.split(" ")[1] or None
    if kind == "product" and (of := _OF_PRODUCT.search(rest)) is not None:
        return of[1]
    return None


def _impersonal(subject: str) -> str:
    """Return a subject without the person whose claim it is."""
    return " ".join(subject.split(" ")[:3]).strip() if subject.startswith("claim ") else subject


def spoken(name: str, value: Any) -> str:
    """Return the value of a field as a report shows it; times as people write them."""
    timed = name.partition(" ")[0] in TIMES and isinstance(value, int)
    return f"{value / 1e9:g}s" if timed else shown(value)


def shown(value: Any) -> str:
    """Return a value as a report shows it, at most 120 characters; mappings in one order."""
    if isinstance(value, Signed):
        text = value.on
    elif isinstance(value, BaseModel):
        said = {name.rstrip("_"): spoken(name, inner) for name, inner in value if inner is not None}
        text = shown({name: inner for name, inner in said.items() if name not in KEYS})
    elif isinstance(value, dict):
        text = ", ".join(f"{key}: {shown(inner)}" for key, inner in sorted(value.items(), key=repr))
    elif isinstance(value, tuple | list | frozenset):
        text = ", ".join(sorted(map(shown, value)) if isinstance(value, frozenset) else map(shown, value))
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, float):
        text = f"{value:g}"
    else:
        text = "-" if value is None else str(value)
    return text if len(text) <= 120 else f"{text[:119]}…"
