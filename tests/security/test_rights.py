"""A certificate of one factory neither writes nor reads anything of another, whatever its owner tries.

Brokers are mosquitto with TLS, with the rules that `tsq-gateway access` makes, as ACL file and for the dynamic
security plugin. mosquitto answers nothing to a publication that it drops; so what is looked at is what comes out at
everybody else's side, and what a fresh subscriber finds retained.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
from typing import TYPE_CHECKING, Any, Self

import pytest

from contract.rights import AGENT, CLIENT, FACTORY, RIGHTS
from gateway import access
from gateway.verbs.access import write
from settings.broker import Broker
from tests.security.broker import Client
from tests.support.certificates import Authority
from tests.support.processes import Child, free_port, running, wait_for_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROGUE, NEIGHBOUR, VICTIM = "hanil.edge-1", "hanil.edge-2", "daehan.edge-1"
WORKER_USER, PLATFORM_USER, ADMINISTRATOR = "gateway.w-1", "techsquare", "root"
NAMES = {FACTORY: "daehan", AGENT: "edge-1", CLIENT: PLATFORM_USER}
EVIL = b"evil"


class Guarded:
    """A broker with generated rules, and whoever wants to connect to it."""

    def __init__(self, folder: Path, rules: str, *, users: str = "certificate") -> None:
        self.authority = Authority(folder / "pki")
        server = self.authority.issue("broker", server=True)
        self.port, self.worker_port = free_port(), free_port()
        self.list: dict[str, Any] = {
            "version": 1,
            "factories": [
                {"id": "hanil", "agents": [{"id": "edge-1"}, {"id": "edge-2", "reporter": True}]},
                {"id": "daehan", "agents": [{"id": "edge-1"}]},
            ],
            "workers": [{"id": "w-1"}, {"id": "w-2", "factories": ["hanil"]}],
            "platform": [{"user": PLATFORM_USER}],
            "mosquitto": {
                "rules": rules,
                "users": users,
                "administrator": ADMINISTRATOR,
                "folder": str(folder / "rules"),
                "ca": str(self.authority.file),
                "certificate": str(server.certificate),
                "key": str(server.key),
                "port": self.port,
                "address": "127.0.0.1",
                "worker_port": self.worker_port,
            },
        }
        (folder / "rules").mkdir()
        wanted, problems = access.read(json.dumps(self.list).encode())
        assert wanted is not None, problems
        self.rules = folder / "rules"
        if users == "password" and rules == "dynamic-security":
            run("mosquitto_ctrl", "dynsec", "init", self.rules / "dynamic-security.json", ADMINISTRATOR, "of-root")
        self.files = [*write(wanted, self.rules)]
        main = folder / "main.conf"
        main.write_text(f"user root\npersistence false\nlog_type all\ninclude_dir {folder / 'conf.d'}\n")
        (folder / "conf.d").mkdir()
        (folder / "conf.d" / "tsq.conf").write_text((folder / "rules" / "mosquitto.conf").read_text())
        self.broker = Child(["/usr/sbin/mosquitto", "-c", main], log=folder / "mosquitto.log", port=self.port)
        self._numbers = itertools.count()
        self._stack = contextlib.ExitStack()

    def login(self, user: str, password: str) -> Client:
        """Return somebody with a password, perhaps connected."""
        tls = {"ca": str(self.authority.file)}
        context = Broker.model_validate({"host": "127.0.0.1", "port": self.port, "tls": tls}).context()
        assert context is not None
        client = Client(user, context, login=(user, password))
        client.start(self.port)
        self._stack.callback(client.stop)
        return client

    def client(self, user: str, client_id: str | None = None, will: tuple[str, bytes] | None = None) -> Client:
        """Return somebody connected, by his own certificate; he goes at the end of the test."""
        port = self.worker_port if user.startswith("gateway.") else self.port
        pair = self.authority.issue(user)
        settings = Broker.model_validate(
            {"host": "127.0.0.1", "port": port, "tls": pair.settings(self.authority.file)}
        )
        context = settings.context()
        assert context is not None
        client = Client(client_id or f"{user}-{next(self._numbers)}", context, will).open(port)
        self._stack.callback(client.stop)
        return client

    def __enter__(self) -> Self:
        self._stack.enter_context(running(self.broker))
        wait_for_port(self.worker_port)  # it is opened after the other one
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def run(*words: str | Path) -> None:
    """Run a tool of mosquitto."""
    subprocess.run(words, check=True, capture_output=True, timeout=30)


@pytest.fixture(params=["acl", "dynamic-security"])
def guarded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Guarded]:
    with Guarded(tmp_path, request.param) as made:
        yield made


def filled(names: dict[str, str]) -> list[str]:
    """Return every topic of the wire with these names, complete."""
    found = []
    for right in RIGHTS:
        topic = right.topic
        for name, value in names.items():
            topic = topic.replace(name, value)
        found.append(topic.replace("birth/+/+", f"birth/{'ab' * 16}/1of1").replace("+", "x").replace("#", "x"))
    return found


def others_topics() -> list[str]:
    """Return what the rogue has no business to write: of another factory, another agent, gateway, broker."""
    return [
        *filled(NAMES),
        *filled(NAMES | {FACTORY: "hanil", AGENT: "edge-2"}),
        *filled(NAMES | {AGENT: "edge-9"}),
        "tsq/1/hanil/edge-1/stored", "tsq/1/hanil/edge-1/need_birth", "tsq/1/hanil/edge-1/req/report.get",
        "tsq/1/hanil/edge-1", "tsq/1/hanil/edge-1/", "tsq/1/hanil/edge-1/data/x", "tsq/1/hanil/edge-1x/data",
        "tsq/1/hanil//data", "tsq/1//edge-1/data", "/tsq/1/daehan/edge-1/data", "tsq/1/daehan/edge-1/data/",
        "tsq/0/daehan/edge-1/data", "tsq", "x", "$SYS/broker/version", "$CONTROL/dynamic-security/v1",
        "$share/tsq/tsq/1/daehan/edge-1/data", "tsq/1/\uff44aehan/edge-1/data", "TSQ/1/daehan/edge-1/data",
    ]  # fmt: skip


def everybody_listens(guarded: Guarded) -> dict[str, Client]:
    """Return the others, subscribed to all that they may read and to all that they may not."""
    found = {user: guarded.client(user) for user in (VICTIM, NEIGHBOUR, WORKER_USER, PLATFORM_USER)}
    for user, client in found.items():
        grant = next(one for one in access.grants(_list(guarded)) if one.user == user)
        client.subscribe(*(one for one in grant.filters if not one.startswith("$share")), "#", "$SYS/#")
    return found


def _list(guarded: Guarded) -> access.Access:
    wanted, _ = access.read(json.dumps(guarded.list).encode())
    assert wanted is not None
    return wanted


def sentinel(others: dict[str, Client], text: bytes) -> None:
    """Have everybody receive something that he may, behind everything that came before."""
    others[VICTIM].publish("tsq/1/daehan/edge-1/data", text)
    others[VICTIM].publish("tsq/1/daehan/edge-1/readiness", text)
    others[WORKER_USER].publish("tsq/1/daehan/edge-1/stored", text)
    others[WORKER_USER].publish("tsq/1/hanil/edge-2/stored", text)
    others[WORKER_USER].wait("tsq/1/daehan/edge-1/data", text)
    others[PLATFORM_USER].wait("tsq/1/daehan/edge-1/readiness", text)
    others[VICTIM].wait("tsq/1/daehan/edge-1/stored", text)
    others[NEIGHBOUR].wait("tsq/1/hanil/edge-2/stored", text)


def nothing_evil(others: dict[str, Client]) -> None:
    for user, client in others.items():
        assert not [topic for topic, payload, _ in client.received if EVIL in payload], user


def test_nothing_that_a_rogue_publishes_reaches_anybody_else(guarded: Guarded) -> None:
    others = everybody_listens(guarded)
    rogue = guarded.client(ROGUE)
    for topic in others_topics():
        for retain in (False, True):
            with contextlib.suppress(ValueError):  # paho itself refuses wildcards
                rogue.publish(topic, EVIL, retain=retain)
            if rogue.lost.is_set():  # mosquitto ends a connection that it finds malformed
                rogue = guarded.client(ROGUE)
    sentinel(others, b"after")
    nothing_evil(others)
    late = everybody_listens(guarded)
    sentinel(late, b"later")
    nothing_evil(late)


def test_no_will_of_a_rogue_is_published_where_he_may_not(guarded: Guarded) -> None:
    others = everybody_listens(guarded)
    for topic in ("tsq/1/daehan/edge-1/status", "tsq/1/daehan/edge-1/data", "tsq/1/_gateway/worker/w-1", "$SYS/x"):
        try:
            rogue = guarded.client(ROGUE, will=(topic, EVIL))
        except AssertionError:
            continue  # not even connected
        rogue.cut()
    sentinel(others, b"after")
    late = everybody_listens(guarded)
    sentinel(late, b"later")
    nothing_evil(others | late)


def everything_of_others(others: dict[str, Client], payload: bytes) -> None:
    """Have everybody write all that he may: once so, once retained."""
    for retain in (True, False):
        for topic in filled(NAMES):
            for client in others.values():
                client.publish(topic, payload, retain=retain)


def test_a_rogue_reads_nothing_of_others(guarded: Guarded) -> None:
    others = everybody_listens(guarded)
    rogue = guarded.client(ROGUE)
    filters = [
        "#", "+/#", "tsq/#", "tsq/1/#", "tsq/1/daehan/#", "tsq/1/daehan/edge-1/#", "tsq/1/+/+/data",
        "tsq/1/+/+/birth/+/+",
        "tsq/1/+/edge-1/stored", "tsq/1/hanil/+/data", "$share/mine/tsq/1/+/+/data", "$share/mine/#",
        "$share/mine/tsq/1/daehan/#", "tsq/1/_gateway/worker/+",
        "$SYS/#", "$CONTROL/#", "+/+/+/+/+", "tsq/1/_gateway/#", *filled(NAMES),
    ]  # fmt: skip
    for one in filters:
        rogue.subscribe(one)
    everything_of_others(others, b"secret")
    rogue_again = guarded.client(ROGUE, client_id="again")  # retained messages come with a subscription
    for one in filters:
        rogue_again.subscribe(one)
    for client in (rogue, rogue_again):
        if not client.lost.is_set():
            others[WORKER_USER].publish("tsq/1/hanil/edge-1/stored", b"for you")
            client.subscribe("tsq/1/hanil/edge-1/stored")
            others[WORKER_USER].publish("tsq/1/hanil/edge-1/stored", b"for you too")
            client.wait("tsq/1/hanil/edge-1/stored", b"for you too")
    seen = {
        topic for client in (rogue, rogue_again) for topic, payload, _ in client.received if payload == b"secret"
    }
    assert seen == {"tsq/1/_gateway/worker/x"}, "which every agent may read"


def test_a_rogue_cannot_take_over_a_connection(guarded: Guarded) -> None:
    victim = guarded.client(VICTIM, client_id="tsq-daehan-edge-1-site")
    victim.subscribe("tsq/1/daehan/edge-1/stored")
    for user in (ROGUE, NEIGHBOUR):
        for client_id in ("tsq-daehan-edge-1-site", VICTIM, "tsq-gateway-w-1", WORKER_USER):
            guarded.client(user, client_id=client_id)
    worker = guarded.client(WORKER_USER)
    worker.publish("tsq/1/daehan/edge-1/stored", b"still there")
    victim.wait("tsq/1/daehan/edge-1/stored", b"still there")
    assert not victim.lost.is_set()


def test_a_certificate_that_is_in_no_list_opens_nothing(guarded: Guarded) -> None:
    others = everybody_listens(guarded)
    for user in ("stranger", "daehan", "daehan.edge-1x", "#", "+", "admin"):
        rogue = guarded.client(user)
        for topic in filled(NAMES):
            rogue.publish(topic, EVIL, retain=True)
        rogue.subscribe("#", "tsq/1/_gateway/worker/+", *filled(NAMES))
        everything_of_others(others, b"secret")
        assert not [payload for _, payload, _ in rogue.received if payload == b"secret"], user
    sentinel(others, b"after")
    nothing_evil(others)


def test_everybody_can_do_what_he_has_to(guarded: Guarded) -> None:
    """The rights suffice: each topic of the wire goes from each of its writers to each of its readers."""
    clients = {user: guarded.client(user) for user in (ROGUE, NEIGHBOUR, VICTIM, WORKER_USER, PLATFORM_USER)}
    all_grants = {grant.user: grant for grant in access.grants(_list(guarded))}
    for user, client in clients.items():
        for one in all_grants[user].filters:
            if not one.startswith("$share"):
                assert client.subscribe(one) == [1], (user, one)
    tried = 0
    for user, client in clients.items():
        for topic in all_grants[user].writes:
            complete = topic.replace("+", "edge-1" if "evidence_ok" in topic else "x").replace("#", "x")
            body = f"{user} {complete}".encode()
            assert client.publish(complete, body) in {0, 16}, complete
            for reader, grant in all_grants.items():
                if reader in clients and any(_matches(one, complete) for one in grant.reads):
                    clients[reader].wait(complete, body)
                    tried += 1
    assert tried > 20


def _matches(pattern: str, topic: str) -> bool:
    parts, levels = pattern.split("/"), topic.split("/")
    if parts[-1] == "#":
        return levels[: len(parts) - 1] == parts[:-1]
    return len(parts) == len(levels) and all(p in {"+", level} for p, level in zip(parts, levels, strict=True))


def test_a_shared_subscription_is_nobodys_who_has_no_right_to_it(tmp_path: Path) -> None:
    """Under an ACL file a rogue could join the workers' group, and swallow messages."""
    with Guarded(tmp_path, "dynamic-security") as guarded:
        worker, victim, rogue = (guarded.client(user) for user in (WORKER_USER, VICTIM, ROGUE))
        assert worker.subscribe("$share/tsq/tsq/1/+/+/data") == [1]
        (code,) = rogue.subscribe("$share/tsq/tsq/1/+/+/data")
        assert code >= 0x80
        for number in range(20):
            victim.publish("tsq/1/daehan/edge-1/data", b"%d" % number)
        for number in range(20):
            worker.wait("tsq/1/daehan/edge-1/data", b"%d" % number)


