"""Ids from names: the same name gives the same id, whoever imports it and whenever. Pure.

Hangul is written in Latin letters, syllable by syllable, by the Revised Romanisation without its sound changes,
which depend on neighbours and dictionaries; nobody types these ids, they must only be readable and stay.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LONGEST = 48
_HASH = 4
_FIRST = ["g", "kk", "n", "d", "tt", "r", "m", "b", "pp", "s", "ss", "", "j", "jj", "ch", "k", "t", "p", "h"]
_MIDDLE = [
    "a", "ae", "ya", "yae", "eo", "e", "yeo", "ye", "o", "wa", "wae", "oe", "yo", "u", "wo", "we", "wi", "yu", "eu",
    "ui", "i",
]  # fmt: skip
_LAST = [
    "", "k", "k", "k", "n", "n", "n", "t", "l", "k", "m", "l", "l", "l", "p", "l", "m", "p", "p", "t", "t", "ng",
    "t", "t", "k", "t", "p", "t",
]  # fmt: skip
_HANGUL, _SYLLABLES = 0xAC00, 11172


def latin(text: str) -> str:
    """Return a text in Latin letters, digits, and `-` for everything else; perhaps empty."""
    parts: list[str] = []
    for char in unicodedata.normalize("NFKC", text).casefold():
        number = ord(char) - _HANGUL
        if 0 <= number < _SYLLABLES:
            parts.append(_FIRST[number // 588] + _MIDDLE[number % 588 // 28] + _LAST[number % 28])
        elif char.isascii() and (char.isalnum() or char == "_"):
            parts.append(char)
        else:
            parts.append("-")
    return re.sub(r"-{2,}", "-", "".join(parts)).strip("-_")


def _cut(text: str, whole: str, room: int) -> str:
    """Return at most `room` characters; what is cut off leaves a mark, so that long names stay different."""
    if len(text) <= room:
        return text
    mark = hashlib.sha256(whole.encode()).hexdigest()[:_HASH]
    return f"{text[: room - _HASH - 1].rstrip('-_')}-{mark}"


def ids(entries: Sequence[tuple[str, str]], taken: Iterable[str] = ()) -> list[str]:
    """Return an id for each (name, address): from the name, else from the address.

    Where several names come out the same, the address is added to each of them; what is then still the same, or
    `taken`, is numbered.
    """
    plain = [_cut(latin(name) or latin(address) or "signal", name, LONGEST) for name, address in entries]
    seen: dict[str, int] = {}
    for each in plain:
        seen[each] = seen.get(each, 0) + 1
    used, found = set(taken), list[str]()
    for each, (name, address) in zip(plain, entries, strict=True):
        chosen = each
        if seen[each] > 1 or each in used:
            where = latin(address)[:20]
            chosen = f"{_cut(each, name, LONGEST - len(where) - 1)}-{where}" if where else each
        made, number = chosen, 2
        while made in used:
            made, number = f"{chosen[: LONGEST - 6]}-{number}", number + 1
        used.add(made)
        found.append(made)
    return found
