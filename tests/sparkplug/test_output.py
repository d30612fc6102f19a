"""The edge node's connection to a real broker: what holds across connections, and what others may do to it."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from agent.frame import Event
from agent.sparkplug import output as module
from agent.sparkplug import payload
from agent.sparkplug.config import SparkplugSettings
from agent.sparkplug.output import Output
from settings.broker import Broker
from tests.e2e.rig import until
from tests.sparkplug.wire import Payload, read
from tests.support.brokers import mosquitto
from tests.support.clocks import FakeClock
from tests.support.items import frame, source
from tests.support.processes import running as child_running
from transport.session import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.processes import Child

PLC = source("plc.main", signals=1)
PATIENCE_S = 20


class Wire:
    """Everything of Sparkplug that passes the broker."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[str, Payload]] = []
        self.client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self.client.on_connect = lambda client, *_: client.subscribe("spBv1.0/G/#", 1)
        self.client.on_message = self._on_message
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        until(self.client.is_connected, 10, "no broker")

    def _on_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        kind = message.topic.split("/")[2]
        if kind != "NCMD":
            self.heard.append((kind, read(bytes(message.payload))))

    def kinds(self) -> list[str]:
        """Return the kinds of messages so far."""
        return [kind for kind, _ in self.heard]

    def state(self, *, online: bool, timestamp: int) -> None:
        """Speak as the primary host does."""
        raw = json.dumps({"online": online, "timestamp": timestamp})
        self.client.publish("spBv1.0/STATE/scada", raw, 1, retain=True).wait_for_publish(5)

    def rebirth(self) -> None:
        """Ask for a birth."""
        raw = payload.encode([payload.Metric("Node Control/Rebirth", 1, payload.BOOLEAN, value=True)], 1, 0)
        self.client.publish("spBv1.0/G/NCMD/n", raw, 1).wait_for_publish(5)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Child]:
    """One that has no limits and no users."""
    with child_running(mosquitto(tmp_path / "broker")) as child:
        yield child


@pytest.fixture
def wire(broker: Child) -> Iterator[Wire]:
    """A listener."""
    made = Wire(broker.port or 0)
    yield made
    made.client.disconnect()
    made.client.loop_stop()


@pytest.fixture
def make(broker: Child, tmp_path: Path) -> Iterator[Callable[..., Output]]:
    """Make edge nodes and end them."""
    with contextlib.ExitStack() as stack:

        def made(clock: FakeClock, **more: Any) -> Output:
            where = Broker.model_validate({"host": "127.0.0.1", "port": broker.port})
            settings = SparkplugSettings.model_validate({"group": "G", **more})
            output = Output(settings, where, "n", [PLC], clock, tmp_path, "1")
            output.start()
            stack.callback(output.stop)
            output.put(Event(kind="link_up", time_ns=clock.now(), source=PLC.id))
            return output

        yield made


def said(output: Output, clock: FakeClock, value: int) -> None:
    """Have a value read."""
    clock.advance(1)
    output.put(frame(PLC, clock.now(), [value]))


def number(births: Payload) -> object:
    """Return a birth's bdSeq."""
    return next(m.value for m in births.metrics if m.name == "bdSeq")


