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
    "bytes": ("string", "616263"),  # hexadecimal
    "time": ("timestamp", 0),
}
MISFITS = {"array": "float64"}
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
        assert "the server gives array of Double, the configuration says float64: write index" in text
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
        {"id": "moment", "type": "float64", "node": "ns=1;s=time"},
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
        assert seen.rows("moment") == [(None, Status.BAD_TYPE_MISMATCH)]

    run(main())


def test_statuses_and_source_times_are_kept_as_the_server_gives_them(plant: Plant) -> None:
    then_ms = time.time_ns() // 10**6 - 20_000

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
            await seen.until(read, lambda: bool(seen.of("catalog")))
        (connection,), (catalog,) = seen.of("connection"), seen.of("catalog")
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
            "found": "manual", "browse_namespace": "urn:test:plant",
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


def parts(**ways: tuple[str, str, Any]) -> list[dict[str, Any]]:
    """Signals of parts of nodes: id=(type, node, index or field or both)."""
    return [
        {"id": name, "type": dtype, "node": f"nsu=urn:test:plant;s={node}", **how}
        for name, (dtype, node, how) in ways.items()
    ]


@pytest.mark.parametrize("mode", ["subscription", "poll"])
def test_fields_of_structures_and_elements_of_arrays_are_signals(press: Plant, mode: str) -> None:
    asked = parts(
        count=("uint32", "Press.State", {"field": "Count"}),
        note=("string", "Press.State", {"field": "Note"}),
        y=("float64", "Press.State", {"field": "Origin.Y"}),
        name=("string", "Press.State", {"field": "Axes[1].Name"}),
        position=("float32", "Press.State", {"field": "Axes[0].Position"}),
        state=("int32", "Press.State", {"field": "Axes[0].State"}),
        level=("int16", "Press.State", {"field": "Axes[0].Levels[2]"}),
        started=("timestamp", "Press.State", {"field": "Started"}),
        cycle=("float64", "Press.State", {"field": "Cycle"}),
        spare=("float64", "Press.State", {"field": "Spare"}),
        force=("float64", "Press.Result", {"field": "Force"}),
        other=("string", "Press.Result", {"field": "Text"}),
        second=("float64", "array", {"index": 1}),
        cell=("int32", "Press.Table", {"index": [1, 2]}),
        point=("float64", "Press.Points", {"index": 1, "field": "X"}),
        beyond=("float64", "array", {"index": 3}),
        nosuch=("float64", "Press.State", {"field": "Origin.Z"}),
        whole=("float64", "Press.State", {}),
    )
    given = {
        "count": 5, "note": "정상", "y": -2.0, "name": "Y", "position": 0.5, "state": 3, "level": 3,
        "started": 1_767_225_600_000_000_000, "cycle": 1234.5, "force": 98.5, "second": 2.0, "cell": 6,
        "point": 3.0,
    }  # fmt: skip
    refused = {
        "beyond": "the array has 3 elements, numbered from 0: there is no 3",
        "nosuch": "there is no field Z, the structure has: X, Y",
        "whole": "the server gives ExtensionObject, the configuration says float64",
        "other": "there is no field Text, the structure has: Force",
    }

    async def main() -> None:
        seen = Seen()
        reader = collector(press.endpoint, {"mode": mode, "signals": asked})
        async with reader.connect() as read:
            await seen.until(read, lambda: all(seen.rows(s["id"]) for s in asked))
        assert {name: seen.rows(name)[0] for name in given} == {name: (v, 0) for name, v in given.items()}
        assert all(type(seen.values(name)[0]) is type(v) for name, v in given.items())
        assert seen.rows("spare")[0] == (None, Status.BAD), "an optional field that is not there"
        texts = {text.en.split()[1]: text.en for text in reader.refused()}
        assert set(texts) == set(refused)
        for name, says in refused.items():
            assert seen.rows(name)[0][0] is None
            assert says in texts[name]
        assert "State .Origin.Z" not in texts["nosuch"]
        assert "s=Press.State Origin.Z" in texts["nosuch"]
        assert "s=array [3]" in texts["beyond"]

    run(main())


def test_a_part_makes_a_row_only_when_it_changes(press: Plant) -> None:
    asked = parts(
        count=("uint32", "Press.State", {"field": "Count"}),
        position=("float32", "Press.State", {"field": "Axes[0].Position"}),
    )

    async def main() -> None:
        seen = Seen()
        async with collector(press.endpoint, {"sampling": "0ms", "signals": asked}).connect() as read:
            await seen.until(read, lambda: bool(seen.rows("position")))
            first = seen.values("count")[0]
            press.tell("state", count=71, position=0.5)
            await seen.until(read, lambda: 71 in seen.values("count"))
            press.tell("state", count=71, position=8.25)
            await seen.until(read, lambda: 8.25 in seen.values("position"))
            press.tell("state", count=first, position=0.5)
            await seen.until(read, lambda: seen.values("count")[-1] == first)
        assert seen.values("count") == [first, 71, first]
        assert seen.values("position") == [0.5, 8.25, 0.5]

    run(main())


def test_facts_hold_what_the_server_declares_of_units_ranges_and_labels(press: Plant) -> None:
    asked = [
        {"id": "x", "type": "float64", "node": "nsu=urn:test:plant;s=Press.X.ActualPosition", "found": "browse"},
        {"id": "mode", "type": "uint32", "node": "nsu=urn:test:plant;s=Press.Mode"},
        {"id": "axis", "type": "int32", "node": "nsu=urn:test:plant;s=Press.AxisState"},
    ]

    async def main() -> None:
        seen = Seen()
        async with collector(press.endpoint, {"signals": asked}).connect() as read:
            await seen.until(read, lambda: bool(seen.of("catalog")))
        (connection,), (catalog,) = seen.of("connection"), seen.of("catalog")
        assert connection.body["nodes"] == {"cnc.main": "3/3"}
        said = catalog.body["signals"]
        assert isinstance(said, dict)
        assert said["x"] == {
            "node": "nsu=urn:test:plant;s=Press.X.ActualPosition", "display_name": "ActualPosition",
            "description": None, "data_type": "Double", "value_rank": -1, "access_level": 3, "user_access_level": 3,
            "found": "browse", "browse_namespace": "urn:test:plant",
            "unit": "mm", "range": [0.0, 200.0], "instrument_range": [-10.0, 400.0],
        }  # fmt: skip
        assert said["mode"]["labels"] == {"0": "Hand", "1": "Automatik", "2": "Einrichten"}  # type: ignore[index,call-overload]
        assert said["axis"]["labels"] == {"0": "Stopped", "3": "Moving", "7": "Fault"}  # type: ignore[index,call-overload]
        assert said["axis"]["data_type"] == "AxisState"  # type: ignore[index,call-overload]

    run(main())
