"""IDTA 02017-1-1, Asset Interfaces Description: at which address a machine's values can be read. Pure.

Described is what stands on the wire, before any scale of ours. Only what the template can say truly is in here:
Modbus TCP and OPC UA. It has no binding for XGT, serial lines and Modbus over TLS, and none for a bit of a register
or a field of a structure; those are named in `Described.left_out`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.aas.elements import collection, limits, model, prop, references, short, submodel
from agent.collectors.modbus.config import ModbusDevice
from agent.collectors.modbus.plan import Table
from agent.collectors.modbus.signal import ModbusSignal
from agent.collectors.opcua.config import OpcUaDevice
from agent.collectors.opcua.signals import OpcUaSignal
from agent.frame import DataType

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent.aas.elements import Element
    from agent.config.model import AgentConfig
    from agent.frame import Signal

MILLI = 1_000_000
NAME = "AssetInterfacesDescription"
_AID = f"https://admin-shell.io/idta/{NAME}"
_TD = "https://www.w3.org/2019/wot/td"
_HYPER = "https://www.w3.org/2019/wot/hypermedia"
_SCHEMA = "https://www.w3.org/2019/wot/json-schema"
_SECURITY = "https://www.w3.org/2019/wot/security"
_MODBUS = "https://www.w3.org/2019/wot/modbus"
_BYTES = "application/octet-stream"
_FUNCTIONS = {
    Table.COIL: "readCoil", Table.DISCRETE: "readDiscreteInput", Table.HOLDING: "readHoldingRegisters",
    Table.INPUT: "readInputRegisters",
}  # fmt: skip
_WIRE = {
    DataType.BOOL: "xs:boolean", DataType.INT16: "xs:short", DataType.UINT16: "xs:unsignedShort",
    DataType.INT32: "xs:int", DataType.UINT32: "xs:unsignedInt", DataType.INT64: "xs:long",
    DataType.UINT64: "xs:unsignedLong", DataType.FLOAT32: "xs:float", DataType.FLOAT64: "xs:double",
    DataType.STRING: "xs:string",
}  # fmt: skip
_ORDERS = {
    "ABCD": ("true", "true"),
    "CDAB": ("true", "false"),
    "BADC": ("false", "true"),
    "DCBA": ("false", "false"),
}
"""Word order of ours -> most significant byte first, most significant word first."""


@dataclass(frozen=True, slots=True)
class Described:
    """The submodel of a machine (None where nothing can be described), and what the template cannot say."""

    submodel: Element | None
    left_out: tuple[str, ...]


def of_machine(id_: str, config: AgentConfig, machine: str) -> Described:
    """Return how a machine's values can be read."""
    interfaces: list[Element] = []
    left_out: list[str] = []
    names: set[str] = set()
    for device in config.devices:
        parts = [
            (group, signal)
            for group in device.groups
            for signal in group.signals
            if (signal.machine or device.machine) == machine
        ]
        if not parts:
            continue
        forms: list[list[Element] | None]
        kind, scheme = None, "nosec"
        if isinstance(device, ModbusDevice) and device.transport == "tcp":
            name, base, kind = "InterfaceMODBUS", f"modbus+tcp://{device.place}/", "http://www.w3.org/2011/modbus"
            forms = [_modbus(device, group.every, s) for group, s in parts if isinstance(s, ModbusSignal)]
        elif isinstance(device, OpcUaDevice):
            name, base = "InterfaceOPCUA", device.endpoint
            scheme = "nosec" if device.security == "None" and device.login is None else "auto"
            forms = [_opcua(s) for _, s in parts if isinstance(s, OpcUaSignal)]
        else:
            left_out.append(device.id)
            continue
        named = short(f"{name}_{device.id}", names)
        security = _security(id_, named, scheme)
        taken: set[str] = set()
        properties = []
        for (_, signal), form in zip(parts, forms, strict=True):
            if form is None:
                left_out.append(f"{device.id}/{signal.id}")
            else:
                own = short(signal.id, taken)
                form.append(security)
                properties.append(_property(own, signal.signal(device.machine), signal.type, form))
        interfaces.append(_interface(named, device.name or device.id, base, kind, scheme, security, properties))
    if not interfaces:
        return Described(None, tuple(left_out))
    meaning = model(("Submodel", f"{_AID}/1/1/Submodel"))
    return Described(submodel(id_, NAME, meaning, ("1", "1"), "02017-1-1", interfaces), tuple(left_out))


def _security(id_: str, name: str, scheme: str) -> Element:
    """Return which of an interface's definitions secures it; the template demands it of each form too."""
    where = model(
        ("Submodel", id_),
        ("SubmodelElementCollection", name),
        ("SubmodelElementCollection", "EndpointMetadata"),
        ("SubmodelElementCollection", "securityDefinitions"),
        ("SubmodelElementCollection", f"{scheme}_sc"),
    )
    return references("security", f"{_TD}#hasSecurityConfiguration", [where])


