"""A solution that does not fit: clothes that somebody else was measured for."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from contract.consent import SCOPES
from settings.broker import Broker
from techsquare.intake.repair import Turns
from techsquare.intake.worker import Worker
from tests.agent.platform import test_office as office
from tests.agent.test_uplink import BRANCH
from tests.support.brokers import mosquitto
from tests.support.processes import running
from tests.techsquare.intake.test_worker import eventually
from tests.techsquare.seed.town import Town

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.techsquare.api.stand import Stand

NAME = BRANCH.factory
MEASURE = "setup-cart"
TODAY = date(2026, 11, 24)
"""The agent's own 28 days end the day before."""
ANSWERS = {
    "process": "press", "orders": "yes", "limits": "yes", "hours_day": 12, "days_week": 5, "changeovers": 5,
    "setup_minutes": 45, "fault_minutes": 15, "pieces_day": 1_800, "contribution": 1_500, "people": 1,
    "wage": 15_000,
}  # fmt: skip
CONNECTED = [{"id": "reads-plc", "metric": "C01", "min": 0.9}]
"""Reads the machine's own control, so the control has to be connected."""
UNCONNECTED = [{"id": "clamps-on", "metric": "C01", "max": 0.5}]
"""A clamp for old machines: where the control is connected already, it counts everything twice."""
COUNTED = [{"id": "counts", "metric": "V02", "min": 0.9}]


@pytest.fixture
def box(tmp_path: Path) -> Iterator[tuple[Broker, office.Rig]]:
    """Return a real broker, and an agent's own office behind it."""
    with running(mosquitto(tmp_path / "broker")) as child:
        assert child.port is not None
        made = office.Rig(tmp_path / "state", child.port)
        yield Broker(host="127.0.0.1", port=child.port), made
        made.stop()


