"""A factory with everything on, over TLS and under generated rights: what arrives, what leaves, what stays secret.

Agent and gateway are processes of their own. The brokers' logs tell every message that they were given, also those
that they dropped; a client with all rights reads along at the platform.
"""

from __future__ import annotations

import base64
import contextlib
import http.server
import json
import os
import re
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from contract import codec
from contract.payload import Birth, BirthSignal, BirthSource, Block, Data, Stored, Times
from contract.rights import may_leave
from contract.topics import AgentTopics, split
from gateway.stores.base import StoreUnavailable
from gateway.stores.embedded import EmbeddedStore
from settings.broker import Broker
from tests.e2e.rig import agent_yaml, tool, until
from tests.peers.modbus import server as modbus_server
from tests.security.broker import Client, mosquitto
from tests.security.test_rights import Guarded
from tests.support.certificates import DAY, now
from tests.support.processes import Child, free_port, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.stores.base import Point

FACTORY, AGENT = "hanil", "edge-1"
SECRETS = {
    "KEY_PASSWORD": "kx7-Agent-Key-Passphrase",
    "PLATFORM_PASSWORD": "kx7-Platform-Password",
    "GATEWAY_KEY": "kx7-Gateway-Key-Passphrase",
    "CNC_PASSWORD": "kx7-Machine-Password",
    "STORE_TOKEN": "kx7-Store-Token",
    "STORE_PASSWORD": "kx7-Store-Password",
}
PUBLISHED = re.compile(r"Received PUBLISH from (\S+) \(d\d, q\d, r\d, m\d+, '([^']*)'")


