"""Modbus over TLS: the device is checked, we can be checked, and there is no way around it."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import ipaddress
import re
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from agent.clock import SystemClock
from agent.collectors.base import Box
from agent.collectors.modbus.plan import Span, Table
from agent.collectors.modbus.unit import open_unit
from agent.errors import AgentError, Refused
from tests.agent.collectors.modbus.rig import device, run, words
from tests.peers.rude import Rude

if TYPE_CHECKING:
    from pathlib import Path

    from agent.collectors.modbus.config import ModbusDevice

NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)


class Authority:
    """A CA that writes PEM files into a folder."""

    def __init__(self, folder: Path, name: str = "plant") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} CA")])
        self.file = folder / f"{name}-ca.pem"
        certificate = self._signed(self._name, self._key, NOW - DAY, NOW + DAY, ca=True)
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def _signed(
        self, name: x509.Name, key: ec.EllipticCurvePrivateKey, first: dt.datetime, last: dt.datetime,
        *names: x509.GeneralName, ca: bool = False,
    ) -> x509.Certificate:  # fmt: skip
        builder = (
            x509.CertificateBuilder().subject_name(name).issuer_name(self._name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(first).not_valid_after(last)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )  # fmt: skip
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def issue(
        self, name: str, *, first: dt.datetime = NOW - DAY, last: dt.datetime = NOW + DAY, password: str = ""
    ) -> tuple[Path, Path]:
        """Return the files of a certificate and of its key; an IP address becomes one in the certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        try:
            alternative: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            alternative = x509.DNSName(name)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._signed(subject, key, first, last, alternative)
        files = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        closed = (
            serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
        )
        files[1].write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, closed)
        )
        files[1].chmod(0o600)
        return files


