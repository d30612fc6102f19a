"""An MQTT broker, for everything that connects to one."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from settings.base import Host, Model, Name, Port
from settings.language import Text
from settings.secret import Secret, check_login
from settings.tls import MaybeTls, readable_by_others

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from settings.handshake import Moment, Secured

PLAIN_PORT, TLS_PORT = 1883, 8883


class Broker(Model):
    """An MQTT broker and how to log in there."""

    host: Host = Field(description="address or host name")
    tls: MaybeTls = Field(
        None, description="encrypted and checked: `true` for the system's certificate authorities, or keys"
    )
    port: Port = Field(PLAIN_PORT, description="TCP port; with `tls` 8883 unless another one is written")
    user: Name | None = Field(None, description="user name; anonymous when absent")
    password: Secret | None = Field(
        None, description="where the password stands: `env:NAME`, `file:/path` or `credential:NAME`"
    )

    @model_validator(mode="after")
    def _user_too(self) -> Self:
        check_login(self.user, self.password)
        return self

    @model_validator(mode="after")
    def _usual_port(self) -> Self:
        if self.tls is not None and "port" not in self.model_fields_set:
            self.__dict__["port"] = (
                TLS_PORT  # frozen for everybody else; a default factory cannot see a wrong `tls`
            )
        return self

    @property
    def address(self) -> str:
        """Host and port as people write them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def login(self) -> tuple[str | None, str | None]:
        """Return user and password, read now.

        Raises:
            ConfigError: the password cannot be read.
        """
        return self.user, self.password.resolve() if self.password else None

    def context(self, now: Callable[[], Moment] | None = None) -> Secured | None:
        """Return the TLS context of one connection, or None for a plain one; `trouble` of it tells why it failed.

        Its files are read now: make one for each connection, so that a renewed certificate needs no restart.

        Args:
            now: What is known of the time, where this machine's clock may be wrong; else the machine's is believed.

        Raises:
            ConfigError: a file cannot be read, or is not what it should be.
        """
        from settings.handshake import Secured  # noqa: PLC0415 - `check` of a file needs no ssl

        return None if self.tls is None else Secured(self.tls, self.host, now)

    def notes(self, name: str) -> Iterator[Text]:
        """Yield what a person should know about this connection before it is used; nothing is refused for it.

        Args:
            name: Which connection it is, as the file names it: `uplink.site`.
        """
        if self.tls is None and not self.loopback():
            if self.password is not None:
                yield Text(
                    f"{name}: the password and all data go to {self.address} unencrypted: add `tls`, or keep this "
                    "network apart from every other",
                    f"{name}: 비밀번호와 데이터가 암호화되지 않은 채 {self.address}(으)로 전송됩니다. tls를 "
                    "설정하거나 설비망을 다른 망과 분리하십시오",
                )
            else:
                yield Text(
                    f"{name}: all data goes to {self.address} unencrypted, and anybody there can send in this "
                    "name: add `tls`, or keep this network apart from every other",
                    f"{name}: 데이터가 암호화되지 않은 채 {self.address}(으)로 전송되고, 같은 망의 누구나 이 "
                    "이름으로 보낼 수 있습니다. tls를 설정하거나 설비망을 다른 망과 분리하십시오",
                )
        if self.password is not None and (text := readable_by_others(self.password.reference)):
            yield text
        if self.tls is not None:
            yield from self.tls.notes()

    def loopback(self) -> bool:
        """Return whether this is a broker of the same machine, as far as its name tells."""
        if self.host.lower().rstrip(".") == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False
