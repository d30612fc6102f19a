"""Names that say in whose model they stand."""

from __future__ import annotations

from typing import Self


class Qualified(str):
    """The text of a QualifiedName, and the index of its namespace."""

    __slots__ = ("namespace",)
    namespace: int

    def __new__(cls, name: str, namespace: int) -> Self:
        """Return a name of a namespace."""
        made = super().__new__(cls, name)
        made.namespace = namespace
        return made
