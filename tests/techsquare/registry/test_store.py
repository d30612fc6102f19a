"""Engines, sessions, repetition, constraints and the audit, on both databases."""

from __future__ import annotations

import logging
import sqlite3
import threading
from datetime import date
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from techsquare.registry import tables as t
from techsquare.registry.audit import Actor, proof, row_hash
from techsquare.registry.errors import BadUrlError, BusyError, ConflictError
from techsquare.registry.ids import Ids
from techsquare.registry.policy import open_columns
from techsquare.registry.store import ATTEMPTS, Registry, add
from tests.techsquare.registry.world import NOW, World

if TYPE_CHECKING:
    from techsquare.registry.base import Base

ME = Actor("u-1", "house")


def party(name: str, kind: Any = "factory") -> t.Party:
    return t.Party(id=name, kind=kind, name=name, created_at=NOW)


def factory(session: Session, name: str) -> None:
    add(session, party(name), t.Factory(id=name, region="", industry=""))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:hunter2@h:port/x",
        "hunter2",
        "mysql://u:hunter2@h/x",
        "postgresql+hunter2://h/x",
        "",
        "sqlite+hunter2:///x",
    ],
)
def test_a_bad_url_is_not_repeated(url: str) -> None:
    with pytest.raises(BadUrlError) as told:
        Registry(url)
    assert "hunter2" not in str(told.value) + repr(told.value) + repr(told.value.__cause__)
    assert told.value.__context__ is None or told.value.__suppress_context__


def test_a_password_stands_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    registry = Registry("postgresql://kim:hunter2@127.0.0.1:1/none?connect_timeout=2")
    with pytest.raises(DBAPIError) as told, registry.reading() as session:
        session.execute(text("SELECT 1"))
    said = f"{registry!r} {registry.engine!r} {registry.engine.url} {told.value} {told.value!r} {caplog.text}"
    assert "hunter2" not in said


def test_values_stand_in_no_message(registry: Registry) -> None:
    registry.decide(lambda s: s.add(party("hunter2")), ME)
    with pytest.raises(ConflictError) as told:
        registry.decide(lambda s: s.add(party("hunter2")), ME)
    assert "hunter2" not in f"{told.value} {told.value!r} {told.value.__cause__}"
    assert "party" in told.value.constraint
    with pytest.raises(DBAPIError) as other, Session(registry.engine) as session:
        session.execute(text("SELECT * FROM nowhere WHERE x = :x"), {"x": "hunter2"})
    assert "hunter2" not in str(other.value)


def test_a_reading_session_changes_nothing_and_sees_one_state(registry: Registry) -> None:
    registry.decide(lambda s: s.add(party("a")), ME)
    with registry.reading() as session:
        assert session.scalar(select(func.count()).select_from(t.Party)) == 1
        registry.decide(lambda s: s.add(party("b")), ME)
        assert session.scalar(select(func.count()).select_from(t.Party)) == 1
        session.add(party("c"))
        with pytest.raises(DBAPIError, match=r"readonly|read-only"):
            session.flush()
    registry.decide(lambda s: s.add(party("d")), ME)  # a writer on the same connection is not hindered
    with registry.reading() as session:
        assert set(session.scalars(select(t.Party.id))) == {"a", "b", "d"}


def test_deciders_at_once_are_as_one_after_the_other(url: str) -> None:
    """Four read a counter, wait for each other, and add one: each addition counts."""
    first = Registry(url)
    first.decide(lambda s: s.add(t.Party(id="n", kind="factory", name="0", created_at=NOW)), ME)
    tries: list[int] = []
    wrong: list[BaseException] = []

    def count() -> None:
        mine = Registry(url)

        def work(session: Session) -> None:
            tries.append(1)
            row = session.get_one(t.Party, "n")
            row.name = str(int(row.name) + 1)

        try:
            for _ in range(5):
                mine.decide(work, ME)
        except BaseException as exc:  # noqa: BLE001 - whatever it is, it is told below
            wrong.append(exc)
        finally:
            mine.close()

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    with first.reading() as session:
        assert session.get_one(t.Party, "n").name == "20"
        assert session.scalar(select(func.count()).select_from(t.Audit)) == 21
    assert len(tries) >= 20
    first.close()


