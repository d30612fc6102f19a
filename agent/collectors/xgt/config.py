"""What a technician writes about an LS ELECTRIC PLC that is read over XGT FEnet."""

from __future__ import annotations

import functools
import importlib.resources
import json
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, model_validator

from agent.collectors.binary import Order
from agent.collectors.planning import DevicePlan, PlannedRequest, SourcePlan
from agent.collectors.xgt.address import AREAS
from agent.collectors.xgt.frame import MOST_CONTINUOUS, Company, Continuous, Station
from agent.collectors.xgt.learned import TOPIC, Learned
from agent.collectors.xgt.plan import COST, Limits, Request, Value, plan
from agent.collectors.xgt.signal import ERROR, STATE, AlarmedXgtGroup, XgtSignal
from agent.config.base import DeviceBase, Every, Timeout
from agent.frame import Source
from settings.base import Duration, Flag, Host, Port, form
from settings.language import Complaint, Text
from settings.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.collectors.base import Memory

Cpu = Literal["XGK", "XGI", "XGR", "XGB-MK", "XGB-IEC"]

CPU_INFO: dict[Cpu, int] = {"XGK": 0xA0, "XGI": 0xA4, "XGR": 0xA8, "XGB-MK": 0xB0, "XGB-IEC": 0xB4}
_IEC_AREAS = frozenset({"I", "Q", "M", "R", "W", "F", "A", "L", "N", "K", "U"})
_MK_AREAS = AREAS - {"I", "Q", "W", "A"}
_EVERY: TypeAdapter[int] = TypeAdapter(Every)
_LABELS = {1: "RUN", 2: "STOP", 4: "ERROR", 8: "DEBUG"}


@functools.cache
def modules() -> dict[str, dict[str, Any]]:
    """Return what each Ethernet module serves, from `modules.json`."""
    written = importlib.resources.files("agent.collectors.xgt").joinpath("modules.json").read_text("utf-8")
    found: dict[str, dict[str, Any]] = json.loads(written)["modules"]
    return found


def areas(cpu: Cpu) -> frozenset[str]:
    """Return the memory areas that a series has."""
    return _IEC_AREAS if cpu in {"XGI", "XGR", "XGB-IEC"} else _MK_AREAS


def _module(value: str) -> str:
    if value not in modules():
        known = ", ".join(modules())
        meant = nearest(value, modules())
        raise Complaint(
            f"{value} is not known: write {meant or known}, or leave it out and write max_bytes",
            f"모르는 통신 모듈입니다({value}). {meant or known}(으)로 쓰거나, 지우고 max_bytes를 쓰십시오",
        )
    return value


class XgtGroup(AlarmedXgtGroup):
    """Values that are read at one pace."""

    signals: tuple[XgtSignal, ...] = Field((), description="what is read together")


