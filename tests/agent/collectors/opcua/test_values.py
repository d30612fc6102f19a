"""Values, statuses and times, as a server that is not ours gives them."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING, Any

import pytest

from agent.frame import Status
from tests.agent.collectors.opcua.support import Seen, collector, run, signals

if TYPE_CHECKING:
    from tests.peers.opcua import Plant

GIVEN = {
    "bool": ("bool", True),
    "sbyte": ("int16", -128),
    "byte": ("uint16", 255),
    "int16": ("int16", -32768),
    "uint16": ("uint16", 65535),
    "int32": ("int32", -(2**31)),
    "uint32": ("uint32", 2**32 - 1),
    "int64": ("int64", -(2**63)),
    "uint64": ("uint64", 2**64 - 1),
    "float": ("float32", 1.5),
    "double": ("float64", 0.1),
    "string": ("string", "한일정밀"),
    "text": ("string", "운전"),
}
MISFITS = {"time": "float64", "bytes": "string", "array": "float64"}
REFUSED = {"denied": "float64", "nowhere": "bool"}


@pytest.mark.parametrize("mode", ["subscription", "poll"])
def test_every_type_arrives_exactly_and_misfits_are_bad_rows_beside_them(plant: Plant, mode: str) -> None:
    asked = {name: dtype for name, (dtype, _) in GIVEN.items()} | MISFITS | REFUSED

    async def main() -> None:
        reader = collector(plant.endpoint, {"mode": mode, "signals": signals(**asked)})
        seen = Seen()
        async with reader.connect() as read:
            await seen.until(read, lambda: all(seen.rows(name) for name in asked))
        for name, (_, value) in GIVEN.items():
            got = seen.rows(name)[0]
            assert got == (value, Status.GOOD)
            assert type(got[0]) is type(value)
        for name in MISFITS:
            assert seen.rows(name)[0] == (None, Status.BAD_TYPE_MISMATCH)
        assert seen.rows("nowhere")[0] == (None, Status.BAD_NODE_ID_UNKNOWN)
        assert seen.rows("denied")[0][0] is None
        texts = [text.en for text in reader.refused()]
        assert len(texts) == len(MISFITS) + len(REFUSED)
        (text,) = [t for t in texts if "signal array " in t]
        assert "the server gives array of Double, the configuration says float64" in text
        (text,) = [t for t in texts if "signal nowhere (ns=1;s=nowhere)" in t]
        assert "BadNodeIdUnknown" in text

    run(main())


def test_a_value_that_does_not_fit_the_configured_type_is_bad_and_never_cut(plant: Plant) -> None:
    narrow: list[dict[str, Any]] = [
        {"id": "small", "type": "int16", "node": "ns=1;s=int32"},
        {"id": "inexact", "type": "float64", "node": "ns=1;s=int64"},
        {"id": "widened", "type": "float64", "node": "ns=1;s=int32"},
        {"id": "text", "type": "int32", "node": "ns=1;s=string"},
        {"id": "flag", "type": "int32", "node": "ns=1;s=bool"},
    ]

    async def main() -> None:
        seen = Seen()
        async with collector(plant.endpoint, {"signals": narrow}).connect() as read:
            await seen.until(read, lambda: bool(seen.frames))
        assert seen.rows("small") == [(None, Status.BAD_OUT_OF_RANGE)]
        assert seen.rows("inexact") == [(None, Status.BAD_OUT_OF_RANGE)]
        assert seen.rows("widened") == [(-(2.0**31), Status.GOOD)]
        assert seen.rows("text") == [(None, Status.BAD_TYPE_MISMATCH)]
        assert seen.rows("flag") == [(None, Status.BAD_TYPE_MISMATCH)]

    run(main())


def test_statuses_and_source_times_are_kept_as_the_server_gives_them(plant: Plant) -> None:
    then_ms = 1_763_700_000_123

    async def main() -> None:
        seen = Seen()
        reader = collector(plant.endpoint, {"sampling": "0ms", "signals": signals(counter="uint32")})
        async with reader.connect() as read:
            await seen.until(read, lambda: bool(seen.frames))
            plant.tell("set", node="counter", value=41, status="UncertainLastUsableValue", time=then_ms)
            plant.tell("set", node="counter", value=42, status="BadSensorFailure", time=then_ms + 1)
            plant.tell("set", node="counter", value=43)
            await seen.until(read, lambda: 43 in seen.values("counter"))
        assert seen.rows("counter")[-3:] == [(41, 0x4090_0000), (None, 0x808C_0000), (43, 0)]
        stamps: list[tuple[int, int]] = []
        for frame in seen.frames:
            assert frame.source_ns is not None
            stamps += zip(frame.source_ns.tolist(), frame.time_ns.tolist(), strict=True)
        assert [s for s, _ in stamps[-3:-1]] == [then_ms * 10**6, (then_ms + 1) * 10**6]
        assert abs(stamps[-1][0] - stamps[-1][1]) < 5e9
        assert abs(seen.frames[-1].time_ns[-1] - time.time_ns()) < 60e9

    run(main())


def test_a_server_time_is_kept_where_the_server_gives_one(plant: Plant) -> None:
    async def main() -> None:
        seen = Seen()
        async with collector(
            plant.endpoint, {"mode": "poll", "signals": signals(double="float64")}
        ).connect() as read:
            await seen.until(read, lambda: bool(seen.frames))
        server_ns = seen.frames[0].server_ns
        assert server_ns is not None
        given = dt.datetime.fromtimestamp(int(server_ns[0]) / 1e9, dt.UTC)
        assert abs(given - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)
        assert seen.frames[0].round_trips[0].rtt_ns > 0

    run(main())


def test_facts_say_who_the_server_is_and_what_it_says_of_each_signal(plant: Plant) -> None:
    async def main() -> None:
        seen = Seen()
        group = {"id": "g", "signals": signals(float="float32", array="float64", nowhere="bool")}
        async with collector(plant.endpoint, group).connect() as read:
            await seen.until(read, lambda: len(seen.facts) == 2)
        connection, catalog = seen.facts
        assert (connection.kind, connection.subject) == ("connection", "cnc")
        body = connection.body
        assert body["protocol"] == "opcua"
        assert (body["mode"], body["policy"], body["token"], body["peer_authenticated"]) == (
            "None", "None", "anonymous", False,
        )  # fmt: skip
        assert body["server"]["product"] == "test plant"  # type: ignore[index,call-overload]
        assert body["server"]["uri"] == "urn:test:plant"  # type: ignore[index,call-overload]
        assert {"mode": "SignAndEncrypt", "policy": "Basic256Sha256"}.items() <= body["endpoints"][1].items()  # type: ignore[index,union-attr]
        assert abs(body["clock_offset_ns"]) < 1e9  # type: ignore[arg-type]
        assert body["revised"]["cnc.g"]["publishing_ms"] == 200  # type: ignore[index,call-overload]
        assert (catalog.kind, catalog.subject, catalog.body["source"]) == ("catalog", "cnc", "cnc.g")
        said = catalog.body["signals"]
        assert said["float"] == {  # type: ignore[index,call-overload]
            "node": "ns=1;s=float", "display_name": "float", "description": "motor current, phase A",
            "data_type": "Float", "value_rank": -1, "access_level": 3, "user_access_level": 3,
        }  # fmt: skip
        assert said["array"]["value_rank"] == 1  # type: ignore[index,call-overload]
        assert said["nowhere"]["data_type"] is None  # type: ignore[index,call-overload]

    run(main())


def test_a_namespace_is_found_by_its_uri_and_an_unknown_one_concerns_its_signals_only(plant: Plant) -> None:
    mixed: list[dict[str, Any]] = [
        {"id": "known", "type": "float64", "node": "nsu=urn:test:plant;s=double"},
        {"id": "unknown", "type": "float64", "node": "nsu=urn:not:here;s=double"},
    ]

    async def main() -> None:
        seen = Seen()
        groups = ({"id": "a", "signals": mixed}, {"id": "b", "mode": "poll", "signals": mixed})
        reader = collector(plant.endpoint, *groups)
        async with reader.connect() as read:
            await seen.until(read, lambda: seen.values("known").count(0.1) >= 2)
        assert {status for _, status in seen.rows("unknown")} == {Status.BAD_NODE_ID_UNKNOWN}
        assert len(reader.refused()) == 2

    run(main())
