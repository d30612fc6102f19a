"""Asks a server for the descriptions of its data types: what `structures` needs to read values by.

A description is found from the data type a variable names, or from the encoding a value carries (a variable may
name an abstract type). What is found is kept for the session: types change with the PLC program, and that
restarts the server or its namespace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import quote

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds

from agent.collectors.opcua.convert import TYPE_NAMES, node_text
from agent.collectors.opcua.services import VALUE
from agent.collectors.opcua.structures import (
    ABSTRACT,
    ENUMERATION,
    EXTENSION_OBJECT,
    VARIANT,
    BuiltIn,
    DataTypeKind,
    Enumeration,
    Structure,
    Unknown,
    definition,
    enum_values,
)
from agent.errors import WireError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from agent.collectors.opcua.decode import NodeKey, Sample
    from agent.collectors.opcua.services import Services

ENUM_PROPERTIES: Final = frozenset({"EnumStrings", "EnumValues"})
_HAS_SUBTYPE: Final = ObjectIds.HasSubtype
_HAS_ENCODING: Final = ObjectIds.HasEncoding
_DEPTH: Final = 32  # of structures in structures, and of supertypes
_MOST: Final = 5_000  # data types that one session asks for


def key(node: Any) -> NodeKey:
    """Return asyncua's node id as a pair."""
    return int(node.NamespaceIndex), node.Identifier


def node_id(pair: NodeKey) -> ua.NodeId:
    """Return a pair as asyncua's node id."""
    return ua.NodeId(cast("Any", pair[1] or 0), ua.Int16(pair[0]))  # a null text or bytes name nothing


def written(pair: NodeKey, namespaces: Sequence[str]) -> str:
    """Return a node id as the configuration writes it, by namespace URI where that survives a server update."""
    namespace, identifier = pair
    text = node_text((0, identifier))
    if namespace == 0:
        return text
    if namespace < len(namespaces) and namespaces[namespace]:
        return f"nsu={quote(namespaces[namespace], safe=':/?#[]@!$&()*+,=-._~')};{text}"
    return f"ns={namespace};{text}"


def reference(node: NodeKey, kind: int, *, inverse: bool = False, subtypes: bool = True) -> ua.BrowseDescription:
    """Return a question for the references of one kind."""
    return ua.BrowseDescription(
        NodeId=node_id(node),
        BrowseDirection=ua.BrowseDirection.Inverse if inverse else ua.BrowseDirection.Forward,
        ReferenceTypeId=node_id((0, kind)),
        IncludeSubtypes=subtypes,
        NodeClassMask=ua.UInt32(0),
        ResultMask=ua.UInt32(63),
    )


def built_in(pair: NodeKey) -> DataTypeKind | None:
    """Return what namespace 0 says of a data type without being asked; None for what the server has to describe."""
    namespace, identifier = pair
    if namespace or not isinstance(identifier, int):
        return None
    if identifier == ENUMERATION:
        return Enumeration("Enumeration")
    if identifier in ABSTRACT:
        return BuiltIn("Variant", VARIANT)
    return BuiltIn(TYPE_NAMES[identifier], identifier) if 0 < identifier < len(TYPE_NAMES) else None


