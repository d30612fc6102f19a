"""What two parties do together: engagement, contract, milestone, escrow deposit, takeover, ticket."""

from __future__ import annotations

from datetime import date
from typing import Literal

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from techsquare.registry.base import Base, Json, always, atleast, fraction, key, one_of, ref
from techsquare.registry.dialect import only_one
from techsquare.registry.privacy import factory, keep, role, shared, supplier

EngagementState = Literal["agreed", "signed", "installed", "accepted", "decided", "ended"]
MilestoneKind = Literal["delivery", "acceptance", "verdict"]
TicketState = Literal["open", "answered", "closed"]
EscrowLevel = Literal["deposited", "verified"]
TakeoverState = Literal["needed", "offered", "agreed", "done", "dropped"]
_OF_ENGAGEMENT = (*factory("engagement_id.factory_id"), supplier("engagement_id.supplier_id"))


class Engagement(Base):
    """A project of a factory with a supplier, over its whole life. `supplier_id` changes with a takeover.

    `agreed_on`: when the supplier has said yes; None while it is only asked. `unmeasured_at`: when the owner has
    said that nothing is to be measured. `drill`: the last exit drill: when, what it has shown, and by whom.
    """

    __tablename__ = "engagement"
    __table_args__ = (
        always("agreed", "state IN ('agreed', 'ended') OR agreed_on IS NOT NULL"),
        always("signed", "state IN ('agreed', 'ended') OR signed_on IS NOT NULL"),
        always("installed", "state NOT IN ('installed', 'accepted', 'decided') OR installed_on IS NOT NULL"),
        always("accepted", "state NOT IN ('accepted', 'decided') OR accepted_on IS NOT NULL"),
        always("ended", "(state = 'ended') = (ended_on IS NOT NULL)"),
        only_one("engagement", "item_id", where="ended_on IS NULL AND item_id IS NOT NULL"),
    )
    __privacy__ = shared(
        *factory("factory_id"),
        supplier("supplier_id"),
        role("operator").only(
            "id", "factory_id", "supplier_id", "version_id", "measure_id", "state", "signed_on", "installed_on",
            "accepted_on", "ended_on",
        ),
        keep=keep("project", rests="always", offer_id=None, item_id=None),
    )  # fmt: skip
    id: Mapped[str] = key()
    factory_id: Mapped[str] = ref("factory.id")
    supplier_id: Mapped[str] = ref("supplier.id")
    version_id: Mapped[str] = ref("solution_version.id")
    measure_id: Mapped[str] = ref("measure.id", index=False)
    item_id: Mapped[str | None] = ref("roadmap_item.id", index=False)
    offer_id: Mapped[str | None] = ref("offer.id", unique=True)
    state: Mapped[EngagementState] = one_of("state", EngagementState)
    agreed_on: Mapped[date | None]
    signed_on: Mapped[date | None]
    installed_on: Mapped[date | None]
    accepted_on: Mapped[date | None]
    ended_on: Mapped[date | None]
    unmeasured_at: Mapped[int | None]
    drill: Mapped[Json | None]
    life: Mapped[Json | None]  # as in `mentoring.engagement.Life`


class Contract(Base):
    """What was signed. `conditions` hold what a supplier's risk has set: seen by the two parties, not told why."""

    __tablename__ = "contract"
    __privacy__ = shared(*_OF_ENGAGEMENT, keep=keep("project", rests="always"))
    id: Mapped[str] = key()
    engagement_id: Mapped[str] = ref("engagement.id", unique=True)
    won: Mapped[int] = atleast("won")
    funding_id: Mapped[str | None] = ref("funding.id")
    conditions: Mapped[Json]
    hash: Mapped[str]
    owner_signed_at: Mapped[int | None]
    supplier_signed_at: Mapped[int | None]


