"""InfluxDB: 1.x through its own `/write`; 2.x, 3.x and what else has `/api/v2/write` through influxdb-client.

Writes are synchronous requests of prebuilt lines. Never influxdb-client's batching: it returns before anything
is written, also when nothing can be. Libraries are imported by the constructors, for a gateway with the
embedded store needs none of them.

Types come back by a field's name: JSON of InfluxDB 1.x writes the float 1.0 as `1`.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import importlib
import io
import json
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from gateway.stores.base import Point, Refusal, StoreUnavailable, UnsupportedOperation, finish
from gateway.stores.lines import encode
from gateway.stores.rules import field_type
from gateway.stores.sending import CUT_OFF, Answer, sending
from settings.errors import ConfigError
from settings.secret import conceal, masked

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from urllib3 import HTTPResponse

    from gateway.stores.base import FieldValue
    from gateway.stores.settings import InfluxDb1Settings, InfluxDb2Settings

_CONNECT_S = 3.0
_CUT_OFF_BYTES = 64 * 1024  # a body beyond a socket's buffers: a server may refuse it before it has read it

Tags = tuple[tuple[str, str], ...]


def _writing(points: Sequence[Point], post: Callable[[bytes], Answer]) -> Generator[None, None, Sequence[Refusal]]:
    lines, places, refusals = encode(points)
    refused = yield from sending(lines, post)
    refusals += [Refusal(places[i], reason) for i, reason in refused]
    return sorted(refusals, key=lambda refusal: refusal.index)


class InfluxDb1:
    """An InfluxDB 1.x database."""

    def __init__(self, settings: InfluxDb1Settings) -> None:
        import urllib3  # noqa: PLC0415 - see the module's docstring

        self._settings = settings
        self._errors = urllib3.exceptions
        headers = {}
        if settings.user is not None:
            secret = settings.password.resolve() if settings.password else ""
            basic = base64.b64encode(f"{settings.user}:{secret}".encode()).decode()
            headers["Authorization"] = f"Basic {basic}"
            conceal(basic)
        self._headers = headers
        self._pool = urllib3.PoolManager(
            maxsize=1,
            retries=False,
            timeout=urllib3.Timeout(connect=min(_CONNECT_S, settings.timeout_s), read=settings.timeout_s),
            ca_certs=str(settings.ca_file) if settings.ca_file else None,
        )
        self._target = {"db": settings.database}
        if settings.retention_policy is not None:
            self._target["rp"] = settings.retention_policy

    def write(self, points: Sequence[Point]) -> Sequence[Refusal]:
        """Store points, as `Store.write` promises: InfluxDB 1.x syncs its log before it answers."""
        return finish(self.writing(points))

    def writing(self, points: Sequence[Point]) -> Generator[None, None, Sequence[Refusal]]:
        """Write in steps, as `Store.writing` promises."""
        return _writing(points, self._post)

    def _post(self, body: bytes) -> Answer:
        headers = self._headers
        if self._settings.gzip:
            body = gzip.compress(body, 1)
            headers = {**headers, "Content-Encoding": "gzip"}
        address = f"{self._settings.url}/write?{urlencode({**self._target, 'precision': 'ns'})}"
        try:
            answer = self._pool.request("POST", address, body=body, headers=headers)
        except self._errors.ProtocolError as exc:
            if len(body) <= _CUT_OFF_BYTES:
                raise StoreUnavailable(f"{self._settings.url}: {exc}") from exc
            return Answer(CUT_OFF, str(exc))
        except self._errors.HTTPError as exc:
            raise StoreUnavailable(f"{self._settings.url}: {exc}") from exc
        return Answer(answer.status, _error_text(answer.data))

    def read(self, measurement: str, start_ns: int, stop_ns: int) -> Iterator[Point]:
        """Yield points as `Store.read` promises, a series at a time, 10,000 points in memory."""
        span = f"time >= {start_ns} AND time < {stop_ns}"
        select = f"SELECT *::field FROM {_identifier(measurement)} WHERE {span}"  # noqa: S608 - escaped
        keys: dict[Tags, dict[str, str]] = {}
        for series in self._query(f"{select} GROUP BY * LIMIT 1"):
            tags = tuple(sorted((k, v) for k, v in series.get("tags", {}).items() if v))
            keys[tags] = series.get("tags", {})
        for tags in sorted(keys):
            # A tag that a series does not have equals the empty text.
            where = "".join(f" AND {_identifier(k)} = {_text(v)}" for k, v in keys[tags].items())
            for series in self._query(select + where):
                names = series["columns"][1:]
                for time_ns, *values in series["values"]:
                    row = zip(names, values, strict=True)
                    fields = {n: _typed(n, v) for n, v in row if v is not None}
                    yield Point(measurement, tags, time_ns, fields)

    def measurements(self) -> Sequence[str]:
        """Return the names of all measurements, sorted."""
        found = self._query("SHOW MEASUREMENTS")
        return sorted(row[0] for series in found for row in series["values"])

    def _query(self, query: str) -> Iterator[dict[str, Any]]:
        parameters = {**self._target, "q": query, "epoch": "ns", "chunked": "true", "chunk_size": "10000"}
        address = f"{self._settings.url}/query?{urlencode(parameters)}"
        try:
            answer = cast(
                "HTTPResponse",
                self._pool.request("GET", address, headers=self._headers, preload_content=False),
            )
            answer.auto_close = False  # the buffered reader asks once more at the end
            with contextlib.closing(answer):
                for line in io.BufferedReader(answer, 65536):
                    yield from self._series(answer.status, line)
        except self._errors.HTTPError as exc:
            raise StoreUnavailable(f"{self._settings.url}: {exc}") from exc

    def _series(self, status: int, line: bytes) -> Iterator[dict[str, Any]]:
        try:
            chunk = json.loads(line, parse_int=_number)
        except ValueError as exc:
            text = masked(line.decode("utf-8", "replace"))
            raise StoreUnavailable(f"{self._settings.url} answers {status}: {text[:200]!r}") from exc
        results = chunk.get("results", ())
        errors = [chunk.get("error"), *(r.get("error") for r in results)]
        if status != 200 or any(errors):
            raise StoreUnavailable(f"{self._settings.url} answers {status}: {next(filter(None, errors), chunk)}")
        for result in results:
            yield from result.get("series", ())

    def ping(self) -> None:
        """Write nothing: address, user and database are checked as for a write."""
        answer = self._post(b"\n")
        if answer.status != 204:
            raise StoreUnavailable(f"{self._settings.url} answers {answer.status}: {answer.text}")

    def close(self) -> None:
        """Close the connection."""
        self._pool.clear()


class InfluxDb2:
    """A bucket of InfluxDB 2.x or 3.x, or of another server with `/api/v2/write`.

    Tested against VictoriaMetrics, which has no `/api/v2/query`; no InfluxDB 2 or 3 was at hand.
    """

    def __init__(self, settings: InfluxDb2Settings) -> None:
        import urllib3  # noqa: PLC0415

        # By name, because the library's type hints are partial and partly wrong.
        library: Any = importlib.import_module("influxdb_client")
        rest: Any = importlib.import_module("influxdb_client.rest")
        self._settings = settings
        self._http_error = urllib3.exceptions.HTTPError
        self._protocol_error = urllib3.exceptions.ProtocolError
        self._api_error: Any = rest.ApiException
        milliseconds = settings.timeout // 10**6
        token = settings.token.resolve() if settings.token else None
        if settings.token and token and not token.isascii():  # no header could carry it
            raise ConfigError(f"{settings.token.reference}: a token has no letters but those of ASCII")
        self._client: Any = library.InfluxDBClient(
            url=settings.url,
            token=token,
            org=settings.org,
            timeout=(min(round(_CONNECT_S * 1000), milliseconds), milliseconds),
            ssl_ca_cert=str(settings.ca_file) if settings.ca_file else None,
            retries=False,
        )
        # The service below `write_api(SYNCHRONOUS)`: that one hides the status, and a 200 is not a 204.
        self._service: Any = library.WriteService(self._client.api_client)

    def write(self, points: Sequence[Point]) -> Sequence[Refusal]:
        """Store points, as `Store.write` promises; VictoriaMetrics answers seconds before its disk has them."""
        return finish(self.writing(points))

    def writing(self, points: Sequence[Point]) -> Generator[None, None, Sequence[Refusal]]:
        """Write in steps, as `Store.writing` promises."""
        return _writing(points, self._post)

    def _post(self, body: bytes) -> Answer:
        options = {}
        if self._settings.gzip:  # compressed here, for the client's own option uses the slowest level
            body = gzip.compress(body, 1)
            options["content_encoding"] = "gzip"
        try:
            _, status, _ = self._service.post_write_with_http_info(
                self._settings.org,
                self._settings.bucket,
                body,
                precision="ns",
                content_type="text/plain; charset=utf-8",
                **options,
            )
        except self._api_error as exc:
            if not exc.status:  # the client's name for a certificate that does not fit
                raise StoreUnavailable(f"{self._settings.url}: {exc.reason}") from exc
            return Answer(exc.status, _error_text(exc.body))
        except self._protocol_error as exc:
            if len(body) <= _CUT_OFF_BYTES:
                raise StoreUnavailable(f"{self._settings.url}: {exc}") from exc
            return Answer(CUT_OFF, str(exc))
        except (self._http_error, UnicodeDecodeError) as exc:
            raise StoreUnavailable(f"{self._settings.url}: {exc}") from exc
        return Answer(status, "")

    def read(self, measurement: str, start_ns: int, stop_ns: int) -> Iterator[Point]:
        """Yield points as `Store.read` promises, through Flux; the whole range is held in memory.

        Raises:
            UnsupportedOperation: the server has no Flux (VictoriaMetrics, InfluxDB 3).
        """
        merged: dict[tuple[Tags, int], dict[str, FieldValue]] = {}
        # The client would cut times to microseconds, so the time travels as an integer.
        flux = (
            f"from(bucket: {_quoted(self._settings.bucket)})"
            f" |> range(start: time(v: {start_ns}), stop: time(v: {stop_ns}))"
            f" |> filter(fn: (r) => r._measurement == {_quoted(measurement)})"
            " |> map(fn: (r) => ({r with _ns: int(v: r._time)}))"
            ' |> drop(columns: ["_start", "_stop", "_time"])'
        )
        for record in self._flux(flux):
            tags = tuple(sorted((k, v) for k, v in record.items() if k[0] != "_" and k not in {"result", "table"}))
            fields = merged.setdefault((tags, record["_ns"]), {})
            fields[record["_field"]] = _typed(record["_field"], record["_value"])
        for (tags, time_ns), fields in sorted(merged.items(), key=lambda item: item[0]):
            yield Point(measurement, tags, time_ns, fields)

    def measurements(self) -> Sequence[str]:
        """Return the names of all measurements, sorted.

        Raises:
            UnsupportedOperation: the server has no Flux.
        """
        flux = (
            f"from(bucket: {_quoted(self._settings.bucket)}) |> range(start: time(v: 0))"
            ' |> keep(columns: ["_measurement"]) |> group() |> distinct(column: "_measurement")'
        )
        return sorted(record["_value"] for record in self._flux(flux))

    def _flux(self, flux: str) -> Iterator[dict[str, Any]]:
        try:
            for record in self._client.query_api().query_stream(flux):
                yield record.values
        except self._api_error as exc:
            text = _error_text(exc.body)
            if exc.status in {400, 404} and ("unsupported path" in text or exc.status == 404):
                raise UnsupportedOperation(f"{self._settings.url} answers no Flux query: {text}") from exc
            raise StoreUnavailable(f"{self._settings.url} answers {exc.status}: {text}") from exc
        except self._http_error as exc:
            raise StoreUnavailable(f"{self._settings.url}: {exc}") from exc

    def ping(self) -> None:
        """Write nothing: a server that would take lines says so, or misses them."""
        answer = self._post(b"\n")
        if answer.status not in {204, 400}:
            raise StoreUnavailable(f"{self._settings.url} answers {answer.status}: {answer.text}")

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _error_text(body: bytes | str | None) -> str:
    """Return what an error answer says, without its JSON around it, and without what we log in with."""
    text = masked(body.decode("utf-8", "replace") if isinstance(body, bytes) else body or "")
    try:
        said = json.loads(text)
    except ValueError:
        return text.strip()
    if not isinstance(said, dict):
        return text.strip()
    parts = [said.get("error"), said.get("message"), said.get("data")]
    return "; ".join(p if isinstance(p, str) else json.dumps(p) for p in parts if p) or text.strip()


def _number(digits: str) -> int | float:
    return -0.0 if digits == "-0" else int(digits)  # a float without a fraction is written like an integer


def _typed(name: str, value: Any) -> FieldValue:
    typed: FieldValue = float(value) if field_type(name) is float else value
    return typed


def _identifier(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _quoted(value: str) -> str:
    """Return a Flux string literal; `${` would begin an expression in it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("${", "\\${")
    return f'"{escaped}"'
