"""A reference to a secret: the configuration says where it is, never what it is."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import CoreSchema, core_schema

from settings.errors import ConfigError
from settings.language import Complaint, Text

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler

_HELP = Text(
    "write where the secret stands, env:NAME, file:/path or credential:NAME, not the secret itself",
    "비밀번호 자체가 아니라 저장 위치를 쓰십시오: env:변수이름, file:/경로, credential:이름",
)
CREDENTIAL = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9_.-]{1,100}")
"""Name of a credential: also a file name, which leads nowhere else."""


def credential(name: str) -> Path:
    """Return the file in which the service manager hands over a credential (systemd: `LoadCredential=`).

    Raises:
        ConfigError: it has handed over none.
    """
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    if not folder:
        raise ConfigError(
            f"credential:{name}: the service manager has handed over no credentials: write "
            f"`LoadCredential={name}:/path` into the unit, or name the file itself"
        )
    return Path(folder) / name


_SHORTEST = 4  # letters of a secret that is masked: a shorter one would take ordinary words away
_known: set[str] = set()


def conceal(text: str) -> None:
    """Have `masked` hide a text from now on, such as a header that is made of a secret."""
    if len(text) >= _SHORTEST:
        _known.add(text)


def masked(text: str) -> str:
    """Return a text from outside, or for a log, without the secrets that this process has read."""
    for secret in sorted(_known, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


_LIMIT = 64 * 1024  # bytes of a secret file that are looked at: it may be anything that somebody has named


class Secret:
    """Where a password stands: `env:NAME`, `file:PATH`, or `credential:NAME` of the service manager.

    It is read at each `resolve`, so that a changed password needs no restart. What `repr` and `str` show is
    the place, never the secret.

    Args:
        reference: The reference as the technician wrote it.

    Raises:
        Complaint: the text is no reference; the message does not repeat it, it may be the password itself.
    """

    __slots__ = ("_kind", "_place")

    def __init__(self, reference: str) -> None:
        kind, _, place = reference.partition(":")
        if kind not in {"env", "file", "credential"} or not place.strip():
            raise Complaint(_HELP.en, _HELP.ko)
        if kind == "credential" and not CREDENTIAL.fullmatch(place.strip()):
            raise Complaint(_HELP.en, _HELP.ko)
        self._kind, self._place = kind, place.strip()

    @property
    def reference(self) -> str:
        """The reference itself, safe to print and to write into a file."""
        return f"{self._kind}:{self._place}"

    def resolve(self) -> str:
        """Read the secret.

        Returns:
            The text; a trailing line end of a file is not part of it.

        Raises:
            ConfigError: the variable is not set, the file cannot be read or is empty, or it is more than one line.
        """
        value = self._read()
        conceal(value)
        if any(c < " " or c == "\x7f" for c in value):  # a library would quote what it cannot send
            raise ConfigError(f"{self.reference}: more than one line: keep the secret alone in it")
        return value

    def _read(self) -> str:
        if self._kind == "env":
            value = os.environ.get(self._place, "")
            if not value:
                raise ConfigError(f"{self.reference}: the environment variable is not set: set it for this service")
            return value
        path = Path(self._place) if self._kind == "file" else credential(self._place)
        try:
            with path.open("rb") as file:
                raw = file.read(_LIMIT + 1)
            if len(raw) > _LIMIT:
                raise ConfigError(f"{self.reference}: larger than any secret: keep the secret alone in it")
            value = raw.decode("utf-8").rstrip("\r\n")
        except OSError as exc:
            raise ConfigError(f"{self.reference}: {exc.strerror}: write the secret into this file") from exc
        except UnicodeDecodeError as exc:
            raise ConfigError(f"{self.reference}: not UTF-8 text: write the secret in UTF-8") from exc
        if not value:
            raise ConfigError(f"{self.reference}: the file is empty: write the secret into it")
        return value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reference == self.reference

    def __hash__(self) -> int:
        return hash(self.reference)

    def __repr__(self) -> str:
        return f"Secret({self.reference!r})"

    __str__ = __repr__

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def read(value: Any) -> Secret:
            if isinstance(value, Secret):
                return value
            if isinstance(value, str):
                return cls(value)
            raise Complaint(_HELP.en, _HELP.ko)

        return core_schema.no_info_plain_validator_function(
            read, serialization=core_schema.plain_serializer_function_ser_schema(lambda secret: secret.reference)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "pattern": "^(env|file|credential):.+"}


def check_login(user: str | None, password: Secret | None) -> None:
    """Refuse a password without a user.

    Raises:
        Complaint: that is so.
    """
    if password is not None and user is None:
        raise Complaint("a password needs a user", "password를 쓰려면 user도 쓰십시오")
