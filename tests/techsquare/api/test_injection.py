"""Hostile texts in every text that a form takes: stored as they are, or refused; never an error of the server."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from tests.techsquare.api.test_rights import BODIES, theirs
from tests.techsquare.api.test_walk import member_of, stand  # noqa: F401 - fixture

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from tests.techsquare.api.stand import Stand

HOSTILE = (
    "'; DROP TABLE party; --", "%s%n%x{0.__class__.__mro__}${7*7}{{7*7}}", "<script>alert(1)</script>&amp;",
    "\u202egnp.exe\u2066", "a\x00b", "\ud800", "\U0001f4a3" * 30, "가\u0300\u0301" * 20, "../../etc/passwd",
    "\r\nSet-Cookie: a=b", "=1+1", "x" * 1_000_000,
)  # fmt: skip
LEAVE_OUT = {"leave", "forget_me", "revoke", "end_membership", "end_scopes", "close_supplier", "hand_in"}
EMPTY: dict[str, dict[str, Any]] = {  # forms whose texts are not in the shortest valid body
    "say_rates": {"piece_won": 1}, "agree_takeover": {}, "say_budget": {}, "make_roadmap": {"excluded": ["a"]},
    "add_version": {"requires": {"os": "x"}, "processes": ["x"], "interfaces": ["x"], "regions": ["x"],
                    "capabilities": {"cap": {"p": {"words": ["x"]}}}, "needs": [{"id": "a", "metric": "V01"}]},
    "exclude": {"why": "x"}, "change_mentor": {"reason": "x", "handover": "x"}, "invite": {"language": "ko"},
    "change_machine": {"process": "x", "interfaces": ["x"], "maker": "x"},
}  # fmt: skip


def texts(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the ways to all texts in a body, keys of it as well."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from texts(inner, (*way, key))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from texts(inner, (*way, at))
    elif isinstance(value, str):
        yield way


def put(body: Any, way: tuple[Any, ...], text: str) -> Any:
    """Return a body with another text at the end of a way."""
    changed = copy.deepcopy(body)
    at = changed
    for step in way[:-1]:
        at = at[step]
    at[way[-1]] = text
    return changed


def test_no_text_makes_an_error_of_the_server(  # noqa: C901 - four loops
    stand: Stand,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.clear()
    with stand.registry.reading() as session:
        keys = theirs(session)
    clients = {
        role: stand.client(stand.token(member_of(stand, role).id))
        for role in ("owner", "supplier", "mentor", "operator")
    }
    asked = taken = 0
    for path, methods in stand.app.openapi()["paths"].items():
        for method, about in methods.items():
            name = about["operationId"]
            if method == "get" or name in LEAVE_OUT or not isinstance(BODIES.get(name), dict):
                continue
            whole = {**json.loads(json.dumps(BODIES[name]).replace("{membership}", keys["membership"])),
                     **EMPTY.get(name, {})}  # fmt: skip
            for number, way in enumerate(texts(whole)):
                for text in HOSTILE:
                    if len(text) > 10_000 and number:
                        continue
                    body = json.dumps(put(whole, way, text)).encode()
                    for client in clients.values():  # until somebody may
                        answer = client.request(
                            method, path.format(**keys), content=body,
                            headers={"content-type": "application/json"},
                        )  # fmt: skip
                        assert answer.status_code < 500, (name, way, text[:40], answer.text[:400])
                        asked += 1
                        if answer.status_code not in {401, 403, 404}:
                            break
                    taken += answer.status_code < 300
    assert asked > 900
    assert taken > 100
    for name in ("message", "solution", "solution_version", "exclusion", "machine", "ticket"):
        for client in clients.values():
            rows = client.get(f"/v1/rows/{name}", params={"limit": 500})
            assert rows.status_code == 200, rows.text
            assert rows.headers["content-type"] == "application/json"
            assert rows.headers["x-content-type-options"] == "nosniff"
    assert not [one for one in caplog.records if one.levelname in {"ERROR", "CRITICAL"}]


def test_what_is_taken_is_given_back_as_it_was(stand: Stand) -> None:  # noqa: F811
    owner = stand.client(stand.token(member_of(stand, "owner").id))
    for text in (HOSTILE[0], HOSTILE[1], HOSTILE[2], HOSTILE[3], HOSTILE[7], HOSTILE[10]):
        said = owner.put("/v1/factories/alpha/machines/press-1", json={"name": text})
        assert said.status_code == 200, said.text
        assert owner.get("/v1/rows/machine/alpha,press-1").json()["name"] == text
    for text in ("a\x00b", "x" * 1_000_000, "\r\nSet-Cookie: a=b\x07"):
        assert owner.put("/v1/factories/alpha/machines/press-1", json={"name": text}).status_code in {413, 422}


def test_what_is_kept_of_the_platform_is_not_said_by_the_supplier(stand: Stand) -> None:  # noqa: F811
    """A word where the measurable needs are kept would stop every night's fit tests."""
    ada = stand.client(stand.token(member_of(stand, "supplier").id))
    with stand.registry.reading() as session:
        path = "/v1/solutions/{solution}/versions".format(**theirs(session))
    said = ada.post(path, json={**BODIES["add_version"], "requires": {"needs": "x"}})
    assert said.status_code == 422, said.text
    assert ada.post(path, json={**BODIES["add_version"], "requires": {"os": "x"}}).status_code == 201
