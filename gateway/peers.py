"""Other workers, as far as their retained presence tells, and who gives way.

Two workers must not both go on where they take from each other: with one id (the presence of one would hide the
other), or at a broker that does not share messages out. At start whoever finds another one there gives way. Two
that begin in the same instant both announce themselves and see each other: the one that began later gives way
(`since`, then the id), which both work out alike.

A retained presence may be a dead worker's: power went for all, and the broker came back with its memory. So nobody
gives way to what is only retained. It is cleared, and a worker that lives writes its own again at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract import codec
from contract.errors import WireError
from contract.payload import Worker
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

LIMIT = 1000  # workers that are remembered; a factory has a few


class Peers:
    """Who else is there. Not thread-safe.

    Args:
        me: Our own presence.
        shares: Whether the broker shares messages out among workers.
    """

    def __init__(self, me: Worker, *, shares: bool) -> None:
        self._me = me
        self._shares = shares
        self._others: dict[str, Worker] = {}

    @property
    def others(self) -> Mapping[str, Worker]:
        """The other workers by id; one with our id stands under it."""
        return self._others

    def seen(self, worker_id: str, payload: bytes) -> Worker | None:
        """Take a presence; return the worker when it is another one than we knew."""
        other = read(payload)
        known = self._others.pop(worker_id, None)
        if other is None or other.worker != worker_id or other == self._me or len(self._others) >= LIMIT:
            return None
        self._others[worker_id] = other
        return other if other != known else None

    def mine(self, worker_id: str, payload: bytes) -> bool:
        """Return whether this is what we have published ourselves."""
        return worker_id == self._me.worker and read(payload) == self._me

    def forget(self) -> None:
        """Begin anew: a connection has ended, and what is retained comes again."""
        self._others.clear()

    def conflict(self) -> tuple[Worker, Text] | None:
        """Return the worker that cannot work beside us, and why; the oldest of them."""
        for other in sorted(self._others.values(), key=_order):
            if other.worker == self._me.worker:
                return other, Text(
                    f"another worker has the id {other.worker}: give each its own (`worker:`)",
                    f"ID가 {other.worker}인 다른 게이트웨이가 있습니다. `worker:` 값을 서로 다르게 정하십시오",
                )
            apart = other.factory and self._me.factory and other.factory != self._me.factory
            if not self._shares and not apart:
                return other, Text(
                    f"worker {other.worker} is here, and this broker cannot share messages out: one worker only "
                    "(`tsq-gateway probe` tells more)",
                    f"{other.worker} 게이트웨이가 이미 있고, 이 브로커는 메시지를 나누어 주지 못합니다. 하나만 "
                    "실행하십시오(`tsq-gateway probe` 참고)",
                )
        return None

    def give_way(self) -> Text | None:
        """Return why we have to go, None when we stay."""
        found = self.conflict()
        if found is None or _order(self._me) < _order(found[0]):
            return None
        return found[1]


def read(payload: bytes) -> Worker | None:
    """Return the worker that a presence names, None when it is cleared or cannot be read."""
    try:
        return codec.decode(payload, Worker) if payload else None
    except WireError:
        return None


def _order(worker: Worker) -> tuple[int, str]:
    try:
        return int(worker.since), worker.worker
    except ValueError:
        return 2**63, worker.worker  # nobody we know writes so: it gives way
