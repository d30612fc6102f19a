"""When our own certificate of a connection runs out, said in time.

A broker that refuses an expired certificate stops the data of a whole site on a night when nobody looks. So it is
said from `EARLY` on, once a day, and the remaining time is a series of the counters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from settings.errors import ConfigError
from settings.language import Text

if TYPE_CHECKING:
    from settings.broker import Broker
    from settings.handshake import Moment

HOUR_NS = 3600 * 10**9
DAY_NS = 24 * HOUR_NS
EARLY_NS = 30 * DAY_NS


class Expiry:
    """Watches the certificate of one connection; reads its file at most once an hour. Not thread-safe.

    Args:
        broker: The connection.
        name: What the configuration calls it: `uplink.site`.

    Attributes:
        seconds: Until it expires, negative when it has; None without a certificate, or while the time is not known.
    """

    def __init__(self, broker: Broker, name: str) -> None:
        self._tls = None if broker.tls is None or broker.tls.certificate is None else broker.tls
        self._name = name
        self._looked_ns: int | None = None
        self._said_ns: int | None = None
        self.seconds: float | None = None

    def again(self) -> None:
        """Have the next `look` read the file: a new connection has just shown what stands in it now."""
        self._looked_ns = None

    def look(self, moment: Moment) -> Text | None:
        """Look again, if it is time to; reads a file.

        Returns:
            A warning, at most once a day.
        """
        if self._tls is None or not moment.exact or _within(self._looked_ns, moment.ns, HOUR_NS):
            return None
        self._looked_ns = moment.ns
        try:
            end = self._tls.expires_ns()
        except ConfigError:  # the next connection says it
            return None
        if end is None:
            return None
        self.seconds = (end - moment.ns) / 1e9
        if end - moment.ns > EARLY_NS or _within(self._said_ns, moment.ns, DAY_NS):
            return None
        self._said_ns = moment.ns
        text, place = expires(end - moment.ns), f"{self._name} ({self._tls.certificate})"
        return Text(f"{place}: {text.en}", f"{place}: {text.ko}")


def _within(before: int | None, now: int, span: int) -> bool:
    return before is not None and 0 <= now - before < span


def expires(left_ns: int) -> Text:
    """Return what to say of a certificate that expires soon, or has expired."""
    if left_ns < 0:
        return Text(
            "our certificate has expired: renew it (no restart is needed)",
            "이 장비의 인증서가 만료되었습니다. 갱신하십시오(재시작 불필요)",
        )
    days = left_ns // DAY_NS
    return Text(
        f"our certificate expires in {days} days: renew it (no restart is needed)",
        f"이 장비의 인증서가 {days}일 뒤 만료됩니다. 갱신하십시오(재시작 불필요)",
    )
