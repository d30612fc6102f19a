"""The registry's database: an engine by URL, and transactions of three kinds.

    with registry.reading() as session: ...        read only, one consistent state
    registry.decide(work, actor)                   reads, decides and writes; repeated when somebody was faster
    registry.load(work)                            bulk loading of what is signed by others

`work` is a function of a session that may be called again; what it does beside the session must bear that. Writing
by objects is audited (`techsquare.registry.audit`) in the same transaction, so nobody can forget it.

The URL holds a password: it stands in no error, log line or repr of ours, and no values stand in the library's.
"""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError
from sqlalchemy.orm import Session

from techsquare.registry.audit import Actor, Audited
from techsquare.registry.base import Base
from techsquare.registry.dialect import MODES, Mode, broken, engine_for, lost_a_race, prepare
from techsquare.registry.errors import BadUrlError, BusyError, ConflictError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection, Engine

T = TypeVar("T")
ATTEMPTS = 10
FIRST_WAIT_S = 0.01
_DRIVERS = {"sqlite", "postgresql", "postgresql+psycopg", "sqlite+pysqlite"}


class Registry:
    """The database of the platform.

    Args:
        url: `sqlite:///FILE`, or `postgresql://USER:PASSWORD@HOST/NAME`.
        pool: How many connections a PostgreSQL engine keeps.
        sleep: Waits between two attempts; a test may look at it.

    Raises:
        BadUrlError: it is neither; the message does not repeat it.
    """

    def __init__(self, url: str, *, pool: int = 5, sleep: Callable[[float], None] = time.sleep) -> None:
        try:
            parsed = make_url(url)
            if parsed.drivername not in _DRIVERS:
                raise BadUrlError
            more: dict[str, Any] = {}
            if parsed.drivername.startswith("postgresql"):
                parsed = parsed.set(drivername="postgresql+psycopg")
                more = {"pool_size": pool, "pool_pre_ping": True}
            self.engine: Engine = create_engine(parsed, hide_parameters=True, **more)
        except (ArgumentError, NoSuchModuleError, ValueError):
            raise BadUrlError from None  # the cause would quote it
        prepare(self.engine)
        self._sleep = sleep
        self._engines = {mode: engine_for(self.engine, mode) for mode in MODES}

    def __repr__(self) -> str:
        return f"<registry in {self.engine.dialect.name}>"

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session that sees one state and can change nothing."""
        with Session(self._engines["read"], expire_on_commit=False) as session:
            yield session

    def decide(self, work: Callable[[Session], T], actor: Actor) -> T:
        """Run `work` in a transaction that is as if it were alone; its changes of rows are audited.

        Raises:
            ConflictError: a row breaks a constraint.
            BusyError: others were faster, ten times.
        """
        return self._repeated("decide", work, actor)

    def load(self, work: Callable[[Session], T]) -> T:
        """Run `work` in a transaction for bulk loading, in which nothing is decided on what was read before.

        Raises:
            ConflictError: a row breaks a constraint.
            BusyError: the database was locked, ten times.
        """
        return self._repeated("load", work, None)

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """Give a connection in a transaction that changes the schema."""
        with self._engines["load"].begin() as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def _repeated(self, mode: Mode, work: Callable[[Session], T], actor: Actor | None) -> T:
        for attempt in range(ATTEMPTS):
            if attempt:
                self._sleep(FIRST_WAIT_S * 2**attempt * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
            try:
                with Audited(self._engines[mode], expire_on_commit=False, info={"actor": actor}) as session:
                    done = work(session)
                    session.commit()
                    return done
            except IntegrityError as exc:
                if not lost_a_race(exc):
                    raise ConflictError(broken(exc)) from None  # the cause would quote the row
            except DBAPIError as exc:
                if not lost_a_race(exc):
                    raise
        raise BusyError


def add(session: Session, *rows: Base) -> None:
    """Insert rows in the order of their tables' references."""
    order = {table: i for i, table in enumerate(Base.metadata.sorted_tables)}
    groups: dict[int, list[Base]] = {}
    for row in rows:
        groups.setdefault(order[type(row).__table__], []).append(row)  # type: ignore[index]
    for _, group in sorted(groups.items()):
        session.add_all(group)
        session.flush()
