"""A device as somebody wrote it, with what its profile adds and without secrets: the head of a recording."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agent.config.library import Folders
from agent.config.profiles import complete
from settings.document import parse
from settings.tree import Map

if TYPE_CHECKING:
    from pathlib import Path

SECRET = frozenset({
    "login", "user", "username", "password", "key", "key_password", "private_key", "secret", "token", "tls", "pki",
    "certificate",
})  # fmt: skip
"""Keys that are left out wherever they stand: even where a secret lies is nobody's business."""


def device_as_written(raw: bytes, folder: Path | None, device: str) -> dict[str, Any]:
    """Return the entry of a device in a configuration file, as plain JSON; empty when it is not there.

    Args:
        raw: The file; one that has been loaded.
        folder: Where it stands, for device profiles.
        device: Its id.
    """
    root = parse(raw).root
    if not isinstance(root, Map):
        return {}
    complete(root, Folders(folder))
    for entry in root.get("devices", ()):
        if isinstance(entry, dict) and entry.get("id") == device:
            found: dict[str, Any] = json.loads(json.dumps(_without(entry), default=str))
            return found
    return {}


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without(inner) for name, inner in value.items() if name not in SECRET}
    return [_without(inner) for inner in value] if isinstance(value, list) else value