def test_who_is_never_alone_is_told_that_it_is_busy(url: str) -> None:
    waits: list[float] = []
    registry = Registry(url, sleep=waits.append)
    registry.decide(lambda s: s.add(party("n")), ME)
    other = Registry(url)
    lost = DBAPIError("x", None, _lost(registry.engine.dialect.name))
    called = []

    def work(session: Session) -> None:
        called.append(session.scalar(select(func.count()).select_from(t.Party)))
        raise lost

    with pytest.raises(BusyError):
        registry.decide(work, ME)
    assert len(called) == ATTEMPTS
    assert len(waits) == ATTEMPTS - 1
    assert all(a > 0 for a in waits)
    assert max(waits) < 6
    other.decide(lambda s: s.add(party("m")), ME)  # nothing was left locked
    registry.close()
    other.close()


def _lost(dialect: str) -> BaseException:
    if dialect == "sqlite":
        exc = sqlite3.OperationalError("database is locked")
        exc.sqlite_errorcode = sqlite3.SQLITE_BUSY
        return exc
    return psycopg.errors.SerializationFailure()


def test_sqlite_is_set_up_as_it_says(tmp_path: Any) -> None:
    registry = Registry(f"sqlite:///{tmp_path}/x.db")
    with registry.reading() as session:
        found = {
            p: session.execute(text(f"PRAGMA {p}")).scalar()
            for p in ("journal_mode", "foreign_keys", "busy_timeout")
        }
    assert found == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 10_000}
    registry.close()


def _changed(world: World, model: type[Base], **values: Any) -> Base:
    """Return a copy of the first row of a table, with another id and other values."""
    row = next(r for r in world.rows if isinstance(r, model))
    columns = {c: getattr(row, c) for c in model.__table__.c.keys()}  # noqa: SIM118
    if "id" in columns and "id" not in values:
        columns["id"] = "new"
    return model(**columns | values)


