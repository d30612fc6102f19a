"""The mentor's answers in the running agent: taken from a file and from the platform, kept, and handed on.

    file (readiness.answers) ---+
                                +--> look() --> accepted sets --> reporter, analyzers
    message (uplink.platform) --+       |
                                        +--> answers/ in the state folder: every accepted set, with its hash

Nothing that is wrong with answers ever stops the agent or takes away what was in force: a set that cannot be used
is said once, and the last good one goes on. A set counts while its source is configured: without
`readiness.answers` the file's does not, without the platform's key the message's does not.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from agent import answered
from agent.analyzers.ledger import Ranges
from agent.config.model import written_out
from agent.errors import ConfigError
from answers.load import load, read
from answers.signed import NotBelieved, opened, public_key
from answers.versions import refused
from contract.signing import key_id
from settings.language import Complaint, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from agent.config.model import AgentConfig
    from answers.load import Given
    from answers.plant import Joined
    from contract.signing import PublicKey
    from contract.topics import AgentTopics
    from readiness.plant import ControlLoop

logger = logging.getLogger(__name__)

Origin = Literal["file", "message"]
KEY_LIMIT = 10_000


class Answering:
    """Accepts sets of answers.

    Args:
        config: Names the file and the platform's key.
        folder: State folder of the agent.
        topics: The agent's branch: what is signed for another one is not believed.
        now: UTC nanoseconds, stamps what is accepted.

    Raises:
        ConfigError: the platform's key cannot be read.
    """

    def __init__(self, config: AgentConfig, folder: Path, topics: AgentTopics, now: Callable[[], int]) -> None:
        platform = config.uplink.platform
        self._file = config.readiness.answers
        self._key = None if platform is None else key_of(platform.answers_key)
        self._topics = topics
        self._now = now
        self._store = answered.Store(folder)
        self._lock = threading.Lock()
        self._message: bytes | None = None  # the newest that has not been looked at
        self._stamp: tuple[int, int, int] | None = None  # of the file as it was read last
        self._said: dict[Origin, str] = {}
        self._sets: dict[Origin, answered.Accepted] = {}
        self.troubles: dict[Origin, Text] = {}
        for origin, wanted in (("file", self._file is not None), ("message", self._key is not None)):
            kept = self._store.latest(origin) if wanted else None
            if kept is not None and (origin == "file" or (self._key and kept.key == key_id(self._key))):
                self._sets[origin] = kept  # type: ignore[index]
        self.look()

    # What comes in

    @property
    def listens(self) -> bool:
        """Whether messages are believed at all."""
        return self._key is not None

    def message(self, _topic: str, payload: bytes, _retained: bool) -> None:  # noqa: FBT001 - a Listener
        """Take a message in the network thread; it is looked at later. One without content changes nothing."""
        if payload:
            with self._lock:
                self._message = payload

    def due(self) -> bool:
        """Return whether there is anything to look at; cheap."""
        return self._message is not None or (self._file is not None and self._stamp != _stamp(self._file))

    def look(self) -> bool:
        """Take over what has come; return whether anything is answered otherwise than before. May take a second."""
        with self._lock:
            message, self._message = self._message, None
        changed = False
        if message is not None:
            changed |= self._heard(message)
        if self._file is not None and self._stamp != (stamp := _stamp(self._file)):
            self._stamp = stamp
            changed |= self._read(self._file)
        return changed

    def _read(self, path: Path) -> bool:
        try:
            given = load(path, "en")
        except ConfigError as exc:
            return self._not_taken("file", Text(_first(exc), _in_korean(path)))
        return self._follow(given, None)

    def _heard(self, raw: bytes) -> bool:
        assert self._key is not None
        try:
            text = opened(raw, self._topics, self._key)
        except NotBelieved as exc:
            return self._not_taken("message", exc.text)
        given, problems = read(text.encode(), "message")
        if given is None:
            one = problems[0]
            at = f"{one.path}: " if one.path else ""
            return self._not_taken("message", Text(f"{at}{one.text.en}", f"{at}{one.text.ko}"))
        return self._follow(given, key_id(self._key))

    def _follow(self, given: Given, key: str | None) -> bool:
        """Take a set over if it may follow the last one."""
        last = self._sets.get(given.source)
        reason = refused(given, None if last is None else last.given)
        if reason is not None:
            return self._not_taken(given.source, reason)
        self.troubles.pop(given.source, None)
        self._said.pop(given.source, None)
        if last is not None and last.given.digest == given.digest:
            return False
        accepted = answered.Accepted(given, self._now(), key)
        try:
            self._store.keep(accepted)
        except OSError as exc:
            logger.warning("answers are in force, but the disk does not keep them: %s", exc)
        self._sets[given.source] = accepted
        logger.info("answers of %s, serial %d (%s), are in force", given.source, given.answers.serial, given.digest)
        return True

    def _not_taken(self, origin: Origin, why: Text) -> bool:
        self.troubles[origin] = why
        if self._said.get(origin) != why.en:
            self._said[origin] = why.en
            logger.error("answers by %s are not taken over: %s", origin, why.en)
        return False

    # What counts

    def sets(self) -> Sequence[Given]:
        """Return the sets in force, at most one a source."""
        return [accepted.given for _, accepted in sorted(self._sets.items())]

    def about(self) -> list[dict[str, object]]:
        """Return what is in force and what was refused last, for people."""
        found: list[dict[str, object]] = []
        for origin in sorted({*self._sets, *self.troubles}):
            entry: dict[str, object] = {"source": origin}
            if (one := self._sets.get(origin)) is not None:
                answers = one.given.answers
                entry |= {
                    "serial": answers.serial,
                    "author": answers.author,
                    "date": answers.date.isoformat(),
                    "hash": one.given.digest,
                    "accepted": str(one.accepted_ns),
                }
            if (trouble := self.troubles.get(origin)) is not None:
                entry["trouble"] = {"en": trouble.en, "ko": trouble.ko}
            found.append(entry)
        return found


def declared(joined: Joined) -> tuple[Sequence[ControlLoop], Mapping[str, Ranges]]:
    """Return what analyzers have to know while data flows: loops with their bands, and ranges."""
    ranges = {name: Ranges(meaning.limits, meaning.usual) for name, meaning in joined.ranges().items()}
    return joined.plant.loops, ranges


def key_of(written: str | None) -> PublicKey | None:
    """Return the platform's key as the configuration names it.

    Raises:
        ConfigError: the file cannot be read, or holds no such key.
    """
    if written is None:
        return None
    try:
        raw = written.encode()
        if not written_out(written):
            with Path(written).open("rb") as file:
                raw = file.read(KEY_LIMIT)
        return public_key(raw)
    except OSError as exc:
        raise ConfigError(f"uplink.platform.answers_key: {written} cannot be read: {exc.strerror}") from exc
    except Complaint as exc:
        raise ConfigError(f"uplink.platform.answers_key {exc.text.en}") from exc


def _first(exc: ConfigError) -> str:
    first, *more = str(exc).splitlines()
    return f"{first} (+{len(more)}: tsq-agent answers check)" if more else first


def _in_korean(path: Path) -> str:
    try:
        load(path, "ko")
    except ConfigError as exc:
        return _first(exc)
    return ""  # somebody has mended it meanwhile


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return found.st_mtime_ns, found.st_size, found.st_ino