class Factory:
    """A site's broker under generated rights, the platform's broker, a device, an agent, a gateway."""

    def __init__(self, folder: Path, rules: str, stack: contextlib.ExitStack) -> None:
        self.folder = folder
        self.site = Guarded(folder, rules)
        authority = self.site.authority
        server = authority.issue("platform-broker", server=True)
        passwords = folder / "platform.passwords"
        passwords.touch(mode=0o600)
        for user, secret in ((FACTORY, SECRETS["PLATFORM_PASSWORD"]), ("techsquare", "another")):
            subprocess.run(["mosquitto_passwd", "-b", passwords, user, secret], check=True, capture_output=True)
        lines = ("allow_anonymous false", f"password_file {passwords}")
        self.platform = mosquitto(folder / "platform", authority.file, server, identity=False, lines=lines)
        self.plc = modbus_server(folder / "plc", sequence=True)
        self.store = folder / "store.db"
        self.agent_pair = authority.issue(f"{FACTORY}.{AGENT}", password=SECRETS["KEY_PASSWORD"])
        self.agent = Child(
            [tool("tsq-agent"), "run", "--config", self._agent_file()], log=folder / "agent.log", env=self._env()
        )
        self.gateway = Child(
            [tool("tsq-gateway"), "run", "--config", self._gateway_file()],
            log=folder / "gateway.log",
            env=self._env(),
        )
        stack.enter_context(self.site)
        before = os.umask(0)  # as careless as can be: `test_nobody_else_on_the_machine_can_read_what_they_keep`
        try:
            for child in (self.platform, self.plc, self.gateway, self.agent):
                stack.enter_context(running(child))
        finally:
            os.umask(before)

    def _env(self) -> dict[str, str]:
        credentials = self.folder / "credentials"
        credentials.mkdir(exist_ok=True)
        pair = self.site.authority.issue("gateway.w-1", password=SECRETS["GATEWAY_KEY"])
        (credentials / "gateway-key").write_bytes(pair.key.read_bytes())
        self._secret(credentials / "gateway-key-password", SECRETS["GATEWAY_KEY"])
        return {name: SECRETS[name] for name in ("KEY_PASSWORD", "CNC_PASSWORD")} | {
            "CREDENTIALS_DIRECTORY": str(credentials)
        }

    @staticmethod
    def _secret(path: Path, text: str) -> Path:
        path.touch(mode=0o600)
        path.write_text(text)
        return path

    def _agent_file(self) -> Path:
        node = {"id": "x", "node": "ns=2;s=X", "type": "int32"}
        signals = [{"id": f"w{a}", "address": f"holding:{a}", "type": "uint16"} for a in (1, 2)]
        plc = {
            "id": "plc", "type": "modbus", "machine": "press", "host": "127.0.0.1", "port": self.plc.port,
            "timeout": "150ms", "groups": [{"id": "main", "every": "200ms", "signals": signals}],
        }  # fmt: skip
        cnc = {
            "id": "cnc", "type": "opcua", "machine": "press", "endpoint": f"opc.tcp://127.0.0.1:{free_port()}",
            "security": "None", "login": {"user": "tsq", "password": "env:CNC_PASSWORD"},
            "groups": [{"id": "main", "every": "1s", "signals": [node]}],
        }  # fmt: skip
        password = self._secret(self.folder / "platform.password", SECRETS["PLATFORM_PASSWORD"])
        ca = self.site.authority.file
        uplink = {
            "site": {
                "host": "127.0.0.1", "port": self.site.port,
                "tls": self.agent_pair.settings(ca, key_password="env:KEY_PASSWORD"),
            },
            "platform": {
                "host": "127.0.0.1", "port": self.platform.port, "tls": {"ca": str(ca)},
                "user": FACTORY, "password": f"file:{password}",
            },
        }  # fmt: skip
        return agent_yaml(
            self.folder, 1, [plc, cnc], [{"id": "press"}],
            factory=FACTORY, agent=AGENT, uplink=uplink, readiness={"report_every": "10s"},
        )  # fmt: skip

    def _gateway_file(self) -> Path:
        pair = self.site.authority.issue("gateway.w-1", password=SECRETS["GATEWAY_KEY"])
        tls = {
            "ca": str(self.site.authority.file), "certificate": str(pair.certificate),
            "key": "credential:gateway-key", "key_password": "credential:gateway-key-password",
        }  # fmt: skip
        config = {
            "worker": "w-1",
            "trust_local_clock": True,
            "mqtt": {"host": "127.0.0.1", "port": self.site.worker_port, "tls": tls},
            "store": {"type": "embedded", "path": str(self.store)},
            "dead_letters": {"directory": str(self.folder / "dead-letters")},
        }
        path = self.folder / "gateway.yaml"
        path.write_text(json.dumps(config))
        return path

    def run(self, *words: str) -> str:
        """Run a verb of `tsq-agent`; return all that it prints."""
        command: list[str | Path] = [tool("tsq-agent"), *words]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, env=os.environ | self._env()
        )
        return done.stdout + done.stderr

    def pull(self) -> None:
        """Pull a report as the platform does, over TLS."""
        command: list[str | Path] = [
            tool("techsquare"), "report", FACTORY, AGENT, "--user", "techsquare",
            "--broker", f"localhost:{self.platform.port}", "--ca", self.site.authority.file,
        ]  # fmt: skip
        env = os.environ | {"TECHSQUARE_MQTT_PASSWORD": "another"}
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=env)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)

    def stored(self) -> int:
        """Return how many values of the first signal are in the store."""
        try:
            store = EmbeddedStore(self.store, read_only=True)
        except StoreUnavailable:  # it is being made
            return 0
        try:
            return sum("w1_i" in point.fields for point in store.read("press", 0, 2**63 - 1))
        finally:
            store.close()

    def points(self, owner: str) -> list[Point]:
        """Return all points of a factory."""
        store = EmbeddedStore(self.store, read_only=True)
        try:
            found = [point for name in store.measurements() for point in store.read(name, 0, 2**63 - 1)]
        finally:
            store.close()
        return [point for point in found if dict(point.tags).get("factory") == owner]

    def logs(self) -> str:
        """Return the end of all logs, for a failure."""
        return "\n".join(child.output()[-3000:] for child in (self.agent, self.gateway, self.site.broker))

    def reader(self) -> Client:
        """Return a client that reads all that passes at the platform."""
        broker = Broker.model_validate(
            {"host": "127.0.0.1", "port": self.platform.port, "tls": {"ca": str(self.site.authority.file)}}
        )
        context = broker.context()
        assert context is not None
        client = Client("reader", context, login=("techsquare", "another")).open(self.platform.port or 0)
        assert client.subscribe("#") == [1]
        return client


