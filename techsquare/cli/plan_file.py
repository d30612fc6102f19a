"""A plan and days in files, for a platform that uses the verdict alone: JSON and CSV; each mistake is named.

The plan is `PlanFile` (`techsquare verify --schema`). Days are CSV in UTF-8 with the header

    machine,day,num,den,coverage

in any order of rows and over any number of files: a machine's value of a day is num / den, `den` 0 where no time
was planned, `coverage` the share of planned time of which anything is known. A day stands once.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date
from math import isfinite
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from techsquare.verdict import plan as planning
from techsquare.verdict.rule import enough
from techsquare.verdict.terms import Over, Plan, Series, Use

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

COLUMNS = ["machine", "day", "num", "den", "coverage"]
MOST_BYTES = 200_000_000
Name = Annotated[str, Field(min_length=1, max_length=200)]
WHY: Mapping[str, str] = {
    "no_machine": "no machine is treated, or one stands twice",
    "treated_is_control": "a treated machine is compared with itself",
    "baseline_before_application": "the baseline begins on or before the day of application: begin it later",
    "baseline_short": "fewer than 10 days lie between the baseline's first day and the blackout",
    "after_short": "fewer than 10 days lie between blackout and verdict",
    "extension_before_verdict": "the extension is not later than the verdict",
    "frozen_late": "it was frozen before the baseline was over, or not before the installation",
    "too_long": "more than 366 days lie between the baseline's first day and the verdict",
    "no_least": "say what change is worth it: `least` above 0",
    "bad_rhythm": "use shows at least every planned day: `every_days` of 1 or more",
    "wrong_hash": "the plan was changed after its hash was made: use the plan that was hashed",
}


class FileError(Exception):
    """A file cannot be used; the text names file, line and what to do."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class MachineEntry(_Strict):
    """A machine, and the site that it stands on."""

    machine: Name
    site: Name


class Days(_Strict):
    """From a day to another, both included."""

    first: date
    last: date


class UseEntry(_Strict):
    """What shows use, and how often, in planned days."""

    system: Name
    signal: Name
    every_days: int


class PlanFile(_Strict):
    """A measurement plan, fixed before the installation. Days as 2026-05-01."""

    schema_: Literal["techsquare-plan/1"] = Field(alias="schema")
    project: Name
    metric: Name
    unit: Name = Field(description="of num / den, as it is printed")
    better: Literal["higher", "lower"]
    treated: list[MachineEntry] = Field(min_length=1)
    controls: list[MachineEntry] = Field(description="machines that nothing is done to, the closest first")
    applied: date = Field(description="when help was asked for; the baseline begins later")
    frozen: date = Field(description="between the baseline and the installation")
    baseline: Days
    installed: date = Field(description="the planned day")
    really_installed: date | None = None
    blackout_days: int = Field(default=planning.BLACKOUT_DAYS, ge=0, description="left out on both sides of it")
    verdict_on: date = Field(description="the days before it are looked at")
    extended_to: date = Field(description="likewise, if the first look decides nothing")
    least: float = Field(description="the change below which it is not worth the money, in the unit")
    use: UseEntry | None = None
    hash: str | None = Field(default=None, description="as `verify` has printed it; a changed plan is refused")


