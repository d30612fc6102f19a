"""A PLC, a cable or another server in its place that does not behave: never a hang, never a wrong value."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import itertools
import logging
import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.clock import SystemClock
from agent.collectors.base import Box
from agent.collectors.xgt import line as lines
from agent.errors import Unreachable
from agent.frame import Event, Facts, Quality, quality
from agent.health import Health
from agent.supervise import Supervisor
from tests.agent.collectors.xgt.rig import collector, device, frame, plc, run, values, words
from tests.support.clocks import FakeClock
from tests.support.processes import free_port

if TYPE_CHECKING:
    from agent.frame import Item


@pytest.mark.parametrize("order", ["split 1", "split 7", "split 19", "split 21"])
def test_an_answer_in_any_pieces_is_whole(tmp_path: Path, order: str) -> None:
    with plc(tmp_path) as peer:
        peer.tell(order)

        async def story() -> None:
            async with collector(device(peer.where, {"g/1s": words(*range(60))})).connect() as read:
                for _ in range(3):
                    assert values(await read()) == {f"d{n}": n for n in range(60)}

        run(story())


@pytest.mark.parametrize(
    ("order", "says"),
    [
        (
            "silent",
            "no answer within 0.3 s to reading %DB2, 2 bytes: check that the port is the XGT server's (2004)",
        ),
        ("half", "only half an answer within 0.3 s"),
        ("garbage", "no XGT frame: 48 54 54 50"),
        ("invoke 5", "an answer to another request"),
        ("command 89", "command 0059h in the answer to a read"),
        ("type 2", "data type 0002h where 0014h was asked for"),
        ("blocks 2", "2 blocks where 1 were asked for"),
        ("size 3", "a block of 3 bytes where 2 were asked for"),
        ("length 9000", "a length of 9000 bytes in the header"),
        ("length 3", "a length of 3 bytes in the header"),
        ("source 51", "our own request came back"),
        ("source 1", "01h as the source of an answer"),
        ("company 1", "no XGT frame: 58 58"),
        ("extra 2", "2 bytes after the last block"),
    ],
)
def test_a_wrong_answer_ends_the_connection_and_the_next_one_is_good(tmp_path: Path, order: str, says: str) -> None:
    with plc(tmp_path) as peer:

        async def story() -> None:
            it = collector(device(peer.where, {"g/1s": words(1)}, timeout="300ms"))
            async with it.connect() as read:
                assert values(await read()) == {"d1": 1}
                peer.tell(order)
                with pytest.raises(Unreachable) as caught:
                    await read()
            assert says in caught.value.text.en
            assert f"plc (127.0.0.1:{peer.where})" in caught.value.text.ko
            peer.tell("right")
            async with it.connect() as read:
                assert values(await read()) == {"d1": 1}
            assert it.stats.timeouts + it.stats.reconnects > 0
            assert [q for block in it.failed(10**18, 0x80000000) for q in block.quality] == [Quality.BAD]

        run(story())


def test_complaint_08_a_late_answer_is_never_taken_for_another_question(tmp_path: Path) -> None:
    with plc(tmp_path) as peer:

        async def story() -> None:
            it = collector(device(peer.where, {"g/1s": words(1)}, timeout="300ms"))
            peer.tell("delay 600")
            async with it.connect() as read:
                with pytest.raises(Unreachable, match="no answer within"):
                    await read()
            peer.tell("right", "set D 2 0900")
            async with it.connect() as read:
                await asyncio.sleep(0.7)
                assert values(await read()) == {"d1": 9}

        run(story())


def test_two_answers_in_one_segment_are_no_answer(tmp_path: Path) -> None:
    with plc(tmp_path) as peer:

        async def story() -> None:
            it = collector(device(peer.where, {"g/1s": words(1)}))
            async with it.connect() as read:
                peer.tell("join")
                assert values(await read()) == {"d1": 1}
                with pytest.raises(Unreachable, match="wrong answer"):
                    await read()

        run(story())


def test_complaint_06_a_connection_closed_while_idle_is_opened_again_without_a_word(tmp_path: Path) -> None:
    with plc(tmp_path) as peer:

        async def story() -> None:
            it = collector(device(peer.where, {"g/1s": words(1)}))
            async with it.connect() as read:
                assert values(await read()) == {"d1": 1}
                peer.tell("drop")
                assert values(await read()) == {"d1": 1}
            assert (it.stats.idle_reconnects, it.stats.timeouts) == (1, 0)

        run(story())


def test_a_request_that_was_lost_or_given_up_counts_against_the_budget_also_of_the_next_collector() -> None:
    times: list[float] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request of each connection; take the next one and hang up, or say nothing."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            for n in itertools.count():
                header = await reader.readexactly(20)
                await reader.readexactly(int.from_bytes(header[16:18], "little"))
                times.append(time.monotonic())
                if n % 2:
                    break
                body = bytes.fromhex("5500 1400 0000 0000 0100 0200 0100")
                writer.write(header[:13] + b"\x11" + header[14:16] + bytes([len(body), 0, 0, 0]) + body)
        writer.close()

    async def story() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            config = device(port, {"g/50ms": words(1)}, budget={"requests_per_second": 10, "busy": 1})
            box, requests = Box(SystemClock()), 0
            for _ in range(4):
                it = collector(config, box=box)
                async with it.connect() as read:
                    for _ in range(3):
                        assert values(await read()) == {"d1": 1}
                requests += it.stats.requests
            assert requests == len(times) == 4 * (3 + 2)

    run(story())
    assert all(b - a >= 0.99 for a, b in zip(times, times[10:], strict=False)), "10 in any second"


def test_complaint_05_a_module_without_a_free_connection_is_named(tmp_path: Path) -> None:
    with plc(tmp_path, "--connections", 0) as peer:

        async def story() -> None:
            it = collector(device(peer.where, {"g/1s": words(1)}))
            with pytest.raises(Unreachable, match="check that the PLC runs and the module has a free connection"):
                async with it.connect() as read:
                    await read()

        run(story())


def test_why_there_is_no_connection() -> None:
    async def trouble(**options: object) -> str:
        with pytest.raises(Unreachable) as caught:
            async with collector(device(free_port(), {"g/1s": words(1)}, **options)).connect():
                pass
        assert caught.value.text.ko != caught.value.text.en
        return caught.value.text.en

    async def story() -> None:
        assert "connection refused: check that the XGT server is switched on" in await trouble()
        assert "the name is not known" in await trouble(host="no-such-host.invalid")
        assert "check it and the network card" in await trouble(source_address="192.0.2.1")

    run(story())
    where = collector(device(1, {"g/1s": words(1)}))._where  # for what no machine can be made to do
    assert "no connection within 1.5 s" in lines._no_connection(TimeoutError(), where).en
    assert "check cable" in lines._no_connection(OSError(errno.EHOSTUNREACH, "no route"), where).en


class Sink:
    """Keeps what comes and lets a test wait for it."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self._came = asyncio.Event()

    def put(self, item: Item) -> None:
        self.items.append(item)
        self._came.set()

    async def frame_of(self, wanted: int) -> None:
        """Wait for the next frame of this quality."""
        seen = len(self.items)
        while True:
            for item in self.items[seen:]:
                if not isinstance(item, Event | Facts) and hasattr(item, "status"):
                    block = frame([item])
                    if len(block) and {quality(int(s)) for s in block.status} == {Quality(wanted)}:
                        return
            seen = len(self.items)
            self._came.clear()
            await self._came.wait()


