"""Parties, their people, invitations and tokens.

Nobody registers himself: the operator's house registers a party and invites its first user, who invites others.
An invitation is a token that can be used for nothing but to choose a password. It is shown once, to whoever
invites, and handed over by him: the platform sends no mail. An address that has an account is not invited again by
anybody but the operator, so that no party can take over an account that another one has invited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, select

from techsquare.registry import access
from techsquare.registry.errors import DeniedError
from techsquare.registry.factories import Factory
from techsquare.registry.mentors import Mentor
from techsquare.registry.people import Membership, Party, Token, User
from techsquare.registry.policy import Reader
from techsquare.registry.privacy import ROLE_KIND
from techsquare.registry.store import add
from techsquare.registry.suppliers import Supplier
from techsquare.services.refused import RefusedError
from techsquare.services.rights import Caller, need, seen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Literal

    from sqlalchemy.orm import Session

    from techsquare.registry.access import Identity, TokenScope
    from techsquare.registry.privacy import PartyKind, Role

INVITATION = "invitation"
"""Name of a token that opens nothing but `accept`; no other token may have it."""
INVITATION_DAYS = 14
LOGIN = "login"
HOUSE = "house"
OWN: Mapping[str, Role] = {"factory": "owner", "supplier": "supplier", "mentor": "mentor", "operator": "operator"}

_OWN_TABLE: Mapping[PartyKind, type[Factory | Supplier | Mentor]] = {
    "factory": Factory, "supplier": Supplier, "mentor": Mentor,
}  # fmt: skip


class Shown(NamedTuple):
    """A token that is shown once, and the membership that it is of."""

    token: str
    membership: str
    expires_at: int


def register(
    session: Session, caller: Caller, kind: PartyKind, party: str | None, name: str, about: Mapping[str, Any]
) -> Party:
    """Register a factory, a supplier or a mentor; `about` are the columns of its own table.

    Raises:
        RefusedError: `wrong_role`.
        ConflictError: there is one with this id.
    """
    need(caller, "operator")
    words: dict[str, Any] = {"kind": kind, "name": name, "created_at": caller.now}
    found = Party(**words, **({"id": party} if party else {}))
    session.add(found)
    session.flush()
    add(session, _OWN_TABLE[kind](id=found.id, kind=kind, **about))
    return found


def change(session: Session, caller: Caller, kind: PartyKind, party: str, said: Mapping[str, Any]) -> Party:
    """Keep what is said anew of a party: its own columns, its name, and the owner group that it belongs to.

    Raises:
        RefusedError: `wrong_role`; `not_there`: of this kind; `decided`: a supplier that has closed is not opened.
    """
    need(caller, "operator")
    found = session.get(Party, party, with_for_update=True)
    if found is None or found.kind != kind or found.closed_at is not None:
        raise RefusedError("not_there")
    own = session.get_one(_OWN_TABLE[kind], party)
    if "state" in said and isinstance(own, Supplier) and own.state == "closed":
        raise RefusedError("decided")
    for name, value in said.items():
        setattr(found if name in {"name", "owner_group"} else own, name, value)
    return found


def invite(
    session: Session, caller: Caller, party: str, role: Role, email: str, name: str, language: Literal["ko", "en"]
) -> Shown:
    """Invite somebody: a user without a password, a membership, and a token to choose a password with.

    Raises:
        RefusedError: `not_there`, `wrong_role`, `address_taken`.
    """
    found = session.get(Party, party)
    if (
        found is None
        or found.closed_at is not None
        or not (caller.has("operator") or caller.has(OWN[found.kind], party))
    ):
        raise RefusedError("not_there")
    if ROLE_KIND[role] != found.kind:
        raise RefusedError("wrong_role", needed=OWN[found.kind])
    where = access.address(email)
    known = session.scalars(select(User).where(User.email == where)).one_or_none()
    if known is not None and not caller.has("operator"):
        raise RefusedError("address_taken")
    user = known
    if user is None:
        user = User(email=where, name=name, language=language, created_at=caller.now)
        session.add(user)
        session.flush()
    held = session.scalars(
        select(Membership).where(
            Membership.user_id == user.id, Membership.party_id == party, Membership.role == role,
            Membership.until.is_(None),
        )
    ).one_or_none()  # fmt: skip
    member = held or access.join(session, user.id, party, role, caller.now)
    scopes: tuple[TokenScope, ...] = ("write",)
    token = access.issue(session, member.id, INVITATION, scopes, caller.now, INVITATION_DAYS)
    return Shown(token, member.id, caller.now + INVITATION_DAYS * access.DAY_NS)


def accept(session: Session, shown: str, password: str, now: int) -> Identity:
    """Choose a password with an invitation, which is then used up; who has one already shows that it is his.

    Raises:
        RefusedError: `bad_invitation`, `bad_password`.
    """
    try:
        identity = access.by_token(session, shown, now)
    except DeniedError:
        raise RefusedError("bad_invitation") from None
    token = session.get_one(Token, identity.token)
    user = session.get_one(User, identity.reader.user)
    if token.name != INVITATION:
        raise RefusedError("bad_invitation")
    if user.password is None:
        try:
            access.set_password(user, password)
        except ValueError:
            raise RefusedError("bad_password") from None
    else:
        try:
            access.log_in(session, user.email or "", password, now)
        except DeniedError:
            raise RefusedError("bad_invitation") from None
    session.flush()
    access.revoke(session, token.id, now)
    return identity


def change_password(session: Session, caller: Caller, old: str, new: str) -> None:
    """Choose another password, by showing the one that one has; whoever is logged in by it has to log in again.

    Raises:
        RefusedError: `wrong_password`, `bad_password`.
    """
    user = session.get_one(User, caller.user)
    try:
        access.log_in(session, user.email or "", old, caller.now)
    except DeniedError:
        raise RefusedError("wrong_password") from None
    try:
        access.set_password(user, new)
    except ValueError:
        raise RefusedError("bad_password") from None
    _log_out(session, user, caller.now)


def reset(session: Session, caller: Caller, user: str) -> Shown:
    """Let somebody who has lost his password choose one again, with an invitation: the operator hands it over.

    His old password and all that was logged in by it end at once; tokens of his programs go on.

    Raises:
        RefusedError: `wrong_role`; `not_there`: nobody, or of no party any more.
    """
    need(caller, "operator")
    found = session.get(User, user, with_for_update=True)
    held = memberships(session, user, caller.now)
    if found is None or found.disabled_at is not None or not held:
        raise RefusedError("not_there")
    found.password = None
    _log_out(session, found, caller.now)
    token = access.issue(session, held[0].id, INVITATION, ("write",), caller.now, INVITATION_DAYS)
    return Shown(token, held[0].id, caller.now + INVITATION_DAYS * access.DAY_NS)


def _log_out(session: Session, user: User, now: int) -> None:
    """End what a user's password has opened, and invitations that would still choose one."""
    session.flush()
    mine = select(Membership.id).where(Membership.user_id == user.id)
    for token in session.scalars(
        select(Token).where(
            Token.membership_id.in_(mine), Token.name.in_((LOGIN, INVITATION)), Token.revoked_at.is_(None)
        )
    ):
        token.revoked_at = now


