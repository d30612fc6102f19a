"""What a server has, for the person who chooses signals: its tree, level by level, by read services only.

    async with opened(device, box) as tree:             # a session of its own
        top = await tree.children(None)                 # what stands under Objects
        below = await tree.children(top[0])             # one level; nothing is read ahead

    async for found in browse(device, box, pattern="Objects/**/Axes/*/ActualPosition"):
        ...

Hierarchical references are followed (folders, components; properties only when asked for, types never). Address
spaces have loops: a node that refers back to one of its own ancestors ends there. A node that stands in several
places is found in each, what lies below it in the first only.

Of `device` only endpoint, security, login and timeout matter; its groups need not fit the server. What goes wrong
is raised as from a collector: Unreachable, Refused.
"""

from __future__ import annotations

import contextlib
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from asyncua import ua
from asyncua.ua.object_ids import ObjectIds

from agent.collectors.opcua.about import About, about
from agent.collectors.opcua.choose import Found, Node, found
from agent.collectors.opcua.connection import Connection
from agent.collectors.opcua.datatypes import DataTypes, key, node_id, reference, written
from agent.collectors.opcua.decode import Opaque
from agent.collectors.opcua.glob import Glob, State
from agent.collectors.opcua.identity import Identity
from agent.collectors.opcua.limits import Limits
from agent.collectors.opcua.node import parse
from agent.collectors.opcua.services import VALUE
from agent.errors import Refused
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence

    from agent.clock import Clock
    from agent.collectors.base import Box
    from agent.collectors.opcua.config import OpcUaDevice
    from agent.collectors.opcua.decode import NodeKey, Sample
    from agent.collectors.opcua.services import Services

DEPTH: Final = 20
MOST: Final = 10_000
SECONDS: Final = 60.0

_OBJECTS: Final = (0, ObjectIds.ObjectsFolder)
_PROPERTY: Final = ObjectIds.HasProperty
_SIDEWAYS: Final = {ObjectIds.HasEventSource, ObjectIds.HasNotifier}  # lead to nodes that stand elsewhere too
_CLASSES: Final = {1: "Object", 2: "Variable", 128: "View"}  # methods are nothing that could be read
_AT_ONCE: Final = 200  # nodes of which a search asks the details together


@dataclass(frozen=True, slots=True)
class _Place:
    """A node that a search has come to.

    Attributes:
        node: Which.
        state: What of the pattern is matched by its path.
        above: Itself and its ancestors.
        deep: Levels below the start.
        fresh: Nobody has come here in the same state before.
    """

    node: Node
    state: State
    above: frozenset[NodeKey]
    deep: int
    fresh: bool = True

    def inner(self, glob: Glob, nodes: Sequence[Node], seen: set[tuple[NodeKey, State]]) -> Iterator[_Place]:
        """Return the children below which something may match."""
        for node in nodes:
            state = glob.step(self.state, node.browse_name)
            if node.key in self.above or not state:
                continue
            fresh = (node.key, state) not in seen
            seen.add((node.key, state))
            yield _Place(node, state, self.above | {node.key}, self.deep + 1, fresh)


