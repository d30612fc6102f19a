"""What the demo's tests share: the plant as the demo configures it, at a fixed moment."""

from __future__ import annotations

import string
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import demo
from agent.config.load import load
from demo.machines import factory
from demo.plan import shifts

if TYPE_CHECKING:
    from agent.config.model import AgentConfig
    from demo.machines import Machine

NOW_NS = 1_795_054_440_123_456_000  # Thursday 19 November 2026, 11:14 in Seoul
TEMPLATE = Path(demo.__file__).with_name("agent.yaml")
PORTS = ("broker_port", "press_port", "meter_port", "conveyor_port", "cnc_port", "mold_port")


@dataclass(frozen=True, slots=True)
class Plant:
    """The demo's configuration and its machines."""

    config: AgentConfig
    machines: dict[str, Machine]
    file: Path


def write_config(folder: Path, ports: dict[str, int] | None = None) -> Path:
    """Write the demo's configuration with these ports; return the file."""
    filled = dict(zip(PORTS, range(1, 10), strict=False)) | (ports or {})
    file = folder / "agent.yaml"
    text = TEMPLATE.read_text("utf-8")
    file.write_text(string.Template(text).substitute(filled, directory=folder / "agent"), "utf-8")
    return file


@pytest.fixture(scope="session")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Plant:
    file = write_config(tmp_path_factory.mktemp("plant"))
    config = load(file, "en")
    return Plant(config, factory(shifts(config.calendar(), NOW_NS)), file)