def serving(files: tuple[Path, Path], clients: Path | None = None) -> ssl.SSLContext:
    """Return a server's context; `clients` is the CA of clients it lets in."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    if clients is not None:
        context.load_verify_locations(clients)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def secure(port: int, ca: Path, **tls: Any) -> ModbusDevice:
    return device(
        port, {"g/1s": words(1)}, transport="tls", tls={"ca": str(ca)} | {k: str(v) for k, v in tls.items()}
    )


async def read_one(config: ModbusDevice, *, trusted: bool = True) -> dict[str, Any]:
    """Read a register; return the fact about the session."""
    async with open_unit(config, Box(SystemClock(trusted=trusted))) as unit:
        _, data = await unit.ask(Span(Table.HOLDING, 7, 1))
        assert data == (1007).to_bytes(2)
        return dict(unit.facts())


async def failure(config: ModbusDevice, *, trusted: bool = True) -> AgentError:
    with pytest.raises(AgentError) as caught:
        await read_one(config, trusted=trusted)
    assert str(caught.value).startswith("plc (127.0.0.1:")
    assert caught.value.text.ko != caught.value.text.en
    return caught.value


def test_a_device_with_a_right_certificate_is_read_and_the_session_is_stated(tmp_path: Path) -> None:
    plant = Authority(tmp_path)

    async def story() -> None:
        async with Rude(tls=serving(plant.issue("127.0.0.1"))) as gateway:
            facts = await read_one(secure(gateway.port, plant.file))
        assert facts["protocol"] == "modbus-tls"
        assert (facts["security"], facts["peer_authenticated"]) == ("tls", True)
        assert facts["policy"] in {"TLSv1.2", "TLSv1.3"}
        assert facts["mode"] == "TLS, server only"

    run(story())


def test_a_client_certificate_opens_a_device_that_asks_for_one(tmp_path: Path) -> None:
    plant = Authority(tmp_path)
    certificate, key = plant.issue("edge-1", password="secret-of-the-key")
    word = tmp_path / "word"
    word.write_text("secret-of-the-key\n")

    async def story() -> None:
        async with Rude(tls=serving(plant.issue("127.0.0.1"), plant.file)) as gateway:
            ours = {"certificate": certificate, "key": key}
            facts = await read_one(secure(gateway.port, plant.file, **ours, key_password=f"file:{word}"))
            assert facts["mode"] == "TLS"
            assert "certificate" in str(await failure(secure(gateway.port, plant.file)))
            closed = await failure(secure(gateway.port, plant.file, **ours))
            assert isinstance(closed, Refused)
            assert "key_password" in str(closed)
            assert "secret-of-the-key" not in str(closed)

    run(story())


def test_a_device_that_says_why_it_refuses_us_is_quoted(tmp_path: Path) -> None:
    plant = Authority(tmp_path)
    context = serving(plant.issue("127.0.0.1"), plant.file)

    def stern(listener: socket.socket) -> None:  # asyncio's own server closes without a word
        client, _ = listener.accept()
        with client.dup() as raw:
            with contextlib.suppress(ssl.SSLError), context.wrap_socket(client, server_side=True):
                pass
            raw.recv(4096)  # what is unread when a socket is closed makes the kernel drop the alert

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=stern, args=(listener,), daemon=True)
        thread.start()
        refused = asyncio.run(failure(secure(listener.getsockname()[1], plant.file)))
        thread.join(5)
    assert isinstance(refused, Refused)
    assert re.search("the device refuses us: .*certificate required", str(refused))


@pytest.mark.parametrize(
    ("issued", "text"),
    [
        ({"name": "127.0.0.1", "last": NOW - DAY / 2}, "has expired"),
        ({"name": "127.0.0.1", "first": NOW + DAY / 2}, "is not valid yet"),
        ({"name": "127.0.0.2"}, r"is not made out to 127\.0\.0\.1.*server_name"),
        ({"name": "press-plc"}, r"is not made out to 127\.0\.0\.1.*server_name"),
    ],
)
def test_a_certificate_that_is_wrong_is_refused_and_its_fault_named(
    tmp_path: Path, issued: dict[str, Any], text: str
) -> None:
    plant = Authority(tmp_path)

    async def story() -> None:
        async with Rude(tls=serving(plant.issue(**issued))) as gateway:
            refused = await failure(secure(gateway.port, plant.file))
            assert isinstance(refused, Refused)
            assert re.search(text, str(refused))
            assert gateway.asked == []

    run(story())


def test_a_stranger_is_refused_unless_its_own_certificate_is_the_ca(tmp_path: Path) -> None:
    plant, stranger = Authority(tmp_path), Authority(tmp_path, "stranger")

    async def story() -> None:
        files = stranger.issue("127.0.0.1")
        async with Rude(tls=serving(files)) as gateway:
            refused = await failure(secure(gateway.port, plant.file))
            assert isinstance(refused, Refused)
            assert "not signed by tls ca" in str(refused)
            await read_one(secure(gateway.port, files[0]))

    run(story())


def test_a_name_may_be_given_for_a_device_that_is_reached_by_its_address(tmp_path: Path) -> None:
    plant = Authority(tmp_path)

    async def story() -> None:
        async with Rude(tls=serving(plant.issue("press-plc"))) as gateway:
            await read_one(secure(gateway.port, plant.file, server_name="press-plc"))

    run(story())


def test_a_box_that_does_not_know_the_time_accepts_what_is_not_valid_yet_and_nothing_expired(
    tmp_path: Path,
) -> None:
    plant = Authority(tmp_path)

    async def story() -> None:
        async with Rude(tls=serving(plant.issue("127.0.0.1", first=NOW + DAY / 2))) as gateway:
            await read_one(secure(gateway.port, plant.file), trusted=False)
            await failure(secure(gateway.port, plant.file))
        long_ago = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
        async with Rude(tls=serving(plant.issue("127.0.0.1", first=long_ago, last=long_ago + DAY))) as gateway:
            assert "has expired" in str(await failure(secure(gateway.port, plant.file), trusted=False))
            assert gateway.asked == []

    run(story())


def test_a_device_without_tls_is_never_read_without_it(tmp_path: Path) -> None:
    plant = Authority(tmp_path)
    heard = bytearray()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.extend(await reader.read(4096))
        writer.write(b"\0\1\0\0\0\3\1\x83\2")  # a plain device's answer
        writer.close()

    async def story() -> None:
        async with await asyncio.start_server(listen, "127.0.0.1", 0) as plain:
            port = plain.sockets[0].getsockname()[1]
            assert "check the port" in str(await failure(secure(port, plant.file)))

    run(story())
    assert heard.startswith(b"\x16\x03"), "a TLS hello and nothing else"
    assert len(heard) == 5 + int.from_bytes(heard[3:5])


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    plant = Authority(tmp_path)
    certificate, key = plant.issue("edge-1")
    key.chmod(0o644)

    async def story() -> None:
        async with Rude(tls=serving(plant.issue("127.0.0.1"))) as gateway:
            refused = await failure(secure(gateway.port, plant.file, certificate=certificate, key=key))
            assert isinstance(refused, Refused)
            assert f"chmod 600 {key}" in str(refused)
            missing = await failure(secure(gateway.port, tmp_path / "no.pem"))
            assert isinstance(missing, Refused)
            assert "no.pem" in str(missing)
            assert gateway.connections == 0

    run(story())
