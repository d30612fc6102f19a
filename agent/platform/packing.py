"""A closed day of this agent as it goes to the reporter, and what came from another agent as readiness needs it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from agent.errors import WireError
from answers.load import read
from contract.codec import encode
from contract.evidence import (
    CONTENT_LIMIT,
    EvidenceAlarm,
    EvidenceAnswers,
    EvidenceMachine,
    EvidenceSource,
    EvidenceTag,
    EvidenceTally,
    FactoryDay,
    open_content,
)
from readiness.inventory import Machine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from agent.config.model import AgentConfig
    from agent.frame import Signal, Source
    from answers.load import Given

logger = logging.getLogger(__name__)


def pack(
    config: AgentConfig,
    sets: Iterable[Given],
    date: str,
    evidence: bytes,
    tallies: Mapping[tuple[str, str], Mapping[int, int]],
) -> bytes:
    """Return the content of a day as it is sent, and sent again.

    Args:
        config: In force.
        sets: Answers in force; left out, with a word in the log, where the day would be too large with them.
        date: The production day.
        evidence: Its canonical bytes.
        tallies: (ISO date, key) -> bucket -> number; those of other days are passed over.
    """
    day = FactoryDay(
        factory=config.factory,
        site=config.site,
        agent=config.agent,
        date=date,
        config=config.config_hash(),
        machines=[EvidenceMachine(m.id, m.name, m.weight, m.path) for m in config.inventory()],
        sources=[_source(source) for source in config.sources()],
        evidence=msgspec.Raw(evidence),
        answers=[EvidenceAnswers(given.source, given.text) for given in sets],
        tallies=[
            EvidenceTally(key, sorted(buckets.items()))
            for (day_of, key), buckets in sorted(tallies.items())
            if day_of == date
        ],
    )
    content = encode(day)
    if len(content) > CONTENT_LIMIT and day.answers:
        logger.warning("the answers are too many to go to the reporter: give them to the reporter itself")
        content = encode(msgspec.structs.replace(day, answers=[]))
    return content


def _source(source: Source) -> EvidenceSource:
    return EvidenceSource(
        id=source.id,
        device=source.device,
        protocol=source.protocol,
        mode=source.mode,
        interval_ns=source.interval_ns,
        signals=[_tag(signal) for signal in source.signals],
    )


def _tag(signal: Signal) -> EvidenceTag:
    alarm = signal.alarm
    return EvidenceTag(
        id=signal.id,
        machine=signal.machine,
        name=signal.name,
        dtype=str(signal.dtype),
        unit=signal.unit,
        description=signal.description,
        role=signal.role,
        role_confirmed=signal.role_confirmed,
        instrument_range=signal.instrument_range,
        eu_range=signal.eu_range,
        path=signal.path,
        labels=list(signal.labels),
        alarm=None if alarm is None else EvidenceAlarm(alarm.text, alarm.priority),
        found=signal.found,
        burst_of=signal.burst_of,
    )


class Told(NamedTuple):
    """What an agent was when its latest day closed."""

    date: str
    machines: Sequence[Machine]
    sources: Sequence[EvidenceSource]
    sets: Sequence[Given]


def told(content: bytes) -> Told | None:
    """Return what a day that was taken says of its agent; None for what cannot be read."""
    try:
        day = open_content(content)
    except WireError as exc:
        logger.warning("a day of another agent cannot be read: %s", exc)
        return None
    sets = []
    for one in day.answers:
        given, problems = read(one.text.encode(), one.source)
        if given is None:
            logger.warning("answers that %s has sent are left out: %s", day.agent, problems[0].text.en)
        else:
            sets.append(given)
    machines = [Machine(m.id, m.name, m.weight, m.path) for m in day.machines]
    return Told(day.date, machines, day.sources, sets)
