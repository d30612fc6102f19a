"""Queries of both versions of InfluxDB, answered over HTTP by a server that computes with pandas."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import socket
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest

from settings.errors import ConfigError
from tests.agent.assess.plant import assess, by_metric, frame, local
from tests.support.databases import create_database, influxdb1

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COLUMNS = {"상태": "state", "총수량": "total", "불량": "reject", "전류": "current"}
SIGNALS = [
    {"id": "state", "column": "state", "type": "int16", "role": "state"},
    {"id": "total", "column": "total", "type": "int64", "role": "count_total"},
    {"id": "reject", "column": "reject", "type": "int64", "role": "count_reject"},
    {"id": "current", "column": "current", "type": "float64", "role": "pv", "unit": "A"},
]


class Influx(ThreadingHTTPServer):
    """Serves one measurement `press` with the tag line=A."""

    def __init__(self, data: pd.DataFrame) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        found = data.rename(columns=COLUMNS)
        found.index = pd.Index(found.pop("시각").dt.tz_convert("UTC").dt.as_unit("ns").astype("int64"))
        self.data = found
        self.largest = 0
        self.logins: set[str] = set()

    def rows(self, start: int, end: int) -> pd.DataFrame:
        """Return the points in a span."""
        found = self.data[(self.data.index >= start) & (self.data.index < end)]
        self.largest = max(self.largest, len(found))
        return found


class Handler(BaseHTTPRequestHandler):
    server: Influx

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        pass

    def do_GET(self) -> None:
        """Answer InfluxQL."""
        words = parse_qs(urlsplit(self.path).query)
        query = words["q"][0]
        self.server.logins.add(self.headers.get("Authorization", ""))
        match = re.fullmatch(
            r'SELECT (.+) FROM "press" WHERE time >= (\d+) AND time < (\d+) AND "line" = \'A\'', query
        )
        if match is None or words["db"] != ["plant"] or words["epoch"] != ["ns"]:
            self._say(400, json.dumps({"error": f"error parsing query: {query}"}))
            return
        fields = [name.strip('"') for name in match[1].split(", ")]
        out = io.StringIO()
        found = self.server.rows(int(match[2]), int(match[3]))
        if len(found):
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(["name", "tags", "time", *fields])
            for at, row in zip(found.index, found[fields].itertuples(index=False), strict=True):
                writer.writerow(["press", "", at, *("" if pd.isna(v) else v for v in row)])
        self._say(200, out.getvalue())

    def do_POST(self) -> None:
        """Answer Flux: a table for each field, with a heading of its own."""
        query = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.logins.add(self.headers["Authorization"])
        start, end = (int(found) for found in re.findall(r"time\(v: (\d+)\)", query))
        assert 'r._measurement == "press"' in query
        assert 'r["line"] == "A"' in query
        if 'bucket: "plant"' not in query:
            self._say(404, json.dumps({"code": "not found", "message": "could not find bucket"}))
            return
        out = []
        fields = json.loads(re.findall(r"set: (\[.*?\])", query)[0])
        for number, field in enumerate(sorted(fields)):
            column = self.server.rows(start, end)[field].dropna()
            if len(column):
                out.append(",result,table,_time,_value,_field")
                for at, value in column.items():
                    stamp = pd.Timestamp(at, tz="UTC").isoformat().replace("+00:00", "Z")
                    out.append(f",_result,{number},{stamp},{value},{field}")
                out.append("")
        self._say(200, "\r\n".join(out))

    def _say(self, code: int, text: str) -> None:
        raw = text.encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


@pytest.fixture
def server() -> Iterator[Influx]:
    data = frame()
    with Influx(data[data.index % 7 != 3]) as found:
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def source(server: Influx | SimpleNamespace, version: int, folder: Path, **more: Any) -> dict[str, Any]:
    """Return a source that asks the server."""
    secret = folder / "secret"
    secret.write_text("s3cret\n")
    about = (
        {"database": "plant", "user": "reader", "password_file": str(secret)}
        if version == 1
        else {"org": "hanil", "bucket": "plant", "token_file": str(secret)}
    )
    query = {
        "version": version, "url": f"http://127.0.0.1:{server.server_port}", **about, "measurement": "press",
        "tags": {"line": "A"}, "from": "2026-10-05", "to": "2026-10-18", **more,
    }  # fmt: skip
    return {"time": None, "influx": query, "every": "1m", "signals": SIGNALS}


@pytest.mark.parametrize("version", [1, 2])
def test_a_query_gives_the_report_of_a_file(server: Influx, version: int, tmp_path: Path) -> None:
    path = tmp_path / "hist.csv"
    data = frame()
    local(data[data.index % 7 != 3]).to_csv(path, index=False)
    signals = [{**s, "column": next(k for k, v in COLUMNS.items() if v == s["column"])} for s in SIGNALS]
    first = assess(tmp_path, [path], source={"every": "1m", "signals": signals})
    found = assess(tmp_path, [], source=source(server, version, tmp_path))
    assert {m: v.value for m, v in by_metric(found).items()} == {m: v.value for m, v in by_metric(first).items()}
    assert [raw.replace(b'"influx"', b'"file"') for raw in found.days.values()] == list(first.days.values())
    assert 0 < server.largest <= 120
    expected = "Basic cmVhZGVyOnMzY3JldA==" if version == 1 else "Token s3cret"
    assert server.logins == {expected}


@pytest.mark.parametrize("version", [1, 2])
def test_what_the_database_refuses_is_said_without_the_secret(server: Influx, version: int, tmp_path: Path) -> None:
    wrong: dict[str, Any] = {"tags": {}} if version == 1 else {"bucket": "other"}
    with pytest.raises(ConfigError) as caught:
        assess(tmp_path, [], source=source(server, version, tmp_path, **wrong))
    assert ("400" if version == 1 else "could not find bucket") in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_database_that_is_not_there_is_said(server: Influx, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no answer"):
        assess(tmp_path, [], source=source(server, 1, tmp_path, url="http://127.0.0.1:1"))


BODY = b"name,tags,time,state,total,reject,current\npress,,1759618800000000000,2,1,0,12.5\n"


@pytest.mark.parametrize(
    ("version", "raw", "said"),
    [
        (1, b"Content-Length: 1000\r\n\r\n" + BODY, r"cut off \d+ bytes before its end"),
        (1, b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(BODY), BODY), "no answer"),
        (1, b"Transfer-Encoding: chunked\r\n\r\nfff\r\n" + BODY, "no answer"),
        (1, b"Content-Length: 9999999\r\n\r\n" + b"x" * 2_000_000, "a line of more than"),
        (1, b"\r\n" + BODY + b"press,,1\n", "is no answer of an InfluxDB 1"),
        (1, b"\r\n<html>", "<html>"),
        (2, b"\r\n,result,table,_time,_value,_field\n,_result,0,soon,1,state\n", "is no answer of an InfluxDB 2"),
        (2, b"\r\n<html>\n", "is no answer of an InfluxDB 2"),
    ],
    ids=["cut", "cut between chunks", "cut in a chunk", "endless line", "ragged", "page", "no time", "page of 2"],
)
def test_an_answer_that_is_cut_off_or_none_is_said_and_never_assessed(
    version: int, raw: bytes, said: str, tmp_path: Path
) -> None:
    def answer() -> None:
        with contextlib.suppress(OSError):  # who asks may hang up
            while True:
                connection, _ = listening.accept()
                with connection, contextlib.suppress(OSError):
                    connection.recv(1 << 16)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + raw)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        where = SimpleNamespace(server_port=listening.getsockname()[1])
        with pytest.raises(ConfigError, match=said):
            assess(tmp_path, [], source=source(where, version, tmp_path))
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def test_a_real_influxdb_1_gives_the_report_of_a_file(tmp_path: Path) -> None:
    data = frame()
    data = data[data.index % 7 != 3]
    path = tmp_path / "hist.csv"
    local(data).to_csv(path, index=False)
    signals = [{**s, "column": next(k for k, v in COLUMNS.items() if v == s["column"])} for s in SIGNALS]
    first = assess(tmp_path, [path], source={"every": "1m", "signals": signals})
    points = data.rename(columns=COLUMNS)
    times = points.pop("시각").dt.tz_convert("UTC").dt.as_unit("ns").astype("int64")
    lines = [
        f"press,line=A state={row.state}i,total={row.total}i,reject={row.reject}i,current={row.current} {at}"
        for at, row in zip(times, points.itertuples(index=False), strict=True)
    ]
    lines += [line.replace("line=A", "line=B").replace("state=2i", "state=7i") for line in lines[:50]]
    folder = tmp_path / "influxdb"
    folder.mkdir()
    server = influxdb1(folder)
    server.start()
    try:
        create_database(server, "plant")
        request = urllib.request.Request(f"{server.url}/write?db=plant", "\n".join(lines).encode())
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.status == 204
        about = {
            "version": 1, "url": server.url, "database": "plant", "measurement": "press", "tags": {"line": "A"},
            "from": "2026-10-05", "to": "2026-10-18",
        }  # fmt: skip
        found = assess(tmp_path, [], source={"time": None, "influx": about, "every": "1m", "signals": SIGNALS})
    finally:
        server.stop()
    assert [raw.replace(b'"influx"', b'"file"') for raw in found.days.values()] == list(first.days.values())