class XgtDevice(DeviceBase):
    """One LS ELECTRIC PLC, over the XGT server of its Ethernet module."""

    type: Literal["xgt"] = Field(description="`xgt`: LS ELECTRIC XGK, XGI, XGR, XGB over XGT FEnet")
    host: Host = Field(description="IP address or host name")
    port: Port = Field(2004, description="TCP port of the XGT server")
    cpu: Cpu = Field("XGK", description="series of the CPU; XGB-MK is XBC and XBM, XGB-IEC is XEC")
    module: Annotated[str, AfterValidator(_module), form("module, `xgl-efmtb`")] | None = Field(
        None,
        description="Ethernet module, for its limits: xgl-efmt, xgl-efmtb, xgl-efmf, xbl-emta or xgb (built in)",
    )
    company: Company = Field(
        "LSIS-XGT", description="company id of the frames; LGIS-GLOFA for modules of the GLOFA and MASTER-K time"
    )
    base: Annotated[int, Field(ge=0, le=15)] = Field(0, description="base number of the Ethernet module")
    slot: Annotated[int, Field(ge=0, le=15)] = Field(0, description="slot of the Ethernet module")
    timeout: Timeout = Field(1_500_000_000, description="longest wait for a connection and for each answer")
    word_order: Order = Field(
        "DCBA", description="order of bytes and words in the PLC's memory; DCBA unless a program has swapped them"
    )
    max_bytes: Annotated[int, Field(ge=2, le=MOST_CONTINUOUS)] | None = Field(
        None, description="bytes that one continuous read may ask for, when not the module's"
    )
    read: Literal["blocks", "single"] = Field(
        "blocks", description="blocks: continuous reads; single: individual reads of up to 16 words, always"
    )
    request_gap: Duration = Field(0, description="pause before each request")
    plc_state: Flag = Field(
        default=True,
        description="adds two signals to the fastest group: RUN/STOP and CPU error, told with every answer",
    )
    groups: Annotated[tuple[XgtGroup, ...], Field(min_length=1)] = Field(description="what is read, by pace")

    @model_validator(mode="before")
    @classmethod
    def _tell_state(cls, data: Any) -> Any:
        return _with_state(data) if isinstance(data, dict) else data

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        served = areas(self.cpu)
        for group in self.groups:
            values = [(signal, value) for signal in group.signals if (value := signal.value()) is not None]
            if not values:
                raise Complaint(
                    f"group {group.id} asks for nothing: put {STATE} beside other signals",
                    f"그룹 {group.id}에서 읽을 것이 없습니다. {STATE}은(는) 다른 태그와 함께 쓰십시오",
                )
            for signal, value in values:
                self._check(signal, value, served)
        return self

    def _check(self, signal: XgtSignal, value: Value, served: frozenset[str]) -> None:
        if value.area not in served:
            iec = value.area in _IEC_AREAS
            meant = "XGI, XGR or XGB-IEC" if iec else "XGK or XGB-MK"
            raise Complaint(
                f"signal {signal.id}: {self.cpu} has no area {value.area} ({signal.address}): write cpu: {meant}, "
                "or another address",
                f"태그 {signal.id}: {self.cpu}에는 {value.area} 영역이 없습니다({signal.address}). "
                f"cpu를 {meant.replace(' or ', ', ')} 중에서 쓰거나 주소를 바꾸십시오",
            )
        limits = self.limits
        fits = value.size <= limits.bytes if limits.continuous else len(value.words) <= limits.blocks
        if not fits:
            raise Complaint(
                f"signal {signal.id} takes {value.size} bytes, more than one request may read",
                f"태그 {signal.id}은(는) {value.size}바이트로, 요청 한 번에 읽을 수 있는 길이보다 깁니다",
            )

    @property
    def station(self) -> Station:
        """What stands in the header of each request."""
        return Station(self.company, CPU_INFO[self.cpu], self.base, self.slot)

    @property
    def limits(self) -> Limits:
        """What one request may read."""
        module = self.module or ("xgb" if self.cpu.startswith("XGB") else "xgl-efmt")
        return Limits(bytes=self.max_bytes or modules()[module]["bytes"], continuous=self.read == "blocks")

    def learned(self, memory: Memory) -> Learned:
        """Return what was learned of the PLC that the configuration names."""
        return Learned(memory.recall(self.id, TOPIC), f"{self.host}:{self.port} {self.base}.{self.slot}")

    def plans(self, learned: Learned) -> list[tuple[Request, ...]]:
        """Return the requests of each group, as its collector makes them from what was learned."""
        limits = learned.of(self.limits)
        return [plan(values_of(group), limits, learned.barriers) for group in self.groups]

    def requests(self) -> Mapping[str, int]:
        """Return by source id how many requests one reading takes while the PLC refuses nothing."""
        plans = self.plans(Learned())
        return {f"{self.id}.{group.id}": len(requests) for group, requests in zip(self.groups, plans, strict=True)}

    def explained(self, memory: Memory) -> DevicePlan:
        """Return how the PLC is read, for `tsq-agent explain`."""
        learned = self.learned(memory)
        limits = learned.of(self.limits)
        notes = [
            Text(
                f"at most {limits.bytes} bytes in a continuous read, {limits.blocks} words in an individual one",
                f"연속 읽기 최대 {limits.bytes}바이트, 개별 읽기 최대 {limits.blocks}워드",
            ),
            *(
                Text(
                    f"not read: {area}, bytes {start} to {end - 1}",
                    f"읽지 않음: {area} 영역 {start}~{end - 1}바이트",
                )
                for area, holes in sorted(learned.holes.items())
                for start, end in sorted(holes)
                if end > start
            ),
        ]
        return DevicePlan(
            sources=tuple(
                _source_plan(f"{self.id}.{group.id}", group, requests)
                for group, requests in zip(self.groups, self.plans(learned), strict=True)
            ),
            cost=COST,
            measured=False,
            unit=Text("byte", "바이트"),
            notes=tuple(notes),
        )

    def sources(self) -> tuple[Source, ...]:
        """Return one Source per group."""
        return tuple(
            Source(
                id=f"{self.id}.{group.id}",
                device=self.id,
                protocol="xgt",
                mode="poll" if group.burst is None else "burst",
                interval_ns=group.every,
                signals=tuple(signal.signal(self.machine) for signal in group.signals),
            )
            for group in self.groups
        )


