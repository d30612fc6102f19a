"""The schema's versions: which one a database has, and how it gets to ours.

A database that a newer program has made is refused, never touched: what its tables mean is not known here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from techsquare.registry.dialect import alone
from techsquare.registry.errors import WrongVersionError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from techsquare.registry.store import Registry


def config() -> Config:
    """Return Alembic's configuration, without a file and without a URL."""
    found = Config()
    found.set_main_option("script_location", "techsquare.registry:migrations")
    found.set_main_option("path_separator", "os")
    return found


def newest() -> str:
    """Return the version of this program."""
    head = ScriptDirectory.from_config(config()).get_current_head()
    assert head is not None
    return head


def version(registry: Registry) -> str | None:
    """Return the version of a database; None: it is empty."""
    with registry.reading() as session:
        return _version(session.connection())


def check(registry: Registry) -> None:
    """Refuse a database that this program cannot work with.

    Raises:
        WrongVersionError: it is empty, older or newer; the text says what to do.
    """
    with registry.reading() as session:
        found = _known(session.connection())
    if found != newest():
        state = "has no tables yet" if found is None else f"has version {found} of its tables"
        raise WrongVersionError(
            f"the database {state}, this program needs {newest()}: run `techsquare upgrade` (after a backup)"
        )


def upgrade(registry: Registry, to: str = "head") -> None:
    """Bring a database to a version, all of it or nothing; an empty one gets all tables.

    Raises:
        WrongVersionError: it is newer than this program, or holds tables that are not ours.
    """
    with registry.migrating() as connection:
        alone(connection)  # a second program waits here, and then finds the work done
        _known(connection)
        _run(connection, "upgrade", to)


def downgrade(registry: Registry, to: str) -> None:
    """Bring a database back to an older version (`base`: to nothing). What the older one has no place for is lost.

    Raises:
        WrongVersionError: it is newer than this program.
    """
    with registry.migrating() as connection:
        alone(connection)
        _known(connection)
        _run(connection, "downgrade", to)


def _run(connection: Connection, what: str, to: str) -> None:
    settings = config()
    settings.attributes["connection"] = connection
    getattr(command, what)(settings, to)


def _version(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _known(connection: Connection) -> str | None:
    """Return the version, if it is one that this program knows."""
    found = _version(connection)
    if found is None:
        if set(inspect(connection).get_table_names()) - {"alembic_version"}:
            raise WrongVersionError(
                "the database holds tables but no version of ours: it belongs to something else, give us our own"
            )
        return None
    if found not in {script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()}:
        raise WrongVersionError(
            f"the database has version {found} of its tables, which is newer than this program ({newest()}): "
            "install the newer program; nothing was changed"
        )
    return found
