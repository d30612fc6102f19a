"""What a process keeps of the time: read back as it was, and nothing believed that is damaged."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent import kept
from agent.trust import Kept, Word
from settings.released import RELEASED_NS

if TYPE_CHECKING:
    from pathlib import Path

KEPT = Kept("boot", "gateway", Word(RELEASED_NS, RELEASED_NS + 5, 77), RELEASED_NS + 10**9)


@pytest.mark.parametrize("known", [KEPT, KEPT._replace(source="kernel", dark=True)])
def test_it_comes_back_as_it_was_and_is_ours_alone(tmp_path: Path, known: Kept) -> None:
    assert kept.read(tmp_path) is None
    kept.write(tmp_path, KEPT._replace(time_ns=1))
    kept.write(tmp_path, known)
    assert kept.read(tmp_path) == known
    assert [path.name for path in tmp_path.iterdir()] == [kept.NAME]
    assert stat.S_IMODE((tmp_path / kept.NAME).stat().st_mode) == 0o600


def test_a_disk_that_takes_nothing_leaves_what_was_there(tmp_path: Path) -> None:
    kept.write(tmp_path, KEPT)
    (tmp_path / f"{kept.NAME}.new").mkdir()
    with pytest.raises(OSError, match=r"time\.json"):
        kept.write(tmp_path, KEPT._replace(time_ns=1))
    assert kept.read(tmp_path) == KEPT


@pytest.mark.parametrize(
    "change",
    [
        {"source": "local"}, {"version": 2}, {"word": None}, {"word": {"low": "2", "high": "1", "base": "0"}},
        {"time": str(2**70)}, {"time": "soon"}, {"word": {"low": "1", "high": "2", "base": "-1"}}, {"word": 3},
    ],
)  # fmt: skip
def test_what_cannot_be_is_not_believed(tmp_path: Path, change: dict[str, object]) -> None:
    kept.write(tmp_path, KEPT)
    path = tmp_path / kept.NAME
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert kept.read(tmp_path) is None


@given(st.integers(0, 400), st.binary(max_size=30))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_no_time(tmp_path: Path, at: int, put: bytes) -> None:
    kept.write(tmp_path, KEPT)
    path = tmp_path / kept.NAME
    raw = path.read_bytes()
    path.write_bytes(raw[:at] + put + raw[at + len(put) :])
    found = kept.read(tmp_path)
    assert found is None or (found.source in {"kernel", "gateway"} and found.word.low_ns <= found.word.high_ns)