REFUSED: list[tuple[str, type[Base], dict[str, Any], str]] = [
    ("two mentors at once", t.Assignment, {"until": None, "factory_id": "alpha"}, "one_assignment_factory_id"),
    ("a second record of a date", t.DayRecord, {"head": "other", "number": 9}, "pk_day_record"),
    (
        "a second record of a number",
        t.DayRecord,
        {"head": "other", "day": date(2027, 1, 1)},
        "uq_day_record_factory_id_agent_id_key_number",
    ),
    ("a second slot of a quarter", t.Slot, {}, "pk_slot"),
    ("more used than declared", t.Slot, {"quarter": "2026-Q4", "used": 4, "declared": 3}, "ck_slot_fits"),
    ("a quarter that is none", t.Slot, {"quarter": "2026-Q5"}, "ck_slot_quarter"),
    ("a state that is none", t.Supplier, {"id": "bori", "state": "happy"}, "ck_supplier_one_of_state"),
    ("a second fit check of a version", t.FitCheck, {}, "uq_fit_check_factory_id_version_id"),
    ("peers of ten companies", t.Peer, {"metric": "B", "companies": 10}, "ck_peer_range_companies"),
    ("a peer that weighs too much", t.Peer, {"metric": "B", "heaviest": 0.3}, "ck_peer_heaviest"),
    ("reasons of nine factories", t.ReasonSum, {"reason": "fit", "factories": 9}, "ck_reason_sum_range_factories"),
    ("a factory with the role of a supplier", t.Membership, {"role": "supplier"}, "ck_membership_role_fits"),
    ("a party of a supplier as a factory", t.Factory, {"id": "dara"}, "fk_factory_id_kind"),
    (
        "a project signed without a date",
        t.Engagement,
        {"item_id": None, "state": "signed", "signed_on": None},
        "ck_engagement_signed",
    ),
    ("two projects of one item", t.Engagement, {"ended_on": None, "state": "signed"}, "one_engagement_item_id"),
    ("a verdict of another word", t.Outcome, {"look": 2, "word": "great"}, "ck_outcome_one_of_word"),
    ("two verdicts of one look", t.Outcome, {}, "uq_outcome_plan_id_look"),
    ("a third look", t.Outcome, {"look": 3}, "ck_outcome_look"),
    ("an interval without its estimate", t.Outcome, {"look": 2, "low": 5.0}, "ck_outcome_interval"),
    (
        "a baseline before the application",
        t.MeasurementPlan,
        {"metric": "B", "applied_on": date(2027, 1, 1)},
        "ck_measurement_plan_applied_on_first",
    ),
    (
        "a plan frozen without both",
        t.MeasurementPlan,
        {"metric": "B", "frozen_at": 1, "hash": "h", "owner_at": 1},
        "ck_measurement_plan_agreed",
    ),
    (
        "a measured row without its record",
        t.MetricDay,
        {"day": date(2027, 1, 1), "head": None},
        "ck_metric_day_head",
    ),
    (
        "a counted row with a record",
        t.MetricDay,
        {"day": date(2027, 1, 1), "source": "counted"},
        "ck_metric_day_head",
    ),
    ("a machine that nobody knows", t.MetricDay, {"machine_id": "none"}, "fk_metric_day_factory_id_machine_id"),
    (
        "a fourth slot of a list",
        t.Offer,
        {"slot": 4, "version_id": "v-choi", "supplier_id": "choi"},
        "ck_offer_slot",
    ),
    (
        "exposure in the slot of merit",
        t.Offer,
        {"slot": 1, "ended_at": 1, "shown_by": "exposure"},
        "ck_offer_merit",
    ),
    ("two in one slot", t.Offer, {"slot": 1, "version_id": "v-choi", "supplier_id": "choi"}, "one_offer_item_id"),
    (
        "a version of somebody else",
        t.Offer,
        {"slot": 3, "version_id": "v-choi", "supplier_id": "bori"},
        "fk_offer_version_id_supplier_id",
    ),
    (
        "an item of somebody else",
        t.Offer,
        {"slot": 3, "version_id": "v-choi", "supplier_id": "choi", "factory_id": "delta"},
        "fk_offer_item_id_factory_id",
    ),
    ("neither supplier nor solution", t.Exclusion, {"supplier_id": None}, "ck_exclusion_one"),
    ("a second reporter", t.Agent, {"id": "edge-2"}, "one_agent_factory_id"),
    ("money below nothing", t.Cost, {"won": -1}, "ck_cost_range_won"),
    ("a share above one", t.Milestone, {"kind": "verdict", "share": 1.5}, "ck_milestone_range_share"),
    ("a second takeover at once", t.Takeover, {}, "one_takeover_engagement_id"),
    (
        "a takeover by himself",
        t.Takeover,
        {"ended_at": 1, "state": "done", "to_supplier": "ada", "from_supplier": "ada"},
        "ck_takeover_other",
    ),
    ("a bucket twice", t.Loss, {}, "uq_loss_assessment_id_machine_id_bucket"),
    ("a span upside down", t.Gap, {"won_low": 5, "won_high": 4}, "ck_gap_won_low_first"),
    ("half a span", t.Gap, {"won_low": 5}, "ck_gap_won"),
    ("a second objection", t.Objection, {}, "uq_objection_outcome_id_party_id"),
]


def test_what_can_never_be_is_refused_by_the_database(registry: Registry) -> None:
    world = World(5)
    with Session(registry.engine, expire_on_commit=False) as session, session.begin():
        add(session, *world.rows)
    for name, model, values, constraint in REFUSED:
        row = _changed(world, model, **values)

        def work(session: Session, row: Base = row) -> None:
            session.add(row)
            session.flush()

        with pytest.raises(ConflictError) as told:
            registry.decide(work, ME)
        if registry.engine.dialect.name == "postgresql" or constraint.startswith("ck_"):
            assert told.value.constraint == constraint, name
        else:  # SQLite names the columns, or only says that it is a foreign key
            said = told.value.constraint.replace(f"{model.__tablename__}.", "")
            assert constraint.startswith("fk_") == (said == "FOREIGN KEY"), name
            assert constraint[:3] in {"fk_", "pk_"} or "_".join(said.split(", ")).startswith(
                constraint.removeprefix(f"uq_{model.__tablename__}_").removeprefix(f"one_{model.__tablename__}_")
            ), (name, said)
    assert len(REFUSED) > 35


