"""Ids that look like levels of topics: refused where they cannot stand, and confusing nobody where they can."""

from __future__ import annotations

import contextlib
import itertools
import json
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from pydantic import TypeAdapter, ValidationError

from agent.uplink import PLATFORM, SITE, Uplink
from contract import codec, topics
from contract.errors import WireError
from contract.payload import Status, Stored
from contract.rights import RIGHTS, may_leave
from gateway import access
from gateway.births import Births
from gateway.deadletter import DeadLetters
from gateway.ingest import Ingest
from settings.base import TopicId
from settings.broker import Broker
from tests.gateway.builders import BIRTH, BIRTH_HASH, BRANCH, FixedClock, MemoryStore, birth_messages, message, wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

IDS: TypeAdapter[str] = TypeAdapter(TopicId)
BAD = (
    "", "_gateway", "+", "#", "$share", "$SYS", "a/b", "/", "edge 1", "Edge-1", "edge_1", "edge-1\n", "\nedge-1",
    "edge-1 ", "edge\x00", "edge\x1b[2J", "\u0435dge-1", "edge\u20101", "\uff45dge-1", "edge-\u0661", "e" * 33,
    "..", ".", "%2f", "엣지-1",
)  # fmt: skip
WORDS = (
    "data", "stored", "birth", "status", "req", "rsp", "need-birth", "worker", "probe", "tsq", "1", "-", "day",
    "gateway",
)  # fmt: skip


@pytest.mark.parametrize("bad", BAD)
def test_an_id_that_is_no_level_is_refused_everywhere(bad: str) -> None:
    with pytest.raises(ValidationError):
        IDS.validate_python(bad)
    for factory, agent in ((bad, "edge-1"), ("hanil", bad)):
        with pytest.raises(WireError):
            topics.AgentTopics(factory, agent)
        with contextlib.suppress(WireError):  # a slash makes another topic, which nobody reads
            assert topics.split(f"tsq/1/{factory}/{agent}/data")[1] != ["data"]
        listed = {"version": 1, "factories": [{"id": factory, "agents": [{"id": agent}]}]}
        wanted, problems = access.read(json.dumps(listed).encode())
        assert wanted is None
        assert problems


class Gateway:
    """An ingest with a store in memory."""

    def __init__(self, folder: Path) -> None:
        clock = FixedClock()
        self.store = MemoryStore()
        self.letters = DeadLetters(folder / "letters", 10**7, "w", clock)
        self.ingest = Ingest("w", self.store, Births(), self.letters, clock)

    def handle(self, topic: str, payload: bytes) -> list[str]:
        """Return the topics of what it answers."""
        return [one.topic for one in self.ingest.handle(topic, payload, codec.CONTENT_TYPE_ZSTD)]


@pytest.fixture
def gateways(tmp_path: Path) -> Iterator[Callable[[], Gateway]]:
    """Make gateways that know nothing yet."""
    with contextlib.ExitStack() as stack:
        numbers = itertools.count()

        def make() -> Gateway:
            made = Gateway(tmp_path / str(next(numbers)))
            stack.callback(made.letters.close)
            return made

        yield make


@pytest.mark.parametrize("bad", BAD)
def test_a_message_under_such_an_id_changes_nothing_at_the_gateway(
    gateways: Callable[[], Gateway], bad: str
) -> None:
    gateway = gateways()
    for topic, payload in birth_messages():
        gateway.handle(topic, payload)
    for factory, agent in ((bad, "edge-1"), ("hanil", bad), (bad, bad)):
        assert gateway.handle(f"tsq/1/{factory}/{agent}/data", wire(message(1))) == []
    assert not gateway.store.held
    assert gateway.ingest.counts["malformed"] == 3
    assert gateway.handle(BRANCH.data, wire(message(1))) == [BRANCH.stored]


@pytest.mark.parametrize("word", WORDS)
def test_an_agent_or_a_factory_named_like_a_level_is_as_good_as_any(
    gateways: Callable[[], Gateway], word: str
) -> None:
    for factory, agent in ((word, "edge-1"), ("hanil", word), (word, word)):
        gateway = gateways()
        branch = topics.AgentTopics(IDS.validate_python(factory), IDS.validate_python(agent))
        assert topics.split(branch.data) == (branch, ["data"])
        body = codec.encode(replace(BIRTH, factory=factory, agent=agent))
        gateway.handle(branch.birth(codec.digest(body), 1, 1), codec.compress(body))
        sent = replace(message(1), birth=codec.digest(body))
        (answer,) = gateway.ingest.handle(branch.data, wire(sent), codec.CONTENT_TYPE_ZSTD)
        assert answer.topic == branch.stored
        assert codec.decode(answer.payload, Stored).stored == sent.entries
        assert {dict(tags)["factory"] for _, tags, _ in gateway.store.held} == {factory}


