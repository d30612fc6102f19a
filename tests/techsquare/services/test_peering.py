"""Quartiles of others: of more than ten companies, frozen once, and where a factory stands among them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from techsquare.catalogue.load import Catalogue
from techsquare.diagnosis.terms import MachineDay
from techsquare.registry import tables as t
from techsquare.services import peering, standing
from techsquare.services.days import DAY_NS
from techsquare.services.refused import RefusedError
from techsquare.services.series import UNSIGNED
from tests.techsquare.services import made

if TYPE_CHECKING:
    from techsquare.registry.store import Registry

EMPTY = Catalogue((), ())
FIRST = date(2026, 4, 1)
READY = made.at(date(2026, 7, 1 + peering.LATE_DAYS))
HOURS = 28_800.0


def quarter(machine: str, fault: float, days: int = 10, first: date = FIRST) -> list[MachineDay]:
    """Return days of which a share was faults, and the rest production as slow as that."""
    one = MachineDay(
        machine, first, HOURS, HOURS, production_s=HOURS * (1 - fault), setup_s=0.0, fault_s=HOURS * fault,
        standby_s=0.0, off_s=0.0, ideal_s=HOURS * (1 - fault) * 0.8, priced_s=HOURS * (1 - fault), formulas="1",
    )  # fmt: skip
    return [replace(one, day=first + timedelta(days=i)) for i in range(days)]


def company(
    registry: Registry, name: str, fault: float, *, machines: int = 1, group: str | None = None, **more: Any
) -> None:
    names = [f"m{i}" for i in range(machines)]
    made.factory(registry, name, names, process=more.pop("process", "press"), group=group)
    for one in names:
        made.days(
            registry,
            name,
            quarter(one, fault, more.get("days", 10)),
            **{k: v for k, v in more.items() if k != "days"},
        )


def frozen(registry: Registry, metric: str = "fault", process: str = "press") -> t.Peer | None:
    with registry.reading() as session:
        return session.scalars(
            select(t.Peer).where(
                t.Peer.metric == metric,
                t.Peer.process == process,
                t.Peer.quarter == "2026-Q2",
                t.Peer.formulas == "1",
            )
        ).one_or_none()


def shown(registry: Registry, name: str) -> list[dict[str, Any]]:
    with registry.reading() as session:
        return peering.shown_to(session, made.owner(name, READY), name)


def test_eleven_companies_make_a_table_and_each_sees_its_place(registry: Registry) -> None:
    for i in range(11):
        company(registry, f"f{i:02}", 0.02 * i)
    assert peering.night(registry, EMPTY, READY - DAY_NS) == {"frozen": 0}  # records may still be on their way
    assert peering.night(registry, EMPTY, READY) == {"frozen": len(peering.METRICS)}
    row = frozen(registry)
    assert row is not None
    assert (row.companies, row.suppressed, row.q25, row.q50, row.q75) == (11, None, 0.04, 0.1, 0.16)
    quality = frozen(registry, "quality")  # nobody counts rejects
    assert quality is not None
    assert (quality.suppressed, quality.companies) == ("few", None)
    for i, place in ((0, "lowest"), (2, "lowest"), (5, "second"), (8, "third"), (10, "highest")):
        found = {one["metric"]: one for one in shown(registry, f"f{i:02}")}
        assert set(found) == set(peering.METRICS) - {"quality"}
        assert found["fault"]["value"] == pytest.approx(0.02 * i)
        assert (found["fault"]["place"], found["fault"]["companies"]) == (place, 11)
        assert found["effectiveness"]["value"] == pytest.approx(0.8)
    with registry.reading() as session, pytest.raises(RefusedError, match="not_there"):
        peering.shown_to(session, made.owner("f01", READY), "f02")
    with registry.reading() as session:
        peers = next(s for s in standing.of(session, made.owner("f01", READY), "f01") if s.result == "peers")
    assert (peers.state, peers.reason) == ("firm", None)


def test_in_a_simulated_programme_each_sees_its_place_too(registry: Registry) -> None:
    for i in range(11):
        company(registry, f"f{i:02}", 0.02 * i, simulated=1.0, head=f"{UNSIGNED}{i}")
    peering.night(registry, EMPTY, READY)
    (fault,) = [one for one in shown(registry, "f03") if one["metric"] == "fault"]
    assert (fault["value"], fault["place"]) == (pytest.approx(0.06), "second")


def test_once_frozen_nobody_shows_by_coming_or_going(registry: Registry) -> None:
    for i in range(10):
        company(registry, f"f{i:02}", 0.02 * i)
    peering.night(registry, EMPTY, READY)
    row = frozen(registry)
    assert row is not None
    assert (row.suppressed, row.companies, row.q50) == ("few", None, None)  # ten companies have nine others
    assert shown(registry, "f00") == []
    for i in range(10, 14):
        company(registry, f"f{i:02}", 0.02 * i)
    company(registry, "lathe", 0.1, process="machining")
    for later in range(3):
        assert peering.night(registry, EMPTY, READY + later * DAY_NS) == {"frozen": 0}
    again = frozen(registry)
    assert again is not None
    assert (again.id, again.suppressed) == (row.id, "few")
    assert frozen(registry, process="machining") is None


def test_only_honest_quarters_of_one_kind_count_and_nobody_outweighs_the_others(registry: Registry) -> None:
    for i in range(9):
        company(registry, f"f{i:02}", 0.02 * i)
    company(registry, "twin-a", 0.1, group="twins")
    company(registry, "twin-b", 0.2, group="twins")
    company(registry, "short", 0.1, days=9)
    company(registry, "made-up", 0.1, simulated=1.0)
    company(registry, "by-hand", 0.1, source="counted", head=None)
    company(registry, "other", 0.1, formulas="2")
    company(registry, "lathe", 0.1, process="machining")
    peering.night(registry, EMPTY, READY)
    row = frozen(registry)
    assert row is not None
    assert row.suppressed == "few"  # nine, and the twins are one
    # The next quarter has one more, but it has as many machines as half of the others together.
    for i in range(9):
        made.days(registry, f"f{i:02}", quarter("m0", 0.02 * i, first=date(2026, 7, 1)))
    for name in ("twin-a", "twin-b"):
        made.days(registry, name, quarter("m0", 0.1, first=date(2026, 7, 1)))
    made.factory(registry, "giant", [f"m{i}" for i in range(6)])
    for i in range(6):
        made.days(registry, "giant", quarter(f"m{i}", 0.1, first=date(2026, 7, 1)))
    peering.night(registry, EMPTY, made.at(date(2026, 10, 9)))
    with registry.reading() as session:
        heavy = session.scalars(select(t.Peer).where(t.Peer.quarter == "2026-Q3", t.Peer.metric == "fault")).all()
    assert [(one.suppressed, one.companies, one.heaviest) for one in heavy] == [("heavy", None, None)]
    assert shown(registry, "f00") == []
