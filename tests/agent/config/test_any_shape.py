"""Whatever shape a file's values have, it is understood or refused with words; nothing raises."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.config.load import read
from settings.document import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
FILES = [ROOT / "config" / "agent.example.yaml", *sorted((ROOT / "agent" / "collectors").glob("*/sample.yaml"))]
ADDED: dict[str, Any] = {
    "extends": "ls/s100", "drop": ["run", "model", "status-3"], "ls_map": {"bit_read": "M0", "word_read": "D0"},
    "alarms": [{"id": "h", "address": "holding:1", "bits": {"0": "x", "3": {"text": "y", "priority": "high"}}}],
    "labels": {"0": "a"}, "bits": [0, 3], "clamp": [0, 1], "format": "bcd6", "zone": "Asia/Seoul", "bcd": True,
    "word_order": "CDABGHEF", "type": "timestamp", "address": "D00120", "signals": [], "groups": [],
    "policy": "auto", "burst": {"length": "10s", "per": "1h", "agreed_by": "x", "agreed_on": "2026-01-01"},
}  # fmt: skip
VALUES: list[Any] = [
    None, True, 0, 1, -1, 2**70, 1.5, 1e308, "", "x", "1s", "D00120", "M0012F", "holding:8", "40009", "Asia/Seoul",
    "+09:00", "ls/s100", "a" * 300, [], {}, [[]], [{}], {"a": 1}, "bool", "timestamp", "uint64", "string", "modbus",
]  # fmt: skip


def plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: plain(value) for key, value in node.items()}
    return [plain(value) for value in node] if isinstance(node, list) else node


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each container with each of its keys or indices."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        yield node, key
        if isinstance(value, (dict, list)):
            yield from places(value)


BASES = [plain(parse(path.read_bytes()).root) for path in FILES]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_shape_is_understood_or_refused_with_words(data: st.DataObject) -> None:
    root = copy.deepcopy(data.draw(st.sampled_from(BASES)))
    for _ in range(data.draw(st.integers(1, 5))):
        holder, key = data.draw(st.sampled_from([*places(root)]))
        what = data.draw(st.sampled_from(["replace", "remove", "repeat", "add"]))
        if what == "remove" and isinstance(holder, dict) and len(holder) > 1:
            del holder[key]
        elif what == "repeat" and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        elif what == "add" and isinstance(holder[key], dict):
            name = data.draw(st.sampled_from(sorted(ADDED)))
            holder[key][name] = copy.deepcopy(ADDED[name])
        else:
            holder[key] = copy.deepcopy(data.draw(st.sampled_from(VALUES)))
    config, problems = read(json.dumps(root, ensure_ascii=False).encode())
    assert (config is None) is bool(problems)
    for problem in problems:
        assert problem.line >= 1
        assert problem.text.en
        assert problem.text.ko
    if config is not None:
        assert config.birth().sources is not None
        assert len(config.config_hash()) > 8
        for device in config.devices:
            device.requests()
            assert len(device.sources()) == len(device.groups)
