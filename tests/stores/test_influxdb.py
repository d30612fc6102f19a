"""What InfluxDB 1.6 and `/api/v2/write` do besides the contract: refusals of the server, outages, users, limits."""

from __future__ import annotations

import http.server
import json
import socket
import threading
import urllib.error
import uuid
from typing import TYPE_CHECKING

import pytest

from gateway.stores import open_store
from gateway.stores.base import Point, StoreUnavailable, UnsupportedOperation
from gateway.stores.settings import InfluxDb1Settings, InfluxDb2Settings
from settings.errors import ConfigError
from settings.secret import Secret
from tests.stores.harness import InfluxDb1Harness, merged
from tests.support.databases import create_database, exported, influxdb1, victoria_metrics
from tests.support.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from gateway.stores.base import Store
    from tests.support.databases import Database

T = 1_700_000_000_123_456_789
TAGS = (("factory", "f1"), ("source", "s"))


def point(time_ns: int, **fields: float | str) -> Point:
    """Return a point of the machine `m`."""
    return Point("m", TAGS, time_ns, fields)


@pytest.fixture
def influx(influx_server: Database) -> InfluxDb1Harness:
    """Return an empty database."""
    return InfluxDb1Harness(influx_server)


def test_the_servers_own_answer_shows_what_was_written(influx: InfluxDb1Harness) -> None:
    store = influx.open()
    store.write([point(T, x_f=1.0, n_i=2**63 - 1), point(T + 1, s_s='a"\\b\n한글', n_i=2)])
    store.close()
    answer = influx.server.request(
        "/query", db=influx.database, epoch="ns", q='SELECT * FROM "m" ORDER BY time; SHOW FIELD KEYS'
    )
    rows, keys = (result["series"][0] for result in json.loads(answer)["results"])
    assert rows["columns"] == ["time", "factory", "n_i", "s_s", "source", "x_f"]
    assert rows["values"] == [[T, "f1", 2**63 - 1, None, "s", 1], [T + 1, "f1", 2, 'a"\\b\n한글', "s", None]]
    assert keys["values"] == [["n_i", "integer"], ["s_s", "string"], ["x_f", "float"]]


def test_a_type_conflict_refuses_its_points_and_keeps_the_others(influx: InfluxDb1Harness) -> None:
    # Somebody else's writer has made x_f an integer and y_s a float.
    influx.server.request("/write", f"m x_f=1i,y_s=2.0 {T}".encode(), db=influx.database, precision="ns")
    points = [point(T + i, n_i=i) for i in range(50)]
    for i in (0, 7, 8, 49):
        points[i] = point(T + i, n_i=i, x_f=0.5)
    for i in (3, 30):
        points[i] = point(T + i, y_s="text")
    store = influx.open()
    refusals = store.write(points)
    found = merged(store.read("m", T + 1, T + 100))
    store.close()
    assert [r.index for r in refusals] == [0, 3, 7, 8, 30, 49]
    assert all("field type conflict" in r.reason for r in refusals)
    assert found == merged(p for i, p in enumerate(points) if i not in {0, 3, 7, 8, 30, 49})


def test_points_beyond_the_retention_are_refused(influx: InfluxDb1Harness) -> None:
    q = f'CREATE RETENTION POLICY "day" ON "{influx.database}" DURATION 1d REPLICATION 1'
    influx.server.request("/query", b"", q=q)
    settings = InfluxDb1Settings(url=influx.server.url, database=influx.database, retention_policy="day")
    store = open_store(settings)
    refusals = store.write([point(T, n_i=1), point(T + 1, n_i=2)])
    store.close()
    assert [r.index for r in refusals] == [0, 1]


def test_a_request_beyond_the_servers_limit_is_cut(influx: InfluxDb1Harness) -> None:
    points = [point(T + i, text_s="x" * 1000, n_i=i) for i in range(2000)]  # 2 MB where 200 kB are taken
    store = influx.open()
    assert not store.write(points)
    store.close()
    assert influx.stored() == merged(points)


def test_gzip_carries_the_same_points(influx_server: Database, victoria_server: Database) -> None:
    influx = InfluxDb1Harness(influx_server)
    store = open_store(InfluxDb1Settings(url=influx_server.url, database=influx.database, gzip=True))
    points = [point(T + i * 10**6, n_i=i) for i in range(500)]
    assert not store.write(points)
    store.close()
    assert influx.stored() == merged(points)
    test = str(uuid.uuid4())
    store = open_store(InfluxDb2Settings(url=victoria_server.url, bucket="b", gzip=True))
    assert not store.write([Point("gz", (("test", test),), p.time_ns, p.fields) for p in points])
    store.close()
    [series] = [s for s in exported(victoria_server) if s["metric"].get("test") == test]
    assert series["values"] == list(range(500))


