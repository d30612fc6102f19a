"""What a server says about its variables: type, rights, unit, ranges, labels. For facts and for `browse`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from asyncua.ua.attribute_ids import AttributeIds

from agent.collectors.opcua.convert import INTEGERS, NATURAL, NODES, QUALIFIED, TEXTS
from agent.collectors.opcua.datatypes import ENUM_PROPERTIES, built_in, key, labels, node_id, properties
from agent.collectors.opcua.decode import told
from agent.collectors.opcua.structures import (
    BuiltIn,
    DataTypeKind,
    Enumeration,
    Structure,
    Unknown,
    eu_range,
    unit,
)
from agent.errors import WireError
from agent.frame import DataType

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from agent.collectors.opcua.datatypes import DataTypes
    from agent.collectors.opcua.decode import NodeKey, Sample
    from agent.collectors.opcua.group import Group
    from agent.collectors.opcua.qualified import Qualified
    from agent.collectors.opcua.services import Services
    from agent.frame import Json

_ATTRIBUTES: Final[Mapping[str, tuple[AttributeIds, Collection[int]]]] = {
    "browse_name": (AttributeIds.BrowseName, (QUALIFIED,)),
    "display_name": (AttributeIds.DisplayName, TEXTS),
    "description": (AttributeIds.Description, TEXTS),
    "data_type": (AttributeIds.DataType, NODES),
    "value_rank": (AttributeIds.ValueRank, INTEGERS),
    "access_level": (AttributeIds.AccessLevel, INTEGERS),
    "user_access_level": (AttributeIds.UserAccessLevel, INTEGERS),
}
_PROPERTIES: Final = frozenset(
    {"EngineeringUnits", "EURange", "InstrumentRange", "TrueState", "FalseState"} | ENUM_PROPERTIES
)

MOST_FIELDS: Final = 200
"""Fields of a structure that are listed; what a person can choose from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a server says about one variable; None where it has no good answer.

    Attributes:
        browse_name: With the index of its namespace, which says whose model the variable belongs to.
        kind: Its data type, as far as the server describes it.
        unit, eu_range, instrument_range: Properties of an analog item.
        labels: Of an enumeration, or of a two-state variable (0 and 1).
    """

    browse_name: Qualified | None = None
    display_name: str | None = None
    description: str | None = None
    kind: DataTypeKind | None = None
    value_rank: int | None = None
    access_level: int | None = None
    user_access_level: int | None = None
    unit: str | None = None
    eu_range: tuple[float, float] | None = None
    instrument_range: tuple[float, float] | None = None
    labels: tuple[tuple[int, str], ...] = ()

    @property
    def data_type(self) -> str | None:
        """Name of the server's data type."""
        return None if self.kind is None else self.kind.name

    @property
    def dtype(self) -> DataType | None:
        """The `type:` for a scalar of this data type, None where no signal can have it."""
        return natural(self.kind)


def natural(kind: DataTypeKind | None) -> DataType | None:
    """Return the `type:` that takes all values of a data type, None where none does."""
    if isinstance(kind, Enumeration):
        return DataType.INT32
    return NATURAL.get(kind.vtype) if isinstance(kind, BuiltIn) else None


def fields(kind: DataTypeKind | None, types: Mapping[NodeKey, DataTypeKind]) -> tuple[tuple[str, DataType], ...]:
    """Return what can be written under `field:` for a structure, with its `type:`; of arrays the first element."""
    found: list[tuple[str, DataType]] = []

    def walk(structure: Structure, before: str, above: tuple[Structure, ...]) -> None:
        for each in structure.fields:
            if len(found) >= MOST_FIELDS:
                return
            way = before + each.name + "[0]" * max(0, each.rank)
            inner = built_in(each.type) or types.get(each.type)
            dtype = natural(inner)
            if isinstance(inner, Structure) and inner not in above:
                walk(inner, way + ".", (*above, inner))
            elif dtype is not None:
                found.append((way, dtype))

    if isinstance(kind, Structure):
        walk(kind, "", (kind,))
    return tuple(found)


