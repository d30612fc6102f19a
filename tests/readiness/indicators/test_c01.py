"""C01 Machine reach."""

from __future__ import annotations

from dataclasses import replace as changed
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from agent.frame import Status
from readiness.indicators.base import Census
from readiness.indicators.c01 import INDICATOR
from readiness.inventory import Machine
from readiness.records import Count, Track, Values
from readiness.spans import EMPTY
from tests.readiness.indicators.made import days, outcome, part, record, whole
from tests.readiness.indicators.support import LATHE, PRESS, failing, values
from tests.readiness.plant import Plant, signal, source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from readiness.indicators.base import Outcome


def test_reach_counts_declared_machines_by_weight_with_those_nobody_connected() -> None:
    inventory = [Machine("press", "press", 2.0), Machine("lathe", "lathe"), Machine("saw", "saw")]
    found = values(Plant([PRESS, LATHE], inventory))
    assert found["C01"].value == 0.75
    assert found["C01"].lo is None
    assert found["C01"].quality == "census"
    assert found["C01"].n == 3
    assert found["A01"].value == 1.0
    assert found["A01"].coverage == 0.75  # the saw is no sample of completeness, but it is missing


def test_a_machine_read_on_too_few_days_is_not_reached() -> None:
    dead = failing(Status.BAD_NO_COMMUNICATION, 24, range(8))
    assert values(Plant([PRESS, LATHE], status=dead), "press")["C01"].value == 0.0
    assert values(Plant([PRESS, LATHE], status=dead), "lathe")["C01"].value == 1.0


def test_a_guessed_role_never_enters_the_score() -> None:
    guessed = source("press", [signal("press", 0, role_confirmed=False)])
    found = values(Plant([guessed]))
    assert found["C01"].reason == "NA_ROLE_UNCONFIRMED"
    assert found["C01"].roles == {"guessed": 1}


def test_a_machine_that_is_not_read_is_not_reached_whatever_its_roles() -> None:
    dead = failing(Status.BAD_NO_COMMUNICATION, 24, range(28))
    for confirmed in (True, False):
        press = source("press", [signal("press", 0, role_confirmed=confirmed)])
        found = values(Plant([press, LATHE], status=dead))["C01"]
        assert (found.value, found.coverage) == (0.5, 1.0)


UNSIGNED = "INVENTORY_UNSIGNED"


def test_an_inventory_for_which_nobody_stands_is_flagged_and_its_size_shown() -> None:
    press = source("press")
    records = days([press])
    found = outcome(INDICATOR, [press], records)
    assert isinstance(found, Census)
    assert (found.value, found.flags, found.shown["declared"]) == (1.0, (UNSIGNED,), 1)
    found = outcome(INDICATOR, [press], records, lambda plant: changed(plant, signed=("mentor", "2026-11-01")))
    assert isinstance(found, Census)
    assert (found.value, found.flags) == (1.0, ())
    saw = outcome(INDICATOR, [press], records, machine="saw")
    assert isinstance(saw, Census)
    assert (saw.value, saw.flags, saw.shown["declared"]) == (0.0, (UNSIGNED,), 2)


def still(value: float, *, moving: Sequence[int] = ()) -> Outcome:
    """Return what is found at a press that says one value for ever, but for some days on which it says another."""
    press = source("press")
    records = []
    for day in range(28):
        said = value + (day in moving)
        track = Track([said], [0, 86_400_000, 0], cut=False, rest=[], changes=0, changed=[], dwell=[])
        records.append(record(day, [part(press, day, tracks={"press/s0": track, "press/s1": track})]))
    return outcome(INDICATOR, [press], records)


def test_a_controller_in_which_nothing_ever_moves_is_not_reached() -> None:
    found = still(1.0)
    assert isinstance(found, Census)
    assert (found.value, found.flags) == (0.0, (UNSIGNED, "NOTHING_MOVES"))
    for moving in ((3,), tuple(range(14))):
        found = still(1.0, moving=moving)
        assert isinstance(found, Census)
        assert (found.value, found.flags) == (1.0, (UNSIGNED,))


def test_a_signal_lives_by_whatever_record_it_has() -> None:
    count = Count(1.0, [], [], 0, [], [], [], 0, 5, 5, [])
    values = Values(9, 2.0, 2.0, 2.0, 1e-6, [], [], [], [], [], [], 0, [], [], [], [])
    press = source("press", [signal("press", 0)])
    for kind, dead, alive in (
        ("counts", count, replace(count, last=6)),
        ("values", values, replace(values, high=2.5)),
    ):
        for said, worth in ((dead, 0.0), (alive, 1.0)):
            more: dict[str, Any] = {kind: {"press/s0": said}}
            records = [record(day, [part(press, day, **more)]) for day in range(28)]
            found = outcome(INDICATOR, [press], records)
            assert isinstance(found, Census)
            assert found.value == worth


def test_one_signal_that_is_read_and_another_that_moves_are_not_one_that_does_both() -> None:
    press = source("press")
    moving = Track([1.0, 2.0], [0, 40_000_000, 0, 0, 40_000_000, 1], False, [], 1, [44, 1], [])
    dead = Track([1.0], [0, 86_400_000, 0], False, [], 0, [], [])
    records = []
    for day in range(28):
        tracks = {"press/s0": dead, "press/s1": moving}
        known = {"s1": whole(day) if day < 10 else EMPTY}
        records.append(record(day, [part(press, day, known=known, tracks=tracks)]))
    found = outcome(INDICATOR, [press], records)
    assert isinstance(found, Census)
    assert (found.value, found.flags, found.shown["signals"]) == (0.0, (UNSIGNED, "NOTHING_MOVES"), 1)


def test_a_machine_whose_signals_were_replaced_was_reached_all_the_time() -> None:
    old, new = (source("press", [signal("press", n)]) for n in (0, 1))
    records = [record(day, [part(old if day < 17 else new, day)]) for day in range(28)]
    found = outcome(INDICATOR, [new], records)
    assert isinstance(found, Census)
    assert found.value == 1.0
    silent = [
        record(day, [part(old, day, known={"s0": EMPTY}) if day < 17 else part(new, day)]) for day in range(28)
    ]
    lost = outcome(INDICATOR, [new], silent)
    assert isinstance(lost, Census)
    assert lost.value == 0.0  # replacing them wipes nothing out


def test_a_machine_that_is_taken_off_the_list_is_missed() -> None:
    """The worst of two machines leaves the inventory: the share rises, and the report says why."""
    honest = values(Plant([PRESS, LATHE]))["C01"]
    assert "INVENTORY_SHRUNK" not in honest.flags
    shrunk = values(Plant([PRESS, LATHE], [Machine("press", "press")]))["C01"]
    assert "INVENTORY_SHRUNK" in shrunk.flags
    alone = values(Plant([PRESS, LATHE], [Machine("press", "press")]), "press")["C01"]
    assert (alone.shown["declared"], alone.shown["dropped"]) == (1, 1)