def test_a_worker_of_one_factory_swallows_nothing_of_another(tmp_path: Path) -> None:
    """What a broker hands to a member of a shared subscription who may not have it comes to nobody else."""
    with Guarded(tmp_path, "dynamic-security") as guarded:
        narrow = guarded.client("gateway.w-2")
        assert narrow.subscribe("$share/tsq/tsq/1/+/+/data")[0] >= 0x80
        assert narrow.subscribe("$share/tsq/tsq/1/hanil/+/data", "tsq/1/+/+/birth/+/+") == [1, 1]
        wide, agent = guarded.client(WORKER_USER), guarded.client(VICTIM)
        assert wide.subscribe("$share/tsq/tsq/1/+/+/data") == [1]
        sent = [str(number).encode() for number in range(20)]
        for one in sent:
            agent.publish("tsq/1/daehan/edge-1/data", one)
        wide.wait("tsq/1/daehan/edge-1/data", sent[-1])
        assert [payload for _, payload, _ in wide.received] == sent
        assert narrow.received == []


@pytest.mark.parametrize("rules", ["acl", "dynamic-security"])
def test_users_may_have_passwords_instead(tmp_path: Path, rules: str) -> None:
    """As the tool says after it has written the files."""
    guarded = Guarded(tmp_path, rules, users="password")
    passwords = guarded.rules / "passwords"
    if rules == "acl":
        for number, user in enumerate((ROGUE, VICTIM)):
            run("mosquitto_passwd", *(() if number else ("-c",)), "-b", passwords, user, f"of-{user}")
    with guarded:
        if rules == "dynamic-security":
            for user in (ROGUE, VICTIM):
                login = ("-u", ADMINISTRATOR, "-P", "of-root")
                where = ("-h", "127.0.0.1", "-p", str(guarded.port), "--cafile", guarded.authority.file)
                run("mosquitto_ctrl", *where, *login, "dynsec", "setClientPassword", user, f"of-{user}")
        wrong = guarded.login(VICTIM, "of-somebody")
        assert wrong.failed.wait(20)
        victim, rogue = (guarded.login(user, f"of-{user}") for user in (VICTIM, ROGUE))
        for client in (victim, rogue):
            assert client.connected.wait(20)
        victim.subscribe("tsq/1/daehan/edge-1/status", "tsq/1/daehan/edge-1/stored")
        rogue.publish("tsq/1/daehan/edge-1/status", EVIL)
        rogue.publish("tsq/1/daehan/edge-1/stored", EVIL)
        victim.publish("tsq/1/daehan/edge-1/status", b"mine")
        victim.wait("tsq/1/daehan/edge-1/status", b"mine")
        nothing_evil({VICTIM: victim})