class Tree:
    """The address space of one server, on an open session.

    Args:
        services: The session.
        clock: Bounds a search.
        namespaces: URIs of the server, by index.
    """

    def __init__(self, services: Services, clock: Clock, namespaces: Sequence[str]) -> None:
        self._services = services
        self._clock = clock
        self._namespaces = namespaces
        self._types = DataTypes(services)

    async def children(self, parent: Found | str | None, *, properties: bool = False) -> list[Found]:
        """Return what stands directly below a node, in the server's order.

        Args:
            parent: What was found before, a node id, or None for Objects.
            properties: Whether to list properties too.
        """
        if isinstance(parent, Found):
            at, path = self._key(parent.node), parent.path
        elif parent is None:
            at, path = _OBJECTS, "Objects"
        else:
            at, path = self._key(parent), parent
        (level,) = await self._below([Node(at, path, "", "Object")], properties=properties)
        return await self.details(level)

    async def one(self, node: str) -> Found:
        """Return what the server says about one variable now.

        Args:
            node: Its node id.
        """
        (each,) = await self.details([Node(self._key(node), node, node, "Variable")])
        return each

    async def search(
        self,
        pattern: str | None = None,
        *,
        start: str | None = None,
        depth: int = DEPTH,
        most: int = MOST,
        seconds: float = SECONDS,
        properties: bool = False,
        stopped: Callable[[Text], None] | None = None,
    ) -> AsyncIterator[Found]:
        """Yield what matches, level by level; only matches cost more than their place in the tree.

        Args:
            pattern: A glob over the path, `Objects/*/Axes/**/ActualPosition`: `*` within one name, `**` over any
                number of levels, upper and lower case alike; without `/` it means any node of that name. None
                matches every variable.
            start: Node id to begin at, Objects when absent. The pattern is then of the path below it.
            depth: Levels to go down.
            most: Nodes to look at.
            seconds: Time to take.
            properties: Whether to look at properties too.
            stopped: Told why the search ended early, if it did.
        """
        glob = Glob(pattern)
        end_ns = self._clock.monotonic() + round(seconds * 1e9)
        if start is None:
            root, state = Node(_OBJECTS, "Objects", "Objects", "Object"), glob.begin(("Objects",))
        else:
            root, state = Node(self._key(start), start, start, "Object"), glob.begin(())
        waiting = deque([_Place(root, state, frozenset({root.key}), 0)])
        seen: set[tuple[NodeKey, State]] = set()
        looked = 0
        while waiting:
            level = [waiting.popleft() for _ in range(min(len(waiting), _AT_ONCE))]
            below = await self._below([place.node for place in level], properties=properties)
            looked += sum(map(len, below))
            places = [
                inner for place, nodes in zip(level, below, strict=True) for inner in place.inner(glob, nodes, seen)
            ]
            waiting += [place for place in places if place.deep < depth and place.fresh]
            matching = [p.node for p in places if glob.accepts(p.state)]
            if pattern is None:
                matching = [node for node in matching if node.node_class == "Variable"]
            for first in range(0, len(matching), _AT_ONCE):
                for each in await self.details(matching[first : first + _AT_ONCE]):
                    yield each
            why = self._enough(looked, most, seconds, end_ns) if waiting else None
            if why is not None:
                if stopped is not None:
                    stopped(why)
                return

    def _enough(self, looked: int, most: int, seconds: float, end_ns: int) -> Text | None:
        if looked >= most:
            return Text(
                f"stopped after {looked} nodes: narrow the pattern or begin lower down",
                f"노드 {looked}개에서 검색을 멈추었습니다. 패턴을 좁히거나 더 아래에서 시작하십시오",
            )
        if self._clock.monotonic() >= end_ns:
            return Text(
                f"stopped after {seconds:g} s: narrow the pattern or begin lower down",
                f"{seconds:g}초가 지나 검색을 멈추었습니다. 패턴을 좁히거나 더 아래에서 시작하십시오",
            )
        return None

    def _key(self, node: str) -> NodeKey:
        address = parse(node)
        index = address.index(self._namespaces)
        if index is None:
            raise Refused(f"{self._services.place}: browse: the server has no namespace {address.uri}")
        return index, address.identifier

    async def _below(self, nodes: Sequence[Node], *, properties: bool) -> list[list[Node]]:
        """Return the children of each node; of what cannot be browsed, none."""
        asked = [reference(node.key, ObjectIds.HierarchicalReferences) for node in nodes]
        for each in asked:
            each.NodeClassMask = ua.UInt32(sum(_CLASSES))
        out: list[list[Node]] = []
        for node, (_, references) in zip(nodes, await self._services.browse(asked), strict=True):
            kept: dict[NodeKey, Node] = {}
            for r in references:
                kind = r.ReferenceTypeId
                number = kind.Identifier if kind.NamespaceIndex == 0 else None
                at = key(r.NodeId)
                if number in _SIDEWAYS or (number == _PROPERTY and not properties):
                    continue
                name = str(r.BrowseName.Name or "")
                path = f"{node.path}/{name.replace('/', '%2F')}"
                shown = str(r.DisplayName.Text or name)
                kept.setdefault(at, Node(at, path, shown, _CLASSES.get(int(r.NodeClass), "Object"), name))
            out.append(list(kept.values()))
        return out

    async def details(self, nodes: Sequence[Node]) -> list[Found]:
        """Read what the server says about variables, and their values."""
        variables = [node for node in nodes if node.node_class == "Variable"]
        abouts = await about(self._services, self._types, [node.key for node in variables])
        samples = await self._services.values([(node_id(node.key), VALUE) for node in variables])
        await self._types.load_encodings(_encodings(samples, self._types))
        said: dict[NodeKey, tuple[About, Sample]] = {
            node.key: pair for node, pair in zip(variables, zip(abouts, samples, strict=True), strict=True)
        }
        return [
            found(node, written(node.key, self._namespaces), said.get(node.key), self._types.known)
            for node in nodes
        ]


def _encodings(samples: Sequence[Sample], types: DataTypes) -> set[NodeKey]:
    found_here: set[NodeKey] = set()
    for sample in samples:
        first = sample.value[0] if isinstance(sample.value, list) and sample.value else sample.value
        if isinstance(first, Opaque) and first.body is not None and first.type not in types.known:
            found_here.add(first.type)
    return found_here


@contextlib.asynccontextmanager
async def opened(device: OpcUaDevice, box: Box) -> AsyncIterator[Tree]:
    """Open a session of its own to look around in.

    Raises:
        Unreachable, Refused: as from a collector.
    """
    limits = Limits()
    known = box.memory.recall(device.id, "opcua")
    if isinstance(known, dict):
        limits.recall(known)
    connection = Connection(device, box, limits)
    try:
        await connection.open()
        identity = await Identity.read(connection, limits)
        yield Tree(connection, box.clock, identity.namespaces)
    finally:
        await connection.close()


async def browse(
    device: OpcUaDevice,
    box: Box,
    *,
    start: str | None = None,
    pattern: str | None = None,
    depth: int = DEPTH,
    most: int = MOST,
    seconds: float = SECONDS,
    stopped: Callable[[Text], None] | None = None,
) -> AsyncIterator[Found]:
    """Open a session, yield what `Tree.search` finds, and close it."""
    async with opened(device, box) as tree:
        async for each in tree.search(
            pattern, start=start, depth=depth, most=most, seconds=seconds, stopped=stopped
        ):
            yield each