def test_foreign_fields_without_a_type_in_their_name_can_be_read(influx: InfluxDb1Harness) -> None:
    influx.server.request("/write", f"other,k=v speed=1.5,n=3i {T}".encode(), db=influx.database, precision="ns")
    store = influx.open()
    assert list(store.read("other", T, T + 1)) == [Point("other", (("k", "v"),), T, {"n": 3, "speed": 1.5})]
    store.close()


def test_a_range_larger_than_a_chunk_is_read_whole_and_reading_may_stop_early(influx: InfluxDb1Harness) -> None:
    points = [point(T + i, n_i=i) for i in range(25_000)]
    store = influx.open()
    store.write(points)
    assert list(store.read("m", T, T + 25_000)) == points
    some = store.read("m", T, T + 25_000)
    assert [next(some) for _ in range(3)] == points[:3]
    del some
    assert not store.write([point(T, n_i=0)])
    store.close()


def _hung() -> Iterator[str]:
    with socket.socket() as server:  # the kernel accepts, nobody answers
        server.bind(("127.0.0.1", 0))
        server.listen(8)
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def _closed() -> Iterator[str]:
    yield f"http://127.0.0.1:{free_port()}"


def _influx1(url: str) -> Store:
    return open_store(InfluxDb1Settings.model_validate({"url": url, "database": "x", "timeout": "200ms"}))


def _influx2(url: str) -> Store:
    return open_store(InfluxDb2Settings.model_validate({"url": url, "bucket": "x", "timeout": "200ms"}))


@pytest.mark.parametrize("make", [_influx1, _influx2])
@pytest.mark.parametrize("server", [_hung, _closed])
def test_a_server_that_hangs_or_is_not_there_is_unavailable(
    make: Callable[[str], Store], server: Callable[[], Iterator[str]]
) -> None:
    for url in server():
        store = make(url)
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                store.write([point(T, n_i=1)])
            with pytest.raises(StoreUnavailable):
                store.ping()
            with pytest.raises(StoreUnavailable):
                list(store.read("m", T, T + 1))
        store.close()


def test_influxdb_that_is_stopped_and_comes_back_is_unavailable_meanwhile(tmp_path: Path) -> None:
    server = influxdb1(tmp_path)
    server.start()
    try:
        influx = InfluxDb1Harness(server)
        store = influx.open()
        assert not store.write([point(T, n_i=1)])
        server.stop()
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                store.write([point(T + 1, n_i=2)])
        server.start()
        store.ping()
        assert not store.write([point(T + 1, n_i=2)])
        store.close()
        assert influx.stored() == merged([point(T, n_i=1), point(T + 1, n_i=2)])
    finally:
        server.stop()


def test_victoria_that_is_killed_and_comes_back_is_unavailable_meanwhile(tmp_path: Path) -> None:
    server = victoria_metrics(tmp_path)
    server.start()
    try:
        store = open_store(InfluxDb2Settings(url=server.url, bucket="b"))
        assert not store.write([point(T, n_i=1)])
        server.kill()
        with pytest.raises(StoreUnavailable):
            store.write([point(T + 10**6, n_i=2)])
        server.start()
        store.ping()
        assert not store.write([point(T, n_i=1), point(T + 10**6, n_i=2)])
        store.close()
        [series] = exported(server)
        assert set(series["values"]) == {1, 2}
    finally:
        server.stop()


def test_a_database_that_does_not_exist_is_unavailable_until_it_does(influx_server: Database) -> None:
    name = f"later-{uuid.uuid4()}"
    store = open_store(InfluxDb1Settings(url=influx_server.url, database=name))
    with pytest.raises(StoreUnavailable, match="database not found"):
        store.write([point(T, n_i=1)])
    with pytest.raises(StoreUnavailable, match="database not found"):
        store.ping()
    create_database(influx_server, name)
    store.ping()
    assert not store.write([point(T, n_i=1)])
    store.close()


