"""What a project has changed: measurement plan, the machines that it counts, outcome, objection.

A plan is frozen before the installation begins. Comparison machines are other people's: who they are is told to
nobody but the operator's house, and a factory sees which of its own machines serve.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from sqlalchemy import ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from techsquare.registry.base import Base, Json, always, key, one_of, ordered, ref
from techsquare.registry.dialect import only_one
from techsquare.registry.privacy import factory, keep, role, shared, supplier

Word = Literal["improved", "worse", "no_change", "cannot_tell", "cause_not_shown"]
_OF_PLAN = (*factory("plan_id.engagement_id.factory_id"), supplier("plan_id.engagement_id.supplier_id"))
_OUTCOME = ("id", "plan_id", "look", "on_date", "word", "estimate", "low", "high")


class MeasurementPlan(Base):
    """A plan: metric, windows, dates, least change; `body` as in `verdict.terms.Plan`, its controls left out."""

    __tablename__ = "measurement_plan"
    __table_args__ = (
        ordered("applied_on", "baseline_from"),
        ordered("baseline_from", "baseline_to"),
        ordered("baseline_to", "verdict_on"),
        ordered("verdict_on", "extended_to"),
        always("agreed", "frozen_at IS NULL OR (owner_at IS NOT NULL AND supplier_at IS NOT NULL)"),
        always("frozen", "(frozen_at IS NULL) = (hash IS NULL)"),
        only_one("measurement_plan", "engagement_id", "metric", where="withdrawn_at IS NULL"),
    )
    __privacy__ = shared(
        *factory("engagement_id.factory_id"),
        supplier("engagement_id.supplier_id"),
        role("operator"),
        keep=keep("project", rests="always"),
    )
    id: Mapped[str] = key()
    engagement_id: Mapped[str] = ref("engagement.id", index=False)
    metric: Mapped[str]
    applied_on: Mapped[date]
    baseline_from: Mapped[date]
    baseline_to: Mapped[date]
    verdict_on: Mapped[date]
    extended_to: Mapped[date]
    least: Mapped[float]
    body: Mapped[Json]
    promise: Mapped[Json | None]
    owner_at: Mapped[int | None]
    supplier_at: Mapped[int | None]
    frozen_at: Mapped[int | None]
    hash: Mapped[str | None]
    withdrawn_at: Mapped[int | None]


class PlanMachine(Base):
    """A machine that a plan counts: the treated one, or one to compare with.

    `alias` is its name inside the plan: the plan's hash holds no factory, so it holds when one takes a pseudonym.
    `days` (a bit for each day of the baseline, hexadecimal) and `digest` are set when the plan is frozen: which
    signed days of the baseline there were, and SHA-256 of them with their heads.
    """

    __tablename__ = "plan_machine"
    __table_args__ = (
        ForeignKeyConstraint(
            ["factory_id", "machine_id"], ["machine.factory_id", "machine.id"], onupdate="CASCADE"
        ),
        UniqueConstraint("plan_id", "alias"),
    )
    __privacy__ = shared(
        *factory("factory_id"),
        supplier("plan_id.engagement_id.supplier_id").only("plan_id", "part"),
        role("operator"),
        keep=keep("project", rests="always"),
    )
    plan_id: Mapped[str] = ref("measurement_plan.id", primary_key=True)
    factory_id: Mapped[str] = mapped_column(primary_key=True)
    machine_id: Mapped[str] = mapped_column(primary_key=True)
    part: Mapped[Literal["treated", "control"]] = one_of("part", Literal["treated", "control"])
    alias: Mapped[str]
    days: Mapped[str | None]
    digest: Mapped[str | None]


class Outcome(Base):
    """The verdict on one of the two dates of a plan: one of five words.

    It changes only by an objection that was upheld: then it is what the objection has made of it, so that nobody
    goes on counting what was wrong, and what was told first stands in `body["told"]`.
    """

    __tablename__ = "outcome"
    __table_args__ = (
        UniqueConstraint("plan_id", "look"),
        always("look", "look IN (1, 2)"),
        always("interval", "low <= estimate AND estimate <= high"),
    )
    __privacy__ = shared(
        *_OF_PLAN,
        role("operator").only(*_OUTCOME),
        keep=keep("project", rests="always"),
    )
    id: Mapped[str] = key()
    plan_id: Mapped[str] = ref("measurement_plan.id", index=False)
    look: Mapped[int]
    on_date: Mapped[date]
    word: Mapped[Word] = one_of("word", Word)
    estimate: Mapped[float | None]
    low: Mapped[float | None]
    high: Mapped[float | None]
    body: Mapped[Json]
    at: Mapped[int]
    decayed_on: Mapped[date | None]


class Objection(Base):
    """A party does not agree with an outcome, within ten days; once."""

    __tablename__ = "objection"
    __table_args__ = (
        UniqueConstraint("outcome_id", "party_id"),
        always("decided", "(decision IS NULL) = (decided_at IS NULL)"),
    )
    __privacy__ = shared(
        *factory("outcome_id.plan_id.engagement_id.factory_id"),
        supplier("outcome_id.plan_id.engagement_id.supplier_id"),
        role("operator"),
        keep=keep("project", rests="always"),
    )
    id: Mapped[str] = key()
    outcome_id: Mapped[str] = ref("outcome.id", index=False)
    party_id: Mapped[str] = ref("party.id")
    at: Mapped[int]
    text: Mapped[str]
    answer: Mapped[str | None]
    follows: Mapped[Json | None]  # what an upheld one has changed: `withdrawn`, or what the new verdict leaves out
    decision: Mapped[Literal["upheld", "rejected"] | None] = one_of("decision", Literal["upheld", "rejected"])
    decided_at: Mapped[int | None]
