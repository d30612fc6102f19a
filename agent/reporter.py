"""The readiness report, from what the spool keeps: renewed at an interval, retained at the broker, and on request.

A thread of its own, because an assessment of many signals may take a second and neither collection nor delivery
may wait for it. Requests within `FRESH_S` of an assessment are answered from it.
"""

from __future__ import annotations

import logging
import sqlite3
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import ConfigError
from agent.platform.past import OWN, Past
from answers.plant import join
from contract.codec import encode
from contract.report import STANDS_S
from readiness import contradictions, model, together
from readiness import past as earlier
from readiness.report import Assessment, Site, assess, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date

    from agent.clock import Clock
    from agent.config.model import AgentConfig
    from agent.frame import Source
    from agent.platform.packing import Told
    from agent.uplink import Uplink
    from answers.load import Given
    from answers.plant import Joined
    from contract.report import ReportRequest
    from contract.topics import AgentTopics
    from readiness.catalog import Link
    from readiness.evidence import DayEvidence
    from readiness.inventory import Machine
    from readiness.plant import Contradiction

logger = logging.getLogger(__name__)

FRESH_S = 5.0
LOOK_S = 10.0
"""Between two reports it is looked so often whether one is due sooner."""
REST, REST_S = 4, 60.0
"""After each earlier window: so many times as long as it took, and at most so long."""
MODEL_FOLDERS = (
    Path(__file__).parent.parent / "config" / "readiness",  # a checkout
    Path(sys.prefix) / "share" / "techsquare-edge" / "readiness",  # an installed wheel
)


def load_model() -> model.Model:
    """Read the readiness model that came with this release.

    Raises:
        ConfigError: it is missing or cannot be used.
    """
    folder = next((f for f in MODEL_FOLDERS if f.is_dir()), MODEL_FOLDERS[-1])
    try:
        return model.parse({path.name: path.read_bytes() for path in sorted(folder.glob("*.yaml"))})
    except (OSError, model.ModelError) as exc:
        raise ConfigError(f"{folder}: the readiness model cannot be used: {exc}") from exc