def test_user_and_password_are_sent_and_a_wrong_one_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = influxdb1(tmp_path)
    config = tmp_path / "influxdb.conf"
    config.write_text(config.read_text().replace("[http]", "[http]\n  auth-enabled = true"))
    server.start()
    try:
        server.request("/query", b"", q="CREATE USER \"기사\" WITH PASSWORD '비밀 pass:word' WITH ALL PRIVILEGES")
        server.request("/query", b"", q="CREATE DATABASE x", u="기사", p="비밀 pass:word")
        with pytest.raises(urllib.error.HTTPError):
            server.request("/query", b"", q="CREATE DATABASE y")
        monkeypatch.setenv("RIGHT", "비밀 pass:word")
        monkeypatch.setenv("WRONG", "pass")
        base = {"url": server.url, "database": "x", "user": "기사"}
        store = open_store(InfluxDb1Settings.model_validate({**base, "password": "env:RIGHT"}))
        assert not store.write([point(T, n_i=1)])
        assert merged(store.read("m", T, T + 1)) == merged([point(T, n_i=1)])
        store.close()
        store = open_store(InfluxDb1Settings.model_validate({**base, "password": "env:WRONG"}))
        with pytest.raises(StoreUnavailable) as failure:
            store.write([point(T, n_i=1)])
        assert "pass" not in str(failure.value).replace("password", "")
        store.close()
    finally:
        server.stop()


def test_what_victoria_does_differently_is_still_so(victoria_server: Database) -> None:
    """It keeps repeats, milliseconds and about twelve digits, and text as 0: not a store for production."""
    test = str(uuid.uuid4())
    store = open_store(InfluxDb2Settings(url=victoria_server.url, bucket="b"))
    for _ in range(3):
        points = [point(T, x_f=2 / 3, s_s="text"), point(T + 1, x_f=1.0)]
        assert not store.write([Point("d", (("test", test),), p.time_ns, p.fields) for p in points])
    found = {s["metric"]["__name__"]: s for s in exported(victoria_server) if s["metric"].get("test") == test}
    assert found["d_s_s"]["values"] == [0, 0, 0]
    assert sorted(set(found["d_x_f"]["timestamps"])) == [T // 10**6]
    assert len(found["d_x_f"]["values"]) == 6
    assert min(found["d_x_f"]["values"]) == pytest.approx(2 / 3, rel=1e-11)
    for unsupported in (lambda: list(store.read("d", T, T + 1)), store.measurements):
        with pytest.raises(UnsupportedOperation, match="Flux"):
            unsupported()
    store.close()


FLUX_ANSWER = (
    "#datatype,string,long,string,string,string,double,long\r\n"
    "#group,false,false,true,true,true,false,false\r\n#default,_result,,,,,,\r\n"
    ",result,table,_measurement,_field,source,_value,_ns\r\n"
    ",,0,m,x_f,s,1.5,1700000000123456789\r\n,,0,m,x_f,s,2,1700000000123456790\r\n\r\n"
    "#datatype,string,long,string,string,string,long,long\r\n"
    "#group,false,false,true,true,true,false,false\r\n#default,_result,,,,,,\r\n"
    ",result,table,_measurement,_field,source,_value,_ns\r\n"
    ",,1,m,n_i,s,9223372036854775807,1700000000123456789\r\n\r\n"
)


class _FluxServer(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["query"]
        body = FLUX_ANSWER.encode() if 'from(bucket: "b \\"1\\"")' in question else b""
        self.send_response(200)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def test_a_flux_answer_of_the_documented_form_is_read() -> None:
    """No InfluxDB 2 is at hand: this shows that the CSV of its documentation is read, no more."""
    with http.server.HTTPServer(("127.0.0.1", 0), _FluxServer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        store = open_store(InfluxDb2Settings(url=f"http://127.0.0.1:{server.server_port}", bucket='b "1"'))
        try:
            assert list(store.read("m", T, T + 10)) == [
                Point("m", (("source", "s"),), T, {"x_f": 1.5, "n_i": 2**63 - 1}),
                Point("m", (("source", "s"),), T + 1, {"x_f": 2.0}),
            ]
        finally:
            store.close()
            server.shutdown()
            thread.join()


def test_a_token_that_no_header_can_carry_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TSQ_TEST_TOKEN", "비밀")
    with pytest.raises(
        ConfigError, match="env:TSQ_TEST_TOKEN: a token has no letters but those of ASCII"
    ) as caught:
        open_store(InfluxDb2Settings(url="http://127.0.0.1:9", bucket="b", token=Secret("env:TSQ_TEST_TOKEN")))
    assert "비밀" not in str(caught.value)
