"""The collector against a server of its own kind: values, refusals, what is learned."""

from __future__ import annotations

import collections
import random
import struct
from typing import TYPE_CHECKING, Any

import pytest

from agent.collectors.base import Box, Forgetful
from agent.collectors.xgt.group import TRIED
from agent.frame import Facts, Status, Watermark
from tests.agent.collectors.xgt.rig import collector, device, frame, plc, run, statuses, values, words
from tests.support.clocks import FakeClock
from tests.support.sniffer import Relay, xgt_commands

if TYPE_CHECKING:
    from pathlib import Path

    from tests.peers.xgt import XgtPlc

SIZES = {"int16": "<h", "uint16": "<H", "int32": "<i", "uint32": "<I", "int64": "<q", "uint64": "<Q"}
FLOATS = {"float32": "<f", "float64": "<d"}


def test_all_types_at_even_and_odd_addresses(tmp_path: Path) -> None:
    tags, want = list[dict[str, Any]](), dict[str, Any]()
    memory = bytes((i * 37 + 11) % 256 for i in range(4000))
    for number, (name, code) in enumerate((SIZES | FLOATS).items()):
        for odd in (0, 1):
            word = 20 + 10 * number + odd
            tags.append({"id": f"{name}-{word}", "address": f"D{word:05}", "type": name})
            if name == "uint64":
                tags[-1]["instrument_range"] = [0, 2**64]
            (want[f"{name}-{word}"],) = struct.unpack_from(code, memory, word * 2)
    tags += [
        {"id": "byte", "address": "%DB301", "type": "uint16"},
        {"id": "signed", "address": "%DB303", "type": "int16"},
        {"id": "odd-float", "address": "%DB305", "type": "float32"},
        {"id": "bit", "address": "D00200.B", "type": "bool"},
        {"id": "bit-apart", "address": "D00200", "bit": 2, "type": "bool"},
        {"id": "text", "address": "D00300", "type": "string", "length": 7, "encoding": "cp949"},
        {"id": "turned", "address": "D00310", "type": "string", "length": 4, "word_order": "BADC"},
        {"id": "bcd", "address": "D00320", "type": "uint32", "bcd": True},
        {"id": "scaled", "address": "D00330", "type": "int16", "scale": 0.1},
        {"id": "field", "address": "D00340", "type": "uint16", "bits": [4, 7]},
        {"id": "swapped", "address": "D00350", "type": "uint32", "word_order": "BADC"},
    ]
    extra = {
        300: "가동A".encode("cp949") + b"\0\0", 310: b"BADC", 320: bytes.fromhex("78563412"),
        330: struct.pack("<h", -123), 340: b"\xa5\0", 350: bytes.fromhex("22114433"),
    }  # fmt: skip
    want |= {
        "byte": memory[301], "signed": struct.unpack_from("<b", memory, 303)[0],
        "odd-float": struct.unpack_from("<f", memory, 305)[0],
        "bit": bool(memory[401] >> 3 & 1), "bit-apart": bool(memory[400] >> 2 & 1),
        "text": "가동A", "turned": "ABCD",
        "bcd": 12345678, "scaled": -12.3, "field": 10, "swapped": 0x11223344,
    }  # fmt: skip
    with plc(tmp_path) as peer:
        peer.tell(f"set D 0 {memory.hex()}", *(f"set D {word * 2} {data.hex()}" for word, data in extra.items()))

        async def story(**options: Any) -> None:
            async with collector(device(peer.where, {"all/1s": tags}, **options)).connect() as read:
                got = values(await read())
            for name, value in want.items():
                assert got[name] == value, name

        run(story())
        assert len(peer.served()) == 1, "one continuous read is enough"
        run(story(read="single"))
        assert {request.type for request in peer.served()[1:]} == {2}
        assert all(len(request.names) <= 16 for request in peer.served())


