"""Which version is spoken: all that brokers were seen to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from transport.negotiation import MISSES, MQTT_3, MQTT_5, Negotiation

if TYPE_CHECKING:
    from collections.abc import Callable


def speaks(*versions: int, word: str = "silence") -> Callable[[int], str]:
    """Return a broker that accepts these versions and says `word` to others."""
    return lambda version: "accepted" if version in versions else word


def attempt(negotiation: Negotiation, broker: Callable[[int], str]) -> bool:
    """Connect once; return whether the connection is kept."""
    match broker(negotiation.version):
        case "accepted":
            return negotiation.accepted()
        case "refused":
            negotiation.refused()
        case _:
            negotiation.unanswered()
    return False


def until_kept(negotiation: Negotiation, broker: Callable[[int], str]) -> int:
    """Connect until a connection is kept; return how many attempts that took."""
    for count in range(1, 20):
        if attempt(negotiation, broker):
            return count
    pytest.fail("never connected")


@pytest.mark.parametrize(
    ("broker", "version", "attempts"),
    [
        (speaks(MQTT_5, MQTT_3), MQTT_5, 1),
        (speaks(MQTT_5), MQTT_5, 1),
        (speaks(MQTT_3, word="refused"), MQTT_3, 2),
        (speaks(MQTT_3), MQTT_3, 4),
    ],
    ids=["both", "5 only", "3.1.1, says so", "3.1.1, silent"],
)
def test_the_version_is_found_and_kept(broker: Callable[[int], str], version: int, attempts: int) -> None:
    negotiation = Negotiation()
    assert until_kept(negotiation, broker) == attempts
    assert (negotiation.version, negotiation.certain) == (version, True)
    for _ in range(3):
        assert attempt(negotiation, broker)
        assert negotiation.version == version


@pytest.mark.parametrize("silent", range(1, 8))
def test_a_broker_that_is_silent_while_it_starts_is_not_taken_for_an_old_one(silent: int) -> None:
    negotiation = Negotiation()
    for _ in range(silent):
        assert not attempt(negotiation, speaks())
    until_kept(negotiation, speaks(MQTT_5, MQTT_3))
    assert negotiation.version == MQTT_5


@pytest.mark.parametrize(("before", "after"), [(MQTT_5, MQTT_3), (MQTT_3, MQTT_5)])
def test_another_broker_in_the_place_of_the_first_is_understood(before: int, after: int) -> None:
    negotiation = Negotiation()
    until_kept(negotiation, speaks(before))
    for _ in range(MISSES - 1):
        attempt(negotiation, speaks(after))
        assert negotiation.version == before, "it may only be starting"
    until_kept(negotiation, speaks(after))
    assert negotiation.version == after


def test_a_refusal_for_another_reason_settles_the_version_as_an_acceptance_does() -> None:
    negotiation = Negotiation()
    assert negotiation.accepted()
    assert negotiation.certain
    negotiation.refused()  # the broker was exchanged for an older one
    assert negotiation.version == MQTT_3
    negotiation.refused()
    assert negotiation.version == MQTT_5
