"""Parties, their people and what they are told: party, user, membership, token, notification, task, job, audit."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from techsquare.registry.base import Base, Json, JsonList, always, fraction, key, one_of, ordered, ref, secret
from techsquare.registry.dialect import of_few, only_one
from techsquare.registry.privacy import (
    ASKED,
    WORKING,
    Grant,
    PartyKind,
    Role,
    When,
    factory,
    keep,
    owner,
    private,
    role,
    shared,
    supplier,
    user,
)

TaskState = Literal["open", "done", "dropped"]
JobState = Literal["waiting", "running", "done", "failed", "stopped"]
_OFFERING = When("kind", "in", ("supplier", "mentor", "operator"))
_PUBLIC = ("id", "kind", "name")
_JOB = ("id", "kind", "state", "progress", "created_at", "begun_at", "ended_at", "error")
_TOKEN = ("id", "membership_id", "name", "scopes", "created_at", "expires_at", "revoked_at")


class Party(Base):
    """A factory, a supplier, a mentor or the operator's house: whoever rows can belong to.

    A factory's id is the one of its topics. A mentor is a party alone: colleagues do not see each other's
    factories. `owner_group` joins companies of one owner, for conflicts of interest and for peers.
    """

    __tablename__ = "party"
    __table_args__ = (UniqueConstraint("id", "kind"),)
    __privacy__ = shared(
        *factory("id"),
        supplier("id"),
        Grant("mentor", "id"),
        Grant("operator", "id"),
        role("operator"),
        Grant("supplier", "id", WORKING).only(*_PUBLIC),
        Grant("supplier", "id", ASKED).only(*_PUBLIC),
        role("risk").only(*_PUBLIC),
        role("service").only(*_PUBLIC),
        Grant("anyone").if_(_OFFERING).only(*_PUBLIC),  # who offers something wants to be found
        keep=keep("account", rests="always", goes_with=("owner", "supplier", "mentor"), name="", owner_group=None),
    )
    id: Mapped[str] = key()
    kind: Mapped[PartyKind] = one_of("kind", PartyKind)
    name: Mapped[str]
    owner_group: Mapped[str | None] = mapped_column(index=True)
    created_at: Mapped[int]
    closed_at: Mapped[int | None]


class User(Base):
    """A person who logs in. `password` is a hash; without one nobody can log in by password."""

    __tablename__ = "user_account"
    __privacy__ = private(
        user("id"),
        role("operator").only("id", "email", "name", "language", "created_at", "disabled_at"),
        keep=keep("account", rests="always", email=None, name="", password=None),
    )
    id: Mapped[str] = key()
    email: Mapped[str | None] = mapped_column(unique=True)
    name: Mapped[str]
    language: Mapped[Literal["ko", "en"]] = one_of("language", Literal["ko", "en"])
    password: Mapped[str | None] = secret()
    created_at: Mapped[int]
    disabled_at: Mapped[int | None]


class Membership(Base):
    """What a user is for a party, from a moment on. A role fits the kind of the party; nobody has one twice."""

    __tablename__ = "membership"
    __table_args__ = (
        ForeignKeyConstraint(["party_id", "party_kind"], ["party.id", "party.kind"], onupdate="CASCADE"),
        always(
            "role_fits",
            "(role = 'owner' AND party_kind = 'factory') OR (role = 'supplier' AND party_kind = 'supplier')"
            " OR (role = 'mentor' AND party_kind = 'mentor')"
            " OR (role IN ('operator', 'risk', 'service') AND party_kind = 'operator')",
        ),
        ordered("since", "until"),
        only_one("membership", "user_id", "party_id", "role", where="until IS NULL"),
    )
    __privacy__ = shared(
        user("user_id"),
        owner("party_id"),
        supplier("party_id"),
        Grant("mentor", "party_id"),
        role("operator"),
        keep=keep("account", goes_with=("self", "owner", "supplier", "mentor")),
    )
    id: Mapped[str] = key()
    user_id: Mapped[str] = ref("user_account.id")
    party_id: Mapped[str] = mapped_column(index=True)
    party_kind: Mapped[PartyKind]
    role: Mapped[Role] = one_of("role", Role)
    since: Mapped[int]
    until: Mapped[int | None]


class Token(Base):
    """A key for programs, in the name of one membership. Only its SHA-256 is kept; the token is shown once."""

    __tablename__ = "token"
    __table_args__ = (ordered("created_at", "expires_at"),)
    __privacy__ = shared(
        user("membership_id.user_id"),
        Grant("owner", "membership_id.party_id").only(*_TOKEN),
        Grant("supplier", "membership_id.party_id").only(*_TOKEN),
        Grant("mentor", "membership_id.party_id").only(*_TOKEN),
        role("operator").only(*_TOKEN),
        keep=keep("account", goes_with=("self", "owner", "supplier", "mentor")),
    )
    id: Mapped[str] = key()
    membership_id: Mapped[str] = ref("membership.id")
    name: Mapped[str]
    hash: Mapped[str] = secret()
    scopes: Mapped[JsonList]
    created_at: Mapped[int]
    expires_at: Mapped[int]
    revoked_at: Mapped[int | None]
    used_at: Mapped[int | None]


class Notification(Base):
    """Something that a user is told. `about` is table and key of what it is about."""

    __tablename__ = "notification"
    __privacy__ = private(user("user_id"), keep=keep("account", days=365, since="created_at"))
    id: Mapped[str] = key()
    user_id: Mapped[str] = ref("user_account.id")
    kind: Mapped[str]
    about_table: Mapped[str | None]
    about_id: Mapped[str | None]
    body: Mapped[Json]
    created_at: Mapped[int]
    read_at: Mapped[int | None]


class Task(Base):
    """Something that somebody has to do about a factory. `party_id` is whose task it is."""

    __tablename__ = "task"
    __table_args__ = (always("done", "(state = 'open') = (ended_at IS NULL)"),)
    __privacy__ = shared(
        *factory("factory_id"),
        supplier("party_id"),
        Grant("operator", "party_id"),
        keep=keep("advice", days=3 * 365, since="created_at"),
    )
    id: Mapped[str] = key()
    factory_id: Mapped[str] = ref("factory.id")
    party_id: Mapped[str] = ref("party.id")
    kind: Mapped[str]
    state: Mapped[TaskState] = one_of("state", TaskState)
    created_at: Mapped[int]
    due: Mapped[int | None]
    ended_at: Mapped[int | None]
    source: Mapped[Json | None]
    note: Mapped[str | None]


class Job(Base):
    """Work that takes longer than a request: how far it has come, and what came out.

    What was asked about a factory, and what came out, is the factory's: a mentor who has been changed since sees
    that his job is done, and no more.
    """

    __tablename__ = "job"
    __table_args__ = (
        always("ended", "(state IN ('waiting', 'running')) = (ended_at IS NULL)"),
        of_few("job", "created_at", where="ended_at IS NULL"),
    )
    __privacy__ = shared(
        user("user_id").if_(When("factory_id", "unset")),
        user("user_id").only(*_JOB, "user_id"),
        *factory("factory_id"),
        role("operator").only(*_JOB),
        keep=keep("account", days=90, since="created_at", goes_with=("self", "owner")),
    )
    id: Mapped[str] = key()
    user_id: Mapped[str | None] = ref("user_account.id")
    factory_id: Mapped[str | None] = ref("factory.id")
    kind: Mapped[str]
    state: Mapped[JobState] = one_of("state", JobState)
    progress: Mapped[float] = fraction("progress")
    asked: Mapped[Json]
    answer: Mapped[Json | None]
    error: Mapped[str | None]
    created_at: Mapped[int]
    begun_at: Mapped[int | None]
    ended_at: Mapped[int | None]


class Audit(Base):
    """Who changed what, and when: only ever added to. It holds hashes of what was, not what was.

    Hashes are salted, an entry its own: many rows are a few round numbers beside what is known anyway, and whoever
    reads a plain hash could try them all. With the salt, which nobody reads, a row proves itself.

    `actor` is a user's id or the name of a service; `party_id` is in whose name he acted, `factory_id` whose data
    it was (or None). They are texts, not references: an entry outlives what it tells of.
    """

    __tablename__ = "audit"
    __privacy__ = shared(
        owner("factory_id"),
        user("actor"),
        role("operator"),
        keep=keep("account", rests="always", factory_id=None),
    )
    id: Mapped[str] = key()
    at: Mapped[int] = mapped_column(index=True)
    actor: Mapped[str] = mapped_column(index=True)
    party_id: Mapped[str | None]
    factory_id: Mapped[str | None] = mapped_column(index=True)
    action: Mapped[Literal["insert", "update", "delete", "export", "erase"]] = one_of(
        "action", Literal["insert", "update", "delete", "export", "erase"]
    )
    table_name: Mapped[str]
    row_key: Mapped[str]
    salt: Mapped[str] = secret()
    before: Mapped[str | None]
    after: Mapped[str | None]
