"""The technician's files: the YAML loader, and edits that must keep what they do not touch."""

from __future__ import annotations

import contextlib
from pathlib import Path

from agent.config.load import read
from answers import load, tables
from answers.plant import join
from answers.signed import NotBelieved, opened, public_key
from contract.topics import AgentTopics
from gateway.config import read as read_gateway
from readiness.schedule import Calendar
from tests.fuzz.target import Target

ROOT = Path(__file__).parents[2]
KEY = public_key(b"A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=")


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


def answers() -> list[bytes]:
    """Return files of answers, right and wrong ones, and a signed message."""
    paths = [ROOT / "config" / "answers.example.yaml", *sorted(ROOT.glob("tests/answers/cases/*.[yc]*"))]
    return [*(path.read_bytes() for path in paths), (ROOT / "tests/golden/tsq-1/answers.json").read_bytes()]


def run_answers(data: bytes) -> None:
    """Answers or words, from a file, a table or a message; what is accepted can be joined and read again."""
    given, problems = load.read(data, "file", lambda _: data)
    assert (given is None) == bool(problems)
    for problem in problems:
        assert problem.line >= 1
        assert problem.text.en
        assert problem.text.ko
    if given is not None:
        again, _ = load.read(given.text.encode())
        assert again is not None
        assert again.digest == given.digest
        assert join([], [], Calendar("Asia/Seoul"), [given]).plant.hash
    for shape in (tables.POINTS, tables.USE):
        found, _ = tables.rows(data, shape, "a.csv", 1, "use_file")
        assert len(found) == len(found.lines)
    with contextlib.suppress(NotBelieved):
        opened(data, AgentTopics("hanil", "edge-1"), KEY)


ANSWERS = Target(run_answers, ("settings", "answers"), answers)
TARGET = Target(run, ("settings", "agent.config", "gateway.config"), samples, share=2.0)
