"""What was measured: reports and signed records as they came, machine-days, hand counts, peers.

A record is evidence: it is stored byte for byte, once for an agent and a date, and nothing here ever changes it.
`metric_day` is what is computed with: wide, a row a machine-day.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from techsquare.registry.base import Base, Json, always, atleast, key, one_of, ref
from techsquare.registry.privacy import factory, keep, private, public, role, shared

Source = Literal["measured", "counted", "answered"]
Suppressed = Literal["few", "heavy"]


class Report(Base):
    """A readiness report as it came. `level` is the evidence level that it says."""

    __tablename__ = "report"
    __table_args__ = (
        ForeignKeyConstraint(["factory_id", "agent_id"], ["agent.factory_id", "agent.id"], onupdate="CASCADE"),
        UniqueConstraint("factory_id", "agent_id", "hash"),
        Index(None, "factory_id", "made_at"),
    )
    __privacy__ = shared(
        *factory("factory_id"),
        role("service"),
        role("operator").only("id", "factory_id", "agent_id", "made_at", "received_at", "level"),
        keep=keep("levels", "indicators", days=5 * 365, since="made_at"),
    )
    id: Mapped[str] = key()
    factory_id: Mapped[str]
    agent_id: Mapped[str]
    made_at: Mapped[int]
    received_at: Mapped[int]
    level: Mapped[str | None]
    hash: Mapped[str]
    body: Mapped[str]


class DayRecord(Base):
    """A signed daily record as it came: one for an agent and a date, and one for a number of a chain.

    It goes when the owner takes back his consent; machine-days that others' verdicts rest on keep its `head`.
    """

    __tablename__ = "day_record"
    __table_args__ = (
        ForeignKeyConstraint(["factory_id", "agent_id"], ["agent.factory_id", "agent.id"], onupdate="CASCADE"),
        UniqueConstraint("factory_id", "agent_id", "key", "number"),
        always("number", "number >= 1"),
    )
    __privacy__ = private(
        *factory("factory_id"), role("service"), keep=keep("days", "machines", days=7 * 365, since="day")
    )
    factory_id: Mapped[str] = mapped_column(primary_key=True)
    agent_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    number: Mapped[int]
    key: Mapped[str]
    head: Mapped[str] = mapped_column(unique=True)
    prev: Mapped[str | None]
    record: Mapped[str]
    signature: Mapped[str]
    received_at: Mapped[int]


class MetricDay(Base):
    """One machine on one production day: time elements of ISO 22400-2 in seconds, pieces, kWh, and metrics.

    None is what the record does not assess, with its code in `reasons`. `metrics`: metric -> [num, den]. `head`
    names the signed record that a measured row was read from. Columns as in `diagnosis.terms.MachineDay`. What was
    counted by hand stands beside what was measured: which of the two is taken, the diagnosis says.
    """

    __tablename__ = "metric_day"
    __table_args__ = (
        ForeignKeyConstraint(
            ["factory_id", "machine_id"], ["machine.factory_id", "machine.id"], onupdate="CASCADE"
        ),
        always("head", "(source = 'measured') = (head IS NOT NULL)"),
        always("planned_s", "planned_s >= 0 AND known_s >= 0"),
        Index(None, "day", "factory_id"),
    )
    __privacy__ = private(
        *factory("factory_id"),
        role("service"),
        keep=keep("days", "machines", days=7 * 365, since="day", rests="plans"),
    )
    factory_id: Mapped[str] = mapped_column(primary_key=True)
    machine_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    source: Mapped[Source] = one_of("source", Source, primary_key=True)
    head: Mapped[str | None]
    planned_s: Mapped[float]
    known_s: Mapped[float]
    production_s: Mapped[float | None]
    setup_s: Mapped[float | None]
    fault_s: Mapped[float | None]  # ADET
    standby_s: Mapped[float | None]  # ADOT
    off_s: Mapped[float | None]
    ideal_s: Mapped[float | None]
    priced_s: Mapped[float | None]
    good_s: Mapped[float | None]
    checked_s: Mapped[float | None]
    pieces: Mapped[float | None]
    energy_kwh: Mapped[float | None]
    simulated: Mapped[float] = mapped_column(default=0.0)
    formulas: Mapped[str] = mapped_column(default="")
    metrics: Mapped[Json | None]
    reasons: Mapped[Json | None]


class Reading(Base):
    """A hand count or a meter reading, as somebody has written it into the form."""

    __tablename__ = "reading"
    __table_args__ = (
        ForeignKeyConstraint(
            ["factory_id", "machine_id"], ["machine.factory_id", "machine.id"], onupdate="CASCADE"
        ),
        UniqueConstraint("factory_id", "machine_id", "day", "kind", "at"),
    )
    __privacy__ = private(*factory("factory_id"), keep=keep("entry", days=5 * 365, since="day"))
    id: Mapped[str] = key()
    factory_id: Mapped[str]
    machine_id: Mapped[str]
    day: Mapped[date]
    kind: Mapped[str]
    value: Mapped[float]
    unit: Mapped[str]
    at: Mapped[int]
    by_user: Mapped[str | None] = ref("user_account.id", index=False)


class Peer(Base):
    """Quartiles of a metric among companies of a kind, frozen for a quarter: more than ten, none too heavy.

    As in `diagnosis.peers`. That there is no table is frozen as well, and then only `suppressed` says something.
    """

    __tablename__ = "peer"
    __table_args__ = (
        UniqueConstraint("quarter", "metric", "process", "formulas"),
        always("quartiles", "q25 <= q50 AND q50 <= q75"),
        always("heaviest", "heaviest <= 0.25"),
        always("told", "(suppressed IS NULL) = (q25 IS NOT NULL AND q50 IS NOT NULL AND q75 IS NOT NULL)"),
        always("known", "(companies IS NULL) = (q25 IS NULL) AND (heaviest IS NULL) = (q25 IS NULL)"),
    )
    __privacy__ = public(keep=keep("common"))
    id: Mapped[str] = key()
    quarter: Mapped[str]
    metric: Mapped[str]
    process: Mapped[str]
    formulas: Mapped[str]
    step: Mapped[float]
    suppressed: Mapped[Suppressed | None] = one_of("suppressed", Suppressed)
    companies: Mapped[int | None] = atleast("companies", 11)
    heaviest: Mapped[float | None]
    q25: Mapped[float | None]
    q50: Mapped[float | None]
    q75: Mapped[float | None]
    frozen_at: Mapped[int]