def _interface(
    name: str,
    title: str,
    base: str,
    kind: str | None,
    scheme: str,
    security: Element,
    properties: Sequence[Element],
) -> Element:
    definition, meaning = f"{scheme}_sc", {"nosec": "NoSecurityScheme", "auto": "AutoSecurityScheme"}[scheme]
    endpoint = [
        prop("base", f"{_TD}#baseURI", "xs:anyURI", base),
        prop("contentType", f"{_HYPER}#forContentType", "xs:string", _BYTES),
        security,
        collection(
            "securityDefinitions",
            f"{_TD}#definesSecurityScheme",
            [
                collection(
                    definition,
                    f"{_SECURITY}#{meaning}",
                    [prop("scheme", f"{_SECURITY}#SecurityScheme", "xs:string", scheme)],
                )
            ],
        ),
    ]
    interaction = [collection("properties", f"{_TD}#PropertyAffordance", properties)]
    return collection(
        name,
        f"{_AID}/1/0/Interface",
        [
            prop("title", f"{_TD}#title", "xs:string", title),
            collection("EndpointMetadata", f"{_AID}/1/0/EndpointMetadata", endpoint),
            collection(
                "InteractionMetadata",
                f"{_AID}/1/0/InteractionMetadata",
                interaction,
                [f"{_TD}#InteractionAffordance"],
            ),
        ],
        [*([] if kind is None else [kind]), _TD],
    )


def _property(name: str, signal: Signal, dtype: DataType, form: Sequence[Element]) -> Element:
    """Return a property; range and unit only where the wire has them too."""
    scaled = signal.dtype is not dtype
    kind = _kind(dtype)
    value = [
        prop("key", f"{_AID}/1/0/key", "xs:string", signal.id),
        prop("type", "https://www.w3.org/1999/02/22-rdf-syntax-ns#type", "xs:string", kind),
        prop("title", f"{_TD}#title", "xs:string", signal.name),
    ]
    value[0]["supplementalSemanticIds"] = [{"type": "ExternalReference", "keys": [
        {"type": "GlobalReference", "value": f"{_TD}#name"}]}]  # fmt: skip
    if signal.unit is not None and not scaled:
        value.append(prop("unit", "https://schema.org/unitCode", "xs:string", signal.unit))
    if signal.instrument_range is not None and not scaled and kind in {"number", "integer"}:
        low, high = signal.instrument_range
        xml = "xs:double" if kind == "number" else "xs:integer"
        written = (str(low), str(high)) if kind == "number" else (str(round(low)), str(round(high)))
        more = (f"{_SCHEMA}#minimum", f"{_SCHEMA}#maximum")
        value.append(limits("min_max", f"{_AID}/1/0/minMaxRange", xml, *written, more))
    value.append(collection("forms", f"{_TD}#hasForm", form))
    return collection(name, f"{_AID}/1/0/PropertyDefinition", value, [f"{_TD}#name"])


def _kind(dtype: DataType) -> str:
    if dtype is DataType.BOOL:
        return "boolean"
    if dtype is DataType.STRING:
        return "string"
    return "number" if dtype in {DataType.FLOAT32, DataType.FLOAT64} else "integer"


def _modbus(device: ModbusDevice, every: int, signal: ModbusSignal) -> list[Element] | None:
    """Return the form of a signal, None where the template cannot say it."""
    order = signal.word_order or device.word_order
    if signal.at.bit is not None or signal.bit is not None or signal.type not in _WIRE or order not in _ORDERS:
        return None
    span = signal.span()
    byte, word = _ORDERS[order]
    more: Iterator[tuple[str, str, str]] = iter(
        (
            ("modv_function", "hasFunction", _FUNCTIONS[span.table]),
            ("modv_zeroBasedAddressing", "hasZeroBasedAddressingFlag", "true"),
            ("modv_pollingTime", "hasPollingTime", str(every // MILLI)),
            ("modv_timeout", "hasTimeout", str(device.timeout // MILLI)),
            ("modv_type", "hasPayloadDataType", _WIRE[signal.type]),
            ("modv_mostSignificantByte", "hasMostSignificantByte", byte),
            ("modv_mostSignificantWord", "hasMostSignificantWord", word),
        )
    )
    href = f"{device.unit}/{span.start}?quantity={span.count}"
    return [
        prop("href", f"{_HYPER}#hasTarget", "xs:string", href),
        *(prop(name, f"{_MODBUS}#{meaning}", "xs:string", value) for name, meaning, value in more),
    ]


def _opcua(signal: OpcUaSignal) -> list[Element] | None:
    if signal.index is not None or signal.field is not None:
        return None
    return [prop("href", f"{_HYPER}#hasTarget", "xs:string", f"/?id={signal.node}")]
