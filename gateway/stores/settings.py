"""What the `store:` part of gateway.yaml may hold: one model per store, told apart by `type`.

No database library is imported here, so that `tsq-gateway check` loads none.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from settings.base import Duration, Flag, Model, Size, Word, at_least, form
from settings.language import Complaint
from settings.path import FullPath
from settings.secret import Secret, check_login

_URL = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?")
_SHORTEST, _LONGEST = 10**6, 120 * 10**9


def _url(value: str) -> str:
    if not _URL.fullmatch(value):  # the value itself is not repeated, it may hold a password
        raise Complaint(
            "write the address as http://host:8086, without user, password and query",
            "http://주소:8086 형식으로 쓰십시오. 사용자, 비밀번호, 질의(?)는 넣지 마십시오",
        )
    return value.rstrip("/")


def _patience(value: int) -> int:
    if not _SHORTEST <= value <= _LONGEST:
        raise Complaint("write a time from 1ms to 2m", "1ms 이상 2m 이하로 쓰십시오")
    return value


def _age(value: int) -> int:
    if value <= 0:
        raise Complaint("write a time above 0s, for example 400d", "0s보다 긴 시간을 쓰십시오. 예: 400d")
    return value


Url = Annotated[str, AfterValidator(_url), form("address, `http://host:8086`")]
"""Address of a server without user, password or query."""


class Keep(Model):
    """How much the embedded store keeps; the oldest goes first. Neither set: everything."""

    max_size: Annotated[Size, at_least(10**6)] | None = Field(None, description="size on disk")
    max_age: Annotated[Duration, AfterValidator(_age)] | None = Field(None, description="age of the oldest point")


class EmbeddedSettings(Model):
    """The store that ships inside: one SQLite file."""

    type: Literal["embedded"] = Field("embedded", description="a file of this machine")
    path: FullPath = Field(description="the file; its folder is made when missing")
    keep: Keep = Field(default_factory=Keep, description="how much of it stays")


class _InfluxDb(Model):
    url: Url = Field(description="where the server listens")
    ca_file: FullPath | None = Field(None, description="certificate authority of an https server, PEM")
    gzip: Flag = Field(default=False, description="compress requests: worth it across a slow network only")
    timeout: Annotated[Duration, AfterValidator(_patience)] = Field(
        10 * 10**9, description="longest wait for an answer, at most 2m"
    )

    @property
    def timeout_s(self) -> float:
        """The longest wait in seconds, as libraries want it."""
        return self.timeout / 10**9


class InfluxDb1Settings(_InfluxDb):
    """InfluxDB 1.x: its own `/write` endpoint."""

    type: Literal["influxdb1"] = Field("influxdb1", description="InfluxDB 1.x")
    database: Word = Field(description="name of the database, which must exist")
    retention_policy: Word | None = Field(None, description="the database's default one when absent")
    user: Word | None = Field(None, description="user name; anonymous when absent")
    password: Secret | None = Field(
        None, description="where the password stands: `env:NAME`, `file:/path` or `credential:NAME`"
    )

    @model_validator(mode="after")
    def _user_too(self) -> Self:
        check_login(self.user, self.password)
        return self


class InfluxDb2Settings(_InfluxDb):
    """InfluxDB 2.x and 3.x, and servers that speak `/api/v2/write`."""

    type: Literal["influxdb2"] = Field("influxdb2", description="InfluxDB 2.x or 3.x")
    org: Word = Field("-", description="organisation; InfluxDB 3 has none: leave it out")
    bucket: Word = Field(description="name of the bucket, which must exist")
    token: Secret | None = Field(
        None, description="where the token stands: `env:NAME`, `file:/path` or `credential:NAME`"
    )


StoreSettings = Annotated[EmbeddedSettings | InfluxDb1Settings | InfluxDb2Settings, Field(discriminator="type")]
"""The `store:` part of gateway.yaml."""
