"""What people have complained about in readers of OPC UA data, each against a server that misbehaves that way.

Numbers as in the project's list of 25 complaints.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from agent.clock import SystemClock
from agent.collectors.base import Box
from agent.collectors.opcua.collector import OpcUaCollector
from agent.frame import Quality, Status
from tests.agent.collectors.opcua.support import Seen, collector, device, run, signals
from tests.peers.opcua import opcua_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.peers.opcua import Plant

NODES = 120


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """A server without limits."""
    with opcua_server(tmp_path_factory.mktemp("plain")) as server:
        yield server


def many(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"id": f"s{i}", "type": "uint32", "node": f"ns=1;s=seq-{i}", **more} for i in range(count)]


def test_complaint_14_a_server_that_takes_fewer_nodes_than_it_states_gives_all_values_and_is_remembered(
    tmp_path: Path,
) -> None:
    # it states 1,000 and refuses more than 30, 20 and 10 with BadTooManyOperations
    lies = {"read": 30, "items": 20, "browse": 10}
    stated = {"maxNodesPerRead": 1000, "maxMonitoredItemsPerCall": 1000, "maxNodesPerBrowse": 1000}

    async def main() -> None:
        with opcua_server(
            tmp_path, lies=lies, limits=stated, sequence={"nodes": NODES, "log": str(tmp_path / "log")}
        ) as plant:
            box = Box(SystemClock(trusted=True))
            config = device(
                plant.endpoint,
                {"id": "changes", "signals": many(60)},
                {"id": "poll", "mode": "poll", "signals": many(NODES)[60:]},
            )
            for refusals in (True, False):
                reader = OpcUaCollector(config, box)
                seen = Seen()
                async with reader.connect() as read:
                    await seen.until(  # both catalogues, and a value of each
                        read,
                        lambda: len(seen.of("catalog")) == 2 and all(seen.rows(f"s{i}") for i in range(NODES)),  # noqa: B023
                    )
                    assert {seen.rows(f"s{i}")[0] for i in range(NODES)} == {(0, 0)}
                assert reader.refused() == []
                assert (reader.stats.exceptions > 0) is refusals, "what was learned is not learned again"
                sizes = reader.stats.learned["batches"]
                assert isinstance(sizes, dict)
                for service, most in lies.items():
                    batch = sizes[service]
                    assert isinstance(batch, dict)
                    size = batch["size"]
                    assert isinstance(size, int)
                    assert most / 2 < size <= most

    run(main(), 90)


def test_complaint_14_a_server_that_states_its_limits_is_never_asked_for_more(tmp_path: Path) -> None:
    stated = {"maxNodesPerRead": 7, "maxMonitoredItemsPerCall": 5, "maxNodesPerBrowse": 3}

    async def main() -> None:
        with opcua_server(tmp_path, limits=stated, sequence={"nodes": 40, "log": str(tmp_path / "log")}) as plant:
            reader = collector(plant.endpoint, {"signals": many(40)})
            seen = Seen()
            async with reader.connect() as read:
                await seen.until(
                    read, lambda: bool(seen.of("catalog")) and all(seen.rows(f"s{i}") for i in range(40))
                )
            # the first question, for the limits themselves, may be too large; nothing after it is
            assert reader.stats.exceptions <= 1
            body = seen.of("connection")[0].body
            assert (body["per_read"], body["per_monitor"], body["per_browse"]) == (7, 5, 3)

    run(main(), 60)


def test_complaint_15_three_bad_nodes_of_120_cost_the_other_117_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        with opcua_server(tmp_path, sequence={"nodes": 117, "log": str(tmp_path / "log")}) as plant:
            asked = [
                *many(117),
                {"id": "unknown", "type": "int32", "node": "ns=1;s=nowhere"},
                {"id": "folder", "type": "int32", "node": "i=85"},
                {"id": "forbidden", "type": "float64", "node": "ns=1;s=denied"},
            ]
            reader = collector(plant.endpoint, {"id": "g", "signals": asked})
            seen = Seen()
            async with reader.connect() as read:
                await seen.until(read, lambda: all(seen.rows(s["id"]) for s in asked))
                assert {seen.rows(f"s{i}")[0] for i in range(117)} == {(0, 0)}
                texts = {text.en.split()[1]: text for text in reader.refused()}
                assert set(texts) == {"unknown", "folder", "forbidden"}
                assert "check the node id" in texts["unknown"].en
                assert "노드 ID를 확인" in texts["unknown"].ko
                assert "name a variable" in texts["folder"].en
                assert "does not let anybody read" in texts["forbidden"].en
                assert reader.stats.learned["nodes"] == {"cnc.g": "117/120"}
                plant.tell("add", node="nowhere", type="Int32", value=4)
                reader.retry()
                await seen.until(read, lambda: 4 in seen.values("unknown"))
                assert reader.stats.learned["nodes"] == {"cnc.g": "118/120"}

    run(main(), 60)


def test_complaint_20_a_bad_value_is_no_value_and_keeps_the_servers_own_word(plain: Plant) -> None:
    async def main() -> None:
        seen = Seen()
        group = {"sampling": "0ms", "signals": signals(counter="uint32")}
        async with collector(plain.endpoint, group).connect() as read:
            await seen.until(read, lambda: bool(seen.frames))
            plain.tell("set", node="counter", value=41)
            await seen.until(read, lambda: 41 in seen.values("counter"))
            plain.tell("set", node="counter", value=41, status="BadSensorFailure")
            plain.tell("set", node="counter", value=41, status="UncertainLastUsableValue")
            await seen.until(read, lambda: (41, 0x4090_0000) in seen.rows("counter"))
        assert seen.rows("counter")[-3:] == [(41, 0), (None, 0x808C_0000), (41, 0x4090_0000)]
        qualities = [Quality(q) for frame in seen.frames for q in frame.quality]
        assert qualities[-3:] == [Quality.GOOD, Quality.BAD, Quality.UNCERTAIN]

    run(main(), 60)


def test_complaint_21_nothing_is_repeated_after_the_server_has_gone(tmp_path: Path) -> None:
    async def main() -> None:
        with opcua_server(tmp_path) as plant:
            groups: tuple[dict[str, Any], ...] = (
                {"id": "changes", "signals": signals(bool="bool")},
                {"id": "poll", "mode": "poll", "signals": signals(float="float32")},
            )
            reader = collector(plant.endpoint, *groups)
            seen = Seen()
            ended: Exception | None = None
            try:
                async with reader.connect() as read:
                    await seen.until(read, lambda: bool(seen.rows("bool")) and bool(seen.rows("float")))
                    plant.kill()
                    killed_ns = time.time_ns()
                    await seen.until(read, lambda: False)
            except Exception as exc:  # noqa: BLE001 - which one, others test
                ended = exc
            assert ended is not None
            for name in ("bool", "float"):
                assert None not in seen.values(name)
            last_ns = max(int(frame.time_ns[-1]) for frame in seen.frames)
            assert last_ns <= killed_ns + 100_000_000
            for frame in reader.failed(SystemClock().now(), Status.BAD_NO_COMMUNICATION):
                assert list(frame.value) == [None]

    run(main(), 60)


def test_complaint_25_a_source_time_that_stands_still_is_dropped_and_told_and_our_time_goes_on(
    plain: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.collectors.opcua.collector.FLAGS_NS", 0)

    async def main() -> None:
        seen = Seen()
        reader = collector(
            plain.endpoint, {"every": "100ms", "sampling": "0ms", "signals": signals(counter="uint32")}
        )
        frozen_ms = time.time_ns() // 10**6
        async with reader.connect() as read:
            await seen.until(read, lambda: bool(seen.frames))
            number = 0
            while not seen.of("health"):
                number += 1
                plain.tell("set", node="counter", value=number, time=frozen_ms)
                await seen.until(read, lambda: number in seen.values("counter"))  # noqa: B023
            (text,) = reader.refused()
            assert "source times stand still" in text.en
            assert "counter" in text.en
            fact = seen.of("health")[0]
            assert fact.body == {"source_times": {"cnc.main": {"frozen": ["counter"]}}}
            last = seen.frames[-1]
            assert last.source_ns is None or int(last.source_ns[-1]) == 0
            assert abs(int(last.time_ns[-1]) - time.time_ns()) < 60e9
            assert seen.values("counter")[-1] == number
            plain.tell("set", node="counter", value=number + 1)  # the server's own time again
            plain.tell("set", node="counter", value=number + 2)
            await seen.until(read, lambda: number + 2 in seen.values("counter"))
            assert reader.refused() == []
            assert seen.frames[-1].source_ns is not None

    run(main(), 60)


def test_complaint_25_a_source_time_far_from_ours_is_dropped_and_told(plain: Plant) -> None:
    async def main() -> None:
        year_ms = 365 * 86_400_000
        for far_ms in (-year_ms, year_ms):
            seen = Seen()
            reader = collector(plain.endpoint, {"sampling": "0ms", "signals": signals(counter="uint32")})
            async with reader.connect() as read:
                await seen.until(read, lambda: bool(seen.frames))  # noqa: B023 - awaited here
                now_ms = time.time_ns() // 10**6
                plain.tell("set", node="counter", value=now_ms % 10**6, time=now_ms + far_ms)
                await seen.until(read, lambda: len(seen.rows("counter")) == 2)  # noqa: B023
                last = seen.frames[-1]
                assert last.source_ns is None or int(last.source_ns[-1]) == 0
                assert "far off (1: counter)" in reader.refused()[0].en

    run(main(), 60)
