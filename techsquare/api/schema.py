"""Writes docs/platform-api.json: `python -m techsquare.api.schema`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from techsquare.api.app import create
from techsquare.catalogue.load import Catalogue
from techsquare.registry.store import Registry

PATH = Path(__file__).parents[2] / "docs" / "platform-api.json"


def schema() -> str:
    """Return the OpenAPI description as it is committed."""
    registry = Registry("sqlite://")
    try:
        found = create(registry, Catalogue((), ())).openapi()
    finally:
        registry.close()
    return json.dumps(found, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def main() -> int:
    """Write the file; return the exit code."""
    PATH.write_text(schema(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
