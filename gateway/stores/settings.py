"""What the `store:` part of gateway.yaml may hold: one model per store, told apart by `type`.

Only pydantic is imported here, so that `tsq-gateway check` loads no database library.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, StringConstraints

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(kB|MB|GB)")
_SIZES = {"kB": 10**3, "MB": 10**6, "GB": 10**9}
_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s)")


def _secret(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return value
    kind, _, name = value.partition(":") if isinstance(value, str) else ("", "", "")
    if kind == "env" and name:
        if name not in os.environ:
            raise ValueError(f"the environment has no variable {name}")
        return os.environ[name]
    if kind == "file" and name:
        try:
            return Path(name).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as exc:
            raise ValueError(f"cannot read the secret: {exc}") from exc
    raise ValueError("write where the secret stands: env:NAME or file:/path, never the secret itself")


Secret = Annotated[SecretStr, BeforeValidator(_secret)]
"""A secret, written as `env:NAME` or `file:/path`; it never prints."""


def _size(value: Any) -> int:
    if isinstance(value, str) and (match := _SIZE.fullmatch(value.strip())):
        return round(float(match[1]) * _SIZES[match[2]])
    raise ValueError("write a size with its unit, for example 500MB or 2GB")


Size = Annotated[int, BeforeValidator(_size), Field(ge=10**6)]
"""A size in bytes, written with its unit (decimal: 1 GB is 10^9 bytes)."""


def _seconds(value: Any) -> float:
    if isinstance(value, str) and (match := _TIME.fullmatch(value.strip())):
        return float(match[1]) / (1000 if match[2] == "ms" else 1)
    raise ValueError("write a time with its unit, for example 500ms or 10s")


def _url(value: str) -> str:
    return value.rstrip("/")


Seconds = Annotated[float, BeforeValidator(_seconds), Field(gt=0, le=120)]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$"), AfterValidator(_url)]
"""Address of a server without user, password or query."""
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Keep(_Model):
    """How much the embedded store keeps; the oldest goes first. Neither set: everything."""

    max_size: Size | None = Field(None, description="size on disk, for example 2GB")
    days: Annotated[float, Field(gt=0)] | None = Field(None, description="age of the oldest point")


class EmbeddedSettings(_Model):
    """The store that ships inside: one SQLite file."""

    type: Literal["embedded"] = "embedded"
    path: Path = Field(description="the file; its folder is made when missing")
    keep: Keep = Keep()


class _InfluxDb(_Model):
    url: Url = Field(description="for example http://10.0.4.2:8086")
    ca_file: Path | None = Field(None, description="certificate authority of an https server, PEM")
    gzip: bool = Field(default=False, description="compress requests: worth it across a slow network only")
    timeout: Seconds = Field(10.0, description="longest wait for an answer, for example 10s")


class InfluxDb1Settings(_InfluxDb):
    """InfluxDB 1.x: its own `/write` endpoint. The database must exist."""

    type: Literal["influxdb1"] = "influxdb1"
    database: Text
    retention_policy: Text | None = Field(None, description="the database's default one when absent")
    user: Text | None = None
    password: Secret | None = None


class InfluxDb2Settings(_InfluxDb):
    """InfluxDB 2.x and 3.x, and servers that speak `/api/v2/write`. The bucket must exist."""

    type: Literal["influxdb2"] = "influxdb2"
    org: Text = Field("-", description="InfluxDB 3 has none: leave it out")
    bucket: Text
    token: Secret | None = None


StoreSettings = Annotated[EmbeddedSettings | InfluxDb1Settings | InfluxDb2Settings, Field(discriminator="type")]
"""The `store:` part of gateway.yaml."""
