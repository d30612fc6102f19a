"""What facts tell of devices: the latest word before a day's end, clocks one by one, nothing from odd bodies."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from agent.analyzers.connection import APART_NS, OFFERS, Connections
from agent.analyzers.evidence import make
from agent.frame import Facts, Watermark
from readiness.evidence import load
from readiness.records import Access, Certificate, Offer, Skew
from tests.agent.analyzers.streams import CALENDAR, MINUTE, SECOND, START, source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from readiness.evidence import DayEvidence

HOUR = 60 * MINUTE
DAY = 24 * HOUR
CNC = source("cnc", "poll", SECOND, 1)
CERTIFICATE: dict[str, Any] = {
    "sha256": "AB12", "not_before": "2026-01-01T00:00:00+00:00", "not_after": "2027-01-01T09:00:00+09:00",
    "key": "RSA", "key_bits": 2048, "hash": "sha256", "self_signed": True, "subject": "CN=cnc",
}  # fmt: skip


def fact(kind: str, at: int, body: Mapping[str, Any], device: str = "cnc") -> Facts:
    """Return a fact `at` nanoseconds after the first day's start."""
    return Facts(kind=kind, time_ns=START + at, subject=device, body=body)  # type: ignore[arg-type]


def days(*facts: Facts) -> list[DayEvidence]:
    """Return the evidence of two days, over a restart after each fact."""
    evidence = make([CNC], CALENDAR)
    evidence.feed([Watermark(CNC.id, START)])
    for each in facts:
        evidence.feed([each])
        evidence = make([CNC], CALENDAR, evidence.state())
    evidence.feed([Watermark(CNC.id, START + DAY + MINUTE), Watermark(CNC.id, START + 2 * DAY + HOUR)])
    return [load(raw) for raw in evidence.take_closed().values()]


def test_offers_are_those_of_the_latest_fact_before_the_days_end() -> None:
    none = {"url": "opc.tcp://a", "mode": "None", "policy": "None", "level": 0, "tokens": ["Anonymous", "UserName"]}
    safe = {"mode": "SignAndEncrypt", "policy": "Basic256Sha256", "tokens": ["Certificate", "IssuedToken"]}
    first, second = days(
        fact("connection", HOUR, {"endpoints": [safe, none, {**none, "url": "opc.tcp://b"}]}),
        fact("connection", 2 * HOUR, {"mode": "None"}),  # says nothing about offers
        fact("connection", DAY + HOUR, {"endpoints": [safe]}),
    )
    safe_offer = Offer("SignAndEncrypt", "Basic256Sha256", ["certificate", "issued_token"])
    assert first.offers == {"cnc": [Offer("None", "None", ["anonymous", "user_name"]), safe_offer]}
    assert second.offers == {"cnc": [safe_offer]}


def test_a_certificate_is_told_until_the_device_has_none_any_more() -> None:
    first, second = days(
        fact("connection", HOUR, {"certificate": CERTIFICATE}),
        fact("connection", 2 * HOUR, {"mode": "None"}),
        fact("connection", DAY + HOUR, {"certificate": None}),
    )
    assert first.certificates == {
        "cnc": Certificate("AB12", "1767225600000000000", "1798761600000000000", "RSA", 2048, "sha256", True)
    }
    assert second.certificates == {}


def test_rights_are_the_latest() -> None:
    first, second = days(
        fact("access", HOUR, {"asked": 10, "writable": 4}),
        fact("access", 2 * HOUR, {"asked": 10, "writable": 0}),
        fact("access", HOUR, {"asked": 7, "writable": 7}, "plc"),
    )
    assert first.access == second.access == {"cnc": Access(10, 0), "plc": Access(7, 7)}


