"""Looking around on a server: levels, patterns, loops, large folders, and what of a node can be a signal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.clock import SystemClock
from agent.collectors.base import Box
from agent.collectors.opcua.browse import browse, opened
from agent.collectors.opcua.glob import Glob
from agent.collectors.opcua.node import parse
from agent.frame import DataType
from tests.agent.collectors.opcua.conftest import MANY
from tests.agent.collectors.opcua.support import device, run, signals

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agent.collectors.opcua.choose import Found
    from agent.collectors.opcua.config import OpcUaDevice
    from settings.language import Text
    from tests.peers.opcua import Plant


def box() -> Box:
    return Box(SystemClock())


def at(plant: Plant) -> OpcUaDevice:
    return device(plant.endpoint, {"signals": signals(anything="bool")})


async def paths(found: AsyncIterator[Found]) -> list[str]:
    return [each.path async for each in found]


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("Objects/*/Axes/**/ActualPosition", "Objects/Press/Axes/X/ActualPosition", True),
        ("Objects/*/Axes/**/ActualPosition", "Objects/Press/Axes/ActualPosition", True),
        ("Objects/*/Axes/**/ActualPosition", "Objects/Press/Axes/X/Motor/ActualPosition", True),
        ("Objects/*/Axes/**/ActualPosition", "Objects/Press/Axes/X/ActualVelocity", False),
        ("Objects/*/Axes/*/ActualPosition", "Objects/Press/Axes/X/Motor/ActualPosition", False),
        ("objects/press/**", "Objects/Press/Mode", True),
        ("Objects/Press/**", "Objects/Press", True),
        ("Actual*", "Objects/Press/Axes/X/ActualPosition", True),
        ("X", "Objects/Press/Axes/X/ActualPosition", False),
        ("**/Axes/**/Act[uv]*", "Objects/Axes/ActualPosition", True),
        (None, "Objects/anything/at all", True),
        ("Objects/a%2Fb", "Objects/a%2Fb", True),
    ],
)
def test_a_pattern_is_matched_name_by_name(pattern: str | None, path: str, *, matches: bool) -> None:
    glob = Glob(pattern)
    state = glob.begin(name.replace("%2F", "/") for name in path.split("/"))
    assert glob.accepts(state) is matches


def test_a_branch_in_which_nothing_can_match_ends_the_way() -> None:
    glob = Glob("Objects/Press/Axes/*")
    assert glob.begin(("Objects", "Plant")) == frozenset()
    assert glob.begin(("Objects", "Press", "Axes")) != frozenset()


def test_a_tree_is_opened_level_by_level(press: Plant) -> None:
    async def main() -> None:
        async with opened(at(press), box()) as tree:
            top = await tree.children(None)
            assert {"Objects/Server", "Objects/Plant", "Objects/Press"} <= {f.path for f in top}
            machine = next(f for f in top if f.name == "Press")
            assert (machine.node, machine.node_class) == ("nsu=urn:test:plant;s=Press", "Object")
            below = await tree.children(machine)
            assert "Objects/Press/Axes" in {f.path for f in below}
            axes = await tree.children("nsu=urn:test:plant;s=Press.Axes")
            assert [f.name for f in axes] == ["X", "Y"]
            inside = {f.name: f for f in await tree.children(axes[0])}
            assert set(inside) == {"ActualPosition", "Press"}, "one level shows where the space leads back"
            position = inside["ActualPosition"]
            with_properties = await tree.children(position, properties=True)
            assert {"EURange", "EngineeringUnits"} <= {f.name for f in with_properties}

    run(main())


def test_a_pattern_finds_variables_with_unit_range_rights_and_value(press: Plant) -> None:
    async def main() -> None:
        found = [f async for f in browse(at(press), box(), pattern="Objects/*/Axes/**/ActualPosition")]
        assert [f.path for f in found] == [f"Objects/Press/Axes/{a}/ActualPosition" for a in "XY"]
        first = found[0]
        assert first.node == "nsu=urn:test:plant;s=Press.X.ActualPosition"
        parse(first.node)
        assert (first.dtype, first.data_type, first.rank) == (DataType.FLOAT64, "Double", -1)
        assert (first.unit, first.eu_range, first.instrument_range) == ("mm", (0.0, 200.0), (-10.0, 400.0))
        assert (first.value, first.status) == (12.5, 0)
        assert first.readable == (True, True)
        assert first.why_not is None

    run(main())


def test_what_cannot_be_a_signal_as_it_stands_says_what_to_write(press: Plant) -> None:
    async def main() -> None:
        async with opened(at(press), box()) as tree:
            by_name = {f.name: f for f in await tree.children("nsu=urn:test:plant;s=Press")}
            plant = {f.name: f for f in await tree.children("nsu=urn:test:plant;i=1000")}
        state = by_name["State"]
        assert state.dtype is None
        assert state.why_not is not None
        assert state.why_not.en == "structure Machine: write field: Count"
        assert ("Axes[0].Position", DataType.FLOAT32) in state.fields
        assert ("Started", DataType.TIMESTAMP) in state.fields
        assert ("Cycle", DataType.FLOAT64) in state.fields, "a Duration is a Double"
        assert isinstance(state.value, str)
        assert "Note: 정상" in state.value
        points = by_name["Points"]
        assert points.why_not is not None
        assert points.why_not.en == "array of Point: write index: 0 and field: X"
        array = plant["array"]
        assert (array.dtype, array.element, array.length) == (None, DataType.FLOAT64, 3)
        assert array.why_not is not None
        assert array.why_not.en == "array of 3 Double: write index: 0 to 2"
        assert plant["denied"].why_not is not None
        assert plant["denied"].readable == (True, False)
        assert by_name["AxisState"].labels == ((0, "Stopped"), (3, "Moving"), (7, "Fault"))
        assert by_name["Mode"].labels == ((0, "Hand"), (1, "Automatik"), (2, "Einrichten"))
        assert by_name["Anything"].dtype is DataType.UINT16
        assert plant["bytes"].value == b"abc".hex()
        assert all(f.why_not is None or f.why_not.ko for f in (*by_name.values(), *plant.values()))

    run(main())


def test_an_address_space_with_loops_is_walked_once(press: Plant) -> None:
    async def main() -> None:
        found = await paths(browse(at(press), box(), pattern="Objects/Press/**"))
        assert len(found) == len(set(found))
        assert not [p for p in found if p.count("/Press/") + p.endswith("/Press") > 1]

    run(main())


def test_a_folder_larger_than_one_answer_is_found_whole(press: Plant) -> None:
    async def main() -> None:
        found = await paths(browse(at(press), box(), pattern="Objects/Press/Many/n*"))
        assert found == [f"Objects/Press/Many/n{i}" for i in range(MANY)]

    run(main())


def test_limits_stop_a_search_and_say_so(press: Plant) -> None:
    async def main() -> None:
        said: list[Text] = []
        found = await paths(browse(at(press), box(), pattern="**", most=3, stopped=said.append))
        assert 0 < len(found) < 20
        assert "narrow the pattern" in said[0].en
        said.clear()
        await paths(browse(at(press), box(), pattern="**", seconds=0, stopped=said.append))
        assert "stopped after 0 s" in said[0].en
        said.clear()
        shallow = await paths(browse(at(press), box(), pattern="Objects/Press/**", depth=2, stopped=said.append))
        assert max(p.count("/") for p in shallow) == 2
        assert said == []

    run(main())


def test_a_search_begins_where_it_is_told(press: Plant) -> None:
    async def main() -> None:
        start = "nsu=urn:test:plant;s=Press.Axes"
        found = await paths(browse(at(press), box(), start=start, pattern="*/ActualPosition"))
        assert found == [f"{start}/{axis}/ActualPosition" for axis in "XY"]

    run(main())
