"""Who may do what, walked over everything there is: scopes of tokens, ends of rights, rows by their columns."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from techsquare.registry import tables as t
from techsquare.registry.audit import Actor, row_hash
from techsquare.registry.policy import Reader, declaration, models, open_columns
from techsquare.services import jobs
from techsquare.services.rights import Caller
from tests.techsquare.api.stand import Stand
from tests.techsquare.api.test_rights import BODIES, OPEN, ROLES, contents, theirs
from tests.techsquare.registry.agreement import filled
from tests.techsquare.registry.oracle import Oracle
from tests.techsquare.registry.oracle import contents as rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx
    from sqlalchemy.orm import Session

    from techsquare.catalogue.load import Catalogue
    from techsquare.registry.store import Registry

ME = Actor("test")


@pytest.fixture
def stand(registry: Registry, catalogue: Catalogue) -> Iterator[Stand]:
    """Return the application over a drawn world."""
    filled(registry, 1)
    with Stand(registry, catalogue) as standing:
        yield standing


def member_of(stand: Stand, role: str) -> Any:
    """Return a membership of a role that holds: of the owner of alpha, of ada, of mina."""
    party = {"owner": "alpha", "supplier": "ada", "mentor": "mina"}.get(role, "house")
    with stand.registry.reading() as session:
        return session.scalars(
            select(t.Membership).where(
                t.Membership.role == role, t.Membership.party_id == party, t.Membership.until.is_(None)
            )
        ).first()


@pytest.mark.parametrize("scope", ["read", "compute", "intake"])
def test_a_token_that_is_not_for_writing_writes_nothing(stand: Stand, scope: str) -> None:
    with stand.registry.reading() as session:
        keys = theirs(session)
    tried = 0
    for role in ROLES[:-1]:
        client = stand.client(stand.token(member_of(stand, role).id, scope))
        before = contents(stand.registry)
        for path, methods in stand.app.openapi()["paths"].items():
            for method, about in methods.items():
                name = about["operationId"]
                if method == "get" or name in OPEN or name.startswith("compute_"):
                    continue
                if scope == "intake" and path.startswith("/v1/intake"):
                    continue
                body = json.loads(json.dumps(BODIES[name]).replace("{membership}", keys["membership"]))
                answer = client.request(method, path.format(**keys), json=body)
                assert (answer.status_code, answer.json()["code"]) == (403, "scope"), (role, name, answer.text)
                tried += 1
        assert contents(stand.registry) == before, role
    assert tried > 6 * 80


def test_each_reading_route_refuses_what_is_anothers_as_if_it_were_not_there(stand: Stand) -> None:
    """Ids of others and ids of nobody are answered alike, by everybody who has nothing to do with them."""
    with stand.registry.reading() as session:
        keys = theirs(session)
        strangers = {
            role: session.scalars(
                select(t.Membership.id).where(t.Membership.party_id == party, t.Membership.until.is_(None))
            ).first()
            for role, party in (("owner", "delta"), ("supplier", "dara"), ("mentor", "former"))
        }
    asked = 0
    for role, member in strangers.items():
        assert member
        client = stand.client(stand.token(member))
        for path, methods in stand.app.openapi()["paths"].items():
            if "get" not in methods or "{" not in path or path.startswith(("/v1/rows", "/problems")):
                continue
            real = client.get(path.format(**keys))
            none = client.get(path.format(**dict.fromkeys(keys, "nobody-has-this")))
            assert real.status_code in {none.status_code, 200}, (role, path, real.text)
            if real.status_code == 200:  # public, or empty
                assert '"alpha"' not in real.text, (role, path, real.text)
            else:
                assert real.json()["code"] == none.json()["code"], (role, path)
            asked += 1
    assert asked >= 3 * 10


def test_rows_by_every_column_with_hostile_filters_show_what_the_policy_shows(stand: Stand) -> None:
    """A filter by the true value of a hidden column finds nothing; hostile ones are refused or find nothing."""
    members = {role: member_of(stand, role) for role in (*ROLES[:3], "operator")}
    clients = {role: stand.client(stand.token(member.id)) for role, member in members.items()}
    with stand.registry.reading() as session:
        oracle = Oracle(rows_of(session), {name: declaration(m).grants for name, m in models().items()})
    hostile = ("' OR '1'='1", "1; DROP TABLE party", "%", "\x00", "\u202e", "{0.__class__}", "9" * 400, "null")
    hidden = 0
    for role, member in members.items():
        reader, client = _reader(member), clients[role]
        for name, model in models().items():
            columns = [c for c in model.__table__.columns if c.name in open_columns(model.__table__)]  # type: ignore[arg-type]
            told = [(r, oracle.columns(name, r, reader)) for r in oracle.rows[name]]
            row = next((r for r, seen in told if not seen), None)
            for at, column in enumerate(columns):
                said = [f"{column.name}={hostile[at % len(hostile)]}"]
                if row is not None and isinstance(row[column.name], str):
                    said.append(f"{column.name}={row[column.name]}")
                for where in said:
                    answer = client.get(f"/v1/rows/{name}", params={"where": where, "limit": 500})
                    assert answer.status_code in {200, 422}, (role, name, where, answer.text)
                    if answer.status_code == 200:
                        for got in answer.json()["rows"]:
                            assert any(
                                set(got) <= some
                                and all(str(one[k]) == v for k, v in got.items() if isinstance(v, str))
                                for one, some in told
                            ), (role, name, got)
                            hidden += 1
    assert hidden > 200


def test_a_cursor_of_another_reader_opens_nothing(stand: Stand) -> None:
    clients = {role: stand.client(stand.token(member_of(stand, role).id)) for role in ROLES[:4]}
    for name in ("offer", "task", "audit", "token", "fit_check", "engagement"):
        cursors = {role: c.get(f"/v1/rows/{name}?limit=1").json()["next"] for role, c in clients.items()}
        mine = {role: _all(c, name) for role, c in clients.items()}
        for role, client in clients.items():
            for other in (*cursors.values(), _cursor("key", ["0"]), _cursor("skip", 0), _cursor("skip", -1), "x"):
                if other is None:
                    continue
                answer = client.get(f"/v1/rows/{name}", params={"after": other, "limit": 500})
                assert answer.status_code in {200, 422}
                if answer.status_code == 200:
                    assert all(row in mine[role] for row in answer.json()["rows"]), (role, name)


def _cursor(kind: str, value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps([kind, value]).encode()).decode().rstrip("=")


def _all(client: httpx.Client, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/v1/rows/{name}?limit=500").json()["rows"]
    return found


def test_hashes_of_the_audit_cannot_be_tried(stand: Stand) -> None:
    """Who reads an entry about a budget, and knows all of it but three round numbers, still cannot test a guess."""
    owner, op = (stand.client(stand.token(member_of(stand, role).id)) for role in ("owner", "operator"))
    means = {"cash": [30_000_000] * 3, "staff_days": [5.0] * 3, "support": [0] * 3}
    made = owner.post("/v1/factories/alpha/budgets", json=means)
    assert made.status_code == 201, made.text
    key = made.json()["id"]
    (told,) = op.get("/v1/rows/audit", params={"where": [f"row_key={key}"]}).json()["rows"]
    assert "salt" not in told
    assert op.get(f"/v1/rows/budget/{key}").status_code == 404
    with stand.registry.reading() as session:
        row = session.get_one(t.Budget, key)
        values = {c: getattr(row, c) for c in open_columns(t.Budget.__table__)}  # type: ignore[arg-type]
    assert told["after"] != row_hash(values)


def test_what_has_ended_a_moment_ago_has_ended(stand: Stand) -> None:
    mentor = member_of(stand, "mentor")
    mina = stand.client(stand.token(mentor.id))
    reader = _reader(mentor)
    job = stand.registry.decide(
        lambda s: jobs.begin(s, Caller(reader, stand.now()), "nothing", {"secret": 1}, "alpha").id, ME
    )
    assert mina.get(f"/v1/rows/job/{job}").json()["asked"]["of"] == {"secret": 1}
    with stand.registry.reading() as session:
        budget = session.scalars(select(t.Budget.id).where(t.Budget.factory_id == "alpha")).first()
    assert mina.get(f"/v1/rows/budget/{budget}").status_code == 200

    def change(session: Session) -> None:
        row = session.scalars(
            select(t.Assignment).where(t.Assignment.factory_id == "alpha", t.Assignment.until.is_(None))
        ).one()
        row.until = stand.now()

    stand.registry.decide(change, ME)
    assert mina.get(f"/v1/rows/budget/{budget}").status_code == 404
    assert mina.post("/v1/factories/alpha/roadmaps", json={}).status_code == 404
    left = mina.get(f"/v1/rows/job/{job}").json()
    assert "asked" not in left
    assert "answer" not in left
    assert mina.get(f"/v1/jobs/{job}").json()["answer"] is None
    owner = member_of(stand, "owner")
    token = stand.token(owner.id)
    assert stand.client(token).get("/v1/me").status_code == 200
    stand.registry.decide(lambda s: setattr(s.get_one(t.User, owner.user_id), "disabled_at", stand.now()), ME)
    gone = stand.client(token).get("/v1/me")
    assert (gone.status_code, gone.json()["code"]) == (401, "unauthorized")


def _reader(member: Any) -> Reader:
    return Reader(member.user_id, frozenset({(member.role, member.party_id)}))
