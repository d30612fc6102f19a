"""The tables of the first version, in the order of their references. Written by a program."""

from __future__ import annotations

from alembic import op

from techsquare.registry import dialect
from techsquare.registry.migrations.first import part_1, part_2, part_3, part_4, part_5, part_6, part_7

PARTS = (
    part_1,
    part_2,
    part_3,
    part_4,
    part_5,
    part_6,
    part_7,
)


def append_only(table: str) -> None:
    """Refuse changes and deletions of rows."""
    for statement in dialect.append_only(table)[op.get_bind().dialect.name]:
        op.execute(statement)


def not_append_only(table: str) -> None:
    """Take it back."""
    for statement in dialect.without_append_only(table)[op.get_bind().dialect.name]:
        op.execute(statement)
