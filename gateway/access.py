"""The list of everybody who may connect to a broker, and what each of them may do there by `contract.rights`.

An operator keeps the list; `tsq-gateway access` makes the broker's files of it. A user is what the broker calls
somebody: the common name of his certificate, or the name that goes with a password.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import AfterValidator, Field

from contract.rights import AGENT, CLIENT, FACTORY, RIGHTS, Role
from settings.base import Flag, IpAddress, Model, Port, TopicId, TopicLevel, form
from settings.language import Complaint, Text
from settings.load import read as read_file
from settings.path import FullPath
from settings.suggest import nearest
from settings.tree import List, Map, Problem, locate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from contract.rights import Right

_USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_CLIENT = re.compile(r"[A-Za-z0-9_-]{1,64}")
_BEGIN = Text(
    "begin with `version: 1` and `factories:`, see docs/security.md",
    "`version: 1`과 `factories:`부터 쓰십시오(docs/security.ko.md 참고)",
)


def _user(value: str) -> str:
    if not _USER.fullmatch(value):
        raise Complaint(
            "a user is 1 to 64 of letters, digits, '.', '_' and '-': it stands in certificates and access rules",
            "사용자 이름은 영문, 숫자, '.', '_', '-'로 64자 이내로 쓰십시오(인증서와 권한 파일에 쓰입니다)",
        )
    return value


def _client(value: str) -> str:
    if not _CLIENT.fullmatch(_user(value)):
        raise Complaint(
            "a platform's user is also the last level of its answers' topic: use letters, digits, '_' and '-'",
            "플랫폼 사용자 이름은 응답 토픽에도 쓰입니다. 영문, 숫자, '_', '-'로 쓰십시오",
        )
    return value


User = Annotated[str, AfterValidator(_user), form("user: letters, digits, `.`, `_`, `-`")]
"""Name of a user at the broker."""
ClientName = Annotated[str, AfterValidator(_client), form("user: letters, digits, `_`, `-`")]
"""Name of a user of the platform."""


class AgentEntry(Model):
    """One box."""

    id: TopicId = Field(description="`agent` of its file")
    reporter: Flag = Field(default=False, description="signs for its factory, and confirms the others' evidence")
    user: User | None = Field(None, description="`FACTORY.AGENT` when absent")


class FactoryEntry(Model):
    """One factory."""

    id: TopicId = Field(description="`factory` of its agents' files")
    agents: tuple[AgentEntry, ...] = Field(min_length=1, description="its boxes")


class WorkerEntry(Model):
    """One gateway worker."""

    id: TopicId = Field(description="`worker` of its file")
    factories: tuple[TopicId, ...] = Field(
        (),
        description="whose data it stores; all of this list when absent. One of several factories is also "
        "written as `factory` into the worker's file",
    )
    user: User | None = Field(None, description="`gateway.WORKER` when absent")


class PlatformEntry(Model):
    """One user of the platform."""

    user: ClientName = Field(description="also the last level of the topic of answers to it")
    factories: tuple[TopicId, ...] = Field((), description="whom it may ask; all of this list when absent")


class MonitorEntry(Model):
    """One screen or program that shows who is there."""

    user: User = Field(description="its name")
    factories: tuple[TopicId, ...] = Field((), description="which it may see; all of this list when absent")


class SparkplugEntry(Model):
    """An agent's output by Sparkplug B: a user of its own, for it is a connection of its own."""

    user: User = Field(description="its name")
    group: TopicLevel = Field(description="`sparkplug.group` of the agent's file")
    edge_node: TopicLevel = Field(description="`sparkplug.edge_node` of the agent's file, or the agent's id")


class ScadaEntry(Model):
    """A host application that reads Sparkplug B."""

    user: User = Field(description="its name")
    group: TopicLevel = Field(description="the group that it reads")
    host: TopicLevel = Field(description="its host id")


