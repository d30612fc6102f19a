"""One worker on every broker, killed in between: what the PLC served is in the store once.

Erlang starts slowly, so each broker is started once and tells its whole story in one test.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from service import exits
from settings.broker import Broker
from techsquare import pull
from tests.brokers.plant import Plant, until
from tests.e2e.rig import AGENT, FACTORY
from tests.support.brokers import EJABBERD_PASSWORD, EJABBERD_USER, ejabberd, iotcore, mosquitto, rabbitmq
from tests.support.processes import Child, running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def persistent(folder: Path) -> Child:
    return mosquitto(folder, persistent=True)


def narrow(folder: Path) -> Child:
    """Messages of 64 kB at most: a birth of 20 signals fits, a backlog does not."""
    return mosquitto(folder, limit=64 * 1024)


def short_queue(folder: Path) -> Child:
    """Two messages wait for a client at most; the others are thrown away."""
    return mosquitto(folder, max_queued_messages="2", max_inflight_messages="1")


UNABLE = (ejabberd, rabbitmq)


def refused_second(plant: Plant) -> None:
    """A second worker ends by itself and says why."""
    with running(plant.gateway("two")) as second:
        assert second.process is not None
        assert second.process.wait(30) == exits.UNAVAILABLE
        assert "worker one is here, and this broker cannot share messages out" in second.output()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("broker", [persistent, narrow, short_queue, iotcore, ejabberd, rabbitmq])
def test_everything_served_is_stored_once_although_broker_and_worker_are_killed(
    tmp_path: Path, broker: Callable[[Path], Child]
) -> None:
    login = None
    if broker is ejabberd:
        (tmp_path / "password").write_text(EJABBERD_PASSWORD)
        login = {"user": EJABBERD_USER, "password": f"file:{tmp_path}/password"}
    with running(broker(tmp_path / "broker")) as server:
        assert server.port is not None
        plant = Plant(tmp_path, server.port, login)
        with plant.working(), running(plant.gateway("one")) as worker:
            until(lambda: bool(plant.stored()), 30, "nothing is stored", worker, plant.agent)
            where = Broker.model_validate({"host": "127.0.0.1", "port": server.port, **(login or {})})
            answer = json.loads(pull.request(where, FACTORY, AGENT, "report.get", {}, 30))
            assert {"error", "message"} == answer.keys() or "window" in answer
            plant.reads(3)
            server.kill()
            plant.reads(6)
            server.start()
            plant.reads(3)
            if broker in UNABLE:
                refused_second(plant)
            worker.kill()
            plant.reads(6)
            worker.start()
            plant.settle(90, worker, plant.agent)
            spoken = "3.1.1" if broker is rabbitmq else "5"
            assert f"connected to the broker, MQTT {spoken}" in worker.output()
            assert f"speaks MQTT {spoken}" in plant.agent.output()
            assert "Traceback" not in worker.output() + plant.agent.output()
