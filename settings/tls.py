"""TLS of a connection as it is written in a file, and what of it can be checked without connecting.

Verification cannot be switched off. What is loaded and when, and what errors mean, stands in `settings.handshake`.
"""

from __future__ import annotations

import re
import ssl
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from settings.base import Host, Model, form
from settings.errors import ConfigError
from settings.language import Complaint, Text
from settings.secret import CREDENTIAL, Secret, credential
from settings.validity import validity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import GetJsonSchemaHandler
    from pydantic_core import CoreSchema

OTHERS = stat.S_IRGRP | stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH
PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
PEM_LIMIT = 1024 * 1024


def _place(value: str) -> str:
    kind, _, name = value.partition(":")
    if value.startswith("/") or (kind == "credential" and CREDENTIAL.fullmatch(name)):
        return value
    raise Complaint(
        "write a full path that begins with /, or credential:NAME",
        "/로 시작하는 전체 경로나 credential:이름을 쓰십시오",
    )


Place = Annotated[str, AfterValidator(_place), form("full path or `credential:NAME`")]
"""A file: its full path, or the name of a credential that systemd hands over; nothing is looked up."""


def located(place: str) -> Path:
    """Return the path of a place.

    Raises:
        ConfigError: a credential, and the service manager has handed over none.
    """
    return Path(place) if place.startswith("/") else credential(place.partition(":")[2])


class Tls(Model):
    """TLS 1.2 or newer; the other side's certificate and name are always checked."""

    ca: Place | None = Field(
        None, description="certificate authorities that are believed, PEM; the system's when absent"
    )
    certificate: Place | None = Field(None, description="our own certificate with its intermediates, PEM")
    key: Place | None = Field(None, description="the private key of `certificate`, PEM")
    key_password: Secret | None = Field(
        None, description="where the key's password stands: `env:NAME`, `file:/path` or `credential:NAME`"
    )
    server_name: Host | None = Field(
        None, description="the name that the server's certificate must hold; `host` when absent"
    )

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise Complaint(
                "a certificate and its key go together: write both",
                "certificate와 key는 함께 써야 합니다",
            )
        if self.key_password is not None and self.key is None:
            raise Complaint("key_password without a key", "key 없이 key_password만 쓸 수 없습니다")
        return self

    def notes(self) -> Iterator[Text]:
        """Yield what a person should know before connecting; files that are not on this machine are passed over."""
        if self.key is not None and (text := readable_by_others(self.key)):
            yield text
        if self.key_password is not None and (text := readable_by_others(self.key_password.reference)):
            yield text

    def expires_ns(self) -> int | None:
        """Return when our own certificate expires (the first of its chain to do so), ns UTC; None without one.

        Raises:
            ConfigError: the file cannot be read or holds no certificate.
        """
        if self.certificate is None:
            return None
        raw = read_pem(self.certificate)
        try:
            ends = [validity(ssl.PEM_cert_to_DER_cert(pem.decode("ascii"))).end_ns for pem in PEM.findall(raw)]
        except (ConfigError, ValueError) as exc:
            raise ConfigError(f"{self.certificate}: {exc}: write the certificate in PEM") from exc
        if not ends:
            raise ConfigError(f"{self.certificate}: no certificate in PEM stands in it: write it there")
        return min(ends)


def read_pem(place: str) -> bytes:
    """Return the content of a file of certificates or keys.

    Raises:
        ConfigError: it cannot be read.
    """
    path = located(place)
    try:
        with path.open("rb") as file:
            return file.read(PEM_LIMIT)
    except OSError as exc:
        raise ConfigError(f"{place}: {exc.strerror}: check the path and the rights") from exc


def readable_by_others(place: str) -> Text | None:
    """Return a warning when a secret file of this machine can be read by other users, and how to mend it.

    Args:
        place: A path, `file:/path`, or another reference, about which there is nothing to say.
    """
    path = Path(place.removeprefix("file:"))
    if not path.is_absolute():
        return None
    try:
        mode = path.stat().st_mode
    except OSError:
        return None
    if not mode & OTHERS:
        return None
    return Text(
        f"{path} can be read by other users of this machine: chmod 600 {path}",
        f"{path}: 다른 사용자가 읽을 수 있습니다. chmod 600 {path}",
    )


class _OrTrue:
    """Lets `true` stand for no keys at all: the system's certificate authorities, no certificate of our own."""

    @staticmethod
    def read(value: Any) -> Any:
        if value is False:
            raise Complaint(
                "leave tls out, or write true: checking cannot be switched off",
                "TLS를 쓰지 않으려면 tls 항목을 지우십시오. 인증서 확인은 끌 수 없습니다",
            )
        return {} if value is True else value

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        made = handler(schema)
        return {"anyOf": [{"const": True}, *made.pop("anyOf", [made])]} | {
            key: value for key, value in made.items() if key != "$ref"
        }


MaybeTls = Annotated[Tls | None, BeforeValidator(_OrTrue.read), _OrTrue]
"""`tls:` of a connection: `true`, keys, or nothing."""
