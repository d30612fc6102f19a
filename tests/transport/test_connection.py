"""What keeps a connection alive whatever goes wrong in one attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.rig import until
from transport.connection import Client, Connection
from transport.session import Wishes

if TYPE_CHECKING:
    from collections.abc import Callable

    from settings.handshake import Moment, Secured
    from settings.language import Text


class Where:
    """A broker of a name that resolvers do not even take."""

    host, port, address = "a..b", 1883, "a..b:1883"

    def __init__(self, fault: Exception | None = None) -> None:
        self.asked = 0
        self._fault = fault

    def login(self) -> tuple[None, None]:
        """Nobody logs in."""
        return None, None

    def context(self, now: Callable[[], Moment] | None = None) -> Secured | None:
        """Fail, where that is wanted."""
        del now
        self.asked += 1
        if self._fault is not None:
            raise self._fault
        return None


class Told(Client):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def troubled(self, text: Text, *, refused: bool) -> None:
        """Keep it."""
        del refused
        self.texts.append(text.en)


def test_neither_a_name_that_is_none_nor_a_bug_ends_the_attempts() -> None:
    for fault in (None, RuntimeError("unforeseen")):
        where, told = Where(fault), Told()
        connection = Connection(where, "x", Wishes(keep_alive=10, packet=1000), told)
        connection.start()
        try:
            until(lambda where=where: where.asked > 1, 20, "it has given up")
            assert connection.alive
            assert bool(told.texts) is (fault is None)
        finally:
            connection.stop()
