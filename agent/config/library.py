"""Finds device profiles: in `devices/` beside the technician's file, and among those that are shipped."""

from __future__ import annotations

import re
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from agent.config.profiles import BYTES_LIMIT
from settings.base import PROFILE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NAMES_LIMIT = 1000
"""Profiles of one folder that are looked at for a suggestion."""

_NAME = re.compile(PROFILE)


def shipped() -> Path:
    """Return the folder of the profiles that come with the agent."""
    checkout = Path(__file__).parents[2] / "config" / "devices"
    if checkout.is_dir():
        return checkout
    return Path(sysconfig.get_path("data")) / "share" / "techsquare-edge" / "devices"


class Folders:
    """Profiles in folders; the first that has one is taken.

    Args:
        folder: That of the technician's file; None for the shipped profiles alone.
    """

    def __init__(self, folder: Path | None) -> None:
        self._known: list[str] | None = None
        self._folders = [*([folder / "devices"] if folder is not None else []), shipped()]

    def names(self) -> Sequence[str]:
        """Return the names of all profiles, sorted."""
        if self._known is None:
            self._known = sorted({name for folder in self._folders for name in _names(folder)})
        return self._known

    def read(self, name: str) -> tuple[str, bytes] | None:
        """Return the file of a profile, as it is shown, and its content; None when there is none.

        Of a file that is too large one byte more than the limit comes back, and is refused for it.
        """
        if not _NAME.fullmatch(name):
            return None
        for folder in self._folders:
            file = folder / f"{name}.yaml"
            try:
                if not file.resolve(strict=True).is_relative_to(folder.resolve(strict=True)):
                    continue  # a link that leads elsewhere
                with file.open("rb") as opened:
                    return str(file), opened.read(BYTES_LIMIT + 1)
            except OSError:
                continue
        return None


def _names(folder: Path) -> Iterator[str]:
    pending, seen = [(folder, 0)], 0
    while pending:
        here, depth = pending.pop()
        try:
            entries = sorted(here.iterdir())
        except OSError:
            continue
        for entry in entries:
            seen += 1
            if seen > NAMES_LIMIT:
                return
            if entry.is_dir() and depth < 3:
                pending.append((entry, depth + 1))
            elif entry.suffix == ".yaml":
                name = entry.relative_to(folder).with_suffix("").as_posix()
                if _NAME.fullmatch(name):
                    yield name
