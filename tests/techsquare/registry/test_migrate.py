"""The schema's versions: the migrations make what the models say, on both databases, and go back."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from techsquare.registry import migrate
from techsquare.registry.audit import Actor
from techsquare.registry.errors import WrongVersionError
from techsquare.registry.store import Registry
from techsquare.registry.tables import Base, Party

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from tests.support.postgres import Postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Registry]:
    """Return a registry without tables."""
    if request.param == "sqlite":
        registry = Registry(f"sqlite:///{tmp_path}/empty.db")
        yield registry
        registry.close()
        return
    cluster: Postgres = request.getfixturevalue("cluster")
    name = cluster.create()
    registry = Registry(cluster.url(name))
    yield registry
    registry.close()
    cluster.drop(name)


def schema(engine: Engine) -> dict[str, Any]:
    """Return everything that a database says of its tables, in one order."""
    found: dict[str, Any] = {}
    look = inspect(engine)
    for name in look.get_table_names():
        if name == "alembic_version":
            continue
        found[name] = {
            "columns": [(c["name"], str(c["type"]), c["nullable"], c["default"]) for c in look.get_columns(name)],
            "key": look.get_pk_constraint(name)["constrained_columns"],
            "foreign": sorted(map(repr, look.get_foreign_keys(name))),
            "unique": sorted(map(repr, look.get_unique_constraints(name))),
            "checks": sorted((str(c["name"]), c["sqltext"]) for c in look.get_check_constraints(name)),
            "indexes": sorted(map(_index, look.get_indexes(name))),
        }
    return found


def _index(found: Any) -> str:
    where = {k: str(v) for k, v in found.get("dialect_options", {}).items()}
    return f"{found['name']} {found['column_names']} {found['unique']} {sorted(where.items())}"


def test_the_migrations_make_exactly_what_the_models_say(empty: Registry, registry_of_models: Registry) -> None:
    migrate.upgrade(empty)
    assert migrate.version(empty) == migrate.newest()
    migrate.check(empty)
    with empty.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    made, modelled = schema(empty.engine), schema(registry_of_models.engine)
    assert made == modelled
    assert len(made) == len(Base.metadata.tables)
    assert sum(len(t["checks"]) for t in made.values()) > 100


@pytest.fixture
def registry_of_models(empty: Registry, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Registry]:
    """Return a registry on the same kind of database whose tables come from the models."""
    if empty.engine.dialect.name == "sqlite":
        registry = Registry(f"sqlite:///{tmp_path}/models.db")
        Base.metadata.create_all(registry.engine)
    else:
        cluster: Postgres = request.getfixturevalue("cluster")
        registry = Registry(cluster.url(request.getfixturevalue("template")))
    yield registry
    registry.close()


def test_postgresql_itself_sees_no_difference(cluster: Postgres, template: str) -> None:
    """As `pg_dump` writes it: triggers, functions and all."""
    name = cluster.create()
    registry = Registry(cluster.url(name))
    migrate.upgrade(registry)
    with registry.engine.begin() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
    registry.close()
    dumps = [re.sub(r"\\(un)?restrict \S+", "", cluster.dump(one)) for one in (name, template)]
    assert dumps[0] == dumps[1]
    assert "TRIGGER audit_kept" in dumps[0]
    cluster.drop(name)


def test_sqlite_has_the_same_triggers(tmp_path: Path) -> None:
    found: list[set[Any]] = []
    for make in (migrate.upgrade, lambda registry: Base.metadata.create_all(registry.engine)):
        registry = Registry(f"sqlite:///{tmp_path}/{len(found)}.db")
        make(registry)
        with registry.reading() as session:
            found.append(
                set(session.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all())
            )
        registry.close()
    assert found[0] == found[1]
    assert len(found[0]) == 2


def test_down_and_up_again(empty: Registry) -> None:
    migrate.upgrade(empty)
    first = schema(empty.engine)
    migrate.downgrade(empty, "base")
    assert schema(empty.engine) == {}
    assert migrate.version(empty) is None
    with pytest.raises(WrongVersionError, match="has no tables yet"):
        migrate.check(empty)
    migrate.upgrade(empty)
    assert schema(empty.engine) == first


def test_rows_survive_an_upgrade_that_has_nothing_to_do(empty: Registry) -> None:
    migrate.upgrade(empty)
    empty.decide(lambda s: s.add(Party(id="a", kind="factory", name="가", created_at=1)), Actor("test"))
    migrate.upgrade(empty)
    with empty.reading() as session:
        assert session.get_one(Party, "a").name == "가"


def test_a_newer_database_is_refused_and_not_touched(empty: Registry) -> None:
    migrate.upgrade(empty)
    with empty.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for step in (migrate.upgrade, migrate.check, lambda r: migrate.downgrade(r, "base")):
        with pytest.raises(WrongVersionError, match="version 9999 of its tables, which is newer than this program"):
            step(empty)
    assert len(schema(empty.engine)) == len(Base.metadata.tables)


def test_a_database_of_somebody_else_is_refused(empty: Registry) -> None:
    with empty.engine.begin() as connection:
        connection.execute(text("CREATE TABLE theirs (id INTEGER)"))
    with pytest.raises(WrongVersionError, match="belongs to something else"):
        migrate.upgrade(empty)
    assert list(schema(empty.engine)) == ["theirs"]


def test_two_programs_that_start_at_once_upgrade_once(empty: Registry) -> None:
    wrong: list[BaseException] = []

    def go() -> None:
        mine = Registry(empty.engine.url.render_as_string(hide_password=False))
        try:
            migrate.upgrade(mine)
        except BaseException as exc:  # noqa: BLE001 - whatever it is, it is told below
            wrong.append(exc)
        finally:
            mine.close()

    threads = [threading.Thread(target=go) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    migrate.check(empty)
