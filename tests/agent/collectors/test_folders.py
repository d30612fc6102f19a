"""Every collector's folder says how far it has come."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

import agent.collectors

FOLDERS = sorted(path.parent for path in Path(agent.collectors.__file__).parent.glob("*/collector.py"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_quality_scale_is_complete(folder: Path) -> None:
    scale = yaml.safe_load((folder / "quality.yaml").read_text("utf-8"))
    assert list(scale) == ["bronze", "silver", "gold"]
    for level in scale.values():
        for rule, entry in level.items():
            state = entry if isinstance(entry, str) else entry["status"]
            assert state in {"done", "todo", "exempt"}, rule
            assert state == "done" or entry["reason"], rule
