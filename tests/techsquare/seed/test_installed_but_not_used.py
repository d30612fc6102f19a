"""Installed but not used."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.techsquare.seed.journey import PRICE, SETUP_S, TODAY, Journey, pressed
from tests.techsquare.seed.shop import PLANNED_S

if TYPE_CHECKING:
    from datetime import date

    from tests.techsquare.api.stand import Stand
    from tests.techsquare.seed.shop import Ran

IDLE_DAYS = 30
USE = {"system": "die-change", "signal": "L04", "every_days": 7}


def share(journey: Journey, machine: str, first: date, last: date) -> float:
    """Return the share of planned time that a machine was set up, of days from one to another."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return sum(journey.ran(machine, day).setup for day in days) / (PLANNED_S * len(days))


@pytest.mark.parametrize("stand", ["sqlite", "postgresql"], indirect=True)
def test_installed_but_not_used(stand: Stand) -> None:
    """We paid for it, they hung it up, and it hangs there. Nobody asked whether my people can work with it.

    The plan says by which signal use shows. A month long nobody looks: half of the price waits, and the mentor
    comes because the platform has told him, not because the owner has complained. From then on it is used, that
    part is due, and the verdict is about what it has brought.
    """

    def after(day: date) -> Ran:
        used = day > journey.installed + timedelta(days=IDLE_DAYS)
        return pressed("m0", day, SETUP_S * 6 // 10 if used else SETUP_S, looked=used and day.toordinal() % 3 == 0)

    journey = Journey(stand, after)
    town = journey.town
    journey.measured()
    journey.offered()
    project = journey.chosen()
    journey.contract(project)
    plan = journey.frozen(project, use=USE)
    path = f"/v1/plans/{plan}/use"
    journey.delivered(project)
    assert town.said("hana", path)["state"] == "not_assessed"
    first, second = PRICE * 40 // 100, PRICE * 50 // 100
    assert journey.parts(project) == {
        "delivery": (first, "due"), "acceptance": (second, "waiting:not_accepted"),
        "verdict": (PRICE - first - second, "waiting:before_verdict"),
    }  # fmt: skip
    journey.accepted(project)
    part = {one["kind"]: one["id"] for one in town.rows("hana", "milestone")}
    paid = {"on": town.today.isoformat()}
    assert town.post("hana", f"/v1/milestones/{part['delivery']}/paid", paid)["row"]["won"] == first

    # A week without a look is late, and no reason to call anybody.
    journey.until(journey.installed + timedelta(days=10))
    assert town.night()["use"] == {"assessed": 1, "not_used": 0}
    assert town.said("hana", path)["state"] == "late"
    assert town.said("mina", "/v1/mentors/mina/queue")["lines"] == []
    assert journey.parts(project)["acceptance"] == (second, "waiting:not_used")
    refused = town.code("hana", "POST", f"/v1/milestones/{part['acceptance']}/paid", paid)
    assert refused == "not_reached"

    # Fourteen days are: owner, mentor and supplier are told the same night, the supplier without whose it is.
    journey.until(journey.installed + timedelta(days=16))
    assert town.night()["use"] == {"assessed": 1, "not_used": 1}
    said = town.said("ada", path)
    assert (said["state"], said["idle"], said["observed"], said["censored"]) == ("not_used", 15, 15, 0)
    (line,) = town.said("mina", "/v1/mentors/mina/queue")["lines"]
    assert (line["kind"], line["factory"], line["overdue"]) == ("unused", "hana", False)
    told = {who: town.rows(who, "notification", kind="unused") for who in ("hana", "mina", "ada", "bori")}
    assert {who: len(rows) for who, rows in told.items()} == {"hana": 1, "mina": 1, "ada": 1, "bori": 0}
    assert "hana" not in told["ada"][0]["body"]["text"]
    assert journey.installed.isoformat() in told["hana"][0]["body"]["text"]
    town.night()
    assert len(town.rows("hana", "notification", kind="unused")) == 1

    # The mentor comes, writes down what is in the way, and the line has left his queue.
    visit = town.post("mina", "/v1/factories/hana/visits", {"kind": "follow_up", "on": town.today.isoformat()})
    found = {"on": town.today.isoformat(), "found": {"활용": "교체 순서표가 작업자에게 없었음"}}
    assert town.post("mina", f"/v1/visits/{visit['id']}/done", found)["row"]["state"] == "done"
    seen = {"factory": "hana", "kind": "unused", "subject": plan, "note": "교육 두 번, 순서표 부착"}
    assert town.post("mina", "/v1/queue/settled", seen)["said"]["settled"] == 1
    assert town.said("mina", "/v1/mentors/mina/queue")["lines"] == []

    # Used as agreed: that part of the price is due now, and not before.
    journey.until(journey.installed + timedelta(days=IDLE_DAYS + 16))
    assert town.night()["use"] == {"assessed": 1, "not_used": 0}
    assert town.said("hana", path)["state"] == "used"
    assert journey.parts(project)["acceptance"] == (second, "due")
    paid = {"on": town.today.isoformat()}
    town.post("hana", f"/v1/milestones/{part['acceptance']}/paid", paid)
    assert len(town.rows("hana", "notification", kind="milestone")) == 2
    assert town.rows("mina", "task", kind="unused", state="open") == []

    # On its day the verdict is told of all days, those of no use among them.
    row = town.rows("hana", "measurement_plan", id=plan)[0]
    on = journey.installed + timedelta(days=row["body"]["blackout_days"] + 61)
    assert row["verdict_on"] == on.isoformat()
    journey.until(on)
    assert town.night()["verdicts"] == {"told": 1, "waiting": 0}
    (outcome,) = town.rows("hana", "outcome")
    begins = journey.installed + timedelta(days=row["body"]["blackout_days"] + 1)
    change = {
        machine: share(journey, machine, begins, on - timedelta(days=1))
        - share(journey, machine, journey.first, TODAY - timedelta(days=1))
        for machine in (f"m{n}" for n in range(8))
    }
    by_hand = change["m0"] - sum(change[f"m{n}"] for n in range(1, 8)) / 7
    assert outcome["word"] == "improved"
    assert outcome["estimate"] == pytest.approx(by_hand, abs=1e-9)
    assert outcome["low"] < by_hand < outcome["high"] < 0
    assert {who: len(town.rows(who, "notification", kind="outcome")) for who in ("hana", "mina", "ada")} == {
        "hana": 1, "mina": 1, "ada": 1,
    }  # fmt: skip
    assert sum(won for won, _ in journey.parts(project).values()) == PRICE
    assert {advice for _, advice in journey.parts(project).values()} == {"due"}

    # Where a plan names no signal, nobody is ever told that something is not used.
    other = town.post("hana", f"/v1/engagements/{project}/plans", {
        "metric": "fault", "machines": ["m0"], "baseline_from": (on - timedelta(days=60)).isoformat(),
        "baseline_to": (on - timedelta(days=1)).isoformat(), "installed": (on + timedelta(days=10)).isoformat(),
        "least": 0.03,
    })  # fmt: skip
    assert town.said("hana", f"/v1/plans/{other['id']}/use")["reason"] == "no_signal"
