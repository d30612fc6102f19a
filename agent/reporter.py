"""The readiness report, from what the spool keeps: renewed at an interval, retained at the broker, and on request.

A thread of its own, because an assessment of many signals may take a second and neither collection nor delivery
may wait for it. Requests within `FRESH_S` of an assessment are answered from it.
"""

from __future__ import annotations

import logging
import sqlite3
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import ConfigError
from answers.plant import join
from contract.codec import encode
from contract.report import STANDS_S
from readiness import contradictions, model
from readiness.evidence import current
from readiness.past import Past
from readiness.report import Assessment, Site, assess, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from agent.clock import Clock
    from agent.config.model import AgentConfig
    from agent.frame import Source
    from agent.spool import Spool
    from agent.uplink import Uplink
    from answers.load import Given
    from answers.plant import Joined
    from contract.report import ReportRequest
    from contract.topics import AgentTopics
    from readiness.plant import Contradiction

logger = logging.getLogger(__name__)

FRESH_S = 5.0
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
        spool: Keeps closed days and counts.
        uplink: Where reports go and requests come from; not yet started.
        topics: The agent's branch.
        clock: Says which production day it is.
        answers: Returns the sets of the mentor's answers in force.

    Attributes:
        config: In force.
        digest: Its identity.
        model: In use.
        retained: Makes the bytes of the retained report; empty ones take it away.
        turns: What else is done after each report, in the same thread.

    Raises:
        ConfigError: the readiness model cannot be used.
    """

    def __init__(
        self,
        config: AgentConfig,
        spool: Spool,
        uplink: Uplink,
        topics: AgentTopics,
        clock: Clock,
        answers: Callable[[], Sequence[Given]] = tuple,
    ) -> None:
        self._lock = threading.Lock()
        self._made: tuple[int, Assessment] | None = None  # monotonic ns, what was made then
        self._calendar = config.calendar()
        self._answers = answers
        self.config = config
        self.digest = ""
        self.change(config, config.sources())
        self._every_s = config.readiness.report_every / 1e9
        self._site = Site(config.factory, config.site, config.agent)
        self.model = load_model()
        self._spool = spool
        self._uplink = uplink
        self._topic = topics.readiness
        self._clock = clock
        self._told = False  # that there are days of another release
        self._broken: str | None = None  # first day that can be compared, when there are
        self._past = Past()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reporter", daemon=True)
        self.retained: Callable[[Assessment], bytes] = Assessment.retained
        self.turns: list[Callable[[], None]] = []

    def change(self, config: AgentConfig, sources: Iterable[Source]) -> None:
        """Assess what this configuration has and people have answered, from now on.

        What is read in bursts is the same again, so nobody is asked what it means. Not for the event loop: many
        answers take a second.
        """
        every = tuple(sources)
        asked = [source for source in every if source.mode != "burst"]
        joined = join(asked, config.inventory(), self._calendar, self._answers())
        digest = config.config_hash()
        with self._lock:  # an assessment under way ends first
            self._configured, self._made = (every, joined), None
            self.config, self.digest = config, digest

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
            if self._stop.wait(self._every_s):
                return

    def _publish(self) -> None:
        self._uplink.publish_retained(self._topic, self.retained(self.assessment(0)), STANDS_S)

    def _look_back(self) -> bool:
        """Assess earlier windows that have not been assessed for this evidence; return whether there were any.

        There are only after a start, a new day or a change. Between two of them we rest, so that collection has
        most of the processor.
        """
        made, looked = self.assessment(self._every_s), False
        begun = self._clock.monotonic()
        while self._past.step(made):
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
                self._made = (now, self._assess(self._clock.now()))
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
        days, tallies = self.days(), self._spool.tallies()
        made = assess(days, tallies, sources, joined.plant, joined.calendar, now_ns, self.model, self._site)
        made.past, made.broken = self._past, self._broken
        return made

    def contradictions(self) -> list[Contradiction]:
        """Return what people have said that does not fit, as far as the evidence can be read now."""
        try:
            return contradictions.listed(self.assessment())
        except sqlite3.Error:
            return list(self.joined.plant.contradictions)

    def days(self) -> dict[str, bytes]:
        """Return the closed days that this release can read; an update begins evidence anew."""
        days = self._spool.days()
        readable = {day: raw for day, raw in days.items() if current(raw)}
        old = [day for day in days if day not in readable]
        self._broken = min((day for day in readable if day > max(old)), default=None) if old else None
        if old and not self._told:
            self._told = True
            logger.warning("days of evidence by another release that the report leaves out: %d", len(old))
        return readable
