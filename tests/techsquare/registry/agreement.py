"""The three readings of the declarations side by side: SQL, a row in hand, and plain loops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from techsquare.registry import policy
from techsquare.registry import tables as t
from techsquare.registry.policy import GRANTED, Reader, allowed, declaration, masked, models, open_columns
from techsquare.registry.store import add
from tests.techsquare.registry.oracle import Oracle, contents
from tests.techsquare.registry.world import NOW, World

if TYPE_CHECKING:
    from techsquare.registry.base import Base
    from techsquare.registry.store import Registry


def filled(registry: Registry, seed: int) -> World:
    """Put a world into a registry."""
    world = World(seed)
    world.put(
        t.Audit,
        id="told",
        at=NOW,
        actor="u-gamma",
        factory_id="alpha",
        action="insert",
        table_name="x",
        row_key="1",
        salt="00",
        after="00",
    )
    with Session(registry.engine) as session, session.begin():
        add(session, *world.rows)
    return world


def key_of(model: type[Base], row: Any) -> tuple[Any, ...]:
    """Return the primary key of a row."""
    return tuple(row[c.name] for c in model.__table__.primary_key.columns)  # type: ignore[attr-defined]


def seen_as_sql(session: Session, model: type[Base], reader: Reader) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Return what SQL shows of a table, by primary key (which the statement itself may hide)."""
    keys = [c.label(f"_key_{i}") for i, c in enumerate(model.__table__.primary_key.columns)]  # type: ignore[attr-defined]
    found = {}
    for row in session.execute(masked(model, reader).add_columns(*keys)).mappings():
        columns = policy.seen(model, reader, row[GRANTED])
        assert all(row[name] is None for name in open_columns(model.__table__) - columns)  # type: ignore[arg-type]
        found[tuple(row[k.name] for k in keys)] = {name: row[name] for name in columns}
    return found


def agree(registry: Registry, seed: int) -> tuple[int, int]:
    """Hold the three against each other, over all readers, tables and rows of a drawn world.

    Returns:
        How many pairs of reader and row were looked at, and how many of them are readable.
    """
    world = filled(registry, seed)
    looked = shown = 0
    with registry.reading() as session:
        everything = contents(session)
        oracle = Oracle(everything, {name: declaration(model).grants for name, model in models().items()})
        inhand = {name: list(session.scalars(select(model))) for name, model in models().items()}
        for reader in world.readers().values():
            for name, model in models().items():
                assert everything[name], f"no row of {name}: the test would not see it"
                expected = {
                    key_of(model, row): (oracle.columns(name, row, reader), row) for row in everything[name]
                }
                assert seen_as_sql(session, model, reader) == {
                    key: {c: row[c] for c in columns} for key, (columns, row) in expected.items() if columns
                }
                for held in inhand[name]:
                    key = tuple(inspect(held).identity or ())
                    assert allowed(session, held, reader) == expected[key][0]
                looked += len(expected)
                shown += sum(1 for columns, _ in expected.values() if columns)
    assert looked == len(world.readers()) * len(world.rows)
    return looked, shown
