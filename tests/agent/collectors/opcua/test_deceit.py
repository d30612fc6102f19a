"""Somebody stands between the agent and a real server, and edits what is said before anything is signed."""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.uaerrors import UaStatusCodeError
from cryptography.hazmat.primitives.serialization import Encoding

from agent.clock import SystemClock
from agent.collectors.base import Box
from agent.collectors.opcua.collector import OpcUaCollector
from agent.collectors.opcua.decode import Opaque
from agent.collectors.opcua.pki import Pki
from agent.collectors.opcua.transport import ReadOnlyTransport
from agent.errors import Refused, Unreachable
from contract.codec import encode
from tests.agent.collectors.opcua.support import Seen, collector, device, run, signals, trust_all, trusted
from tests.peers.opcua import Plant, opcua_server
from tests.support.sniffer import Relay

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from asyncua import ua

    from agent.collectors.opcua.decode import Publication, Sample

ONE = {"id": "g", "signals": signals(bool="bool")}
SECRET = "Geheim-4711"


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """A server that takes users, by each mode."""
    with opcua_server(
        tmp_path_factory.mktemp("between"),
        users={"shift-lead": SECRET},
        policies=["None", "Basic256Sha256", "Aes256_Sha256_RsaPss"],
        modes=["None", "Sign", "SignAndEncrypt"],
    ) as server:
        yield server


@pytest.fixture
def relay(vault: Plant) -> Iterator[Relay]:
    """Between us and the server."""
    with Relay(vault.opcua_port) as between:
        yield between


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A user of the server."""
    monkeypatch.setenv("OPCUA_PASSWORD", SECRET)
    return {"user": "shift-lead", "password": "env:OPCUA_PASSWORD"}


def at(relay: Relay) -> str:
    return f"opc.tcp://127.0.0.1:{relay.port}/plant"


async def refusal(reader: OpcUaCollector) -> str:
    with pytest.raises(Refused) as caught:
        async with reader.connect():
            pass
    return str(caught.value)


def told(relay: Relay, word: bytes) -> bool:
    """Whether the agent has ever sent these bytes."""
    return any(word in sent for sent in relay.sent)


def test_a_password_on_an_open_channel_goes_to_the_holder_of_a_trusted_certificate_only(
    relay: Relay, login: dict[str, Any], tmp_path: Path
) -> None:
    async def main() -> None:
        reader = collector(at(relay), ONE, login=login, pki=tmp_path)
        assert "not trusted yet" in await refusal(reader)
        assert not told(relay, b"shift-lead")  # no word about the user either
        (entry,) = Pki(tmp_path).entries("rejected")
        true = entry.certificate.public_bytes(Encoding.DER)
        trust_all(tmp_path)
        seen = Seen()
        async with reader.connect() as read:
            await seen.until(read, lambda: True in seen.values("bool"))
        assert seen.facts[0].body["password"] == "encrypted"
        # spoiled, so that nothing can be encrypted with it: it once went in the clear then
        relay.says = lambda data: data.replace(true, b"\x31" + true[1:])
        assert "the server's certificate" in await refusal(reader)
        plain = collector(at(relay), ONE, login={**login, "plain_password": True}, pki=tmp_path)
        assert "was not sent" in await refusal(plain)
        assert not told(relay, SECRET.encode())

    run(main())


def test_what_is_taken_out_of_the_list_of_endpoints_is_missed(
    relay: Relay, login: dict[str, Any], tmp_path: Path
) -> None:
    async def main() -> None:
        more: dict[str, Any] = {"login": login, "pki": tmp_path}
        reader = await trusted(collector(at(relay), ONE, security="SignAndEncrypt", **more), tmp_path)
        strongest = b"SecurityPolicy#Aes256_Sha256_RsaPss"
        relay.says = lambda data: data.replace(strongest, b"SecurityPolicy#Xes256_Sha256_RsaPss")
        assert "signed list of endpoints differs" in await refusal(reader)
        relay.says = lambda data: data.replace(b"Policy#A", b"Policy#X").replace(b"Policy#B", b"Policy#X")
        assert "does not offer security SignAndEncrypt; it offers" in await refusal(reader)
        assert not told(relay, SECRET.encode())

    run(main())


def test_an_answer_that_makes_no_sense_is_no_bug_of_ours(relay: Relay) -> None:
    async def main() -> None:
        none = b"/\x00\x00\x00http://opcfoundation.org/UA/SecurityPolicy#None"
        for mode in (b"\x07", b"\xff"):
            relay.says = lambda data: data.replace(b"\x01\x00\x00\x00" + none, mode + b"\x00\x00\x00" + none)  # noqa: B023
            with pytest.raises(Unreachable, match="list its endpoints"):
                async with collector(at(relay), ONE).connect():
                    pass

    run(main())


def test_another_certificate_at_the_same_endpoint_is_refused_with_both_thumbprints(tmp_path: Path) -> None:
    async def main() -> None:
        pki = tmp_path / "agent"
        modes: dict[str, Any] = {"policies": ["Basic256Sha256"], "modes": ["Sign"]}
        with (
            opcua_server(tmp_path / "old", **modes) as old,
            opcua_server(tmp_path / "new", **modes) as new,
            Relay(old.opcua_port) as relay,
        ):
            config = device(at(relay), ONE, security="Sign")
            reader = OpcUaCollector(config, Box(SystemClock(trusted=True), pki=str(pki)))
            await trusted(reader, pki)
            async with reader.connect():
                pass
            (before,) = Pki(pki).entries("trusted")
            relay._target = new.opcua_port
            text = await refusal(reader)
            (now,) = Pki(pki).entries("rejected")
        assert "another certificate than before" in text
        assert before.thumbprint in text
        assert f"now it is {now.described()['subject']}, SHA-1 {now.thumbprint}" in text
        assert f"pki trust {now.thumbprint[:8]}" in text

    run(main())


class Granting(ReadOnlyTransport):
    """Hands on what a server grants, but with an interval that makes no sense."""

    interval = 0.0

    async def subscribe(self, parameters: ua.CreateSubscriptionParameters) -> ua.CreateSubscriptionResult:
        granted = await super().subscribe(parameters)
        granted.RevisedPublishingInterval = self.interval
        return granted


@pytest.mark.parametrize("interval", [0.0, -1.0, float("nan"), float("inf"), 60_000.0, 1e300])
def test_an_interval_that_no_server_can_mean_costs_nothing(vault: Plant, interval: float) -> None:
    async def main() -> None:
        reader = collector(vault.endpoint, ONE)

        def granting() -> Granting:
            transport = Granting(3.0, None)
            transport.interval = interval
            return transport

        reader.connection.transports = granting
        seen = Seen()
        async with reader.connect() as read:
            await seen.until(read, lambda: True in seen.values("bool") and len(seen.watermarks) > 5)

    run(main())


class Behind(ReadOnlyTransport):
    """Of a server whose clock is a day behind: so are the times at which it says it made its tokens."""

    async def open_secure_channel(self, params: ua.OpenSecureChannelParameters) -> ua.OpenSecureChannelResult:
        result = await super().open_secure_channel(params)
        result.SecurityToken.CreatedAt -= dt.timedelta(days=1)
        return result


def test_a_server_whose_clock_is_behind_loses_no_connection_when_the_channel_is_renewed(vault: Plant) -> None:
    async def main() -> None:
        reader = collector(vault.endpoint, ONE)

        def behind() -> Behind:
            transport = Behind(3.0, None)
            transport.channel_ms = 6000
            return transport

        reader.connection.transports = behind
        seen = Seen()
        async with reader.connect() as read:
            renewed: set[int] = set()
            while len(renewed) < 3:  # answers to Publish wait all the time, under the old token first
                seen.take(list(await read()))
                renewed.add(reader.connection.renew_at_ns)

    run(main())


class Forgetful(ReadOnlyTransport):
    """Of a server that sends nothing again."""

    status = 0

    async def republish(self, subscription: int, sequence: int) -> Publication:  # noqa: ARG002 - it does not even look
        raise UaStatusCodeError(self.status)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("status", [StatusCodes.BadServiceUnsupported, StatusCodes.BadInternalError])
def test_a_server_that_sends_nothing_again_gathers_no_subscriptions_that_nobody_listens_to(
    vault: Plant, status: int
) -> None:
    async def main() -> None:
        reader = collector(vault.endpoint, ONE)
        made: list[Forgetful] = []

        def forgetful() -> Forgetful:
            made.append(Forgetful(3.0, None))
            made[-1].status = status
            return made[-1]

        reader.connection.transports = forgetful
        for _ in range(4):
            seen = Seen()
            with contextlib.suppress(Unreachable):
                async with reader.connect() as read:
                    await seen.until(read, lambda: True in seen.values("bool"))  # noqa: B023 - awaited here
                    assert vault.tell("sessions")["subscriptions"] == 1
                    made[-1].disconnect_socket()
                    await seen.until(read, lambda: False)
        async with reader.connect():
            pass

    run(main())


class Liar(ReadOnlyTransport):
    """Hands on a server's answers, but all that it says of itself and its nodes is one strange value."""

    strange: tuple[int, bool, Any] = (0, False, None)

    async def read(self, parameters: ua.ReadParameters) -> list[Sample]:  # type: ignore[override]
        kind, array, value = self.strange
        return [it._replace(vtype=kind, array=array, value=value) for it in await super().read(parameters)]


