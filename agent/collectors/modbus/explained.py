"""How a Modbus device is read, told without asking it: for `tsq-agent explain`. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.collectors.modbus.address import spelled
from agent.collectors.modbus.cost import assumed
from agent.collectors.modbus.learned import TOPIC, Learned
from agent.collectors.modbus.plan import Table, per_address, plan
from agent.collectors.planning import Cost, DevicePlan, PlannedRequest, SourcePlan
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent.collectors.base import Memory
    from agent.collectors.modbus.config import ModbusDevice, ModbusGroup

SHOWN = 12


def recalled(config: ModbusDevice, memory: Memory, now: int) -> Learned:
    """Return what was learned about a device: at the place where the configuration says it is, of what it reads."""
    learned = Learned.of(memory.recall(config.id, TOPIC), f"{config.transport} {config.place} {config.unit}", now)
    learned.fit([[signal.span() for signal in group.signals] for group in config.groups])
    return learned


def explained(config: ModbusDevice, memory: Memory) -> DevicePlan:
    """Return the plan that the collector of this device starts with."""
    learned = recalled(config, memory, 0)
    link = learned.cost or assumed(config)
    cost = Cost(link.overhead_ns + config.request_gap, link.per_unit_ns)
    return DevicePlan(
        sources=tuple(_source(config, group, learned, cost) for group in config.groups),
        cost=cost,
        measured=learned.cost is not None,
        unit=Text("register", "레지스터"),
        notes=tuple(_notes(config, learned)),
    )


def _source(config: ModbusDevice, group: ModbusGroup, learned: Learned, cost: Cost) -> SourcePlan:
    spans = [signal.span() for signal in group.signals]
    refused = [i for i, span in enumerate(spans) if span in learned.refused]
    holes = {table: learned.barriers(table) for table in Table}
    requests = []
    for one in plan(spans, learned.limits(config.limits), cost, holes, refused):
        span = one.span
        asked = {a for index, _ in one.items for a in range(spans[index].start, spans[index].end)}
        requests.append(
            PlannedRequest(
                first=spelled(span.table, span.start),
                last=spelled(span.table, span.end - 1),
                units=span.count,
                asked=len(asked),
                signals=len(one.items),
                cost_ns=per_address(cost, span.table).of(span.count),
            )
        )
    return SourcePlan(
        source=f"{config.id}.{group.id}",
        every_ns=group.every,
        signals=len(spans),
        requests=tuple(requests),
        naive=len(spans),
        naive_ns=sum(per_address(cost, span.table).of(span.count) for span in spans),
    )


def _notes(config: ModbusDevice, learned: Learned) -> Iterator[Text]:
    for name, written, found in (
        ("max_registers", config.max_registers, learned.registers),
        ("max_bits", config.max_bits, learned.bits),
    ):
        if found is not None and found < written:
            yield Text(
                f"{name}: {found} (learned; the file says {written})",
                f"{name}: {found}(학습한 값, 설정 파일은 {written})",
            )
        else:
            yield Text(f"{name}: {written}", f"{name}: {written}")
    if config.max_gap is None:
        yield Text("max_gap: as long as it pays", "max_gap: 이득이 되는 만큼")
    else:
        yield Text(f"max_gap: {config.max_gap} registers", f"max_gap: 레지스터 {config.max_gap}개")
    holes = [
        spelled(table, start) if end - start == 1 else f"{spelled(table, start)} - {end - 1}"
        for table in Table
        for start, end in sorted(learned.holes[table])
        if end > start
    ]
    borders = [
        spelled(table, start) for table in Table for start, end in sorted(learned.holes[table]) if end == start
    ]
    refused = [
        f"{spelled(span.table, span.start)}: {refusal.code}"
        for span, refusal in sorted(learned.refused.items(), key=lambda item: (item[0].table, item[0].start))
    ]
    if holes:
        yield Text(
            f"learned: {len(holes)} gaps are not read over: {_some(holes)}",
            f"학습함: 건너뛰어 읽지 않는 빈 구간 {len(holes)}곳: {_some(holes)}",
        )
    if borders:
        yield Text(
            f"learned: {len(borders)} borders, no request crosses into {_some(borders)}",
            f"학습함: 한 번에 넘어 읽을 수 없는 경계 {len(borders)}곳: {_some(borders)}",
        )
    if refused:
        yield Text(
            f"learned: {len(refused)} values are refused (address: exception): {_some(refused)}",
            f"학습함: 장치가 거부하는 값 {len(refused)}개(주소: 예외 번호): {_some(refused)}",
        )


def _some(words: Sequence[str]) -> str:
    return ", ".join(words[:SHOWN]) + (" \N{HORIZONTAL ELLIPSIS}" if len(words) > SHOWN else "")
