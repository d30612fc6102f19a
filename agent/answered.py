"""Every accepted set of answers on the disk, so that a report can name the one it used.

One file a set in `answers/` of the state folder, named by source, serial and hash; files are only added. Of many
the oldest go, but never the one in force. A file that cannot be read is set aside.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent.files import put, thin
from answers.load import read

if TYPE_CHECKING:
    from pathlib import Path

    from answers.load import Given

logger = logging.getLogger(__name__)

FOLDER = "answers"
VERSION = 1
KEPT = 100
KEPT_BYTES = 50_000_000
LIMIT = 40_000_000
_NAME = re.compile(r"(file|message)-([0-9]{16})-([0-9a-f]{16})\.json")


@dataclass(frozen=True, slots=True)
class Accepted:
    """A set, when it was accepted (UTC ns), and the id of the key that had signed it."""

    given: Given
    accepted_ns: int
    key: str | None


class Store:
    """The folder.

    Args:
        folder: State folder of the agent.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER

    def versions(self, source: str) -> list[Path]:
        """Return the files of a source, the oldest serial first."""
        found = [path for path in self._folder.glob(f"{source}-*.json") if _NAME.fullmatch(path.name)]
        return sorted(found)

    def latest(self, source: str) -> Accepted | None:
        """Return the set of the highest serial that can be read."""
        for path in reversed(self.versions(source)):
            try:
                return _read(path)
            except (OSError, ValueError, KeyError, TypeError, RecursionError) as exc:
                aside = path.with_suffix(".damaged")
                with contextlib.suppress(OSError):
                    path.replace(aside)
                logger.warning("%s is set aside as %s: %s", path, aside.name, exc)
        return None

    def keep(self, accepted: Accepted) -> None:
        """Add a set.

        Raises:
            OSError: the disk does not take it; what was there stays.
        """
        given = accepted.given
        name = f"{given.source}-{given.answers.serial:016}-{given.digest}.json"
        body = {
            "version": VERSION, "source": given.source, "accepted": str(accepted.accepted_ns), "key": accepted.key,
            "text": given.text,
        }  # fmt: skip
        put(self._folder / name, json.dumps(body, ensure_ascii=False).encode() + b"\n")
        thin(self.versions(given.source), KEPT, KEPT_BYTES)


def _read(path: Path) -> Accepted:
    """Return a set of one file.

    Raises:
        OSError: it cannot be read.
        ValueError, KeyError, TypeError: it is not one of ours.
    """
    with path.open("rb") as file:
        body: Any = json.loads(file.read(LIMIT))
    if body["version"] != VERSION or not path.name.startswith(f"{body['source']}-"):
        raise ValueError("of another version, or no set of answers at all")
    given, problems = read(body["text"].encode(), body["source"])
    if given is None:
        raise ValueError(f"cannot be used: {problems[0].text.en}")
    return Accepted(given, int(body["accepted"]), body["key"])
