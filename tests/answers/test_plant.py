"""Configuration and answers as one plant: what counts, what is listed, and that order changes nothing."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from hypothesis import given as property_of
from hypothesis import settings
from hypothesis import strategies as st

from agent.frame import DataType, Source
from answers.plant import join
from readiness.inventory import Machine
from readiness.plant import (
    About,
    Bill,
    Claim,
    ControlLoop,
    HandCount,
    Installed,
    Meaning,
    Product,
    StopReason,
    Use,
    configured,
)
from tests.answers.given import CALENDAR, CATALOG, MACHINES, ZONE, given, joined, plant_with, tag

if TYPE_CHECKING:
    import pytest

SEOUL = ZoneInfo(ZONE)


def ns(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=SEOUL).timestamp()) * 10**9


def listed(plant: Any) -> list[tuple[str, str, str, str]]:
    return [(c.code, c.subject, c.said, c.seen) for c in plant.contradictions]


def test_without_answers_a_plant_is_what_the_configuration_says() -> None:
    plant = joined().plant
    base = configured(CATALOG, MACHINES)
    assert plant.meanings == base.meanings
    assert plant.machines == MACHINES
    assert plant.hash
    assert not plant.contradictions


def test_machines_are_told_about_and_added() -> None:
    plant = plant_with(
        machines=[
            {"id": "press-1", "kind": "discrete", "has_alarms": "no", "weight": 3, "path": "hanil/1"},
            {"id": "cnc-1", "previous": "press-1", "retrofit": "tap", "isolated": "yes", "proof": "drawing"},
            {"id": "oven-1", "name": "열처리로", "kind": "batch"},
            {"id": "ghost", "kind": "batch"},
        ],
        inventory={"signed_by": "김 공장장", "on": "2026-11-19"},
    )
    assert plant.machines == (
        Machine("press-1", "프레스 1호기", 3.0, "hanil/1"), Machine("cnc-1", "cnc-1"),
        Machine("oven-1", "열처리로"),
    )  # fmt: skip
    assert plant.about == {
        "press-1": About(kind="discrete", has_alarms="no"),
        "cnc-1": About(previous="press-1", retrofit="tap", isolated="yes"),
        "oven-1": About(kind="batch"),
    }
    assert plant.signed == ("김 공장장", "2026-11-19")
    assert plant.said["machine press-1 has_alarms"] == ("박 멘토", "2026-11-20")
    assert listed(plant) == [
        ("configuration", "machine press-1 weight", "3", "2.0"),
        ("unknown_machine", "machine ghost kind", "batch", ""),
    ]


def test_a_machine_that_is_added_under_the_name_of_another_is_listed() -> None:
    def codes(*machines: dict[str, str]) -> list[tuple[str, str, str]]:
        plant = joined(given(machines=list(machines))).plant
        return [(c.code, c.subject, c.seen) for c in plant.contradictions]

    assert codes({"id": "press-2", "name": "프레스1호기 "}) == [("same_name", "machine press-2 name", "press-1")]
    assert codes({"id": "press-2", "name": "프레스 2호기"}) == []
    twins = codes({"id": "a", "name": "오븐"}, {"id": "b", "name": "오븐"})
    assert twins == [("same_name", "machine a name", "b"), ("same_name", "machine b name", "a")]


def test_values_of_signals_are_read_by_their_type_or_by_the_words_of_the_configuration() -> None:
    plant = plant_with(
        signals=[
            {"id": "press-1/state", "states": {"운전": "executing", "0": "standby", "2": "fault", "x": "off"}},
            {"id": "press-1/run", "role": "state", "states": {"true": "executing", "0": "off"}},
            {"id": "press-1/mode", "automatic": ["AUTO", 2]},
            {"id": "press-1/temp", "role": "reason", "reasons": {"1": "열선", "1.5": ""}},
        ]
    )
    assert plant.meanings["press-1/state"].states == {1: "executing", 0: "standby", 2: "fault"}
    assert plant.meanings["press-1/run"] == Meaning(
        role="state", origin="mentor", states={True: "executing", False: "off"}
    )
    assert [type(label) for label in plant.meanings["press-1/run"].states] == [bool, bool]
    assert plant.meanings["press-1/mode"].automatic == {"AUTO", "2"}
    assert plant.meanings["press-1/temp"].reasons == {1.0: "열선", 1.5: ""}
    assert listed(plant) == [
        ("configuration", "signal press-1/temp role", "reason", "pv"),
        ("no_such_value", "signal press-1/state states", "x", "int16"),
    ]


def test_a_role_replaces_a_guess_in_silence_and_a_configured_one_with_a_note() -> None:
    plant = plant_with(
        signals=[
            {"id": "press-1/run", "role": "cycle"},
            {"id": "press-1/temp", "role": "sp"},
            {"id": "press-1/word", "role": "pv"},
        ]
    )
    assert plant.meanings["press-1/run"].role == "cycle"
    assert plant.meanings["press-1/run"].origin == "mentor"
    assert plant.meanings["press-1/temp"].role == "sp"
    assert listed(plant) == [("configuration", "signal press-1/temp role", "sp", "pv")]
    none = plant_with(signals=[{"id": "press-1/run", "role": "none"}])
    assert none.meanings["press-1/run"] == Meaning(role=None, origin="mentor")
    about = plant_with(signals=[{"id": "press-1/run", "used": True}])
    assert about.meanings["press-1/run"].origin == "guess", "what else is said confirms no role"


def test_everything_of_a_signal_reaches_its_meaning() -> None:
    plant = plant_with(
        signals=[
            {
                "id": "press-1/count",
                "modulus": 65536,
                "resets": ["08:00", "20:00"],
                "resets_with": "lot",
                "factor": 2,
                "used": False,
            },
            {"id": "press-1/temp", "limits": [0, 90], "usual": [10, 60], "critical": True},
            {"id": "press-1/word", "role": "alarm", "specific": True, "action": True, "advice": False},
            {"id": "press-1/kwh", "meter": "main"},
            {"id": "press-1/alarm:oil", "action": True},
            {"id": "press-1/gone", "role": "lot", "pattern": "[A-Z]{2}[0-9]+"},
            {"id": "ghost/x", "role": "pv"},
        ]
    )
    count = plant.meanings["press-1/count"]
    assert count.resets_with == "lot"
    assert (count.modulus, count.resets, count.factor, count.used) == (65536, (dt.time(8), dt.time(20)), 2.0, False)
    assert plant.meanings["press-1/temp"].limits == (0, 90)
    assert plant.meanings["press-1/temp"].usual == (10, 60)
    assert plant.meanings["press-1/temp"].critical
    assert plant.meanings["press-1/word"] == Meaning(role="alarm", specific=True, action=True)
    assert plant.meanings["press-1/kwh"].factor == 1000.0, "of its unit"
    assert plant.meanings["press-1/kwh"].meter == "main"
    assert plant.meanings["press-1/alarm:oil"].action
    assert plant.meanings["press-1/gone"].pattern == "[A-Z]{2}[0-9]+"
    assert "ghost/x" not in plant.meanings
    assert listed(plant) == [
        ("configuration", "signal press-1/temp limits", "0, 90", "0, 100"),
        ("unknown_machine", "signal ghost/x role", "pv", ""),
        ("unknown_signal", "signal press-1/count resets_with", "lot", ""),
        ("unknown_signal", "signal press-1/gone pattern", "[A-Z]{2}[0-9]+", ""),
    ]
    assert joined(given(signals=[{"id": "press-1/temp", "usual": [1, 2]}])).ranges().keys() == {"press-1/temp"}


def test_what_the_device_itself_says_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    native = {"press-1/temp": Meaning(role="pv", origin="native")}
    base = configured(CATALOG, MACHINES)
    monkeypatch.setattr(
        "answers.plant.configured", lambda *_: type(base)(machines=MACHINES, meanings={**base.meanings, **native})
    )
    plant = plant_with(signals=[{"id": "press-1/temp", "role": "sp", "critical": True}])
    assert plant.meanings["press-1/temp"] == Meaning(role="pv", origin="native", critical=True)
    assert listed(plant) == [("native", "signal press-1/temp role", "sp", "pv")]


def test_records_of_every_section() -> None:
    plant = plant_with(
        loops=[
            {
                "machine": "press-1",
                "name": "heat",
                "sp": "sp",
                "pv": "temp",
                "band": 1.5,
                "tau": "2m",
                "by_system": "no",
            },
            {"machine": "press-1", "name": "lost", "sp": "sp", "pv": "nowhere"},
            {"machine": "ghost", "name": "heat", "sp": "a", "pv": "b"},
        ],
        products=[{"id": 7, "name": "커버", "ideal": {"press-1": "4.2s", "ghost": "1s"}}],
        hand_counts=[
            {"machine": "press-1", "from": "2026-11-19 20:00", "to": "2026-11-20 08:00", "good": 5},
            {"machine": "press-1", "from": "2026-11-19 08:00", "to": "2026-11-19 20:00", "total": 10, "reject": 1},
        ],
        stop_reasons=[
            {
                "machine": "cnc-1",
                "from": "2026-11-18 13:05",
                "to": "2026-11-18 13:50",
                "reason": "공구",
                "entered": "2026-11-18 13:55",
            }
        ],
        systems=[
            {
                "id": "mes",
                "kind": "mes",
                "live": "2024-03-02",
                "points": {"A": "press-1/temp", "B": None, "C": "press-1/gone"},
            }
        ],
        use=[{"day": "2026-11-18", "system": "mes", "account": "operator", "reads": 4, "sessions": 2}],
        bills=[{"month": "2026-10", "kwh": 48210}],
        claims=[{"metric": "V03", "value": 0.85, "machine": "press-1", "by": "김 공장장", "on": "2026-11-01"}],
        onboardings=[{"machine": "cnc-1", "first_contact": "2026-09-02 10:00", "confirmed": "2026-09-04 15:30"}],
    )
    assert plant.loops == (
        ControlLoop(machine="press-1", name="heat", sp="sp", pv="temp", band=1.5, tau_s=120.0, by_system="no"),
        ControlLoop(machine="press-1", name="lost", sp="sp", pv="nowhere"),
    )
    assert plant.products == {"7": Product(id="7", name="커버", ideal_s={"press-1": 4.2})}
    assert plant.hand_counts == (
        HandCount(
            machine="press-1", from_ns=ns("2026-11-19 08:00"), to_ns=ns("2026-11-19 20:00"), total=10, reject=1
        ),
        HandCount(machine="press-1", from_ns=ns("2026-11-19 20:00"), to_ns=ns("2026-11-20 08:00"), good=5),
    )
    assert plant.reasons == (
        StopReason(
            machine="cnc-1", from_ns=ns("2026-11-18 13:05"), to_ns=ns("2026-11-18 13:50"), reason="공구",
            entered_ns=ns("2026-11-18 13:55"),
        ),
    )  # fmt: skip
    assert plant.systems == (
        Installed(
            id="mes", name="mes", kind="mes", points={"A": "press-1/temp", "B": None, "C": None},
            live_ns=ns("2024-03-02 08:00"),
        ),
    )  # fmt: skip
    assert plant.use == (Use(day="2026-11-18", system="mes", account="operator", reads=4, sessions=2),)
    assert plant.bills == (Bill(month="2026-10", kwh=48210.0),)
    assert plant.claims == (
        Claim(metric="V03", value=0.85, machine="press-1", author="김 공장장", date="2026-11-01"),
    )
    assert plant.onboardings == {"cnc-1": 53.5}
    assert listed(plant) == [
        ("unknown_machine", "loop ghost/heat", "a, b", ""),
        ("unknown_machine", "product 7", "ghost: 1s", ""),
        ("unknown_signal", "loop press-1/lost", "nowhere", ""),
        ("unknown_signal", "system mes points", "C: press-1/gone", "1"),
    ]


def test_pieces_per_count_are_an_answer_for_each_product_and_signal() -> None:
    plant = plant_with(
        products=[
            {"id": "A", "per_count": {"press-1/count": 4, "press-1/gone": 2}},
            {"id": "B", "ideal": {"press-1": "30s"}, "per_count": {"press-1/count": 0.5}},
        ]
    )
    assert {label: product.per_count for label, product in plant.products.items()} == {
        "A": {"press-1/count": 4.0},
        "B": {"press-1/count": 0.5},
    }
    assert listed(plant) == [("unknown_signal", "product A per_count press-1/gone", "2", "")]
    other = plant_with(products=[{"id": "A", "per_count": {"press-1/count": 2}}])
    assert other.hash != plant.hash


def test_the_later_answer_counts_and_the_other_one_is_listed() -> None:
    file = given("file", serial=9, date="2026-11-01", author="가", machines=[{"id": "press-1", "kind": "batch"}])
    message = given(
        "message", serial=2, date="2026-11-05", author="나",
        machines=[{"id": "press-1", "kind": "discrete", "has_alarms": "no"}],
    )  # fmt: skip
    plant = joined(file, message).plant
    assert plant.about["press-1"] == About(kind="discrete", has_alarms="no")
    assert listed(plant) == [("two_answers", "machine press-1 kind", "batch", "discrete (2026-11-05)")]
    assert [(c.who, c.when) for c in plant.contradictions] == [("가", "2026-11-01")]
    assert plant.answers == [f"file 9 {file.digest}", f"message 2 {message.digest}"]
    same_day = given("file", serial=9, date="2026-11-05", machines=[{"id": "press-1", "kind": "batch"}])
    assert joined(same_day, message).plant.about["press-1"].kind == "batch", "the larger serial"
    own_date = given(
        "file", serial=1, date="2026-11-01", machines=[{"id": "press-1", "kind": "batch", "on": "2026-11-06"}]
    )
    assert joined(own_date, message).plant.about["press-1"].kind == "batch", "an entry's own date"


def test_two_that_say_the_same_agree() -> None:
    count = {"machine": "press-1", "from": "2026-11-19 08:00", "to": "2026-11-19 20:00", "total": 10}
    file = given("file", hand_counts=[{**count, "by": "가"}])
    message = given("message", date="2026-11-21", hand_counts=[{**count, "good": None}])
    plant = joined(file, message).plant
    assert len(plant.hand_counts) == 1
    assert not plant.contradictions
    other = given("message", date="2026-11-21", hand_counts=[{**count, "total": 11}])
    plant = joined(file, other).plant
    assert [hand.total for hand in plant.hand_counts] == [11]
    assert [c.code for c in plant.contradictions] == ["two_answers"]


def test_claims_of_several_people_all_stay() -> None:
    claims = [{"metric": "V03", "value": 0.8}, {"metric": "V03", "value": 0.9, "by": "김"}]
    plant = plant_with(claims=claims)
    assert [(c.author, c.value) for c in plant.claims] == [("김", 0.9), ("박 멘토", 0.8)]
    assert not plant.contradictions


KINDS = st.sampled_from(["discrete", "batch", "continuous"])
ROLES = st.sampled_from(["state", "pv", "sp", "cycle", "none"])
DAYS = st.integers(1, 28).map(lambda day: f"2026-11-{day:02}")
NAMES = [f"press-1/{signal.id}" for signal in CATALOG[0].signals]
ENTRIES = st.fixed_dictionaries(
    {},
    optional={
        "machines": st.lists(
            st.fixed_dictionaries(
                {"id": st.sampled_from(["press-1", "cnc-1", "ghost"])},
                optional={"kind": KINDS, "on": DAYS, "weight": st.integers(1, 3)},
            ),
            unique_by=lambda one: one["id"],
        ),
        "signals": st.lists(
            st.fixed_dictionaries({"id": st.sampled_from(NAMES), "role": ROLES}),
            unique_by=lambda one: one["id"],
        ),
        "bills": st.lists(
            st.fixed_dictionaries({"month": st.sampled_from(["2026-09", "2026-10"]), "kwh": st.integers(1, 3)}),
            unique_by=lambda one: one["month"],
        ),
    },
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@property_of(ENTRIES, ENTRIES, DAYS, DAYS, st.integers(1, 3), st.integers(1, 3), st.randoms(use_true_random=False))
def test_order_changes_nothing_and_each_answer_counts_or_is_listed(
    one: Any, two: Any, day: str, other: str, serial: int, second: int, chance: Any
) -> None:
    file = given("file", date=day, serial=serial, author="가", **one)
    message = given("message", date=other, serial=second, author="나", **two)
    forwards = joined(file, message)
    for section in (*one.values(), *two.values()):
        chance.shuffle(section)
    again = joined(
        given("message", date=other, serial=second, author="나", **two),
        given("file", date=day, serial=serial, author="가", **one),
    )
    assert again == forwards
    plant = forwards.plant
    noted = {(c.subject, c.said) for c in plant.contradictions}
    for said in (one, two):
        for machine in said.get("machines", ()):
            if "kind" in machine and machine["id"] != "ghost":
                counts = plant.about[machine["id"]].kind == machine["kind"]
                assert counts or (f"machine {machine['id']} kind", machine["kind"]) in noted
        for signal in said.get("signals", ()):
            counts = (plant.meanings[signal["id"]].role or "none") == signal["role"]
            assert counts or (f"signal {signal['id']} role", signal["role"]) in noted
    assert {b.month for b in plant.bills} == {b["month"] for said in (one, two) for b in said.get("bills", ())}


def test_the_hash_is_that_of_what_formulas_look_at() -> None:
    before = joined(given(machines=[{"id": "press-1", "kind": "batch"}])).plant.hash
    renamed = given(author="다른 사람", serial=7, date="2026-11-21", machines=[{"id": "press-1", "kind": "batch"}])
    assert joined(renamed).plant.hash == before
    assert joined(given(machines=[{"id": "press-1", "kind": "discrete"}])).plant.hash != before
    (source,) = CATALOG
    turned = Source(
        id=source.id, device=source.device, protocol=source.protocol, mode=source.mode,
        interval_ns=source.interval_ns, signals=source.signals[::-1],
    )  # fmt: skip
    sets = [given(machines=[{"id": "press-1", "kind": "batch"}])]
    assert join([turned], MACHINES[::-1], CALENDAR, sets).plant.hash == before
    more = Source(
        id="plc.more", device="plc", protocol="modbus", mode="poll", interval_ns=10**9,
        signals=(tag("cnc-1", "run", DataType.BOOL, "state"),),
    )  # fmt: skip
    assert join([*CATALOG, more], MACHINES, CALENDAR, sets).plant.hash != before


def test_no_contradiction_names_a_person_but_in_who() -> None:
    one = given(
        claims=[
            {"metric": "V03", "value": 0.8, "machine": machine, "by": "김영수 공장장"}
            for machine in ("press-1", "x")
        ]
        + [{"metric": "V03", "value": 0.8, "by": "김영수 공장장"}],
        inventory={"signed_by": "김영수 공장장", "on": "2026-11-19"},
        products=[{"id": "A 1", "ideal": {"press-1": "4.2s"}}],
        hand_counts=[{"machine": "press-1", "from": "2026-11-19 08:00", "to": "2026-11-19 20:00", "total": 5}],
    )
    other = given(
        "message", author="이정민",
        claims=[{"metric": "V03", "value": 0.9, "machine": "press-1", "by": "김영수 공장장"},
                {"metric": "V03", "value": 0.9, "by": "김영수 공장장"}],
        inventory={"signed_by": "이정민", "on": "2026-11-20"},
        products=[{"id": "A 1", "ideal": {"press-1": "5s"}}],
        hand_counts=[{"machine": "press-1", "from": "2026-11-19 08:00", "to": "2026-11-19 20:00", "total": 6}],
    )  # fmt: skip
    found = joined(one, other).plant
    told = [(c.subject, c.machine, c.said, c.seen) for c in found.contradictions]
    shift = "2026-11-19 08:00:00 2026-11-19 20:00:00"
    assert told == [
        ("claim V03", None, "0.8", "0.9 (2026-11-20)"),
        ("claim V03 press-1", "press-1", "0.8", "0.9 (2026-11-20)"),
        (f"hand_count press-1 {shift}", "press-1", "total: 5", "total: 6 (2026-11-20)"),
        ("inventory signed", None, "2026-11-19", "2026-11-20 (2026-11-20)"),
        ("product A 1 ideal press-1", "press-1", "4.2s", "5s (2026-11-20)"),
        ("claim V03 x", "x", "0.8", ""),
    ]  # fmt: skip
    assert found.signed == ("이정민", "2026-11-20")
