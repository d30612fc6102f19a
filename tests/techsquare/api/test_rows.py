"""Nobody reads over HTTP what the policy does not grant him: every role, table and row, on both databases."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from techsquare.registry import tables as t
from techsquare.registry.policy import Reader, models, read
from tests.techsquare.api.stand import Stand, pages
from tests.techsquare.registry.agreement import filled
from tests.techsquare.registry.world import NOW

if TYPE_CHECKING:
    import httpx

    from techsquare.catalogue.load import Catalogue
    from techsquare.registry.store import Registry

TABLES = sorted(models())


def canonical(rows: Any) -> list[str]:
    """Return rows as texts that can be compared in any order."""
    return sorted(json.dumps(row, sort_keys=True, default=str) for row in rows)


def test_every_role_reads_exactly_what_the_policy_grants_it(registry: Registry, catalogue: Catalogue) -> None:
    filled(registry, 1)
    with registry.reading() as session:
        members = session.scalars(select(t.Membership).where(t.Membership.until.is_(None))).all()
    first = {(m.role, m.party_id): m for m in members}
    asked = 0
    with Stand(registry, catalogue) as stand:
        readers: list[tuple[Reader, httpx.Client]] = [(Reader(), stand.client())]
        for (role, party), member in sorted(first.items()):
            if party in {"alpha", "ada", "mina", "dara", "house"}:
                reader = Reader(member.user_id, frozenset({(role, party)}))
                readers.append((reader, stand.client(stand.token(member.id, "read"))))
        assert {role for reader, _ in readers for role, _ in reader.roles} == {
            "owner", "supplier", "mentor", "operator", "risk", "service"
        }  # fmt: skip
        for reader, client in readers:
            for table in TABLES:
                limit = 1 if table == "plan_machine" else 200
                got = canonical(pages(client, table, limit))
                with registry.reading() as session:
                    assert got == canonical(read(session, models()[table], reader)), (table, reader)
                asked += len(got)
    assert asked > 1000


def test_filters_look_at_what_is_seen(registry: Registry, catalogue: Catalogue) -> None:
    filled(registry, 1)
    with Stand(registry, catalogue) as stand:
        anyone = stand.client()
        seen = list(pages(anyone, "solution_version"))
        assert seen
        assert all("price_low" not in row for row in seen)
        assert list(pages(anyone, "solution_version", where="price_low=1")) == []  # hidden: it does not filter
        assert len(list(pages(anyone, "solution_version", where="price_low=null"))) == len(seen)
        assert [row["id"] for row in pages(anyone, "solution_version", where="supplier_id=ada")] == ["v-ada"]
        row = anyone.get("/v1/rows/solution_version/v-ada")
        again = anyone.get("/v1/rows/solution_version/v-ada", headers={"If-None-Match": row.headers["etag"]})
        assert (row.json()["supplier_id"], again.status_code, again.content) == ("ada", 304, b"")
        assert anyone.get("/v1/rows/offer/nothing").status_code == 404
        for wrong in ("where=password=x", "where=nothing", "after=x", "limit=0", "where=id=%00"):
            assert anyone.get(f"/v1/rows/user_account?{wrong}").status_code == 422, wrong
        shown = {one["name"]: one for one in anyone.get("/v1/tables").json()}
        assert "price_low" not in shown["solution_version"]["columns"]
        assert "rates" not in shown
        assert anyone.get("/v1/rows/no_such_table").status_code == 422


@pytest.mark.parametrize("secret", ["password", "hash"])
def test_nobody_reads_a_secret(registry: Registry, catalogue: Catalogue, secret: str) -> None:
    filled(registry, 1)
    with registry.reading() as session:
        member = session.scalars(select(t.Membership).where(t.Membership.role == "operator")).first()
        assert member is not None
    table = {"password": "user_account", "hash": "token"}[secret]
    with Stand(registry, catalogue) as stand:
        client = stand.client(stand.token(member.id))
        rows = list(pages(client, table))
        assert rows
        assert all(secret not in row for row in rows)
    assert NOW