BOTH_RULES = pytest.mark.parametrize("factory", ["acl", "dynamic-security"], indirect=True, scope="module")
ONE_RULE = pytest.mark.parametrize("factory", ["dynamic-security"], indirect=True, scope="module")


@pytest.fixture(scope="module")
def factory(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Factory]:
    with contextlib.ExitStack() as stack:
        yield Factory(tmp_path_factory.mktemp("factory"), request.param, stack)


@BOTH_RULES
def test_the_generated_rights_are_enough_for_agent_and_gateway(factory: Factory) -> None:
    until(lambda: factory.stored() > 5, 60, "nothing is stored")
    factory.site.broker.restart()
    before = factory.stored()
    until(lambda: factory.stored() > before + 5, 60, "nothing more is stored")
    for child in (factory.agent, factory.gateway):
        assert "check its access rules" not in child.output(), child.output()[-3000:]
    denied = [line for line in factory.site.broker.output().splitlines() if "Denied PUBLISH" in line]
    assert not [line for line in denied if "tsq-probe/" not in line], "beside the probe's try to leave its branch"


@ONE_RULE
def test_only_the_platforms_topics_leave_for_the_platform(factory: Factory) -> None:
    reader = factory.reader()
    try:
        until(lambda: any(t.endswith("/readiness") for t, _, _ in reader.received), 60, "no report")
        response = f"tsq/1/{FACTORY}/{AGENT}/rsp/techsquare"
        reader.request(f"tsq/1/{FACTORY}/{AGENT}/req/report.get", b"{}", response)
        reader.wait(response)
        factory.pull()
        factory.platform.restart()
        again = factory.reader()
        until(lambda: any(t.endswith("/readiness") for t, _, _ in again.received), 60, "no report after a restart")
        again.stop()
    finally:
        reader.stop()
    sent = {topic for user, topic in PUBLISHED.findall(factory.platform.output()) if user.startswith("tsq-")}
    # The manifest goes out when the office first sees a whole report: on a slow machine that is within the test.
    assert {split(topic)[1][0] for topic in sent} - {"manifest"} == {"readiness", "rsp"}
    assert all(may_leave(topic, "platform") for topic in sent)
    for _, payload, _ in reader.received:
        assert b"w1_i" not in payload
        assert not payload.startswith(b"\x28\xb5\x2f\xfd"), "a compressed batch"


@ONE_RULE
def test_nothing_of_the_platforms_goes_to_the_factorys_broker(factory: Factory) -> None:
    until(lambda: factory.stored() > 5, 60, "nothing is stored")
    published = PUBLISHED.findall(factory.site.broker.output())
    sent = {topic for user, topic in published if user == f"{FACTORY}.{AGENT}"}
    assert {split(topic)[1][0] for topic in sent} == {"status", "birth", "data"}
    assert all(may_leave(topic, "site") for topic in sent)


