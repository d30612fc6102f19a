"""What a night does of one thing, so that its trouble is not the others'."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from techsquare.registry.audit import Actor
    from techsquare.registry.store import Registry

T = TypeVar("T")
_log = logging.getLogger(__name__)


def alone(registry: Registry, work: Callable[[Session], T], actor: Actor, what: str) -> T | None:
    """Run `work` in a decision of its own; None where it fails, whatever it was.

    Args:
        registry: Where.
        work: As of `Registry.decide`.
        actor: In whose name.
        what: What it is about, for the log.
    """
    try:
        return registry.decide(work, actor)
    except Exception:  # noqa: BLE001 - the others must not wait for it
        _log.exception("the night leaves %s out", what)
        return None
