"""Passwords, tokens, memberships."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from techsquare.registry import access
from techsquare.registry.access import DAY_NS
from techsquare.registry.audit import Actor
from techsquare.registry.errors import ConflictError, DeniedError
from techsquare.registry.policy import Reader
from techsquare.registry.store import add
from techsquare.registry.tables import Factory, Membership, Party, Token, User

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from techsquare.registry.store import Registry

ME = Actor("test")
NOW = 1_790_000_000_000_000_000
PASSWORD = "공장은 여덟 시에 연다"


@pytest.fixture
def member(registry: Registry) -> str:
    """Return the membership of Kim, who owns alpha."""

    def make(session: Session) -> str:
        kim = User(id="kim", email="kim@example.kr", name="김", language="ko", created_at=NOW)
        access.set_password(kim, PASSWORD)
        add(
            session,
            Party(id="alpha", kind="factory", name="가", created_at=NOW),
            Factory(id="alpha", region="", industry=""),
        )
        add(session, Party(id="house", kind="operator", name="나", created_at=NOW), kim)
        return access.join(session, "kim", "alpha", "owner", NOW).id

    return registry.decide(make, ME)


@pytest.mark.usefixtures("member")
def test_a_password_opens_and_another_does_not(registry: Registry) -> None:
    with registry.reading() as session:
        found = access.log_in(session, " Kim@Example.kr ", PASSWORD, NOW)
        assert found.reader == Reader("kim", frozenset({("owner", "alpha")}))
        assert found.scopes is None
        for email, word in (
            ("kim@example.kr", "wrong wrong"),
            ("nobody@example.kr", PASSWORD),
            ("kim@example.kr", "x" * 2000),
        ):
            with pytest.raises(DeniedError):
                access.log_in(session, email, word, NOW)
        kept = session.get_one(User, "kim").password
        assert kept is not None
        assert kept.startswith("$argon2id$")
        assert PASSWORD not in kept


def test_who_is_disabled_or_has_no_password_stays_out(registry: Registry, member: str) -> None:
    shown = registry.decide(lambda s: access.issue(s, member, "line", ["read"], NOW), ME)

    def disable(session: Session) -> None:
        session.get_one(User, "kim").disabled_at = NOW
        session.add(User(id="lee", email="lee@example.kr", name="이", language="ko", created_at=NOW))

    registry.decide(disable, ME)
    with registry.reading() as session:
        for email in ("kim@example.kr", "lee@example.kr"):
            with pytest.raises(DeniedError):
                access.log_in(session, email, PASSWORD, NOW)
        with pytest.raises(DeniedError):
            access.by_token(session, shown, NOW)


def test_a_short_password_is_refused() -> None:
    for word in ("short", "x" * 1025):
        with pytest.raises(ValueError, match="at least 10 characters"):
            access.set_password(User(), word)


def test_a_token_is_its_membership_and_nothing_else(registry: Registry, member: str) -> None:
    def make(session: Session) -> str:
        access.join(session, "kim", "house", "operator", NOW)
        return access.issue(session, member, "line", ["read", "intake", "read"], NOW, days=2)

    shown = registry.decide(make, ME)
    with registry.reading() as session:
        found = access.by_token(session, shown, NOW)
        assert found.reader == Reader("kim", frozenset({("owner", "alpha")}))
        assert found.scopes == frozenset({"read", "intake"})
        kept = session.scalars(select(Token)).one()
        assert kept.hash not in shown
        assert shown.rpartition("_")[2] not in kept.hash
        wrong = (
            shown[:-1] + ("A" if shown[-1] != "A" else "B"),
            shown + "x",
            "",
            "tsq__",
            f"tsq_{kept.id}_",
            shown[4:],
            f"tsq_{kept.hash}",
        )
        for text in (*wrong, "tsq_\ud800_x", "tsq_가_나"):
            with pytest.raises(DeniedError):
                access.by_token(session, text, NOW)
        access.by_token(session, shown, NOW + 2 * DAY_NS - 1)
        with pytest.raises(DeniedError):
            access.by_token(session, shown, NOW + 2 * DAY_NS)


def test_a_token_ends_when_it_is_taken_back_and_with_its_membership(registry: Registry, member: str) -> None:
    first, second = (registry.decide(lambda s: access.issue(s, member, "x", ["read"], NOW), ME) for _ in range(2))
    registry.decide(lambda s: access.revoke(s, first.split("_")[1], NOW + 1), ME)
    with registry.reading() as session:
        with pytest.raises(DeniedError):
            access.by_token(session, first, NOW + 2)
        assert access.by_token(session, second, NOW + 2).token
    registry.decide(lambda s: access.leave(s, member, NOW + 3), ME)
    with registry.reading() as session:
        with pytest.raises(DeniedError):
            access.by_token(session, second, NOW + 4)
        assert access.reader_of(session, "kim", NOW + 4) == Reader("kim")
        assert access.reader_of(session, "kim", NOW + 2).roles == {("owner", "alpha")}


def test_scopes_and_days_of_a_token_are_checked(registry: Registry, member: str) -> None:
    for scopes, days in (([], 1), (["everything"], 1), (["read"], 0), (["read"], 367)):
        with pytest.raises(ValueError, match=r"scopes of a token|a token lasts"):
            registry.decide(lambda s, a=scopes, d=days: access.issue(s, member, "x", a, NOW, d), ME)  # type: ignore[misc]


def test_a_role_fits_its_party_and_stands_once(registry: Registry, member: str) -> None:
    assert member
    with pytest.raises(ValueError, match="mentor is a role for a mentor, and alpha is a factory"):
        registry.decide(lambda s: access.join(s, "kim", "alpha", "mentor", NOW), ME)
    with pytest.raises(ConflictError, match="membership"):
        registry.decide(lambda s: access.join(s, "kim", "alpha", "owner", NOW), ME)
    with pytest.raises(ConflictError, match="ck_membership_role_fits"):  # past our own check, the database says it
        registry.decide(
            lambda s: s.add(
                Membership(user_id="kim", party_id="alpha", party_kind="factory", role="risk", since=NOW)
            ),
            ME,
        )
    registry.decide(lambda s: access.leave(s, member, NOW), ME)
    registry.decide(lambda s: access.join(s, "kim", "alpha", "owner", NOW), ME)