@BOTH_RULES
def test_a_rogue_leaves_nothing_in_the_store_and_frees_nothing(factory: Factory) -> None:
    """He has a certificate of another factory, and knows everything about this one but its secrets."""
    until(lambda: factory.stored() > 0, 60, "nothing is stored")
    signal = BirthSignal(id="w1", machine="press", name="w1", dtype="uint16")
    births = {}
    for owner in ((FACTORY, AGENT), ("daehan", "edge-1")):
        source = BirthSource("plc.main", "plc", "modbus", "poll", 500 * 10**6, [signal])
        body = codec.encode(Birth(owner[0], "main", owner[1], [source]))
        births[codec.digest(body)] = codec.compress(body)
    time_ns = 1_700_000_000 * 10**9
    rogue = factory.site.client("daehan.edge-1")
    for branch in (AgentTopics(FACTORY, AGENT), AgentTopics(FACTORY, "edge-2"), AgentTopics("daehan", "edge-1")):
        for digest, body in births.items():
            zstd = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            zstd.ContentType = codec.CONTENT_TYPE_ZSTD
            rogue.publish(branch.birth(digest, 1, 1), body, retain=True, properties=zstd)
            block = Block(1, "plc.main", [0], Times(str(time_ns), [0]), [666])
            data = Data("rogue", [(1, "ab" * 8)], digest, [block])
            rogue.publish(branch.data, codec.compress(codec.encode(data)), properties=zstd)
        stored = Stored("rogue", [(1, "ab" * 8)], str(time_ns), clock_trusted=True, worker="w-1")
        rogue.publish(branch.stored, codec.encode(stored))
    until(lambda: factory.points("daehan"), 60, "his own data, in his own branch, is stored as anybody's")
    before = factory.stored()
    until(lambda: factory.stored() > before + 2, 60, "the agent is disturbed")
    own = factory.points("daehan")
    assert [(point.time_ns, point.fields) for point in own] == [(time_ns, {"w1_i": 666})]
    assert not [
        point for point in factory.points(FACTORY) if point.time_ns <= time_ns or 666 in point.fields.values()
    ]


def listening(child: Child) -> set[str]:
    """Return the local addresses on which a process listens (TCP) or receives (UDP)."""
    assert child.process is not None
    pid = child.process.pid
    inodes = set()
    for entry in os.scandir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            if match := re.fullmatch(r"socket:\[(\d+)\]", str(Path(entry.path).readlink())):
                inodes.add(match[1])
    found = set()
    for name in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/{pid}/net/{name}").read_text("ascii").splitlines()[1:]:
            fields = line.split()
            if fields[9] in inodes and (name.startswith("udp") or fields[3] == "0A"):
                found.add(f"{name} {fields[1]}")
    return found


@ONE_RULE
def test_nothing_listens_that_is_not_configured(factory: Factory) -> None:
    until(lambda: factory.stored() > 0, 60, "nothing is stored")
    assert listening(factory.site.broker), "this can see a socket that listens"
    assert listening(factory.agent) == set()
    assert listening(factory.gateway) == set()


@ONE_RULE
def test_no_secret_is_anywhere_but_where_it_was_put(factory: Factory) -> None:
    """Logs, states, spools, reports and process titles of a run with refusals hold none of the secrets."""
    until(lambda: factory.stored() > 5, 60, "nothing is stored")
    config = str(factory.folder / "agent.yaml")
    said = "".join(
        factory.run(*words)
        for words in (
            ("check", "--connect", config),
            ("status", "--json", "--config", config),
            ("diff", config, "--config", config),
        )
    )
    (factory.folder / "platform.password").write_text("kx7-Platform-Password\nkx7-Platform-Password-2")  # torn
    factory.platform.restart()
    until(lambda: "keep the secret alone" in factory.agent.output(), 60, "the agent says nothing of it")
    factory._secret(factory.folder / "platform.password", SECRETS["PLATFORM_PASSWORD"])
    for child in (factory.agent, factory.gateway):
        assert child.process is not None
        said += Path(f"/proc/{child.process.pid}/cmdline").read_text("utf-8")
    assert "kx7-" not in said
    with_secrets = {"platform.password", "gateway-key-password"}
    for path in factory.folder.rglob("*"):
        if path.is_file() and path.name not in with_secrets:
            content = path.read_bytes()
            for secret in SECRETS.values():
                assert secret.encode() not in content, path
                assert base64.b64encode(secret.encode()) not in content, path


@ONE_RULE
def test_nobody_else_on_the_machine_can_read_what_they_keep(factory: Factory) -> None:
    until(lambda: factory.stored() > 0, 60, "nothing is stored")
    kept = [factory.folder / "agent", factory.folder / "dead-letters", factory.store]
    inner = [path for root in kept if root.is_dir() for path in root.rglob("*")]
    assert any(path.is_socket() for path in inner)
    for path in (*kept, *inner):
        with contextlib.suppress(FileNotFoundError):  # files come and go
            assert path.lstat().st_mode & 0o077 == 0, path


