"""What the box has learned about its devices, on the disk: one file a device, in `learned/` of the state folder.

    remember --> dictionary --(a thread, at most every two seconds)--> learned/<device>.json

Everything in it can be learned again, so nothing here may ever stop the agent: a file that cannot be read is set
aside and said once, a disk that takes nothing is said once and tried again, a device whose knowledge outgrows its
place keeps what it had. Bodies are kept as text, in ASCII so that whatever a device calls itself can be written:
what a collector does to its own object later changes nothing.
"""

from __future__ import annotations

import contextlib
import json
import logging
import threading
from typing import TYPE_CHECKING

from agent.files import put

if TYPE_CHECKING:
    from pathlib import Path

    from agent.frame import Json

logger = logging.getLogger(__name__)

FOLDER = "learned"
VERSION = 1
DEVICE_LIMIT = 1_000_000
"""Bytes of a device's file; 10,000 holes are a tenth of it."""
SOON_S = 2.0
AGAIN_S = 30.0  # after the disk took nothing


class DiskMemory:
    """Implements `agent.collectors.base.Memory`; every method may be called from any thread.

    Args:
        folder: State folder of the agent.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._known: dict[str, dict[str, str]] = {}  # device -> topic -> JSON
        self._changed: set[str] = set()
        self._full: set[str] = set()  # devices of which it has been said
        self._failing = False
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._load()

    # What collectors ask

    def recall(self, device: str, topic: str) -> Json:
        """Return what was remembered last, or None; the object belongs to the caller."""
        with self._lock:
            raw = self._known.get(device, {}).get(topic)
        body: Json = None if raw is None else json.loads(raw)
        return body

    def topics(self, device: str) -> dict[str, Json]:
        """Return everything about a device."""
        with self._lock:
            known = dict(self._known.get(device, {}))
        return {topic: json.loads(raw) for topic, raw in sorted(known.items())}

    def remember(self, device: str, topic: str, body: Json) -> None:
        """Keep `body` in the place of what was remembered; None forgets. It is on the disk soon."""
        raw = None if body is None else json.dumps(body, sort_keys=True)
        with self._lock:
            topics = self._known.setdefault(device, {})
            if topics.get(topic) == raw:
                return
            others = sum(len(t) for name, t in topics.items() if name != topic)
            if raw is not None and others + len(raw) > DEVICE_LIMIT - 10_000:
                if device not in self._full:
                    logger.error(
                        "%s: what was learned about it no longer fits: %s is not remembered", device, topic
                    )
                self._full.add(device)
                return
            if raw is None:
                topics.pop(topic, None)
            else:
                topics[topic] = raw
            self._changed.add(device)
        self._wake.set()

    # The disk

    def start(self) -> None:
        """Write in a thread what is remembered from now on."""
        self._thread = threading.Thread(target=self._run, name="memory", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is not written yet."""
        self._stopped.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        self.write()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._wake.wait()
            self._stopped.wait(SOON_S)  # what changes together is written together
            self._wake.clear()
            if not self.write() and not self._stopped.wait(AGAIN_S):
                self._wake.set()

    def write(self) -> bool:
        """Write what has changed; return whether the disk took it. Not for the event loop."""
        with self._writing:
            return self._write_all()

    def _write_all(self) -> bool:
        with self._lock:
            changed = {device: dict(self._known.get(device, {})) for device in sorted(self._changed)}
            self._changed.clear()
        try:
            for device, topics in changed.items():
                self._write(device, topics)
        except OSError as exc:
            with self._lock:
                self._changed.update(changed)
            if not self._failing:
                logger.warning("%s: what is learned is not kept, it is tried again: %s", self._folder, exc)
            self._failing = True
            return False
        self._failing = False
        return True

    def _write(self, device: str, topics: dict[str, str]) -> None:
        path = self._folder / f"{device}.json"
        if not topics:
            path.unlink(missing_ok=True)
            return
        body = ",".join(f"{json.dumps(topic)}:{raw}" for topic, raw in sorted(topics.items()))
        text = f'{{"version":{VERSION},"device":{json.dumps(device)},"topics":{{{body}}}}}\n'
        put(path, text.encode())

    def _load(self) -> None:
        for path in sorted(self._folder.glob("*.json")):
            try:
                self._known[path.stem] = _read(path)
            except (OSError, ValueError, RecursionError) as exc:
                aside = path.with_suffix(".damaged")
                with contextlib.suppress(OSError):
                    path.replace(aside)
                logger.warning("%s is set aside as %s, it is learned again: %s", path, aside.name, exc)


def _read(path: Path) -> dict[str, str]:
    """Return topic -> JSON of one file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not one of ours; the text says why.
    """
    with path.open("rb") as file:
        raw = file.read(DEVICE_LIMIT + 1)
    if len(raw) > DEVICE_LIMIT:
        raise ValueError(f"larger than {DEVICE_LIMIT} bytes")
    body = json.loads(raw)
    if not isinstance(body, dict) or body.get("version") != VERSION:
        raise ValueError("of another version, or no memory at all")
    topics = body.get("topics")
    if body.get("device") != path.stem or not isinstance(topics, dict):
        raise ValueError("of another device")
    return {topic: json.dumps(known, sort_keys=True) for topic, known in topics.items()}
