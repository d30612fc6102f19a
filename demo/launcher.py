"""The whole product on one machine: broker, factory, gateway and agent as child processes, and a screen.

    folder, ports, configurations
    broker, gateway, factory start         while the history is replayed into the agent's evidence
    agent starts                           live: the screen shows what agent, wire and store say
    agent stops, then the others; the store is counted

Everything lives in a folder that is made empty and removed at the end, and listens on the loopback address only.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import string
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live

from agent.analyzers import evidence
from agent.cli import reportview
from agent.config.load import load
from agent.reporter import load_model
from agent.spool import Spool
from contract.topics import AgentTopics
from demo import broker, view
from demo.history import history, replay
from demo.machines import factory
from demo.observe import Observer
from demo.plan import history_days, shifts
from demo.processes import ChildFailed, Children, free_ports
from demo.result import Result, count, indicators
from demo.wire import Wire
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

    from agent.config.model import AgentConfig
    from agent.frame import Item
    from demo.snapshot import Snapshot
    from settings.language import Language

TEMPLATE = Path(__file__).with_name("agent.yaml")
PORTS = ("broker_port", "press_port", "meter_port", "conveyor_port", "cnc_port", "mold_port")
START_S = 30.0
FRAME_S = 0.3
PLAIN_EVERY_S = 5.0
GATEWAY = """\
worker: demo
trust_local_clock: true
mqtt: {{host: 127.0.0.1, port: {port}}}
store: {{type: embedded, path: "{folder}/store.db"}}
dead_letters: {{directory: "{folder}/dead-letters", max_size: 10MB}}
"""
_REPLAY = Text("replaying 28 days of simulated history", "28일치 시뮬레이션 이력을 재생하는 중")
_START = Text("starting broker, factory and gateway", "브로커, 공장, 게이트웨이를 시작하는 중")
_AGENT = Text("starting the agent", "에이전트를 시작하는 중")
_END = Text("stopping: what was read is being stored", "종료하는 중: 수집한 데이터를 마저 저장합니다")
_SUM = Text(
    "read {:,} samples, stored {:,}, lost {:,}, duplicated {:,}",
    "수집 {:,}건, 저장 {:,}건, 유실 {:,}건, 중복 {:,}건",
)


class _Stopped(Exception):  # noqa: N818 - nothing went wrong
    """Somebody has asked us to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked for.

    Attributes:
        seconds: Length of the live phase; None until stopped.
        json: Print the result as JSON, last.
        keep: Folder to work in, empty or not there yet; it stays. None for a temporary one.
        own_broker: Take the broker of the demo's packages although mosquitto is there.
        language: Of the screen.
    """

    seconds: float | None = None
    json: bool = False
    keep: Path | None = None
    own_broker: bool = False
    language: Language = "en"


def run(options: Options) -> int:
    """Run the demo; return the exit code: 0, or 1 when a part of it failed or data was lost."""
    stop = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, ask)
    with _folder(options.keep) as folder:
        children = Children(folder)
        try:
            return Demo(options, folder, children, stop).run()
        except _Stopped:
            return 0
        except ChildFailed as exc:
            print(f"demo: {exc}", file=sys.stderr)
            return 1
        finally:
            children.stop_all()


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        if any(keep.iterdir()):
            raise SystemExit(f"demo: {keep} is not empty: name a folder that is, the demo begins with nothing")
        yield keep.absolute()
        return
    folder = Path(tempfile.mkdtemp(prefix="tsq-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _script(name: str) -> Path:
    """Return a command of this very environment, whatever the PATH says."""
    return Path(sys.executable).with_name(name)


class Demo:
    """One run."""

    def __init__(self, options: Options, folder: Path, children: Children, stop: threading.Event) -> None:
        self._options = options
        self._language = options.language
        self._folder = folder
        self._children = children
        self._stop = stop
        self._console = Console()
        self._ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        self._agent_file = folder / "agent.yaml"
        self._agent_file.write_text(
            string.Template(TEMPLATE.read_text("utf-8")).substitute(self._ports, directory=folder / "agent"),
            "utf-8",
        )
        self._gateway_file = folder / "gateway.yaml"
        self._gateway_file.write_text(GATEWAY.format(port=self._ports["broker_port"], folder=folder), "utf-8")
        self._config: AgentConfig = load(self._agent_file, self._language)
        self._store = folder / "store.db"
        self._model = load_model()

    def run(self) -> int:
        """Start, show and end everything."""
        now = time.time_ns()
        self._say(_START)
        name = self._start_servers(now)
        wire = Wire(self._ports["broker_port"], AgentTopics(self._config.factory, self._config.agent))
        wire.start()
        self._say(_REPLAY)
        begun = time.monotonic()
        rows = self._replay(now)
        replayed = (rows, time.monotonic() - begun)
        where = f"127.0.0.1:{self._ports['broker_port']}"
        pull = f"techsquare report {self._config.factory} {self._config.agent} --broker {where}"
        observer = Observer(self._config, self._store, wire, name, pull, replayed, self._language)
        self._children.start("agent", [_script("tsq-agent"), "run", "--config", self._agent_file])
        self._say(_AGENT)
        self._say(Text(f"from another terminal: {pull}", f"다른 터미널에서: {pull}"))
        try:
            self._watch(observer)
            self._say(_END)
            shot = observer.snapshot()
            self._children.stop("agent")
        finally:
            wire.stop()
            observer.close()
        self._children.stop("gateway")
        return self._conclude(shot, wire, replayed, observer.first_value_s)

    def _start_servers(self, now: int) -> str:
        name, command = broker.command(self._folder, self._ports["broker_port"], own=self._options.own_broker)
        self._children.start("broker", command)
        serve: list[str | Path] = [
            sys.executable,
            "-m",
            "demo.factory",
            "--config",
            self._agent_file,
            "--live-from",
            str(now),
        ]
        self._children.start("factory", serve)
        self._children.wait_for_port("broker", self._ports["broker_port"], START_S)
        self._children.start("gateway", [_script("tsq-gateway"), "run", "--config", self._gateway_file])
        return name

    def _replay(self, now: int) -> int:
        config = self._config
        calendar, sources = config.calendar(), config.sources()
        days = history_days(calendar, now)
        start, stop = calendar.bounds(days[0])[0], calendar.bounds(days[-1])[1]
        machines = factory(shifts(calendar, now))
        spool = Spool(Path(config.storage.directory), birth=config.birth(), sources=sources)
        hours = self._interruptible(history(sources, machines, start, stop, now))
        return replay(hours, evidence.make(sources, calendar), spool)

    def _interruptible(self, hours: Iterator[Sequence[Item]]) -> Iterator[Sequence[Item]]:
        for hour in hours:
            if self._stop.is_set():
                raise _Stopped
            self._children.check()
            yield hour

    def _watch(self, observer: Observer) -> None:
        """Show the live phase until it is over."""
        patience = time.monotonic() + START_S
        while not observer.look() and time.monotonic() < patience:
            self._children.check()
            if self._stop.wait(0.05):
                raise _Stopped  # the agent may not have begun: then it says no farewell, and nothing was read
        until = None if self._options.seconds is None else time.monotonic() + self._options.seconds
        if not self._console.is_terminal or self._console.is_dumb_terminal:
            self._print_lines(observer, until)
            return
        with Live(console=self._console, screen=True, auto_refresh=False) as live:
            while not self._over(until, FRAME_S):
                size = self._console.size
                page = view.page(observer.snapshot(), self._model, self._language, size.width, size.height)
                live.update(page, refresh=True)

    def _print_lines(self, observer: Observer, until: float | None) -> None:
        last = time.monotonic()
        while not self._over(until, FRAME_S):
            shot = observer.snapshot()
            if time.monotonic() - last >= PLAIN_EVERY_S:
                last = time.monotonic()
                print(view.line(shot, self._language), file=sys.stderr, flush=True)

    def _over(self, until: float | None, wait_s: float) -> bool:
        self._children.check()
        return self._stop.wait(wait_s) or (until is not None and time.monotonic() >= until)

    def _conclude(self, shot: Snapshot, wire: Wire, replayed: tuple[int, float], live_after_s: float | None) -> int:
        stored, read = count(self._store)
        if read is None:
            raise ChildFailed(f"the agent did not end well\n{self._children.last_words('agent')}")
        latency = wire.all()
        result = Result(
            samples_read=read,
            samples_stored=stored,
            lost=max(0, read - stored),
            duplicated=max(0, stored - read),
            resent=wire.resent,
            latency_p50_s=latency and round(latency[0], 4),
            latency_p99_s=latency and round(latency[1], 4),
            indicators={} if shot.report is None else indicators(shot.report.values),
            replayed_samples=replayed[0],
            replay_seconds=round(replayed[1], 2),
            live_after_s=None if live_after_s is None else round(live_after_s, 2),
        )
        if not self._options.json:
            self._close(shot)
        said = _SUM(self._language).format(read, stored, result.lost, result.duplicated)
        print(said, file=sys.stderr if self._options.json else sys.stdout, flush=True)
        if self._options.json:
            print(result.text(), flush=True)
        return 1 if result.lost or result.duplicated else 0

    def _close(self, shot: Snapshot) -> None:
        """Print the whole report, and below it, where the eye is, the last screen."""
        width = self._console.size.width
        if shot.report is not None:
            names = {m.id: m.name for m in shot.machines}
            report = reportview.page(shot.report, self._model, self._language, names, shot.site, width)
            self._console.print(report, highlight=False)
        if self._console.is_terminal:
            self._console.print(
                "\n", view.page(shot, self._model, self._language, width, self._console.size.height)
            )

    def _say(self, text: Text) -> None:
        print(text(self._language), file=sys.stderr, flush=True)
