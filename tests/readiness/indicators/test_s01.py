"""S01 Protected conduits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from agent.frame import Facts
from readiness.evidence import Connection
from readiness.indicators.base import Census
from readiness.indicators.s01 import INDICATOR
from readiness.plant import About
from tests.readiness.indicators.made import days, outcome
from tests.readiness.indicators.support import LATHE, PRESS, values
from tests.readiness.plant import MINUTE, START, Plant

if TYPE_CHECKING:
    from agent.frame import Json


def session(device: str, **body: Json) -> Facts:
    return Facts(kind="connection", time_ns=START + MINUTE, subject=device, body=body)


@pytest.mark.parametrize(
    ("body", "worth"),
    [
        ({"mode": "None", "policy": "None", "peer_authenticated": False}, 0.0),
        ({"mode": "Sign", "policy": "Basic256Sha256", "peer_authenticated": True}, 0.6),
        ({"mode": "SignAndEncrypt", "policy": "Basic256Sha256", "peer_authenticated": True}, 1.0),
        (
            {
                "mode": "SignAndEncrypt",
                "policy": "http://opcfoundation.org/UA/SecurityPolicy#Basic256",
                "peer_authenticated": True,
            },
            0.0,
        ),
        ({"mode": "SignAndEncrypt", "policy": "Basic256Sha256", "peer_authenticated": False}, 0.0),
        ({"mode": "TLS", "policy": "TLSv1.3", "peer_authenticated": True}, 1.0),
    ],
)
def test_a_session_is_worth_what_it_protects(body: dict[str, Json], worth: float) -> None:
    found = values(Plant([PRESS], items=[session("press-plc", **body)]))["S01"]
    assert found.value == worth
    assert found.quality == "census"


def test_machines_without_a_session_leave_protection_with_less_coverage() -> None:
    facts = [session("press-plc", mode="SignAndEncrypt", policy="Basic256Sha256", peer_authenticated=True)]
    found = values(Plant([PRESS, LATHE], items=facts))["S01"]
    assert (found.value, found.coverage) == (1.0, 0.5)
    assert values(Plant([PRESS]))["S01"].reason == "NA_NO_EVIDENCE"


def cell(*, isolated: str, **body: object) -> Census:
    said = Connection(protocol="modbus-tcp", time="1", **body)  # type: ignore[arg-type]
    plant = days([PRESS], connections={"press-plc": said})
    found = outcome(
        INDICATOR,
        [PRESS],
        plant,
        lambda p: replace(p, about={"press": About(isolated=isolated)}),  # type: ignore[arg-type]
    )
    assert isinstance(found, Census)
    return found


def test_a_plain_session_inside_a_cell_proven_to_be_isolated_is_worth_something_and_flagged() -> None:
    plain: dict[str, object] = {"mode": "None", "policy": "None", "peer_authenticated": False}
    found = cell(isolated="yes", **plain)
    assert (found.value, found.flags, found.shown["measured"]) == (0.4, ("ISOLATED_CELL",), 0.0)
    for said in ("no", "unknown"):
        assert (cell(isolated=said, **plain).value, cell(isolated=said, **plain).flags) == (0.0, ())
    better = cell(isolated="yes", mode="TLS", policy="TLSv1.3", peer_authenticated=True)
    assert (better.value, better.flags) == (1.0, ())
