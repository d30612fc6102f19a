"""Export, retention, withdrawal, leaving: told by walking all tables of a drawn world, on both databases."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from techsquare.registry import tables as t
from techsquare.registry.access import DAY_NS
from techsquare.registry.audit import Actor
from techsquare.registry.leaving import expire, export, forget, leave, party_reader, withdraw
from techsquare.registry.policy import Reader, declaration, models
from techsquare.registry.store import add
from tests.techsquare.registry.oracle import Oracle, contents
from tests.techsquare.registry.world import DAY, NOW, World

if TYPE_CHECKING:
    from techsquare.registry.store import Registry

ME = Actor("test")
Rows = dict[str, list[dict[str, Any]]]

# What is left of a factory that leaves, told by hand; all other tables have nothing of it any more.
STAYS = {
    "party", "factory", "assignment", "engagement", "contract", "milestone", "escrow_deposit", "takeover",
    "measurement_plan", "plan_machine", "outcome", "objection", "cost", "machine", "metric_day",
}  # fmt: skip
# The same for a supplier: rows that factories own as well are not its to take away.
SUPPLIER_LOSES = {"filed_account", "seen_version", "showing", "slot", "reason_sum", "membership", "token"}


@pytest.fixture
def world(registry: Registry) -> World:
    """Return a world that is in the registry."""
    made = World(5)
    with Session(registry.engine) as session, session.begin():
        add(session, *made.rows)
    return made


def everything(registry: Registry) -> Rows:
    """Return all rows."""
    with registry.reading() as session:
        return contents(session)


def owned(rows: Rows, role: str, party: str) -> dict[str, list[dict[str, Any]]]:
    """Return, table by table, what names a party as an owner, by plain loops."""
    oracle = Oracle(rows, {})
    found: dict[str, list[dict[str, Any]]] = {}
    for name, model in models().items():
        paths = [g.path for g in declaration(model).owners if g.who == role and g.path]
        found[name] = [r for r in rows[name] if any(oracle.end(name, r, path) == party for path in paths)]
    return found


def values(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, default=str)


def names(rows: Rows, word: str) -> dict[str, int]:
    """Return in how many rows of each table a word stands, as a value of a column or inside of JSON."""
    return {table: n for table, found in rows.items() if (n := sum(f'"{word}"' in values(row) for row in found))}


@pytest.mark.parametrize(
    ("role", "party"), [("owner", "alpha"), ("supplier", "ada"), ("mentor", "mina"), ("operator", "house")]
)
def test_an_export_is_all_that_a_party_owns_and_may_read(
    registry: Registry, world: World, role: str, party: str
) -> None:
    assert world.rows
    rows = everything(registry)
    mine = owned(rows, role, party)
    with registry.reading() as session:
        lines = [json.loads(line) for line in export(session, party_reader(session, party))]
        reader = Reader(None, frozenset({(role, party)}))  # type: ignore[arg-type]
        oracle = Oracle(rows, {n: declaration(m).grants for n, m in models().items()})
    expected = []
    for table in t.Base.metadata.sorted_tables:
        for row in mine[table.name]:
            opened = oracle.columns(table.name, row, reader)
            shown = {c: row[c] for c in table.c.keys() if c in opened}  # noqa: SIM118
            expected.append(json.loads(json.dumps({"table": table.name, "row": shown}, default=str)))
    assert sorted(map(values, lines)) == sorted(map(values, expected))
    assert len(lines) > 5
    assert "argon2" not in values({"all": lines})


def test_a_user_exports_himself(registry: Registry, world: World) -> None:
    assert world.rows
    with registry.reading() as session:
        lines = [json.loads(line) for line in export(session, Reader("u-alpha"))]
    assert {line["table"] for line in lines} == {
        "user_account",
        "membership",
        "token",
        "notification",
        "job",
        "audit",
    }
    assert all("password" not in line["row"] and "hash" not in line["row"] for line in lines)


def series(rows: Rows, factory: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return what the plans of a factory count: part and numbers, whoever's machine it is."""
    oracle = Oracle(rows, {})
    found: dict[str, list[tuple[Any, ...]]] = {}
    for plan in rows["measurement_plan"]:
        if oracle.end("measurement_plan", plan, "engagement_id.factory_id") != factory:
            continue
        line = []
        for machine in (m for m in rows["plan_machine"] if m["plan_id"] == plan["id"]):
            for day in rows["metric_day"]:
                of = (day["factory_id"], day["machine_id"]) == (machine["factory_id"], machine["machine_id"])
                if of and plan["baseline_from"] <= day["day"] <= plan["extended_to"]:
                    line.append(
                        (machine["part"], day["day"], day["planned_s"], day["head"], values(day["metrics"]))
                    )
        found[plan["id"]] = sorted(line)
    return found


