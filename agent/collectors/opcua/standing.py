"""Alarms that stood before we came, read from the variables of their conditions where a server has these as nodes.

The one service made for it, ConditionRefresh, is a Call, and this agent calls nothing. A server that keeps its
conditions to itself leaves nothing to read; then an alarm is unknown until it next reports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asyncua import ua
from asyncua.ua.object_ids import ObjectIds

from agent.collectors.opcua.convert import node_text
from agent.collectors.opcua.datatypes import key, node_id, reference
from agent.collectors.opcua.events import FIELDS, STANDING, Alarm, standing
from agent.collectors.opcua.services import VALUE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.collectors.opcua.decode import Field, NodeKey
    from agent.collectors.opcua.services import Services

DEPTH: Final = 5
SOURCES: Final = 2_000
CONDITIONS: Final = 500

_WAYS: Final = {name: way for name, _, way in FIELDS if name in STANDING}


async def conditions(services: Services, notifier: NodeKey) -> list[NodeKey]:
    """Return the conditions of a notifier and of what reports through it."""
    sources = {notifier: None}  # in the order found
    level = [notifier]
    for _ in range(DEPTH):
        found = await services.browse([reference(node, ObjectIds.HasEventSource) for node in level])
        level = []
        for _, references in found:
            for r in references:
                node = key(r.NodeId)
                if node not in sources and len(sources) < SOURCES:
                    sources[node] = None
                    level.append(node)
        if not level:
            break
    found = await services.browse([reference(node, ObjectIds.HasCondition) for node in sources])
    instances = {key(r.NodeId): None for _, references in found for r in references if int(r.NodeClass) == 1}
    return list(instances)[:CONDITIONS]


async def read(services: Services, notifier: NodeKey) -> tuple[int, list[Alarm]]:
    """Return how many conditions there are, and the state of those that say it."""
    nodes = await conditions(services, notifier)
    ways = [_path(node, way) for node in nodes for way in _WAYS.values()]
    targets = await services.translate(ways)
    there = [(n, target) for n, target in enumerate(targets) if target is not None]
    samples = await services.values([(node_id(key(target)), VALUE) for _, target in there])
    fields: dict[int, Field] = {
        n: (sample.vtype, sample.array, sample.value)
        for (n, _), sample in zip(there, samples, strict=True)
        if not sample.status >> 31
    }
    alarms = []
    for n, node in enumerate(nodes):
        first = n * len(_WAYS)
        said = {name: fields[first + k] for k, name in enumerate(_WAYS) if first + k in fields}
        if "active" in said or "acknowledged" in said:
            alarms.append(standing(node_text(node), said))
    return len(nodes), alarms


def _path(node: NodeKey, way: Sequence[str]) -> ua.BrowsePath:
    return ua.BrowsePath(
        StartingNode=node_id(node),
        RelativePath=ua.RelativePath(
            Elements=[
                ua.RelativePathElement(
                    ReferenceTypeId=node_id((0, ObjectIds.HierarchicalReferences)),
                    IsInverse=False,  # type: ignore[arg-type] # asyncua declares a class of its own
                    IncludeSubtypes=True,  # type: ignore[arg-type]
                    TargetName=ua.QualifiedName(name, 0),
                )
                for name in way
            ]
        ),
    )
