"""A small plant whose data pandas writes, so that what is counted here shares no code with what is tested."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import yaml

from agent.assess.config import load
from agent.assess.run import Reading, Result
from agent.reporter import load_model
from answers.load import load as load_answers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SIGNALS: list[dict[str, Any]] = [
    {"id": "state", "column": "상태", "type": "int16", "role": "state"},
    {"id": "total", "column": "총수량", "type": "int64", "role": "count_total"},
    {"id": "reject", "column": "불량", "type": "int64", "role": "count_reject"},
    {"id": "current", "column": "전류", "type": "float64", "role": "pv", "unit": "A"},
]
FILE: dict[str, Any] = {
    "version": 1,
    "factory": "hanil",
    "name": "한일정밀",
    "zone": "Asia/Seoul",
    "schedule": {"planned": [{"days": "mon-fri", "from": "08:00", "to": "17:00"}]},
    "machines": [{"id": "press-1", "name": "프레스 1호기"}],
    "sources": [{"id": "hist", "machine": "press-1", "time": {"column": "시각"}, "signals": SIGNALS}],
}
FIRST, DAYS = "2026-10-05", 14  # a Monday: ten planned days


def frame(zone: str = "Asia/Seoul", first: str = FIRST, days: int = DAYS, every_s: int = 60) -> pd.DataFrame:
    """Return complete data: a machine that makes a piece a minute in working hours, and rejects each fiftieth."""
    start = pd.Timestamp(first, tz=zone)
    at = pd.date_range(start, start + pd.DateOffset(days=days), freq=f"{every_s}s", inclusive="left")
    works = (at.day_of_week < 5) & (at.hour >= 8) & (at.hour < 17)
    pieces = np.cumsum(works & (at.second < every_s))
    rng = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "시각": at,
            "상태": np.where(works, 2, 0),
            "총수량": pieces,
            "불량": pieces // 50,
            "전류": np.where(works, 12.0, 0.5) + rng.normal(0, 0.2, len(at)).round(3),
        }
    )


def local(data: pd.DataFrame) -> pd.DataFrame:
    """Return it with local times without an offset, as a historian exports them."""
    return data.assign(시각=data["시각"].dt.strftime("%Y-%m-%d %H:%M:%S"))


def assess(
    folder: Path,
    files: Sequence[Path],
    change: Mapping[str, Any] | None = None,
    source: Mapping[str, Any] | None = None,
    answers: Mapping[str, Any] | None = None,
) -> Result:
    """Write the configuration and assess the files."""
    config = folder / "assess.yaml"
    config.write_text(written(change, source), "utf-8")
    given = []
    if answers is not None:
        path = folder / "answers.yaml"
        path.write_text(yaml.safe_dump(dict(answers), allow_unicode=True), "utf-8")
        given = [load_answers(path, "en")]
    reading = Reading(load(config, "en"), str(config), files, given, "en", lambda _: None)
    return reading.assess(load_model())


def written(change: Mapping[str, Any] | None = None, source: Mapping[str, Any] | None = None) -> str:
    """Return the configuration's text, with changes at the top and in its only source."""
    text: str = yaml.safe_dump(
        {**FILE, "sources": [{**FILE["sources"][0], **(source or {})}], **(change or {})}, allow_unicode=True
    )
    return text


def by_metric(result: Result) -> dict[str, Any]:
    """Return metric -> Value of the plant."""
    return {value.metric: value for value in result.assessment.plant().values}  # noqa: PD011 - no pandas


def planned(data: pd.DataFrame, zone: str = "Asia/Seoul") -> pd.Series[bool]:
    """Return which rows lie in planned time."""
    at = data["시각"].dt.tz_convert(zone).dt
    found: pd.Series[bool] = (at.day_of_week < 5) & (at.hour >= 8) & (at.hour < 17)
    return found
