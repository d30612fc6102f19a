"""A worker at a broker that cannot share: it gives way to another one that lives, and to no ghost."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from contract import codec, topics
from contract.payload import Worker
from gateway.app import Gateway
from gateway.config import DeadLetterSettings, GatewayConfig
from gateway.stores.settings import EmbeddedSettings
from service import exits
from settings.broker import Broker
from tests.brokers.faulty import faulty
from tests.gateway.peer import until

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

OTHER = topics.worker("other")


def presence(since: int) -> bytes:
    return codec.encode(Worker("other", str(since), "1"))


def test_a_ghost_is_cleared_at_the_start_and_after_a_lost_connection_and_one_that_lives_is_given_way_to(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with faulty("refuses shares") as broker:
        broker.retained[OTHER] = (b"", presence(1))
        gateway = Gateway(
            GatewayConfig(
                worker="gw-1",
                mqtt=Broker(host="127.0.0.1", port=broker.port),
                store=EmbeddedSettings(path=tmp_path / "store.db"),
                dead_letters=DeadLetterSettings.model_validate({"directory": tmp_path / "letters"}),
            )
        )
        codes: list[int] = []
        stop = threading.Event()
        thread = threading.Thread(target=lambda: codes.append(gateway.run(stop)))
        thread.start()
        try:
            ours = topics.worker("gw-1")
            until(lambda: ours in broker.retained, 30)
            assert OTHER not in broker.retained
            broker.spread(OTHER, presence(2**62))  # a later one: it is told, and has to go
            until(lambda: "the other one gives way" in caplog.text)
            assert gateway.stats()["serving"] == 1
            broker.hang_up()
            until(lambda: ours not in broker.retained)  # by the will
            broker.retained[OTHER] = (b"", presence(1))
            until(lambda: ours in broker.retained, 30)
            until(lambda: OTHER not in broker.retained)
            assert thread.is_alive()
            broker.spread(OTHER, presence(1))
            thread.join(10)
            assert codes == [exits.UNAVAILABLE]
            assert "this one ends" in caplog.text
            assert ours not in broker.retained
        finally:
            stop.set()
            thread.join(10)
