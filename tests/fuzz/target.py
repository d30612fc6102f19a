"""What a target of fuzzing is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CORPUS = Path(__file__).parent / "corpus"


@dataclass(frozen=True)
class Target:
    """One function under hostile input.

    Attributes:
        run: Raises when something is wrong.
        modules: What atheris measures the coverage of.
        seeds: Input that reaches deep.
        share: Of the time, beside 1 for the others.
    """

    run: Callable[[bytes], None]
    modules: Sequence[str]
    seeds: Callable[[], list[bytes]] = list
    share: float = field(default=1.0)


def corpus(name: str) -> list[bytes]:
    """Return what was found before."""
    folder = CORPUS / name
    return [path.read_bytes() for path in sorted(folder.iterdir())] if folder.is_dir() else []
