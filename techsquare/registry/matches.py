"""Who is shown to whom: round, offer, pair that failed, fit check.

Reasons, exclusions, conflicts and budgets are the factory's: a supplier gets the offer itself, and reasons only as
`reason_sum`. It learns which factory it is when the owner asks it to get in touch.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from sqlalchemy import ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from techsquare.registry.base import Base, Json, JsonList, always, atleast, key, one_of, ordered, ref
from techsquare.registry.dialect import of_few, only_one
from techsquare.registry.privacy import When, factory, keep, private, public, role, shared, supplier

RoundState = Literal["planned", "open", "closed", "published"]
By = Literal["merit", "exposure", "round"]
OfferAnswer = Literal["wanted", "declined", "expired"]
Fit = Literal["pass", "fail", "unknown"]
_OFFER = (
    "id",
    "version_id",
    "supplier_id",
    "measure_id",
    "round_id",
    "shown_at",
    "answer",
    "answered_at",
    "contacted_at",
)


class Round(Base):
    """A round of deferred acceptance over scarce places, with the rule that was published before."""

    __tablename__ = "match_round"
    __table_args__ = (
        ordered("opens", "closes"),
        always("published", "(state = 'published') = (published_at IS NOT NULL)"),
    )
    __privacy__ = public(
        columns=("id", "quarter", "opens", "closes", "state", "rule", "seed", "published_at"),
        but=(role("operator"),),
        keep=keep("common"),
    )
    id: Mapped[str] = key()
    quarter: Mapped[str]
    opens: Mapped[date]
    closes: Mapped[date]
    state: Mapped[RoundState] = one_of("state", RoundState)
    rule: Mapped[str]
    seed: Mapped[str]
    published_at: Mapped[int | None]
    result: Mapped[Json | None]


class Offer(Base):
    """A solution on the list of an open item. Slots 1 to 3 of an item's list are one solution each."""

    __tablename__ = "offer"
    __table_args__ = (
        ForeignKeyConstraint(
            ["item_id", "factory_id"], ["roadmap_item.id", "roadmap_item.factory_id"], onupdate="CASCADE"
        ),
        ForeignKeyConstraint(
            ["version_id", "supplier_id"],
            ["solution_version.id", "solution_version.supplier_id"],
            onupdate="CASCADE",
        ),
        always("slot", "slot >= 1 AND slot <= 3"),
        always("merit", "slot > 1 OR shown_by <> 'exposure'"),
        always("answered", "(answer IS NULL) = (answered_at IS NULL)"),
        always("asked", "contacted_at IS NULL OR answer = 'wanted'"),
        only_one("offer", "item_id", "slot", where="ended_at IS NULL"),
        only_one("offer", "item_id", "version_id", where="ended_at IS NULL", name="solution"),
    )
    __privacy__ = shared(
        *factory("factory_id"),
        supplier("supplier_id").only(*_OFFER),
        supplier("supplier_id").only(*_OFFER, "factory_id").if_(When("contacted_at", "set")),
        role("operator").only(*_OFFER, "slot", "shown_by", "ended_at"),
        keep=keep("advice"),
    )
    id: Mapped[str] = key()
    item_id: Mapped[str] = mapped_column(index=True)
    factory_id: Mapped[str] = mapped_column(index=True)
    version_id: Mapped[str] = mapped_column(index=True)
    supplier_id: Mapped[str] = mapped_column(index=True)
    measure_id: Mapped[str] = ref("measure.id", index=False)
    round_id: Mapped[str | None] = ref("match_round.id")
    slot: Mapped[int]
    shown_by: Mapped[By] = one_of("shown_by", By)
    cost: Mapped[float]
    q10: Mapped[float]
    mean: Mapped[float]
    q90: Mapped[float]
    terms: Mapped[Json]
    reasons: Mapped[Json]
    shown_at: Mapped[int]
    answer: Mapped[OfferAnswer | None] = one_of("answer", OfferAnswer)
    answered_at: Mapped[int | None]
    contacted_at: Mapped[int | None]
    ended_at: Mapped[int | None]


class Failed(Base):
    """A solution that is not on the list of an item: all constraints that failed, with their evidence."""

    __tablename__ = "failed_pair"
    __table_args__ = (
        ForeignKeyConstraint(
            ["item_id", "factory_id"], ["roadmap_item.id", "roadmap_item.factory_id"], onupdate="CASCADE"
        ),
        UniqueConstraint("item_id", "version_id"),
    )
    __privacy__ = private(*factory("factory_id"), keep=keep("advice", days=365, since="at"))
    id: Mapped[str] = key()
    item_id: Mapped[str]
    factory_id: Mapped[str] = mapped_column(index=True)
    version_id: Mapped[str] = ref("solution_version.id")
    at: Mapped[int]
    failed: Mapped[JsonList]
    evidence: Mapped[Json]
    short_by: Mapped[int | None]  # won of q10 that were missing where nothing failed


class Showing(Base):
    """How often a supplier was shown on a day on which it could have been: what fair exposure is counted from."""

    __tablename__ = "showing"
    __privacy__ = shared(
        supplier("supplier_id"), role("operator"), keep=keep("offering", days=3 * 365, since="day")
    )
    day: Mapped[date] = mapped_column(primary_key=True)
    supplier_id: Mapped[str] = ref("supplier.id", primary_key=True)
    shown: Mapped[int] = atleast("shown")


class FitCheck(Base):
    """A version against the real tag set of a factory: once for ever, so that nobody can feel his way.

    As a line of `fit.book`: `asked` is whether an agent was; a `result` of None is one that has not answered yet.
    `tried_at`: when a worker has put the question last, so that no two of them do at once.

    The supplier gets the word and not whose it is; what is missing goes to owner and mentor.
    """

    __tablename__ = "fit_check"
    __table_args__ = (
        UniqueConstraint("factory_id", "version_id"),
        of_few("fit_check", "at", where="result IS NULL"),
    )
    __privacy__ = shared(
        *factory("factory_id"),
        supplier("version_id.supplier_id").only("id", "version_id", "month", "result"),
        keep=keep("fit", rests="never"),
    )
    id: Mapped[str] = key()
    factory_id: Mapped[str] = ref("factory.id", index=False)
    version_id: Mapped[str] = ref("solution_version.id")
    month: Mapped[date]
    at: Mapped[int]
    by: Mapped[Literal["platform", "owner"]] = one_of("by", Literal["platform", "owner"])
    asked: Mapped[bool]
    result: Mapped[Fit | None] = one_of("result", Fit)
    missing: Mapped[JsonList | None]
    tried_at: Mapped[int | None]


class SeenVersion(Base):
    """A version that has one of its owner group's three places in a family: `fit.versions`.

    It says nothing of factories: it follows from what its supplier has registered and withdrawn, and when.
    """

    __tablename__ = "seen_version"
    __privacy__ = shared(supplier("version_id.supplier_id"), role("operator"), keep=keep("offering"))
    version_id: Mapped[str] = ref("solution_version.id", primary_key=True)
    owner_group: Mapped[str]
    family: Mapped[str] = mapped_column(index=True)
    since: Mapped[date]
