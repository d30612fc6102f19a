"""Exports of other people's historians, from bytes to blocks to closed days."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from agent.analyzers.evidence import make
from agent.assess.config import DataSource
from agent.assess.stream import Stream
from agent.assess.table import MAGIC, Table, Wanted
from readiness.evidence import load
from readiness.schedule import Calendar
from settings.errors import ConfigError
from tests.fuzz.target import Target

SIGNALS: list[dict[str, Any]] = [
    {"id": "f", "column": "전류", "type": "float64"},
    {"id": "i", "column": "수량", "type": "int64"},
    {"id": "b", "column": "가동", "type": "bool"},
    {"id": "s", "column": "로트", "type": "string"},
]
BASE: dict[str, Any] = {"id": "a", "machine": "m", "every": "1m", "time": {"column": "시각"}, "signals": SIGNALS}
WIDE = DataSource.model_validate(BASE)
LONG = DataSource.model_validate(
    {**BASE, "tag": "태그", "value": "값", "quality": {"column": "품질", "good": ["Good"], "lost": ["Lost"]}}
)
CALENDAR = Calendar("Europe/Berlin")
FILE = Path(tempfile.mkdtemp()) / "export.csv"


def seeds() -> list[bytes]:
    """Return exports of both layouts in several encodings, over an hour that comes twice."""
    wide = ["시각,전류,수량,가동,로트"]
    long = ["내보내기", "시각;태그;값;품질"]
    for hour in (1, 2, 2, 3):
        for minute in range(0, 60, 9):
            at = f"2026-10-25 {hour:02d}:{minute:02d}:00"
            wide.append(f'{at},{minute}.5,{hour * 60 + minute},{minute % 2},"L,{hour}"')
            long += [f"{at};전류;{minute}.5;Good", f"{at};가동;on;Lost", f"{at};다른 태그;;Bad"]
    texts = [
        "\n".join(wide),
        "\r\n".join(long),
        "시각,전류\n2026. 11. 22. 오후 3:05:10,\n2026-11-22T15:06:10Z,I/O Timeout\n",
    ]
    return [text.encode(codec) for text in texts for codec in ("cp949", "utf-8-sig", "utf-16")]


def exports(data: bytes) -> None:
    """An export gives whole blocks and readable days, or is refused with its name."""
    if data.startswith(MAGIC):  # another library's business
        return
    FILE.write_bytes(data)
    for config in (WIDE, LONG):
        every = ("시각",) if config.tag is None else ("시각", "태그", "값", "품질")
        some = frozenset(s.column for s in config.signals) if config.tag is None else frozenset[str]()
        table = Table(FILE, Wanted(every, some), "ko", lambda _: None)
        source = config.source(1)
        evidence = make([source], CALENDAR)
        stream = Stream(config, source, table, "Europe/Berlin", lambda ns: CALENDAR.bounds(CALENDAR.day_of(ns)))
        try:
            for block in stream.blocks():
                n = len(block)
                assert len(block.signal) == len(block.time_ns) == len(block.status) == n
                assert [v is None for v in block.value] == (block.status >> 31 > 0).tolist()
                evidence.feed([block])
        except ConfigError as exc:
            assert str(exc).startswith(str(FILE)), exc  # noqa: PT017 - one without a place is the finding
        for raw in evidence.take_closed().values():
            load(raw)


TARGET = Target(
    exports, ["agent.assess.table", "agent.assess.stream", "agent.assess.times", "agent.assess.cells"], seeds
)
