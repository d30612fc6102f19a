"""Write the reference of all indicators: `python -m tests.readiness`."""

from __future__ import annotations

from pathlib import Path

from readiness.reference import text
from tests.readiness.plant import model

DOCS = Path(__file__).parents[2] / "docs"
FILES = {"en": DOCS / "indicators.md", "ko": DOCS / "indicators.ko.md"}


def main() -> None:
    """Write both languages."""
    FILES["en"].write_text(text(model(), "en"), "utf-8")
    FILES["ko"].write_text(text(model(), "ko"), "utf-8")


if __name__ == "__main__":
    main()