def test_a_factory_that_leaves(registry: Registry, world: World) -> None:
    assert world.rows
    before = everything(registry)
    counted = {name: series(before, name) for name in ("alpha", "beta", "gamma", "delta")}
    registry.decide(lambda s: leave(s, "alpha", NOW, ME), ME)
    after = everything(registry)

    assert names(after, "alpha") == {}
    assert names(after, "ALPHA") == {}
    assert names(after, "u-alpha@example.kr") == {}
    (gone,) = {r["id"] for r in after["party"]} & {r["factory_id"] for r in after["engagement"]} - {
        "beta",
        "gamma",
        "delta",
    }
    assert gone.startswith("gone-")
    left = {name for name, rows in owned(after, "owner", gone).items() if rows}
    assert left <= STAYS
    assert left >= {"engagement", "contract", "outcome", "measurement_plan", "assignment", "cost"}

    # what others were judged by is there, number for number
    for name in ("beta", "gamma", "delta"):
        assert series(after, name) == counted[name]
    assert series(after, gone) == counted["alpha"]
    # nothing of anybody else has changed: all rows that do not name alpha are the same
    oracle, mine = Oracle(before, {}), owned(before, "owner", "alpha")
    for name in models():
        if name in {"audit", "party", "user_account"}:
            continue
        own = {values(r) for r in mine[name]}
        theirs = {values(r) for r in before[name] if values(r) not in own and '"alpha"' not in values(r)}
        theirs -= {values(r) for r in before[name] if _of_user(oracle, name, r, "u-alpha")}
        assert theirs <= {values(r) for r in after[name]}, name
    kim = next(r for r in after["user_account"] if r["id"] == "u-alpha")
    assert (kim["email"], kim["name"], kim["password"], kim["disabled_at"]) == (None, "", None, NOW)
    both = next(r for r in after["user_account"] if r["id"] == "u-both")
    assert both["email"]


def _of_user(oracle: Oracle, table: str, row: dict[str, Any], user: str) -> bool:
    paths = [g.path for g in declaration(models()[table]).owners if g.who == "self" and g.path]
    return any(oracle.end(table, row, path) == user for path in paths)


def test_a_supplier_that_leaves(registry: Registry, world: World) -> None:
    assert world.rows
    before = everything(registry)
    gone = registry.decide(lambda s: leave(s, "ada", NOW, ME), ME)
    after = everything(registry)
    assert names(after, "ada") == {}
    assert names(after, "ADA") == {}
    was, left = owned(before, "supplier", "ada"), owned(after, "supplier", gone)
    lost = {name for name in was if len(left[name]) < len(was[name])}
    assert lost == SUPPLIER_LOSES
    assert {len(left[name]) for name in SUPPLIER_LOSES} == {0}
    for name in ("alpha", "beta"):
        mine, still = owned(before, "owner", name), owned(after, "owner", name)
        assert {n: len(rows) for n, rows in mine.items() if n != "audit"} == {
            n: len(rows) for n, rows in still.items() if n != "audit"
        }


def test_days_taken_back_go_but_for_what_a_verdict_rests_on(registry: Registry, world: World) -> None:
    assert world.rows
    before = everything(registry)
    counted = {name: series(before, name) for name in ("alpha", "beta", "gamma", "delta")}
    treated = {(r["factory_id"], r["machine_id"]) for r in before["plan_machine"] if r["part"] == "treated"}
    assert ("gamma", "press-1") in treated
    with registry.engine.begin() as connection:  # gamma has no project of its own: its machines only serve others
        for row in before["plan_machine"]:
            if row["factory_id"] == "gamma" and row["part"] == "treated":
                connection.execute(
                    delete(t.PlanMachine).where(
                        t.PlanMachine.plan_id == row["plan_id"], t.PlanMachine.part == "treated"
                    )
                )
    registry.decide(lambda s: withdraw(s, "gamma", ["days"], NOW, ME), ME)
    after = everything(registry)
    for table in ("day_record", "metric_day", "plan_machine"):
        assert [r for r in after[table] if r["factory_id"] == "gamma"] == []
    for name in ("alpha", "beta", "delta"):
        assert series(after, name) == counted[name]
    twins = {r["factory_id"] for r in after["metric_day"]} - {"alpha", "beta", "delta"}
    assert len(twins) == 1
    (twin,) = twins
    assert twin.startswith("gone-")
    kept = {values(r) for r in after["party"]}
    assert names({"party": [r for r in after["party"] if r["id"] == twin]}, "GAMMA") == {}
    assert len(kept) == len(before["party"]) + 1
    for table in ("answer", "report", "agent", "assessment", "budget", "machine"):
        assert [r for r in after[table] if r["factory_id"] == "gamma"] == [
            r for r in before[table] if r["factory_id"] == "gamma"
        ]


def test_a_factory_keeps_under_its_name_what_its_own_supplier_is_judged_by(
    registry: Registry, world: World
) -> None:
    assert world.rows
    counted = series(everything(registry), "alpha")
    registry.decide(lambda s: withdraw(s, "alpha", ["machines"], NOW, ME), ME)
    after = everything(registry)
    assert series(after, "alpha") == counted
    left = [r for r in after["metric_day"] if r["factory_id"] == "alpha"]
    assert {(r["machine_id"], r["day"]) for r in left} == {("press-1", DAY), ("press-1", DAY + timedelta(1))}
    assert [r for r in after["day_record"] if r["factory_id"] == "alpha"] == []


