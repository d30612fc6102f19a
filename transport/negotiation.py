"""Which version of MQTT a broker speaks, found out by trying.

Version 5 is wanted, and 3.1.1 is taken where nothing else is to be had (RabbitMQ 3.10, for one). A broker that
says "unsupported version" is believed at once. Most say nothing: they close the connection or leave it unanswered,
which a broker that is just starting, or a proxy without a broker behind it, does as well. So silence alone proves
nothing; only 5 unanswered, 3.1.1 accepted and 5 unanswered again do.

    5 --accepted--> 5 for good
    5 --"unsupported version"--> 3.1.1 for good, when that is accepted
    5 --unanswered--> 3.1.1 --accepted--> (closed again) 5 --unanswered--> 3.1.1 for good
                      3.1.1 --unanswered--> 5

"For good" ends when `MISSES` connections in a row are not answered: there is another broker now.
"""

from __future__ import annotations

from dataclasses import dataclass

MQTT_5 = 5
MQTT_3 = 4
"""The protocol level of version 3.1.1."""
MISSES = 5


@dataclass(slots=True)
class Negotiation:
    """What is known of one broker. Not thread-safe.

    Attributes:
        version: To be tried next, or in force: `MQTT_5` or `MQTT_3`.
        certain: Whether it has been accepted for good.
    """

    version: int = MQTT_5
    certain: bool = False
    _older_works: bool = False  # it was accepted after silence for the newer one
    _older_proved: bool = False
    _misses: int = 0

    def accepted(self) -> bool:
        """Note that the broker has taken the connection, or refused it for another reason than its version.

        Returns:
            Whether to keep the connection; when not, `version` is to be tried instead.
        """
        self._misses = 0
        if self.version == MQTT_5 or self._older_proved:
            self.certain = True
            return True
        self._older_works = True
        self.version = MQTT_5
        return False

    def refused(self) -> None:
        """Note that the broker does not speak this version, in its own words."""
        if self.version == MQTT_5:
            self.version, self._older_proved = MQTT_3, True
        else:
            self._begin()

    def unanswered(self) -> None:
        """Note that the connection was made, and closed or left alone without an answer."""
        if self.certain:
            self._misses += 1
            if self._misses >= MISSES:
                self._begin()
        elif self.version == MQTT_3:
            self._begin()
        else:
            self._older_proved = self._older_works
            self.version = MQTT_3

    def _begin(self) -> None:
        self.version, self.certain = MQTT_5, False
        self._older_works = self._older_proved = False
        self._misses = 0
