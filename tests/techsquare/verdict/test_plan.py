"""Plans: what is refused, what the hash holds; comparison machines: who is chosen, in any order of candidates."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from techsquare.verdict.controls import MOST, Candidate, choose
from techsquare.verdict.phases import Window
from techsquare.verdict.plan import digest, last_baseline_day, refusals
from techsquare.verdict.terms import Use
from tests.techsquare.verdict.shop import FIRST, noise, plan_of, series_of

if TYPE_CHECKING:
    from techsquare.verdict.terms import Plan

PLAN = replace(plan_of([f"c{i}" for i in range(5)]), use=Use("mes", "opened", 5))
PLAN = replace(PLAN, hash=digest(PLAN))
BASELINE = Window(FIRST, FIRST + timedelta(days=39))
DAY = timedelta(days=1)


def changed(**what: object) -> Plan:
    plan = replace(PLAN, **what)  # type: ignore[arg-type]
    return replace(plan, hash=digest(plan))


@pytest.mark.parametrize(
    ("plan", "refused"),
    [
        (PLAN, ()),
        (changed(treated=()), ("no_machine",)),
        (changed(treated=("t", "t")), ("no_machine",)),
        (changed(treated=("c1",)), ("treated_is_control",)),
        (changed(applied=FIRST), ("baseline_before_application",)),
        (changed(baseline=(FIRST + 31 * DAY, FIRST + 39 * DAY)), ("baseline_short",)),
        (changed(verdict_on=PLAN.installed + 24 * DAY), ("after_short",)),
        (changed(extended_to=PLAN.verdict_on), ("extension_before_verdict",)),
        (changed(frozen=PLAN.installed), ("frozen_late",)),
        (changed(frozen=PLAN.baseline[1]), ("frozen_late",)),
        (changed(verdict_on=FIRST + 367 * DAY, extended_to=FIRST + 400 * DAY), ("too_long",)),
        (changed(least=0.0), ("no_least",)),
        (changed(least=float("nan")), ("no_least",)),
        (changed(use=Use("mes", "opened", 0)), ("bad_rhythm",)),
        (replace(PLAN, least=3.0), ("wrong_hash",)),
        (changed(controls=(), over="none"), ()),
    ],
)
def test_what_keeps_a_plan_from_being_frozen(plan: Plan, refused: tuple[str, ...]) -> None:
    assert refusals(plan) == refused


def test_the_hash_holds_every_field() -> None:
    other = {
        "project": "q", "metric": "scrap", "unit": "1", "sign": -1, "treated": ("u",), "controls": ("c9",),
        "over": "sites", "applied": date(2026, 1, 1), "frozen": FIRST, "baseline": (FIRST, FIRST + DAY),
        "installed": FIRST, "blackout_days": 3, "verdict_on": FIRST, "extended_to": FIRST, "least": 9.0,
        "use": None, "evidence": "other",
    }  # fmt: skip
    assert set(other) | {"hash"} == {field.name for field in fields(PLAN)}
    for name, value in other.items():
        assert digest(replace(PLAN, **{name: value})) != PLAN.hash, name  # type: ignore[arg-type]
    assert digest(replace(PLAN, hash="x", treated=["t"])) == PLAN.hash


def test_the_last_day_of_a_baseline_is_before_the_blackout() -> None:
    assert last_baseline_day(PLAN.installed) == PLAN.baseline[1]


def candidate(
    rng: np.random.Generator,
    name: str,
    site: str,
    *,
    level: float = 60.0,
    sd: float = 4.0,
    process: str = "press",
    touched: bool = False,
    lost: float = 0.0,
) -> Candidate:
    values = level + noise(rng, 0.4, (40,), 1.0)
    values = level + sd * (values - values.mean()) / values.std()
    series = series_of(values, name, site)
    coverage = np.where(np.arange(40) < round(lost * 40), 0.0, 1.0)
    return Candidate(replace(series, coverage=coverage), process, touched)


def test_the_own_site_comes_first_and_everybody_else_hears_why_not() -> None:
    rng = np.random.default_rng(1)
    treated = candidate(rng, "t", "home").series
    fit = [candidate(rng, f"h{i}", "home", level=60 + i) for i in range(6)]
    unfit = {
        "t": candidate(rng, "t", "home"),
        "touched": candidate(rng, "touched", "home", touched=True),
        "process": candidate(rng, "process", "home", process="lathe"),
        "coverage": candidate(rng, "coverage", "home", lost=0.3),
        "dark": candidate(rng, "dark", "home", lost=0.9),
        "level": candidate(rng, "level", "home", level=80),
        "restless": candidate(rng, "restless", "home", sd=9.0),
        "calm": candidate(rng, "calm", "home", sd=1.0),
        "other": candidate(rng, "other", "away"),
        "far": candidate(rng, "far", "away", level=67),
    }
    candidates = [*fit, *unfit.values()]
    found = choose([treated], "press", candidates, BASELINE, 5.0)
    assert (found.controls, found.over) == (tuple(f"h{i}" for i in range(6)), "site")
    assert found.unfit == {
        "t": "treated", "touched": "touched", "process": "process", "coverage": "coverage", "dark": "coverage",
        "level": "level", "restless": "restless", "calm": "restless", "other": "not_needed", "far": "level",
    }  # fmt: skip
    for _ in range(20):
        order = [candidates[i] for i in rng.permutation(len(candidates)).tolist()]
        again = choose([treated], "press", order, BASELINE, 5.0)
        assert (again.controls, again.over) == (found.controls, found.over)
        assert dict(again.unfit) == dict(found.unfit)


def test_other_sites_give_two_machines_each_and_four_sites_are_too_few() -> None:
    rng = np.random.default_rng(2)
    treated = candidate(rng, "t", "home").series
    home = [candidate(rng, f"h{i}", "home") for i in range(4)]
    away = [candidate(rng, f"{site}{i}", site, level=60 + i) for site in "abcde" for i in range(3)]
    found = choose([treated], "press", [*home, *away], BASELINE, 5.0)
    assert found.over == "sites"
    assert sorted(found.controls) == sorted(f"{site}{i}" for site in "abcde" for i in range(2))
    assert {found.unfit[f"{site}2"] for site in "abcde"} == {"not_needed"}
    few = choose([treated], "press", [*home, *away[:12]], BASELINE, 5.0)
    assert (few.controls, few.over) == ((), "none")


def test_no_more_machines_than_help() -> None:
    rng = np.random.default_rng(3)
    treated = candidate(rng, "t", "home").series
    many = [candidate(rng, f"h{i:02d}", "home", level=60 + i / 10) for i in range(30)]
    assert choose([treated], "press", many, BASELINE, 5.0).controls == tuple(f"h{i:02d}" for i in range(MOST))
    sites = [candidate(rng, f"s{i:02d}{j}", f"s{i:02d}") for i in range(15) for j in range(2)]
    found = choose([treated], "press", sites, BASELINE, 5.0)
    assert (len(found.controls), found.over) == (MOST, "sites")
    assert len({name[:3] for name in found.controls}) == MOST // 2


def test_a_treated_machine_without_days_has_nothing_to_be_compared_with() -> None:
    rng = np.random.default_rng(4)
    dark = candidate(rng, "t", "home", lost=0.9).series
    found = choose([dark], "press", [candidate(rng, f"h{i}", "home") for i in range(6)], BASELINE, 5.0)
    assert (found.controls, found.over, found.unfit) == ((), "none", {"t": "treated"})
    with pytest.raises(ValueError, match="one site"):
        choose([dark, candidate(rng, "u", "away").series], "press", [], BASELINE, 5.0)