def test_areas_bits_contacts_and_iec_names(tmp_path: Path) -> None:
    mk = [
        {"id": "m12f", "address": "M0012F", "type": "bool"},
        {"id": "m172c", "address": "M172C", "type": "bool"},
        {"id": "p3a", "address": "P0003A", "type": "bool"},
        {"id": "m12", "address": "Ｍ００１２", "type": "uint16"},
        {"id": "t37", "address": "T0037", "type": "uint16"},
        {"id": "t37-on", "address": "T0037", "type": "bool"},
        {"id": "c4-on", "address": "C0004", "type": "bool"},
        {"id": "u8", "address": "U08.04", "type": "uint16"},
        {"id": "r7", "address": "R00007", "type": "uint16"},
    ]
    iec = [
        {"id": "mw", "address": "%MW100", "type": "uint16"},
        {"id": "mx", "address": "%MX2764", "type": "bool"},
        {"id": "ix", "address": "%IX0.2.5", "type": "bool"},
        {"id": "qw", "address": "%QW0.3.1", "type": "uint16"},
        {"id": "md", "address": "%MD50", "type": "uint32"},
    ]
    with plc(tmp_path) as peer:
        peer.tell("set M 24 0080", "set M 345 10", "set P 7 04", "set I 16 20")

        async def read_once(tags: list[dict[str, Any]], **options: Any) -> dict[str, Any]:
            async with collector(device(peer.where, {"all/1s": tags}, **options)).connect() as read:
                return values(await read())

        async def story() -> None:
            got = await read_once(mk)
            assert got == {
                "m12f": True, "m172c": True, "p3a": True, "m12": 0x8000, "t37": 37, "t37-on": True, "c4-on": False,
                "u8": 8 * 32 + 4, "r7": 7,
            }  # fmt: skip
            got = await read_once(iec, cpu="XGI")
            assert got == {"mw": 100, "mx": True, "ix": True, "qw": 13, "md": 101 << 16 | 100}

        run(story())
        first = peer.served()[: -len(peer.served()) // 2]
        assert any(request.type == 0 and request.names == ("%TX37", "%CX4") for request in peer.served()), first
        assert all(request.code == 0 for request in peer.served())


def test_lonely_values_share_one_individual_read(tmp_path: Path) -> None:
    far = words(0, 2000, 4000, 6000, 8000) + words(0, 3000, area="M") + words(5, area="R")
    with plc(tmp_path) as peer:

        async def story() -> None:
            async with collector(
                device(peer.where, {"g/1s": [*far, *words(*range(10000, 10020))]})
            ).connect() as read:
                got = values(await read())
            assert got == {f"d{n}": n for n in (0, 2000, 4000, 6000, 8000, *range(10000, 10020))} | {
                "m0": 0, "m3000": 3000, "r5": 5,
            }  # fmt: skip

        run(story())
        assert [(request.type, len(request.names)) for request in peer.served()] == [(0x14, 1), (2, 8)]


def test_the_state_of_the_plc_comes_with_every_answer(tmp_path: Path) -> None:
    with plc(tmp_path) as peer:

        async def story() -> None:
            config = device(peer.where, {"g/1s": words(1)}, plc_state=True, name="프레스")
            signals = {signal.id: signal for signal in config.sources()[0].signals}
            assert (signals["plc-state"].role, signals["plc-state"].role_confirmed) == ("state", False)
            assert dict(signals["plc-state"].labels) == {1: "RUN", 2: "STOP", 4: "ERROR", 8: "DEBUG"}
            assert signals["plc-error"].alarm is not None
            async with collector(config).connect() as read:
                for state, fault in ((1, 0), (2, 0), (4, 1), (8, 0)):
                    peer.tell(f"state {state}", f"fault {fault}")
                    assert values(await read()) == {"d1": 1, "plc-state": state, "plc-error": bool(fault)}
                peer.tell("state 0")
                got = await read()
                assert values(got) == {"d1": 1, "plc-state": None, "plc-error": None}
                assert statuses(got)["plc-state"] == Status.BAD_NOT_SUPPORTED
            assert len(peer.served()) == 5, "it costs no request"

        run(story())


def test_the_state_is_told_although_everything_else_is_refused(tmp_path: Path) -> None:
    with plc(tmp_path) as peer:
        peer.tell("illegal D 2 3")

        async def story() -> None:
            async with collector(device(peer.where, {"g/1s": words(1)}, plc_state=True)).connect() as read:
                for state in (1, 2, 1):
                    peer.tell(f"state {state}")
                    assert values(await read()) == {"d1": None, "plc-state": state, "plc-error": False}

        run(story())


def test_facts_tell_the_connection_and_who_answers(tmp_path: Path) -> None:
    with plc(tmp_path, "--cpu", "A4", "--type", 21) as peer:

        async def story() -> None:
            it = collector(device(peer.where, {"g/1s": words(1, area="M")}, cpu="XGI"))
            async with it.connect() as read:
                connection, who, block, mark = await read()
                assert isinstance(connection, Facts)
                assert (connection.kind, connection.body["protocol"]) == ("connection", "xgt-fenet")
                assert isinstance(who, Facts)
                assert (who.kind, who.subject) == ("fingerprint", "plc")
                assert who.body == {
                    "series": "XGI", "cpu_type": "XGI-CPUUN", "redundant_slave": False, "company": "LSIS-XGT",
                }  # fmt: skip
                assert isinstance(mark, Watermark)
                assert mark.time_ns == int(frame([block]).time_ns.max())
                peer.tell("state 2")
                assert not any(isinstance(r, Facts) for r in await read()), "its state is no part of who it is"
            async with it.connect() as read:
                assert [r.kind for r in await read() if isinstance(r, Facts)] == ["connection", "fingerprint"]

        run(story())


def test_complaint_02_an_illegal_address_costs_itself_only_and_is_asked_again_after_a_minute(
    tmp_path: Path,
) -> None:
    with plc(tmp_path) as peer:
        peer.tell("illegal D 16 17")

        async def story() -> None:
            clock = FakeClock()
            it = collector(device(peer.where, {"g/1s": words(*range(20))}), clock)
            async with it.connect() as read:
                for _ in range(3):
                    got = await read()
                    assert values(got) == {f"d{n}": None if n == 8 else n for n in range(20)}
                    assert statuses(got)["d8"] == Status.BAD_NODE_ID_UNKNOWN | 4
                (text,) = it.refused()
                assert text.en.startswith(
                    "signal d8 (%DB16, 2 bytes): beyond the end of the memory area (code 0004h"
                )
                assert "bytes 26-29: ff ff 04 00" in text.en
                assert "디바이스 범위 초과" in text.ko
                first = len(peer.served())
                assert first <= 20, "halving 20 values takes at most 5 steps, then few blocks a reading"
                assert [request.code for request in peer.served()[-4:]] == [0, 0, 0, 0]
                peer.tell("legal")
                while clock.monotonic() < 59_000_000_000:
                    assert values(await read())["d8"] is None
                assert values(await read())["d8"] == 8
                assert it.refused() == []
                assert values(await read()) == {f"d{n}": n for n in range(20)}
                assert peer.served()[-1].count == 40, "merged again"
            assert peer.counts()[1] == 0
            assert it.stats.reconnects == 0

        run(story())


def test_retry_asks_again_at_once(tmp_path: Path) -> None:
    with plc(tmp_path) as peer:
        peer.tell("illegal D 16 17")

        async def story() -> None:
            it = collector(device(peer.where, {"g/1s": words(*range(20))}))
            async with it.connect() as read:
                assert values(await read())["d8"] is None
                peer.tell("legal")
                assert values(await read())["d8"] is None
                it.retry()
                assert values(await read())["d8"] == 8

        run(story())


def test_a_hole_that_nobody_asked_for_costs_nothing_from_the_second_reading_on_nor_after_a_restart(
    tmp_path: Path,
) -> None:
    with plc(tmp_path) as peer:
        peer.tell("illegal D 10 11")
        memory = Forgetful()

        async def story() -> None:
            for start in range(2):
                box = Box(FakeClock(), memory=memory)
                before = len(peer.served())
                it = collector(device(peer.where, {"g/1s": words(0, 1, 2, 10, 11, 12)}), box=box)
                async with it.connect() as read:
                    for _ in range(3):
                        assert values(await read()) == {f"d{n}": n for n in (0, 1, 2, 10, 11, 12)}
                refused = [request for request in peer.served()[before:] if request.code]
                assert len(refused) == (1 if start == 0 else 0)
                assert it.stats.learned == {"holes": {"D": [[6, 20]]}}

        run(story())
        assert [(r.names, r.count) for r in peer.served()[-2:]] == [(("%DB0",), 6), (("%DB20",), 6)]


def test_a_restart_knows_which_values_are_refused(tmp_path: Path) -> None:
    with plc(tmp_path) as peer:
        for n in range(0, 200, 10):
            peer.tell(f"illegal D {2 * n} {2 * n + 1}")
        memory = Forgetful()
        want = {f"d{n}": None if n % 10 == 0 else n for n in range(200)}

        async def story() -> None:
            async with collector(
                device(peer.where, {"g/1s": words(*range(200))}), box=Box(FakeClock(), memory=memory)
            ).connect() as read:
                for _ in range(25):
                    assert values(await read()) == want
            before = len(peer.served())
            async with collector(
                device(peer.where, {"g/1s": words(*range(200))}), box=Box(FakeClock(), memory=memory)
            ).connect() as read:
                assert values(await read()) == want
            again = peer.served()[before:]
            assert len([r for r in again if r.code]) == 20, "each refused value once, by itself"
            assert len([r for r in again if not r.code]) == 20, "what lies between them, in one piece each"

        run(story())


def test_complaint_04_a_module_that_serves_less_is_learned(tmp_path: Path) -> None:
    with plc(tmp_path, "--max-bytes", 512) as peer:
        memory = Forgetful()

        async def story() -> None:
            for _ in range(2):
                it = collector(
                    device(peer.where, {"g/1s": words(*range(600))}), box=Box(FakeClock(), memory=memory)
                )
                async with it.connect() as read:
                    for _ in range(2):
                        assert values(await read()) == {f"d{n}": n for n in range(600)}
                assert it.stats.learned == {"max_bytes": 300}
            assert len([r for r in peer.served() if r.code]) == 3
            assert {r.code for r in peer.served()} == {0, 5}

        run(story())


def test_a_module_without_continuous_reads_is_read_individually(tmp_path: Path) -> None:
    with plc(tmp_path, "--no-continuous") as peer:

        async def story() -> None:
            tags = [*words(*range(40)), {"id": "long", "address": "D01000", "type": "string", "length": 40}]
            it = collector(device(peer.where, {"g/1s": tags}))
            async with it.connect() as read:
                for _ in range(2):
                    got = await read()
                    assert values(got) == {f"d{n}": n for n in range(40)} | {"long": None}
                assert it.stats.learned == {"continuous": False}
                assert statuses(got)["long"] & ~0xFF == Status.BAD_NOT_SUPPORTED
                assert "long" in it.refused()[0].en

        run(story())
        assert [r.type for r in peer.served()[-3:]] == [2, 2, 2]


def test_fewer_variables_in_an_individual_read_are_learned(tmp_path: Path) -> None:
    with plc(tmp_path, "--max-blocks", 4) as peer:

        async def story() -> None:
            it = collector(device(peer.where, {"g/1s": words(*range(40))}, read="single"))
            async with it.connect() as read:
                for _ in range(2):
                    assert values(await read()) == {f"d{n}": n for n in range(40)}
            assert it.stats.learned == {"max_blocks": 4}

        run(story())


def test_an_area_that_is_not_served_costs_itself_only(tmp_path: Path) -> None:
    with plc(tmp_path, "--without", "R") as peer:

        async def story() -> None:
            it = collector(device(peer.where, {"g/1s": words(1, 2) + words(5, 3000, area="R")}))
            async with it.connect() as read:
                got = await read()
                assert values(got) == {"d1": 1, "d2": 2, "r5": None, "r3000": None}
                assert statuses(got)["r5"] == Status.BAD_NODE_ID_UNKNOWN | 3
            assert len(it.refused()) == 2

        run(story())


@pytest.mark.parametrize(
    ("order", "status", "says"),
    [
        (
            "code 33 1",
            Status.BAD_CONFIGURATION_ERROR | 0x21,
            "table unofficial, bytes 26-29: ff ff 21): check company",
        ),
        ("code 117 2", Status.BAD_CONFIGURATION_ERROR | 0x75, "table XGL-EFMF, bytes 26-29: ff ff 75 00)"),
        ("code 4660 2", Status.BAD_COMMUNICATION_ERROR | 0x34, "a code that no manual lists (code 1234h, table -"),
    ],
)
def test_codes_are_told_with_their_table_and_raw_bytes(tmp_path: Path, order: str, status: int, says: str) -> None:
    with plc(tmp_path) as peer:
        peer.tell(order)

        async def story() -> None:
            it = collector(device(peer.where, {"g/1s": words(1, 2)}))
            async with it.connect() as read:
                got = await read()
                assert values(got) == {"d1": None, "d2": None}
                assert statuses(got)["d1"] == status
                assert says in it.refused()[0].en
                peer.tell("right")
                it.retry()
                assert values(await read()) == {"d1": 1, "d2": 2}

        run(story())


def test_the_search_goes_on_in_the_next_reading_on_a_slow_plc(tmp_path: Path) -> None:
    with plc(tmp_path) as peer:
        peer.tell("illegal D 16 17")

        async def story() -> None:
            it = collector(device(peer.where, {"g/100ms": words(*range(20))}, request_gap="1s"))
            async with it.connect() as read:
                bad = [[name for name, value in values(await read()).items() if value is None] for _ in range(5)]
            assert [len(names) for names in bad] == sorted((len(names) for names in bad), reverse=True)
            assert len(bad[0]) > 1
            assert bad[-1] == ["d8"]

        run(story())


def test_two_groups_keep_their_own_pace(tmp_path: Path) -> None:
    with plc(tmp_path) as peer:

        async def story() -> None:
            clock = FakeClock()
            it = collector(device(peer.where, {"fast/1s": words(1), "slow/10s": words(100)}), clock)
            counts = {"plc.fast": 0, "plc.slow": 0}
            async with it.connect() as read:
                while clock.monotonic() < 30_000_000_000:
                    counts[frame(await read()).source.id] += 1
            assert 30 <= counts["plc.fast"] <= 32
            assert 3 <= counts["plc.slow"] <= 5

        run(story())


def test_the_budget_is_kept(tmp_path: Path) -> None:
    with plc(tmp_path) as peer:

        async def story() -> None:
            clock = FakeClock()
            tags = words(*range(0, 30000, 1000))
            it = collector(
                device(peer.where, {"g/1s": tags}, read="single", budget={"requests_per_second": 1}, max_bytes=2),
                clock,
            )
            async with it.connect() as read:
                for _ in range(5):
                    await read()
            assert it.stats.requests == 10
            assert clock.monotonic() >= 9_000_000_000

        run(story())


def test_raw_frames_are_given_to_who_records(tmp_path: Path) -> None:
    with plc(tmp_path) as peer:
        seen: list[tuple[str, str, bytes]] = []

        async def story() -> None:
            box = Box(FakeClock(), tap=lambda device, direction, data: seen.append((device, direction, data)))
            async with collector(device(peer.where, {"g/1s": words(1)}), box=box).connect() as read:
                await read()

        run(story())
        assert [(name, direction) for name, direction, _ in seen] == [("plc", "sent"), ("plc", "received")]
        assert seen[0][2].startswith(b"LSIS-XGT\0\0")
        assert seen[0][2].endswith(b"%DB2\x02\0")
        assert seen[1][2].endswith(b"\x01\0\x02\0\x01\0")


def test_two_devices_share_one_connection(tmp_path: Path) -> None:
    with plc(tmp_path) as peer:
        box = Box(FakeClock())

        async def story() -> None:
            one, two = (collector(device(peer.where, {"g/1s": words(n)}, id=f"plc-{n}"), box=box) for n in (1, 2))
            async with one.connect() as read_one:
                async with two.connect() as read_two:
                    assert values(await read_one()) == {"d1": 1}
                    assert values(await read_two()) == {"d2": 2}
                    assert peer.counts()[2] == 1
                assert values(await read_one()) == {"d1": 1}

        run(story())


def test_the_gallery_of_headers(tmp_path: Path) -> None:
    with plc(tmp_path) as peer:
        box = Box(FakeClock())
        sent: list[bytes] = []
        box.tap = lambda _device, direction, data: sent.append(data) if direction == "sent" else None

        async def story(peer: XgtPlc) -> None:
            config = device(
                peer.where, {"g/1s": words(1, area="M")}, company="LGIS-GLOFA", cpu="XGB-IEC", base=1, slot=2
            )
            async with collector(config, box=box).connect() as read:
                assert values(await read()) == {"m1": 1}

        run(story(peer))
        assert sent[0][:10] == b"LGIS-GLOFA"
        assert (sent[0][12], sent[0][18]) == (0xB4, 0x12)


def test_nothing_but_reads_ever_leaves(tmp_path: Path) -> None:
    with plc(tmp_path) as peer, Relay(peer.where) as relay:
        peer.tell("illegal D 16 17")
        tags = [*words(*range(20), 9000), {"id": "t", "address": "T0001", "type": "bool"}]

        async def story() -> None:
            for options in ({}, {"read": "single"}, {"company": "LSIS-XGT", "max_bytes": 6}):
                it = collector(device(relay.port, {"g/1s": tags}, plc_state=True, **options))
                async with it.connect() as read:
                    for _ in range(3):
                        await read()
                    peer.tell("code 33 1")
                    it.retry()
                    await read()
                    peer.tell("right", "drop")
                    await read()

        run(story())
        assert peer.counts()[1] == 0
    sent = sum((xgt_commands(bytes(stream)) for stream in relay.sent), collections.Counter[int]())
    assert sent.total() > 50
    assert set(sent) == {0x54}


def test_a_memory_full_of_holes_is_known_after_three_readings_and_after_a_restart(tmp_path: Path) -> None:
    rng = random.Random(7)
    numbers = range(800)
    illegal, tags = set(rng.sample(numbers, 80)), sorted(rng.sample(numbers, 400))
    want = {f"d{n}": None if n in illegal else n for n in tags}
    memory = Forgetful()
    with plc(tmp_path) as peer:
        peer.tell(*(f"illegal D {2 * n} {2 * n + 1}" for n in illegal))

        async def readings(count: int) -> list[int]:
            """Return how many values are missing in each reading that could be had."""
            it = collector(device(peer.where, {"g/5s": words(*tags)}), box=Box(FakeClock(), memory=memory))
            missing = []
            async with it.connect() as read:
                for _ in range(count):
                    got = values(await read())
                    missing.append(sum(got[name] != value for name, value in want.items()))
            return missing

        async def story() -> None:
            cold = await readings(12)
            assert cold[2:] == [0] * 10
            settled = len(peer.served())
            assert await readings(3) == [0, 0, 0]
            again = peer.served()[settled:]
            bad = sum(value is None for value in want.values())
            assert bad <= len([r for r in again if r.code]) <= bad + 3 * TRIED
            assert len(again) < 3 * len(want) / 2

        run(story(), 60)


def test_what_a_search_has_cut_is_joined_again_step_by_step(tmp_path: Path) -> None:
    with plc(tmp_path) as peer:
        peer.tell("illegal D 80 81")

        async def story() -> None:
            it = collector(device(peer.where, {"g/1s": words(*range(100))}))
            async with it.connect() as read:
                for _ in range(6):
                    assert values(await read()) == {f"d{n}": None if n == 40 else n for n in range(100)}
                peer.tell("right")
                before = len(peer.served())
                await read()
                assert [(r.names, r.count) for r in peer.served()[before:]] == [(("%DB0",), 80), (("%DB82",), 118)]

        run(story())
