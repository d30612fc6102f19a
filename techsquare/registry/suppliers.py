"""Suppliers and what they offer: supplier, filed account, solution and version, capability, slot, record.

What a supplier says of its solutions is public but for prices, which only those see who may buy. What it says of
its accounts is seen by itself and by one role of the operator's house, and by nobody who ranks.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from sqlalchemy import ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from techsquare.registry.base import Base, Json, JsonList, always, atleast, key, one_of, ordered, ref
from techsquare.registry.privacy import keep, public, role, shared, supplier

SupplierState = Literal["applied", "active", "suspended", "closed"]
Size = Literal["micro", "small", "medium", "large"]
VersionState = Literal["draft", "registered", "withdrawn"]
Zone = Literal["safe", "grey", "distress"]
_PRICES = frozenset({"price_low", "price_high", "yearly_low", "yearly_high", "exit_low", "exit_high"})
_VERSION = (
    "id", "solution_id", "supplier_id", "version", "state", "processes", "interfaces", "regions", "remote",
    "needs_consent", "continuity", "hash", "registered_at",
)  # fmt: skip


class Supplier(Base):
    """A supplier. `parties`: with whom a conflict of interest would be one with it (owner group, affiliates)."""

    __tablename__ = "supplier"
    __table_args__ = (
        ForeignKeyConstraint(["id", "kind"], ["party.id", "party.kind"], onupdate="CASCADE"),
        always("kind", "kind = 'supplier'"),
    )
    __privacy__ = public(
        supplier("id"),
        columns=("id", "kind", "size", "regions", "industries", "state", "joined_on"),
        but=(role("operator"),),
        keep=keep("offering", rests="always", parties=None, contact=None),
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(default="supplier")
    size: Mapped[Size] = one_of("size", Size)
    regions: Mapped[JsonList]
    industries: Mapped[JsonList]
    state: Mapped[SupplierState] = one_of("state", SupplierState)
    joined_on: Mapped[date]
    parties: Mapped[JsonList | None]
    contact: Mapped[Json | None]


class FiledAccount(Base):
    """Figures of a year that a supplier has filed by its own will, and Altman's Z'' of them.

    Without liabilities Z'' is infinite: then it has a zone and no number.
    """

    __tablename__ = "filed_account"
    __table_args__ = (UniqueConstraint("supplier_id", "year"), always("zone", "z2 IS NULL OR zone IS NOT NULL"))
    __privacy__ = shared(
        supplier("supplier_id"), role("risk"), keep=keep("offering", days=5 * 365, since="filed_at")
    )
    id: Mapped[str] = key()
    supplier_id: Mapped[str] = ref("supplier.id")
    year: Mapped[int]
    figures: Mapped[Json]
    consented_at: Mapped[int]
    filed_at: Mapped[int]
    z2: Mapped[float | None]
    zone: Mapped[Zone | None] = one_of("zone", Zone)


class Solution(Base):
    """A product of a supplier, of a family: what records and exposure are counted by."""

    __tablename__ = "solution"
    __table_args__ = (UniqueConstraint("id", "supplier_id"), UniqueConstraint("supplier_id", "name"))
    __privacy__ = public(supplier("supplier_id"), keep=keep("offering", rests="always"))
    id: Mapped[str] = key()
    supplier_id: Mapped[str] = ref("supplier.id")
    family: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]


class SolutionVersion(Base):
    """A version as registered; what it needs is hashed, and never changes under one id."""

    __tablename__ = "solution_version"
    __table_args__ = (
        ForeignKeyConstraint(
            ["solution_id", "supplier_id"], ["solution.id", "solution.supplier_id"], onupdate="CASCADE"
        ),
        UniqueConstraint("id", "supplier_id"),
        UniqueConstraint("solution_id", "version"),
        ordered("price_low", "price_high"),
        ordered("yearly_low", "yearly_high"),
        ordered("exit_low", "exit_high"),
        always("registered", "(state = 'draft') = (registered_at IS NULL)"),
    )
    __privacy__ = public(
        supplier("supplier_id"),
        columns=_VERSION,
        but=(role("owner").only(*_VERSION, *_PRICES), role("mentor").only(*_VERSION, *_PRICES), role("operator")),
        keep=keep("offering", rests="always"),
    )
    id: Mapped[str] = key()
    solution_id: Mapped[str] = mapped_column(index=True)
    supplier_id: Mapped[str] = mapped_column(index=True)
    version: Mapped[str]
    state: Mapped[VersionState] = one_of("state", VersionState)
    processes: Mapped[JsonList]
    interfaces: Mapped[JsonList]
    regions: Mapped[JsonList]
    remote: Mapped[bool]
    price_low: Mapped[int] = atleast("price_low")
    price_high: Mapped[int]
    yearly_low: Mapped[int] = atleast("yearly_low")
    yearly_high: Mapped[int]
    exit_low: Mapped[int] = atleast("exit_low")
    exit_high: Mapped[int]
    needs_consent: Mapped[JsonList]
    requires: Mapped[Json]
    continuity: Mapped[JsonList]
    hash: Mapped[str | None]
    registered_at: Mapped[int | None]


class Capability(Base):
    """A capability that can be needed and offered (IDTA 02020), by its IRI."""

    __tablename__ = "capability"
    __privacy__ = public(keep=keep("common"))
    id: Mapped[str] = key()
    iri: Mapped[str] = mapped_column(unique=True)
    label_ko: Mapped[str]
    label_en: Mapped[str]


class VersionCapability(Base):
    """What a version offers: a capability with its property set (ranges and words)."""

    __tablename__ = "version_capability"
    __privacy__ = public(supplier("version_id.supplier_id"), keep=keep("offering", rests="always"))
    version_id: Mapped[str] = ref("solution_version.id", primary_key=True)
    capability_id: Mapped[str] = ref("capability.id", primary_key=True)
    properties: Mapped[Json]


class MeasureCapability(Base):
    """What a measure needs: a capability with the ranges that are good enough."""

    __tablename__ = "measure_capability"
    __privacy__ = public(keep=keep("common"))
    measure_id: Mapped[str] = ref("measure.id", primary_key=True)
    capability_id: Mapped[str] = ref("capability.id", primary_key=True)
    needed: Mapped[Json]


class Slot(Base):
    """How many projects a supplier can begin in a quarter: one line a quarter, so that none overlaps."""

    __tablename__ = "slot"
    __table_args__ = (
        always("quarter", "quarter LIKE '____-Q_' AND substr(quarter, 7, 1) IN ('1', '2', '3', '4')"),
        always("fits", "used <= declared AND (most IS NULL OR used <= most)"),
    )
    __privacy__ = shared(supplier("supplier_id"), role("operator"), keep=keep("offering"))
    supplier_id: Mapped[str] = ref("supplier.id", primary_key=True)
    quarter: Mapped[str] = mapped_column(primary_key=True)
    declared: Mapped[int] = atleast("declared")
    used: Mapped[int] = atleast("used")
    most: Mapped[int | None]  # limit of the probation


class Record(Base):
    """What decided outcomes say of a supplier with a family at a moment: empirical Bayes, n and interval."""

    __tablename__ = "record"
    __table_args__ = (
        UniqueConstraint("supplier_id", "family", "at"),
        always("rate", "low <= mean AND mean <= high AND low >= 0 AND high <= 1"),
        always("counts", "improved <= decided"),
    )
    __privacy__ = public(supplier("supplier_id"), keep=keep("offering", rests="always"))
    id: Mapped[str] = key()
    supplier_id: Mapped[str] = ref("supplier.id")
    family: Mapped[str]
    at: Mapped[int]
    improved: Mapped[int] = atleast("improved")
    decided: Mapped[int] = atleast("decided")
    cannot_tell: Mapped[int] = atleast("cannot_tell")
    cause_not_shown: Mapped[int] = atleast("cause_not_shown")
    mean: Mapped[float]
    low: Mapped[float]
    high: Mapped[float]


class ReasonSum(Base):
    """Why a supplier was not shown, summed over at least ten factories of a month: the database holds no fewer."""

    __tablename__ = "reason_sum"
    __table_args__ = (UniqueConstraint("supplier_id", "month", "reason"),)
    __privacy__ = shared(
        supplier("supplier_id"), role("operator"), keep=keep("offering", days=3 * 365, since="made_at")
    )
    id: Mapped[str] = key()
    supplier_id: Mapped[str] = ref("supplier.id")
    month: Mapped[date]
    reason: Mapped[str]
    factories: Mapped[int] = atleast("factories", 10)
    made_at: Mapped[int]
