"""Who does it: maintenance, confirmations and changes carry a name."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from settings.language import Text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from settings.language import Language

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
LENGTH = 80


def author_argument(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add `--author`."""
    text = Text("who does it; default: the user of this terminal", "작업자 이름. 생략하면 현재 로그인한 사용자")
    parser.add_argument("--author", default=None, help=text(language))


def author(given: str | None, environ: Mapping[str, str] = os.environ) -> str:
    """Return the given name, or that of the user behind `sudo` or of the terminal; in one line."""
    name = given or environ.get("SUDO_USER") or environ.get("USER") or environ.get("LOGNAME") or "-"
    return _CONTROL.sub(" ", name).strip()[:LENGTH] or "-"