@pytest.mark.parametrize(
    "scope", ["levels", "indicators", "machines", "days", "fit", "fit_missing", "entry", "advice"]
)
def test_a_scope_takes_its_tables_and_no_others(registry: Registry, world: World, scope: str) -> None:
    assert world.rows
    before = everything(registry)
    told = registry.decide(lambda s: withdraw(s, "delta", [scope], NOW, ME), ME)  # type: ignore[list-item]
    after = everything(registry)
    for name, model in models().items():
        declared = declaration(model)
        mine = owned(before, "owner", "delta")[name]
        goes = scope in declared.keep.scopes and declared.keep.rests != "always"
        first = {g.who for g in declared.ending()}
        if goes and "owner" in first and declared.keep.rests == "never":
            assert owned(after, "owner", "delta")[name] == [], name
            assert told.get(name, 0) == len(mine)
        elif not goes and name not in {
            "audit",
            "engagement",
            "party",
            "factory",
            "machine",
            "plan_machine",
            "metric_day",
        }:
            kept = before[name]
            if (name, scope) == ("fit_check", "fit_missing"):  # the word stays, and what was missing goes
                assert any(r["factory_id"] == "delta" and r["missing"] for r in kept)
                kept = [r | {"missing": None} if r["factory_id"] == "delta" else r for r in kept]
            assert after[name] == kept, name
    lines = [r for r in after["audit"] if r["action"] == "erase"]
    assert {r["table_name"] for r in lines} == set(told)


@pytest.mark.parametrize("party", ["alpha", "ada"])
def test_bodies_that_stay_name_who_has_left_by_its_pseudonym(registry: Registry, world: World, party: str) -> None:
    assert world.rows

    def named(session: Session) -> None:
        session.scalars(select(t.Round)).first().result = {  # type: ignore[union-attr]
            "places": [{"factory": "alpha", "supplier": "ada"}], "lapsed": [], "by": {"alpha": "ada"},
        }  # fmt: skip
        for paper in session.scalars(select(t.Contract)):
            paper.conditions = {"second": ["ada"], "agreed": []}

    registry.decide(named, ME)
    gone = registry.decide(lambda s: leave(s, party, NOW, ME), ME)
    after = everything(registry)
    assert names(after, party) == {}
    (said,) = [r["result"] for r in after["match_round"] if r["result"] and "places" in r["result"]]
    alpha, ada = (gone if one == party else one for one in ("alpha", "ada"))
    assert said == {"places": [{"factory": alpha, "supplier": ada}], "lapsed": [], "by": {alpha: ada}}


def test_what_is_too_old_goes(registry: Registry, world: World) -> None:
    assert world.rows
    year = 365 * DAY_NS
    assert registry.decide(lambda s: expire(s, NOW, ME), ME) == {}
    before = everything(registry)
    told = registry.decide(lambda s: expire(s, NOW + 4 * year, ME), ME)
    assert told.keys() == {"notification", "job", "agent_event", "task", "failed_pair", "reason_sum", "showing"}
    told = registry.decide(lambda s: expire(s, NOW + 9 * year, ME), ME)
    after = everything(registry)
    assert after["day_record"] == []
    plans = sorted({(r["factory_id"], r["machine_id"]) for r in before["plan_machine"]})
    assert sorted({(r["factory_id"], r["machine_id"]) for r in after["metric_day"]}) == plans
    for name, model in models().items():
        kept = declaration(model).keep
        if kept.days is None and name != "audit":
            assert after[name] == before[name], name
        elif kept.days is not None and kept.rests == "never":
            assert after[name] == [], name


def test_a_user_who_is_forgotten(registry: Registry, world: World) -> None:
    assert world.rows
    registry.decide(lambda s: forget(s, "u-both", NOW, ME), ME)
    after = everything(registry)
    assert [r for r in after["membership"] if r["user_id"] == "u-both"] == []
    assert [r for r in after["notification"] if r["user_id"] == "u-both"] == []
    assert names(after, "u-both@example.kr") == {}
    with registry.reading() as session:
        assert len(session.scalars(select(t.User)).all()) == len([r for r in world.rows if isinstance(r, t.User)])


def test_every_table_says_what_becomes_of_its_rows() -> None:
    for name, model in models().items():
        declared = declaration(model)
        kept = declared.keep
        columns = model.__table__.c
        assert kept.scopes, name
        assert (kept.days is None) == (kept.since is None), name
        assert kept.since is None or kept.since in columns, name
        assert all(column in columns for column, _ in kept.blank), name
        assert all(columns[c].nullable or value is not None for c, value in kept.blank), name
        assert declared.owners or kept.scopes == {"common"}, name
        assert kept.rests != "always" or kept.days is None, name
        for key in model.__table__.foreign_keys:  # what stays refers to nothing that goes
            target = declaration(models()[key.column.table.name])
            follows = len(key.constraint.columns) == 1 and key.parent.nullable  # type: ignore[union-attr]
            if kept.rests == "always" and not follows:
                assert target.keep.rests != "never" or target.keep.scopes == {"common"}, (name, key.parent.name)
