"""What can go wrong with the registry; no message quotes a URL, a row or a secret."""

from __future__ import annotations


class RegistryError(Exception):
    """The registry cannot do it; the text says why and what to do."""


class BadUrlError(RegistryError):
    """The database's URL cannot be used."""

    def __init__(self) -> None:
        super().__init__(
            "the database's URL is not one of sqlite:///FILE and postgresql://USER:PASSWORD@HOST:PORT/NAME "
            "(it is not repeated here, it may hold a password)"
        )


class ConflictError(RegistryError):
    """A row breaks a constraint that holds for ever; `constraint` names it."""

    def __init__(self, constraint: str) -> None:
        super().__init__(f"this breaks {constraint}")
        self.constraint = constraint


class BusyError(RegistryError):
    """Others write all the time."""

    def __init__(self) -> None:
        super().__init__("the database is busy: try again in a moment")


class WrongVersionError(RegistryError):
    """The database's schema is not the one of this program."""


class DeniedError(RegistryError):
    """Wrong password, or a token that is none, over, or taken back. It does not say which."""

    def __init__(self) -> None:
        super().__init__("not known, or no longer valid")
