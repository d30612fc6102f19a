"""What all tables have in common: types, names of constraints, and how a column of a kind is written.

    instant   integer, nanoseconds since 1970, UTC, as on the wire
    date      a date, of a production day or of the calendar
    money     integer, whole won; what is not exactly known are two columns, `_low` and `_high`
    text      without a length; a word of a fixed list has a CHECK
    JSON      what the database need not look into

Only types that both databases have. No relationships: services ask for what they need (`techsquare.registry.store`
has `add`, which inserts in the order of foreign keys).
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar, get_args

from sqlalchemy import JSON, BigInteger, Boolean, CheckConstraint, Date, Double, ForeignKey, MetaData, Text
from sqlalchemy.orm import DeclarativeBase, MappedColumn, mapped_column

from techsquare.registry.ids import new_id

if TYPE_CHECKING:
    from techsquare.registry.privacy import Privacy

Json = dict[str, Any]
JsonList = list[Any]

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
CHECK = "check"
SECRET = "secret"  # noqa: S105 - a mark
"""Mark of a column that nobody reads: not in a view, not in an export, not in an audit hash."""


class Base(DeclarativeBase):
    """A table. Each one declares who may read it."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text(),
        int: BigInteger(),
        float: Double(),
        bool: Boolean(),
        date: Date(),
        Json: JSON(none_as_null=True),
        JsonList: JSON(none_as_null=True),
    }
    __privacy__: ClassVar[Privacy]

    def __init_subclass__(cls, **words: Any) -> None:
        """Map the class, and make its columns' rules rules of the table, where Alembic finds them."""
        super().__init_subclass__(**words)
        table = cls.__dict__.get("__table__")
        if table is None:
            return
        for column in table.columns:
            if CHECK in column.info:
                name, text = column.info[CHECK]
                table.append_constraint(CheckConstraint(text, name=name))


def key() -> MappedColumn[Any]:
    """Return the primary key of a table whose ids are ours."""
    return mapped_column(Text(), primary_key=True, default=new_id)


def ref(
    target: str, *, primary_key: bool = False, index: bool = True, unique: bool | None = None
) -> MappedColumn[Any]:
    """Return a reference; it follows when what it points to gets another id (a pseudonym)."""
    return mapped_column(
        ForeignKey(target, onupdate="CASCADE"),
        primary_key=primary_key,
        index=True if index and not primary_key and not unique else None,
        unique=unique,
    )


def one_of(name: str, words: Any, *, primary_key: bool = False) -> MappedColumn[Any]:
    """Return a column for a word of a `Literal`; the database refuses others."""
    listed = ", ".join(f"'{w}'" for w in get_args(words))
    return mapped_column(Text(), primary_key=primary_key, info={CHECK: (f"one_of_{name}", f"{name} IN ({listed})")})


def fraction(name: str) -> MappedColumn[Any]:
    """Return a column for a number between 0 and 1."""
    return mapped_column(Double(), info={CHECK: (f"range_{name}", f"{name} >= 0 AND {name} <= 1")})


def atleast(name: str, least: int = 0) -> MappedColumn[Any]:
    """Return a column for a whole number (pieces, won) that is never smaller."""
    return mapped_column(BigInteger(), info={CHECK: (f"range_{name}", f"{name} >= {least}")})


def secret() -> MappedColumn[Any]:
    """Return a column for a hash that nobody ever reads."""
    return mapped_column(Text(), info={SECRET: True})


def always(name: str, text: str) -> CheckConstraint:
    """Return a condition that each row of a table meets for ever."""
    return CheckConstraint(text, name=name)


def ordered(low: str, high: str) -> CheckConstraint:
    """Return the condition that a span begins before it ends."""
    return CheckConstraint(f"{low} <= {high}", name=f"{low}_first")