class Milestone(Base):
    """A part of the price, due when something has been reached."""

    __tablename__ = "milestone"
    __table_args__ = (
        UniqueConstraint("contract_id", "kind"),
        always("paid", "paid_on IS NULL OR reached_on IS NOT NULL"),
    )
    __privacy__ = shared(
        *factory("contract_id.engagement_id.factory_id"),
        supplier("contract_id.engagement_id.supplier_id"),
        keep=keep("project", rests="always"),
    )
    id: Mapped[str] = key()
    contract_id: Mapped[str] = ref("contract.id", index=False)
    kind: Mapped[MilestoneKind] = one_of("kind", MilestoneKind)
    share: Mapped[float] = fraction("share")
    won: Mapped[int] = atleast("won")
    due: Mapped[date | None]
    reached_on: Mapped[date | None]
    paid_on: Mapped[date | None]
    advice: Mapped[str | None]


class EscrowDeposit(Base):
    """What was laid down for the day on which the supplier is gone: source, recipe, interfaces, by their hash.

    `built_by`: who has built the software from it, another party than its supplier. `released_at`: when the
    supplier itself has said that it may be handed out.
    """

    __tablename__ = "escrow_deposit"
    __table_args__ = (
        always("verified", "(level = 'verified') = (verified_at IS NOT NULL)"),
        always("built", "built_by IS NULL OR (verified_at IS NOT NULL AND built_by <> supplier_id)"),
    )
    __privacy__ = shared(
        supplier("supplier_id"),
        *factory("engagement_id.factory_id"),
        role("operator"),
        keep=keep("project", rests="always"),
    )
    id: Mapped[str] = key()
    supplier_id: Mapped[str] = ref("supplier.id")
    version_id: Mapped[str] = ref("solution_version.id")
    engagement_id: Mapped[str | None] = ref("engagement.id")
    level: Mapped[EscrowLevel] = one_of("level", EscrowLevel)
    place: Mapped[str]
    hash: Mapped[str]
    deposited_at: Mapped[int]
    verified_at: Mapped[int | None]
    built_by: Mapped[str | None] = ref("party.id", index=False)
    released_at: Mapped[int | None]


class Takeover(Base):
    """Somebody else goes on with a project, because its supplier has disappeared or the owner wants another."""

    __tablename__ = "takeover"
    __table_args__ = (
        only_one("takeover", "engagement_id", where="ended_at IS NULL"),
        always("other", "to_supplier IS NULL OR to_supplier <> from_supplier"),
        always("ended", "(state IN ('done', 'dropped')) = (ended_at IS NOT NULL)"),
    )
    __privacy__ = shared(
        *factory("engagement_id.factory_id"),
        supplier("from_supplier").only("id", "engagement_id", "from_supplier", "state", "begun_at", "ended_at"),
        supplier("to_supplier"),
        role("operator"),
        keep=keep("project", rests="always"),
    )
    id: Mapped[str] = key()
    engagement_id: Mapped[str] = ref("engagement.id", index=False)
    from_supplier: Mapped[str] = ref("supplier.id")
    to_supplier: Mapped[str | None] = ref("supplier.id")
    state: Mapped[TakeoverState] = one_of("state", TakeoverState)
    why: Mapped[Literal["gone", "unwanted"]] = one_of("why", Literal["gone", "unwanted"])
    begun_at: Mapped[int]
    ended_at: Mapped[int | None]
    checklist: Mapped[Json]


class Ticket(Base):
    """Something that does not work. How soon it is answered is a live sign of the supplier's health."""

    __tablename__ = "ticket"
    __table_args__ = (
        always("answered", "state = 'open' OR answered_at IS NOT NULL OR closed_at IS NOT NULL"),
        always("closed", "(state = 'closed') = (closed_at IS NOT NULL)"),
    )
    __privacy__ = shared(
        *_OF_ENGAGEMENT,
        role("operator").only(
            "id", "engagement_id", "state", "severity", "opened_at", "answered_at", "closed_at", "reopened"
        ),
        keep=keep("project", days=5 * 365, since="opened_at"),
    )
    id: Mapped[str] = key()
    engagement_id: Mapped[str] = ref("engagement.id")
    state: Mapped[TicketState] = one_of("state", TicketState)
    severity: Mapped[Literal["low", "high", "stopped"]] = one_of("severity", Literal["low", "high", "stopped"])
    text: Mapped[str]
    answer: Mapped[str | None]
    opened_at: Mapped[int]
    answered_at: Mapped[int | None]
    closed_at: Mapped[int | None]
    reopened: Mapped[int] = mapped_column(default=0)
