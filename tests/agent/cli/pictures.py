"""Draws the pictures of docs/tools.md anew, from the real tools and the test servers.

    python -m tests.agent.cli.pictures docs/pictures

An SVG of rich or textual names a font on a foreign server; the pictures must work in a plant without internet, so
that reference is taken out and the reader's own monospaced font is used.
"""

from __future__ import annotations

import asyncio
import html
import io
import math
import re
import struct
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.segment import SegmentLines

from agent.analyzers.evidence import make
from agent.answering import declared
from agent.cli import probeview, probing, reportview
from agent.cli.browsing.app import Browse
from agent.cli.browsing.server import server_of
from agent.cli.table import width
from agent.cli.watching.app import Watch
from agent.cli.watching.model import Model
from agent.cli.watching.source import reading
from agent.clock import SystemClock
from agent.collectors.base import Box
from agent.collectors.opcua.browse import opened
from agent.config.load import load
from agent.frame import Watermark
from agent.interpretation import guess, interpret
from agent.reporter import load_model
from answers.load import load as load_answers
from answers.plant import join
from demo import mentor
from demo.history import history
from demo.launcher import ANSWERS
from demo.machines import factory
from demo.plan import history_days, shifts
from readiness.report import Site, assess
from tests.demo.conftest import NOW_NS, write_config
from tests.peers.modbus import server
from tests.peers.opcua import opcua_server
from tests.peers.xgt import XgtPlc
from tests.support.processes import free_port, running

if TYPE_CHECKING:
    from tests.peers.opcua import Plant
    from tests.support.processes import Child

LINES = 58  # of a report, in its picture
FILE = """
version: 1
factory: hanil
agent: edge-1
name: 한일정밀 1공장
time: {zone: Asia/Seoul, trust_local_clock: true}
machines: [{id: press-1, name: 프레스 1호기}, {id: meter-1}, {id: lathe-9}]
uplink: {site: {host: 127.0.0.1}}
devices:
  - id: press-plc
    name: 프레스 PLC
    type: xgt
    machine: press-1
    host: 127.0.0.1
    port: $plc
    plc_state: false
    groups:
      - id: fast
        every: 250ms
        signals:
          - {id: running, name: 가동, address: M00000, type: bool, role: state}
          - {id: motor-current, name: 모터 전류, address: D00120, type: float32, unit: A, role: pv}
          - {id: oil, name: 유온, address: D00130, type: int16, scale: 0.1, unit: degC, role: pv}
          - {id: shots, name: 총 타수, address: D00140, type: uint32, role: count_total}
          - {id: pressure, name: 유압, address: D09000, type: uint16, unit: bar}
  - id: meter
    name: 전력량계
    type: modbus
    machine: meter-1
    host: 127.0.0.1
    port: $meter
    groups:
      - every: 500ms
        signals: [{id: energy, name: 누적 전력량, address: "holding:100", type: uint16, unit: kWh}]
  - id: lathe
    name: 선반 PLC
    type: modbus
    machine: lathe-9
    host: 127.0.0.1
    port: $dead
    groups: [{every: 1s, signals: [{id: rpm, name: 주축 속도, address: "holding:0", type: uint16, unit: rpm}]}]
"""

CELL = 12.2
"""Columns of a terminal in the units of these pictures."""


def clean(svg: str) -> str:
    """Return a picture that asks nobody for anything."""
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font-family: ?Fira Code, ?monospace", "font-family: monospace", svg)
    svg = re.sub(r'(<text [^>]*?x=")([\d.]+)("[^>]*?) textLength="[\d.]+"([^>]*>)([^<]*)(</text>)', placed, svg)
    return re.sub(r"[ \t]+\n", "\n", svg)


def placed(match: re.Match[str]) -> str:
    """Give each word, and each character that is two columns wide, its own place: fonts differ in what is twice."""
    head, first, middle, tail, raw, end = match.groups()
    at, parts = float(first), []
    for piece in re.findall(r"\s+|[!-~]+|.", html.unescape(raw)):
        if not piece.isspace():
            parts.append(f'<tspan x="{at:g}">{html.escape(piece, quote=False)}</tspan>')
        at += CELL * width(piece)
    return f"{head}{first}{middle}{tail}{''.join(parts)}{end}"


