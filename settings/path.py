"""Paths in a configuration: full ones, because nobody knows the working directory of a service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator

from settings.base import form
from settings.language import Complaint


def _full(value: Any) -> Path:
    if isinstance(value, str | Path) and str(value).startswith("/"):
        return Path(value)
    raise Complaint("write a full path that begins with /", "/로 시작하는 전체 경로를 쓰십시오")


FullPath = Annotated[Path, BeforeValidator(_full), form("full path")]
"""A path from the root; nothing is looked up."""
