"""The configuration and the answers of people, joined into what readiness calls a plant and its calendar.

    native > mentor > guess      what the device says of itself goes before what people say, that before a tool

Among people the answers count before the configuration, because they were asked for and carry a name and a date;
wherever two differ, the other one is listed. Nothing that was measured is in here: what an answer says against a
measurement is for `readiness.contradictions`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date, time
from typing import TYPE_CHECKING, Any

from answers import join_calendar, join_records, join_signals
from answers.hearing import Hearing, Signed, Voice
from contract.codec import checksum, encode
from readiness.inventory import Machine
from readiness.plant import About, Plant, configured

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from answers.hearing import Heard
    from answers.load import Given
    from answers.sections import Entry
    from readiness.catalog import Link
    from readiness.plant import Meaning
    from readiness.schedule import Calendar

ABOUT = tuple(field.name for field in fields(About))
DERIVED = frozenset({"said", "answers", "contradictions", "hash"})
OWN_MACHINE = ("name", "weight", "path")


@dataclass(frozen=True, slots=True)
class Joined:
    """What was said, ready for an assessment.

    Attributes:
        plant: For `readiness.report.assess`.
        calendar: Likewise; it cuts days as the configuration's does.
    """

    plant: Plant
    calendar: Calendar

    def ranges(self) -> Mapping[str, Meaning]:
        """Return the signals, `{machine}/{signal}`, of whose values people say a range."""
        return {name: m for name, m in self.plant.meanings.items() if m.limits is not None or m.usual is not None}


def join(catalog: Sequence[Link], machines: Sequence[Machine], calendar: Calendar, sets: Sequence[Given]) -> Joined:
    """Return configuration and answers as one.

    Args:
        catalog: The configured sources; where their signals have `labels`, values may be called by these.
        machines: The configured inventory.
        calendar: The configured one.
        sets: What was answered, at most one set a source; in any order.
    """
    hearing = Hearing()
    for given in sets:
        _hear(hearing, given)
    heard = hearing.settle()
    base = configured(catalog, machines)
    inventory = _machines(hearing, heard, base.machines)
    known = frozenset(machine.id for machine in inventory)
    records = join_records.Records(hearing, heard, known, calendar)
    plant = Plant(
        machines=inventory,
        signed=_signed(heard),
        about=_about(hearing, heard, known),
        meanings=join_signals.meanings(hearing, heard, catalog, base.meanings, known),
        loops=join_signals.loops(hearing, heard, catalog, known),
        products=records.products(join_signals.names(catalog)),
        hand_counts=records.hand_counts(),
        reasons=records.stop_reasons(),
        systems=records.systems(join_signals.names(catalog)),
        use=records.use(),
        bills=records.bills(),
        claims=records.claims(),
        onboardings=records.onboardings(),
        answers=sorted(f"{given.source} {given.answers.serial} {given.digest}" for given in sets),
        said={
            f"{subject} {name}".strip(): (one.voice.who, one.voice.when)
            for subject, found in heard.items()
            for name, one in found.items()
        },
    )
    whole = join_calendar.calendar(hearing, heard, calendar)
    listed = sorted(hearing.contradictions, key=lambda c: (c.code, c.subject, c.said, c.who))
    return Joined(replace(plant, contradictions=tuple(listed), hash=identity(plant)), whole)


def voice_of(given: Given, entry: Entry | None = None) -> Voice:
    """Return who says an entry, and when."""
    answers = given.answers
    who = answers.author if entry is None or entry.by is None else entry.by
    when = answers.date if entry is None or entry.on is None else entry.on
    return Voice(when.isoformat(), answers.serial, given.source, who)


def _hear(hearing: Hearing, given: Given) -> None:
    """Take down every answer of a set under what it is about."""
    answers = given.answers
    if answers.inventory is not None:
        signed = answers.inventory
        voice = Voice(signed.on.isoformat(), answers.serial, given.source, signed.signed_by)
        hearing.add("inventory", "signed", Signed(signed.signed_by, signed.on.isoformat()), voice)
    for part, name in (
        (answers.machines, "machine"),
        (answers.signals, "signal"),
        (answers.products, "product"),
        (answers.systems, "system"),
    ):
        for entry in part:
            _fields(hearing, f"{name} {entry.id}", entry, voice_of(given, entry))
    records: tuple[tuple[Sequence[Entry], str, tuple[str, ...]], ...] = (
        (answers.loops, "loop", ("machine", "name")),
        (answers.hand_counts, "hand_count", ("machine", "from_", "to")),
        (answers.stop_reasons, "stop_reason", ("machine", "from_", "to")),
        (answers.use, "use", ("day", "system", "account")),
        (answers.bills, "bill", ("month",)),
        (answers.onboardings, "onboarding", ("machine",)),
    )
    for whole, name, key in records:
        for one in whole:
            every = {field: getattr(one, field) for field in type(one).model_fields}
            bare = one.model_copy(update={**every, "by": None, "on": None, "proof": None})
            hearing.add(f"{name} {_key(one, key)}", "", bare, voice_of(given, one))
    for claim in answers.claims:
        voice = voice_of(given, claim)
        hearing.add(f"claim {claim.metric} {claim.machine or ''} {voice.who}", "", claim.value, voice)
    if answers.calendar is not None:
        join_calendar.hear(hearing, answers.calendar, lambda entry: voice_of(given, entry))


def _key(entry: Any, key: tuple[str, ...]) -> str:
    separator = "/" if key == ("machine", "name") else " "
    return separator.join(str(getattr(entry, name)) for name in key)


def _fields(hearing: Hearing, subject: str, entry: Entry, voice: Voice) -> None:
    """Take down what an entry answers, field by field: what is not written is not answered."""
    for name in sorted(entry.model_fields_set - {"by", "on", "proof", "id"}):
        value = getattr(entry, name)
        if value is None:
            continue
        if subject.startswith("product ") and name in {"ideal", "per_count"}:
            for of, number in value.items():  # each machine's, or signal's, is an answer of its own
                hearing.add(subject, f"{name} {of}", number, voice)
        else:
            hearing.add(subject, name, value, voice)


def _machines(
    hearing: Hearing, heard: Mapping[str, Mapping[str, Heard]], configuration: Sequence[Machine]
) -> tuple[Machine, ...]:
    """Return the inventory: the configured machines, and those that people name beside them."""
    found = {machine.id: machine for machine in configuration}
    for subject, answers in heard.items():
        kind, _, name = subject.partition(" ")
        if kind != "machine":
            continue
        base = found.get(name)
        if base is None:
            if "name" not in answers:
                first = min(answers.items(), default=None)
                if first is not None:
                    hearing.differs("unknown_machine", subject, first[0], first[1], "")
                continue
            base = Machine(id=name, name=answers["name"].value)
        wanted = {field: one for field, one in answers.items() if field in OWN_MACHINE}
        for field, one in wanted.items():
            was = getattr(base, field)
            default = was in (None, 1.0) or (field == "name" and was == base.id)
            if name in {m.id for m in configuration} and not default and was != one.value:
                hearing.differs("configuration", subject, field, one, str(was))
        found[name] = replace(base, **{f: one.value for f, one in wanted.items()})
    _same_names(hearing, heard, found)
    return tuple(found.values())


def _same_names(
    hearing: Hearing, heard: Mapping[str, Mapping[str, Heard]], machines: Mapping[str, Machine]
) -> None:
    """List answers that give a machine another one's name: counted twice, it would stand in every denominator."""
    called: dict[str, list[str]] = defaultdict(list)
    for machine in machines.values():
        called["".join(machine.name.casefold().split())].append(machine.id)
    for ids in called.values():
        for name in ids if len(ids) > 1 else ():
            if (one := heard.get(f"machine {name}", {}).get("name")) is not None:
                others = ", ".join(other for other in ids if other != name)
                hearing.differs("same_name", f"machine {name}", "name", one, others)


