"""From two files to a catalogue, or to everything that is wrong with them at once."""

from __future__ import annotations

import sysconfig
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from settings import load as loading
from settings.language import Text
from techsquare.catalogue import checks
from techsquare.catalogue.model import Entry, Funding, Measures, Programmes

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from settings.tree import Problem

MEASURES, PROGRAMMES = "measures.yaml", "programmes.yaml"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Measures and programmes, in the order of their files."""

    entries: tuple[Entry, ...]
    programmes: tuple[Funding, ...]


def shipped() -> Path:
    """Return the folder of the catalogue that comes with the platform."""
    checkout = Path(__file__).parents[2] / "config" / "catalogue"
    if checkout.is_dir():
        return checkout
    return Path(sysconfig.get_path("data")) / "share" / "techsquare-edge" / "catalogue"


def load(folder: str | Path | None = None, lang: str | None = None) -> Catalogue:
    """Read and check the two files of a folder; None: the shipped ones.

    Raises:
        ConfigError: one cannot be read or used; the text holds every complaint about it, one a line.
    """
    here = shipped() if folder is None else Path(folder)
    entries = load_measures(here / MEASURES, lang)
    known = frozenset(entry.id for entry in entries)
    return Catalogue(entries, load_programmes(here / PROGRAMMES, known, lang))


def load_measures(path: str | Path, lang: str | None = None) -> tuple[Entry, ...]:
    """Read and check a file of measures.

    Raises:
        ConfigError: see `load`.
    """
    return loading.load(path, read_measures, lang).measures


def load_programmes(path: str | Path, known: Collection[str], lang: str | None = None) -> tuple[Funding, ...]:
    """Read and check a file of programmes for the measures that are known.

    Raises:
        ConfigError: see `load`.
    """
    return loading.load(path, partial(read_programmes, known=known), lang).programmes


def read_measures(raw: bytes) -> tuple[Measures | None, Sequence[Problem]]:
    """Return the measures that some text means, or None and what is wrong with it, sorted by line."""
    return loading.read(raw, Measures, _begin(MEASURES), checks.measures)


def read_programmes(raw: bytes, known: Collection[str]) -> tuple[Programmes | None, Sequence[Problem]]:
    """Return the programmes that some text means, or None and what is wrong with it, sorted by line."""
    return loading.read(raw, Programmes, _begin(PROGRAMMES), partial(checks.programmes, known=known))


def _begin(name: str) -> Text:
    return Text(
        f"begin with `version: 1`, see config/catalogue/{name}",
        f"`version: 1`부터 쓰십시오(config/catalogue/{name} 참고)",
    )