async def machine(plc: XgtPlc) -> None:
    """Let the PLC live: a current that swings, an oil that warms, shots that are counted."""
    clock = SystemClock()
    plc.tell("illegal D 18000 18001", "set M 0 0100")
    for step in range(10_000):
        current = 21.5 + 3 * math.sin(step / 4) + 0.1 * (step % 3)
        values = [(240, struct.pack("<f", current)), (260, struct.pack("<h", 412 + step // 10))]
        values.append((280, struct.pack("<I", 1_204_311 + step // 5)))
        await asyncio.to_thread(plc.tell, *(f"set D {at} {raw.hex()}" for at, raw in values))
        await clock.sleep(0.1)


async def watch(folder: Path, plc: XgtPlc, meter: Child) -> str:
    """Return the picture of `watch`."""
    path = folder / "agent.yaml"
    text = (
        FILE.replace("$plc", str(plc.where)).replace("$meter", str(meter.port)).replace("$dead", str(free_port()))
    )
    path.write_text(text, "utf-8")
    config = load(path)
    alive = asyncio.create_task(machine(plc))
    async with reading(config) as source:
        app = Watch(Model(config), source, config.addresses(), "ko", every_s=0.25)
        async with app.run_test(size=(100, 24)) as pilot:
            current = app.model.signals["press-1", "motor-current"]
            async with asyncio.timeout(60):
                while len(current.history) < 45:
                    await pilot.pause(0.1)
            await pilot.press("down")
            await pilot.pause()
            picture = app.export_screenshot(title="tsq-agent watch")
    alive.cancel()
    return picture


async def browse(plant: Plant) -> str:
    """Return the picture of `browse`."""
    async with opened(server_of(plant.endpoint), Box(SystemClock())) as tree:
        app = Browse(tree, "press-opcua (opc.tcp://192.168.0.30:4840)", "ko")
        async with app.run_test(size=(100, 24)) as pilot:
            async with asyncio.timeout(60):
                while not app.nodes.root.children or app.busy:
                    await pilot.pause(0.05)
                at = app.nodes.root
                for name in ("Press", "Axes", "X"):
                    at = next(node for node in at.children if node.data is not None and node.data.name == name)
                    app.nodes.move_cursor(at)
                    await pilot.press("enter")
                    while not at.children or app.busy:
                        await pilot.pause(0.05)
            for name in ("Mode", "AxisState", "ActualPosition"):
                pick(app, name)
            await pilot.pause()
            return app.export_screenshot(title="tsq-agent browse")


def pick(app: Browse, name: str) -> None:
    """Pick the first node of a name."""
    waiting = [app.nodes.root]
    while waiting:
        node = waiting.pop()
        waiting += node.children
        if node.data is not None and node.data.name == name:
            app.nodes.move_cursor(node)
            app.action_pick()
            return


async def probe(plc: XgtPlc) -> str:
    """Return the picture of `probe`."""
    alive = asyncio.create_task(machine(plc))
    clock = SystemClock(trusted=True)
    device = probing.device_of(f"xgt://127.0.0.1:{plc.where}", "D00120").model_copy(update={"id": "press-plc"})
    what = probing.window(device, "D00120", 300_000_000)
    seen = await probing.look(what, Box(clock), 6, 30)
    alive.cancel()
    candidates = interpret(probing.words(seen), what.at, now_ns=clock.now(), low_byte_first=True)
    told = guess(candidates)
    shown = what.device.model_copy(update={"host": "192.168.0.10"})
    console = probeview.console(84, record=True)
    console.file = io.StringIO()
    window = probing.Window(shown, what.address, what.labels, what.at, what.bits, what.low_byte_first)
    console.print(probeview.report(window, seen, candidates, told, "ko"))
    return console.export_svg(title="tsq-agent probe agent.yaml press-plc D00120")


def report(folder: Path) -> str:
    """Return the picture of `report`: of the demo's plant, from days and answers of the demo."""
    config = load(write_config(folder))
    calendar = config.calendar()
    days = history_days(calendar, NOW_NS)
    start, stop = calendar.bounds(days[0])[0], calendar.bounds(days[-1])[1]
    closed: dict[str, bytes] = {}
    machines = factory(shifts(calendar, NOW_NS))
    said = mentor.answers(ANSWERS.read_text("utf-8"), machines, calendar, days)
    (folder / "answers.yaml").write_text(said, "utf-8")
    sources = config.sources()
    asked = [source for source in sources if source.mode != "burst"]
    joined = join(asked, config.inventory(), calendar, [load_answers(folder / "answers.yaml", "ko")])
    analyzers = make(sources, calendar, None, *declared(joined))
    windows = {
        f"{device.id}.{group.id}": (group.burst.length, group.burst.per)
        for device in config.devices
        for group in device.groups
        if group.burst is not None
    }
    for items in history(sources, machines, start, stop, NOW_NS, windows):
        analyzers.feed(items)
        closed.update(analyzers.take_closed())
    analyzers.feed([Watermark(source.id, NOW_NS) for source in sources])
    closed.update(analyzers.take_closed())
    site = Site(config.factory, config.site, config.agent)
    made = assess(closed, {}, asked, joined.plant, joined.calendar, NOW_NS, load_model(), site)
    console = Console(file=io.StringIO(), width=100, record=True, highlight=False)
    names = {m.id: m.name for m in config.inventory()}
    whole = reportview.page(made.plant(), load_model(), "ko", names, config.name, 100)
    console.print(SegmentLines(console.render_lines(whole)[:LINES], new_lines=True))
    return console.export_svg(title="tsq-agent report")


def main(folder: Path) -> None:
    """Draw all."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        plc = XgtPlc(place / "plc")
        with running(plc):
            with running(server(place, sequence=True)) as meter:
                (folder / "watch.svg").write_text(clean(asyncio.run(watch(place, plc, meter))), "utf-8")
            (folder / "probe.svg").write_text(clean(asyncio.run(probe(plc))), "utf-8")
        (folder / "report.svg").write_text(clean(report(place)), "utf-8")
        with opcua_server(place / "opcua", press=True) as plant:
            (folder / "browse.svg").write_text(clean(asyncio.run(browse(plant))), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
