"""IDTA 02008-1-1, Time Series Data, linked: which data there is, and the query that gets it from the store. Pure.

One linked segment for each source, in the schema of `gateway.points`: a machine is a measurement, a signal a field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.aas.elements import collection, model, prop, short, submodel, text
from agent.frame import DataType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.aas.elements import Element
    from agent.frame import Signal, Source

_BASE = "https://admin-shell.io/idta/TimeSeries"
SEMANTIC = f"{_BASE}/1/1"
MILLI = 1_000_000
_FLOATS = frozenset({DataType.FLOAT32, DataType.FLOAT64})
_KINDS = {DataType.BOOL: "xs:boolean", DataType.STRING: "xs:string", DataType.FLOAT32: "xs:float",
          DataType.FLOAT64: "xs:double", DataType.UINT64: "xs:unsignedLong"}  # fmt: skip


def field(signal: Signal) -> str:
    """Return the field of the store that holds a signal."""
    if signal.dtype in _FLOATS:
        return f"{signal.id}_f"
    if signal.dtype is DataType.STRING or signal.wide:
        return f"{signal.id}_s"
    return f"{signal.id}_b" if signal.dtype is DataType.BOOL else f"{signal.id}_i"


def of_machine(
    id_: str, factory: str, site: str, machine: str, name: str, sources: Sequence[Source], endpoint: str
) -> Element:
    """Return the submodel of a machine.

    Args:
        id_: Of the submodel.
        factory: As in the store.
        site: Likewise.
        machine: Likewise.
        name: Of the machine, for people.
        sources: What is read of it.
        endpoint: URL at which the store takes a query, without credentials.
    """
    taken = {"Time"}
    record = [prop("Time", f"{_BASE}/RelativePointInTime/1/1", "xs:long", None)]
    segments = []
    names: set[str] = set()
    for source in sources:
        own = [signal for signal in source.signals if signal.machine == machine]
        record += [prop(short(s.id, taken), None, _KINDS.get(s.dtype, "xs:long"), None) for s in own]
        fields = ", ".join(f'"{field(signal)}"' for signal in own)
        where = f"\"factory\" = '{factory}' AND \"site\" = '{site}' AND \"source\" = '{source.id}'"
        query = f'SELECT {fields} FROM "{machine}" WHERE {where}'  # noqa: S608 - ids of [a-z0-9_.-] only
        about = "Segment"
        segments.append(
            collection(
                short(f"LinkedSegment_{source.id}", names),
                f"{_BASE}/Segments/LinkedSegment/1/1",
                [
                    text("Name", f"{_BASE}/{about}/Name/1/1", source.id, "en"),
                    *(
                        [prop("SamplingInterval", f"{_BASE}/{about}/SamplingInterval/1/1", "xs:long",
                              str(max(1, source.interval_ns // MILLI)))]
                        if source.mode == "poll" else []
                    ),
                    prop("Endpoint", f"{_BASE}/Endpoint/1/1", "xs:string", endpoint),
                    prop("Query", f"{_BASE}/Query/1/1", "xs:string", query),
                ],
            )
        )  # fmt: skip
    elements = [
        collection(
            "Metadata",
            f"{_BASE}/Metadata/1/1",
            [
                text("Name", f"{_BASE}/Metadata/Name/1/1", name),
                collection("Record", f"{_BASE}/Record/1/1", record),
            ],
        ),
        collection("Segments", f"{_BASE}/Segments/1/1", segments),
    ]
    return submodel(id_, "TimeSeries", model(("Submodel", SEMANTIC)), ("1", "1"), None, elements)
