"""Every row of every table is read by exactly those whom its table declares: all roles, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from techsquare.registry import policy
from techsquare.registry import tables as t
from techsquare.registry.audit import Actor
from techsquare.registry.policy import (
    Reader,
    allowed,
    declaration,
    models,
    open_columns,
    read,
    view,
)
from techsquare.registry.privacy import ROLES
from tests.techsquare.registry.agreement import agree, filled, key_of, seen_as_sql
from tests.techsquare.registry.oracle import Oracle, contents
from tests.techsquare.registry.world import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from techsquare.registry.store import Registry

SEEDS = (1,)  # more of them: python -m tests.techsquare.registry
HAND_SEED = 4
TABLES = sorted(models())
SECRETS = {"audit": {"salt"}, "user_account": {"password"}, "token": {"hash"}}

# Who sees a row of alpha (of ada, of mina), told by hand: O its owner, M its mentor, S ada who has a project there,
# P operator, R risk, V service, A everybody; small letters: some columns only. Nobody else sees anything.
BY_HAND = {
    "agent": "O M p V",
    "agent_event": "O M V",
    "answer": "O M",
    "assessment": "O M",
    "assignment": "O m P",
    "audit": "O P",
    "budget": "O M",
    "capability": "A",
    "consent": "O M P V",
    "contract": "O M S",
    "cost": "O M P",
    "day_record": "O M V",
    "engagement": "O M S p",
    "escrow_deposit": "O M S P",
    "exclusion": "O M",
    "factory": "O M s P V",
    "failed_pair": "O M",
    "filed_account": "S R",
    "fit_check": "O M s",
    "funding": "A",
    "gap": "O M",
    "job": "O M p",
    "loss": "O M",
    "machine": "O M s V",
    "match_round": "a P",
    "measure": "A",
    "measure_capability": "A",
    "measurement_plan": "O M S P",
    "membership": "O P",
    "mentor": "a M P",
    "message": "O M",
    "metric_day": "O M V",
    "milestone": "O M S",
    "notification": "O",
    "objection": "O M S P",
    "offer": "O M s p",
    "outcome": "O M S p",
    "party": "O M s P r v",
    "peer": "A",
    "plan_machine": "O M s P",
    "rates": "O M",
    "reading": "O M",
    "reason_sum": "S P",
    "record": "A",
    "report": "O M p V",
    "roadmap": "O M",
    "roadmap_item": "O M p",
    "seen_version": "S P",
    "showing": "S P",
    "slot": "S P",
    "solution": "A",
    "solution_version": "a o m S P",
    "supplier": "a S P",
    "tag_set": "O M",
    "takeover": "O M s P",
    "task": "O M",
    "ticket": "O M S p",
    "token": "O p",
    "user_account": "O P",
    "version_capability": "A",
    "visit": "O M p",
}
LETTERS = {
    "O": "u-alpha", "M": "u-mina", "S": "u-ada", "P": "u-operator", "R": "u-risk", "V": "u-service",
}  # fmt: skip
NEVER_A_SUPPLIERS = {
    "tag_set": {"tags", "hash"},
    "exclusion": {"supplier_id", "solution_id", "why"},
    "budget": {"cash", "support", "staff_days"},
    "failed_pair": {"failed", "evidence", "short_by"},
    "offer": {"reasons", "terms", "q10", "mean", "q90", "slot", "shown_by", "cost", "item_id"},
    "fit_check": {"missing", "factory_id", "at"},
    "roadmap_item": {"most_won"},
    "rates": {"body"},
    "answer": {"value"},
    "plan_machine": {"factory_id", "machine_id"},
}


@pytest.mark.parametrize("seed", SEEDS)
def test_every_row_is_read_by_exactly_those_whom_its_table_declares(registry: Registry, seed: int) -> None:
    looked, shown = agree(registry, seed)
    assert 0.1 < shown / looked < 0.5


def test_the_rows_read_are_those_of_the_view(registry: Registry) -> None:
    readers = filled(registry, 1).readers()
    with registry.reading() as session:
        for reader in (readers[name] for name in ("u-both", "u-mina", "u-operator", "anonymous")):
            for model in models().values():
                seen = seen_as_sql(session, model, reader).values()
                assert sorted(map(_text, read(session, model, reader))) == sorted(map(_text, seen))


def _text(row: dict[str, Any]) -> str:
    return repr(sorted(row.items()))


SUBJECTS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "audit": lambda r: r["id"] == "told",
    "assignment": lambda r: r["factory_id"] == "alpha" and r["until"] is None,
    "membership": lambda r: r["user_id"] == "u-alpha",
    "message": lambda r: r["factory_id"] == "alpha" and r["party_id"] is None,
    "offer": lambda r: r["factory_id"] == "alpha" and r["supplier_id"] == "ada" and r["contacted_at"] is not None,
    "party": lambda r: r["id"] == "alpha",
    "takeover": lambda r: r["from_supplier"] == "ada" and r["to_supplier"] is None,
    "task": lambda r: r["factory_id"] == "alpha" and r["party_id"] == "alpha",
}


def subject(oracle: Oracle, table: str) -> dict[str, Any]:
    """Return a row of alpha; of a project, of the one with ada; of what belongs to ada, mina or nobody, that."""
    names = {"owner": "alpha", "supplier": "ada", "mentor": "mina", "self": "u-alpha"}
    if table in SUBJECTS:
        return next(row for row in oracle.rows[table] if SUBJECTS[table](row))
    owners: dict[str, set[str]] = {}
    for grant in declaration(models()[table]).owners:
        owners.setdefault(grant.path or "", set()).add(names[grant.who])
    return next(
        row
        for row in oracle.rows[table]
        if all(oracle.end(table, row, path) in wanted for path, wanted in owners.items())
    )


def test_who_reads_a_row_is_as_it_was_told_by_hand(registry: Registry) -> None:
    """Declarations may be wrong as well, so they are told twice."""
    assert sorted(BY_HAND) == TABLES
    world = filled(registry, HAND_SEED)
    apart = {"u-both", "u-bori"}  # are ada as well, or have projects with alpha by chance
    readers = {name: reader for name, reader in world.readers().items() if name not in apart}
    with registry.reading() as session:
        oracle = Oracle(contents(session), {})
        for name, model in models().items():
            row, wanted = subject(oracle, name), BY_HAND[name].split()
            held = session.get_one(model, key_of(model, row))
            everything = open_columns(model.__table__)  # type: ignore[arg-type]
            assert everything == {c.name for c in model.__table__.columns} - SECRETS.get(name, set())
            for who, reader in readers.items():
                letter = {v: k for k, v in LETTERS.items()}.get(who, "-")
                found = allowed(session, held, reader)
                public = "A" in wanted or ("a" in wanted and letter not in wanted and letter.lower() not in wanted)
                if letter in wanted or "A" in wanted:
                    assert found == everything, (name, who, everything - found)
                elif letter.lower() in wanted or public:
                    assert set() < found < everything, (name, who, found)
                else:
                    assert found == set() or "a" in wanted, (name, who, found)


def test_what_is_a_factorys_own_is_never_shown_to_a_supplier(registry: Registry) -> None:
    """Over all rows of a drawn world: exclusions, budgets, tags, reasons and missing items."""
    world = filled(registry, 3)
    suppliers = {n: r for n, r in world.readers().items() if {role for role, _ in r.roles} == {"supplier"}}
    assert sorted(suppliers) == ["u-ada", "u-bori", "u-dara"]
    with registry.reading() as session:
        oracle = Oracle(contents(session), {name: declaration(m).grants for name, m in models().items()})
        for table, columns in NEVER_A_SUPPLIERS.items():
            for reader in suppliers.values():
                for row in read(session, models()[table], reader):
                    assert not columns & set(row), (table, columns & set(row))
        for reader in suppliers.values():
            for row in oracle.rows["offer"]:
                if oracle.columns("offer", row, reader):
                    asked = row["contacted_at"] is not None
                    assert ("factory_id" in oracle.columns("offer", row, reader)) == asked
            for row in oracle.rows["filed_account"]:
                mine = ("supplier", row["supplier_id"]) in reader.roles
                assert bool(oracle.columns("filed_account", row, reader)) == mine


def test_a_mentor_sees_a_factory_only_while_he_is_assigned(registry: Registry) -> None:
    filled(registry, 1)
    mina = Reader("u-mina", frozenset({("mentor", "mina")}))
    own = ("answer", "budget", "rates", "gap", "metric_day", "visit", "message", "report", "offer", "outcome")

    def sees() -> dict[str, bool]:
        with registry.reading() as session:
            return {
                name: any(
                    _alphas(session, name, row) for row in seen_as_sql(session, models()[name], mina).values()
                )
                for name in own
            }

    assert all(sees().values())

    def leave(session: Session) -> None:
        for row in session.scalars(select(t.Assignment).where(t.Assignment.factory_id == "alpha")):
            if row.until is None:
                row.until = NOW

    registry.decide(leave, Actor("u-alpha", "alpha"))
    assert not any(sees().values())


def _alphas(session: Session, name: str, row: dict[str, Any]) -> bool:
    held = session.get_one(models()[name], key_of(models()[name], row))
    paths = [g.path for g in declaration(models()[name]).owners if g.who == "owner" and g.path]
    return policy._end(session, held, models()[name].__table__, paths[0]) == "alpha"  # type: ignore[arg-type]


def test_a_filter_tells_nothing_of_what_is_hidden(registry: Registry) -> None:
    """Who may not see a budget cannot find it by halving either: conditions stand on the view."""
    filled(registry, 1)
    ada = Reader("u-ada", frozenset({("supplier", "ada")}))
    with registry.reading() as session:
        sight = view(t.SolutionVersion, ada)
        rivals = session.execute(
            select(sight.c.id).where(sight.c.supplier_id != "ada", sight.c.price_low >= 0)
        ).all()
        assert rivals == []
        listed = read(
            session, t.SolutionVersion, ada, lambda s, v: s.where(v.c.supplier_id != "ada").order_by(v.c.price_low)
        )
        assert [row["id"] for row in listed]
        assert all("price_low" not in row for row in listed)


@pytest.mark.parametrize("name", TABLES)
def test_a_declaration_makes_sense(name: str) -> None:
    model = models()[name]
    table = model.__table__
    declared = declaration(model)
    for grant in declared.grants:
        assert grant.who in (*ROLES, "self", "anyone")
        assert grant.columns is None or grant.columns <= set(table.c.keys())
        assert all(when.column in table.c for when in grant.when)
        if grant.path is None:
            assert grant.who != "self"
            assert grant.through is None
            continue
        policy.steps(table, grant.path)
        if grant.through is not None:
            link = t.Base.metadata.tables[grant.through.table]
            assert grant.through.near in link.c
            policy.steps(link, grant.through.far)
            assert all(when.column in link.c for when in grant.through.when)
    anyone = any(g.who == "anyone" and not g.when for g in declared.grants)
    assert anyone == (declared.sharing == "public")
    if declared.sharing == "private":
        assert len({g.who for g in declared.owners}) == 1


def test_a_table_without_a_declaration_is_refused() -> None:
    class Forgotten:
        __tablename__ = "forgotten"

    with pytest.raises(TypeError, match="does not declare who may read it"):
        declaration(Forgotten)  # type: ignore[arg-type]