async def about(services: Services, types: DataTypes, nodes: Sequence[NodeKey]) -> list[About]:
    """Ask a server about variables; return one answer each, in order."""
    width = len(_ATTRIBUTES)
    samples = await services.values(
        [(node_id(node), int(number)) for node in nodes for number, _ in _ATTRIBUTES.values()]
    )
    rows = [
        {
            name: told(sample, types)
            for (name, (_, types)), sample in zip(_ATTRIBUTES.items(), samples[n * width :], strict=False)
        }
        for n in range(len(nodes))
    ]
    said = await properties(services, nodes, _PROPERTIES)
    await types.load(row["data_type"] for row in rows if row["data_type"] is not None)
    return [_about(row, types, extra) for row, extra in zip(rows, said, strict=True)]


def _about(row: Mapping[str, Any], types: DataTypes, extra: Mapping[str, Sample]) -> About:
    kind = None if row["data_type"] is None else types.kind(row["data_type"])
    named = labels(extra) or (kind.labels if isinstance(kind, Enumeration) else ())
    if not named and kind == built_in((0, 1)) and {"TrueState", "FalseState"} <= extra.keys():
        named = ((0, str(extra["FalseState"].value)), (1, str(extra["TrueState"].value)))

    def prop(name: str, read: Callable[[object], Any]) -> Any:
        if name not in extra:
            return None
        try:
            return read(extra[name].value)
        except WireError:
            return None

    return About(
        browse_name=row["browse_name"],
        display_name=row["display_name"],
        description=row["description"],
        kind=kind,
        value_rank=row["value_rank"],
        access_level=row["access_level"],
        user_access_level=row["user_access_level"],
        unit=prop("EngineeringUnits", unit),
        eu_range=prop("EURange", eu_range),
        instrument_range=prop("InstrumentRange", eu_range),
        labels=named,
    )


async def catalog(
    services: Services, types: DataTypes, group: Group, indices: Sequence[int], namespaces: Sequence[str]
) -> dict[str, Json]:
    """Read what the server says about configured nodes.

    Args:
        services: Of the connection.
        types: Of the server.
        group: Whose nodes.
        indices: Which of them.
        namespaces: URIs of the server, by index.

    Returns:
        By signal id: node, browse_namespace (URI of whoever named it: the server's maker or a companion
        specification; absent where the server does not say), display_name, description, data_type, value_rank,
        access_level, user_access_level, found (how its address was found), unit, range (of normal operation, else
        of the instrument), instrument_range, labels; of the last four, what the server does not say is absent.
        What the device declares counts more in the readiness report than what somebody wrote.
    """
    asked = [(index, node) for index in indices if (node := group.node(index)) is not None]
    found = await about(services, types, [key(node) for _, node in asked])
    return {
        group.config.signals[n].id: _fact(group, n, it, namespaces) for (n, _), it in zip(asked, found, strict=True)
    }


def _fact(group: Group, index: int, it: About, namespaces: Sequence[str]) -> dict[str, Json]:
    said: dict[str, Json] = {
        "node": group.config.signals[index].where(),
        "display_name": it.display_name,
        "description": it.description,
        "data_type": it.data_type,
        "value_rank": it.value_rank,
        "access_level": it.access_level,
        "user_access_level": it.user_access_level,
        "found": group.config.signals[index].found,
    }
    if it.browse_name is not None and it.browse_name.namespace < len(namespaces):
        said["browse_namespace"] = namespaces[it.browse_name.namespace]
    within = it.eu_range or it.instrument_range
    if it.unit is not None:
        said["unit"] = it.unit
    if within is not None:
        said["range"] = [*within]
    if it.instrument_range is not None:
        said["instrument_range"] = [*it.instrument_range]
    if it.labels:
        said["labels"] = {str(number): text for number, text in it.labels[:100]}
    if isinstance(it.kind, Unknown):
        said["described"] = False
    return said
