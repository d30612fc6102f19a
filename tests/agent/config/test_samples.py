"""Every configuration that the repository ships is right."""

from __future__ import annotations

from pathlib import Path
from string import Template

import pytest

from agent.config.load import read

ROOT = Path(__file__).parents[3]
SHIPPED = [
    ROOT / "config" / "agent.example.yaml",
    ROOT / "demo" / "agent.yaml",
    *sorted((ROOT / "agent" / "collectors").glob("*/sample.yaml")),
]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_shipped_configuration_is_right(path: Path) -> None:
    template = Template(path.read_text("utf-8"))
    filled = template.substitute(
        {
            name: "/tmp/demo" if name == "directory" else str(port)
            for port, name in enumerate(template.get_identifiers(), 5020)
        }
    )
    config, problems = read(filled.encode())
    assert problems == []
    assert config is not None
    assert config.sources()
    connected = {machine for source in config.sources() for machine in source.machines()}
    assert connected <= {machine.id for machine in config.inventory()}
