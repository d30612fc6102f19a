"""S02 No weak offers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from readiness.evidence import Connection
from readiness.indicators.base import Census, Missing
from readiness.indicators.s02 import INDICATOR, weaknesses
from readiness.records import Offer
from tests.readiness.indicators.made import PLAIN, SECURE, days, device, outcome
from tests.readiness.plant import model, signal, source

OPCUA = source("press", protocol="opcua")
SAFE = Offer("SignAndEncrypt", "Basic256Sha256", ["user_name"])
DISCOVERY = Offer("None", "None", [])
TLS = Connection("modbus-tls", "TLS", "TLSv1.3", peer_authenticated=True, time="1")


@pytest.mark.parametrize(
    ("offer", "weak"),
    [
        (SAFE, set()),
        (DISCOVERY, set()),
        (Offer("Sign", "Basic256", []), set()),
        (Offer("None", "None", ["user_name"]), {"UNPROTECTED_OFFER"}),
        (Offer("None", "None", ["anonymous", "user_name"]), {"UNPROTECTED_OFFER", "ANONYMOUS_OFFER"}),
        (Offer("Sign", "Basic128Rsa15", ["user_name"]), {"DEPRECATED_POLICY"}),
        (
            Offer("Sign", "http://opcfoundation.org/UA/SecurityPolicy#Basic256", ["user_name"]),
            {"DEPRECATED_POLICY"},
        ),
        (Offer("SignAndEncrypt", "Aes256_Sha256_RsaPss", ["anonymous"]), {"ANONYMOUS_OFFER"}),
    ],
)
def test_an_offer_is_weak_by_what_a_session_on_it_would_be(offer: Offer, weak: set[str]) -> None:
    assert weaknesses([SAFE, offer], model().semantics.policies_deprecated) == weak


def test_the_share_of_devices_that_offer_nothing_weak() -> None:
    other = device(source("press", protocol="opcua"), "other", signals=(signal("press", 5),))
    offers = {"press-plc": [SAFE, DISCOVERY], "other": [SAFE, Offer("None", "None", ["anonymous"])]}
    facts: dict[str, Any] = {"connections": {"press-plc": SECURE, "other": SECURE}, "offers": offers}
    said = outcome(INDICATOR, [OPCUA, other], days([OPCUA, other], **facts))
    assert isinstance(said, Census)
    assert (said.value, said.n, said.quality) == (0.5, 2, "measured")
    assert said.flags == ("ANONYMOUS_OFFER", "UNPROTECTED_OFFER")


def test_modbus_is_weak_by_nature_unless_both_sides_show_certificates() -> None:
    for protocol in ("modbus", "xgt"):
        plain = source("press", protocol=protocol)
        said = outcome(INDICATOR, [plain], days([plain], connections={"press-plc": PLAIN}))
        assert isinstance(said, Census)
        assert (said.value, said.flags) == (0.0, ("UNPROTECTED_PROTOCOL",))
    modbus = source("press", protocol="modbus")
    said = outcome(INDICATOR, [modbus], days([modbus], connections={"press-plc": TLS}))
    assert isinstance(said, Census)
    assert said.value == 1.0
    one_sided = Connection("modbus-tls", "TLS, server only", "TLSv1.3", peer_authenticated=True, time="1")
    said = outcome(INDICATOR, [modbus], days([modbus], connections={"press-plc": one_sided}))
    assert isinstance(said, Census)
    assert said.value == 0.0


def test_only_devices_that_have_answered_are_rated() -> None:
    assert outcome(INDICATOR, [OPCUA], days([OPCUA])) == Missing("NA_NO_EVIDENCE")
    withheld = days([OPCUA], connections={"press-plc": SECURE})
    assert outcome(INDICATOR, [OPCUA], withheld) == Missing("NA_NO_EVIDENCE")
    unasked = days([OPCUA], connections={"press-plc": SECURE}, offers={"press-plc": []})
    assert outcome(INDICATOR, [OPCUA], unasked) == Missing("NA_NO_EVIDENCE")
    modbus = source("press", protocol="modbus")
    assert outcome(INDICATOR, [modbus], days([modbus])) == Missing("NA_NO_EVIDENCE")
    gauge = device(replace(modbus, signals=(signal("press", 5),)), "gauge")
    facts: dict[str, Any] = {"connections": {"press-plc": SECURE}, "offers": {"press-plc": [SAFE]}}
    said = outcome(INDICATOR, [OPCUA, gauge], days([OPCUA, gauge], **facts))
    assert isinstance(said, Census)
    assert (said.value, said.quality, said.shown["silent"]) == (1.0, "partial", 1)


def test_a_server_that_is_entered_twice_counts_once() -> None:
    again = device(source("press", [signal("press", 5)], protocol="opcua"), "press-alarms")
    gauge = device(source("press", [signal("press", 6)], protocol="opcua"), "gauge")
    place = {"press-plc": "10.0.0.5:4840", "press-alarms": "10.0.0.5:4840", "gauge": "10.0.0.9:4840"}
    weak = Offer("None", "None", ["anonymous"])
    facts: dict[str, Any] = {
        "connections": {name: structs.replace(SECURE, place=at) for name, at in place.items()},
        "offers": {"press-plc": [weak], "press-alarms": [weak], "gauge": [SAFE]},
    }
    sources = [OPCUA, again, gauge]
    said = outcome(INDICATOR, sources, days(sources, **facts))
    assert isinstance(said, Census)
    assert (said.value, said.n) == (0.5, 2)
