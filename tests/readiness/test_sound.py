"""Evidence of another agent: what is let through never breaks a report, and what is true is let through."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

from contract.errors import WireError
from readiness import sound
from readiness.evidence import DayEvidence, dump, load
from readiness.plant import ControlLoop, Meaning
from readiness.records import Burst, Certificate, Ids, Loop, Show, Skew
from readiness.report import Assessment
from tests.readiness.indicators.press import press
from tests.readiness.plant import SITE

if TYPE_CHECKING:
    from collections.abc import Callable

    from readiness.evidence import SourceDay
    from readiness.view import View

IDS = Ids(
    ["A0", "B0"], [3, 0, 900, 2, 3, 1, 100, 1], 3, [Show("A1", 1, [-5, 100]), Show("B7", 2, [200, 50, 400, 50])]
)
LOOP = Loop(1.0, 2000, [100, 5000], [200, 1000, 500, 1000], [500, 2000, 0, 86_000, -100, -1, 1, 500])
BURST = Burst(28_800_000, 60_000, 600, 10.0, 1.5, 0.1)


def rich(day: DayEvidence) -> DayEvidence:
    """Return a day with a record of every kind."""
    (part,) = day.sources
    return structs.replace(
        day,
        sources=[
            structs.replace(
                part,
                ids={"press/lot": IDS},
                jitter=[-3, 4, 0, 9, 7, 1],
                signals={**part.signals, "press/lot": next(iter(part.signals.values()))},
            )
        ],
        loops={"press/tic": LOOP},
        bursts={"press/pv": [BURST]},
        skews={"plc": [Skew(5, -20_000_000, 3_000_000)]},
        certificates={"plc": Certificate("ab", "0", "1", "RSA", 2048, "sha256", self_signed=False)},
        censored={"agent_off": {"*": [0, 5_000_000_000], part.source: [9, 1, 20, 5]}},
        simulated=[1, 2],
    )


def told(days: int) -> View:
    """Return what a press has told, with a record of every kind."""
    made = press(days=days, step_s=60).view()
    loop = ControlLoop(machine="press", name="tic", sp="sp", pv="pv", band=1.0, tau_s=2.0)
    plant = replace(made.plant, meanings={**made.plant.meanings, "press/lot": Meaning(role="lot")}, loops=(loop,))
    return replace(made, days=[rich(day) for day in made.days], plant=plant)


@pytest.fixture(scope="module")
def view() -> View:
    return told(14)


def test_what_an_agent_has_seen_is_let_through(view: View) -> None:
    for day in view.days:
        sound.require(day)


def of_source(**parts: object) -> Callable[[DayEvidence], DayEvidence]:
    return lambda day: structs.replace(day, sources=[structs.replace(day.sources[0], **parts)])


def of_record(kind: str, **fields: object) -> Callable[[DayEvidence], DayEvidence]:
    def spoil(day: DayEvidence) -> DayEvidence:
        part: SourceDay = day.sources[0]
        records: dict[str, Any] = getattr(part, kind)
        name = next(iter(records))
        return of_source(**{kind: {**records, name: structs.replace(records[name], **fields)}})(day)

    return spoil


def of_day(**fields: object) -> Callable[[DayEvidence], DayEvidence]:
    return lambda day: structs.replace(day, **fields)


LONG = 86_400_000
HUGE = 2**63


@pytest.mark.parametrize(
    "spoil",
    [
        of_day(start="this morning"), of_day(end="0"), of_day(end=f"{2**70}"), of_day(end="1" * 5000),
        of_day(simulated=[1]), of_day(simulated=[-1, 5]), of_day(censored={"clock": {"*": [5, 0]}}),
        of_day(censored={"clock": {"*": [5, 10, 14, 3]}}), of_day(censored={"clock": {"*": [5, HUGE]}}),
        of_day(certificates={"plc": Certificate("", "soon", "1", "", 0, "", self_signed=True)}),
        of_day(certificates={"plc": Certificate("", "0", f"{HUGE}", "", 0, "", self_signed=True)}),
        of_day(skews={"plc": [Skew(0, HUGE, 0)]}),
        of_day(bursts={"press/pv": [structs.replace(BURST, begin_ms=LONG + 1)]}),
        of_day(loops={"press/tic": structs.replace(LOOP, moves=[1, 2, 3])}),
        of_day(loops={"press/tic": structs.replace(LOOP, held=[0, LONG + 2])}),
        of_source(live=[0, LONG * 1_000_000 + 1]), of_source(service=[3]), of_source(spans=[]),
        of_source(interval_ns=0), of_source(interval_ns=HUGE), of_source(jitter=[3]), of_source(jitter=[4420, 1]),
        of_source(jitter=[3, 0]), of_source(rows=HUGE),
        of_record("signals", known=99), of_record("signals", bad=-2), of_record("signals", good_reads=HUGE),
        of_record("tracks", segments=[0, 1]), of_record("tracks", segments=[0, 5, 9]),
        of_record("tracks", segments=[0, LONG + 1, 0]), of_record("tracks", segments=[-1, 5, 0]),
        of_record("tracks", labels=[]), of_record("tracks", rest=[0, 0, 5]), of_record("tracks", rest=[0, 9, 5, 1]),
        of_record("tracks", rest=[96, 0, 5, 1]), of_record("tracks", changed=[96, 1]),
        of_record("tracks", dwell=[4, 0]), of_record("tracks", changes=HUGE),
        of_record("counts", counted=[96, 1]), of_record("counts", counted=[3]), of_record("counts", unit=0.0),
        of_record("counts", pace=[5000, 1]), of_record("counts", back=[1, 2]), of_record("counts", backs=-1),
        of_record("counts", back=[LONG + 1, 9, 3]), of_record("counts", last=2**65), of_record("counts", still=[0]),
        of_record("counts", blind=[-1, 3]), of_record("counts", single=[3, -1]),
        of_record("values", grain=0.0), of_record("values", spread=[-5000, 1]), of_record("values", steps=[1]),
        of_record("values", runs=[3, -1]), of_record("values", still=[0, LONG + 1]), of_record("values", n=HUGE),
        of_record("values", spikes=[-1]), of_record("values", limits=[1.0]), of_record("values", usual=[1.0]),
        of_record("values", outside=[96, 5]), of_record("values", beyond=[0]),
        of_record("ids", rest=[3, 5, 1, 1]), of_record("ids", rest=[3]), of_record("ids", rest=[96, 0, 1, 1]),
        of_record("ids", sample=[Show("A1", 1, [3])]), of_record("ids", sample=[Show("A1", 1, [0, LONG + 1])]),
        of_record("ids", sample=[Show("A1", HUGE, [])]), of_record("ids", shown=HUGE),
    ],
)  # fmt: skip
def test_what_would_break_a_report_is_refused(view: View, spoil: Callable[[DayEvidence], DayEvidence]) -> None:
    with pytest.raises(WireError):
        sound.require(spoil(view.days[0]))


@pytest.mark.parametrize("seed", range(3))
def test_whatever_number_is_changed_a_day_is_refused_or_breaks_nothing(view: View, seed: int) -> None:
    chance, raw = random.Random(seed), dump(view.days[3])
    numbers = list(re.finditer(rb"(?<=[\[,:])-?\d+(?=[,\]}])", raw))
    others = [b"-1", b"0", b"1", b"99999999", b"%d" % HUGE, b"1" + b"0" * 30, b"-5000000000"]
    refused = assessed = 0
    for _ in range(40):
        at = chance.choice(numbers)
        try:
            day = load(raw[: at.start()] + chance.choice(others) + raw[at.end() :])
            sound.require(day)
        except WireError:
            refused += 1
            continue
        made = Assessment(replace(view, days=[*view.days[:3], day, *view.days[4:]]), SITE, "0" * 16)
        assert made.plant().values
        assert made.machine("press") is not None
        assessed += 1
    assert refused
    assert assessed
