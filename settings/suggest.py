"""What was probably meant."""

from __future__ import annotations

import difflib
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that `word` is most likely a mistyping of, or None."""
    by_form = {_form(k): k for k in known}
    found = difflib.get_close_matches(_form(word), by_form, n=1, cutoff=0.6)
    return by_form[found[0]] if found else None


def _form(word: str) -> str:
    return unicodedata.normalize("NFKC", word).casefold().replace("_", "-")


def slug(text: str) -> str:
    """Return what of a text may stand in an id, perhaps nothing: `Press 3` gives `press-3`."""
    plain = unicodedata.normalize("NFKC", text).lower()
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" if c in " ./" else "" for c in plain)
    return kept.strip("-_")
