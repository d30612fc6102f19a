"""The agent as an edge node, seen by a host application that is not ours and by an independent reader."""

from __future__ import annotations

import contextlib
import itertools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from agent.sparkplug import payload
from tests.e2e.rig import AGENT, Rig, running, until
from tests.peers.modbus import read_log
from tests.peers.modbus import server as modbus_server
from tests.peers.sparkplug import host
from tests.sparkplug.wire import Payload, read
from tests.support.processes import Child
from tests.support.processes import running as child_running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GROUP, PRIMARY = "한일", "scada"
COUNT, WORDS = "m/w0", 3
PATIENCE_S = 40


@dataclass(frozen=True, slots=True)
class Heard:
    """A message of the wire."""

    kind: str
    device: str
    payload: Payload
    retained: bool
    qos: int


class Listener:
    """Everything of the group, as the broker delivers it."""

    def __init__(self, port: int) -> None:
        self.heard: list[Heard] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311)
        self._client.on_connect = lambda client, *_: client.subscribe(f"spBv1.0/{GROUP}/#", 1)
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        until(self._client.is_connected, 10, "no broker")

    def _on_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        _, _, kind, node, *device = message.topic.split("/")
        assert node == AGENT
        said = read(bytes(message.payload))
        self.heard.append(Heard(kind, device[0] if device else "", said, message.retain, message.qos))

    def of(self, kind: str) -> list[Heard]:
        """Return the messages of one kind so far."""
        return [one for one in self.heard if one.kind == kind]

    def command(self, kind: str, name: str, value: float, *, device: str = "", data_type: int = 11) -> None:
        """Send a command as a host does."""
        raw = payload.encode([payload.Metric(name, 1, data_type, value)], 1, 0)
        level = f"/{device}" if device else ""
        self._client.publish(f"spBv1.0/{GROUP}/{kind}/{AGENT}{level}", raw, 1).wait_for_publish(5)

    def state(self, online: bool, timestamp: int) -> None:  # noqa: FBT001 - as the host says it
        """Speak as the primary host does."""
        raw = json.dumps({"online": online, "timestamp": timestamp})
        self._client.publish(f"spBv1.0/STATE/{PRIMARY}", raw, 1, retain=True).wait_for_publish(5)

    def stop(self) -> None:
        """End."""
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def plc(tmp_path: Path) -> Iterator[Child]:
    """A device that serves sequence numbers."""
    with child_running(modbus_server(tmp_path / "plc", log=tmp_path / "served.log", sequence=True)) as server:
        yield server


@pytest.fixture
def rig(tmp_path: Path, plc: Child) -> Rig:
    """Broker, gateway and an agent that reads it; not started."""
    signals = [{"id": f"w{i}", "address": f"holding:{i}", "type": "uint16"} for i in range(WORDS)]
    group = {"id": "fast", "every": "200ms", "signals": signals}
    device = {
        "id": "plc",
        "type": "modbus",
        "machine": "m",
        "host": "127.0.0.1",
        "port": plc.port,
        "groups": [group],
    }
    return Rig(tmp_path, devices=[device], machines=[{"id": "m"}], sparkplug={"group": GROUP})


def configured(rig: Rig, **more: object) -> None:
    """Add to the section `sparkplug`."""
    config = json.loads(rig.config.read_text("utf-8"))
    config["sparkplug"].update(more)
    rig.config.write_text(json.dumps(config, ensure_ascii=False), "utf-8")


