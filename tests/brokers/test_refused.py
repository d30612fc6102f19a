"""Access rules that are mended at the broker are enough: nobody has to start agent or gateway anew."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from agent.uplink import Uplink
from contract.payload import Status, Worker
from contract.topics import AgentTopics
from gateway.mqtt import Link
from settings.broker import Broker
from tests.brokers.faulty import faulty
from tests.gateway.peer import until
from transport import connection

if TYPE_CHECKING:
    import pytest

BRANCH = AgentTopics("hanil", "edge-1")


def test_an_agent_that_may_not_hear_confirmations_asks_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connection, "RENEW_SECONDS", 1)
    with faulty("refuses reading") as broker:
        uplink = Uplink(
            Broker(host="127.0.0.1", port=broker.port),
            BRANCH,
            lambda online: Status(online=online, boot="b", time="0", version="0"),
        )
        heard = threading.Event()
        uplink.subscribe(BRANCH.stored, lambda *_: heard.set())
        uplink.start()
        try:
            until(lambda: f"does not let us read {BRANCH.stored}" in caplog.text)
            assert uplink.up
            broker.fault = ""
            until(lambda: any(BRANCH.stored in client.filters for client in broker.clients))
            broker.spread(BRANCH.stored, b"{}")
            assert heard.wait(10)
        finally:
            uplink.stop()


def test_a_gateway_that_may_not_read_data_asks_again_and_is_there_only_then(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connection, "RENEW_SECONDS", 1)
    with faulty("refuses reading") as broker:
        link = Link(Broker(host="127.0.0.1", port=broker.port), Worker("gw-1", "1", "1"), lambda _: None)
        link.start(shares=False)
        link.serve(serving=True)
        try:
            until(lambda: "refuses the subscription to tsq/1/+/+/data" in caplog.text)
            assert not broker.retained
            broker.fault = ""
            until(lambda: "tsq/1/_gateway/worker/gw-1" in broker.retained)
        finally:
            link.stop()
