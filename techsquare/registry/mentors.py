"""Who looks after a factory: mentor, assignment, visit, message."""

from __future__ import annotations

from datetime import date
from typing import Literal

from sqlalchemy import ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from techsquare.registry.base import Base, Json, JsonList, always, atleast, key, one_of, ordered, ref
from techsquare.registry.dialect import only_one
from techsquare.registry.privacy import Grant, factory, keep, mentor, owner, public, role, shared, supplier

MentorState = Literal["active", "away", "left"]
EndedBy = Literal["owner", "mentor", "operator"]
VisitState = Literal["asked", "planned", "done", "missed", "dropped"]
VisitKind = Literal["first", "diagnosis", "installation", "follow_up", "verdict", "takeover"]


class Mentor(Base):
    """A mentor: what he knows, where he goes, for how many factories. `firm_id` and `related` are his conflicts."""

    __tablename__ = "mentor"
    __table_args__ = (
        ForeignKeyConstraint(["id", "kind"], ["party.id", "party.kind"], onupdate="CASCADE"),
        always("kind", "kind = 'mentor'"),
    )
    __privacy__ = public(
        Grant("mentor", "id"),
        columns=("id", "kind", "skills", "regions", "state"),
        but=(role("operator"),),
        keep=keep("offering", rests="always", firm_id=None, related=None),
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(default="mentor")
    firm_id: Mapped[str | None] = ref("party.id", index=False)
    skills: Mapped[JsonList]
    regions: Mapped[JsonList]
    capacity: Mapped[int] = atleast("capacity")
    state: Mapped[MentorState] = one_of("state", MentorState)
    related: Mapped[JsonList | None]


class Assignment(Base):
    """A mentor of a factory from one moment to another. A factory has one at a time, and may change him at will.

    `reason` is for the operator's statistics, never for the mentor: a change is without penalty. Neither is
    `ended_by`: a mentor whom the owner has let go does not get the factory again unless the owner asks for him.
    """

    __tablename__ = "assignment"
    __table_args__ = (
        only_one("assignment", "factory_id", where="until IS NULL"),
        ordered("since", "until"),
    )
    __privacy__ = shared(
        owner("factory_id"),
        mentor("factory_id").only("id", "mentor_id", "factory_id", "since", "until", "handover"),
        Grant("mentor", "mentor_id").only("id", "mentor_id", "factory_id", "since", "until"),
        role("operator"),
        keep=keep("advice", rests="always", reason=None, ended_by=None, handover=None),
    )
    id: Mapped[str] = key()
    factory_id: Mapped[str] = ref("factory.id", index=False)
    mentor_id: Mapped[str] = ref("mentor.id")
    since: Mapped[int]
    until: Mapped[int | None]
    reason: Mapped[str | None]
    ended_by: Mapped[EndedBy | None] = one_of("ended_by", EndedBy)
    handover: Mapped[Json | None]


class Visit(Base):
    """A visit, with the sheet that was filled in. It is the factory's: the next mentor has it, a former has not."""

    __tablename__ = "visit"
    __table_args__ = (always("done", "(state = 'done') = (done_on IS NOT NULL)"),)
    __privacy__ = shared(
        *factory("factory_id"),
        role("operator").only("id", "factory_id", "mentor_id", "kind", "state", "planned_on", "done_on"),
        keep=keep("advice", days=5 * 365, since="created_at"),
    )
    id: Mapped[str] = key()
    factory_id: Mapped[str] = ref("factory.id")
    mentor_id: Mapped[str | None] = ref("mentor.id")
    kind: Mapped[VisitKind] = one_of("kind", VisitKind)
    state: Mapped[VisitState] = one_of("state", VisitState)
    planned_on: Mapped[date | None]
    done_on: Mapped[date | None]
    sheet: Mapped[Json | None]
    created_at: Mapped[int]


class Message(Base):
    """A message of a factory's thread: with its mentor (`party_id` None), or with another party about a project.

    `from_party` is in whose name it was written; `read_at` is when the other side first read it.
    """

    __tablename__ = "message"
    __privacy__ = shared(
        *factory("factory_id"),
        supplier("party_id"),
        Grant("operator", "party_id"),
        keep=keep("advice", days=5 * 365, since="at"),
    )
    id: Mapped[str] = key()
    factory_id: Mapped[str] = ref("factory.id")
    party_id: Mapped[str | None] = ref("party.id")
    engagement_id: Mapped[str | None] = ref("engagement.id")
    from_user: Mapped[str | None] = ref("user_account.id", index=False)
    from_party: Mapped[str | None] = ref("party.id", index=False)
    at: Mapped[int]
    text: Mapped[str]
    read_at: Mapped[int | None]
