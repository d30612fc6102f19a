"""Factories with machine-days in the registry."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from techsquare.registry import tables as t
from techsquare.registry.audit import Actor
from techsquare.registry.ids import new_id
from techsquare.registry.policy import Reader
from techsquare.registry.store import add
from techsquare.services.measured import NUMBERS
from techsquare.services.rights import Caller

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from techsquare.diagnosis.terms import MachineDay
    from techsquare.registry.store import Registry

ME = Actor("test")
ENTERED = date(2026, 1, 1)


def at(day: date, hour: int = 3) -> int:
    """Return an instant of a day, ns: noon in Korea."""
    return int(datetime(day.year, day.month, day.day, hour, tzinfo=UTC).timestamp()) * 10**9


def factory(
    registry: Registry, name: str, machines: Iterable[str] = (), *, process: str = "press", group: str | None = None
) -> None:
    """Register a factory with machines."""
    rows: list[Any] = [
        t.Party(id=name, kind="factory", name=name, owner_group=group, created_at=at(ENTERED)),
        t.Factory(id=name, region="busan", industry="C29", process=process),
    ]
    rows += [
        t.Machine(factory_id=name, id=one, name=one, weight=1.0, limits_output="unknown", comparable=False)
        for one in machines
    ]
    registry.decide(lambda s: add(s, *rows), ME)


def days(registry: Registry, name: str, found: Sequence[MachineDay], **changed: Any) -> None:
    """Store machine-days in the order in which they are given."""
    rows = [row(name, one, **changed) for one in found]
    registry.decide(lambda s: add(s, *rows), ME)


def row(name: str, one: MachineDay, **changed: Any) -> t.MetricDay:
    """Return a machine-day as a row."""
    numbers = {column: getattr(one, column) for column in NUMBERS}
    head = f"{name}-{one.machine}-{one.day}" if one.source == "measured" else None
    told: dict[str, Any] = {
        "source": one.source, "head": head, "formulas": one.formulas, "reasons": dict(one.reasons) or None,
    }  # fmt: skip
    return t.MetricDay(factory_id=name, machine_id=one.machine, day=one.day, **(numbers | told | changed))


def owner(name: str, now: int) -> Caller:
    """Return the owner of a factory."""
    return Caller(Reader(None, frozenset({("owner", name)})), now)


def rates(registry: Registry, name: str, now: int, **body: Any) -> None:
    """Say rates as the form writes them."""
    told = t.Rates(id=new_id(), factory_id=name, at=now, body=body)
    registry.decide(lambda s: add(s, told), ME)


def won(low: float, high: float | None = None) -> dict[str, float]:
    return {"low": low, "high": low if high is None else high}
