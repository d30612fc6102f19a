"""Passwords, tokens and memberships: how somebody becomes a `Reader`.

A password is kept as Argon2id, a token as SHA-256: it is 256 random bits, so nothing can be tried out. A token is
shown once, belongs to one membership, ends on a date, and can never do more than its scopes say. Whoever is refused
is not told why, and an unknown address costs the same time as a wrong password.
"""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from sqlalchemy import select

from techsquare.registry.errors import DeniedError
from techsquare.registry.people import Membership, Party, Token, User
from techsquare.registry.policy import Reader
from techsquare.registry.privacy import ROLE_KIND

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from techsquare.registry.privacy import Role

TokenScope = Literal["read", "write", "intake", "compute", "match", "admin"]
"""read: what the role may read. write: what the role may do. intake: hand in reports and records. compute: have
engines compute what is sent along, of which nothing is kept. match: run rounds and roadmaps. admin: users, rights
and retention."""
TOKEN_SCOPES: tuple[TokenScope, ...] = get_args(TokenScope)
LEAST_PASSWORD = 10
MOST_PASSWORD = 1024  # bytes: a longer one only costs the server
MOST_DAYS = 366
DAY_NS = 86_400 * 10**9
_PREFIX = "tsq"


class Identity(NamedTuple):
    """Somebody who has shown a password or a token. `scopes` None: a person, who may do whatever his roles may."""

    reader: Reader
    scopes: frozenset[str] | None
    token: str | None


@cache
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@cache
def _nobody() -> str:
    """Return a hash that no password has, to be verified where there is no user."""
    return _hasher().hash(secrets.token_urlsafe(32))


def set_password(user: User, password: str) -> None:
    """Give a user a password.

    Raises:
        ValueError: it is shorter than ten characters, or longer than anybody types.
    """
    if len(password) < LEAST_PASSWORD or len(password.encode()) > MOST_PASSWORD:
        raise ValueError(f"a password has at least {LEAST_PASSWORD} characters and at most {MOST_PASSWORD} bytes")
    user.password = _hasher().hash(password)


def log_in(session: Session, email: str, password: str, now: int) -> Identity:
    """Return who it is by e-mail and password.

    Raises:
        DeniedError: unknown, wrong, or no longer here; always after the same work.
    """
    user = session.scalars(select(User).where(User.email == address(email))).one_or_none()
    kept = user.password if user is not None and user.password is not None else _nobody()
    good, renewed = False, None
    if len(password.encode()) <= MOST_PASSWORD:
        with suppress(UnknownHashError):  # a row from elsewhere: no password opens it
            good, renewed = _hasher().verify_and_update(password, kept)
    if not good or user is None or user.password is None or user.disabled_at is not None:
        raise DeniedError
    if renewed is not None and session.info.get("actor") is not None:  # a reading session leaves it as it is
        user.password = renewed
    return Identity(reader_of(session, user.id, now), None, None)


def address(email: str) -> str:
    """Return an e-mail address as it is kept: without spaces around it, in small letters."""
    return email.strip().lower()


def reader_of(session: Session, user: str, now: int) -> Reader:
    """Return what a user may read now: all his memberships that hold."""
    found = session.execute(
        select(Membership.role, Membership.party_id).where(
            Membership.user_id == user,
            Membership.since <= now,
            (Membership.until.is_(None)) | (Membership.until > now),
        )
    )
    return Reader(user, frozenset((role, party) for role, party in found))


def join(session: Session, user: str, party: str, role: Role, now: int) -> Membership:
    """Make a user a member of a party; he stays what he was for others.

    Raises:
        ValueError: the party is not of the role's kind.
        ConflictError: he has the role already (when the transaction ends).
    """
    kind = session.get_one(Party, party).kind
    if ROLE_KIND[role] != kind:
        raise ValueError(f"{role} is a role for a {ROLE_KIND[role]}, and {party} is a {kind}")
    member = Membership(user_id=user, party_id=party, party_kind=kind, role=role, since=now)
    session.add(member)
    session.flush()
    return member


def leave(session: Session, membership: str, now: int) -> None:
    """End a membership, and all its tokens with it."""
    session.get_one(Membership, membership).until = now
    for token in session.scalars(
        select(Token).where(Token.membership_id == membership, Token.revoked_at.is_(None))
    ):
        token.revoked_at = now


def issue(
    session: Session, membership: str, name: str, scopes: Iterable[TokenScope], now: int, days: int = 90
) -> str:
    """Make a token and return it: nobody will ever see it again.

    Raises:
        ValueError: a scope is unknown or none is given, or it would last longer than a year.
    """
    wanted = sorted(set(scopes))
    if not wanted or not set(wanted) <= set(TOKEN_SCOPES):
        raise ValueError(f"scopes of a token are {', '.join(TOKEN_SCOPES)}; at least one")
    if not 0 < days <= MOST_DAYS:
        raise ValueError(f"a token lasts 1 to {MOST_DAYS} days")
    secret = secrets.token_urlsafe(32)
    token = Token(
        membership_id=membership, name=name, hash=_digest(secret), scopes=wanted, created_at=now,
        expires_at=now + days * DAY_NS,
    )  # fmt: skip
    session.add(token)
    session.flush()
    return f"{_PREFIX}_{token.id}_{secret}"


def revoke(session: Session, token: str, now: int) -> None:
    """Take a token back; it stays in the list of what there was."""
    found = session.get_one(Token, token)
    found.revoked_at = found.revoked_at or now


def by_token(session: Session, shown: str, now: int) -> Identity:
    """Return who it is by token: the one membership that it was made for, and nothing else of its user.

    Raises:
        DeniedError: it is none, over, taken back, or its membership or user has ended.
    """
    prefix, _, rest = shown.partition("_")
    name, _, secret = rest.partition("_")
    token = session.get(Token, name) if prefix == _PREFIX and name.isascii() else None
    kept = token.hash if token is not None else _digest("")
    good = secrets.compare_digest(_digest(secret), kept)
    if not good or token is None or token.revoked_at is not None or not token.created_at <= now < token.expires_at:
        raise DeniedError
    member = session.get_one(Membership, token.membership_id)
    user = session.get_one(User, member.user_id)
    if user.disabled_at is not None or member.since > now or (member.until is not None and member.until <= now):
        raise DeniedError
    reader = Reader(user.id, frozenset({(member.role, member.party_id)}))
    return Identity(reader, frozenset(token.scopes), token.id)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