@ONE_RULE
def test_an_expired_certificate_is_said_and_a_renewed_one_needs_no_restart(factory: Factory) -> None:
    user, secret = f"{FACTORY}.{AGENT}", SECRETS["KEY_PASSWORD"]
    config = str(factory.folder / "agent.yaml")
    until(lambda: factory.stored() > 0, 60, "nothing is stored")
    try:
        factory.site.authority.issue(user, password=secret, begin=now() - 9 * DAY, end=now() - DAY)
        factory.site.broker.restart()
        until(lambda: "our certificate has expired: renew" in factory.agent.output(), 60, factory.logs())
        status = factory.run("--lang", "ko", "status", "--config", config)
        assert "인증서가 만료되었다고 합니다" in status
        before = factory.stored()
    finally:
        factory.site.authority.issue(user, password=secret, end=now() + 10 * DAY)
    until(lambda: factory.stored() > before, 60, factory.logs())
    words = ("--lang", "en", "status", "--config", config)
    until(lambda: "our certificate expires in 9 days" in factory.run(*words), 60, factory.logs())


@ONE_RULE
def test_a_pair_that_is_half_renewed_at_the_start_keeps_nobody_from_collecting(factory: Factory) -> None:
    user, secret = f"{FACTORY}.{AGENT}", SECRETS["KEY_PASSWORD"]
    until(lambda: factory.stored() > 0, 60, "nothing is stored")
    factory.agent.stop()
    old = factory.agent_pair.key.read_bytes()
    factory.site.authority.issue(user, password=secret)
    renewed = factory.agent_pair.key.read_bytes()
    factory.agent_pair.key.write_bytes(old)
    try:
        factory.agent.start()
        until(lambda: "is not the key of" in factory.agent.output(), 60, factory.logs())
        before = factory.stored()
        assert factory.agent.process is not None
        assert factory.agent.process.poll() is None
    finally:
        factory.agent_pair.key.write_bytes(renewed)
    until(lambda: factory.stored() > before, 60, factory.logs())


class Echo(http.server.BaseHTTPRequestHandler):
    """A database, or a proxy before it, that answers with everything that it was asked."""

    def do_POST(self) -> None:
        body = f"refused: {dict(self.headers)}".encode()
        self.send_response(401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST  # noqa: N815 - the library's name

    def log_message(self, *_: Any) -> None:
        pass


@pytest.mark.parametrize(
    "store",
    [
        {"type": "influxdb2", "bucket": "b", "token": "env:STORE_TOKEN"},
        {"type": "influxdb1", "database": "b", "user": "u", "password": "env:STORE_PASSWORD"},
    ],
    ids=["token", "password"],
)
def test_a_database_that_repeats_what_it_was_sent_brings_no_secret_into_the_log(
    tmp_path: Path, store: dict[str, str]
) -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    config = {
        "mqtt": {"host": "127.0.0.1", "port": free_port()},
        "store": {**store, "url": f"http://127.0.0.1:{server.server_port}"},
        "dead_letters": {"directory": str(tmp_path / "letters")},
    }
    (tmp_path / "gateway.yaml").write_text(json.dumps(config))
    command: list[str | Path] = [tool("tsq-gateway"), "run", "--config", tmp_path / "gateway.yaml"]
    try:
        with running(Child(command, log=tmp_path / "gateway.log", env=SECRETS)) as child:
            until(
                lambda: "401" in child.output() or "refused" in child.output(), 30, "it does not ask the database"
            )
    finally:
        server.shutdown()
        server.server_close()
    for secret in (SECRETS["STORE_TOKEN"], SECRETS["STORE_PASSWORD"]):
        assert secret not in child.output()
        assert base64.b64encode(f"u:{secret}".encode()).decode() not in child.output()