def log_in(session: Session, user: str, membership: str | None, now: int) -> Shown | None:
    """Make a token of a day for one of a user's memberships; None: he has none, or not this one."""
    held = memberships(session, user, now)
    chosen = next((m for m in held if membership in {None, m.id}), None)
    if chosen is None:
        return None
    token = access.issue(session, chosen.id, LOGIN, access.TOKEN_SCOPES, now, 1)
    return Shown(token, chosen.id, now + access.DAY_NS)


def memberships(session: Session, user: str, now: int) -> list[Membership]:
    """Return a user's memberships that hold, in a fixed order."""
    found = session.scalars(
        select(Membership)
        .where(
            Membership.user_id == user, Membership.since <= now,
            (Membership.until.is_(None)) | (Membership.until > now),
        )
        .order_by(Membership.since, Membership.id)
    )  # fmt: skip
    return list(found)


def issue(
    session: Session,
    caller: Caller,
    membership: str,
    name: str,
    scopes: Iterable[TokenScope],
    within: frozenset[str] | None,
    days: int,
) -> Shown:
    """Make a token for one of the caller's own memberships, with no more scopes than he shows himself.

    Raises:
        RefusedError: `not_there`; `bad_scope`: more than his own token has.
    """
    member = session.get(Membership, membership)
    held = {m.id for m in memberships(session, caller.user, caller.now)}
    if member is None or member.id not in held or (member.role, member.party_id) not in caller.reader.roles:
        raise RefusedError("not_there")
    wanted = frozenset(scopes)
    if name in {INVITATION, LOGIN} or not wanted or (within is not None and not wanted <= within):
        raise RefusedError("bad_scope")
    token = access.issue(session, member.id, name, wanted, caller.now, days)
    return Shown(token, member.id, caller.now + days * access.DAY_NS)


def revoke(session: Session, caller: Caller, token: str) -> None:
    """Take a token back: one's own, or one of a party that one is of.

    Raises:
        RefusedError: `not_there`.
    """
    found = seen(session, caller, Token, token)
    access.revoke(session, found.id, caller.now)


def end(session: Session, caller: Caller, membership: str) -> None:
    """End a membership: one's own, one of one's party, or as the operator any.

    Raises:
        RefusedError: `not_there`.
    """
    found = seen(session, caller, Membership, membership)
    if found.until is None:
        access.leave(session, found.id, caller.now)


def first_operator(session: Session, email: str, name: str, now: int) -> Shown:
    """Make the operator's house and invite its first user: from the command line, where no operator is yet.

    Raises:
        RefusedError: `not_yours`: there is one with a password.
    """
    ready = session.scalar(
        select(func.count())
        .select_from(Membership)
        .join(User, User.id == Membership.user_id)
        .where(Membership.role == "operator", Membership.until.is_(None), User.password.is_not(None))
    )
    if ready:
        raise RefusedError("not_yours")
    if session.get(Party, HOUSE) is None:
        session.add(Party(id=HOUSE, kind="operator", name=name, created_at=now))
        session.flush()
    caller = Caller(Reader(None, frozenset({("operator", HOUSE)})), now)
    return invite(session, caller, HOUSE, "operator", email, name, "ko")


def lost(session: Session, email: str, now: int) -> Shown:
    """Let an operator who has lost his password choose one again: from the command line, which needs no login.

    Raises:
        RefusedError: `not_there`: no operator has this address.
    """
    found = session.scalars(
        select(User)
        .join(Membership, Membership.user_id == User.id)
        .where(User.email == access.address(email), Membership.role == "operator", Membership.until.is_(None))
    ).first()
    if found is None:
        raise RefusedError("not_there")
    return reset(session, Caller(Reader(None, frozenset({("operator", HOUSE)})), now), found.id)