def test_each_change_is_written_down_with_what_was_and_what_is(registry: Registry) -> None:
    def make(session: Session) -> None:
        factory(session, "a")
        add(session, t.Machine(factory_id="a", id="p", name="프레스", limits_output="no"))
        session.add(
            t.User(id="k", email="k@x.kr", name="김", language="ko", password="secret hash", created_at=NOW)
        )

    registry.decide(make, ME)

    def change(session: Session) -> None:
        session.get_one(t.Machine, ("a", "p")).name = "다른 것"
        session.get_one(t.User, "k").password = "another"
        session.get_one(t.Factory, "a").region = ""  # is that already

    registry.decide(change, Actor("u-2"))
    registry.decide(lambda s: s.delete(s.get_one(t.Machine, ("a", "p"))), ME)
    with registry.reading() as session:
        lines = session.scalars(select(t.Audit).order_by(t.Audit.id)).all()
        told = [(r.actor, r.party_id, r.action, r.table_name, r.row_key, r.factory_id) for r in lines]
        machine = [r for r in lines if r.table_name == "machine"]
        user = [r for r in lines if r.table_name == "user_account"]
        assert sorted(told) == sorted([
            ("u-1", "house", "insert", "party", "a", "a"),
            ("u-1", "house", "insert", "factory", "a", "a"),
            ("u-1", "house", "insert", "machine", "a/p", "a"),
            ("u-1", "house", "insert", "user_account", "k", None),
            ("u-2", None, "update", "machine", "a/p", "a"),
            ("u-2", None, "update", "user_account", "k", None),
            ("u-1", "house", "delete", "machine", "a/p", "a"),
        ])  # fmt: skip
        first, second, third = machine
        assert (first.before, third.after) == (None, None)
        shown = {c.name for c in t.Machine.__table__.columns}
        said = {"factory_id": "a", "id": "p", "limits_output": "no", "comparable": False, "weight": 1.0}
        was, now = (row_hash({**dict.fromkeys(shown), **said, "name": name}) for name in ("프레스", "다른 것"))
        assert (first.after, second.before) == (proof(first.salt, was), proof(second.salt, was))
        assert (second.after, third.before) == (proof(second.salt, now), proof(third.salt, now))
        assert user[1].before == user[1].after  # a secret is in no hash
        assert len({row.salt for row in lines}) == len(lines)
        row = {c: getattr(session.get_one(t.Factory, "a"), c) for c in open_columns(t.Factory.__table__)}  # type: ignore[arg-type]
        entry = next(r for r in lines if r.table_name == "factory")
        assert entry.after == proof(entry.salt, row_hash(row))


def test_a_change_without_its_entry_does_not_happen(registry: Registry) -> None:
    with pytest.raises(TypeError, match=r"use Registry\.decide with an actor"):
        registry.load(lambda s: s.add(party("a")))
    with registry.reading() as session:
        assert session.get(t.Party, "a") is None


def test_entries_can_be_neither_changed_nor_deleted(registry: Registry) -> None:
    registry.decide(lambda s: factory(s, "a"), ME)
    with pytest.raises(TypeError, match="only ever added to"):
        registry.decide(lambda s: s.delete(s.scalars(select(t.Audit)).first()), ME)
    for statement in ("DELETE FROM audit", "UPDATE audit SET actor = 'nobody'", "UPDATE audit SET after = NULL"):
        with pytest.raises(DBAPIError, match="only ever added to"), registry.engine.begin() as connection:
            connection.execute(text(statement))
    with registry.engine.begin() as connection:  # a factory that leaves gets a pseudonym
        connection.execute(update(t.Audit).values(factory_id=None))
    with registry.reading() as session:
        assert session.scalar(select(func.count()).select_from(t.Audit)) == 2


def test_ids_grow_whatever_the_clock_does() -> None:
    times = iter([5_000_000, 5_000_000, 4_000_000, *[6_000_000] * 5000, 7_000_000])
    ids = Ids(lambda: next(times), lambda n: (1 << n) - 1)
    made = [ids() for _ in range(5004)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert made[0] == "00000000-0005-7000-bfff-ffffffffffff"
    assert {m[14] for m in made} == {"7"}
