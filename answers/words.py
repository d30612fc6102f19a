"""How single answers are written: values of signals, months, local times, patterns, classes of accounts.

Local times carry no zone: they are those of the site, and become instants when the answers are joined with its
calendar (`answers.plant`).
"""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, StringConstraints

from settings.base import form
from settings.language import Complaint
from settings.schedule import Date

SignalRole = Literal[
    "state", "count_total", "count_good", "count_reject", "cycle", "mode", "alarm", "sp", "pv", "op",
    "energy", "lot", "order", "product", "recipe", "reason", "intervention", "power", "none",
]  # fmt: skip
"""What a signal means for its machine; `none` takes away a role that a tool has guessed."""
Answer = Literal["yes", "no", "unknown"]
Account = Literal["operator", "engineer", "manager", "kiosk", "service", "supplier"]
"""Classes of accounts. Who it was is never asked, and no field could hold it."""
SystemKind = Literal["mes", "pop", "scada", "hmi", "erp", "plm", "scm", "fems", "qms", "cmms", "historian", "other"]

YEARS = range(2000, 2101)
_MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([01][0-9]|2[0-3]):([0-5][0-9])")
_MONTH = re.compile(r"(?!0000)[0-9]{4}-(0[1-9]|1[0-2])")
_SIGNAL = re.compile(r"[a-z0-9_-]{1,48}/[a-z0-9_-]{1,48}")
_CONDITION = re.compile(r"[a-z0-9_-]{1,48}/alarm:.{1,300}")
_METRIC = re.compile(r"[A-Z][0-9]{2}")
_SLOW = re.compile(r"\)[+*{]|\(\?[=!<P(]|\\[1-9]")
"""A pattern that may take for ever: a group that is repeated, one that looks back or ahead."""
_REPEATED = re.compile(r"[+*]|\{[0-9]*,[0-9]*\}")
MOST_REPEATED = 3
"""Each repetition that is not of a fixed length multiplies the time by the length of the text."""


def _label(value: Any) -> str:
    """Return a value of a signal as text; what type it is, the signal says."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | str) and len(str(value)) <= 200:
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return str(int(value)) if value.is_integer() else repr(value)
    raise Complaint("write a value of the signal: 3, true or RUN", "태그의 값을 쓰십시오. 예: 3, true, RUN")


def _sane(value: dt.date) -> dt.date:
    if value.year not in YEARS:
        raise Complaint(
            f"write a date of the years {YEARS[0]} to {YEARS[-1]}",
            f"{YEARS[0]}년에서 {YEARS[-1]}년 사이의 날짜를 쓰십시오",
        )
    return value


def _moment(value: Any) -> dt.datetime:
    if isinstance(value, str) and (match := _MOMENT.fullmatch(value.strip())):
        try:
            found = dt.datetime.fromisoformat(f"{match[1]}T{match[2]}:{match[3]}")
        except ValueError:  # the 30th of February
            pass
        else:
            _sane(found)
            return found
    raise Complaint(
        "write a local date and time like 2026-11-03 08:00", "현지 날짜와 시각을 2026-11-03 08:00처럼 쓰십시오"
    )


def _quarter(value: Any) -> dt.datetime:
    moment = _moment(value)
    if moment.minute % 15:
        raise Complaint(
            "write a quarter of an hour, :00, :15, :30 or :45: counters are kept by quarter hour",
            "15분 단위(:00, :15, :30, :45)로 쓰십시오. 카운터는 15분 단위로 집계됩니다",
        )
    return moment


def _month(value: Any) -> str:
    if isinstance(value, str) and _MONTH.fullmatch(value.strip()):
        _sane(dt.date.fromisoformat(f"{value.strip()}-01"))
        return value.strip()
    raise Complaint("write a month like 2026-10", "월은 2026-10처럼 쓰십시오")


def _metric(value: Any) -> str:
    if isinstance(value, str) and _METRIC.fullmatch(value.strip()):
        return value.strip()
    raise Complaint("write the id of an indicator like V03", "지표 번호를 V03처럼 쓰십시오")


def _signal(value: Any) -> str:
    if isinstance(value, str) and (
        _SIGNAL.fullmatch(value) or (_CONDITION.fullmatch(value) and value.isprintable())
    ):
        return value
    raise Complaint("write the signal as `machine/signal`, by their ids", "태그를 `설비/태그` 형식의 id로 쓰십시오")


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError) as exc:
        raise Complaint(f"this is no regular expression ({exc})", f"정규식이 올바르지 않습니다({exc})") from None
    if _SLOW.search(value) or len(_REPEATED.findall(value)) > MOST_REPEATED:
        raise Complaint(
            f"write a simpler one: no group that is repeated, at most {MOST_REPEATED} of `+`, `*` and `{{1,9}}`",
            f"더 단순하게 쓰십시오. 괄호 반복은 쓸 수 없고 `+`, `*`, `{{1,9}}`는 {MOST_REPEATED}개까지입니다",
        )
    return value


Label = Annotated[str, PlainValidator(_label), form("value of the signal")]
"""A value that a signal shows, as text."""
LabelKey = Annotated[str, BeforeValidator(_label), StringConstraints(max_length=200), form("value of the signal")]
"""The same as the key of a mapping."""
Day = Annotated[Date, AfterValidator(_sane)]
"""A date, `YYYY-MM-DD`."""
Moment = Annotated[dt.datetime, BeforeValidator(_moment), form("local time, `YYYY-MM-DD HH:MM`")]
"""A local date and time."""
QuarterHour = Annotated[dt.datetime, BeforeValidator(_quarter), form("local time, `YYYY-MM-DD HH:MM`")]
"""A local date and time on a quarter of an hour."""
Month = Annotated[str, PlainValidator(_month), form("month, `YYYY-MM`")]
Metric = Annotated[str, PlainValidator(_metric), form("indicator, `V03`")]
Signal = Annotated[str, PlainValidator(_signal), form("`machine/signal`")]
"""A signal, or an alarm condition that a server reports, `machine/alarm:...`."""
Pattern = Annotated[
    str, StringConstraints(min_length=1, max_length=100), AfterValidator(_pattern), form("regular expression")
]
"""A regular expression that ends in time whatever it is matched with."""
Sentence = Annotated[str, StringConstraints(max_length=200), form("text")]
"""A few words; may be empty."""
Number = Annotated[int, Field(ge=0, le=2**53)]