class Reporter:
    """Assesses and publishes.

    Args:
        config: Of the site.
        past: Reads closed days and counts, of this agent or of all that report through it.
        uplink: Where reports go and requests come from; not yet started.
        topics: The agent's branch.
        clock: Says which production day it is.
        answers: Returns the sets of the mentor's answers in force.

    Attributes:
        config: In force.
        digest: Its identity.
        model: In use.
        contested: Machines that more than one agent declares, and these agents: nothing of them is assessed.
        retained: Makes the bytes of the retained report; empty ones take it away.
        turns: What else is done after each report, in the same thread.
        sooner: Returns whether what is retained must not stay until the next report is due.

    Raises:
        ConfigError: the readiness model cannot be used.
    """

    def __init__(
        self,
        config: AgentConfig,
        past: Past,
        uplink: Uplink,
        topics: AgentTopics,
        clock: Clock,
        answers: Callable[[], Sequence[Given]] = tuple,
    ) -> None:
        self._lock = threading.Lock()
        self._made: tuple[int, Assessment] | None = None  # monotonic ns, what was made then
        self._changing = threading.Lock()
        self._calendar = config.calendar()
        self._answers = answers
        self.past = past
        self.contested: dict[str, list[str]] = {}
        self._others: Mapping[str, Told] = {}
        self._configured: tuple[Sequence[Link], Joined]
        self.config = config
        self.digest = ""
        self.change(config, config.sources())
        self._every_s = config.readiness.report_every / 1e9
        self._site = Site(config.factory, config.site, config.agent)
        self.model = load_model()
        self._uplink = uplink
        self._topic = topics.readiness
        self._clock = clock
        self._earlier = earlier.Past()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reporter", daemon=True)
        self.retained: Callable[[Assessment], bytes] = Assessment.retained
        self.turns: list[Callable[[], None]] = []
        self.sooner: Callable[[], bool] = lambda: False

    def change(self, config: AgentConfig, sources: Iterable[Source]) -> None:
        """Assess what this configuration has and people have answered, from now on.

        What is read in bursts is the same again, so nobody is asked what it means. Not for the event loop: many
        answers take a second.
        """
        with self._changing:
            self._change(config, tuple(sources))

    def renew(self) -> None:
        """Assess with what other agents have told of themselves, from now on."""
        with self._changing:
            others = self.past.told()
            if others.keys() == self._others.keys() and all(one is self._others[a] for a, one in others.items()):
                with self._lock:
                    self._made = None  # more days of what is known
            else:
                self._change(self.config, self.config.sources())

    def _change(self, config: AgentConfig, sources: Sequence[Source]) -> None:
        others = self._others = self.past.told()
        inventories: dict[str, Sequence[Machine]] = {OWN: config.inventory()}
        inventories |= {agent: one.machines for agent, one in others.items()}
        contested = together.contested(
            {agent or config.agent: [m.id for m in of] for agent, of in inventories.items()}
        )
        for machine, agents in sorted(contested.items()):
            if self.contested.get(machine) != agents:
                logger.error("%s is declared by %s: nothing of it is assessed", machine, " and ".join(agents))
        every = together.catalog(OWN, sources, contested)
        for agent, one in others.items():
            every += together.catalog(agent, one.sources, contested)
        asked = [link for link in every if link.mode != "burst"]
        sets = {given.digest: given for one in others.values() for given in one.sets}
        sets |= {given.digest: given for given in self._answers()}
        joined = join(asked, together.inventory(inventories), self._calendar, list(sets.values()))
        digest = config.config_hash()
        with self._lock:  # an assessment under way ends first
            self._configured, self._made = (every, joined), None
            self.config, self.digest, self.contested = config, digest, contested
            self.past.leave_out(frozenset(contested))

    @property
    def joined(self) -> Joined:
        """What people say of the plant, from the configuration and the answers in force."""
        return self._configured[1]

    def start(self) -> None:
        """Begin to publish."""
        self._thread.start()

    def stop(self) -> None:
        """End; an assessment that is under way is finished first."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                self._publish()
                for turn in self.turns:
                    turn()
                if self._look_back():
                    self._publish()
            except sqlite3.Error as exc:
                logger.warning("no report now, the spool cannot be read: %s", exc)
            except Exception:  # collection goes on
                logger.exception("no report now: this is a bug, please report it")
            if self._rested():
                return

    def _rested(self) -> bool:
        """Wait until the next report is due; return whether this is the end."""
        left = self._every_s
        while left > 0:
            if self._stop.wait(min(left, LOOK_S)):
                return True
            left = 0 if self.sooner() else left - LOOK_S
        return False

    def _publish(self) -> None:
        self._uplink.publish_retained(self._topic, self.retained(self.assessment(0)), STANDS_S)

    def _look_back(self) -> bool:
        """Assess earlier windows that have not been assessed for this evidence; return whether there were any.

        There are only after a start, a new day or a change. Between two of them we rest, so that collection has
        most of the processor.
        """
        made, looked = self.assessment(self._every_s), False
        begun = self._clock.monotonic()
        while self._earlier.step(made):
            looked = True
            took_s = (self._clock.monotonic() - begun) / 1e9
            if self._stop.wait(min(REST * took_s, REST_S)):
                return False
            begun = self._clock.monotonic()
        return looked

    def respond(self, request: ReportRequest) -> bytes:
        """Return the answer to `report.get` for somebody on this box, whatever consent goes."""
        try:
            return self.assessment().respond(encode(request))
        except sqlite3.Error as exc:
            return refusal("busy", f"the spool cannot be read: {exc}")

    def assessment(self, fresh_s: float = FRESH_S) -> Assessment:
        """Return what is known now, or was known `fresh_s` ago.

        Raises:
            sqlite3.Error: the evidence cannot be read.
        """
        with self._lock:
            now = self._clock.monotonic()
            if self._made is None or now - self._made[0] > fresh_s * 1e9:
                before = None if self._made is None else self._made[1]
                self._made = (now, self._assess(self._clock.now()).after(before))
            return self._made[1]

    def at(self, now_ns: int) -> Assessment:
        """Return what is known now of the window that ended at a moment, under what is configured now.

        Raises:
            sqlite3.Error: the evidence cannot be read.
        """
        with self._lock:
            return self._assess(now_ns)

    def _assess(self, now_ns: int) -> Assessment:
        sources, joined = self._configured
        days = dict(self.past.days(joined.calendar.day_of(now_ns)))
        tallies, away, site = self.past.tallies(), self.past.away(), self._site
        made = assess(days, tallies, sources, joined.plant, joined.calendar, now_ns, self.model, site, away)
        made.past, made.broken, made.look_up = self._earlier, self.past.broken, self._up_to
        return made

    def _up_to(self, last: date) -> list[DayEvidence]:
        """Return the days of an earlier window, which are whole for that one."""
        return [one.day for _, one in self.past.days(last + timedelta(days=1))]

    def contradictions(self) -> list[Contradiction]:
        """Return what people have said that does not fit, as far as the evidence can be read now."""
        try:
            return contradictions.listed(self.assessment())
        except sqlite3.Error:
            return list(self.joined.plant.contradictions)
