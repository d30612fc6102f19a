"""Sets of answers, and a small factory that they are about."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any, Literal

from agent.frame import DataType, Role, Signal, Source
from answers.load import Given, read
from answers.plant import join
from readiness.inventory import Machine
from readiness.schedule import Calendar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from answers.plant import Joined

ZONE = "Asia/Seoul"
WORK = (dt.time(8), dt.time(20))
CALENDAR = Calendar(zone=ZONE, day_start=dt.time(8), planned=dict.fromkeys(range(5), (WORK,)))
MACHINES = (Machine("press-1", "프레스 1호기", 2.0), Machine("cnc-1", "cnc-1"))


def tag(machine: str, name: str, dtype: DataType, role: Role | None = None, **more: Any) -> Signal:
    """Return a configured signal."""
    sure = {"role_confirmed": role is not None}
    return Signal(id=name, machine=machine, name=name, dtype=dtype, role=role, **{**sure, **more})


CATALOG = (
    Source(
        id="plc.main",
        device="plc",
        protocol="modbus",
        mode="poll",
        interval_ns=10**9,
        signals=(
            tag("press-1", "state", DataType.INT16, "state", labels=((0, "정지"), (1, "운전"))),
            tag("press-1", "run", DataType.BOOL, "state", role_confirmed=False),
            tag("press-1", "count", DataType.UINT32, "count_total"),
            tag("press-1", "temp", DataType.FLOAT32, "pv", instrument_range=(0.0, 100.0), eu_range=(10.0, 60.0)),
            tag("press-1", "sp", DataType.FLOAT32, "sp"),
            tag("press-1", "mode", DataType.STRING, "mode"),
            tag("press-1", "product", DataType.STRING, "product"),
            tag("press-1", "kwh", DataType.FLOAT64, "energy", unit="MWh"),
            tag("press-1", "word", DataType.INT32),
        ),
    ),
)


def raw(**parts: Any) -> dict[str, Any]:
    """Return a set as plain data."""
    return {"version": 1, "serial": 1, "author": "박 멘토", "date": "2026-11-20", **parts}


def given(source: Literal["file", "message"] = "file", **parts: Any) -> Given:
    """Return an accepted set."""
    found, problems = read(json.dumps(raw(**parts), ensure_ascii=False).encode(), source)
    assert found is not None, [p.text.en for p in problems]
    return found


def joined(*sets: Given, catalog: Sequence[Source] = CATALOG) -> Joined:
    """Return a set joined with the small factory."""
    return join(catalog, MACHINES, CALENDAR, sets)


def plant_with(**parts: Any) -> Any:
    """Return the plant of one set of answers."""
    return joined(given(**parts)).plant
