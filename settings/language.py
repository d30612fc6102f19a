"""Which language a person reads, and texts that exist in both.

Code and logs are English; what a technician reads in the terminal is Korean or English by locale.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Language = Literal["en", "ko"]


def choose(option: str | None, environ: Mapping[str, str]) -> Language:
    """Return the language to speak.

    Args:
        option: What `--lang` says, if anything: "ko", "en", or a locale such as "ko_KR.UTF-8".
        environ: The environment; LC_ALL, LC_MESSAGES and LANG count in this order, as in POSIX.
    """
    candidates = (option, *(environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG")))
    chosen = next((c for c in candidates if c), "")
    return "ko" if chosen.lower().startswith("ko") else "en"


@dataclass(frozen=True, slots=True)
class Text:
    """One message in both languages."""

    en: str
    ko: str

    def __call__(self, language: Language) -> str:
        """Return it in one language."""
        return self.ko if language == "ko" else self.en


class Complaint(ValueError):  # noqa: N818 - reads as what it is; pydantic collects ValueErrors
    """What is wrong with something the technician wrote, and what to write instead, in both languages."""

    def __init__(self, en: str, ko: str) -> None:
        super().__init__(en)
        self.text = Text(en, ko)