def test_a_connection_begins_with_a_birth_even_when_the_loss_of_the_last_one_was_not_seen(
    make: Callable[..., Output], wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    output = make(clock)
    until(lambda: "DBIRTH" in wire.kinds(), PATIENCE_S, "no birth")
    step, ready = output._step, output._ready
    assert ready is not None
    monkeypatch.setattr(output, "_step", lambda: None)  # its thread gets no time from the machine
    ready.cut()
    until(lambda: output._ready not in {None, ready}, PATIENCE_S, "no connection")
    said(output, clock, 5)
    monkeypatch.setattr(output, "_step", step)
    until(lambda: wire.kinds().count("NBIRTH") == 2, PATIENCE_S, "it speaks without a birth")
    until(lambda: wire.kinds().count("DBIRTH") == 2, PATIENCE_S, "no device")
    kinds = wire.kinds()
    assert kinds[kinds.index("NDEATH") + 1] == "NBIRTH"
    first, second = (birth for kind, birth in wire.heard if kind == "NBIRTH")
    assert number(second) == int(str(number(first))) + 1


def test_what_an_earlier_connection_heard_of_the_host_does_not_count_on_the_next(
    make: Callable[..., Output], wire: Wire, broker: Child
) -> None:
    """[tck-id-message-flow-edge-node-birth-publish-phid-wait]."""
    clock = FakeClock()
    output = make(clock, primary_host="scada")
    wire.state(online=True, timestamp=1)
    until(lambda: "DBIRTH" in wire.kinds(), PATIENCE_S, "no birth")
    before = output._ready
    broker.kill()  # it keeps nothing on the disk: no host is there any more
    until(lambda: output._ready is None, PATIENCE_S, "it does not notice")
    broker.start()
    until(lambda: output._ready not in {None, before}, PATIENCE_S, "no connection")
    until(wire.client.is_connected, PATIENCE_S, "no listener")
    said(output, clock, 7)
    until(lambda: not output._queue, PATIENCE_S, "it does not take what was read")
    assert not output.up
    assert output.trouble is not None
    assert output.trouble.en == "the primary host is away"
    wire.state(online=True, timestamp=1)
    until(lambda: wire.kinds().count("DBIRTH") == 2, PATIENCE_S, "no birth")
    history = [m.value for kind, data in wire.heard if kind == "DDATA" for m in data.metrics]
    assert history == []  # the only value stands in the birth


def test_a_node_dies_while_nobody_vouches_for_the_time(make: Callable[..., Output], wire: Wire) -> None:
    clock = FakeClock()
    output = make(clock)
    until(lambda: "DBIRTH" in wire.kinds(), PATIENCE_S, "no birth")
    clock.trusted = False
    said(output, clock, 9)
    until(lambda: "NDEATH" in wire.kinds(), PATIENCE_S, "its last values count as those of now")
    clock.trusted = True
    until(lambda: wire.kinds().count("NBIRTH") == 2, PATIENCE_S, "it is not born again")
    assert (output.up, output.trouble) == (True, None)
    assert output.counters() == {"sparkplug_lost_rows": 1}


def test_a_flood_of_requests_for_births_is_one(make: Callable[..., Output], wire: Wire) -> None:
    clock = FakeClock()
    make(clock)
    until(lambda: "DBIRTH" in wire.kinds(), PATIENCE_S, "no birth")
    clock.advance(2)
    for _ in range(60):
        wire.rebirth()
    until(lambda: wire.kinds().count("NBIRTH") == 2, PATIENCE_S, "it is not born again")
    clock.advance(2)
    until(lambda: wire.kinds().count("NBIRTH") == 3, PATIENCE_S, "what came after it is not answered")
    assert wire.kinds().count("NBIRTH") == 3


def test_messages_from_others_fill_no_memory(make: Callable[..., Output], wire: Wire) -> None:
    output = make(FakeClock())
    until(lambda: "DBIRTH" in wire.kinds(), PATIENCE_S, "no birth")
    session = output._ready
    assert session is not None
    output._step = lambda: None  # type: ignore[method-assign] # its thread gets no time from the machine
    waiting = len(output._queue)
    for _ in range(3 * module.ORDERS):
        output.received(session, Message("spBv1.0/G/NCMD/n", bytes(1000)))
    assert len(output._queue) <= waiting + module.ORDERS


def test_two_nodes_of_one_name_do_not_drive_each_other_away(
    make: Callable[..., Output], wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    first = make(FakeClock())
    until(lambda: "DBIRTH" in wire.kinds(), PATIENCE_S, "no birth")
    second = make(FakeClock())
    until(lambda: "needs a user of its own" in caplog.text, PATIENCE_S, "nobody says it")
    assert [one for one in (first, second) if one.trouble and "별도 사용자" in one.trouble.ko]
    until(lambda: bool(first._connection.session) != bool(second._connection.session), PATIENCE_S, "none speaks")