def test_a_restarted_plc_is_two_lines_of_log_and_one_closed_gap(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    with plc(tmp_path) as peer:

        async def story() -> None:
            sink, clock = Sink(), SystemClock(trusted=True)
            it = collector(device(peer.where, {"g/50ms": words(1, 2)}), box=Box(clock))
            task = asyncio.ensure_future(Supervisor(it, sink, Health(), clock, jitter=lambda: 0.0).run())
            try:
                await sink.frame_of(Quality.GOOD)
                await asyncio.to_thread(peer.kill)
                await sink.frame_of(Quality.BAD)
                await asyncio.to_thread(peer.start)
                await sink.frame_of(Quality.GOOD)
            finally:
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            gaps = {
                str(i.body["gap_id"]): i.to_ns
                for i in sink.items
                if isinstance(i, Event) and i.kind == "gap" and i.body["cause"] == "link_down"
            }
            assert len(gaps) == 1
            assert None not in gaps.values()

        run(story(), 60)
    going, coming = [record.getMessage() for record in caplog.records]
    assert going.startswith("plc: not reachable: ")
    assert "check that the" in going
    assert coming.startswith("plc: back after")


def sockets() -> set[str]:
    """Return the sockets that this process has open."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            target = os.readlink(entry)  # noqa: PTH115 - a socket is no path
        except OSError:
            continue
        if target.startswith("socket:"):
            found.add(target)
    return found


@pytest.mark.parametrize("options", [(), ("--delay", 5)])
def test_cancelled_after_any_number_of_turns_of_the_loop_it_leaves_no_socket(
    tmp_path: Path, options: tuple[str | int, ...]
) -> None:
    with plc(tmp_path, *options, "--connections", 100) as peer:

        async def use(stage: list[str]) -> None:
            it = collector(device(peer.where, {"g/100ms": words(1, 1000, 2000)}), box=Box(SystemClock()))
            async with it.connect() as read:
                stage[0] = "reading"
                await read()
                stage[0] = "waiting"
                while True:
                    await read()

        async def story() -> None:
            reached: set[str] = set()
            before = sockets()
            for turns in range(40):
                stage = ["connecting"]
                task = asyncio.ensure_future(use(stage))
                for _ in range(turns):
                    await asyncio.sleep(0 if turns % 2 else 0.0005)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                reached.add(stage[0])
                for _ in range(3):  # a closed transport frees its socket in the next turns
                    await asyncio.sleep(0)
                assert sockets() == before, (turns, stage)
            assert "connecting" in reached
            assert "reading" in reached

        run(story())


def test_a_request_that_is_cancelled_gives_its_answer_to_nobody(tmp_path: Path) -> None:
    with plc(tmp_path, "--delay", 100) as peer:
        box = Box(SystemClock())

        async def story() -> None:
            one, two = (collector(device(peer.where, {"g/1s": words(n)}, id=f"plc-{n}"), box=box) for n in (1, 2))
            async with one.connect() as read_one, two.connect() as read_two:
                task = asyncio.ensure_future(read_one())
                await asyncio.sleep(0.02)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert values(await read_two()) == {"d2": 2}

        run(story())


def test_a_cut_cable_is_noticed_within_the_timeout() -> None:
    """A listener that never reads is what a cable cut in mid-connection looks like from here."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()

        async def story() -> None:
            port = deaf.getsockname()[1]
            it = collector(device(port, {"g/1s": words(1)}, timeout="200ms"), FakeClock())
            async with it.connect() as read:
                with pytest.raises(Unreachable, match="connected, but no answer"):
                    await read()

        run(story(), 10)
