"""Requests by schemathesis, valid and not, from the API's own description; no answer may be 5xx."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from sqlalchemy import select

from techsquare.registry import tables as t
from tests.techsquare.api.test_rights import theirs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.techsquare.api.stand import Stand

LEAVE_OUT = {"log_out", "revoke", "forget_me", "leave", "end_membership"}
"""They end who asks; `test_story` and `test_people` have them."""


LONG = 10


def people(stand: Stand) -> Iterator[tuple[str, str]]:
    """Give who asks, and his token."""
    with stand.registry.reading() as session:
        members = session.scalars(select(t.Membership).where(t.Membership.until.is_(None))).all()
    wanted = {("owner", "alpha"), ("supplier", "ada"), ("mentor", "mina"), ("operator", "house")}
    for member in sorted(members, key=lambda m: m.id):
        if (member.role, member.party_id) in wanted:
            wanted.remove((member.role, member.party_id))
            yield member.role, stand.token(member.id)


def storm(stand: Stand, runs: int, number: int) -> Counter[tuple[str, int]]:
    """Ask every operation `runs` times as each of four roles; return how often which status came.

    Raises:
        AssertionError: an answer was 500 or more, or no problem though it was 400 or more.
    """
    found: Counter[tuple[str, int]] = Counter()
    schema = schemathesis.openapi.from_dict(stand.app.openapi())
    with stand.registry.reading() as session:
        keys = theirs(session)
    with requests.Session() as session:
        for i, (_, token) in enumerate(people(stand)):
            for result in schema.get_all_operations():
                assert isinstance(result, Ok), result
                operation = result.ok()
                name = operation.definition.raw["operationId"]
                if name in LEAVE_OUT:
                    continue
                real = {p: v for p, v in keys.items() if f"{{{p}}}" in operation.path}
                for mode, known in ((GenerationMode.POSITIVE, real), (GenerationMode.NEGATIVE, {})):
                    if mode is GenerationMode.NEGATIVE and i and runs < LONG:
                        continue  # what is no valid request is refused before anybody asks who it is
                    _ask(stand, session, operation, mode, known, token, max(1, runs // 2), number, found)
    return found


def _ask(
    stand: Stand, session: requests.Session, operation: Any, mode: GenerationMode, known: dict[str, str],
    token: str, runs: int, number: int, found: Counter[tuple[str, int]],
) -> None:  # fmt: skip
    words = {"path_parameters": known} if known else {}

    @seed(number)
    @settings(
        max_examples=runs, deadline=None, database=None, suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode, **words))
    def asks(case: Any) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        try:
            answer = case.call(base_url=stand.base, session=session, headers=headers)
        except (requests.exceptions.InvalidHeader, requests.exceptions.InvalidURL):
            return  # it cannot be sent
        found[operation.definition.raw["operationId"], answer.status_code] += 1
        assert answer.status_code < 500, (operation.path, case.body, answer.text)
        if answer.status_code >= 400 and answer.content:
            kind = answer.headers.get("content-type", [""])
            assert "problem+json" in str(kind), (operation.path, answer.status_code, kind)

    try:
        asks()
    except Exception as exc:
        if type(exc).__name__ == "Unsatisfiable":  # nothing invalid can be made for it
            return
        raise