def test_clocks_are_kept_on_their_day() -> None:
    told = [0, 600 * SECOND, DAY - SECOND, DAY + 700 * SECOND]
    facts = [fact("clock", at, {"skew_ns": 7_000_000_000 + at, "rtt_ns": 4_000_000}) for at in told]
    first, second = days(*facts)
    assert first.skews == {
        "cnc": [Skew(at // 10**6, 7_000_000_000 + at, 4_000_000) for at in (0, 600 * SECOND, DAY - SECOND)]
    }
    assert second.skews == {"cnc": [Skew(700_000, 7_000_000_000 + told[3], 4_000_000)]}


def test_a_device_that_connects_every_second_leaves_200_readings_a_day_at_most() -> None:
    connections = Connections()
    for second in range(86_400):
        connections.facts(fact("clock", second * SECOND, {"skew_ns": second, "rtt_ns": 1}))
    skews = connections.skews(START, START + DAY)["cnc"]
    assert len(skews) == 200
    assert all(b.at_ms - a.at_ms == APART_NS // 10**6 for a, b in pairwise(skews))


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("access", {"asked": 3, "writable": 4}),
        ("access", {"asked": True, "writable": 1}),
        ("access", {"asked": "3", "writable": 1}),
        ("access", {}),
        ("clock", {"skew_ns": 1.5, "rtt_ns": 1}),
        ("clock", {"skew_ns": 1, "rtt_ns": -1}),
        ("clock", {"offset_ns": 1}),
        ("connection", {"endpoints": "None", "certificate": "mine"}),
        ("connection", {"certificate": {**CERTIFICATE, "not_after": "soon"}}),
        ("connection", {"certificate": {**CERTIFICATE, "not_before": "2026-01-01T00:00:00"}}),
        ("connection", {"certificate": {**CERTIFICATE, "sha256": None}}),
    ],
)
def test_what_is_told_otherwise_is_passed_over(kind: str, body: dict[str, Any]) -> None:
    connections = Connections()
    connections.facts(fact(kind, 0, body))
    end = START + DAY
    assert not connections.access(end)
    assert not connections.skews(START, end)
    assert not connections.offers(end)
    assert not connections.certificates(end)


def test_a_hostile_server_cannot_fill_the_evidence() -> None:
    connections = Connections()
    endpoints = [{"mode": f"m{k}", "policy": "p", "tokens": [k, "Anonymous", ["x"]]} for k in range(1000)]
    connections.facts(fact("connection", 0, {"endpoints": [None, *endpoints]}))
    offers = connections.offers(START + DAY)["cnc"]
    assert len(offers) == OFFERS
    assert all(offer.users == ["anonymous"] for offer in offers)


def test_its_state_restores_to_the_same() -> None:
    connections = Connections()
    connections.facts(fact("connection", 0, {"endpoints": [{"mode": "Sign"}], "certificate": CERTIFICATE}))
    connections.facts(fact("connection", 5, {"certificate": None}))
    connections.facts(fact("access", 0, {"asked": 2, "writable": 1}))
    connections.facts(fact("clock", 0, {"skew_ns": -5, "rtt_ns": 1}))
    raw = msgspec.json.encode(connections.state())
    other = Connections()
    other.restore(msgspec.json.decode(raw))
    assert msgspec.json.encode(other.state()) == raw
    assert other.certificates(START + 3)["cnc"].fingerprint == "AB12"
    assert other.certificates(START + 6) == {}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"endpoint": "opc.tcp://CNC.local:4840/ua"}, "cnc.local:4840"),
        ({"endpoint": "opc.tcp://10.0.0.5:4840", "source_address": "10.0.0.1"}, "10.0.0.5:4840 from 10.0.0.1"),
        ({"host": "10.0.0.7", "port": 502}, "10.0.0.7:502"),
        ({"serial": "/dev/ttyS0"}, ""),
        ({"host": 7, "port": 502}, ""),
        ({}, ""),
    ],
)
def test_a_session_tells_where_the_server_is(body: dict[str, Any], place: str) -> None:
    first, _ = days(fact("connection", HOUR, body))
    assert first.connections["cnc"].place == place
