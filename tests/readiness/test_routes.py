"""Signals that are read by another source than before: a poll group is cut anew, a device gets another name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from readiness.indicators import REGISTRY
from readiness.indicators.base import Census, Missing, Shares
from readiness.outcomes import outcome
from readiness.routes import routes
from readiness.spans import Spans, difference
from tests.readiness.indicators.made import DAYS, PRODUCTION_DAYS, days, part, record, view, whole
from tests.readiness.plant import HOUR, MINUTE, planned, signal, source

if TYPE_CHECKING:
    from agent.frame import Source
    from readiness.indicators.base import Outcome

TAGS = tuple(signal("press", number) for number in range(3))
OLD = source("press", TAGS)
MOVED: dict[str, list[Source]] = {
    "another group": [replace(OLD, id="press-plc.fast")],
    "another device": [replace(OLD, id="gateway.main", device="gateway")],
    "two groups": [replace(OLD, signals=TAGS[:2]), replace(OLD, id="press-plc.slow", signals=TAGS[2:])],
}
CHANGE = 20
"""Day from which on the new sources are read: fewer than ten production days before the end."""


def found(sources: list[Source], metric: str, *, outage: bool = False) -> Outcome:
    """Return what is found when sources take over; the old one may have been away for an hour on each day."""

    def old(day: int) -> Spans:
        lost = Spans.between(planned(day, 2), planned(day, 3))
        return difference(whole(day), lost) if outage else whole(day)

    before = [record(d, [part(OLD, d, live=old(d), known={t.id: old(d) for t in TAGS})]) for d in range(CHANGE)]
    return outcome(view(sources, before + days(sources)[CHANGE:]), REGISTRY[metric], "press")


@pytest.mark.parametrize("sources", MOVED.values(), ids=MOVED)
@pytest.mark.parametrize("metric", ["C03", "A01", "Q01"])
def test_the_days_before_stay_the_machines(sources: list[Source], metric: str) -> None:
    said = found(sources, metric)
    assert isinstance(said, Shares), said
    assert (said.den > 0).sum() == len(PRODUCTION_DAYS)
    assert said.num.sum() == said.den.sum()


@pytest.mark.parametrize("sources", MOVED.values(), ids=MOVED)
def test_a_new_name_makes_no_outage_vanish(sources: list[Source]) -> None:
    hours = len([d for d in PRODUCTION_DAYS if d < CHANGE])
    link = found(sources, "C03", outage=True)
    assert isinstance(link, Shares)
    assert (link.den - link.num).sum() == hours * HOUR
    assert found(sources, "X01", outage=True).shown["outages"] == hours
    reach = found(sources, "C01")
    assert isinstance(reach, Census)
    assert reach.value == 1.0


def test_routes_are_those_of_now_and_those_of_the_same_signals_before() -> None:
    now = view(MOVED["another device"], [*days([OLD])[:CHANGE], *days(MOVED["another device"])[CHANGE:]])
    assert routes(now, "press") == [
        ("gateway.main", "gateway", "poll", MINUTE), ("press-plc.main", "press-plc", "poll", MINUTE),
    ]  # fmt: skip
    other = replace(OLD, id="old.main", signals=(signal("press", 9),))
    assert [r.id for r in routes(view([OLD], days([other, OLD])), "press")] == [OLD.id], "its signals are gone"


def test_signals_with_new_names_have_no_days_before() -> None:
    new = replace(OLD, signals=tuple(replace(tag, id=f"{tag.id}x") for tag in TAGS))
    for metric in ("A01", "Q01"):
        said = found([new], metric)
        assert isinstance(said, Missing)
        assert said.reason == "NA_SHORT_WINDOW"
    assert DAYS - CHANGE < 10
