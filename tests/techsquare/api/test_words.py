"""The texts of words are there for anyone, also for what rows say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from techsquare.glossary import COLUMNS, LISTS
from techsquare.registry import tables as t
from tests.techsquare.api.stand import Stand, pages
from tests.techsquare.api.test_rights import ROLES
from tests.techsquare.registry.agreement import filled

if TYPE_CHECKING:
    from techsquare.catalogue.load import Catalogue
    from techsquare.registry.store import Registry


def test_every_role_is_given_the_texts_of_what_its_rows_say(registry: Registry, catalogue: Catalogue) -> None:
    filled(registry, 1)
    with Stand(registry, catalogue) as stand:
        with registry.reading() as session:
            members = {one.role: one.id for one in session.query(t.Membership).where(t.Membership.until.is_(None))}
        met = 0
        for role in ROLES:
            client = stand.client(stand.token(members[role]) if role in members else None)
            answer = client.get("/v1/words")
            assert answer.status_code == 200
            assert "public" in answer.headers["Cache-Control"]
            found = answer.json()
            assert found["lists"]["verdict"]["cannot_tell"] == {"ko": "아직 판단 불가", "en": "cannot tell yet"}
            assert (found["columns"], set(found["lists"])) == (dict(COLUMNS), set(LISTS))
            for name, of in found["columns"].items():
                table, column = name.split(".")
                if column == "metric" or (column == "kind" and table in {"task", "notification", "job"}):
                    continue  # the drawn world invents these
                said = {row[column] for row in pages(client, table, limit=100) if row.get(column) is not None}
                assert said <= set(found["lists"][of]), (role, name)
                met += len(said)
        assert met > 100
