"""A stranger who sends for ever fills no log: a line an hour for each, and so many strangers at most."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from techsquare.intake.intake import Intake
from techsquare.intake.seldom import HOUR_NS, MOST, Seldom
from tests.techsquare.intake.made import NOW, Made

if TYPE_CHECKING:
    import pytest

    from techsquare.registry.store import Registry


def test_a_thing_is_told_once_an_hour_with_what_was_left_out() -> None:
    now = NOW
    lines = Seldom(lambda: now)
    assert [lines.may("a") for _ in range(5)] == [0, None, None, None, None]
    assert lines.may("b") == 0
    now += HOUR_NS - 1
    assert lines.may("a") is None
    now += 1
    assert (lines.may("a"), lines.may("a"), lines.may("b")) == (5, None, 0)


def test_of_too_many_things_only_their_number_is_told() -> None:
    now = NOW
    lines = Seldom(lambda: now)
    told = [lines.may(n) for n in range(10 * MOST)]
    assert told == [0] * MOST + [None] * (9 * MOST)
    now += HOUR_NS
    assert lines.may("new") == 9 * MOST  # and those that are over were forgotten
    assert lines.may("another") == 0


def test_intake_tells_of_strangers_so(registry: Registry, caplog: pytest.LogCaptureFixture) -> None:
    now = NOW
    intake = Intake(registry, lambda: now)
    stranger = Made("nobody")
    messages = [stranger.manifest(), *stranger.sign(3)]
    with caplog.at_level(logging.INFO):
        for _ in range(50):
            assert {one.fate for one in intake.take(messages)} == {"unknown"}
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        now += HOUR_NS
        intake.take(messages[:1])
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == "nobody/edge-1 sends, and nobody has registered it here: nothing of it is kept"
    assert lines[1].endswith("(199 lines like this were left out)")