def values(seen: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what a host was told of the counter, births included."""
    return [one for one in seen if one.get("name") == COUNT and one["value"] is not None]


def orderly(heard: list[Heard]) -> None:
    """Check `seq`, `bdSeq`, QoS and order of everything that a node has said."""
    expected = None
    births: list[int] = []
    for one in heard:
        assert not one.retained
        if one.kind in {"NCMD", "DCMD"}:
            continue
        if one.kind == "NDEATH":
            assert one.payload.seq is None
            assert [m.value for m in one.payload.metrics] == births[-1:]
            expected = None
            continue
        assert one.qos == 0
        if one.kind == "NBIRTH":
            assert one.payload.seq == 0
            number = next(m.value for m in one.payload.metrics if m.name == "bdSeq")
            assert isinstance(number, int)
            births.append(number)
        else:
            assert one.payload.seq == expected, one
        assert one.payload.seq is not None
        expected = (one.payload.seq + 1) % 256
    assert all((b - a) % 256 in {0, 1} for a, b in itertools.pairwise(births)), births


def test_a_host_sees_every_value_once_and_never_asks_for_a_birth(rig: Rig, tmp_path: Path) -> None:
    """Tahu's host asks for a birth whenever one is missing or `seq` is not the next one."""
    with running(rig), contextlib.ExitStack() as stack:
        listener = Listener(rig.broker.port or 0)
        stack.callback(listener.stop)
        scada = stack.enter_context(host(rig.broker.port or 0, PRIMARY, GROUP, tmp_path / "host"))
        until(lambda: scada.seen("connect"), PATIENCE_S, scada.output())
        before = len(values(scada.seen()))
        # it came late: it knows of no birth, asks for one, and then misses nothing
        until(lambda: len(values(scada.seen())) > before + 20, PATIENCE_S, "it sees nothing", rig)
        assert len(listener.of("NCMD")) <= 1
        names = {one["name"] for one in scada.seen("birth") if one["who"].endswith("/plc")}
        assert names == {f"m/w{i}" for i in range(WORDS)}
        quality = [one["properties"]["Quality"] for one in scada.seen("birth") if one["name"] == COUNT]
        assert quality[-1] in {192, 500}
        rig.agent.stop()
        until(lambda: scada.seen("NDEATH"), PATIENCE_S, scada.output())
        late = [one["value"] for one in values(scada.seen())]
    served = [int(s.sequence) for s in read_log(tmp_path / "served.log") if s.sequence]
    assert late == [value for value in late if value in set(served)]
    whole = sorted(set(late))
    assert whole == list(range(whole[0], whole[-1] + 1))
    live = [one["value"] for one in values(scada.seen("data")) if not one["historical"]]
    assert len(live) == len(set(live))
    orderly(listener.heard)


def test_a_killed_agent_dies_by_its_will_and_lives_again_with_the_next_number(rig: Rig) -> None:
    with running(rig), contextlib.ExitStack() as stack:
        listener = Listener(rig.broker.port or 0)
        stack.callback(listener.stop)
        until(lambda: len(listener.of("DDATA")) > 3, PATIENCE_S, "it says nothing", rig)
        rig.agent.restart()
        until(lambda: listener.of("NDEATH"), PATIENCE_S, "nobody dies", rig)
        until(lambda: len(listener.of("NBIRTH")) > 1, PATIENCE_S, "nobody is born", rig)
        until(lambda: len(listener.of("DBIRTH")) > 1, PATIENCE_S, "no device is born", rig)
        first, second = (
            next(m.value for m in one.payload.metrics if m.name == "bdSeq") for one in listener.of("NBIRTH")
        )
        assert isinstance(first, int)
        assert second == first + 1
        orderly(listener.heard)


def test_a_command_for_a_birth_is_obeyed_and_no_other(rig: Rig) -> None:
    with running(rig), contextlib.ExitStack() as stack:
        listener = Listener(rig.broker.port or 0)
        stack.callback(listener.stop)
        until(lambda: len(listener.of("DDATA")) > 3, PATIENCE_S, "it says nothing", rig)
        births = len(listener.of("NBIRTH"))
        listener.command("DCMD", COUNT, 7.0, device="plc", data_type=10)
        listener.command("NCMD", "Node Control/Reboot", value=True)
        listener.command("NCMD", "Node Control/Rebirth", value=True)
        until(lambda: len(listener.of("NBIRTH")) == births + 1, PATIENCE_S, "it is not born again", rig)
        until(lambda: rig.agent.output().count("not obeyed") == 2, PATIENCE_S, rig.agent.output())
        orderly(listener.heard)


def test_without_its_primary_host_a_node_is_dead_and_what_was_missed_follows(rig: Rig, tmp_path: Path) -> None:
    configured(rig, primary_host=PRIMARY)
    with running(rig), contextlib.ExitStack() as stack:
        listener = Listener(rig.broker.port or 0)
        stack.callback(listener.stop)
        until(lambda: rig.status()["spool"]["confirmed_rows"] > 10, PATIENCE_S, "nothing is stored", rig)
        assert listener.heard == []
        scada = stack.enter_context(host(rig.broker.port or 0, PRIMARY, GROUP, tmp_path / "host"))
        until(lambda: len(values(scada.seen("data"))) > 5, PATIENCE_S, scada.output())
        assert listener.of("NCMD") == []
        scada.say("offline")
        until(lambda: listener.of("NDEATH"), PATIENCE_S, "it does not die", rig)
        died = len(listener.of("NBIRTH"))
        stored = rig.status()["spool"]["confirmed_rows"]
        until(lambda: rig.status()["spool"]["confirmed_rows"] > stored + 30, PATIENCE_S, "nothing is stored", rig)
        assert len(listener.of("NBIRTH")) == died
        scada.say("online")
        until(lambda: len(listener.of("NBIRTH")) > died, PATIENCE_S, "it is not born again", rig)
        seen = len(values(scada.seen("data")))
        until(lambda: len(values(scada.seen("data"))) > seen + 10, PATIENCE_S, "nothing follows", rig)
        history = [one for one in values(scada.seen("data")) if one["historical"]]
        assert len(history) >= 10
        whole = sorted({one["value"] for one in values(scada.seen())})
        assert whole == list(range(whole[0], whole[-1] + 1))
        orderly(listener.heard)
        # a host's word that is older than its latest is a will that comes late
        born = len(listener.of("NDEATH"))
        listener.state(online=False, timestamp=1)
        listener.command("NCMD", "Node Control/Rebirth", value=True)
        until(lambda: len(listener.of("NBIRTH")) > died + 1, PATIENCE_S, "it is not born again", rig)
        assert len(listener.of("NDEATH")) == born


def test_a_device_that_is_lost_dies_alone(rig: Rig, plc: Child) -> None:
    with running(rig), contextlib.ExitStack() as stack:
        listener = Listener(rig.broker.port or 0)
        stack.callback(listener.stop)
        until(lambda: len(listener.of("DDATA")) > 3, PATIENCE_S, "it says nothing", rig)
        plc.kill()
        until(lambda: listener.of("DDEATH"), PATIENCE_S, "no device dies", rig)
        plc.start()
        until(lambda: len(listener.of("DBIRTH")) > 1, PATIENCE_S, "it is not born again", rig)
        assert len(listener.of("NBIRTH")) == 1
        orderly(listener.heard)