@pytest.mark.parametrize("short", ["sqlite", "postgresql"], indirect=True)
def test_ill_fitting_solution(short: Stand, box: tuple[Broker, office.Rig]) -> None:
    """They sold me what they had, not what my machines need. It did not fit, and the money was gone.

    Before anybody drives to anybody, the factory's own agent says of a version whether it fits. The cheapest does
    not, so it is not on the list, and the owner reads why; its supplier reads a word, and not whose. Others fail
    for what can be read beforehand: for another process, not to be had here, not to be left again.
    """
    broker, rig = box
    suppliers = ("ada", "bori", "choi", "dodam", "eun")
    town = Town(short, TODAY, factories={NAME: {}, "other": {}}, suppliers=suppliers, mentors=("mina",))
    town.put("op", f"/v1/factories/{NAME}/mentor", {"mentor_id": "mina"})
    worker = Worker(short.registry, broker, "w", Turns(patience=0.3), now=short.now, register=office.REGISTER)
    worker.start()
    try:
        rig.turn()
        # The agent is heard; the owner says that the key is his, and tells his people what is measured.
        eventually(lambda: bool(town.rows(NAME, "machine")))
        (agent,) = town.rows(NAME, "agent")
        key = {"public_key": agent["public_key"], "answer": "mine"}
        town.post(NAME, f"/v1/factories/{NAME}/agents/{agent['id']}/key", key)
        for machine in ("press-1", "lathe"):
            town.put(NAME, f"/v1/factories/{NAME}/machines/{machine}", {"process": "press", "limits_output": "yes"})
        town.post(NAME, f"/v1/factories/{NAME}/notice", {"contact": "생산팀장", "scopes": list(SCOPES)})
        rig.turn(4)
        eventually(lambda: len(town.rows(NAME, "day_record")) == office.SIGNED_DAYS)

        town.post(NAME, f"/v1/factories/{NAME}/answers", {"answers": ANSWERS, "machine": "press-1"})
        means = {"cash": [9_000_000, 0, 0], "staff_days": [40.0] * 3, "support": [0] * 3}
        town.post(NAME, f"/v1/factories/{NAME}/budgets", means)
        town.post(NAME, f"/v1/factories/{NAME}/roadmaps", {})
        item = next(row for row in town.rows(NAME, "roadmap_item") if row["measure_id"] == MEASURE)

        version = {
            "ada": town.offered("ada", MEASURE, 2_000_000, needs=CONNECTED),
            "bori": town.offered("bori", MEASURE, 1_000_000, needs=UNCONNECTED),
            "choi": town.offered("choi", MEASURE, 1_500_000, processes=["injection"]),
            "dodam": town.offered("dodam", MEASURE, 1_500_000, regions=["seoul"]),
            "eun": town.offered("eun", MEASURE, 1_500_000, continuity=["store", "tags"]),
        }
        for one in version.values():
            town.proven(one)
        bad = {
            "version": "2.0", "processes": ["press"], "interfaces": [], "regions": ["busan"], "remote": False,
            "price": {"low": 1, "high": 1}, "yearly": {"low": 0, "high": 0}, "leaving": {"low": 0, "high": 0},
            "needs": COUNTED,
        }  # fmt: skip
        sold = town.rows("bori", "solution")[0]["id"]
        refused = town.ask("bori", "POST", f"/v1/solutions/{sold}/versions", bad).json()
        assert refused["code"] == "bad_needs"  # nobody fishes for what its kind has nothing to do with

        # The owner asks; each is put to the agent once, and the agent answers.
        asked = {}
        for supplier in ("ada", "bori"):
            form = {"version_id": version[supplier]}
            asked[supplier] = town.post(NAME, f"/v1/factories/{NAME}/fit-checks", form)["id"]
            assert town.post(NAME, f"/v1/factories/{NAME}/fit-checks", form)["id"] == asked[supplier]
        assert town.ask("bori", "POST", f"/v1/factories/{NAME}/fit-checks", form).status_code == 404
        eventually(lambda: all(row["result"] for row in town.rows(NAME, "fit_check")), 60)
    finally:
        worker.stop()
    found = {row["version_id"]: row for row in town.rows(NAME, "fit_check")}
    assert {key: row["result"] for key, row in found.items()} == {version["ada"]: "pass", version["bori"]: "fail"}
    assert [one["need"] for one in found[version["bori"]]["missing"]] == ["clamps-on"]
    assert (
        town.rows("mina", "fit_check", version_id=version["bori"])[0]["missing"]
        == found[version["bori"]]["missing"]
    )
    for supplier, word in (("ada", "pass"), ("bori", "fail")):
        (row,) = town.rows(supplier, "fit_check")
        assert (row["result"], set(row)) == (word, {"id", "version_id", "month", "result"})
    for who in ("choi", "op", "other"):
        assert town.rows(who, "fit_check") == []

    # The night's list: the one that fits, though two were cheaper; the others with all that stands against them.
    night = town.night()
    assert night["fit"]["told"] > 0  # owner and mentor, of what is missing
    offers = [row for row in town.rows(NAME, "offer", item_id=item["id"]) if row["ended_at"] is None]
    assert [(row["supplier_id"], row["version_id"]) for row in offers] == [("ada", version["ada"])]
    passed = {
        one["constraint"]: one["evidence"]
        for one in town.said(NAME, f"/v1/offers/{offers[0]['id']}/reasons")["passed"]
    }
    assert len(passed) == 13
    assert passed["fit"] == "pass"
    made = town.post(NAME, f"/v1/items/{item['id']}/match")["said"]
    assert len(made["offers"]) == 1
    failed = {
        row["version_id"]: row["failed"] for row in town.rows(NAME, "failed_pair") if row["item_id"] == item["id"]
    }
    assert failed == {
        version["bori"]: ["fit"], version["choi"]: ["process"], version["dodam"]: ["region"],
        version["eun"]: ["continuity"],
    }  # fmt: skip
    why = town.get(NAME, f"/v1/items/{item['id']}/why-not/bori")[0]["said"]
    assert why["failed"] == ["fit"]
    for who in ("bori", "choi"):
        assert town.ask(who, "GET", f"/v1/items/{item['id']}/why-not/{who}").status_code == 404
        assert town.rows(who, "failed_pair") == []
    told = town.rows(NAME, "notification", kind="fit")
    assert len(told) == 1