class DataTypes:
    """The data types of one server, as far as they were asked for.

    Attributes:
        known: By node id of the data type, and of structures also by the id of their binary encoding.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self.known: dict[NodeKey, DataTypeKind] = {}

    def kind(self, pair: NodeKey) -> DataTypeKind:
        """Return what is known of a data type; `load` it first."""
        return built_in(pair) or self.known.get(pair) or Unknown(written(pair, ()))

    async def load(self, pairs: Iterable[NodeKey]) -> None:
        """Ask for descriptions, and for those of the fields that they name."""
        wanted = {pair for pair in pairs if self._missing(pair)}
        for _ in range(_DEPTH):
            if not wanted or len(self.known) > _MOST:
                break
            await self._describe(sorted(wanted, key=repr))
            wanted = {
                each.type
                for pair in wanted
                if isinstance(kind := self.known.get(pair), Structure)
                for each in kind.fields
                if self._missing(each.type)
            }
        for pair, kind in list(self.known.items()):
            if isinstance(kind, Structure):
                for each in kind.fields:
                    if (native := built_in(each.type)) is not None:
                        self.known.setdefault(each.type, native)
                if kind.encoding not in {(0, 0), pair}:
                    self.known.setdefault(kind.encoding, kind)

    async def load_encodings(self, encodings: Iterable[NodeKey]) -> None:
        """Ask for the structures that values said they were."""
        wanted = sorted({pair for pair in encodings if pair not in self.known}, key=repr)
        found = await self._services.browse([reference(pair, _HAS_ENCODING, inverse=True) for pair in wanted])
        types = {
            pair: key(references[0].NodeId)
            for pair, (_, references) in zip(wanted, found, strict=True)
            if references
        }
        await self.load(types.values())
        for pair in wanted:
            self.known.setdefault(pair, self.kind(types[pair]) if pair in types else Unknown("?"))

    def _missing(self, pair: NodeKey) -> bool:
        return built_in(pair) is None and pair not in self.known

    async def _describe(self, pairs: Sequence[NodeKey]) -> None:
        asked = [
            (node_id(pair), int(attribute))
            for pair in pairs
            for attribute in (AttributeIds.BrowseName, AttributeIds.DataTypeDefinition)
        ]
        said = await self._services.values(asked)
        plain: list[tuple[NodeKey, str]] = []
        for n, pair in enumerate(pairs):
            name, described = said[2 * n], said[2 * n + 1]
            title = str(name.value) if good(name) and name.value else written(pair, ())
            kind = _defined(title, described)
            if kind is None:
                plain.append((pair, title))
            else:
                self.known[pair] = kind
        await self._climb(plain)
        await self._label([pair for pair, _ in plain])

    async def _climb(self, plain: list[tuple[NodeKey, str]]) -> None:
        """Find what types without a description are derived from: a Duration is a Double."""
        waiting = [(pair, title, pair) for pair, title in plain]
        for _ in range(_DEPTH):
            if not waiting:
                break
            found = await self._services.browse(
                [reference(at, _HAS_SUBTYPE, inverse=True, subtypes=False) for _, _, at in waiting]
            )
            rest = []
            for (pair, title, _), (_, references) in zip(waiting, found, strict=True):
                above = key(references[0].NodeId) if references else None
                native = None if above is None else built_in(above)
                if isinstance(native, BuiltIn) and native.vtype != EXTENSION_OBJECT:
                    self.known[pair] = BuiltIn(title, native.vtype)
                elif isinstance(native, Enumeration):
                    self.known[pair] = Enumeration(title)
                elif native is not None or above is None:
                    self.known[pair] = Unknown(title)
                else:
                    rest.append((pair, title, above))
            waiting = rest
        for pair, title, _ in waiting:
            self.known[pair] = Unknown(title)

    async def _label(self, pairs: Sequence[NodeKey]) -> None:
        """Ask older servers, which say what an enumeration's numbers mean by properties of its type."""
        bare = [p for p in pairs if isinstance(kind := self.known.get(p), Enumeration) and not kind.labels]
        for pair, said in zip(bare, await properties(self._services, bare, ENUM_PROPERTIES), strict=True):
            self.known[pair] = Enumeration(self.known[pair].name, labels(said))


def good(sample: Sample) -> bool:
    """Whether an answer has a value that can be used."""
    return sample.status >> 30 == 0


def _defined(title: str, sample: Sample) -> DataTypeKind | None:
    if not good(sample):
        return None
    try:
        kind = definition(title, sample.value)
    except WireError:
        return None
    # an OptionSet is described by names too, but is no enumeration: its numbers are sums of bits
    return kind


async def properties(
    services: Services, nodes: Sequence[NodeKey], names: frozenset[str]
) -> list[dict[str, Sample]]:
    """Return the values of properties that nodes have, by name; those without a good value are left out."""
    found = await services.browse([reference(node, ObjectIds.HasProperty) for node in nodes])
    places = [
        (n, str(r.BrowseName.Name), node_id(key(r.NodeId)))
        for n, (_, references) in enumerate(found)
        for r in references
        if r.BrowseName.Name in names
    ]
    samples = await services.values([(node, VALUE) for _, _, node in places])
    said: list[dict[str, Sample]] = [{} for _ in nodes]
    for (n, name, _), sample in zip(places, samples, strict=True):
        if good(sample):
            said[n].setdefault(name, sample)
    return said


def labels(said: Mapping[str, Sample]) -> tuple[tuple[int, str], ...]:
    """Return what an enumeration's properties say: EnumValues with numbers of their own, EnumStrings from 0."""
    if "EnumValues" in said:
        return enum_values(said["EnumValues"].value)
    if "EnumStrings" in said and isinstance(said["EnumStrings"].value, list):
        return tuple((n, str(text)) for n, text in enumerate(said["EnumStrings"].value) if text)
    return ()