class MosquittoEntry(Model):
    """How the broker's own files are to be; paths are those on its machine."""

    rules: Literal["acl", "dynamic-security"] = Field(
        "acl",
        description="an ACL file, or the dynamic security plugin; only the plugin also checks subscriptions, "
        "which several gateway workers need",
    )
    users: Literal["certificate", "password"] = Field(
        "certificate", description="a user is the common name of a certificate, or has a password"
    )
    folder: FullPath = Field(Path("/etc/mosquitto/tsq"), description="where the rules will stand")
    ca: FullPath = Field(
        Path("/etc/mosquitto/certs/ca.pem"), description="who signs the clients' certificates, PEM"
    )
    certificate: FullPath = Field(Path("/etc/mosquitto/certs/broker.pem"), description="of the broker, PEM")
    key: FullPath = Field(Path("/etc/mosquitto/certs/broker.key"), description="of the broker, PEM")
    port: Port = Field(8883, description="for agents and the platform")
    address: IpAddress | None = Field(None, description="where that listens; everywhere when absent")
    worker_port: Port = Field(8884, description="for gateway workers")
    worker_address: IpAddress = Field(
        "127.0.0.1", description="where that listens: out of the agents' reach, for client ids are free there"
    )
    plugin: FullPath = Field(
        Path("/usr/lib/x86_64-linux-gnu/mosquitto_dynamic_security.so"), description="the plugin's library"
    )
    administrator: User | None = Field(
        None, description="a user who may change the plugin's rules at run time, with mosquitto_ctrl"
    )


class Access(Model):
    """Who may connect to one broker."""

    version: Literal[1] = Field(description="version of this format")
    uplink: Literal["site", "platform", "both"] = Field(
        "both", description="what the broker carries: raw data (`site`), reports (`platform`), or both"
    )
    factories: tuple[FactoryEntry, ...] = Field(min_length=1, description="factories and their agents")
    workers: tuple[WorkerEntry, ...] = Field((), description="gateway workers")
    platform: tuple[PlatformEntry, ...] = Field((), description="users of the platform")
    monitors: tuple[MonitorEntry, ...] = Field((), description="who may see which agents are there")
    sparkplug: tuple[SparkplugEntry, ...] = Field((), description="outputs to a SCADA system")
    scada: tuple[ScadaEntry, ...] = Field((), description="SCADA systems that read them")
    mosquitto: MosquittoEntry = Field(default_factory=MosquittoEntry, description="how its files are to be")


@dataclass(frozen=True, slots=True)
class Grant:
    """What one user may do. All topics are filters of MQTT.

    Attributes:
        user: His name at the broker.
        writes: What he may publish.
        reads: What he may receive.
        filters: What he may subscribe to, where a broker checks that too; what comes of it is limited by `reads`.
    """

    user: str
    writes: tuple[str, ...]
    reads: tuple[str, ...]
    filters: tuple[str, ...]


def read(raw: bytes) -> tuple[Access | None, Sequence[Problem]]:
    """Return the list that a file's content means, or None and what is wrong with it, sorted by line."""
    return read_file(raw, Access, _BEGIN, check)


def grants(access: Access) -> Iterator[Grant]:
    """Yield what each user may do, in the order of the list."""
    everywhere = tuple(factory.id for factory in access.factories)
    uplinks = {"site", "platform"} if access.uplink == "both" else {access.uplink}
    rights = [right for right in RIGHTS if right.uplink in uplinks]
    for factory in access.factories:
        for agent in factory.agents:
            holders = [_Holder(Role.AGENT, {FACTORY: factory.id, AGENT: agent.id, CLIENT: "+"})]
            if agent.reporter:
                holders.append(_Holder(Role.REPORTER, {FACTORY: factory.id, AGENT: "+"}))
            yield _grant(agent.user or f"{factory.id}.{agent.id}", rights, holders)
    others = (
        *((Role.WORKER, worker.user or f"gateway.{worker.id}", worker.factories) for worker in access.workers),
        *((Role.PLATFORM, entry.user, entry.factories) for entry in access.platform),
        *((Role.MONITOR, entry.user, entry.factories) for entry in access.monitors),
    )
    for role, user, served in others:
        names = [{FACTORY: name, AGENT: "+", CLIENT: user} for name in served or everywhere]
        yield _grant(
            user, rights, [_Holder(role, one) for one in names], some={*served} not in ({*()}, {*everywhere})
        )
    yield from _sparkplug(access)


def _sparkplug(access: Access) -> Iterator[Grant]:
    """Yield what Sparkplug needs: topics of its specification, beside our own."""
    for entry in access.sparkplug:
        group, node = f"{SPARKPLUG}/{entry.group}", entry.edge_node
        writes = [f"{group}/N{kind}/{node}" for kind in _SAID] + [f"{group}/D{kind}/{node}/+" for kind in _SAID]
        reads = (f"{group}/NCMD/{node}", f"{group}/DCMD/{node}/+", f"{SPARKPLUG}/STATE/+")
        state = f"{SPARKPLUG}/STATE/#"
        yield Grant(entry.user, tuple(writes), reads, (*reads, state))
    for host in access.scada:
        group, state = f"{SPARKPLUG}/{host.group}", f"{SPARKPLUG}/STATE/{host.host}"
        writes = [state, f"{group}/NCMD/+", f"{group}/DCMD/+/+"]
        yield Grant(host.user, tuple(writes), (f"{group}/#", state), (f"{group}/#", f"{SPARKPLUG}/#", state))


