"""C02 Protocol openness."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from readiness.indicators import c02, s01, s02, s03, s04
from readiness.indicators.base import Census, Missing
from readiness.indicators.c02 import INDICATOR
from readiness.plant import About
from readiness.records import Access, Certificate, Offer
from readiness.spans import EMPTY
from tests.readiness.indicators.made import DAYS, PLAIN, SECURE, days, device, outcome, part, record
from tests.readiness.plant import DAY, START, signal, source

if TYPE_CHECKING:
    from readiness.plant import Plant

MODBUS, XGT, OPCUA = (source("press", protocol=p) for p in ("modbus", "xgt", "opcua"))
STRONG = Certificate("aa", str(START), str(START + 3650 * DAY), "RSA", 2048, "sha256", self_signed=False)
MODEL = {"press-plc.main/s0": ["type", "name", "companion"]}


def test_each_protocol_has_its_class() -> None:
    for found, worth in ((XGT, 50), (MODBUS, 70), (OPCUA, 85)):
        said = outcome(INDICATOR, [found], days([found], connections={"press-plc": PLAIN}))
        assert isinstance(said, Census)
        assert (said.value, said.n, said.shown) == (worth, 1, {f"at_{worth}": 1})


def test_a_companion_specification_counts_when_its_nodes_are_read() -> None:
    facts: dict[str, Any] = {"connections": {"press-plc": SECURE}}
    said = outcome(INDICATOR, [OPCUA], days([OPCUA], **facts, native=MODEL))
    assert isinstance(said, Census)
    assert (said.value, said.flags) == (100, ())


def test_a_companion_specification_that_is_only_listed_does_not_count() -> None:
    listed = replace_namespaces("http://opcfoundation.org/UA/", "http://opcfoundation.org/UA/Machinery/")
    said = outcome(INDICATOR, [OPCUA], days([OPCUA], connections={"press-plc": listed}))
    assert isinstance(said, Census)
    assert (said.value, said.flags) == (85, ("MODEL_UNUSED",))
    plain = replace_namespaces("http://opcfoundation.org/UA/", "http://opcfoundation.org/UA/DI/")
    said = outcome(INDICATOR, [OPCUA], days([OPCUA], connections={"press-plc": plain}))
    assert isinstance(said, Census)
    assert said.flags == ()


def replace_namespaces(*uris: str) -> object:
    return type(SECURE)(
        protocol="opcua",
        mode="Sign",
        policy="Basic256Sha256",
        peer_authenticated=True,
        time="1",
        namespaces=[*uris],
    )


@pytest.mark.parametrize(("retrofit", "worth", "flag"), [("tap", 25, "TAP"), ("gateway", 50, "GATEWAY")])
def test_what_stands_before_the_controller_does_not_open_it(retrofit: str, worth: int, flag: str) -> None:
    def about(plant: Plant) -> Plant:
        return replace(plant, about={"press": About(retrofit=retrofit)})  # type: ignore[arg-type]

    said = outcome(INDICATOR, [OPCUA], days([OPCUA], connections={"press-plc": SECURE}, native=MODEL), about)
    assert isinstance(said, Census)
    assert (said.value, said.flags) == (worth, (flag,))


def test_devices_that_were_never_reached_are_left_out() -> None:
    gauge = device(source("press", protocol="xgt"), "gauge", signals=(signal("press", 7),))
    said = outcome(INDICATOR, [OPCUA, gauge], days([OPCUA, gauge], connections={"press-plc": SECURE}))
    assert isinstance(said, Census)
    assert (said.value, said.n) == (85, 1)
    both = days([OPCUA, gauge], connections={"press-plc": SECURE, "gauge": PLAIN})
    said = outcome(INDICATOR, [OPCUA, gauge], both)
    assert isinstance(said, Census)
    assert (said.value, said.shown) == ((85 + 50) / 2, {"at_50": 1, "at_85": 1})
    assert outcome(INDICATOR, [OPCUA], days([OPCUA])) == Missing("NA_NO_EVIDENCE")
    assert outcome(INDICATOR, [OPCUA], []) == Missing("NA_NO_EVIDENCE")
    assert outcome(INDICATOR, [OPCUA], days([OPCUA]), machine="saw") == Missing("NA_NO_EVIDENCE")
    files = source("press", protocol="replay")
    assert outcome(INDICATOR, [files], days([files], connections={"press-plc": PLAIN})) == Missing("NA_NO_EVIDENCE")


def test_one_server_for_several_machines_may_be_a_gateway_that_nobody_declared() -> None:
    shared = source("press", (signal("press", 0), signal("lathe", 1)), protocol="opcua")
    said = outcome(INDICATOR, [shared], days([shared], connections={"press-plc": SECURE}))
    assert isinstance(said, Census)
    assert (said.value, said.flags) == (85, ("AGGREGATED",))


@pytest.mark.parametrize("indicator", [c02, s01, s02, s03, s04], ids=lambda m: m.INDICATOR.id)
def test_what_a_device_said_before_it_fell_silent_is_no_connection(indicator: Any) -> None:
    """Evidence of each day repeats what a device said last; in this window it has never answered."""
    offers = [Offer("SignAndEncrypt", "Basic256Sha256", ["user_name"])]
    facts: dict[str, Any] = {
        "connections": {"press-plc": SECURE},
        "offers": {"press-plc": offers},
        "certificates": {"press-plc": STRONG},
        "access": {"press-plc": Access(3, 0)},
    }
    alive = outcome(indicator.INDICATOR, [OPCUA], days([OPCUA], **facts))
    assert isinstance(alive, Census)
    dead = [record(day, [part(OPCUA, day, live=EMPTY)], **facts) for day in range(DAYS)]
    assert outcome(indicator.INDICATOR, [OPCUA], dead) == Missing("NA_NO_EVIDENCE")
