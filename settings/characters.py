"""Characters that look right on a Korean keyboard and are wrong in an id, an address or between YAML's words."""

from __future__ import annotations

import unicodedata

from settings.language import Text

_SPACES = {"\u00a0", "\u2002", "\u2003", "\u200b", "\u200c", "\u200d", "\u3000", "\ufeff"}
_QUOTES = {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-", "\u2212": "-"}


def plain(char: str) -> str | None:
    """Return the ASCII character that was meant, or None for a character that is not strange."""
    if char in _SPACES:
        return " "
    if char in _QUOTES:
        return _QUOTES[char]
    if unicodedata.east_asian_width(char) == "F":
        return unicodedata.normalize("NFKC", char)
    return None


def strange(text: str) -> Text | None:
    """Name the full-width and look-alike characters of a text, at most three of them, or return None.

    Hangul is not strange: it is a mistake in an id, but everybody sees it.
    """
    found = {char: meant for char in text if (meant := plain(char)) is not None}
    if not found:
        return None
    en, ko = [], []
    for char, meant in list(found.items())[:3]:
        code = f"U+{ord(char):04X}"
        if meant == " ":
            en.append(f"a special space ({code})")
            ko.append(f"특수 공백({code})")
        elif char in _QUOTES:
            en.append(f"{char} ({code}) where {meant} is meant")
            ko.append(f"{meant} 대신 특수 문자 {char}({code})")
        else:
            en.append(f"full-width {char} ({code}) where {meant} is meant")
            ko.append(f"{meant} 대신 전각 문자 {char}({code})")
    return Text(" and ".join(en), ", ".join(ko))
