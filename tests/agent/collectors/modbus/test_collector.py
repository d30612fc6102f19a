"""The collector against a real server of another make: values, refusals, outages."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import re
import signal as signals
import socket
from typing import TYPE_CHECKING, Any, get_args

import pytest

from agent import collectors
from agent.clock import SystemClock
from agent.collectors.base import Box
from agent.collectors.binary import CODES, Order
from agent.collectors.modbus.collector import ModbusCollector
from agent.collectors.modbus.faults import no_connection
from agent.errors import Unreachable
from agent.frame import DataType, Facts, Status, Watermark, concat
from tests.agent.collectors.modbus.rig import device, frame, reply, run, scripted, statuses, values, words
from tests.agent.collectors.test_binary import on_the_wire
from tests.peers.modbus import read_log, server
from tests.support.clocks import FakeClock
from tests.support.processes import free_port, running
from tests.support.sniffer import Relay, modbus_functions

if TYPE_CHECKING:
    from pathlib import Path

    from agent.config.base import DeviceBase
    from tests.support.processes import Child

ORDERS: tuple[Order, ...] = get_args(Order)


def collector(config: DeviceBase, clock: FakeClock | None = None) -> ModbusCollector:
    made = collectors.make(config, Box(clock or FakeClock()))  # type: ignore[arg-type]
    assert isinstance(made, ModbusCollector)
    return made


def every_kind() -> list[dict[str, Any]]:
    """Return each numeric type in each order at addresses whose registers make all bytes differ."""
    return [
        {
            "id": f"{dtype}-{order}-{start:x}".lower(),
            "address": f"holding:{start}",
            "type": dtype,
            "word_order": order,
            **({"instrument_range": [0, 2**64]} if dtype == "uint64" else {}),
        }
        for dtype in CODES
        for order in ORDERS
        for start in (0x1234, 0x40FE, 0xBFF0)
    ]


def test_all_types_in_all_orders(tmp_path: Path) -> None:
    tags = every_kind()
    with running(server(tmp_path)) as peer:

        async def story() -> None:
            async with collector(device(port_of(peer), {"all/1s": tags})).connect() as read:
                got = values(frame(await read()))
            for tag in tags:
                start, value = int(tag["address"].split(":")[1]), got[tag["id"]]
                assert isinstance(value, int | float)
                wire = on_the_wire(value, tag["type"], tag["word_order"])
                assert wire == b"".join(a.to_bytes(2) for a in range(start, start + len(wire) // 2)), tag["id"]

        run(story())


def test_bits_text_scaled_values_and_all_four_tables(tmp_path: Path) -> None:
    tags: list[dict[str, Any]] = [
        {"id": "coil-6", "address": "coil:6", "type": "bool"},
        {"id": "coil-7", "address": "000008", "type": "bool"},
        {"id": "discrete-1999", "address": "discrete:1999", "type": "bool"},
        {"id": "input-77", "address": "300078", "type": "uint16"},
        {"id": "text", "address": f"holding:{0x4142}", "type": "string", "length": 5},
        {"id": "swapped", "address": f"holding:{0x4142}", "type": "string", "length": 4, "word_order": "BADC"},
        {"id": "no-text", "address": f"holding:{0x8081}", "type": "string", "length": 2},
        {"id": "bit-0", "address": "holding:5", "type": "bool", "bit": 0},
        {"id": "bit-1", "address": "holding:5", "type": "bool", "bit": 1},
        {"id": "scaled", "address": "holding:200", "type": "uint16", "scale": 0.1, "offset": -10},
        {"id": "digits", "address": f"holding:{0x1234}", "type": "uint32", "bcd": True},
        {"id": "no-digits", "address": f"holding:{0x12FF}", "type": "uint16", "bcd": True},
        {"id": "field", "address": f"holding:{0xABC}", "type": "uint16", "bits": [4, 7]},
        {"id": "cut", "address": "holding:200", "type": "uint16", "clamp": [0, 150]},
        {"id": "clock", "address": f"holding:{0x6A21}", "type": "timestamp", "format": "unix_s"},
        {"id": "not-a-number", "address": f"holding:{0x7FC0}", "type": "float32"},
    ]
    with running(server(tmp_path)) as peer:

        async def story() -> None:
            async with collector(device(port_of(peer), {"all/1s": tags})).connect() as read:
                got = frame(await read())
            assert values(got) == {
                "coil-6": False, "coil-7": True, "discrete-1999": True, "input-77": 77, "text": "ABACA",
                "swapped": "BACA", "no-text": None, "bit-0": True, "bit-1": False, "scaled": pytest.approx(10.0),
                "not-a-number": None, "digits": 12341235, "no-digits": None, "field": 0xB, "cut": 150,
                "clock": 0x6A216A22 * 10**9,
            }  # fmt: skip
            assert statuses(got)["no-digits"] == Status.BAD_DATA_ENCODING_INVALID
            assert statuses(got)["cut"] == 0x40940600
            assert statuses(got)["no-text"] == Status.BAD_DATA_ENCODING_INVALID
            assert statuses(got)["not-a-number"] == Status.BAD_OUT_OF_RANGE

        run(story())


def test_the_local_address_belongs_to_where_a_device_is(tmp_path: Path) -> None:
    with running(server(tmp_path)) as peer:

        async def story() -> None:
            it = collector(device(port_of(peer), {"g/1s": words(1)}, source_address="127.0.0.1"))
            async with it.connect() as read:
                facts = (await read())[0]
            assert isinstance(facts, Facts)
            assert facts.body["source_address"] == "127.0.0.1"

        run(story())


def test_a_reading_sends_the_planned_requests_and_reports_what_came_of_them(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running(server(tmp_path, log=log)) as peer:

        async def story() -> None:
            it = collector(device(port_of(peer), {"a/1s": words(0, 10, 300), "b/2s": words(5, table="input")}))
            async with it.connect() as read:
                first, second, third = await read(), await read(), await read()
            facts, block, mark = first
            assert isinstance(facts, Facts)
            assert (facts.kind, facts.subject) == ("connection", "plc")
            assert facts.body == {
                "protocol": "modbus-tcp", "security": "none", "mode": "None", "policy": "None",
                "peer_authenticated": False, "host": "127.0.0.1", "port": peer.port, "unit": 1,
                "plan": {
                    "plc.a": {"requests": 2, "addresses": 12, "signals": 3},
                    "plc.b": {"requests": 1, "addresses": 1, "signals": 1},
                },
            }  # fmt: skip
            assert isinstance(mark, Watermark)
            assert block is frame(first)
            assert (mark.source, mark.time_ns) == ("plc.a", int(frame(first).time_ns.max()))
            assert len(frame(first).round_trips) == 2
            assert all(t.rtt_ns >= 0 and t.status == Status.GOOD for t in frame(first).round_trips)
            assert [r.source for r in second if isinstance(r, Watermark)] == ["plc.b"]
            assert not any(isinstance(r, Facts) for r in (*second, *third))
            async with it.connect() as read:
                assert any(isinstance(r, Facts) for r in await read())
            assert [(r.function, r.start, r.count) for r in read_log(log)[:3]] == [
                (3, 0, 11), (3, 300, 1), (4, 5, 1),
            ]  # fmt: skip

        run(story())


def test_an_illegal_address_costs_itself_only_and_is_asked_again_after_a_minute(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running(server(tmp_path, "--illegal", "8-8", log=log)) as peer:

        async def story() -> None:
            clock = FakeClock()
            it = collector(device(port_of(peer), {"g/1s": words(*range(20))}), clock)
            async with it.connect() as read:
                for _ in range(3):
                    got = frame(await read())
                    assert values(got) == {f"r{a}": None if a == 8 else a for a in range(20)}
                    assert statuses(got)["r8"] == Status.BAD_NODE_ID_UNKNOWN | 2
                    text = it.refused()[0].en
                    assert text.startswith(
                        "signal r8 (holding:8): illegal address (exception 2): check the address"
                    )
                first_reading = [r for r in read_log(log) if r.exception]
                assert len(first_reading) <= 6, "halving 20 values takes at most 5 steps"
                settled = read_log(log)[-1]
                assert settled.exception == 0
                peer.send(signals.SIGUSR1)
                while clock.monotonic() < 59_000_000_000:
                    assert values(frame(await read()))["r8"] is None
                assert values(frame(await read()))["r8"] == 8
                assert it.refused() == []
            assert len([r for r in read_log(log) if r.exception]) == len(first_reading)
            assert it.stats.idle_reconnects == 0

        run(story())


def test_an_illegal_register_in_a_gap_costs_nothing_from_the_second_reading_on(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running(server(tmp_path, "--illegal", "4-5", log=log)) as peer:

        async def story() -> None:
            it = collector(device(port_of(peer), {"g/1s": words(0, 1, 2, 10, 11, 12)}))
            async with it.connect() as read:
                for _ in range(3):
                    assert values(frame(await read())) == {f"r{a}": a for a in (0, 1, 2, 10, 11, 12)}
            assert [(r.start, r.count, r.exception) for r in read_log(log)] == [
                (0, 13, 2), (0, 3, 0), (2, 9, 2), (10, 1, 0), (10, 3, 0),
                (0, 3, 0), (10, 3, 0), (0, 3, 0), (10, 3, 0),
            ]  # fmt: skip
            assert it.refused() == []

        run(story())


def test_a_device_that_serves_fewer_registers_is_asked_for_fewer(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running(server(tmp_path, "--max-count", 32, log=log)) as peer:

        async def story() -> None:
            it = collector(device(port_of(peer), {"g/1s": words(*range(120))}))
            async with it.connect() as read:
                for _ in range(2):
                    assert values(frame(await read())) == {f"r{a}": a for a in range(120)}
            assert [r.exception for r in read_log(log)][-4:] == [0, 0, 0, 0]

        run(story())


def test_a_table_that_the_device_lacks_is_one_refusal_and_the_other_table_goes_on(tmp_path: Path) -> None:
    with running(server(tmp_path, "--no-table", 4)) as peer:

        async def story() -> None:
            tags = [*words(1, 2), *({**w, "id": f"i{n}"} for n, w in enumerate(words(3, 4, 5, 6, table="input")))]
            it = collector(device(port_of(peer), {"g/1s": tags}))
            async with it.connect() as read:
                got = frame(await read())
            assert values(got) == {"r1": 1, "r2": 2, "i0": None, "i1": None, "i2": None, "i3": None}
            assert statuses(got)["i3"] == Status.BAD_NOT_SUPPORTED | 1
            text = it.refused()[0].en
            assert text.startswith("signals i0, i1, i2 and 1 more (input:3-6): illegal function (exception 1): ")

        run(story())


def test_a_group_that_is_refused_altogether_has_bad_rows_and_says_nothing_about_its_link(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running(server(tmp_path, "--illegal", "8-9", log=log)) as peer:

        async def story() -> None:
            it = collector(device(port_of(peer), {"g/1s": words(8, 9)}))
            async with it.connect() as read:
                assert any(isinstance(r, Watermark) for r in await read())
                asked = len(read_log(log))
                readings = await read()
            assert values(frame(readings)) == {"r8": None, "r9": None}
            assert not any(isinstance(r, Watermark) for r in readings)
            assert len(read_log(log)) == asked

        run(story())


def test_a_retry_by_hand_reads_a_refused_group_out_of_turn(tmp_path: Path) -> None:
    with running(server(tmp_path, "--illegal", "8-8")) as peer:

        async def story() -> None:
            it = collector(device(port_of(peer), {"slow/1h": words(7, 8)}), SystemClock())  # type: ignore[arg-type]
            async with it.connect() as read:
                assert values(frame(await read()))["r8"] is None
                waiting = asyncio.ensure_future(read())
                await asyncio.sleep(0.01)
                assert not waiting.done()
                peer.send(signals.SIGUSR1)
                it.retry()
                assert values(frame(await waiting)) == {"r7": 7, "r8": 8}
                assert it.refused() == []
                waiting = asyncio.ensure_future(read())
                it.retry()  # nothing is refused: no reading out of turn
                await asyncio.sleep(0.05)
                assert not waiting.done()
                waiting.cancel()

        run(story())


def test_a_killed_device_is_unreachable_and_delivers_again_when_it_is_back(tmp_path: Path) -> None:
    port = free_port()
    peer = server(tmp_path, port=port)

    async def story() -> None:
        it = collector(device(port, {"g/100ms": words(1, 2)}))
        async with it.connect() as read:
            before = frame(await read())
            peer.kill()
            with pytest.raises(Unreachable) as caught:
                await read()
        assert str(caught.value).startswith(
            f"plc (127.0.0.1:{port}, unit 1): connection refused: check that the device's Modbus server is on"
        )
        with pytest.raises(Unreachable, match="connection refused"):
            async with it.connect():
                pass
        (missing,) = it.failed(int(before.time_ns[-1]), Status.BAD_NO_COMMUNICATION)
        assert values(missing) == {"r1": None, "r2": None}
        peer.start()
        async with it.connect() as read:
            after = frame(await read())
        assert values(after) == {"r1": 1, "r2": 2}
        assert concat([before, missing, after]).problem() is None

    with running(peer):
        run(story())


def test_a_silent_device_is_unreachable_within_the_timeout(tmp_path: Path) -> None:
    with running(server(tmp_path)) as peer:

        async def story() -> None:
            it = collector(device(port_of(peer), {"g/100ms": words(1)}, timeout="200ms", unit=3))
            async with it.connect() as read:
                await read()
                peer.send(signals.SIGSTOP)
                with pytest.raises(
                    Unreachable, match=r"unit 3\): connected, but no answer within 0.2 s .*holding:1"
                ):
                    await read()
            peer.send(signals.SIGCONT)
            async with it.connect() as read:
                assert values(frame(await read())) == {"r1": 1}

        try:
            run(story())
        finally:
            peer.send(signals.SIGCONT)


def test_a_connection_closed_while_idle_is_opened_again_without_a_word(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running(server(tmp_path, log=log)) as peer:

        async def story() -> None:
            it = collector(device(port_of(peer), {"g/1s": words(1)}))
            async with it.connect() as read:
                for n in range(1, 5):
                    assert values(frame(await read())) == {"r1": 1}
                    assert it.stats.idle_reconnects == n - 1
                    peer.send(signals.SIGUSR2)
                    link = it._unit._bus.link
                    assert link is not None
                    while n % 2 and link.active:  # noqa: ASYNC110 - it has no event
                        await asyncio.sleep(0.001)  # odd: seen before the next request; even: only by it
            assert len(read_log(log)) == 4

        run(story())


def test_a_device_that_closes_after_each_answer_loses_no_value(tmp_path: Path) -> None:
    with running(server(tmp_path, "--close-after", 1)) as peer:

        async def story() -> None:
            it = collector(device(port_of(peer), {"g/1s": words(1, 200, 400, 600)}))
            async with it.connect() as read:
                for _ in range(3):
                    assert values(frame(await read())) == {"r1": 1, "r200": 200, "r400": 400, "r600": 600}
            assert it.stats.idle_reconnects == 11

        run(story())


def test_a_device_that_closes_before_it_ever_answers_is_unreachable() -> None:
    async def story() -> None:
        async with scripted(None) as port, collector(device(port, {"g/1s": words(1)})).connect() as read:
            with pytest.raises(Unreachable, match=r"closed .* while reading holding:1: check that the device runs"):
                await read()

    run(story())


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"unit": 9}, "unit 9 in the answer to a question to unit 1"),
        ({"function": 4}, "function 4 in the answer to function 3"),
        ({"function": 0x84, "body": b"\x02"}, "function 132 in the answer to function 3"),
        ({"function": 0x10}, "function 16 in the answer to function 3"),
        ({"body": b"\x02\x00\x01"}, "2 data bytes where 4 were asked for"),
        ({"body": b"\x04\x00\x01"}, "2 data bytes where 4 were asked for"),
        ({"body": b"\x06\x00\x01\x00\x02\x00\x03"}, "6 data bytes where 4 were asked for"),
        ({"body": b"\x02\x00\x01\x00\x02"}, "a byte count of 2 where 4 were asked for"),
        ({"body": b""}, "0 data bytes where 4 were asked for"),
    ],
)
def test_an_answer_to_another_question_is_never_taken_for_a_value(changed: dict[str, Any], text: str) -> None:
    async def story() -> None:
        script = scripted(lambda request: reply(request, **changed))
        async with script as port, collector(device(port, {"g/1s": words(1, 2)})).connect() as read:
            with pytest.raises(
                Unreachable, match=f"wrong answer to reading holding:1-2 .*{text}.*check the unit id"
            ):
                await read()

    run(story())


def test_rows_read_before_the_link_broke_are_delivered_with_the_bad_ones() -> None:
    async def story() -> None:
        clock = FakeClock()
        async with scripted(reply, reply, None, None) as port:
            it = collector(device(port, {"g/1s": words(1, 200, 400), "h/1s": words(5)}), clock)
            async with it.connect() as read:
                with pytest.raises(Unreachable, match="holding:400"):
                    await read()
        first, second = it.failed(clock.now(), Status.BAD_NO_COMMUNICATION)
        assert first.problem() is None
        assert list(first.value) == [1, 200, None, None, None]
        assert list(second.value) == [None]

    run(story())


def test_a_local_address_that_is_not_ours_is_named() -> None:
    async def story() -> None:
        it = collector(device(free_port(), {"g/1s": words(1)}, source_address="192.0.2.1"))
        with pytest.raises(Unreachable, match=r"cannot connect from 192.0.2.1: check source_address"):
            async with it.connect():
                pass

    run(story())


def test_a_host_that_never_answers_costs_no_more_than_the_timeout() -> None:
    async def story() -> None:
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            port = full.getsockname()[1]
            with contextlib.ExitStack() as stack:
                for _ in range(3):  # once the queue is full, the kernel drops what comes
                    waiting = stack.enter_context(socket.socket())
                    waiting.setblocking(False)
                    waiting.connect_ex(("127.0.0.1", port))
                it = collector(device(port, {"g/1s": words(1)}, timeout="100ms"))
                assert it.device == "plc"
                assert [s.id for s in it.sources] == ["plc.g"]
                with pytest.raises(Unreachable, match=r"no connection within 0.1 s: check power, cable"):
                    async with it.connect():
                        pass

    run(story())


@pytest.mark.parametrize(
    ("exc", "text"),
    [
        (socket.gaierror(-2, "Name or service not known"), "the name is not known: check host, .*Name or service"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "no connection: check cable, .*No route to host"),
    ],
)
def test_what_the_system_says_about_a_host_is_explained(exc: OSError, text: str) -> None:
    assert re.search(text, no_connection(device(502, {"g/1s": words(1)}), exc).en)


def test_nothing_but_the_four_read_functions_ever_leaves(tmp_path: Path) -> None:
    tags = [
        *every_kind(),
        *words(7),
        *({"id": f"b-{t}", "address": f"{t}:3", "type": "bool"} for t in ("coil", "discrete")),
        {"id": "in", "address": "input:9", "type": "int16"},
    ]
    with running(server(tmp_path, "--illegal", "7-7")) as peer, Relay(port_of(peer)) as relay:

        async def story() -> None:
            it = collector(device(relay.port, {"g/1s": tags}))
            async with it.connect() as read:
                for _ in range(70):
                    await read()
                it.retry()
                await read()

        run(story())
    functions = sum((modbus_functions(bytes(stream)) for stream in relay.sent), start=modbus_functions(b""))
    assert set(functions) == {1, 2, 3, 4}


def test_every_type_of_the_configuration_is_covered_here() -> None:
    assert set(CODES) | {DataType.BOOL, DataType.STRING, DataType.TIMESTAMP} == set(DataType)


def port_of(peer: Child) -> int:
    assert peer.port is not None
    return peer.port
