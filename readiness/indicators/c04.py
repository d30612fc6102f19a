"""C04 Self-description: signals that the device itself names and types, found by browsing and not typed by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from readiness.catalog import key
from readiness.conduits import OPCUA
from readiness.indicators.base import Census, Indicator, Missing, Outcome

if TYPE_CHECKING:
    from readiness.view import View

BROWSED = "browse"


def evaluate(view: View, machine: str) -> Outcome:
    """Return the share of a machine's used signals that describe themselves."""
    native = view.native()
    told = {link.device for link in view.catalog for tag in link.signals if native.get(key(tag))}
    flags: set[str] = set()
    described = asked = unused = silent = 0
    for link, tag in view.tags.get(machine, ()):
        if link.mode == "burst":  # the same value again, faster
            continue
        if view.plant.meaning(key(tag)).used is False:
            unused += 1
            continue
        if link.protocol != OPCUA:
            asked += 1
            flags.add("NOT_BROWSABLE")
            continue
        if link.device not in told:
            silent += 1
            continue
        asked += 1
        said = native[key(tag)]
        if tag.found != BROWSED:
            flags.add("TYPED_BY_HAND" if tag.found == "manual" else "NOT_BROWSED")
        elif "type" not in said:
            flags.add("NOT_CONFIRMED")
        elif not said & {"name", "companion"}:
            flags.add("UNREADABLE_NAMES")
        else:
            described += 1
    if not asked:
        return Missing("NA_NO_EVIDENCE")
    return Census(
        described / asked,
        asked,
        quality="partial" if silent else "measured",
        flags=tuple(sorted(flags)),
        shown={"described": described, "asked": asked, "unused": unused, "silent": silent},
    )


INDICATOR = Indicator(
    id="C04",
    ko="자기기술성",
    en="Self-description",
    unit="1",
    formula="used signals found by browsing whose device tells a type and a name that can be read (or a node of "
    "a companion specification) / used signals; all configured signals are used unless a person says "
    "otherwise",
    source="readiness.md 7.3 C; decision 0047",
    inputs=("catalog", "native", "inventory", "meanings"),
    reasons=("NA_NO_INVENTORY", "NA_NO_EVIDENCE"),
    guard="what the file says of how a signal was found counts only where the device confirms the node "
    "(NOT_CONFIRMED); names that are addresses are no names (UNREADABLE_NAMES); of a protocol that "
    "cannot be browsed 0 is the truth (NOT_BROWSABLE); signals left out as unused are shown; devices "
    "that were never asked are left out, quality partial",
    evaluate=evaluate,
)