SPARKPLUG = "spBv1.0"
_SAID = ("BIRTH", "DATA", "DEATH")


class _Holder(NamedTuple):
    """A role that somebody has, and what stands for the names in braces."""

    role: Role
    names: Mapping[str, str]


def _grant(user: str, rights: Sequence[Right], holders: Sequence[_Holder], *, some: bool = False) -> Grant:
    """Return what follows from somebody's roles.

    Args:
        user: His name at the broker.
        rights: Of this broker.
        holders: His roles.
        some: Whether he serves some of the factories only. Then he may not share the messages of all of them: the
            broker would hand him those of the others, hold them back from him, and they would be gone.
    """
    writes: dict[str, None] = {}  # sets in the order of their first additions
    reads: dict[str, None] = {}
    filters: dict[str, None] = {}
    for role, names in holders:
        for right in rights:
            topic = _filled(right.topic, names)
            if role in right.writers:
                writes[topic] = None
            if role in right.readers:
                reads[topic] = filters[topic] = None
                if role in _ALL_AT_ONCE:
                    wide = _filled(right.topic, {**names, FACTORY: "+"})
                    filters[wide] = None
                    if role is Role.WORKER:
                        shared = (topic,) if some and wide != topic else (topic, wide)
                        filters.update((f"$share/{share}/{one}", None) for share in SHARES for one in shared)
    return Grant(user, tuple(writes), tuple(reads), tuple(filters))


def _filled(topic: str, names: Mapping[str, str]) -> str:
    for name, value in names.items():
        topic = topic.replace(name, value)
    return topic


_ALL_AT_ONCE = frozenset({Role.WORKER, Role.PLATFORM, Role.MONITOR})
"""Who subscribes to all factories with one filter."""
SHARES = ("tsq", "tsq-probe")
"""Names of the workers' shared subscriptions: of data, and of the start-up probe."""


def check(root: Map) -> Iterator[Problem]:
    """Yield what does not fit together: users and ids that stand twice, factories that are not in the list."""
    factories = [str(item.get("id")) for _, item in _items(root, "factories")]
    users: dict[str, int] = {}
    for loc, user in _users(root):
        line, path = locate(root, loc)
        if user in users:
            yield Problem(
                line,
                Text(
                    f"user {user} is already in line {users[user]}: rights of both would be one's",
                    f"사용자 {user}은(는) {users[user]}행에 이미 있습니다. 서로 다른 이름을 쓰십시오",
                ),
                path,
            )
        users.setdefault(user, line)
    for index, name in enumerate(factories):
        if name in factories[:index]:
            line, path = locate(root, ("factories", index, "id"))
            yield Problem(line, Text(f"factory {name} stands twice", f"공장 {name}이(가) 두 번 있습니다"), path)
    for part in ("workers", "platform", "monitors"):
        for index, item in _items(root, part):
            wanted = item.get("factories")
            for number, name in enumerate(wanted if isinstance(wanted, List) else ()):
                if isinstance(name, str) and name not in factories:
                    line, path = locate(root, (part, index, "factories", number))
                    hint = nearest(name, factories)
                    yield Problem(
                        line,
                        Text(
                            f"there is no factory {name} in this list"
                            + (f"; did you mean {hint}?" if hint else ""),
                            f"목록에 없는 공장입니다({name})." + (f" 혹시 {hint}입니까?" if hint else ""),
                        ),
                        path,
                    )


def _users(root: Map) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """Yield where each user stands, and his name."""
    for at, factory in _items(root, "factories"):
        for number, agent in _items(factory, "agents"):
            name = agent.get("user") or f"{factory.get('id')}.{agent.get('id')}"
            yield ("factories", at, "agents", number, "id"), str(name)
    for index, worker in _items(root, "workers"):
        yield ("workers", index, "id"), str(worker.get("user") or f"gateway.{worker.get('id')}")
    for part in ("platform", "monitors", "sparkplug", "scada"):
        for index, item in _items(root, part):
            yield (part, index, "user"), str(item.get("user"))
    mosquitto = root.get("mosquitto")
    if isinstance(mosquitto, Map) and mosquitto.get("administrator"):
        yield ("mosquitto", "administrator"), str(mosquitto["administrator"])


def _items(holder: Map, key: str) -> Iterator[tuple[int, Map]]:
    found = holder.get(key)
    if isinstance(found, List):
        for index, item in enumerate(found):
            if isinstance(item, Map):
                yield index, item