def _about(hearing: Hearing, heard: Mapping[str, Mapping[str, Heard]], known: frozenset[str]) -> dict[str, About]:
    found = {}
    for subject, answers in heard.items():
        kind, _, name = subject.partition(" ")
        if kind != "machine" or name not in known:
            continue
        said = {field: one for field, one in answers.items() if field in ABOUT}
        before = said.get("previous")
        if before is not None and before.value not in known:
            hearing.differs("unknown_machine", subject, "previous", before, "")
            del said["previous"]
        if said:
            found[name] = About(**{field: one.value for field, one in said.items()})
    return found


def _signed(heard: Mapping[str, Mapping[str, Heard]]) -> tuple[str, str] | None:
    one = heard.get("inventory", {}).get("signed")
    return None if one is None else (one.value.by, one.value.on)


def identity(plant: Plant) -> str:
    """Return 64 bits over what formulas look at, as hex; the order of entries changes nothing."""
    looked_at = {f.name: _canonical(getattr(plant, f.name)) for f in fields(plant) if f.name not in DERIVED}
    return checksum(encode(looked_at))


def _canonical(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _canonical(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return sorted(([_canonical(key), _canonical(inner)] for key, inner in value.items()), key=encode)
    if isinstance(value, list | tuple | frozenset | set):
        return sorted(map(_canonical, value), key=encode)
    return value.isoformat() if isinstance(value, date | time) else value
