"""Whether a newer diagnosis is worth storing beside the latest one. Pure.

It is when an owner or a mentor would act differently, and at least once a month while days come in, so that there
is a line over time:

    first       there is none
    kind        it rests on something better (or worse), or is of another day of entry
    standing    a result has come to another state
    formulas    of the days or of the readiness model
    rates       what a piece or an hour is worth
    losses      one has come or gone, or now lies where the old one said it does not: the middle of one is outside
                the span of the other, in won where both have a price, as a share of planned time otherwise
    level       the evidence level
    contradictions   one has come or gone, whatever was seen this time
    gaps        another one is among the three dearest, or those of a machine are surer (or less sure)
    month       28 days since
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Why = Literal[
    "first", "kind", "standing", "formulas", "rates", "losses", "level", "contradictions", "gaps", "month"
]
MONTH_DAYS = 28
TOP = 3


def worth(old: Mapping[str, Any] | None, new: Mapping[str, Any], days: int) -> Why | None:
    """Return why a diagnosis is worth storing, or None.

    Args:
        old: Body of the latest stored one, None without one.
        new: Body of what would be stored.
        days: Since the old one was stored.
    """
    if old is None or old.get("version") != new["version"]:
        return "first"
    for why, part in PARTS:
        if part(old) != part(new):
            return why
    if _moved(old, new):
        return "losses"
    return "month" if days >= MONTH_DAYS else None


def _level(body: Mapping[str, Any]) -> Any:
    report = body["report"] or {}
    return report.get("level"), report.get("model")


def _gaps(body: Mapping[str, Any]) -> Any:
    top = body["gaps"][:TOP]
    return {one["id"] for one in top}, sorted({(one["machine"] or "", one["confidence"]) for one in body["gaps"]})


PARTS: tuple[tuple[Why, Callable[[Mapping[str, Any]], Any]], ...] = (
    ("kind", lambda body: (body["kind"], body["state"])),
    (
        "standing",  # what follows from a diagnosis is not news of it
        lambda body: [
            (one["result"], one["state"]) for one in body["standings"] if one["result"] not in {"roadmap", "offers"}
        ],
    ),
    ("formulas", lambda body: body["formulas"]),
    ("rates", lambda body: body["rates"]),
    ("level", _level),
    (
        "contradictions",
        lambda body: [(one["code"], one["subject"], one.get("machine")) for one in body["contradictions"]],
    ),
    ("gaps", _gaps),
)


def _moved(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    before = {(one["machine"], one["bucket"]): one for one in old["losses"]}
    after = {(one["machine"], one["bucket"]): one for one in new["losses"]}
    if before.keys() != after.keys():
        return True
    return any(_apart(before[at], after[at]) for at in after)


def _apart(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Return whether a loss lies where the other one says that it does not."""
    if (old["won_year"] is None) != (new["won_year"] is None):
        return True
    name = "share" if new["won_year"] is None else "won_year"
    a, b = old[name], new[name]
    return not (b["low"] <= _middle(a) <= b["high"] and a["low"] <= _middle(b) <= a["high"])


def _middle(span: Mapping[str, float]) -> float:
    return (span["low"] + span["high"]) / 2
