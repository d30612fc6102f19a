"""Alarms and events: what to ask a server for, and what its answers mean. No I/O.

Events are subscribed with an EventFilter whose select clauses name the fields; they come back as a list in the
order asked. Nothing is ever called on the server: no ConditionRefresh, so alarms that stood before we came are read
from the variables of their conditions where the server has these as nodes (`standing`), and are unknown otherwise
until they next report.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from asyncua import ua
from asyncua.ua.object_ids import ObjectIdNames, ObjectIds

from agent.collectors.opcua.convert import legible, node_text
from agent.collectors.opcua.decode import nanoseconds
from agent.collectors.opcua.services import EVENTS, NODE_ID, VALUE
from agent.frame import Event

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.collectors.opcua.decode import Field
    from agent.frame import Json, Priority

OVERFLOW_TYPE: Final = (0, ObjectIds.EventQueueOverflowEventType)
TEXT: Final = 500
"""Characters of a message that are kept."""
NAME: Final = 200

_BASE: Final = ObjectIds.BaseEventType
_CONDITION: Final = ObjectIds.ConditionType
_ACKNOWLEDGEABLE: Final = ObjectIds.AcknowledgeableConditionType
_ALARM: Final = ObjectIds.AlarmConditionType

FIELDS: Final[tuple[tuple[str, int, tuple[str, ...]], ...]] = (
    ("event_id", _BASE, ("EventId",)),
    ("type", _BASE, ("EventType",)),
    ("source_node", _BASE, ("SourceNode",)),
    ("source_name", _BASE, ("SourceName",)),
    ("time", _BASE, ("Time",)),
    ("message", _BASE, ("Message",)),
    ("severity", _BASE, ("Severity",)),
    ("condition_id", _CONDITION, ()),
    ("condition", _CONDITION, ("ConditionName",)),
    ("retain", _CONDITION, ("Retain",)),
    ("active", _ALARM, ("ActiveState", "Id")),
    ("acknowledged", _ACKNOWLEDGEABLE, ("AckedState", "Id")),
)
"""(key in the event's body, type that has the field, way to it); an empty way is the condition's own node id."""

PLAIN: Final = 7
"""The first fields belong to every event: what is asked for where a server does not know conditions."""

STANDING: Final = ("source_name", "message", "severity", "condition", "retain", "active", "acknowledged", "time")
"""What is read of a condition's variables."""


def priority(severity: int) -> Priority:
    """Return the priority of a severity from 1 to 1000, in the quarters of Part 5, 6.4.2."""
    if severity <= 250:
        return "low"
    if severity <= 500:
        return "medium"
    return "high" if severity <= 750 else "urgent"


def _clause(type_: int, way: Sequence[str]) -> ua.SimpleAttributeOperand:
    return ua.SimpleAttributeOperand(
        TypeDefinitionId=ua.NodeId(ua.Int32(type_)),
        BrowsePath=[ua.QualifiedName(name, 0) for name in way],
        AttributeId=ua.IntegerId(VALUE if way else NODE_ID),
    )


def request(
    node: ua.NodeId, handle: int, queue: int, severity: int | None, *, conditions: bool = True
) -> ua.MonitoredItemCreateRequest:
    """Return what to monitor for events.

    Args:
        node: The notifier.
        handle: Client handle.
        queue: Events that the server is to keep.
        severity: Least severity, None for all; `conditions` asks for the fields of conditions too.
        conditions: False for a server that refuses them.
    """
    elements = []
    if severity is not None:
        elements.append(
            ua.ContentFilterElement(
                FilterOperator=ua.FilterOperator.GreaterThanOrEqual,
                FilterOperands=[
                    _clause(_BASE, ("Severity",)),
                    ua.LiteralOperand(Value=ua.Variant(severity, ua.VariantType.UInt16)),
                ],
            )
        )
    fields = FIELDS if conditions else FIELDS[:PLAIN]
    return ua.MonitoredItemCreateRequest(
        ItemToMonitor=ua.ReadValueId(NodeId=node, AttributeId=ua.IntegerId(EVENTS)),
        MonitoringMode=ua.MonitoringMode.Reporting,
        RequestedParameters=ua.MonitoringParameters(
            ClientHandle=ua.IntegerId(handle),
            SamplingInterval=0,
            QueueSize=ua.Counter(queue),
            DiscardOldest=True,
            Filter=ua.EventFilter(
                SelectClauses=[_clause(type_, way) for _, type_, way in fields],
                WhereClause=ua.ContentFilter(Elements=elements),
            ),
        ),
    )


@dataclass(frozen=True, slots=True)
class Alarm:
    """One event as the server told it; None where it has no such field.

    Attributes:
        body: For `Event.body`.
        severity: 1 to 1000, 0 where it says none.
        condition: Node id of the condition, None for an event that is none.
        state: (active, acknowledged) of a condition.
        overflow: The server had to drop events before this one.
    """

    body: Mapping[str, Json]
    severity: int
    condition: str | None
    state: tuple[bool | None, bool | None]
    overflow: bool


def alarm(fields: Sequence[Field]) -> Alarm:
    """Return what the fields of one notification say; they stand as `FIELDS` asked for them."""
    said = {key: field for (key, _, _), field in zip(FIELDS, fields, strict=False)}
    kind = _value(said, "type")
    body: dict[str, Json] = {
        "severity": _severity(said),
        "priority": priority(_severity(said)),
        "message": _text(said, "message", TEXT),
        "type": _type(kind),
        "source_name": _text(said, "source_name", NAME),
        "source_node": _node(said, "source_node"),
        "time": _time(said),
        "event_id": _bytes(said, "event_id"),
    }
    condition = _node(said, "condition_id")
    active, acknowledged = _bool(said, "active"), _bool(said, "acknowledged")
    if condition is not None:
        body |= {
            "condition": _text(said, "condition", NAME),
            "condition_id": condition,
            "active": active,
            "acknowledged": acknowledged,
            "retain": _bool(said, "retain"),
        }
    return Alarm(body, _severity(said), condition, (active, acknowledged), kind == OVERFLOW_TYPE)


def standing(condition: str, said: Mapping[str, Field]) -> Alarm:
    """Return the state of a condition as its variables say it, by the keys of `STANDING`."""
    active, acknowledged = _bool(said, "active"), _bool(said, "acknowledged")
    body: dict[str, Json] = {
        "severity": _severity(said),
        "priority": priority(_severity(said)),
        "message": _text(said, "message", TEXT),
        "source_name": _text(said, "source_name", NAME),
        "time": _time(said),
        "condition": _text(said, "condition", NAME),
        "condition_id": condition,
        "active": active,
        "acknowledged": acknowledged,
        "retain": _bool(said, "retain"),
        "standing": True,
    }
    return Alarm(body, _severity(said), condition, (active, acknowledged), overflow=False)


def event(it: Alarm, time_ns: int, source: str, machine: str) -> Event:
    """Return what goes into the store; its own time is ours, the server's stands in the body."""
    return Event(kind="alarm", time_ns=time_ns, source=source, machine=machine, body=it.body)


class Known:
    """The last state of each condition, so that a standing alarm is told once; it outlives the connection."""

    def __init__(self, most: int = 10_000) -> None:
        self._states: dict[str, tuple[bool | None, bool | None]] = {}
        self._most = most

    def news(self, it: Alarm) -> bool:
        """Take a condition's state as read; return whether it tells something new.

        Not new is what was told before, and a condition that nobody has told of and that does not stand.
        """
        assert it.condition is not None
        before = self._states.get(it.condition)
        self.take(it)
        if before is None:
            return it.state[0] is True or (it.state[1] is False and it.body.get("retain") is True)
        return before != it.state

    def take(self, it: Alarm) -> None:
        """Take a condition's state from its event."""
        if it.condition is not None and (it.condition in self._states or len(self._states) < self._most):
            self._states[it.condition] = it.state


def _value(said: Mapping[str, Field], key: str) -> Any:
    field = said.get(key)
    return None if field is None or field[1] else field[2]


def _text(said: Mapping[str, Field], key: str, most: int) -> str | None:
    value = _value(said, key)
    if not isinstance(value, str):
        return None
    text = value if len(value) <= most else value[: most - 1] + "…"
    return str(legible(text))


def _bool(said: Mapping[str, Field], key: str) -> bool | None:
    value = _value(said, key)
    return value if isinstance(value, bool) else None


def _severity(said: Mapping[str, Field]) -> int:
    value = _value(said, "severity")
    return min(1000, max(0, value)) if isinstance(value, int) and not isinstance(value, bool) else 0


def _node(said: Mapping[str, Field], key: str) -> str | None:
    value = _value(said, key)
    return str(legible(node_text(value)[:NAME])) if isinstance(value, tuple) and value != (0, 0) else None


def _bytes(said: Mapping[str, Field], key: str) -> str | None:
    value = _value(said, key)
    return value[:64].hex() if isinstance(value, bytes) else None


def _time(said: Mapping[str, Field]) -> str | None:
    """Return the server's time of the event, UTC nanoseconds as text."""
    field = said.get("time")
    if field is None or not isinstance(field[2], int) or isinstance(field[2], bool):
        return None
    ns = nanoseconds(field[2])
    return str(ns) if ns else None


def _type(kind: Any) -> str | None:
    """Return the name of a standard event type, the node id of another."""
    if not isinstance(kind, tuple):
        return None
    namespace, identifier = kind
    if namespace == 0 and isinstance(identifier, int) and identifier in ObjectIdNames:
        return str(ObjectIdNames[identifier])
    return str(legible(node_text(kind)[:NAME]))
