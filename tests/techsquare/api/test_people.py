"""Login, invitations, tokens, limits; and every error is a problem in the language that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pytest
from sqlalchemy import select

from techsquare.api.limits import Limiter, Rate
from techsquare.api.settings import ListenError, Settings, listen
from techsquare.api.words import OF_SERVICES, WORDS, language
from techsquare.registry import tables as t
from techsquare.registry.audit import Actor
from techsquare.services import people
from techsquare.services.days import DAY_NS
from techsquare.services.refused import Code, RefusedError
from tests.techsquare.api.stand import Stand
from tests.techsquare.api.story import PASSWORD, Story

if TYPE_CHECKING:
    from techsquare.catalogue.load import Catalogue
    from techsquare.registry.store import Registry


def test_a_stranger_is_told_nothing_and_soon_has_to_wait(stand: Stand) -> None:
    Story(stand)
    client = stand.client(language="ko")
    for _ in range(3):
        wrong = client.post("/v1/login", json={"email": "hana@example.kr", "password": "falsch"})
        assert (wrong.status_code, wrong.json()["code"]) == (401, "unauthorized")
        assert wrong.headers["content-type"] == "application/problem+json"
        assert wrong.headers["content-language"] == "ko"
        assert "falsch" not in wrong.text
    right = client.post("/v1/login", json={"email": "hana@example.kr", "password": PASSWORD})
    assert right.status_code == 429
    assert int(right.headers["retry-after"]) > 0
    other = client.post("/v1/login", json={"email": "duri@example.kr", "password": PASSWORD})
    assert other.status_code == 200  # another account is not locked with it


def test_an_invitation_opens_nothing_but_a_password_and_only_once(stand: Stand) -> None:
    story = Story(stand)
    hana = story.who["hana"]
    form = {"party": "hana", "role": "owner", "email": "new@example.kr", "name": "새 사람"}
    shown = hana.post("/v1/invitations", json=form).json()["token"]
    assert stand.client(shown).get("/v1/me").status_code == 401
    assert hana.post("/v1/invitations", json=form).json()["code"] == "address_taken"
    assert hana.post("/v1/invitations", json=form | {"party": "duri", "email": "x@y.kr"}).status_code == 404
    assert hana.post("/v1/invitations", json=form | {"role": "operator", "email": "x@y.kr"}).status_code == 403
    taken = {"invitation": shown, "password": "zu kurz"}
    assert stand.client().post("/v1/invitations/accept", json=taken).json()["code"] == "bad_password"
    taken["password"] = PASSWORD
    assert stand.client().post("/v1/invitations/accept", json=taken).status_code == 204
    assert stand.client().post("/v1/invitations/accept", json=taken).json()["code"] == "bad_invitation"
    told = stand.client().post("/v1/login", json={"email": "new@example.kr", "password": PASSWORD}).json()
    assert [m["party"] for m in told["memberships"]] == ["hana"]


def test_a_password_is_changed_by_who_has_it_and_lost_ones_are_chosen_again(stand: Stand) -> None:
    story = Story(stand)
    hana, op, duri = (story.who[name] for name in ("hana", "op", "duri"))
    login = {"email": "hana@example.kr", "password": "another one of mine"}
    form = {"old": "not the one", "new": login["password"]}
    assert hana.put("/v1/me/password", json=form).json()["code"] == "wrong_password"
    assert (
        hana.put("/v1/me/password", json=form | {"old": PASSWORD, "new": "short"}).json()["code"] == "bad_password"
    )
    mine = hana.get("/v1/me").json()
    program = stand.client(
        hana.post("/v1/tokens", json={"membership": mine["roles"][0]["id"], "name": "x", "scopes": ["read"]})
        .json()["token"]
    )  # fmt: skip
    assert program.put("/v1/me/password", json=form | {"old": PASSWORD}).json()["code"] == "scope"
    assert hana.put("/v1/me/password", json=form | {"old": PASSWORD}).status_code == 204
    assert hana.get("/v1/me").status_code == 401, "whoever had the old one is out"
    assert program.get("/v1/me").status_code == 200
    client = stand.client()
    assert client.post("/v1/login", json=login | {"password": PASSWORD}).status_code == 401
    again = stand.client(client.post("/v1/login", json=login).json()["token"])

    path = f"/v1/users/{mine['user']}/reset"
    assert duri.post(path).json()["code"] == "wrong_role"
    first, second = (op.post(path).json()["token"] for _ in range(2))
    assert again.get("/v1/me").status_code == 401
    assert client.post("/v1/login", json=login).status_code == 401
    chosen = {"invitation": first, "password": PASSWORD}
    assert client.post("/v1/invitations/accept", json=chosen).json()["code"] == "bad_invitation"
    assert client.post("/v1/invitations/accept", json=chosen | {"invitation": second}).status_code == 204
    assert client.post("/v1/login", json=login | {"password": PASSWORD}).status_code == 200


def test_a_party_is_said_anew_and_nobody_stays_where_he_was_put(stand: Stand) -> None:
    story = Story(stand)
    op, hana = story.who["op"], story.who["hana"]
    words = {"kind": "supplier", "id": "new", "name": "x", "size": "small", "regions": [], "industries": []}
    assert op.post("/v1/parties", json=words | {"joined_on": "2026-01-01", "state": "applied"}).status_code == 201

    def row(table: str, key: str) -> dict[str, Any]:
        found: dict[str, Any] = op.get(f"/v1/rows/{table}/{key}").json()
        return found

    change = {"kind": "supplier", "state": "active", "owner_group": "group-1", "regions": ["busan"]}
    assert op.put("/v1/parties/new", json=change).json()["row"]["owner_group"] == "group-1"
    assert (row("supplier", "new")["state"], row("supplier", "new")["regions"]) == ("active", ["busan"])
    assert (row("supplier", "new")["size"], row("party", "new")["name"]) == ("small", "x"), "nothing else moved"
    for state in ("away", "active"):
        assert op.put("/v1/parties/mina", json={"kind": "mentor", "state": state}).status_code == 200
        assert row("mentor", "mina")["state"] == state
    assert op.put("/v1/parties/hana", json={"kind": "factory", "region": "ulsan"}).status_code == 200
    assert row("factory", "hana")["region"] == "ulsan"
    assert op.put("/v1/parties/hana", json={"kind": "mentor", "state": "away"}).status_code == 404
    assert hana.put("/v1/parties/hana", json={"kind": "factory", "name": "y"}).json()["code"] == "wrong_role"
    assert op.post("/v1/suppliers/new/close").status_code == 200
    assert op.put("/v1/parties/new", json=change).json()["code"] == "decided"


def test_an_operator_without_his_password_gets_in_again_by_the_command(stand: Stand) -> None:
    Story(stand)
    now = stand.now()
    for address in ("hana@example.kr", "nobody@example.kr"):
        with pytest.raises(RefusedError):
            stand.registry.decide(lambda s, at=address: people.lost(s, at, now), Actor("test"))  # type: ignore[misc]
    shown = stand.registry.decide(lambda s: people.lost(s, "OP@example.kr", now), Actor("test"))
    client = stand.client()
    new = {"invitation": shown.token, "password": "another one of mine"}
    assert client.post("/v1/invitations/accept", json=new).status_code == 204
    form = {"email": "op@example.kr", "password": new["password"]}
    assert client.post("/v1/login", json=form).status_code == 200


def test_a_token_does_what_its_scopes_say_until_it_is_taken_back(stand: Stand) -> None:
    story = Story(stand)
    hana = story.who["hana"]
    mine = hana.get("/v1/me").json()["roles"][0]["id"]
    form = {"membership": mine, "name": "report", "scopes": ["read"]}
    made = hana.post("/v1/tokens", json=form)
    assert made.status_code == 201
    reader = stand.client(made.json()["token"])
    assert reader.get("/v1/rows/factory/hana").status_code == 200
    assert reader.post("/v1/factories/hana/rates", json={}).json()["code"] == "scope"
    assert reader.post("/v1/tokens", json=form).status_code == 403
    for wrong in ({"name": "invitation"}, {"name": "login"}):
        assert hana.post("/v1/tokens", json=form | wrong).json()["code"] == "bad_scope"
    writer = stand.token(mine, "read", "write")
    more = stand.client(writer).post("/v1/tokens", json=form | {"scopes": ["admin"]})
    assert more.json()["code"] == "bad_scope"  # no token makes a stronger one
    key = made.json()["token"].split("_")[1]
    assert story.who["duri"].delete(f"/v1/tokens/{key}").status_code == 404
    assert hana.delete(f"/v1/tokens/{key}").status_code == 204
    assert reader.get("/v1/me").status_code == 401
    assert hana.delete("/v1/login").status_code == 204
    assert hana.get("/v1/me").status_code == 401
    stand.shift += 2 * DAY_NS
    assert story.who["duri"].get("/v1/me").status_code == 401  # a day is over


def test_every_error_is_a_problem(registry: Registry, catalogue: Catalogue) -> None:
    limits = Settings(by_address=Rate(40, 0.001), by_token=Rate(10, 0.001), body=2_000, threads=0)
    with Stand(registry, catalogue, limits) as stand:
        client = stand.client()
        seen: dict[str, int] = {}
        for method, path, words in (
            ("GET", "/nothing", {}),
            ("PATCH", "/v1/login", {}),
            ("POST", "/v1/login", {"content": b"{"}),
            ("POST", "/v1/login", {"json": {"email": "a", "password": "\x00", "more": 1}}),
            ("POST", "/v1/login", {"content": b"x" * 3_000}),
            ("POST", "/v1/login", {"content": iter([b"x" * 1_500, b"x" * 1_500])}),
            ("GET", "/v1/me", {}),
            ("GET", "/v1/rows/audit/x", {}),
        ):
            answer = client.request(method, path, **words)
            assert answer.headers["content-type"] == "application/problem+json", (path, answer.text)
            body = answer.json()
            assert body["title"] == WORDS[body["code"]].en
            assert body["status"] == answer.status_code == WORDS[body["code"]].status
            assert client.get(body["type"]).json()["ko"] == WORDS[body["code"]].ko
            seen[body["code"]] = seen.get(body["code"], 0) + 1
        assert seen == {"no_route": 1, "method": 1, "invalid": 2, "too_large": 2, "unauthorized": 1, "not_there": 1}
        waits = [client.get("/v1/tables") for _ in range(40)]
        assert {answer.status_code for answer in waits} == {200, 429}
        assert client.get("/health").json() == {"state": "running"}
        assert client.get("/ready").status_code == 200


def test_what_is_written_is_audited_in_the_name_of_who_did_it(stand: Stand) -> None:
    story = Story(stand)
    user = story.who["hana"].get("/v1/me").json()["user"]
    assert story.who["hana"].post("/v1/factories/hana/rates", json={}).status_code == 201
    with stand.registry.reading() as session:
        lines = session.scalars(select(t.Audit).where(t.Audit.table_name == "rates")).all()
    assert [(one.actor, one.party_id, one.factory_id, one.action) for one in lines] == [
        (user, "hana", "hana", "insert")
    ]


def test_every_refusal_has_words_in_both_languages() -> None:
    assert set(OF_SERVICES) == set(get_args(Code))
    assert all(words.ko and words.en and 400 <= words.status < 600 for words in WORDS.values())


def test_language_is_taken_by_weight() -> None:
    said = {
        None: "ko",
        "": "ko",
        "en": "en",
        "de, en;q=0.5": "en",
        "en;q=0.4, ko-KR;q=0.9": "ko",
        "en-GB, ko": "en",
    }
    assert {accept: language(accept) for accept in said} == said
    assert language("en;q=x, ;;, *") == "ko"


def test_nothing_listens_beyond_loopback_in_the_clear() -> None:
    assert listen("127.0.0.1:1", covered=False) == ("127.0.0.1", 1)
    assert listen("[::1]:80", covered=False) == ("::1", 80)
    assert listen(":80", covered=False) == ("127.0.0.1", 80)
    assert listen("0.0.0.0:443", covered=True) == ("0.0.0.0", 443)
    refused = 0
    for text in ("0.0.0.0:80", "[::]:80", "example.kr:80", "localhost", "127.0.0.1:99999", "127.0.0.1:x"):
        try:
            listen(text, covered=False)
        except ListenError:
            refused += 1
    assert refused == 6


def test_a_bucket_fills_again() -> None:
    now = [0.0]
    limiter = Limiter(Rate(2, 0.5), lambda: now[0])
    assert [limiter.take("a"), limiter.take("a"), limiter.take("a"), limiter.take("b")] == [0, 0, 2, 0]
    assert limiter.empty("a") == 2
    now[0] = 2.0
    assert [limiter.take("a"), limiter.take("a")] == [0, 2]
