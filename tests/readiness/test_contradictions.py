"""What people said against what was measured: listed when it does not fit, and only then."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from contract.report import Value
from readiness.contradictions import CODES, listed, measured
from readiness.plant import About, Claim, Contradiction, Meaning, configured
from readiness.report import assess
from tests.readiness.plant import SITE, Plant, model, source
from tests.readiness.seconds import DAY_S, NOTHING, World

DAYS = 2
SECONDS = np.arange(DAYS * DAY_S)
WHO = ("박 멘토", "2026-11-20")


def codes_of(**world: Any) -> list[tuple[str, str, str, str]]:
    found = measured(World(DAYS, **world).view(), [])
    assert all(c.code in CODES for c in found)
    return [(c.code, c.machine or "", c.said, c.seen) for c in found]


def alarm(active: Any, said: str, **more: Any) -> list[tuple[str, str, str, str]]:
    return codes_of(
        tracks={"oil": (np.where(active, 1, 0), (False, True))},
        meanings={"oil": Meaning(role="alarm", **more)},
        about={"about": {"press": About(has_alarms=said)}, "said": {"machine press has_alarms": WHO}},  # type: ignore[arg-type]
    )


def test_no_alarms_and_one_was_active() -> None:
    once = SECONDS == DAY_S + 5000
    assert alarm(once, "no") == [("alarms_seen", "press", "no", "press/oil")]
    assert alarm(SECONDS < 0, "no") == []
    assert alarm(once, "yes") == alarm(once, "unknown") == []
    assert alarm(once, "no", origin="guess") == [], "nobody stands for it that this is an alarm"


def test_who_said_it_and_when_stands_with_it() -> None:
    view = World(
        1, {"oil": (np.ones(DAY_S, int), (False, True))}, meanings={"oil": Meaning(role="alarm")},
        about={"about": {"press": About(has_alarms="no")}, "said": {"machine press has_alarms": WHO}},
    ).view()  # fmt: skip
    (found,) = measured(view, [])
    assert (found.who, found.when, found.subject) == (*WHO, "machine press has_alarms")


@pytest.mark.parametrize(
    ("labels", "seen"),
    [
        (("A", "B", ""), ["products_seen"]),
        (("A", "", "0"), []),
        ((7, 0, 8), ["products_seen"]),
        (("A", "A", ""), []),
    ],
)
def test_one_product_and_more_were_shown(labels: Any, seen: list[str]) -> None:
    row = SECONDS // 3600 % 3
    world: Any = {
        "tracks": {"product": (row, labels)},
        "meanings": {"product": Meaning(role="product")},
        "about": {"about": {"press": About(single_product="yes")}},
    }
    if len(set(labels)) == len(labels):
        assert [code for code, *_ in codes_of(**world)] == seen
    world["about"] = {"about": {"press": About(single_product="no")}}
    assert codes_of(**world) == []


@pytest.mark.parametrize("modulus", [100, 4000, 8639, 8640, 65536])
def test_a_counter_beyond_its_modulus(modulus: int) -> None:
    count = SECONDS % DAY_S // 10  # 0 to 8639, set back each day
    found = codes_of(counters={"n": count}, meanings={"n": Meaning(role="count_total", modulus=modulus)})
    largest = int(count.max())
    assert found == ([("modulus_passed", "press", str(modulus), str(largest))] if largest >= modulus else [])


def test_the_largest_count_may_lie_before_a_step_back() -> None:
    count = np.where(SECONDS < 40_000, SECONDS // 4, SECONDS // 400)
    found = codes_of(counters={"n": count}, meanings={"n": Meaning(role="count_total", modulus=9000)})
    assert found == [("modulus_passed", "press", "9000", "9999")]
    dark = np.where((SECONDS > 30_000) & (SECONDS < 50_000), NOTHING, count)
    assert codes_of(counters={"n": dark}, meanings={"n": Meaning(role="count_total", modulus=9000)}) == []


def value(number: float | None, lo: float | None = None, hi: float | None = None) -> Value:
    return Value(metric="V03", machine="press", unit="1", evidence="0" * 16, value=number, lo=lo, hi=hi)


@pytest.mark.parametrize(
    ("claim", "measured_", "seen"),
    [
        (0.85, value(0.6, 0.55, 0.65), "0.55-0.65"),
        (0.60, value(0.6, 0.55, 0.65), None),
        (0.653, value(0.6, 0.55, 0.65), None),  # rounded
        (0.66, value(0.6, 0.55, 0.65), "0.55-0.65"),
        (0.5, value(0.6, 0.55, 0.65), "0.55-0.65"),
        (1.0, value(0.5), "0.5"),  # a census has no interval
        (0.5, value(0.5), None),
        (9.0, value(5.0, 4.0, None), None),  # unbounded above
        (3.0, value(5.0, 4.0, None), "4-"),
        (0.85, value(None), None),  # not assessed: nothing stands against it
    ],
)
def test_a_claim_against_the_interval(claim: float, measured_: Value, seen: str | None) -> None:
    said = Claim(metric="V03", value=claim, machine="press", author=WHO[0], date=WHO[1])
    found = measured(World(1, about={"claims": [said]}).view(), [measured_])
    wanted = Contradiction(
        code="claim", subject="V03", machine="press", said=f"{claim:g}", seen=seen or "", who=WHO[0], when=WHO[1]
    )
    assert found == ([] if seen is None else [wanted])
    other = Claim(metric="V02", value=claim, machine="press", author=WHO[0], date=WHO[1])
    assert measured(World(1, about={"claims": [other]}).view(), [measured_]) == []


def test_all_of_an_assessment_of_machines_and_of_the_plant() -> None:
    """Half of the readings are bad: who claims that all are good is contradicted, a stranger is passed over."""

    def half(_: Any, number: int, times: Any) -> Any:
        return np.where(np.arange(len(times)) % 2, 0x80050000, 0) * (number >= 0)

    small = Plant([source("press-1")], status=half)
    claims = [
        Claim(metric=metric, value=number, machine=machine, author="김", date="2026-11-01")
        for metric, number, machine in (
            ("A01", 1.0, None), ("A01", 1.0, "press-1"), ("A01", 0.5, "press-1"), ("A01", 1.0, "ghost"),
            ("Z99", 1, "press-1"),
        )
    ]  # fmt: skip
    first = Contradiction(code="two_answers", subject="x", machine=None, said="a", seen="b", who="c", when="d")
    said = dataclasses.replace(configured(small.sources, small.inventory), claims=claims, contradictions=(first,))
    made = assess(small.evidence(), {}, small.sources, said, small.calendar, small.end, model(), SITE)
    found = listed(made)
    report = made.plant()
    assert [(c.code, c.said, c.machine) for c in report.contradictions] == [
        (c.code, c.said, c.machine) for c in found
    ]
    assert "김".encode() not in made.retained(), "who has said it stays in the factory"
    of_machine = made.machine("press-1")
    assert of_machine is not None
    assert [c.machine for c in of_machine.contradictions] == ["press-1"]
    assert found[0] == first
    assert [(c.code, c.subject, c.machine, c.said) for c in found[1:]] == [
        ("claim", "A01", None, "1"), ("claim", "A01", "press-1", "1"),
    ]  # fmt: skip
