"""S04 Nodes that we cannot write."""

from __future__ import annotations

from typing import Any

import pytest

from readiness.indicators.base import Census, Missing
from readiness.indicators.s04 import INDICATOR
from readiness.records import Access
from tests.readiness.indicators.made import PLAIN, SECURE, days, device, outcome
from tests.readiness.plant import signal, source

OPCUA = source("press", protocol="opcua")
SESSION = {"press-plc": SECURE}


@pytest.mark.parametrize(("asked", "writable"), [(40, 0), (40, 2), (40, 40), (1, 1)])
def test_what_our_user_could_write_is_exposed(asked: int, writable: int) -> None:
    facts: dict[str, Any] = {"connections": SESSION, "access": {"press-plc": Access(asked, writable)}}
    said = outcome(INDICATOR, [OPCUA], days([OPCUA], **facts))
    assert isinstance(said, Census)
    assert (said.value, said.n, said.quality) == (1 - writable / asked, asked, "measured")


@pytest.mark.parametrize("protocol", ["modbus", "xgt"])
def test_a_protocol_without_rights_has_to_be_taken_for_exposed(protocol: str) -> None:
    plain = source("press", protocol=protocol)
    assert outcome(INDICATOR, [plain], days([plain], connections={"press-plc": PLAIN})) == Missing(
        "NA_ASSUME_EXPOSED"
    )


def test_nodes_of_several_devices_are_counted_together_and_modbus_is_named() -> None:
    other = device(source("press", protocol="opcua"), "other", signals=(signal("press", 5),))
    gauge = device(source("press"), "gauge", signals=(signal("press", 6),))
    facts: dict[str, Any] = {
        "connections": {"press-plc": SECURE, "other": SECURE, "gauge": PLAIN},
        "access": {"press-plc": Access(30, 0), "other": Access(10, 10)},
    }
    said = outcome(INDICATOR, [OPCUA, other], days([OPCUA, other], **facts))
    assert isinstance(said, Census)
    assert (said.value, said.n, said.flags, said.quality) == (0.75, 40, (), "measured")
    said = outcome(INDICATOR, [OPCUA, other, gauge], days([OPCUA, other, gauge], **facts))
    assert isinstance(said, Census)
    assert (said.value, said.flags, said.quality) == (0.75, ("ASSUME_EXPOSED",), "partial")


def test_rights_that_nobody_told_are_missing() -> None:
    assert outcome(INDICATOR, [OPCUA], days([OPCUA], connections=SESSION)) == Missing("NA_NO_EVIDENCE")
    nothing: dict[str, Any] = {"connections": SESSION, "access": {"press-plc": Access(0, 0)}}
    assert outcome(INDICATOR, [OPCUA], days([OPCUA], **nothing)) == Missing("NA_NO_EVIDENCE")
    assert outcome(INDICATOR, [OPCUA], []) == Missing("NA_NO_EVIDENCE")
    assert outcome(INDICATOR, [], []) == Missing("NA_NO_EVIDENCE")
