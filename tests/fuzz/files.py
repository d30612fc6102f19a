"""The technician's files: the YAML loader, and edits that must keep what they do not touch."""

from __future__ import annotations

from pathlib import Path

from agent.config.load import read
from gateway.config import read as read_gateway
from tests.fuzz.target import Target

ROOT = Path(__file__).parents[2]


def samples() -> list[bytes]:
    """Return the files that we ship, and those of the tests that hold mistakes."""
    paths = [*ROOT.glob("config/*.yaml"), *ROOT.glob("agent/collectors/*/*.yaml")]
    paths += sorted(ROOT.glob("tests/agent/config/cases/*.yaml"))
    return [path.read_bytes() for path in paths if path.stat().st_size < 20_000]


def run(data: bytes) -> None:
    """Either a configuration, or complaints that each name a line of the file, in both languages."""
    for reader in (read, read_gateway):
        config, problems = reader(data)
        assert (config is None) == bool(problems)
        lines = data.count(b"\n") + data.count(b"\r") + 2
        for problem in problems:
            assert 1 <= problem.line <= max(lines, data.count("\u2028".encode()) + lines), problem
            assert problem.text.en
            assert problem.text.ko


TARGET = Target(run, ("settings", "agent.config", "gateway.config"), samples, share=2.0)
