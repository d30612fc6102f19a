"""Whatever days, answers and rates there are: a diagnosis adds up, is finite, and never guesses."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from techsquare.diagnosis.split import split
from techsquare.diagnosis.terms import LOSSES, MachineDay, Rates, Source, Tell
from techsquare.entry.stages import Facts
from techsquare.services.diagnosing import MOST_WON, Known, diagnose
from techsquare.services.measured import Measured, machine_day
from techsquare.services.said import Told, form
from techsquare.span import Span
from tests.techsquare.services.made import row

DAY = date(2026, 3, 2)
TELL: tuple[Tell, ...] = ("yes", "no", "unknown")


def maybe(rng: random.Random, most: float = 1.0) -> float | None:
    return None if rng.random() < 0.3 else rng.choice([0.0, most, rng.uniform(0, most)])


def a_day(rng: random.Random, machine: str, number: int, source: Source) -> MachineDay:
    planned = rng.choice([0.0, 1.0, 28_800.0, 86_400.0])
    parts = [maybe(rng) for _ in range(5)]
    whole = max(1.0, sum(part or 0.0 for part in parts))
    times = [None if part is None else planned * part / whole for part in parts]
    made, priced, checked = times[0], maybe(rng), maybe(rng)
    ideal = None if made is None or priced is None else made * priced
    return MachineDay(
        machine, DAY + timedelta(days=number), planned, sum(t or 0.0 for t in times), production_s=made,
        setup_s=times[1], fault_s=times[2], standby_s=times[3], off_s=times[4],
        ideal_s=None if ideal is None else ideal * rng.uniform(0, 1.3), priced_s=ideal,
        good_s=None if ideal is None or checked is None else ideal * checked * rng.random(),
        checked_s=None if ideal is None or checked is None else ideal * checked,
        pieces=maybe(rng, 1e9), energy_kwh=maybe(rng, 1e9), source=source,
        formulas="" if source == "counted" else "1",
    )  # fmt: skip


def some_days(rng: random.Random) -> list[MachineDay]:
    found = []
    sources: list[tuple[Source, ...]] = [("measured",), ("counted",), ("measured", "counted")]
    for machine in rng.choice([(), ("main",), ("a",), ("a", "b"), ("a", "main")]):
        for source in rng.choice(sources):
            numbers = rng.sample(range(84), rng.choice([1, 3, 20]))
            found += [a_day(rng, machine, number, source) for number in numbers]
    return sorted(found, key=lambda d: (d.machine, d.day, d.source))


def some_answers(rng: random.Random) -> dict[str, float | str | None]:
    known = [str(q.id) for q in form().questions]
    values: list[float | str | None] = [None, -1.0, 1e12, "yes", "no", "press", "?", 0.0]
    return {
        name: rng.choice(values) if rng.random() < 0.4 else rng.uniform(0, 100)
        for name in rng.sample(known, rng.choice([0, 2, 20]))
    }


def won(rng: random.Random) -> Span | None:
    low, high = sorted(rng.choice([0, 500, 20_000, 10**13]) for _ in range(2))
    return None if rng.random() < 0.3 else Span(low, high)


def some_rates(rng: random.Random) -> Rates:
    return Rates(
        contribution_piece=won(rng), scrap_piece=won(rng), staff_hour=won(rng), avoidable_hour=won(rng),
        tariff_kwh=won(rng), limits={m: rng.choice(TELL) for m in ("a", "main")}, orders_wait=rng.choice(TELL),
        attended={"a": 1.5} if rng.random() < 0.5 else {},
    )  # fmt: skip


def spans(thing: Any) -> Any:
    """Give every span of a body."""
    if isinstance(thing, dict):
        if set(thing) == {"low", "high"}:
            yield thing
        for one in thing.values():
            yield from spans(one)
    elif isinstance(thing, list):
        for one in thing:
            yield from spans(one)


@pytest.mark.parametrize("seed", range(40))
def test_any_diagnosis_adds_up_and_says_what_it_does_not_know(seed: int) -> None:
    rng = random.Random(seed)
    days, answers, rates = some_days(rng), some_answers(rng), some_rates(rng)
    machine = rng.choice(["main", "a", "c"])
    told = Told(answers, machine, "2026-03-01" if answers else None, (), rates)
    facts = Facts(3, answered=told.answered, connected=1, measured=len({d.day for d in days}))
    known = Known(Measured(days, ["1"], 0, (), ()), (), told, None, (), facts)
    found = diagnose(known)
    if found is None:
        assert not told.answered
        assert not any(d.planned_s > 0 for d in days)
        return
    again = diagnose(replace(known, rows=known.rows._replace(days=tuple(reversed(days)))))
    assert again is not None
    assert again.hash == found.hash
    json.dumps(found.body, allow_nan=False)
    assert all(one["low"] <= one["high"] for one in spans(found.body))
    for account in found.body["accounts"]:
        if account["source"] == "answered":
            assert account["machine"] == machine
            assert not any(d.machine == machine and d.planned_s > 0 and d.known_s > 0 for d in days)
            continue
        rows: dict[date, list[MachineDay]] = {}
        for one in days:
            if one.machine == account["machine"]:
                rows.setdefault(one.day, []).append(one)
        taken = [
            next(
                (d for d in sorted(of, key=lambda d: d.source, reverse=True) if d.known_s > 0),
                max(of, key=lambda d: d.source),
            )
            for of in rows.values()
        ]
        assert sum(account["time_us"].values()) == sum(sum(split(d).values()) for d in taken)
    for loss in found.losses:
        assert loss.bucket in LOSSES
        assert (loss.won_year is None) == bool(loss.lacking)
        if loss.won_year is None:
            assert set(loss.lacking) <= set(found.body["next"]["say"])
    for shown in found.body["losses"]:
        assert shown["won_year"] is None or (
            isinstance(shown["won_year"]["low"], int) and abs(shown["won_year"]["high"]) <= MOST_WON
        )
    assert (found.kind == "answered") == all(one["source"] == "answered" for one in found.body["accounts"])
    assert 0 <= found.coverage <= 1
    assert len(found.body["standings"]) == 11
    assert len(found.body["next"]["measure"]) <= 3


@pytest.mark.parametrize("seed", range(5))
def test_a_row_is_the_machine_day_that_it_was(seed: int) -> None:
    one = a_day(random.Random(seed), "a", 1, "measured")
    stored = row("hana", one)
    stored.reasons = None
    assert machine_day(stored) == replace(one, reasons={})
