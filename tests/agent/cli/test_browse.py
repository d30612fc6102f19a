"""`tsq-agent browse` against node-opcua: the screen, patterns, and the lines that it writes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.widgets import Static

from agent.cli import main
from agent.cli.browse import _target
from agent.cli.browsing.app import Browse
from agent.cli.browsing.entries import entries, id_of, unique, usable
from agent.clock import SystemClock
from agent.collectors.base import Box
from agent.collectors.opcua.browse import opened
from agent.collectors.opcua.choose import Found
from agent.config.load import load
from agent.frame import DataType
from tests.peers.opcua import opcua_server
from tests.support.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.peers.opcua import Plant

FILE = """# 시운전
version: 1
factory: hanil
agent: edge-1
name: 한일정밀
time: {zone: Asia/Seoul, trust_local_clock: true}
machines: [{id: press-1}]
uplink: {site: {host: 127.0.0.1}}
devices:
  - id: press   # 프레스
    type: opcua
    machine: press-1
    endpoint: $endpoint
    security: None
    groups:
      - every: 1s
        signals:
          - {id: mode, node: "i=2258", type: timestamp}   # 서버 시각
"""


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    with opcua_server(tmp_path_factory.mktemp("press"), press=True) as server:
        yield server


@pytest.fixture
def file(plant: Plant, tmp_path: Path) -> Path:
    path = tmp_path / "agent.yaml"
    path.write_text(FILE.replace("$endpoint", plant.endpoint), "utf-8")
    return path


def variable(name: str, path: str, **more: Any) -> Found:
    base: dict[str, Any] = {"dtype": DataType.FLOAT64, "readable": (True, True), "node_class": "Variable"}
    return Found(**(base | {"node": f"nsu=urn:x;s={path}", "name": name, "path": f"Objects/{path}/{name}"} | more))


def test_ids_come_from_names_and_are_unique_on_the_machine() -> None:
    picked = [
        variable("ActualPosition", "Press/X"), variable("ActualPosition", "Press/Y"), variable("Load", "Press"),
        variable("전류", "Press/Current"), variable("Load", "Press", readable=(True, False)),
    ]  # fmt: skip
    made = entries(picked, {"load", "press-load"})
    assert [e["id"] for e in made] == ["x-actual-position", "y-actual-position", "press-load-2", "press-current"]
    assert [e["name"] for e in made] == ["X ActualPosition", "Y ActualPosition", "Press Load", "전류"]
    assert made[0] == {
        "id": "x-actual-position", "name": "X ActualPosition", "node": "nsu=urn:x;s=Press/X", "type": "float64",
        "found": "browse",
    }  # fmt: skip


def test_arrays_and_structures_become_a_signal_for_each_part() -> None:
    levels = variable("Levels", "Press", dtype=None, element=DataType.INT16, length=2, rank=1, unit="mm")
    state = variable(
        "State", "Press", dtype=None, fields=(("Origin.X", DataType.FLOAT64), ("Note", DataType.STRING))
    )
    made = entries([levels, state], ())
    assert [(e["id"], e.get("index"), e.get("field"), e.get("unit")) for e in made] == [
        ("levels-0", 0, None, "mm"), ("levels-1", 1, None, "mm"), ("state-origin-x", None, "Origin.X", None),
        ("state-note", None, "Note", None),
    ]  # fmt: skip
    assert not usable(variable("Points", "Press", dtype=None, length=3, rank=1, fields=(("X", DataType.FLOAT64),)))
    assert not usable(variable("Huge", "Press", dtype=None, element=DataType.INT16, length=5000, rank=1))


def test_a_number_in_a_hangul_name_alone_is_no_id() -> None:
    picked = [variable("모터 1 전류", "Motor"), variable("모터 2 전류", "1001")]
    assert [e["id"] for e in entries(picked, ())] == ["motor", "moteo-2-jeonryu"]


@given(st.lists(st.text(max_size=60), min_size=1, max_size=8))
def test_whatever_a_server_calls_things_each_gets_a_good_id(names: list[str]) -> None:
    known: set[str] = set()
    for name in names:
        made = unique([name], known)
        assert made not in known
        assert 1 <= len(made) <= 48
        assert all(c in "abcdefghijklmnopqrstuvwxyz0123456789_-" for c in made)
        known.add(made)


@pytest.mark.parametrize(
    ("name", "made"),
    [("ActualPosition", "actual-position"), ("PLCState", "plc-state"), ('DB1."Motor".Ist[0]', "db1-motor-ist-0"),
     ("온도", "ondo"), ("Temp 온도 1", "temp-ondo-1")],
)  # fmt: skip
def test_a_name_gives_an_id(name: str, made: str) -> None:
    assert id_of(name) == made


def test_a_pattern_prints_and_writes_what_matches(
    plant: Plant, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["browse", plant.endpoint, "--match", "*Position", "--lang", "ko"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].split() == ["경로", "자료형", "값", "단위", "읽기", "노드"]
    assert out[2].split()[:5] == ["Objects/Press/Axes/X/ActualPosition", "float64", "12.5", "mm", "가능"]
    before = file.read_text("utf-8")
    assert main(["browse", str(file), "press", "--match", "*Position", "--yaml", "--write", "--lang", "en"]) == 0
    printed = capsys.readouterr().out
    assert "2 signals written" in printed
    after = file.read_text("utf-8")
    added = [text for text in after.splitlines() if text not in before.splitlines()]
    assert len(added) == 2
    assert all(text.strip() in printed for text in added)
    for text in added:
        after = after.replace(text + "\n", "")
    assert after == before
    signals = load(file).devices[0].groups[0].signals
    assert [(s.id, s.unit, s.found) for s in signals[1:]] == [
        ("x-actual-position", "mm", "browse"), ("y-actual-position", "mm", "browse"),
    ]  # fmt: skip
    # once more: ids stay unique
    assert main(["browse", str(file), "press", "--match", "Press/Mode", "--write", "--lang", "en"]) == 1
    assert "no node of this server is called so" in capsys.readouterr().err
    assert main(["browse", str(file), "press", "--match", "Objects/Press/Mode", "--write", "--lang", "en"]) == 0
    assert load(file).devices[0].groups[0].signals[-1].id == "press-mode"


def test_every_line_that_a_whole_machine_gives_passes_the_check(file: Path) -> None:
    assert main(["browse", str(file), "press", "--match", "Objects/Press/**", "--write", "--lang", "en"]) == 0
    config = load(file)
    assert len(config.devices[0].groups[0].signals) > 20
    assert main(["check", str(file), "--lang", "en"]) == 0


def test_what_cannot_be_reached_or_found_is_said(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["browse", f"opc.tcp://127.0.0.1:{free_port()}", "--match", "*", "--lang", "ko"]) == 1
    assert capsys.readouterr().err
    assert main(["browse", str(file), "pres", "--match", "*", "--lang", "ko"]) == 1
    assert "쓸 수 있는 장치: press" in capsys.readouterr().err
    assert main(["browse", str(file), "press", "--lang", "en"]) == 1
    assert "--match GLOB" in capsys.readouterr().err
    assert main(["browse", "x", "--match", "*", "--lang", "en"]) == 1


def test_the_screen(file: Path) -> None:
    _, _, device = _target([str(file), "press"], "en")

    def labels(app: Browse) -> list[str]:
        return [str(node.label) for node in app.nodes.root.children]

    async def until(done: Any, pilot: Any) -> None:
        async with asyncio.timeout(30):
            while not done():
                await pilot.pause(0.02)

    async def use() -> None:
        async with opened(device, Box(SystemClock())) as server:
            app = Browse(server, "press", "ko")
            async with app.run_test(size=(80, 24)) as pilot:
                await until(lambda: "Press" in labels(app), pilot)
                press = next(n for n in app.nodes.root.children if str(n.label) == "Press")
                app.nodes.move_cursor(press)
                await pilot.press("enter")
                await until(lambda: len(press.children) > 3 and not app.busy, pilot)
                mode = next(n for n in press.children if n.data is not None and n.data.name == "Mode")
                assert str(mode.label).startswith("[ ] Mode")
                app.nodes.move_cursor(mode)
                await pilot.press("space")
                assert [f.name for f in app.picked.values()] == ["Mode"]
                assert str(mode.label).startswith("[x] Mode")
                assert "1개 선택" in str(app.query_one("#top", Static).render())
                app.nodes.move_cursor(mode)
                await pilot.pause()
                assert "읽기 가능" in str(app.query_one("#detail", Static).render())
                await pilot.press("l", "slash", *"Position", "enter")
                await until(lambda: any("ActualPosition" in text for text in labels(app)) and not app.busy, pilot)
                assert "12.5 mm" in labels(app)[0]
                app.nodes.move_cursor(app.nodes.root)
                await pilot.press("a")
                assert len(app.picked) == 3
                await pilot.press("escape")
                await until(lambda: "Press" in labels(app) and not app.busy, pilot)
                await pilot.press("u", "w")
            assert app.return_value is not None
            assert [f.name for f in app.return_value] == ["Mode", "ActualPosition", "ActualPosition"]

    asyncio.run(asyncio.wait_for(use(), 90))
