"""Rows of an InfluxDB, asked for two hours at a time, so that neither side holds more.

Both versions answer in CSV over plain HTTP, so nothing but the standard library is needed here; the client that the
gateway writes with stays behind `gateway.stores`. Version 1 gives a row per instant, version 2 one per value.
"""

from __future__ import annotations

import base64
import csv
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any

from agent.assess.config import TimeColumn
from agent.assess.table import Batch, Table, Wanted
from agent.assess.times import Times, Unreadable
from settings.errors import ConfigError
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from agent.assess.config import DataSource, Influx
    from readiness.schedule import Calendar
    from settings.language import Language

WINDOW_NS = 7_200_000_000_000
TIMEOUT_S = 300
ERROR_BYTES = 2000
CHUNK = 1 << 16
LINE_BYTES = 1 << 20
"""No line of an answer is longer; a server that ends none must not fill the memory."""
_TIME, _FIELD, _VALUE = "_time", "_field", "_value"


def as_rows(config: DataSource) -> DataSource:
    """Return the source as if its rows stood in a file with the headings that a query answers with."""
    assert config.influx is not None
    if config.influx.version == 1:
        return config.model_copy(update={"time": TimeColumn(column="time", format="unix_ns")})
    return config.model_copy(update={"time": TimeColumn(column=_TIME), "tag": _FIELD, "value": _VALUE})


