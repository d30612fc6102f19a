"""What signals mean and which of them form loops, as configured and as answered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from readiness.catalog import key
from readiness.plant import ControlLoop, Meaning, kwh_per
from readiness.view import CONDITION
from settings.document import scalar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from answers.hearing import Heard, Hearing
    from answers.sections import LoopAnswer
    from readiness.catalog import Link, Tag
    from readiness.records import Label

PLAIN = (
    "specific", "action", "advice", "planned", "modulus", "resets", "resets_with", "factor", "meter", "pattern",
    "limits", "usual", "critical", "used",
)  # fmt: skip
"""Answers that go into a meaning as they are."""
TRUE, FALSE = frozenset({"true", "1"}), frozenset({"false", "0"})


def names(catalog: Sequence[Link]) -> frozenset[str]:
    """Return all configured signals, `{machine}/{signal}`."""
    return frozenset(key(tag) for source in catalog for tag in source.signals)


def meanings(
    hearing: Hearing,
    heard: Mapping[str, Mapping[str, Heard]],
    catalog: Sequence[Link],
    base: Mapping[str, Meaning],
    machines: frozenset[str],
) -> dict[str, Meaning]:
    """Return what signals mean: the configuration's word, and over it that of the answers."""
    tags = {key(tag): tag for source in catalog for tag in source.signals}
    found = dict(base)
    for subject, answers in heard.items():
        kind, _, name = subject.partition(" ")
        if kind != "signal" or not answers:
            continue
        machine, _, signal = name.partition("/")
        first = min(answers)
        if machine not in machines:
            hearing.differs("unknown_machine", subject, first, answers[first], "")
            continue
        tag = tags.get(name)
        if tag is None and not signal.startswith(CONDITION):
            hearing.differs("unknown_signal", subject, first, answers[first], "")
        along = answers.get("resets_with")
        if along is not None and f"{machine}/{along.value}" not in tags:
            hearing.differs("unknown_signal", subject, "resets_with", along, "")
        found[name] = _meaning(hearing, subject, answers, tag, base.get(name))
    return found


def _meaning(
    hearing: Hearing, subject: str, answers: Mapping[str, Heard], tag: Tag | None, base: Meaning | None
) -> Meaning:
    made = base or Meaning(role=None, origin="mentor")
    role = answers.get("role")
    if role is not None:
        made = _with_role(hearing, subject, role, tag, made)
    changes: dict[str, Any] = {name: answers[name].value for name in PLAIN if name in answers}
    for name in ("states", "reasons"):
        if name in answers:
            changes[name] = {
                label: meant
                for text, meant in answers[name].value.items()
                if (label := _label(hearing, subject, name, answers[name], text, tag)) is not None
            }
    if "automatic" in answers:
        one = answers["automatic"]
        labels = (_label(hearing, subject, "automatic", one, text, tag) for text in one.value)
        changes["automatic"] = frozenset(label for label in labels if label is not None)
    if tag is not None:
        for name, was in (("limits", tag.instrument_range), ("usual", tag.eu_range)):
            if name in changes and was is not None and tuple(was) != tuple(changes[name]):
                hearing.differs("configuration", subject, name, answers[name], f"{was[0]:g}, {was[1]:g}")
        per_unit = kwh_per(tag.unit) if made.role == "energy" else 1.0
        if made.role == "energy" and tag.unit and "factor" in changes and per_unit not in {None, changes["factor"]}:
            hearing.differs("configuration", subject, "factor", answers["factor"], f"{per_unit:g} ({tag.unit})")
        if per_unit is None:  # the unit is no energy: only a person can say what a count is
            sure = "factor" in changes and (role is not None or tag.role_confirmed)
            changes["origin"] = made.origin if made.origin == "native" else "mentor" if sure else "guess"
    return replace(made, **changes)


def _with_role(hearing: Hearing, subject: str, role: Heard, tag: Tag | None, base: Meaning) -> Meaning:
    """Return the meaning with the answered role; a device's own word stays, and a guess gives way in silence."""
    wanted = None if role.value == "none" else role.value
    if base.origin == "native":
        if base.role != wanted:
            hearing.differs("native", subject, "role", role, str(base.role))
        return base
    if base.role is not None and base.origin == "mentor" and base.role != wanted:
        hearing.differs("configuration", subject, "role", role, base.role)
    factor = kwh_per(tag.unit) if wanted == "energy" and tag is not None else 1.0
    return replace(base, role=wanted, origin="mentor", factor=factor or 1.0)


def _label(hearing: Hearing, subject: str, name: str, heard: Heard, text: str, tag: Tag | None) -> Label | None:
    """Return a value as the signal says it, by its type or by the configuration's word; None if it cannot."""
    found = scalar(text) if tag is None else _typed(text, tag)
    if found is None:
        hearing.differs(
            "no_such_value", subject, name, replace(heard, value=text), "" if tag is None else tag.dtype
        )
    return found


def _typed(text: str, tag: Tag) -> Label | None:
    if tag.dtype == "string":
        return text
    if tag.dtype == "bool" and text.casefold() in TRUE | FALSE:
        return text.casefold() in TRUE
    called = {label: number for number, label in getattr(tag, "labels", ())}
    if text in called:
        number: int = called[text]
        return bool(number) if tag.dtype == "bool" else number
    value = scalar(text)
    if tag.dtype == "bool" or isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if tag.dtype.startswith("float"):
        return float(value)
    return int(value) if value == int(value) else None


def loops(
    hearing: Hearing,
    heard: Mapping[str, Mapping[str, Heard]],
    catalog: Sequence[Link],
    machines: frozenset[str],
) -> tuple[ControlLoop, ...]:
    """Return the control loops whose machine and signals are there, by name."""
    there = names(catalog)
    found = []
    for subject, answers in sorted(heard.items()):
        if not subject.startswith("loop "):
            continue
        one = answers[""]
        loop: LoopAnswer = one.value
        shown = replace(one, value=f"{loop.sp}, {loop.pv}")
        if loop.machine not in machines:
            hearing.differs("unknown_machine", subject, "", shown, "")
            continue
        lacking = [s for s in (loop.sp, loop.pv, loop.op, loop.mode) if s and f"{loop.machine}/{s}" not in there]
        if lacking:
            hearing.differs("unknown_signal", subject, "", replace(one, value=", ".join(lacking)), "")
        found.append(
            ControlLoop(
                machine=loop.machine, name=loop.name, sp=loop.sp, pv=loop.pv, op=loop.op, mode=loop.mode,
                band=loop.band, tau_s=None if loop.tau is None else loop.tau / 1e9, by_system=loop.by_system,
            )
        )  # fmt: skip
    return tuple(found)
