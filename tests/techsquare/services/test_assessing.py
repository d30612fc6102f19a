"""From rows to a stored diagnosis: what it says is what the rows say, and when the night stores another one."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sqlalchemy import select

from contract.codec import encode
from contract.consent import Given
from contract.manifest import Manifest, ManifestMachine
from contract.report import Band, Dimension, Levels, Value
from contract.report import Machine as Reported
from techsquare.catalogue.load import Catalogue
from techsquare.diagnosis.terms import LOSSES
from techsquare.registry import tables as t
from techsquare.registry.ids import new_id
from techsquare.registry.store import Registry, add
from techsquare.services import assessing, counting, entering, night, standing
from techsquare.services.measured import NUMBERS
from techsquare.services.refused import RefusedError
from tests.techsquare.diagnosis.made import PLANNED, hidden, truth
from tests.techsquare.diagnosis.reports import report
from tests.techsquare.registry.agreement import filled
from tests.techsquare.services import made

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from techsquare.diagnosis.terms import MachineDay

EMPTY = Catalogue((), ())
BEGIN = date(2026, 3, 2)  # a Monday


def five_a_week(found: Sequence[MachineDay]) -> list[MachineDay]:
    """Return days put on working days, from a Monday on."""
    return [
        replace(one, day=BEGIN + timedelta(days=7 * (i // 5) + i % 5), formulas="1") for i, one in enumerate(found)
    ]


def shop(seed: int, days: int = 30) -> list[MachineDay]:
    """Return days of two machines, one of which hides some of its time, with electricity."""
    rng = np.random.default_rng(seed)
    press, cnc = truth(rng, days, "press"), [hidden(d, rng, 0.2) for d in truth(rng, days, "cnc")]
    return five_a_week([replace(d, energy_kwh=80.0 + i % 7) for i, d in enumerate(press)]) + five_a_week(cnc)


def last(found: Sequence[MachineDay]) -> int:
    return made.at(max(one.day for one in found) + timedelta(days=1))


def assessed(registry: Registry, name: str, now: int) -> t.Assessment:
    return registry.decide(lambda s: assessing.assess(s, made.owner(name, now), name), made.ME)


def losses(registry: Registry, assessment: str) -> dict[tuple[str, str], t.Loss]:
    with registry.reading() as session:
        rows = session.scalars(select(t.Loss).where(t.Loss.assessment_id == assessment))
        return {(row.machine_id, row.bucket): row for row in rows}


def test_a_loss_is_what_the_rows_say_by_hand(registry: Registry) -> None:
    found = shop(3)
    made.factory(registry, "hana", ("press", "cnc"))
    made.days(registry, "hana", found)
    now = last(found)
    made.rates(
        registry, "hana", now - 1, contribution_piece=made.won(900, 1100), scrap_piece=made.won(300),
        avoidable_hour=made.won(20_000), tariff_kwh=made.won(150), orders_wait="yes",
    )  # fmt: skip
    registry.decide(lambda s: setattr(s.get_one(t.Machine, ("hana", "press")), "limits_output", "yes"), made.ME)
    registry.decide(lambda s: setattr(s.get_one(t.Machine, ("hana", "cnc")), "limits_output", "no"), made.ME)
    row = assessed(registry, "hana", now)
    assert (row.kind, row.state, row.window_from, row.formulas) == ("measured", "day28", BEGIN, "1")
    rows = losses(registry, row.id)
    assert set(rows) == {(m, b) for m in ("press", "cnc") for b in LOSSES}
    accounts = {one["machine"]: one for one in row.body["accounts"]}
    sums = {
        name: {column: sum(getattr(d, column) or 0.0 for d in found if d.machine == name) for column in NUMBERS}
        for name in accounts
    }
    year_hours = PLANNED / 3600 * 5 * 50  # eight hours a day, five days a week, fifty weeks
    for (name, bucket), one in rows.items():
        total = sums[name]
        seen = {
            "scrap": total["ideal_s"] - total["good_s"], "speed": total["priced_s"] - total["ideal_s"],
            "setup": total["setup_s"], "standby": total["standby_s"], "fault": total["fault_s"],
            "off": total["off_s"],
        }[bucket] / total["planned_s"]  # fmt: skip
        unknown = 1 - total["known_s"] / total["planned_s"]
        assert one.share_low <= seen + 1e-9, (name, bucket)
        assert one.share_high >= seen + unknown - 1e-9, (name, bucket)
        assert one.hours_low == pytest.approx(one.share_low * year_hours)
        assert one.hours_high == pytest.approx(one.share_high * year_hours)
        assert one.hours_low is not None
        assert one.hours_high is not None
        assert one.days == 30
        assert one.coverage == pytest.approx(1 - unknown)
        account = accounts[name]
        assert account["made_hour"]["low"] <= total["pieces"] / (total["production_s"] / 3600)
        pieces = account["ideal_hour" if bucket in {"speed", "scrap"} else "made_hour"]
        quality = {"low": 1.0, "high": 1.0} if bucket == "scrap" else account["good"]
        sold = [
            one.hours_low * pieces["low"] * quality["low"] * 900,
            one.hours_high * pieces["high"] * quality["high"] * 1100,
        ]
        kept = [one.hours_low * 20_000, one.hours_high * 20_000]
        material = [one.hours_low * pieces["low"] * 300, one.hours_high * pieces["high"] * 300]
        worth = sold if name == "press" else kept
        if bucket == "scrap":
            worth = [a + b for a, b in zip(worth, material, strict=True)]
        assert one.won_low == pytest.approx(worth[0], abs=1 + 1e-9 * abs(worth[0]))
        assert one.won_high == pytest.approx(worth[1], abs=1 + 1e-9 * abs(worth[1]))
        assert one.lacking == []
        told = next(x for x in row.body["losses"] if (x["machine"], x["bucket"]) == (name, bucket))
        assert told["won_year"] == {"low": one.won_low, "high": one.won_high}
        assert told["rule"] == ("contribution" if name == "press" else "avoidable")
        assert told["formula"].endswith("/ PBT")
    power = {one["machine"]: one for one in row.body["energy"]}
    assert set(power) == {"press"}
    kwh = power["press"]["kwh_year"]
    assert kwh["low"] <= 250 * 83 <= kwh["high"]  # and days off between nothing and all of it
    assert power["press"]["won_year"]["low"] == math.floor(kwh["low"] * 150)
    assert row.coverage == pytest.approx(
        sum(s["known_s"] for s in sums.values()) / sum(s["planned_s"] for s in sums.values())
    )


@pytest.mark.parametrize("seed", range(3))
def test_buckets_of_a_stored_diagnosis_add_up_to_planned_time_of_the_rows(registry: Registry, seed: int) -> None:
    rng = np.random.default_rng(seed)
    found = shop(seed, 12)
    # Some days were not measured at all and were counted by hand, some of a machine have neither.
    blind = [replace(d, known_s=0.0, production_s=None, setup_s=None, fault_s=None, standby_s=None, off_s=None,
                     ideal_s=None, priced_s=None, good_s=None, checked_s=None, pieces=None)
             if rng.random() < 0.3 else d for d in found]  # fmt: skip
    hand = [replace(d, source="counted", formulas="", planned_s=PLANNED / 2, known_s=d.fault_s or 0.0,
                    production_s=None, setup_s=None, standby_s=None, off_s=None, ideal_s=None, priced_s=None,
                    good_s=None, checked_s=None, energy_kwh=None)
            for d in found if rng.random() < 0.4]  # fmt: skip
    made.factory(registry, "hana", ("press", "cnc"))
    made.days(registry, "hana", [*blind, *hand])
    row = assessed(registry, "hana", last(found))
    for account in row.body["accounts"]:
        mine = [d for d in blind if d.machine == account["machine"]]
        by_hand = {d.day: d for d in hand if d.machine == account["machine"] and d.known_s > 0}
        used = [by_hand.get(d.day, d) if d.known_s == 0 else d for d in mine]
        assert sum(account["time_us"].values()) == sum(round(d.planned_s * 1e6) for d in used)
        assert all(value >= 0 for value in account["time_us"].values())
    for one in losses(registry, row.id).values():
        assert 0 <= one.share_low <= one.share_high or one.bucket == "speed"


def test_equal_rows_make_equal_diagnoses_in_any_order_and_database(registry: Registry, tmp_path: Path) -> None:
    found = shop(7, 15)
    other = Registry(f"sqlite:///{tmp_path}/other.db")
    t.Base.metadata.create_all(other.engine)
    now = last(found)
    hashes = []
    for one, rows in ((registry, found), (other, found[::-1])):
        made.factory(one, "hana", ("press", "cnc"))
        made.days(one, "hana", rows)
        made.rates(one, "hana", now - 1, contribution_piece=made.won(900, 1100))
        row = assessed(one, "hana", now)
        again = assessed(one, "hana", now + 60 * 10**9)
        assert (again.id, again.hash) == (row.id, row.hash)  # nothing new, so nothing is stored
        assert encode(row.body) == encode(again.body)
        hashes.append(row.hash)
    other.close()
    assert hashes[0] == hashes[1]
    # Made anew after the first one is gone, it is the same again; a rate more, and it is another one.
    made.rates(registry, "hana", now, contribution_piece=made.won(900, 1200))
    assert assessed(registry, "hana", now + 1).hash != hashes[0]


def test_what_nobody_knows_is_none_and_says_what_to_enter(registry: Registry) -> None:
    found = [replace(d, ideal_s=None, priced_s=None, good_s=None, checked_s=None, pieces=None, energy_kwh=None)
             for d in shop(1, 12) if d.machine == "press"]  # fmt: skip
    made.factory(registry, "hana", ("press",))
    now = last(found)
    with pytest.raises(RefusedError, match="nothing_known"):
        assessed(registry, "hana", now)
    made.days(registry, "hana", found)
    row = assessed(registry, "hana", now)
    rows = losses(registry, row.id)
    assert {bucket for _, bucket in rows} == {
        "setup",
        "standby",
        "fault",
        "off",
    }  # no speed, no scrap: nothing counted
    assert {(one.won_low, one.won_high) for one in rows.values()} == {(None, None)}
    assert all(set(one.lacking) == {"pieces", "rejects", "contribution", "avoidable_hour"} for one in rows.values())
    assert set(row.body["next"]["say"]) == {"pieces", "rejects", "contribution", "avoidable_hour"}
    assert row.body["oee"]["low"] == 0.0
    account = row.body["accounts"][0]
    assert (account["made_hour"], account["good"], account["ideal_hour"]) == (None, None, None)
    blind = {gap["id"]: gap for gap in row.body["gaps"]}
    assert blind["press:production"]["won_year"] is None
    assert blind["press:energy"]["why"] == ["not_seen:EC"]
    won = next(one for one in row.body["standings"] if one["result"] == "won")
    assert (won["state"], won["reason"], won["next"]) == ("none", "no_rates", "say_rates")
    with registry.reading() as session:
        gaps = session.scalars(select(t.Gap).where(t.Gap.assessment_id == row.id)).all()
        assert {(g.won_low, g.won_high) for g in gaps} == {(None, None)}
        assert len(gaps) == len(row.body["gaps"])
    # An owner says what an idle hour costs: a stop of a machine that does not limit output has its price at once.
    made.rates(registry, "hana", now, avoidable_hour=made.won(10_000), orders_wait="no")
    priced = losses(registry, assessed(registry, "hana", now + 1).id)
    assert all(one.lacking == [] and one.won_high is not None for one in priced.values())


def test_a_row_that_cannot_be_true_is_left_out_and_told(registry: Registry) -> None:
    found = [d for d in shop(1, 12) if d.machine == "press"]
    wrong = replace(found[0], fault_s=PLANNED)  # more than was planned
    made.factory(registry, "hana", ("press",))
    made.days(registry, "hana", [wrong, *found[1:]])
    row = assessed(registry, "hana", last(found))
    assert row.body["refused"] == [{"machine": "press", "day": wrong.day.isoformat(), "why": "impossible_times"}]
    assert row.body["accounts"][0]["days"] == 11


def test_days_of_a_machine_that_is_gone_and_of_formulas_before_are_left_out(registry: Registry) -> None:
    found = [d for d in shop(1, 30) if d.machine == "press"]
    made.factory(registry, "hana", ("press", "old"))
    made.days(registry, "hana", [replace(d, formulas="0") if i < 15 else d for i, d in enumerate(found)])
    made.days(registry, "hana", [replace(d, machine="old") for d in found])
    registry.decide(lambda s: setattr(s.get_one(t.Machine, ("hana", "old")), "retired_on", BEGIN), made.ME)
    row = assessed(registry, "hana", last(found))
    assert [(one["machine"], one["days"], one["flags"]) for one in row.body["accounts"]] == [("press", 15, [])]
    assert (row.body["formulas"], row.body["left_out"]) == (["1"], 15)


def test_a_day_that_is_still_to_come_takes_the_window_from_nobody(registry: Registry) -> None:
    found = [d for d in shop(1, 12) if d.machine == "press"]
    ahead = replace(found[0], day=found[-1].day + timedelta(days=3650))
    made.factory(registry, "hana", ("press",))
    made.days(registry, "hana", [*found, ahead])
    row = assessed(registry, "hana", last(found))
    assert (row.body["accounts"][0]["days"], row.window_to) == (12, found[-1].day)


def plant(**changes: Any) -> str:
    """Return a report of the plant as it is stored."""
    return encode(
        report(
            factory="hana", level=Levels(2, 3), conditions=["V01"],
            machines=[Reported("press", 1.0, Levels(2, 3), "U")],
            values=[Value("V01", "1", "e" * 16, value=0.75),
                    Value("E02", "kWh", "e" * 16, reason="NA_NO_EVIDENCE")],
            dimensions=[Dimension("D4", 1, 5, 0.2, reason="coverage", missing=["V02"])],
            siri=[Band("SI7", 1, 2, 4, 5)], **changes,
        )
    ).decode()  # fmt: skip


def test_a_report_gives_indicators_level_blind_spots_and_what_contradicts(registry: Registry) -> None:
    found = [d for d in shop(1, 12) if d.machine == "press"]
    made.factory(registry, "hana", ("press",))
    made.days(registry, "hana", found, metrics={"V05": [6.0, 8.0], "OEE": [1.0, 2.0], "R01": [1.0, 0.0]})
    now = last(found)
    rows = [
        t.Agent(factory_id="hana", id="edge", reporter=True),
        *(
            t.Report(
                id=new_id(),
                factory_id="hana",
                agent_id="edge",
                made_at=i,
                received_at=i,
                level="2",
                hash=str(i),
                body=body,
            )
            for i, body in enumerate((plant(), "{}", plant(machine="press")))
        ),
    ]
    registry.decide(lambda s: add(s, *rows), made.ME)
    caller = made.owner("hana", now)
    registry.decide(
        lambda s: entering.fill_in(s, caller, "hana", {"machines-connected": 4, "strategy": 1, "skills": None}),
        made.ME,
    )
    body = assessed(registry, "hana", now).body
    assert [tuple(one) for one in body["indicators"]] == [
        ("", "V01", 0.75),
        ("press", "V01", 0.75),
        ("press", "V05", 0.75),
    ]
    assert body["report"]["level"] == {"low": 2, "high": 3}
    assert body["report"]["made_at"] == "1"
    (beside,) = [one for one in body["beside"] if one["said"] is not None]
    assert (beside["question"], beside["low"], beside["high"], beside["agrees"]) == (
        "machines-connected",
        1,
        2,
        False,
    )
    (clash,) = body["contradictions"]
    assert (clash["code"], clash["subject"], clash["said"], clash["seen"]) == (
        "band",
        "machines-connected",
        "4",
        "1-2",
    )
    assert any(gap["id"] == "plant:D4" and gap["dimension"] == "D4" for gap in body["gaps"])
    siri = next(one for one in body["questionnaire"]["coverage"] if one["model"] == "siri")
    by = {part["part"]: part["by"] for part in siri["parts"]}
    assert (by["si7"], by["si16"], by["si13"]) == ("both", "answered", "nobody")
    assert (siri["nobody"], siri["measured"]) == (
        sum(b == "nobody" for b in by.values()),
        sum(b in {"both", "measured"} for b in by.values()),
    )
    with pytest.raises(RefusedError, match="off_scale"):
        registry.decide(lambda s: entering.fill_in(s, caller, "hana", {"strategy": 4}), made.ME)


def test_answers_beside_the_days_of_the_same_machine_and_counted_lines_corrected(registry: Registry) -> None:
    made.factory(registry, "hana", ("press",))
    now = made.at(BEGIN + timedelta(days=20))
    caller = made.owner("hana", now)
    answers = {"hours_day": 8.0, "days_week": 5.0, "fault_minutes": 10.0, "wage": 20_000.0, "people": 1.0}
    told = registry.decide(lambda s: entering.answer(s, caller, "hana", answers, "press"), made.ME)
    assert told is not None
    assert (told.kind, told.coverage, told.body["answers"]["used"]) == ("answered", 0.0, True)

    def lines(day: int, planned: float, fault: float) -> list[counting.Line]:
        on = BEGIN + timedelta(days=day)
        return [counting.Line("press", on, "planned_min", planned), counting.Line("press", on, "fault_min", fault),
                counting.Line("press", on, "production_min", planned - fault)]  # fmt: skip

    def write(found: list[counting.Line], later: int = 0) -> tuple[list[t.Reading], counting.ByHand]:
        return registry.decide(
            lambda s: counting.write(s, caller._replace(now=now + later), "hana", found), made.ME
        )

    for day in range(5):
        write(lines(day, 480, 130))
    rows, byhand = write([counting.Line("press", BEGIN, "fault_min", 500)], 1)  # a slip of the pen
    assert [(one.why, one.day) for one in byhand.refused] == [("more_than_planned", BEGIN)]
    assert len(byhand.days) == 4
    slip = assessed(registry, "hana", now + 2)
    assert slip.body["refused"] == [{"machine": "press", "day": BEGIN.isoformat(), "why": "more_than_planned"}]
    fixed = registry.decide(lambda s: counting.take_back(s, caller, rows[0].id), made.ME)
    assert (len(fixed.days), list(fixed.refused)) == (5, [])
    write(
        [counting.Line("press", BEGIN, "fault_min", 120), counting.Line("press", BEGIN, "production_min", 360)], 3
    )
    row = assessed(registry, "hana", now + 4)
    assert (row.kind, row.coverage, row.body["refused"]) == ("counted", 1.0, [])
    (account,) = row.body["accounts"]
    assert (account["source"], account["days"]) == ("counted", 5)
    assert account["time_us"]["fault"] == (120 + 4 * 130) * 60 * 10**6
    assert row.body["year"] == {"production_days": 250.0, "hours": {}, "by": "answers"}
    clash = [(one["code"], one["subject"], one["machine"]) for one in row.body["contradictions"]]
    assert ("loss_share", "fault", "press") in clash  # ten minutes said, two hours counted
    assert row.body["rates"]["press"]["avoidable_hour"]["low"] == pytest.approx(20_000 / 1.15 * 0.9)
    assert row.body["rates"]["press"]["contribution_piece"] is None  # nobody said it, and there is no range for it
    with registry.reading() as session:
        assert session.scalar(select(t.MetricDay.fault_s).where(t.MetricDay.day == BEGIN)) == 7_200
    for wrong, code in (
        (counting.Line("none", BEGIN, "pieces", 1), "not_there"),
        (counting.Line("press", BEGIN + timedelta(days=30), "pieces", 1), "in_future"),
    ):
        with pytest.raises(RefusedError, match=code):
            write([wrong])
    with pytest.raises(RefusedError, match="twice"):
        write([counting.Line("press", BEGIN, "pieces", 1)] * 2)


def test_the_night_stores_what_is_worth_it_and_looks_at_each_factory_in_its_turn(registry: Registry) -> None:
    found = [d for d in shop(5, 30) if d.machine == "press"]
    made.factory(registry, "hana", ("press",))
    made.factory(registry, "duri", ("press",))
    made.days(registry, "hana", found[:20])

    def night(now: int) -> dict[str, int]:
        return assessing.night(registry, EMPTY, now)

    first = found[19].day + timedelta(days=1)
    assert night(made.at(first)) == {"looked": 1, "stored": 1, "failed": 0}
    assert night(made.at(first, 4)) == {"looked": 0, "stored": 0, "failed": 0}  # no new day
    # One more day like those before says nothing that anybody would act on: weekly turns, and nothing is stored.
    made.days(registry, "hana", found[20:21])
    week = [night(made.at(first + timedelta(days=i))) for i in range(7)]
    assert sum(one["looked"] for one in week) == 1
    assert sum(one["stored"] for one in week) == 0
    # What somebody says is looked at in the same night, and a rate is worth a new one.
    said = made.at(first + timedelta(days=7))
    made.rates(registry, "hana", said, avoidable_hour=made.won(10_000), orders_wait="no")
    assert night(said + 1) == {"looked": 1, "stored": 1, "failed": 0}
    assert night(said + 2) == {"looked": 0, "stored": 0, "failed": 0}
    # Thirty days are worth more than twenty, once; then there are no new ones.
    made.days(registry, "hana", found[21:])
    month = [night(made.at(first + timedelta(days=8 + i))) for i in range(40)]
    assert [one["stored"] for one in month].count(1) == 1
    # A week of standing still is worth a new one as soon as its turn comes.
    idle = [replace(d, day=d.day + timedelta(days=42), fault_s=PLANNED * 0.7, production_s=PLANNED * 0.1,
                    setup_s=0.0, standby_s=0.0, ideal_s=PLANNED * 0.1, priced_s=PLANNED * 0.1, good_s=PLANNED * 0.1,
                    checked_s=PLANNED * 0.1) for d in found]  # fmt: skip
    made.days(registry, "hana", idle)
    assert [night(made.at(idle[-1].day + timedelta(days=1 + i)))["stored"] for i in range(7)].count(1) == 1
    with registry.reading() as session:
        assert {row.factory_id for row in session.scalars(select(t.Assessment))} == {"hana"}


def test_the_night_of_a_drawn_world_leaves_nobody_out(registry: Registry) -> None:
    filled(registry, 1)
    with registry.reading() as session:
        last_day = session.scalars(select(t.MetricDay.day).order_by(t.MetricDay.day.desc())).first()
        assert last_day is not None
    done = night.run(registry, EMPTY, made.at(last_day + timedelta(days=1)), lambda _: None)
    assert set(done) == {name for name, _ in night.TASKS}
    assert done["diagnoses"]["failed"] == 0
    assert done["diagnoses"]["stored"] == done["diagnoses"]["looked"] > 0
    assert done["peers"] == {"frozen": 0}


def test_a_machine_that_an_agent_reads_has_days_to_come(registry: Registry) -> None:
    made.factory(registry, "hana", ("press",))
    told = Manifest(
        factory="hana", site="main", agent="edge", reporter="edge", made_at="1", key="0" * 16,
        public_key="A" * 43 + "=", formulas="1", model="0" * 16, config="0" * 16, plant="0" * 16,
        metrics=[], verbs=[],
        machines=[ManifestMachine("press", "press", 1.0), ManifestMachine("cnc", "cnc", 1.0)],
        consent=Given(since="1", scopes=["levels"]),
    )  # fmt: skip
    row = t.Agent(factory_id="hana", id="edge", reporter=True, seen_at=1, manifest=encode(told).decode())
    registry.decide(lambda s: add(s, row), made.ME)
    for day, action in ((0, "wait"), (7, "check_connection"), (28, "check_connection")):
        now = made.at(made.ENTERED + timedelta(days=day))
        with registry.reading() as session:
            found = {one.result: one for one in standing.of(session, made.owner("hana", now), "hana")}
        assert (found["losses"].state, found["losses"].reason, found["losses"].next) == ("none", "no_days", action)
