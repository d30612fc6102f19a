"""S03 Certificate hygiene."""

from __future__ import annotations

from dataclasses import replace as changed
from typing import Any

import msgspec
import pytest

from readiness.evidence import Connection
from readiness.indicators.base import Census, Missing
from readiness.indicators.s03 import INDICATOR
from readiness.records import Certificate
from tests.readiness.indicators.made import DAYS, PLAIN, SECURE, days, device, outcome
from tests.readiness.plant import DAY, START, signal, source

OPCUA = source("press", protocol="opcua")
NOW = START + DAYS * DAY
YEAR = 365 * DAY
GOOD = Certificate(
    fingerprint="aa",
    begin=str(NOW - YEAR),
    end=str(NOW + YEAR),
    key="RSA",
    bits=2048,
    hash="sha256",
    self_signed=True,
)


def judged(certificate: Certificate) -> Census:
    facts: dict[str, Any] = {"connections": {"press-plc": SECURE}, "certificates": {"press-plc": certificate}}
    said = outcome(INDICATOR, [OPCUA], days([OPCUA], **facts))
    assert isinstance(said, Census)
    return said


@pytest.mark.parametrize(
    ("change", "flags"),
    [
        ({}, ()),
        ({"end": str(NOW + 90 * DAY + 1)}, ()),
        ({"end": str(NOW + 90 * DAY)}, ("CERTIFICATE_ENDS_SOON",)),
        ({"end": str(NOW)}, ("CERTIFICATE_INVALID",)),
        ({"begin": str(NOW + 1)}, ("CERTIFICATE_INVALID",)),
        ({"bits": 1024}, ("WEAK_KEY",)),
        ({"key": "EC", "bits": 256}, ()),
        ({"key": "EC", "bits": 192}, ("WEAK_KEY",)),
        ({"key": "", "bits": 0}, ("WEAK_KEY",)),
        ({"hash": "sha1"}, ("WEAK_HASH",)),
        ({"hash": "SHA512"}, ()),
    ],
)
def test_each_thing_that_is_wrong_spoils_a_certificate(change: dict[str, object], flags: tuple[str, ...]) -> None:
    said = judged(msgspec.structs.replace(GOOD, **change))
    assert (said.value, said.flags) == (float(not flags), flags)


def test_a_self_signed_certificate_for_thirty_years_is_flagged_and_valid() -> None:
    long = {"begin": str(NOW - YEAR), "end": str(NOW + 29 * YEAR)}
    assert judged(msgspec.structs.replace(GOOD, **long)).flags == ("SELF_SIGNED_FOR_LIFE",)
    assert judged(msgspec.structs.replace(GOOD, **long)).value == 1.0
    assert judged(msgspec.structs.replace(GOOD, **long, self_signed=False)).flags == ()
    assert judged(GOOD).shown["days_left"] == 365


def test_a_certificate_that_two_devices_show_is_nobodys() -> None:
    lathe = source("lathe", protocol="opcua")
    facts: dict[str, Any] = {
        "connections": {"press-plc": SECURE, "lathe-plc": SECURE},
        "certificates": {"press-plc": GOOD, "lathe-plc": GOOD},
    }
    both = days([OPCUA, lathe], **facts)
    for machine in ("press", "lathe"):
        said = outcome(INDICATOR, [OPCUA, lathe], both, machine=machine)
        assert isinstance(said, Census)
        assert (said.value, said.flags) == (0.0, ("SHARED_CERTIFICATE",))
    facts["certificates"]["lathe-plc"] = msgspec.structs.replace(GOOD, fingerprint="bb")
    said = outcome(INDICATOR, [OPCUA, lathe], days([OPCUA, lathe], **facts))
    assert isinstance(said, Census)
    assert said.value == 1.0


@pytest.mark.parametrize(
    ("places", "value"),
    [
        (("10.0.0.5:4840", "10.0.0.5:4840"), 1.0),  # entered twice in the file
        (("10.0.0.5:4840", "10.0.0.6:4840"), 0.0),
        (("10.0.0.5:4840 from 10.0.0.1", "10.0.0.5:4840 from 10.9.0.1"), 0.0),  # two networks with equal addresses
        (("", ""), 0.0),  # recorded before places were told
    ],
)
def test_two_entries_of_one_server_share_no_certificate(places: tuple[str, str], value: float) -> None:
    again = device(source("press", [signal("press", 5)], protocol="opcua"), "press-alarms")
    names = ("press-plc", "press-alarms")
    facts: dict[str, Any] = {
        "connections": {n: msgspec.structs.replace(SECURE, place=p) for n, p in zip(names, places, strict=True)},
        "certificates": dict.fromkeys(names, GOOD),
    }
    said = outcome(INDICATOR, [OPCUA, again], days([OPCUA, again], **facts))
    assert isinstance(said, Census)
    assert (said.value, said.n) == (value, 1 if value else 2)


def test_equal_addresses_behind_two_agents_are_two_servers() -> None:
    other = device(source("press", [signal("press", 5)], protocol="opcua"), "edge-2:press-plc")
    facts: dict[str, Any] = {
        "connections": {
            n: msgspec.structs.replace(SECURE, place="10.0.0.5:4840") for n in ("press-plc", other.device)
        },
        "certificates": {"press-plc": GOOD, other.device: GOOD},
    }
    said = outcome(INDICATOR, [OPCUA, other], days([OPCUA, other], **facts))
    assert isinstance(said, Census)
    assert said.value == 0.0


def test_the_share_over_a_machines_certificates() -> None:
    other = device(source("press", protocol="opcua"), "other", signals=(signal("press", 5),))
    plain = device(changed(source("press"), signals=(signal("press", 6),)), "gauge")
    facts: dict[str, Any] = {
        "connections": {"press-plc": SECURE, "other": SECURE, "gauge": PLAIN},
        "certificates": {
            "press-plc": GOOD,
            "other": msgspec.structs.replace(GOOD, fingerprint="bb", end=str(NOW + 10 * DAY)),
        },
    }
    said = outcome(INDICATOR, [OPCUA, other, plain], days([OPCUA, other, plain], **facts))
    assert isinstance(said, Census)
    assert (said.value, said.n, said.quality, said.shown["days_left"]) == (0.5, 2, "measured", 10)


def test_without_certificates_it_does_not_apply_and_without_evidence_it_is_missing() -> None:
    modbus = source("press")
    assert outcome(INDICATOR, [modbus], days([modbus], connections={"press-plc": PLAIN})) == Missing(
        "NOT_APPLICABLE"
    )
    open_ = Connection("opcua", "None", "None", peer_authenticated=False, time="1")
    assert outcome(INDICATOR, [OPCUA], days([OPCUA], connections={"press-plc": open_})) == Missing("NOT_APPLICABLE")
    assert outcome(INDICATOR, [OPCUA], days([OPCUA], connections={"press-plc": SECURE})) == Missing(
        "NA_NO_EVIDENCE"
    )
    assert outcome(INDICATOR, [OPCUA], days([OPCUA])) == Missing("NA_NO_EVIDENCE")
    assert outcome(INDICATOR, [OPCUA], []) == Missing("NA_NO_EVIDENCE")


def test_a_certificate_that_a_device_no_longer_shows_is_forgotten() -> None:
    open_ = Connection("opcua", "None", "None", peer_authenticated=False, time="1")
    early = days([OPCUA], 20, connections={"press-plc": SECURE}, certificates={"press-plc": GOOD})
    late = days([OPCUA], connections={"press-plc": open_})[20:]
    assert outcome(INDICATOR, [OPCUA], early + late) == Missing("NOT_APPLICABLE")
