"""gateway.yaml: its model, and a loader whose every complaint reads `file:line: path: what is wrong`."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from gateway.stores.settings import Secret, Size, StoreSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAX_FILE_BYTES = 1_000_000


class ConfigError(Exception):
    """The configuration cannot be used; the text holds every complaint, one a line."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MqttSettings(_Model):
    """The factory's broker."""

    host: Annotated[str, StringConstraints(min_length=1, max_length=253)]
    port: Annotated[int, Field(ge=1, le=65535)] = 1883
    user: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    password: Secret | None = None

    @model_validator(mode="after")
    def _password_has_user(self) -> MqttSettings:
        if self.password is not None and self.user is None:
            raise ValueError("a password needs a user")
        return self


class DeadLetterSettings(_Model):
    """Where lines go that the database refuses for ever."""

    directory: Path
    max_size: Size = Field(100_000_000, description="of all dead letters; when full, nothing refused is confirmed")


def default_worker() -> str:
    """Return an id of this process: host name and process id, as they may stand in a topic."""
    host = re.sub(r"[^a-z0-9-]+", "-", socket.gethostname().lower()).strip("-") or "gateway"
    return f"{host[:20]}-{os.getpid()}"


class GatewayConfig(_Model):
    """One gateway worker."""

    worker: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,32}$")] = Field(
        default_factory=default_worker, description="id of this worker; host name and process id when absent"
    )
    trust_local_clock: bool = Field(default=False, description="agents may set their time by this machine's")
    mqtt: MqttSettings
    store: StoreSettings
    dead_letters: DeadLetterSettings


def load(path: Path) -> GatewayConfig:
    """Read and check a file completely; nothing is connected.

    Raises:
        ConfigError: with every complaint. The text holds no value of the file, it may be a secret.
    """
    try:
        raw = path.read_bytes()
        if len(raw) > _MAX_FILE_BYTES:
            raise ConfigError(f"{path}: {len(raw)} bytes: this is no gateway configuration")
        text = raw.decode("utf-8")
    except OSError as exc:
        raise ConfigError(f"{path}: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise ConfigError(f"{path}: not UTF-8 text: save the file in UTF-8") from exc
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as exc:
        mark = getattr(exc, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(exc, "problem", None) or "cannot be read as YAML"
        raise ConfigError(f"{path}:{line}: {problem}") from exc
    try:
        return GatewayConfig.model_validate(data if data is not None else {})
    except ValidationError as exc:
        lines = []
        for error in exc.errors(include_url=False, include_context=False, include_input=False):
            line, place = _locate(root, error["loc"])
            lines.append((line, f"{path}:{line}: {place or 'the file'}: {error['msg']}"))
        raise ConfigError("\n".join(text for _, text in sorted(lines))) from exc


def _locate(root: Any, loc: Sequence[int | str]) -> tuple[int, str]:
    """Return the line and the path of a complaint; pydantic's names of union members stand in no file."""
    node, place = root, []
    line = 1
    for position, step in enumerate(loc):
        if not isinstance(node, yaml.MappingNode):
            break
        found = next(((k, v) for k, v in node.value if k.value == step), None)
        if found is not None:
            key, node = found
            line = key.start_mark.line + 1
            place.append(str(step))
        elif position == len(loc) - 1:  # a missing key: the line of the mapping it belongs into
            place.append(str(step))
    return line, ".".join(place)
