"""What is made of measurements and answers: assessment, loss, gap, rates, measures, roadmap, funding, cost."""

from __future__ import annotations

from datetime import date
from typing import Literal

from sqlalchemy import ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from techsquare.registry.base import Base, Json, JsonList, always, atleast, fraction, key, one_of, ordered, ref
from techsquare.registry.privacy import factory, keep, private, public, role, shared

AssessmentKind = Literal["measured", "counted", "answered"]
AssessmentState = Literal["day0", "day7", "day28"]
Confidence = Literal["low", "medium", "high"]
ItemState = Literal["open", "offered", "taken", "done", "dropped"]
Advice = Literal["offers", "not_now", "not_known", "nobody"]
CostKind = Literal["diagnosis", "visit", "measure", "verification", "other"]


class Assessment(Base):
    """A diagnosis of a moment, with all that it says. It is never changed; a newer one stands beside it."""

    __tablename__ = "assessment"
    __table_args__ = (UniqueConstraint("id", "factory_id"), ordered("window_from", "window_to"))
    __privacy__ = private(*factory("factory_id"), keep=keep("advice"))
    id: Mapped[str] = key()
    factory_id: Mapped[str] = ref("factory.id")
    at: Mapped[int]
    kind: Mapped[AssessmentKind] = one_of("kind", AssessmentKind)
    state: Mapped[AssessmentState] = one_of("state", AssessmentState)
    window_from: Mapped[date | None]
    window_to: Mapped[date | None]
    formulas: Mapped[str | None]
    model: Mapped[str | None]
    coverage: Mapped[float] = fraction("coverage")
    body: Mapped[Json]
    hash: Mapped[str]


class Answer(Base):
    """What the owner (or the mentor, with him) has said, beside the metric that can contradict it."""

    __tablename__ = "answer"
    __privacy__ = private(*factory("factory_id"), keep=keep("entry"))
    id: Mapped[str] = key()
    factory_id: Mapped[str] = ref("factory.id")
    question: Mapped[str]
    machine_id: Mapped[str | None]
    value: Mapped[Json]
    metric: Mapped[str | None]
    at: Mapped[int]
    by_user: Mapped[str | None] = ref("user_account.id", index=False)


class Rates(Base):
    """What a piece, an hour and a kilowatt-hour are worth, at a moment; the latest holds. As in diagnosis.terms."""

    __tablename__ = "rates"
    __table_args__ = (UniqueConstraint("factory_id", "at"),)
    __privacy__ = private(*factory("factory_id"), keep=keep("entry"))
    id: Mapped[str] = key()
    factory_id: Mapped[str] = ref("factory.id")
    at: Mapped[int]
    body: Mapped[Json]
    by_user: Mapped[str | None] = ref("user_account.id", index=False)


class Loss(Base):
    """A line of the loss ledger: a bucket of a machine. Buckets are exclusive, so each stands once."""

    __tablename__ = "loss"
    __table_args__ = (
        UniqueConstraint("assessment_id", "machine_id", "bucket"),
        ordered("share_low", "share_high"),
        ordered("won_low", "won_high"),
        always("won", "(won_low IS NULL) = (won_high IS NULL)"),
    )
    __privacy__ = private(*factory("assessment_id.factory_id"), keep=keep("advice"))
    id: Mapped[str] = key()
    assessment_id: Mapped[str] = ref("assessment.id")
    machine_id: Mapped[str]
    bucket: Mapped[str]
    share_low: Mapped[float]
    share_high: Mapped[float]
    hours_low: Mapped[float | None]
    hours_high: Mapped[float | None]
    won_low: Mapped[int | None]
    won_high: Mapped[int | None]
    coverage: Mapped[float] = fraction("coverage")
    days: Mapped[int]
    lacking: Mapped[JsonList]


class Gap(Base):
    """Something worth mending, with how sure it is."""

    __tablename__ = "gap"
    __table_args__ = (
        ordered("won_low", "won_high"),
        always("won", "(won_low IS NULL) = (won_high IS NULL)"),
    )
    __privacy__ = private(*factory("assessment_id.factory_id"), keep=keep("advice"))
    id: Mapped[str] = key()
    assessment_id: Mapped[str] = ref("assessment.id")
    dimension: Mapped[str]
    machine_id: Mapped[str | None]
    bucket: Mapped[str | None]
    won_low: Mapped[int | None]
    won_high: Mapped[int | None]
    hours_low: Mapped[float | None]
    hours_high: Mapped[float | None]
    confidence: Mapped[Confidence] = one_of("confidence", Confidence)
    why: Mapped[JsonList]


