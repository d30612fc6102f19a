"""S01 Protected conduits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.frame import Facts
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
