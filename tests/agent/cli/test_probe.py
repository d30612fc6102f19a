"""`tsq-agent probe` against the C server: known values in every order, refusals in words, the line it writes."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from agent.cli import main
from agent.cli.picking import ask
from agent.cli.probing import device_of, window
from agent.collectors.xgt.signal import XgtSignal
from agent.config.load import load
from agent.interpretation import guess, interpret
from settings.language import Complaint
from tests.peers.modbus import server
from tests.peers.opcua import opcua_server
from tests.peers.xgt import XgtPlc
from tests.support.processes import free_port, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.processes import Child

FILE = """# 시운전 중
version: 1
factory: hanil
agent: edge-1
name: 한일정밀
time: {zone: Asia/Seoul, trust_local_clock: true}
machines: [{id: press-1}]
uplink: {site: {host: 127.0.0.1}}
devices:
  - id: press-plc   # 배전반 A
    type: modbus
    machine: press-1
    host: 127.0.0.1
    port: $port
    word_order: CDAB
    groups:
      - every: 1s
        signals:
          - {id: speed, address: "holding:5", type: uint16}   # 주축
"""
QUICK = ["--readings", "3", "--every", "50ms", "--lang", "en"]
FLOAT = 16840  # registers hold their own address: 0x41C8 0x41C9 is 25.03 in order ABCD


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Child]:
    with running(server(tmp_path, "--illegal", "300-300", "--illegal", "16845-16845")) as child:
        yield child


@pytest.fixture
def file(peer: Child, tmp_path: Path) -> Path:
    path = tmp_path / "agent.yaml"
    path.write_text(FILE.replace("$port", str(peer.port)), "utf-8")
    return path


def row(out: str, name: str) -> list[str]:
    return next(line.split() for line in out.splitlines() if line.startswith(">") and line.split()[1] == name)


def cell(word: str) -> float:
    return float(word.lstrip("*+"))


def test_every_type_and_order_stands_side_by_side(peer: Child, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", f"modbus://127.0.0.1:{peer.port}/1", f"holding:{FLOAT}", *QUICK]) == 0
    out = capsys.readouterr().out
    assert "holding:16840 (416841): 3 readings" in out
    raw = struct.pack(">HH", FLOAT, FLOAT + 1)
    orders = [raw, raw[2:] + raw[:2], bytes((raw[1], raw[0], raw[3], raw[2])), raw[::-1]]
    for name, code in (("int32", "i"), ("uint32", "I"), ("float32", "f")):
        said = [cell(word) for word in row(out, name)[2:]]
        assert said == pytest.approx([struct.unpack(f">{code}", o)[0] for o in orders], rel=1e-5), name
    eight = struct.pack(">4H", *range(FLOAT, FLOAT + 4))
    assert cell(row(out, "float64")[2]) == pytest.approx(struct.unpack(">d", eight)[0], rel=1e-4)
    assert row(out, str(FLOAT))[2:6] == ["41C8", "+16840", "+16840", "51265"]
    assert "float32 ABCD = 25.0321" in out
    assert all(len(line) <= 80 for line in out.splitlines())
    assert "illegal address (exception 2)" in next(line for line in out.splitlines() if line.startswith("+5"))


def test_an_address_that_the_device_refuses_says_so_and_ends_with_1(
    peer: Child, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["probe", f"modbus://127.0.0.1:{peer.port}", "holding:300", *QUICK]) == 1
    assert capsys.readouterr().out.rstrip().endswith("holding:300: illegal address (exception 2)")


def test_bits_are_shown_with_what_they_do(peer: Child, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", f"modbus://127.0.0.1:{peer.port}/1", "coil:7", *QUICK]) == 0
    assert row(capsys.readouterr().out, "coil:7") == [">", "coil:7", "1", "does", "not", "change", "111"]


def test_what_changes_is_seen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running(server(tmp_path, sequence=True)) as peer:
        assert main(["probe", f"modbus://127.0.0.1:{peer.port}/1", "holding:10", *QUICK]) == 0
    assert "counts up" in next(line for line in capsys.readouterr().out.splitlines() if line.startswith(">"))


def test_the_chosen_line_is_written_and_every_comment_stays(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = file.read_text("utf-8")
    words = ["--write", "torque", "--name", "토크", "--unit", "Nm", "--type", "float32", "--word-order", "ABCD"]
    assert main(["probe", str(file), "press-plc", f"holding:{FLOAT}", *words, *QUICK]) == 0
    after = file.read_text("utf-8")
    assert f"{file}: written:" in capsys.readouterr().out
    added = [line for line in after.splitlines() if line not in before.splitlines()]
    assert len(added) == 1
    assert added[0].startswith('          - {id: torque, name: 토크, address: "holding:16840", type: float32')
    assert after.replace(added[0] + "\n", "") == before
    signal = load(file).devices[0].groups[0].signals[1]
    assert (signal.id, signal.unit, signal.where()) == ("torque", "Nm", "holding:16840 (416841)")
    assert signal.found == "probe"
    # once more for the same id: the signal is corrected where it stands
    words = ["--write", "torque", "--type", "uint16", "--shift", "1"]
    assert main(["probe", str(file), "press-plc", f"holding:{FLOAT}", *words, *QUICK]) == 0
    signal = load(file).devices[0].groups[0].signals[1]
    assert (str(signal.type), signal.name, signal.where()) == ("uint16", "토크", "holding:16841 (416842)")


def test_an_ls_plc_is_read_by_its_own_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plc = XgtPlc(tmp_path)
    with running(plc):
        plc.tell("set D 240 " + struct.pack("<f", 36.6).hex(), "illegal D 250 251")
        url = f"xgt://127.0.0.1:{plc.where}"
        assert main(["probe", url, "D00120", *QUICK]) == 0
        out = capsys.readouterr().out
        assert "best guess: float32 DCBA = 36.6" in out  # low byte and low word first, as XGT sends it
        assert (
            row(out, "D00120")[2]
            == struct.pack(">H", struct.unpack("<2H", struct.pack("<f", 36.6))[0]).hex().upper()
        )
        assert next(line.split() for line in out.splitlines() if line.startswith("+2"))[1:4] == [
            "D00122",
            "007A",
            "122",
        ]
        assert main(["probe", url, "%MX1603", *QUICK]) == 0
        assert len([line for line in capsys.readouterr().out.splitlines() if "%MX" in line]) >= 16
        path = tmp_path / "agent.yaml"
        text = (
            FILE.replace("$port", str(plc.where))
            .replace("type: modbus", "type: xgt")
            .replace("holding:5", "D00005")
        )
        path.write_text(text.replace("    word_order: CDAB\n", ""), "utf-8")
        assert main(["probe", str(path), "press-plc", "D00120", "--write", "heat", *QUICK]) == 0
    signal = load(path).devices[0].groups[0].signals[1]
    assert isinstance(signal, XgtSignal)
    assert (signal.id, str(signal.type), signal.word_order) == ("heat", "float32", None)


def test_a_node_is_shown_with_what_its_server_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with opcua_server(tmp_path / "opcua", press=True) as plant:
        node = "nsu=urn:test:plant;s=Press.X.ActualPosition"
        assert main(["probe", plant.endpoint, node, *QUICK]) == 0
        out = capsys.readouterr().out
        assert "float64" in out
        assert "12.5 mm" in out
        assert "does not change" in out
        assert main(["probe", plant.endpoint, "nsu=urn:test:plant;s=nobody", *QUICK]) == 1
        assert "unknown node" in capsys.readouterr().out
        path = tmp_path / "agent.yaml"
        head = FILE.partition("  - id: press-plc")[0]
        path.write_text(
            head + "  - id: cnc\n    type: opcua\n    machine: press-1\n    security: None\n"
            f"    endpoint: {plant.endpoint}\n    groups:\n      - every: 1s\n        signals:\n"
            '          - {id: time, node: "i=2258", type: timestamp}\n',
            "utf-8",
        )
        words = ["--write", "position", "--name", "X축 위치"]
        assert main(["probe", str(path), "cnc", node, *words, *QUICK]) == 0
    signal = load(path).devices[0].groups[0].signals[1]
    assert (signal.id, signal.name, str(signal.type), signal.unit) == ("position", "X축 위치", "float64", "mm")


def test_an_unclear_type_is_not_written(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = file.read_bytes()
    assert main(["probe", str(file), "press-plc", "holding:5", "--write", "x", *QUICK]) == 1
    assert "write --type" in capsys.readouterr().err
    assert main(["probe", str(file), "press-plc", "holding:5", "--write", "X 1", "--type", "int16", *QUICK]) == 78
    assert "would not pass the check" in capsys.readouterr().err
    assert file.read_bytes() == before


def test_a_clear_guess_is_written_without_the_order_that_the_device_has_anyway(
    peer: Child,
) -> None:
    device = device_of(f"modbus://127.0.0.1:{peer.port}/1", "").model_copy(update={"word_order": "CDAB"})
    what = window(device, "holding:8")
    pairs = [struct.unpack(">HH", struct.pack(">f", t)) for t in (23.41, 23.47, 23.44)]
    candidates = interpret([(7, low, high, *[0x8123] * 8) for high, low in pairs], 1, now_ns=0)
    told = guess(candidates)
    assert told.clear
    answers = iter(["1", "유온", "유온", "", "degC"])  # an id in Hangul is asked for again
    found = ask(what, device, told, candidates, "ko", lambda _: next(answers))
    assert found is not None
    assert found == {
        "id": "yuon",
        "name": "유온",
        "address": "holding:8",
        "type": "float32",
        "unit": "degC",
        "found": "probe",
    }
    assert ask(what, device, told, candidates, "en", lambda _: "") is None


def test_what_cannot_be_read_is_said_in_the_language_of_the_person(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["probe", f"modbus://127.0.0.1:{free_port()}/1", "holding:0", "--lang", "ko"]) == 1
    assert capsys.readouterr().err
    assert main(["probe", str(file), "presplc", "holding:0", "--lang", "ko"]) == 1
    assert "쓸 수 있는 장치: press-plc" in capsys.readouterr().err
    assert main(["probe", str(file), "press-plc", "40001", "--lang", "ko"]) == 1
    assert "뜻이 두 가지인 표기" in capsys.readouterr().err
    assert main(["probe", "10.0.0.5", "holding:0", "--lang", "en"]) == 1
    assert "write FILE DEVICE ADDRESS" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["http://10.0.0.5", "modbus://", "modbus://10.0.0.5:99999/1", "modbus://h/x"])
def test_an_address_of_a_device_in_another_form_is_refused(url: str) -> None:
    with pytest.raises((Complaint, ValueError)):
        device_of(url, "")