STRANGE: tuple[tuple[int, bool, Any], ...] = (
    (1, False, True), (6, False, -1), (9, False, 2**64 - 1), (11, False, float("nan")), (12, False, "\udcff"),
    (12, True, ["\udcff", None]), (13, False, -(2**62)), (13, True, []), (14, False, uuid.UUID(int=0)),
    (15, False, None), (17, False, (0, None)), (17, False, (9, "\udcff")), (21, False, "\udcff"), (21, False, None),
    (22, False, Opaque((0, 122), b"\x01")), (22, False, Opaque((0, None), None)), (24, False, (6, False, 3)),
)  # fmt: skip


def test_a_server_may_say_anything_of_itself_and_costs_no_more_than_its_own_device(vault: Plant) -> None:
    async def main() -> None:
        for strange in STRANGE:
            reader = collector(vault.endpoint, ONE)

            def lying(strange: tuple[int, bool, Any] = strange) -> Liar:
                transport = Liar(3.0, None)
                transport.strange = strange
                return transport

            reader.connection.transports = lying
            seen = Seen()
            async with reader.connect() as read:
                # its subscription tells the truth
                await seen.until(read, lambda: bool(seen.of("catalog")) and True in seen.values("bool"))  # noqa: B023
            for fact in seen.facts:
                assert encode(dict(fact.body))  # can go over the wire

    run(main())