class Query(Table):
    """The rows of one source in a database.

    Args:
        config: Of the source.
        calendar: Says when its days begin and end.
        language: Of complaints.
        advance: Is told how many bytes came.
    """

    def __init__(
        self, config: DataSource, calendar: Calendar, language: Language, advance: Callable[[int], None]
    ) -> None:
        assert config.influx is not None
        self._influx: Influx = config.influx
        super().__init__(_shown(self._influx), Wanted((), frozenset()), language, advance)
        self._fields = [signal.column for signal in config.signals]
        self._start = calendar.bounds(self._influx.from_)[0]
        self._end = calendar.bounds(self._influx.to)[1]

    def complain(self, line: int, en: str, ko: str) -> ConfigError:
        """Return an error at a row of an answer."""
        return ConfigError(
            f"{_where(self._influx)}: {Text(f'row {line}: {en}', f'{line}번째 행: {ko}')(self._language)}"
        )

    def batches(self) -> Iterator[Batch]:
        """Yield the rows, at most two hours at once."""
        read = self._version1 if self._influx.version == 1 else self._version2
        for start in range(self._start, self._end, WINDOW_NS):
            try:
                batch = read(start, min(start + WINDOW_NS, self._end))
            except (csv.Error, IndexError, KeyError, ValueError, Unreadable) as exc:
                version = self._influx.version
                text = Text(
                    f"is no answer of an InfluxDB {version}: {exc}", f"InfluxDB {version}의 응답이 아닙니다({exc})"
                )
                raise ConfigError(f"{_where(self._influx)}: {text(self._language)}") from exc
            if batch.lines:
                yield batch

    def _version1(self, start: int, end: int) -> Batch:
        influx = self._influx
        where = [f"time >= {start}", f"time < {end}"]
        where += [f"{_quoted(tag)} = '{_escaped(value)}'" for tag, value in sorted(influx.tags.items())]
        fields = ", ".join(_quoted(field) for field in self._fields)
        query = f"SELECT {fields} FROM {_quoted(influx.measurement)} WHERE {' AND '.join(where)}"  # noqa: S608 - quoted
        words = urllib.parse.urlencode({"db": influx.database or "", "epoch": "ns", "q": query})
        headers = {"Accept": "application/csv"}
        if influx.user is not None:
            login = f"{influx.user}:{self._secret(influx.password_file)}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(login).decode()}"
        rows = [*csv.reader(self._answer(f"{influx.url}/query?{words}", headers, None))]
        if not rows:
            return Batch((), {})
        head, body = rows[0], [row for row in rows[1:] if row]
        if "time" not in head:
            raise ConfigError(f"{_where(influx)}: {' '.join(' '.join(row) for row in rows)[:ERROR_BYTES]}")
        columns = list(zip(*body, strict=True)) if body else []
        cells = dict(zip(head, columns, strict=False))
        return Batch(range(1, 1 + len(body)), cells)

    def _version2(self, start: int, end: int) -> Batch:
        influx = self._influx
        text = json.dumps
        lines = [
            f"from(bucket: {text(influx.bucket)})",
            f"  |> range(start: time(v: {start}), stop: time(v: {end}))",
            f"  |> filter(fn: (r) => r._measurement == {text(influx.measurement)})",
            *(
                f"  |> filter(fn: (r) => r[{text(tag)}] == {text(value)})"
                for tag, value in sorted(influx.tags.items())
            ),
            f"  |> filter(fn: (r) => contains(value: r._field, set: {text(self._fields)}))",
            '  |> keep(columns: ["_time", "_field", "_value"])',
        ]
        url = f"{influx.url}/api/v2/query?{urllib.parse.urlencode({'org': influx.org or ''})}"
        headers = {
            "Accept": "application/csv",
            "Content-Type": "application/vnd.flux",
            "Authorization": f"Token {self._secret(influx.token_file)}",
        }
        times, rows = Times("auto", "UTC"), []
        place: dict[str, int] = {}
        for row in csv.reader(self._answer(url, headers, "\n".join(lines).encode())):
            if _TIME in row or "error" in row:  # each type of value brings a heading of its own
                place = {title: index for index, title in enumerate(row)}
            elif "error" in place:
                raise ConfigError(f"{_where(influx)}: {row[place['error']]}")
            elif row:
                rows.append((times.read([row[place[_TIME]]])[0], row[place[_FIELD]], row[place[_VALUE]]))
        rows.sort(key=lambda row: row[0])
        columns: list[tuple[Any, ...]] = list(zip(*rows, strict=True)) if rows else []
        return Batch(range(1, 1 + len(rows)), dict(zip((_TIME, _FIELD, _VALUE), columns, strict=False)))

    def _answer(self, url: str, headers: dict[str, str], body: bytes | None) -> Iterator[str]:
        """Yield the lines of an answer."""
        request = urllib.request.Request(url, body, headers)  # noqa: S310 - http or https, by the model
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 - likewise
                for line in self._lines_of(answer):
                    yield line.decode("utf-8")
        except urllib.error.HTTPError as exc:
            said = exc.read(ERROR_BYTES).decode("utf-8", "replace").strip()
            raise ConfigError(f"{_where(self._influx)}: {exc.code} {exc.reason}: {said}") from exc
        except (OSError, UnicodeDecodeError, http.client.HTTPException) as exc:
            reason = getattr(exc, "reason", exc)
            text = Text(
                f"no answer ({reason}): is the address right?", f"응답이 없습니다({reason}). 주소를 확인하십시오"
            )
            raise ConfigError(f"{_where(self._influx)}: {text(self._language)}") from exc

    def _lines_of(self, answer: http.client.HTTPResponse) -> Iterator[bytes]:
        """Yield the lines of an answer that comes to its end: rows that are missing would count as lost.

        Raises:
            OSError, HTTPException: it was cut off.
        """
        rest = b""
        while raw := answer.read(CHUNK):  # iterating over it would take a cut for the end
            self._advance(len(raw))
            *lines, rest = (rest + raw).split(b"\n")
            yield from (line + b"\n" for line in lines)
            if len(rest) > LINE_BYTES:
                raise OSError(f"a line of more than {LINE_BYTES} bytes")
        if answer.length:
            raise OSError(f"cut off {answer.length} bytes before its end")
        if rest:
            yield rest

    def _secret(self, path: Path | None) -> str:
        if path is None:
            return ""
        try:
            return path.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as exc:
            raise ConfigError(f"{path}: {exc}") from exc


def _shown(influx: Influx) -> Path:
    from pathlib import Path  # noqa: PLC0415 - only its name is used

    return Path(_where(influx))


def _where(influx: Influx) -> str:
    return f"{influx.url} {influx.bucket or influx.database}"


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")
