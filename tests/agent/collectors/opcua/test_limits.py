"""How many nodes go into one request: what is stated, what is learned, what is remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from asyncua import ua

from agent.clock import SystemClock
from agent.collectors.base import Box
from agent.collectors.opcua.connection import Connection
from agent.collectors.opcua.group import Group
from agent.collectors.opcua.limits import ENOUGH, FIRST, MOST, Batch, Limits
from agent.collectors.opcua.services import VALUE
from tests.agent.collectors.opcua.support import device, run

if TYPE_CHECKING:
    from agent.frame import Json
    from tests.peers.opcua import Plant


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A login that the servers know."""
    monkeypatch.setenv("OPCUA_PASSWORD", "right")
    return {"user": "op", "password": "env:OPCUA_PASSWORD"}


def test_requests_are_halved_until_a_server_that_states_nothing_takes_them(
    strict_plant: Plant, login: dict[str, str]
) -> None:
    many = [{"id": f"s{i}", "type": "uint32", "node": f"ns=1;s=seq-{i}"} for i in range(30)]

    async def main() -> None:
        config = device(strict_plant.endpoint, {"signals": many}, login={**login, "plain_password": True})
        group = Group(config.groups[0], config.sources()[0])
        group.resolve([])
        nodes = [node for node in group.nodes if node is not None]
        limits = Limits()
        connection = Connection(config, Box(SystemClock()), limits)
        try:
            await connection.open()
            answers = await connection.read([(node, VALUE) for node in nodes])
            assert sum(len(answer.values) for answer in answers) == 30
            assert all(sample.status == 0 for answer in answers for sample in answer.values)
            granted = await connection.subscribe(config.groups[0].every)
            items = [
                ua.MonitoredItemCreateRequest(ItemToMonitor=ua.ReadValueId(NodeId=node, AttributeId=VALUE))
                for node in nodes
            ]
            made = await connection.monitor(granted.SubscriptionId, items)
            assert len(made) == 30
            assert (limits.read.size, limits.items.size) == (7, 3)  # 30 -> 15 -> 7; 30 -> 15 -> 7 -> 3
            limits.stated(1000, 1000)
            assert (limits.read.size, limits.items.size) == (7, 3)
        finally:
            await connection.close()

    run(main())


def answer(batch: Batch, ns_per_node: float) -> None:
    """Answer full requests until the batch has made up its mind about this size."""
    for _ in range(ENOUGH):
        batch.took(batch.size, round(batch.size * ns_per_node))


def test_a_batch_grows_while_the_time_per_node_does_not() -> None:
    batch = Batch()
    sizes = []
    while batch.size < MOST:
        sizes.append(batch.size)
        answer(batch, 20_000)
    assert sizes == [100, 200, 400, 800]
    answer(batch, 20_000)
    assert batch.size == MOST


def test_a_controller_that_states_a_thousand_and_takes_far_longer_above_two_hundred_is_left_at_them() -> None:
    batch = Batch()
    batch.state(1000)
    answer(batch, 20_000)
    answer(batch, 20_000)
    assert batch.size == 400
    answer(batch, 1_000_000)
    assert batch.size == 200
    for _ in range(10):
        answer(batch, 20_000)
    assert batch.size == 200
    again = Batch()
    again.recall(batch.learned())
    answer(again, 20_000)
    assert again.size == 200


def test_one_slow_answer_teaches_nothing() -> None:
    batch = Batch()
    answer(batch, 20_000)
    batch.took(batch.size, batch.size * 1_000_000)
    batch.took(batch.size, batch.size * 20_000)
    batch.took(batch.size, batch.size * 20_000)
    assert batch.size == 400


def test_a_refused_size_is_not_asked_for_again_and_a_statement_does_not_raise_it() -> None:
    batch = Batch()
    assert batch.too_much(100)
    assert batch.size == 50
    batch.state(1000)
    for _ in range(5):
        answer(batch, 1000)
    assert batch.size == 50
    assert not Batch().too_much(1), "one node cannot be halved"


def test_what_was_learned_survives_and_what_is_no_such_thing_is_passed_over() -> None:
    limits = Limits()
    limits.stated(None, 0, 7)
    limits.read.too_much(60)
    again = Limits()
    again.recall(limits.learned())
    assert (again.read.size, again.items.size, again.browse.size) == (30, FIRST, 7)
    wrong: list[dict[str, Json]] = [
        {"read": 5},
        {"read": {"size": 5000, "ceiling": 9}},
        {"read": {"size": "x"}},
        {},
    ]
    for junk in wrong:
        fresh = Limits()
        fresh.recall(junk)
        assert fresh.read.size == FIRST
