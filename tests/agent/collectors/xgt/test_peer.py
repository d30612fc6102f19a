"""The server of the tests is what other people's clients expect: `pyXGTClient` and `PyXGT` from PyPI."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest
from PyXGT.LS import plc_ls  # type: ignore[import-untyped]
from pyXGTClient.client import XGTClient  # type: ignore[import-untyped]

from agent.collectors.xgt.frame import (
    Continuous,
    Individual,
    Reader,
    Refusal,
    Reply,
    Station,
    Width,
    answer,
    request,
)
from tests.peers.xgt import XgtPlc
from tests.support.processes import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agent.collectors.xgt.frame import Ask


@pytest.fixture(scope="module")
def plc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[XgtPlc]:
    folder: Path = tmp_path_factory.mktemp("plc")
    with running(XgtPlc(folder)) as child:
        assert isinstance(child, XgtPlc)
        child.tell("set D 2468 11223344556677889900aabbccddeeff", "set M 344 0010")
        yield child


def opened(plc: XgtPlc) -> Any:
    client = XGTClient("127.0.0.1", plc.where, timeout=5)
    assert client.open()
    return client


def ours(plc: XgtPlc, ask: Ask) -> Reply | Refusal:
    """Ask with our frames over a plain socket."""
    with socket.create_connection(("127.0.0.1", plc.where), timeout=5) as line:
        line.sendall(request(ask, 7, Station()))
        reader = Reader()
        while not (frame := reader.next()):
            reader.feed(line.recv(4096))
        return answer(frame, ask, 7)


def blocks(got: Reply | Refusal) -> list[int]:
    assert isinstance(got, Reply)
    return [int.from_bytes(block, "little") for block in got.blocks]


INDIVIDUAL = [
    ("W", [("D", 1234), ("D", 1235), ("M", 9)]),
    ("B", [("D", 2468), ("M", 18)]),
    ("D", [("D", 617)]),
    ("L", [("D", 309), ("R", 4)]),
    ("X", [("M", 2764), ("M", 2765), ("T", 3), ("T", 4)]),
    ("W", [("D", n) for n in range(16)]),
]


@pytest.mark.parametrize(("width", "places"), INDIVIDUAL)
def test_individual_reads_are_the_same_for_three_clients(
    plc: XgtPlc, width: str, places: list[tuple[str, int]]
) -> None:
    theirs = opened(plc)
    names = [f"%{area}{width}{index}" for area, index in places]
    first = theirs.readData(names)
    theirs.close()
    other = plc_ls("127.0.0.1", plc.where)
    word = {"X": "bit", "B": "byte", "W": "word", "D": "dword", "L": "lword"}[width]
    second = other.command("XGT", "read", word, ",".join(f"{area}{index}" for area, index in places))
    other.conn_class.close()
    assert first == second == blocks(ours(plc, Individual(Width[width], tuple(places))))


def test_continuous_reads_are_the_same_for_another_client(plc: XgtPlc) -> None:
    theirs = opened(plc)
    for count in (1, 16, 1400):
        found: Any = theirs.readContinuousData("%DB2468", count)
        got = ours(plc, Continuous("D", 2468, count))
        assert isinstance(got, Reply)
        assert bytes(found) == got.blocks[0]
        assert got.blocks[0].startswith(bytes.fromhex("11223344556677889900aabbccddeeff")[:count])
    theirs.close()


def test_what_another_client_writes_is_read(plc: XgtPlc) -> None:
    theirs = opened(plc)
    assert theirs.writeData(["%DW5000", "%DW5001"], [0x1234, 0xABCD]) is True
    assert theirs.writeData(["%MX803"], [1]) is True
    theirs.close()
    got = ours(plc, Continuous("D", 10000, 4))
    assert isinstance(got, Reply)
    assert got.blocks == (bytes.fromhex("3412cdab"),)
    assert blocks(ours(plc, Individual(Width.X, (("M", 803),)))) == [1]
    assert plc.counts()[1] == 2


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (Continuous("D", 65535, 2), 0x04),
        (Individual(Width.W, (("D", 32768),)), 0x04),
        (Individual(Width.X, (("D", 16),)), 0x02),
        (Continuous("Y", 0, 2), 0x03),
    ],
)
def test_what_the_manual_refuses_is_refused(plc: XgtPlc, ask: Ask, code: int) -> None:
    got = ours(plc, ask)
    assert isinstance(got, Refusal)
    assert (got.code, got.raw) == (code, bytes([0xFF, 0xFF, code, 0]))


def test_limits_are_refused_with_the_manuals_codes(tmp_path: Path) -> None:
    with running(XgtPlc(tmp_path, "--max-bytes", 512, "--max-blocks", 8, "--code-bytes", 1)) as child:
        assert isinstance(child, XgtPlc)
        for ask, code in ((Continuous("D", 0, 513), 5), (Individual(Width.W, (("D", 0),) * 9), 1)):
            got = ours(child, ask)
            assert isinstance(got, Refusal)
            assert (got.code, got.raw) == (code, bytes([0xFF, 0xFF, code]))
        assert isinstance(ours(child, Continuous("D", 0, 512)), Reply)