class Measure(Base):
    """A measure of the catalogue, with the sources of its figures. `body` as in `roadmap.terms.Measure`."""

    __tablename__ = "measure"
    __table_args__ = (ordered("cost_low", "cost_high"),)
    __privacy__ = public(keep=keep("common"))
    id: Mapped[str] = key()
    family: Mapped[str] = mapped_column(index=True)
    title_ko: Mapped[str]
    title_en: Mapped[str]
    cost_low: Mapped[int] = atleast("cost_low")
    cost_high: Mapped[int]
    body: Mapped[Json]
    source: Mapped[str]
    retired_on: Mapped[date | None]


class Funding(Base):
    """A programme that pays a share of what is eligible, between two dates. As in `roadmap.terms.Programme`."""

    __tablename__ = "funding"
    __table_args__ = (ordered("opens", "closes"),)
    __privacy__ = public(keep=keep("common"))
    id: Mapped[str] = key()
    title_ko: Mapped[str]
    title_en: Mapped[str]
    share: Mapped[float] = fraction("share")
    cap: Mapped[int] = atleast("cap")
    opens: Mapped[date]
    closes: Mapped[date]
    vat: Mapped[bool] = mapped_column(default=False)
    upfront: Mapped[float] = fraction("upfront")
    after_months: Mapped[float] = mapped_column(default=3.0)
    eligible: Mapped[JsonList]
    source: Mapped[str]


class Roadmap(Base):
    """A plan over three phases, and what the solver said of it. Versions count up; a plan is never changed."""

    __tablename__ = "roadmap"
    __table_args__ = (UniqueConstraint("factory_id", "version"), UniqueConstraint("id", "factory_id"))
    __privacy__ = private(*factory("factory_id"), keep=keep("advice"))
    id: Mapped[str] = key()
    factory_id: Mapped[str] = ref("factory.id")
    assessment_id: Mapped[str | None] = ref("assessment.id")
    version: Mapped[int] = atleast("version", 1)
    at: Mapped[int]
    value: Mapped[float]
    bound: Mapped[float]
    proven: Mapped[bool]
    body: Mapped[Json]


class RoadmapItem(Base):
    """A measure that the plan has chosen. While it is open, offers are looked for; `advice` is what was found last.

    not_now: the best offer is worth less than nothing, so we advise not to buy now. not_known: nobody can tell what
    the solutions gain. nobody: no solution meets all constraints.
    """

    __tablename__ = "roadmap_item"
    __table_args__ = (
        ForeignKeyConstraint(
            ["roadmap_id", "factory_id"], ["roadmap.id", "roadmap.factory_id"], onupdate="CASCADE"
        ),
        UniqueConstraint("id", "factory_id"),
        UniqueConstraint("roadmap_id", "measure_id", "machine_id"),
        always("phase", "phase >= 0 AND phase <= 2"),
    )
    __privacy__ = private(
        *factory("factory_id"),
        role("operator").only("id", "measure_id", "state"),
        keep=keep("advice", rests="never"),
    )
    id: Mapped[str] = key()
    roadmap_id: Mapped[str] = mapped_column(index=True)
    factory_id: Mapped[str] = mapped_column(index=True)
    measure_id: Mapped[str] = ref("measure.id")
    machine_id: Mapped[str | None]
    phase: Mapped[int]
    solid: Mapped[bool]
    depends: Mapped[JsonList]
    state: Mapped[ItemState] = one_of("state", ItemState)
    advice: Mapped[Advice | None] = one_of("advice", Advice)
    most_won: Mapped[int | None]


class Cost(Base):
    """The sponsor's ledger: what was spent on a factory, and who pays for it; `won` None: nobody has told yet."""

    __tablename__ = "cost"
    __privacy__ = shared(
        *factory("factory_id"),
        role("operator"),
        keep=keep("project", rests="always", note=None),
    )
    id: Mapped[str] = key()
    factory_id: Mapped[str] = ref("factory.id")
    kind: Mapped[CostKind] = one_of("kind", CostKind)
    won: Mapped[int | None] = atleast("won")
    payer: Mapped[str]
    on_date: Mapped[date]
    funding_id: Mapped[str | None] = ref("funding.id")
    note: Mapped[str | None]
