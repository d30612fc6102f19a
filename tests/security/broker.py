"""A mosquitto with TLS, and clients of it that say what became of them."""

from __future__ import annotations

import shutil
import socket
import threading
from typing import TYPE_CHECKING, Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from tests.support.processes import Child, free_port

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable
    from pathlib import Path

    from tests.support.certificates import Pair

SECONDS = 20.0  # for an answer, on a slow machine


def mosquitto(
    folder: Path,
    ca: Path,
    server: Pair,
    *,
    identity: bool = True,
    lines: Iterable[str] = (),
    port: int | None = None,
) -> Child:
    """Return a mosquitto that speaks TLS only; start it with `running`.

    Args:
        folder: For its configuration and its log.
        ca: Whose clients it knows.
        server: Its own certificate.
        identity: Whether clients need a certificate, whose common name is their user name.
        lines: More of its configuration.
        port: A free one when None.
    """
    binary = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    assert binary, "mosquitto is not installed: run `make test`, it installs what the tests need"
    port = port or free_port()
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "mosquitto.conf"
    asked = ("require_certificate true", "use_identity_as_username true") if identity else ()
    config.write_text(
        "\n".join(
            (
                "user root", "persistence false", "log_type all", "max_inflight_messages 100",
                f"listener {port} 127.0.0.1", f"cafile {ca}", f"certfile {server.certificate}",
                f"keyfile {server.key}", *asked, *lines, "",
            )
        )
    )  # fmt: skip
    return Child([binary, "-c", config], log=folder / "mosquitto.log", port=port)


class Client:
    """A client of MQTT 5 that remembers everything.

    Attributes:
        received: (topic, payload, retained) of each message.
        granted: Reason code of the answer to each subscription, in order.
        failed: Set when a connection could not be made or was refused.
    """

    def __init__(
        self,
        client_id: str,
        context: ssl.SSLContext,
        will: tuple[str, bytes] | None = None,
        login: tuple[str, str] | None = None,
    ) -> None:
        self.received: list[tuple[str, bytes, bool]] = []
        self.granted: list[int] = []
        self.acknowledged: dict[int, int] = {}
        self.connected = threading.Event()
        self.lost = threading.Event()
        self.failed = threading.Event()
        self.refused: int | None = None
        self._changed = threading.Condition()
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=paho.MQTTv5, reconnect_on_failure=False
        )
        self._client.tls_set_context(context)
        if login is not None:
            self._client.username_pw_set(*login)
        if will is not None:
            self._client.will_set(will[0], will[1], qos=1, retain=True)
        self._client.on_socket_open = _at_once
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._client.on_subscribe = self._on_subscribe
        self._client.on_publish = self._on_publish

    def start(self, port: int, host: str = "127.0.0.1", keepalive: int = 10) -> None:
        """Connect; the broker's answer comes later."""
        try:
            self._client.connect(host, port, keepalive)
        except OSError:
            self.failed.set()
        else:
            self._client.loop_start()

    def open(self, port: int) -> Client:
        """Connect; wait for it."""
        self.start(port)
        assert self.connected.wait(SECONDS), "no connection"
        return self

    def stop(self) -> None:
        """Say goodbye."""
        self._client.disconnect()
        self._client.loop_stop()

    def cut(self) -> None:
        """Go without a goodbye: the broker publishes the will."""
        connection: Any = self._client.socket()
        if connection is not None:
            connection.shutdown(socket.SHUT_RDWR)
        self._client.loop_stop()

    def subscribe(self, *filters: str) -> list[int]:
        """Subscribe; return the reason code of each."""
        before = len(self.granted)
        self._client.subscribe([(one, SubscribeOptions(qos=1)) for one in filters])
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.granted) >= before + len(filters), SECONDS)
        return self.granted[before:]

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, properties: Properties | None = None
    ) -> int:
        """Publish with QoS 1 and wait for the acknowledgement; return its reason code, 0 when there is none."""
        info = self._client.publish(topic, payload, qos=1, retain=retain, properties=properties)
        with self._changed:
            assert self._changed.wait_for(lambda: info.mid in self.acknowledged or self.lost.is_set(), SECONDS)
        return self.acknowledged.get(info.mid, 0)

    def request(self, topic: str, body: bytes, response: str) -> None:
        """Send a request; the answer comes on `response`, to which this subscribes."""
        self.subscribe(response)
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ResponseTopic = response
        properties.CorrelationData = b"7"
        self.publish(topic, body, properties=properties)

    def wait(self, topic: str, payload: bytes | None = None) -> None:
        """Wait until something has come."""
        with self._changed:
            assert self._changed.wait_for(
                lambda: any(t == topic and payload in {None, p} for t, p, _ in self.received), SECONDS
            ), f"nothing came on {topic}"

    def _on_connect(self, _c: Any, _u: Any, _flags: Any, reason: Any, _p: Any) -> None:
        if reason.is_failure:
            self.refused = reason.value
            self.failed.set()
        else:
            self.connected.set()

    def _on_disconnect(self, _c: Any, _u: Any, _flags: Any, _reason: Any, _p: Any) -> None:
        with self._changed:
            self.lost.set()
            self.failed.set()
            self._changed.notify_all()

    def _on_message(self, _c: Any, _u: Any, message: Any) -> None:
        with self._changed:
            self.received.append((message.topic, bytes(message.payload), message.retain))
            self._changed.notify_all()

    def _on_subscribe(self, _c: Any, _u: Any, _mid: int, reasons: Any, _p: Any) -> None:
        with self._changed:
            self.granted += [reason.value for reason in reasons]
            self._changed.notify_all()

    def _on_publish(self, _c: Any, _u: Any, mid: int, reason: Any, _p: Any) -> None:
        with self._changed:
            self.acknowledged[mid] = reason.value
            self._changed.notify_all()


def _at_once(_client: Any, _data: Any, link: Any) -> None:
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
