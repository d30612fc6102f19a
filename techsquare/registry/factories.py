"""A factory and what its agents are: factory, machine, agent, consent, event, and what the owner has set apart."""

from __future__ import annotations

from datetime import date
from typing import Literal

from sqlalchemy import ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from techsquare.registry.base import Base, Json, JsonList, always, atleast, key, one_of, ordered, ref
from techsquare.registry.dialect import only_one
from techsquare.registry.privacy import ASKED, WORKING, Grant, engaged, factory, keep, private, role, shared

Tell = Literal["yes", "no", "unknown"]
ConsentSource = Literal["manifest", "platform"]
_SEEN = ("id", "region", "industry", "process", "staff_band")


class Factory(Base):
    """A factory. `applied_on` is when it asked for help: no baseline may begin before.

    `notice_at`: when the owner has recorded that the people working there were told what is measured, for which
    scopes, and the hash of both texts (`privacy.notice`); `notice_body` is what they were made of.
    """

    __tablename__ = "factory"
    __table_args__ = (
        ForeignKeyConstraint(["id", "kind"], ["party.id", "party.kind"], onupdate="CASCADE"),
        always("kind", "kind = 'factory'"),
    )
    __privacy__ = shared(
        *factory("id"),
        Grant("supplier", "id", WORKING).only(*_SEEN),
        Grant("supplier", "id", ASKED).only(*_SEEN),
        role("operator"),
        role("service"),
        keep=keep(
            "account",
            rests="always",
            region="",
            process=None,
            staff_band=None,
            notice_at=None,
            notice_scopes=None,
            notice_hash=None,
            notice_body=None,
        ),
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(default="factory")
    region: Mapped[str]
    industry: Mapped[str]
    process: Mapped[str | None]
    staff_band: Mapped[str | None]
    zone: Mapped[str] = mapped_column(default="Asia/Seoul")
    applied_on: Mapped[date | None]
    notice_at: Mapped[int | None]
    notice_scopes: Mapped[JsonList | None]
    notice_hash: Mapped[str | None]
    notice_body: Mapped[Json | None]


class Machine(Base):
    """A machine, by its id on the wire. `comparable`: it may serve others as a comparison machine.

    `interfaces` are the protocols that it speaks, as the owner or the mentor says: no agent tells them. None is not
    known.
    """

    __tablename__ = "machine"
    __privacy__ = shared(
        *factory("factory_id"),
        engaged("factory_id").only("factory_id", "id", "name", "process"),
        role("service"),
        keep=keep("account", rests="plans", name="", maker=None, interfaces=None),
    )
    factory_id: Mapped[str] = ref("factory.id", primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    process: Mapped[str | None] = mapped_column(index=True)
    maker: Mapped[str | None]
    interfaces: Mapped[JsonList | None]
    weight: Mapped[float] = mapped_column(default=1.0)
    limits_output: Mapped[Tell] = one_of("limits_output", Tell)
    comparable: Mapped[bool] = mapped_column(default=False)
    retired_on: Mapped[date | None]


class Agent(Base):
    """An agent: its key, how far its chain has come, and when it was last heard.

    One agent of a factory signs for it. A key that changes waits for the owner's word in `next_key`.
    """

    __tablename__ = "agent"
    __table_args__ = (
        only_one("agent", "factory_id", where="reporter"),
        always("head", "(chain_number IS NULL) = (chain_head IS NULL)"),
    )
    __privacy__ = shared(
        *factory("factory_id"),
        role("operator").only("factory_id", "id", "site", "reporter", "seen_at", "silent_since", "made_at"),
        role("service"),
        keep=keep("account", rests="never"),
    )
    factory_id: Mapped[str] = ref("factory.id", primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(default="main")
    reporter: Mapped[bool] = mapped_column(default=False)
    public_key: Mapped[str | None]
    next_key: Mapped[str | None]
    chain_number: Mapped[int | None]
    chain_head: Mapped[str | None]
    chain_date: Mapped[date | None]
    made_at: Mapped[int | None]
    seen_at: Mapped[int | None]
    silent_since: Mapped[int | None]
    manifest: Mapped[str | None]


class Consent(Base):
    """What the owner had agreed to from a moment on; a history, nothing is ever changed in it.

    `source`: he has said it in his agent's file, which its manifest tells, or here (`registry.consents`).
    """

    __tablename__ = "consent"
    __table_args__ = (
        ForeignKeyConstraint(["factory_id", "agent_id"], ["agent.factory_id", "agent.id"], onupdate="CASCADE"),
        UniqueConstraint("factory_id", "agent_id", "source", "since", "serial"),
    )
    __privacy__ = shared(
        *factory("factory_id"),
        role("operator"),
        role("service"),
        keep=keep("account", rests="never"),
    )
    id: Mapped[str] = key()
    factory_id: Mapped[str]
    agent_id: Mapped[str]
    source: Mapped[ConsentSource] = one_of("source", ConsentSource)
    since: Mapped[int]
    serial: Mapped[int]
    until: Mapped[date | None]
    scopes: Mapped[JsonList]
    recorded_at: Mapped[int]


class AgentEvent(Base):
    """What an agent tells between two reports: unused, stale, decay, baseline_frozen, device_changed."""

    __tablename__ = "agent_event"
    __table_args__ = (
        ForeignKeyConstraint(["factory_id", "agent_id"], ["agent.factory_id", "agent.id"], onupdate="CASCADE"),
        UniqueConstraint("factory_id", "agent_id", "kind", "at", "hash"),
    )
    __privacy__ = shared(
        *factory("factory_id"),
        role("service"),
        keep=keep("indicators", "machines", days=3 * 365, since="at"),
    )
    id: Mapped[str] = key()
    factory_id: Mapped[str]
    agent_id: Mapped[str]
    kind: Mapped[str]
    at: Mapped[int]
    hash: Mapped[str]
    body: Mapped[Json]


class TagSet(Base):
    """Signals that a machine offers, as the fit test asks for them. Never a supplier's to see."""

    __tablename__ = "tag_set"
    __table_args__ = (
        ForeignKeyConstraint(
            ["factory_id", "machine_id"], ["machine.factory_id", "machine.id"], onupdate="CASCADE"
        ),
        UniqueConstraint("factory_id", "machine_id", "hash"),
    )
    __privacy__ = private(*factory("factory_id"), keep=keep("fit_missing"))
    id: Mapped[str] = key()
    factory_id: Mapped[str]
    machine_id: Mapped[str]
    at: Mapped[int]
    hash: Mapped[str]
    tags: Mapped[JsonList]


class Exclusion(Base):
    """A supplier or a solution that the owner does not want. Never a supplier's to see."""

    __tablename__ = "exclusion"
    __table_args__ = (
        always("one", "(supplier_id IS NULL) <> (solution_id IS NULL)"),
        ordered("since", "until"),
        only_one(
            "exclusion",
            "factory_id",
            "supplier_id",
            where="until IS NULL AND supplier_id IS NOT NULL",
            name="supplier",
        ),
        only_one(
            "exclusion",
            "factory_id",
            "solution_id",
            where="until IS NULL AND solution_id IS NOT NULL",
            name="solution",
        ),
    )
    __privacy__ = private(*factory("factory_id"), keep=keep("entry"))
    id: Mapped[str] = key()
    factory_id: Mapped[str] = ref("factory.id")
    supplier_id: Mapped[str | None] = ref("supplier.id")
    solution_id: Mapped[str | None] = ref("solution.id")
    why: Mapped[str | None]
    since: Mapped[int]
    until: Mapped[int | None]


class Budget(Base):
    """What a factory has for each of the three phases, as the owner says it at a moment; the latest holds."""

    __tablename__ = "budget"
    __table_args__ = (UniqueConstraint("factory_id", "at"),)
    __privacy__ = private(*factory("factory_id"), keep=keep("entry"))
    id: Mapped[str] = key()
    factory_id: Mapped[str] = ref("factory.id")
    at: Mapped[int]
    cash: Mapped[JsonList]
    staff_days: Mapped[JsonList]
    support: Mapped[JsonList]
    most_measures: Mapped[int] = atleast("most_measures")
    by_user: Mapped[str | None] = ref("user_account.id", index=False)
