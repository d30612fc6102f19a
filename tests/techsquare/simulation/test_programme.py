"""A whole programme: nothing lost, nothing twice, the same bytes, and no word that cannot be said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from itertools import pairwise

import pytest

from techsquare.catalogue.load import load
from techsquare.cli import main
from techsquare.simulation.advised import SECOND
from techsquare.simulation.market import past, vendors
from techsquare.simulation.programme import simulate
from techsquare.simulation.report import lines, report
from techsquare.simulation.terms import ENDS, Setting
from techsquare.verdict.plan import refusals
from techsquare.verdict.terms import DECIDED
from tests.techsquare.simulation.worlds import ALONE, NOTHING, SMALL, books, run


def test_the_same_seed_gives_the_same_bytes_in_processes_that_hash_differently() -> None:
    said = []
    for hashing in ("1", "2"):
        words = [sys.executable, "-m", "techsquare.cli", "simulate"]
        words += ["--seed", "5", "--factories", "30", "--months", "5", "--promised", "0", "--json"]
        told = subprocess.run(words, check=True, capture_output=True, env=os.environ | {"PYTHONHASHSEED": hashing})
        said.append(told.stdout)
    assert said[0] == said[1]
    figures = json.loads(said[0])
    assert figures["setting"]["factories"] == 30
    here = json.dumps(report(simulate(Setting(5, 30, 5, promised=0.0), books())), ensure_ascii=False, indent=1)
    assert said[0].decode("utf-8") == here + "\n"
    others = (vendors(Setting(seed, 30, 8), load().entries) for seed in (5, 6))
    assert next(others) != next(others)


def test_every_engagement_ends_in_exactly_one_state() -> None:
    done = run(SMALL)
    ends = report(done)["ends"]
    assert isinstance(ends, dict)
    assert tuple(ends) == ENDS
    assert sum(ends.values()) == len(done.engagements) > 20
    for one in done.engagements.values():
        assert (one.end == "running") == (one.ended is None)
        assert (one.verdict is not None) == (one.end in DECIDED | {"cannot_tell", "cause_not_shown"})
        assert one.verdict is None or (one.verdict.word == one.end and one.effect is not None)
        assert one.end != "supplier_gone" or not one.began
    named = [name for case in done.cases.values() for name in case.done]
    assert Counter(named) == Counter(list(done.engagements))
    running = [case.running for case in done.cases.values() if case.running]
    assert sorted(running) == sorted(name for name, one in done.engagements.items() if one.end == "running")


def test_projects_of_a_factory_follow_each_other_and_plans_can_be_frozen() -> None:
    done, by_plant = run(SMALL), defaultdict(list)
    for one in done.engagements.values():
        by_plant[one.plant].append(one)
        case = done.cases[one.plant]
        assert case.applied < one.baseline[0] < one.baseline[1] < one.installed
        assert (one.accepted - case.applied).days >= 60
        if one.plan is not None:
            assert not refusals(one.plan)
            assert one.plan.frozen > one.accepted
            assert not set(one.plan.treated) & set(one.plan.controls)
    for projects in by_plant.values():
        projects.sort(key=lambda one: one.accepted)
        for earlier, later in pairwise(projects):
            assert earlier.ended is not None
            assert earlier.ended <= later.accepted
            assert later.baseline[0] > earlier.ended
            assert earlier.item.id != later.item.id


def test_no_comparison_machine_is_changed_between_its_baseline_and_the_verdict_unseen() -> None:
    done = run(SMALL)
    compared = 0
    for one in done.engagements.values():
        if one.plan is None or one.verdict is None:
            continue
        for other in done.engagements.values():
            if other is one or not other.began:
                continue
            for machine in other.machines:
                second = machine in other.second
                known, on = other.accepted, other.installed
                if second:
                    assert other.plan is not None
                    known, on = other.plan.frozen, other.installed + SECOND
                    if other.verdict is None or machine in other.dropped:
                        continue
                named = f"{done.world.plants[other.plant].id}/{machine}"
                if named in one.plan.controls and one.plan.baseline[0] <= on < (one.ended or one.plan.verdict_on):
                    assert known >= one.plan.frozen, "known when the plan was made"
                    assert one.verdict.controls < len(one.plan.controls)
        compared += one.verdict.controls > 0
    assert compared > 5


def test_mentors_are_never_overloaded_or_in_conflict_and_suppliers_keep_to_their_slots() -> None:
    done = run(SMALL)
    assert all(one.most <= one.capacity for one in done.mentors)
    mentors = {one.id: one for one in done.mentors}
    for case in done.cases.values():
        if case.mentor is not None:
            mentor, group = mentors[case.mentor], done.world.plants[case.plant].group
            assert group is None or group not in mentor.parties
    parties = {vendor.supplier.id: vendor.supplier.parties for vendor in done.market}
    for one in done.engagements.values():
        mentor = mentors[done.cases[one.plant].mentor or ""]
        assert not parties[one.vendor] & mentor.parties
        assert one.vendor not in one.item.excluded
    slots = {vendor.supplier.id: vendor.supplier.slots for vendor in done.market}
    taken = Counter((one.vendor, (one.accepted - SMALL.begins).days // 90) for one in done.engagements.values())
    assert all(count <= slots[vendor] for (vendor, _), count in taken.items())


def test_without_comparison_machines_it_never_says_improved() -> None:
    done = run(ALONE)
    words = Counter(one.word for one in done.engagements.values() if one.verdict is not None)
    assert sum(words.values()) > 10
    assert set(words) <= {"cannot_tell", "cause_not_shown"}
    assert all(one.plan is None or one.plan.over == "none" for one in done.engagements.values())


def test_without_any_true_gain_at_most_three_percent_are_called_improved() -> None:
    done = run(NOTHING)
    told = [one for one in done.engagements.values() if one.verdict is not None]
    compared = [one for one in told if one.plan is not None and one.plan.over != "none"]
    assert all(one.effect == 0 for one in told)
    assert len(compared) > 40
    assert sum(one.word == "improved" for one in told) <= 0.03 * len(told)
    assert report(done)["won"]["platform"]["net"] < 0  # type: ignore[index]


def test_a_programme_shows_true_gains_and_its_record_grows_by_its_verdicts() -> None:
    done = run(SMALL)
    verdicts = report(done)["verdicts"]
    assert isinstance(verdicts, dict)
    assert verdicts["words"].get("improved", 0) > 0
    assert verdicts["improved_without_comparison"] == 0
    told = Counter((one.vendor, one.product.solution.family) for one in done.engagements.values() if one.verdict)
    before = past(SMALL, done.market)
    for key, count in told.items():
        was, now = before.get(key), done.counts[key]
        old = (was.decided + was.cannot_tell + was.cause_not_shown) if was else 0
        assert now.decided + now.cannot_tell + now.cause_not_shown == old + count


def test_figures_can_be_read_as_lines() -> None:
    text = lines(report(run(SMALL)))
    assert any(line.startswith("  improved false") for line in text)
    assert not any("None" in line and "to" not in line for line in text)


@pytest.mark.parametrize("words", [["--factories", "29"], ["--months", "61"], ["--gain", "-1"]])
def test_what_cannot_be_simulated_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", *words]) == 2
    assert "can be simulated" in capsys.readouterr().err