def values_of(group: XgtGroup) -> list[Value]:
    """Return where the values of a group lie that are asked for."""
    return [value for signal in group.signals if (value := signal.value()) is not None]


def _source_plan(source: str, group: XgtGroup, requests: Sequence[Request]) -> SourcePlan:
    values = values_of(group)
    told: list[PlannedRequest] = []
    for request in requests:
        ask, members = request.ask, {index for index, _ in request.items}
        spans = (
            {byte for i in members for byte in range(*values[i].span)} if isinstance(ask, Continuous) else members
        )
        last = f"%{ask.area}B{ask.start + ask.count - 1}" if isinstance(ask, Continuous) else ask.names[-1]
        told.append(
            PlannedRequest(
                first=ask.name if isinstance(ask, Continuous) else ask.names[0],
                last=last,
                units=request.size,
                asked=len(spans) if isinstance(ask, Continuous) else request.size,
                signals=len(members),
                cost_ns=COST.of(request.size),
            )
        )
    return SourcePlan(
        source=source,
        every_ns=group.every,
        signals=len(group.signals),
        requests=tuple(told),
        naive=len(values),
        naive_ns=sum(COST.of(value.size) for value in values),
    )


def _with_state(data: dict[str, Any]) -> Any:
    """Return the device with the two signals of the header, unless it says otherwise.

    They stand in the fastest group that is always read, and are ordinary signals from there on: whoever writes one
    of them himself, to give it a name or to confirm its role, gets his and not this one.
    """
    groups, device = data.get("groups"), data.get("id")
    if data.get("plc_state", True) is not True or not isinstance(groups, list) or not isinstance(device, str):
        return data
    written = [s for g in groups if isinstance(g, dict) for s in _signals(g) if isinstance(s, dict)]
    taken = {address for s in written if isinstance(address := s.get("address"), str)}
    has_state = any(s.get("role") == "state" and s.get("machine") in (None, data.get("machine")) for s in written)
    name = str(data.get("name") or device)
    name = name if "PLC" in name.upper() else f"{name} PLC"
    made = [
        {
            "id": f"{device[:42]}-state", "name": f"{name} 상태"[:200], "address": STATE, "type": "uint16",
            "labels": _LABELS, "found": "profile",
            **({} if has_state else {"role": "state", "guess": True}),
        },
        {
            "id": f"{device[:42]}-error", "name": f"{name} CPU 이상"[:200], "address": ERROR, "type": "bool",
            "role": "alarm", "guess": True, "found": "profile",
            "alarm": {"text": f"{name} CPU 이상"[:200], "priority": "high"},
        },
    ]  # fmt: skip
    more = [signal for signal in made if signal["address"] not in taken]
    read = [(pace, i) for i, g in enumerate(groups) if isinstance(g, dict) and (pace := _pace(g)) is not None]
    position = min(read)[1] if read else None
    if position is None or not more:
        return data
    group = dict(groups[position])
    group["signals"] = [*_signals(group), *more]
    return {**data, "groups": [*groups[:position], group, *groups[position + 1 :]]}


def _pace(group: dict[str, Any]) -> int | None:
    """Return the interval of a group; None when it is not always read, or has none that can be understood."""
    try:
        return None if group.get("burst") is not None else _EVERY.validate_python(group.get("every"))
    except ValidationError:
        return None


def _signals(group: dict[str, Any]) -> list[Any]:
    """Return what stands under signals, as far as it is a list."""
    found = group.get("signals")
    return found if isinstance(found, list) else []