def read_plan(path: Path) -> tuple[Plan, dict[str, str], date | None]:
    """Return a plan, the site of each of its machines, and when it was really installed.

    Raises:
        FileError: it cannot be read, is no such plan, or could not have been frozen.
    """
    try:
        said = PlanFile.model_validate_json(_bytes(path))
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise FileError(
            f"{path}: {where}: {first['msg']}; `techsquare verify --schema` prints what a plan has to be"
        ) from None
    sites = {one.machine: one.site for one in (*said.treated, *said.controls)}
    home = {one.site for one in said.treated}
    if len(home) > 1:
        raise FileError(f"{path}: treated: a project's machines stand on one site: make a plan for each")
    controls = [one.machine for one in said.controls]
    if len(set(controls)) < len(controls):
        raise FileError(f"{path}: controls: a machine stands twice")
    at_home = {sites[name] in home for name in controls}
    if len(at_home) > 1:
        raise FileError(
            f"{path}: controls: five machines of the treated machine's own site, or machines of at least five "
            "other sites: leave out the others"
        )
    plan = Plan(
        project=said.project, metric=said.metric, unit=said.unit, sign=1 if said.better == "higher" else -1,
        treated=tuple(one.machine for one in said.treated), controls=tuple(controls),
        over=_over([sites[name] for name in controls], min(home)), applied=said.applied, frozen=said.frozen,
        baseline=(said.baseline.first, said.baseline.last), installed=said.installed,
        blackout_days=said.blackout_days, verdict_on=said.verdict_on, extended_to=said.extended_to,
        least=said.least, use=None if said.use is None else Use(**said.use.model_dump()), hash="",
    )  # fmt: skip
    plan = replace(plan, hash=said.hash or planning.digest(plan))
    why = planning.refusals(plan)
    if why:
        raise FileError(f"{path}: {'; '.join(WHY[one] for one in why)}")
    return plan, sites, said.really_installed


def read_days(paths: Sequence[Path], sites: Mapping[str, str]) -> list[Series]:
    """Return the days of machines that have a site; those of others are not looked at.

    Raises:
        FileError: a file or a line is wrong, or a day stands twice.
    """
    found: dict[str, dict[date, tuple[float, float, float]]] = {name: {} for name in sites}
    where: dict[tuple[str, date], str] = {}
    for path in paths:
        for place, machine, day, values in _lines(path):
            if machine not in found:
                continue
            if (machine, day) in where:
                raise FileError(
                    f"{place}: {machine} on {day} stands in {where[machine, day]} as well: keep one of them"
                )
            where[machine, day] = place
            found[machine][day] = values
    series = []
    for machine, days in found.items():
        if days:
            order = sorted(days)
            columns = np.array([days[day] for day in order], np.float64)
            series.append(Series(machine, sites[machine], order, columns[:, 0], columns[:, 1], columns[:, 2]))
    return series


def _over(sites: Sequence[str], home: str) -> Over:
    """Return what kind of comparison these sites, all of them home or none, allow."""
    if home in sites:
        return "site" if enough(sites, "site") else "none"
    return "sites" if enough(sites, "sites") else "none"


def _lines(path: Path) -> Iterable[tuple[str, str, date, tuple[float, float, float]]]:
    try:
        text = _bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileError(f"{path}: it is not UTF-8: save it as CSV in UTF-8") from None
    rows = csv.reader(text.splitlines())
    head = [name.strip().lower() for name in next(rows, [])]
    if head != COLUMNS:
        raise FileError(f"{path}, line 1: write {','.join(COLUMNS)} as its first line")
    for row in rows:
        if not row:
            continue
        place = f"{path}, line {rows.line_num}"
        if len(row) != len(COLUMNS):
            raise FileError(f"{place}: {len(row)} columns where there are {len(COLUMNS)}: {','.join(COLUMNS)}")
        try:
            day = date.fromisoformat(row[1].strip())
        except ValueError:
            raise FileError(f"{place}: {row[1]!r} is no day: write it as 2026-05-01") from None
        yield place, row[0].strip(), day, _values(place, row[2:])


def _values(place: str, texts: Sequence[str]) -> tuple[float, float, float]:
    values = []
    for name, text in zip(COLUMNS[2:], texts, strict=True):
        try:
            values.append(float(text))
        except ValueError:
            raise FileError(
                f"{place}: {name} {text!r} is no number; leave the line out where nothing is known"
            ) from None
    num, den, coverage = values
    if not (isfinite(num) and isfinite(den) and den >= 0):
        raise FileError(f"{place}: num and den are finite, and den is 0 or more")
    if not 0 <= coverage <= 1:
        raise FileError(f"{place}: coverage is a share from 0 to 1, not {coverage:g}")
    return num, den, coverage


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise FileError(
                f"{path}: more than {MOST_BYTES // 10**6} MB: give the days of this plan's machines only"
            )
        return path.read_bytes()
    except OSError as exc:
        raise FileError(f"{path}: cannot be read ({exc.strerror})") from None
