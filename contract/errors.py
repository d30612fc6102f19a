"""The one error of the wire."""

from __future__ import annotations


class WireError(Exception):
    """A payload or topic that cannot be read; the text says what is wrong with it and where."""
