"""Who may ask now: consent, how often, and for how long an answer is of any use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.platform.limits import Limits
from agent.requests import EXPIRY_S, RequestError
from contract.consent import allows

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.platform.consent import Agreed
    from agent.requests import Asked

BODY_LIMIT = 80_000


class Gate:
    """Stands before the verbs of an uplink.

    Args:
        agreed: What may be seen.
        monotonic: Nanoseconds.
    """

    def __init__(self, agreed: Agreed, monotonic: Callable[[], int]) -> None:
        self._agreed = agreed
        self._monotonic = monotonic
        self._limits = Limits()

    def arrived(self) -> int:
        """Return the moment in which a request comes."""
        return self._monotonic()

    def admit(self, asked: Asked, arrived_ns: int) -> bool:
        """Return whether a request is answered; not one that has waited behind others until nobody wants it.

        Raises:
            RequestError: `busy`, `bad_request` or `no_consent`.
        """
        now_ns = self._monotonic()
        if now_ns - arrived_ns > EXPIRY_S * 10**9:
            return False
        client, size = asked.topic.rsplit("/", 1)[1], len(asked.body)
        wait_ns = self._limits.wait_ns(client, asked.verb, now_ns)
        if wait_ns:
            raise RequestError("busy", f"asked too often: ask again in {wait_ns / 1e9:.0f} s or later")
        if size > BODY_LIMIT:
            raise RequestError("bad_request", f"a request of {size} bytes, at most {BODY_LIMIT} are read")
        self._agreed.look()  # what was taken back a moment ago is not answered any more
        if not allows(asked.verb, self._agreed.scopes):
            raise RequestError("no_consent", f"the factory has not agreed to {asked.verb}: see consent.get")
        return True
