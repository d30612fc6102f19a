"""A programme inside a registry: made by the services, the same bytes again, and of use on the platform."""

from __future__ import annotations

import hashlib
import json
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from techsquare.cli import main
from techsquare.registry import access, policy
from techsquare.registry import tables as t
from techsquare.registry.base import SECRET
from techsquare.registry.store import Registry
from techsquare.registry.tables import Base
from techsquare.services import market, night, nights
from techsquare.simulation.sink.clock import instant
from techsquare.simulation.sink.fill import Login, NotEmptyError, fill
from techsquare.simulation.terms import Setting
from tests.techsquare.simulation.worlds import books

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

pytestmark = pytest.mark.timeout(600)  # a whole programme is played, also on a machine that is busy otherwise
ON = date(2026, 11, 23)
LITTLE = Setting(seed=5, factories=7, months=10, begins=ON - timedelta(days=300), apply=0.3, suppliers=24)
SHORT = Setting(seed=3, factories=5, months=4, begins=ON - timedelta(days=120), apply=0.2, suppliers=10)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Registry, list[Login], Mapping[str, int]]]:
    registry = Registry(f"sqlite:///{tmp_path_factory.mktemp('sink')}/a.db")
    logins, counts = fill(registry, books(), LITTLE)
    yield registry, logins, counts
    registry.close()


def _bytes(registry: Registry) -> dict[str, str]:
    """Return a hash of all rows of each table; what is secret is left out, and tokens are nothing else."""
    found = {}
    with registry.reading() as session:
        for table in Base.metadata.sorted_tables:
            if table.name == "token":
                continue
            shown = [column for column in table.columns if not column.info.get(SECRET)]
            rows = session.execute(select(*shown).order_by(*table.primary_key.columns)).all()
            text = json.dumps([[str(value) for value in row] for row in rows], ensure_ascii=False)
            found[table.name] = hashlib.sha256(text.encode()).hexdigest()
    return found


def test_the_same_seed_gives_the_same_rows(tmp_path: Path) -> None:
    said = []
    for name in ("a", "b"):
        registry = Registry(f"sqlite:///{tmp_path}/{name}.db")
        fill(registry, books(), SHORT)
        said.append(_bytes(registry))
        registry.close()
    audit = [one.pop("audit") for one in said]
    assert said[0] == said[1]
    assert audit[0] != "", "its entries hash nothing that is secret"


@cache
def _count(registry: Registry, model: type[Base], *where: Any) -> int:
    with registry.reading() as session:
        return session.scalar(select(func.count()).select_from(model).where(*where)) or 0


FILLED = (
    t.Party, t.User, t.Membership, t.Machine, t.Agent, t.Consent, t.MetricDay, t.Answer, t.Rates, t.Budget,
    t.Assessment, t.Loss, t.Gap, t.Roadmap, t.RoadmapItem, t.Offer, t.Round, t.Engagement, t.Contract, t.Milestone,
    t.MeasurementPlan, t.PlanMachine, t.Outcome, t.Takeover, t.Visit, t.Message, t.Task, t.Notification, t.Funding,
    t.Cost, t.Showing, t.Slot, t.FiledAccount, t.EscrowDeposit, t.Assignment, t.Audit, t.Report,
    t.Record, t.FitCheck, t.SeenVersion, t.Job, t.Ticket,
)  # fmt: skip


def test_every_table_that_pages_show_has_rows(filled: tuple[Registry, list[Login], Mapping[str, int]]) -> None:
    registry, _, counts = filled
    empty = [model.__tablename__ for model in FILLED if not _count(registry, model)]
    assert not empty
    with registry.reading() as session:
        words = set(session.scalars(select(t.Outcome.word).distinct()))
        states = set(session.scalars(select(t.Engagement.state).distinct()))
    assert words == {"improved", "worse", "no_change", "cannot_tell", "cause_not_shown"}
    assert states >= {"accepted", "ended"}, "of six; seven factories have no more at one moment"
    assert counts["takeovers"] > 0
    assert _count(registry, t.MetricDay) == counts["machine_days"]
    assert not _count(registry, t.MetricDay, t.MetricDay.simulated < 1)
    assert not _count(registry, t.Party, ~t.Party.name.startswith("모의"))
    with registry.reading() as session:
        last = session.scalar(select(func.max(t.MetricDay.day)))
    assert last is not None
    assert ON - timedelta(days=4) <= last < ON


def test_each_role_logs_in_and_sees_its_own(filled: tuple[Registry, list[Login], Mapping[str, int]]) -> None:
    registry, logins, _ = filled
    assert [one.role for one in logins] == ["mentor", "operator", "owner", "risk", "supplier"]
    seen = {
        "mentor": t.RoadmapItem, "operator": t.Engagement, "owner": t.Loss, "risk": t.FiledAccount,
        "supplier": t.Engagement,
    }  # fmt: skip
    for one in logins:
        with registry.reading() as session:
            reader = access.log_in(session, one.email, one.password, instant(ON)).reader
            assert (one.role, one.party) in reader.roles
            model: type[Base] = seen[one.role]
            assert policy.read(session, model, reader), one.role


def test_the_platform_goes_on_from_what_is_there(
    filled: tuple[Registry, list[Login], Mapping[str, int]],
) -> None:
    """The night of the next day takes everything that was written, as it is written by services."""
    registry = filled[0]
    done = night.run(registry, books().catalogue, instant(ON), lambda _: None)
    assert "failed" not in done.values(), done
    assert done["diagnoses"]["failed"] == done["verdicts"]["waiting"] == 0
    said = nights.every(registry, books().catalogue, instant(ON), lambda _: None)
    assert said["items"] > 0
    with registry.reading() as session:
        counted = market.market(session, books().catalogue, [], ON).counts
    assert sum(one.improved for one in counted.values()) == sum(len(one.gains) for one in counted.values()) > 50


def test_a_database_with_somebody_in_it_is_left_alone(
    filled: tuple[Registry, list[Login], Mapping[str, int]], capfd: pytest.CaptureFixture[str]
) -> None:
    registry = filled[0]
    with pytest.raises(NotEmptyError):
        fill(registry, books(), SHORT)
    assert main(["simulate", "--into", registry.engine.url.render_as_string(hide_password=False)]) == 1
    assert "empty one of its own" in capfd.readouterr().err