def test_rights_of_agents_named_like_levels_never_overlap() -> None:
    names = [*WORDS, "edge-1"]
    listed = {
        "version": 1,
        "factories": [{"id": name, "agents": [{"id": one} for one in names]} for name in names],
        "mosquitto": {"administrator": "root"},
    }
    wanted, problems = access.read(json.dumps(listed).encode())
    assert wanted is not None, problems
    held = {grant.user: grant for grant in access.grants(wanted)}
    assert len(held) == len(names) ** 2
    branches = {user: "/".join(grant.writes[0].split("/")[:4]) for user, grant in held.items()}
    assert len(set(branches.values())) == len(held)
    for user, grant in held.items():
        for one in (*grant.writes, *(topic for topic in grant.reads if topic != "tsq/1/_gateway/worker/+")):
            levels = one.split("/")
            assert "/".join(levels[:4]) == branches[user]
            assert "+" not in levels[:4]
            assert "#" not in levels


def test_a_birth_of_somebody_else_is_of_no_use_to_a_rogue(gateways: Callable[[], Gateway]) -> None:
    gateway = gateways()
    for topic, payload in birth_messages():
        gateway.handle(topic, payload)
    body = codec.encode(BIRTH)
    for factory, agent in (("daehan", "edge-1"), ("hanil", "edge-2")):
        rogue = topics.AgentTopics(factory, agent)
        assert gateway.handle(rogue.data, wire(message(1))) == [], "data under the victim's birth"
        assert gateway.handle(rogue.birth(BIRTH_HASH, 1, 1), codec.compress(body)) == [], (
            "the victim's birth, known"
        )
        assert gateway.handle(rogue.data, wire(message(1))) == []
        fresh = gateways()
        fresh.handle(rogue.birth(BIRTH_HASH, 1, 1), codec.compress(body))
        assert fresh.ingest.counts["malformed"] == 1, "the victim's birth under the rogue's branch"
        assert fresh.handle(rogue.data, wire(message(1))) == [rogue.need_birth]
        assert not fresh.store.held
    assert not gateway.store.held
    assert gateway.handle(BRANCH.data, wire(message(1))) == [BRANCH.stored], (
        "and the victim is none the worse for it"
    )


def test_an_uplink_holds_back_what_is_not_for_its_broker(caplog: pytest.LogCaptureFixture) -> None:
    agent = topics.AgentTopics("hanil", "edge-1")
    where = Broker.model_validate({"host": "127.0.0.1"})
    status = Status(online=True, boot="b", time="0", version="0")
    for carries, mine, others in (
        (PLATFORM, agent.readiness, (agent.data, agent.status, agent.birth("ab" * 16, 1, 1), agent.stored)),
        (SITE, agent.data, (agent.readiness, agent.response("x"), agent.request("x"))),
    ):
        uplink = Uplink(where, agent, lambda _: status, carries=carries)
        caplog.clear()
        uplink.publish(mine, b"", wait_s=0)
        assert not caplog.messages
        for topic in others:
            assert not uplink.publish(topic, b"", wait_s=0)
            assert f"{topic} is not for 127.0.0.1:1883" in caplog.messages[-1]


def test_each_topic_leaves_on_one_uplink_and_no_other() -> None:
    agent = topics.AgentTopics("hanil", "edge-1")
    site = {agent.status, agent.data, agent.birth("ab" * 16, 1, 2), f"{agent.root}/evidence"}
    platform = {
        agent.readiness, agent.response("techsquare"), f"{agent.root}/manifest", f"{agent.root}/day/2026-11-22",
        f"{agent.root}/event/stale",
    }  # fmt: skip
    nowhere = {
        agent.stored, agent.need_birth, agent.request("report.get"), f"{agent.root}/data/x", f"{agent.root}/other",
        f"{agent.root}/rsp", f"{agent.root}/rsp/a/b", f"{agent.root}/birth/{'ab' * 16}",
    }  # fmt: skip
    for topic, uplink in itertools.product(site | platform | nowhere, ("site", "platform")):
        assert may_leave(topic, uplink) == (topic in {"site": site, "platform": platform}[uplink]), (topic, uplink)  # type: ignore[arg-type]
    raw = [right for right in RIGHTS if right.topic.endswith(("/data", "/birth/+/+", "/evidence", "/status"))]
    assert {right.uplink for right in raw} == {"site"}
