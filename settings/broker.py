"""An MQTT broker, for everything that connects to one."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from settings.base import Host, Model, Name, Port
from settings.secret import Secret, check_login


class Broker(Model):
    """An MQTT broker and how to log in there."""

    host: Host = Field(description="address or host name")
    port: Port = Field(1883, description="TCP port")
    user: Name | None = Field(None, description="user name; anonymous when absent")
    password: Secret | None = Field(None, description="where the password stands: `env:NAME` or `file:/path`")

    @model_validator(mode="after")
    def _user_too(self) -> Self:
        check_login(self.user, self.password)
        return self
