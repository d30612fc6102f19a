"""The window: which time counts, what signals mean, and windows of other lengths."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from agent.frame import DataType, Signal, Source
from readiness.inventory import Machine
from readiness.plant import Meaning, Plant, configured
from readiness.spans import EMPTY, Spans, intersection, union
from readiness.view import View
from tests.readiness.seconds import (
    CALENDAR,
    DAY,
    DAY_S,
    NOTHING,
    SECOND,
    START,
    World,
    model,
    per_day,
    planned,
    spans,
)

DAYS = 3


def world(seed: int = 1) -> World:
    rng = np.random.default_rng(seed)
    column = np.repeat(rng.integers(NOTHING, 2, DAYS * DAY_S // 600), 600)
    off = np.repeat(rng.random(DAYS * DAY_S // 1800) < 0.2, 1800)
    return World(DAYS, {"a": (column, (0, 1))}, censored=off)


def days(mask: np.ndarray) -> list[float]:
    return [float(second * SECOND) for second in per_day(mask)]


def test_the_time_that_counts_is_planned_in_service_and_not_our_own_fault() -> None:
    it = world()
    view, counts = it.view(), planned(DAYS) & ~it.censored  # type: ignore[operator]
    known = it.tracks["a"][0] != NOTHING
    assert view.domain("press-plc.main") == spans(counts)
    assert view.machine_domain("press") == spans(counts)
    assert view.spans("press/a") == spans(known)
    assert view.by_day("press-plc.main", view.spans("press/a")).tolist() == days(counts & known)
    assert view.machine_by_day("press", view.spans("press/a")).tolist() == days(counts & known)
    assert view.by_day("press-plc.main", EMPTY).tolist() == [0.0] * DAYS
    for nobody in (
        view.by_day("nobody", view.spans("press/a")),
        view.machine_by_day("nobody", view.spans("press/a")),
    ):
        assert nobody.tolist() == [0.0] * DAYS
    assert view.domain("nobody") == view.machine_domain("nobody") == view.spans("press/nobody") == EMPTY


def test_a_machine_with_two_sources_counts_while_one_of_them_does() -> None:
    it = world()
    whole = it.evidence()
    parts = []
    for day in whole:
        late = msgspec.structs.replace(
            day.sources[0], source="late", service=[6 * 3600 * SECOND, 18 * 3600 * SECOND]
        )
        early = msgspec.structs.replace(day.sources[0], service=[0, 3 * 3600 * SECOND])
        parts.append(msgspec.structs.replace(day, sources=[early, late]))
    view = it.view()
    view = View(
        days=parts, tallies={}, catalog=view.catalog, plant=it.plant(), calendar=CALENDAR, now_ns=view.now_ns,
        model=model(), length=DAYS,
    )  # fmt: skip
    expected = union(view.domain("press-plc.main"), view.domain("late"))
    second = np.arange(DAYS * DAY_S) % DAY_S
    served = (second < 3 * 3600) | (second >= 6 * 3600)
    assert view.machine_domain("press") == expected == spans(planned(DAYS) & served & ~it.censored)  # type: ignore[operator]
    both = view.machine_by_day("press", view.spans("press/a")).sum()
    assert both == intersection(expected, view.spans("press/a")).length()


def test_a_signal_counts_on_the_days_on_which_its_source_had_it() -> None:
    it = world()
    first, *later = it.evidence()
    without = msgspec.structs.replace(first.sources[0], signals={}, tracks={})
    view = it.view()
    view.days = [msgspec.structs.replace(first, sources=[without]), *later]
    late = np.arange(DAYS * DAY_S) >= DAY_S
    assert view.domain_of("press/a") == spans(planned(DAYS) & ~it.censored & late)  # type: ignore[operator]
    assert view.per_day(view.domain_of("press/a")).tolist() == days(planned(DAYS) & ~it.censored & late)  # type: ignore[operator]
    assert view.domain_of("press/x") == EMPTY


def test_signals_are_found_by_role_and_a_guess_is_none() -> None:
    it = world()
    it.tracks = dict.fromkeys(("a", "b", "c", "d"), it.tracks["a"])
    it.meanings = {
        "b": Meaning(role="pv"), "a": Meaning(role="pv", origin="native"), "c": Meaning(role="pv", origin="guess"),
        "d": Meaning(role="state", origin="guess"), "gone": Meaning(role="sp"),
    }  # fmt: skip
    view = it.view()
    assert view.signals("press", "pv") == ["press/a", "press/b"]
    assert view.guessed("press", "pv") == ["press/c"]
    assert view.signals("press", "sp") == []  # neither configured nor ever seen
    assert view.signals("lathe", "pv") == view.guessed("lathe", "pv") == []
    assert view.lack("press", "pv") is None
    assert view.lack("press", "state") == "NA_ROLE_UNCONFIRMED"
    assert view.lack("press", "pv", "state") == "NA_ROLE_UNCONFIRMED"
    assert view.lack("press", "state", "sp") == "NA_NO_EVIDENCE"
    assert view.roles("press") == {"confirmed": 2, "guessed": 2}
    assert view.inventory is view.plant.machines
    assert view.source_of("press/a") == "press-plc.main"
    assert view.source_of("press/x") is None


def test_a_condition_that_a_server_reports_is_an_alarm_whatever_anybody_says() -> None:
    it = world()
    column = it.tracks["a"]
    it.tracks = {"a": column, "alarm:17": column, "alarm:18": column}
    assert it.view().signals("press", "alarm") == ["press/alarm:17", "press/alarm:18"]
    it.meanings = {
        "alarm:18": Meaning(role="alarm", specific=True),
        "alarm:17": Meaning(role="alarm", origin="guess"),
    }
    assert it.view().signals("press", "alarm") == ["press/alarm:18"]


def test_a_window_of_another_length_ends_with_the_same_day_and_is_made_once() -> None:
    view = world().view()
    one = view.over(1)
    assert one is view.over(1)
    assert view.over(DAYS) is view
    assert one.dates == view.dates[-1:]
    assert one.machine_domain("press") == view.machine_domain("press").clip(START + 2 * DAY, START + 3 * DAY)
    assert one.derived is not view.derived
    long = view.over(400)
    assert len(long.dates) == 400
    assert long.machine_by_day("press", Spans.of([(0, 2**62)])).sum() == view.machine_domain("press").length()
    assert long.dates[-1] - long.dates[0] == timedelta(days=399)


@pytest.mark.parametrize("length", [1, 2, 3])
def test_what_is_seen_ends_with_the_window(length: int) -> None:
    it = world()
    view = it.view(length)
    assert len(view.seen.records) == length
    column = it.tracks["a"][0]
    begin = (DAYS - length) * DAY_S
    late = np.arange(DAYS * DAY_S) >= begin
    found = view.seen.track("press/a")
    assert found is not None
    assert found.spans_of([1]) == spans((column == 1) & late)


def test_a_configuration_alone_says_what_was_written_and_marks_guesses() -> None:
    def signal(name: str, **about: object) -> Signal:
        return Signal(id=name, machine="press", name=name, dtype=DataType.UINT32, **about)  # type: ignore[arg-type]

    tags = (
        signal("s", role="state", role_confirmed=True),
        signal("n", role="count_total"),
        signal("x"),
        signal("e", role="energy", role_confirmed=True, unit="Wh"),
        signal("k", role="energy", role_confirmed=True, unit="kWh"),
        signal("g", role="energy", role_confirmed=True, unit="GJ"),
    )
    source = Source(id="p.main", device="p", protocol="xgt", mode="poll", interval_ns=SECOND, signals=tags)
    found = configured([source], [Machine("press", "프레스")])
    assert isinstance(found, Plant)
    assert [m.name for m in found.machines] == ["프레스"]
    assert {name: (m.role, m.origin) for name, m in found.meanings.items()} == {
        "press/s": ("state", "mentor"), "press/n": ("count_total", "guess"), "press/e": ("energy", "mentor"),
        "press/k": ("energy", "mentor"), "press/g": ("energy", "mentor"),
    }  # fmt: skip
    factors = [found.meaning(f"press/{name}").factor for name in "nekg"]
    assert factors == pytest.approx([1.0, 0.001, 1.0, 277.7777778])
    assert found.meaning("press/x").role is None
    assert not found.meaning("press/s").states


def test_what_is_read_in_bursts_is_seen_and_never_expected() -> None:
    view = world().view()
    source: Any = view.catalog[0]
    fast = replace(source, id="press-plc.fast", mode="burst", interval_ns=SECOND // 10)
    other = replace(fast, signals=tuple(replace(s, id=f"{s.id}-fast", role="pv") for s in fast.signals))
    both = View(
        days=view.days, tallies={}, catalog=[*view.catalog, other], plant=view.plant, calendar=CALENDAR,
        now_ns=view.now_ns, model=model(), length=DAYS,
    )  # fmt: skip
    assert both.tags == view.tags
    assert both.fast == {"press": [(other, tag) for tag in other.signals]}
    assert view.fast == {"press": []}
    assert both.roles("press") == view.roles("press")
    assert both.source_of("press/a-fast") is None
    for name in ("pv", "state"):
        assert both.signals("press", name) == view.signals("press", name)
    assert both.counting("press").tolist() == view.counting("press").tolist()
