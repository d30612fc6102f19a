"""From facts, as collectors tell them, through the real analyzers to clocks and security."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.frame import Facts
from readiness.evidence import load
from readiness.indicators import a05, s01, s02, s03, s04
from readiness.indicators.base import Buckets, Census, Missing
from tests.readiness.indicators.made import near, outcome
from tests.readiness.plant import DAY, HOUR, MINUTE, START, Plant, source

if TYPE_CHECKING:
    from agent.frame import Json
    from readiness.evidence import DayEvidence

OPCUA = source("press", protocol="opcua")
CERTIFICATE: dict[str, Json] = {
    "sha256": "ab" * 32, "not_before": "2026-01-01T00:00:00+00:00", "not_after": "2031-01-01T00:00:00+00:00",
    "key": "RSA", "key_bits": 2048, "hash": "sha256", "self_signed": True,
}  # fmt: skip
SESSION: dict[str, Json] = {
    "protocol": "opcua",
    "mode": "SignAndEncrypt",
    "policy": "Basic256Sha256",
    "peer_authenticated": True,
    "certificate": CERTIFICATE,
    "endpoints": [
        {"mode": "SignAndEncrypt", "policy": "Basic256Sha256", "tokens": ["UserName"]},
        {"mode": "None", "policy": "None", "tokens": []},
    ],
}


def days(*facts: Facts, number: int = 28) -> list[DayEvidence]:
    return [load(raw) for _, raw in sorted(Plant([OPCUA], days=number, items=facts).evidence().items())]


def fact(kind: str, at: int, body: dict[str, Json]) -> Facts:
    return Facts(kind=kind, time_ns=START + at, subject="press-plc", body=body)  # type: ignore[arg-type]


def test_one_session_on_the_first_day_tells_until_another_word_comes() -> None:
    records = days(fact("connection", MINUTE, SESSION), fact("access", MINUTE, {"asked": 50, "writable": 5}))
    for indicator, value in ((s01, 1.0), (s02, 1.0), (s03, 1.0), (s04, 0.9)):
        found = outcome(indicator.INDICATOR, [OPCUA], records)
        assert isinstance(found, Census)
        assert (found.value, found.flags) == (value, ())


def test_the_latest_word_counts() -> None:
    endpoints: list[Json] = [{"mode": "None", "policy": "None", "tokens": ["Anonymous"]}]
    open_: dict[str, Json] = {**SESSION, "endpoints": endpoints, "certificate": None}
    records = days(
        fact("connection", MINUTE, SESSION),
        fact("access", MINUTE, {"asked": 50, "writable": 5}),
        fact("connection", 20 * DAY, open_),
        fact("access", 20 * DAY, {"asked": 50, "writable": 50}),
    )
    weak, bare, exposed = (outcome(i.INDICATOR, [OPCUA], records) for i in (s02, s03, s04))
    assert isinstance(weak, Census)
    assert (weak.value, weak.flags) == (0.0, ("ANONYMOUS_OFFER", "UNPROTECTED_OFFER"))
    assert bare == Missing("NA_NO_EVIDENCE")  # a protected session rests on a certificate that nobody told
    assert isinstance(exposed, Census)
    assert exposed.value == 0.0


def test_without_the_facts_nothing_is_known() -> None:
    records = days()
    for indicator in (s01, s02, s03, s04, a05):
        assert outcome(indicator.INDICATOR, [OPCUA], records) == Missing("NA_NO_EVIDENCE")


def test_comparisons_of_clocks_arrive() -> None:
    clocks = [
        fact("clock", day * DAY + hour * HOUR, {"skew_ns": (2 if hour else 9) * 10**9, "rtt_ns": 8_000_000})
        for day in range(28)
        for hour in (0, 1, 2, 3)
    ]
    found = outcome(a05.INDICATOR, [OPCUA], days(*clocks))
    assert isinstance(found, Buckets)
    assert near(found.days, 0.5) == pytest.approx(2.0, rel=0.02)
    assert (found.shown["comparisons"], found.shown["within_s"]) == (80, 0.004)
    assert (found.cap, found.flags) == (60, ("NO_SOURCE_TIME",))
