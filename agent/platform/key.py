"""The key that signs daily records: made at the first start, in the state folder, readable by its user only.

It never leaves the box but in a backup. One that cannot be read is set aside and never overwritten; the chain then
waits until somebody has looked at it (`agent.platform.daybook`), because the platform sees another key.
"""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING

from agent.files import put
from contract.signing import private_key

if TYPE_CHECKING:
    from pathlib import Path

    from contract.signing import PrivateKey

logger = logging.getLogger(__name__)

NAME = "signing.key"
SEED = 32


def own_key(folder: Path) -> PrivateKey:
    """Return the key of this box; one is made where there is none.

    Raises:
        OSError: the disk does not give or take it.
    """
    path = folder / NAME
    try:
        with path.open("rb") as file:
            key = private_key(bytes.fromhex(file.read(2 * SEED + 2).decode("ascii").strip()))
        path.chmod(0o600)
    except FileNotFoundError:
        pass
    except ValueError:
        pass  # no hexadecimal digits, or another number of them
    else:
        return key
    if path.exists():
        aside = path.with_suffix(".damaged")
        path.replace(aside)
        logger.error("%s is no key and is set aside as %s: bring it back from a backup", path, aside)
    seed = secrets.token_bytes(SEED)
    put(path, seed.hex().encode() + b"\n")
    return private_key(seed)


def private(folder: Path) -> bool:
    """Return whether the key is there, and nobody but its user may read it."""
    try:
        return not (folder / NAME).stat().st_mode & 0o077
    except OSError:
        return False
