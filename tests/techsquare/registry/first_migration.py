"""Writes the first migration anew from the models: `python -m tests.techsquare.registry.first_migration`.

Only until the first release: afterwards a change of the models is a version of its own, and what stands in
`techsquare/registry/migrations/first` never changes again.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from alembic.autogenerate import render_python_code
from alembic.migration import MigrationContext
from alembic.operations.ops import CreateIndexOp, CreateTableOp, DropTableOp, UpgradeOps
from sqlalchemy import create_engine

from techsquare.registry.tables import Base

FOLDER = Path(__file__).parents[3] / "techsquare" / "registry" / "migrations" / "first"
TABLES_A_PART = 10
HEAD = '''"""{title}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    """Make them."""
    {upgrade}


def downgrade() -> None:
    """Drop them."""
    {downgrade}
'''
INIT = '''"""The tables of the first version, in the order of their references. Written by a program."""

from __future__ import annotations

from alembic import op

from techsquare.registry import dialect
from techsquare.registry.migrations.first import {parts}

PARTS = ({parts},)


def append_only(table: str) -> None:
    """Refuse changes and deletions of rows."""
    for statement in dialect.append_only(table)[op.get_bind().dialect.name]:
        op.execute(statement)


def not_append_only(table: str) -> None:
    """Take it back."""
    for statement in dialect.without_append_only(table)[op.get_bind().dialect.name]:
        op.execute(statement)
'''


def main() -> None:
    """Write all parts."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.py"):
        old.unlink()
    tables = Base.metadata.sorted_tables
    context = MigrationContext.configure(
        create_engine("sqlite://").connect(), opts={"sqlalchemy_module_prefix": "sa."}
    )
    names: list[str] = []
    for start in range(0, len(tables), TABLES_A_PART):
        chunk = tables[start : start + TABLES_A_PART]
        up = UpgradeOps([])
        for table in chunk:
            up.ops.append(CreateTableOp.from_table(table))
            up.ops += [CreateIndexOp.from_index(i) for i in sorted(table.indexes, key=lambda i: str(i.name))]
        down = UpgradeOps([DropTableOp.from_table(table) for table in reversed(chunk)])
        name = f"part_{len(names) + 1}"
        names.append(name)
        text = HEAD.format(
            title=f"Tables {chunk[0].name} to {chunk[-1].name}",
            upgrade=render_python_code(up, migration_context=context).replace("\n    # ", "\n    #"),
            downgrade=render_python_code(down, migration_context=context),
        )
        lines = [
            line
            for line in text.splitlines()
            if "commands auto generated" not in line and "end Alembic" not in line
        ]
        (FOLDER / f"{name}.py").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (FOLDER / "__init__.py").write_text(INIT.format(parts=", ".join(names)), encoding="utf-8")
    for words in (["format"], ["check", "--fix", "--select", "I"]):
        subprocess.run([sys.executable, "-m", "ruff", *words, "--quiet", FOLDER], check=True)
    for file in FOLDER.glob("*.py"):
        lines = [one if len(one) <= 116 else f"{one}  # noqa: E501" for one in file.read_text("utf-8").splitlines()]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
