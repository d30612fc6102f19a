"""Short versions of what `make fuzz-gateway` does at length."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from tests.fuzz.gateway import fuzz
from tests.fuzz.live import run
from tests.fuzz.storm import KINDS, Storm

if TYPE_CHECKING:
    from pathlib import Path


def test_five_thousand_malformed_messages_break_nothing() -> None:
    result = fuzz(5000, seed=1)
    assert result.counts["malformed"] > 2000
    assert result.counts["rejected"] > 100
    assert result.counts["stored"] > 50
    assert result.counts["need_birth"] > 10
    assert result.grown_mb < 300


def test_each_kind_of_damage_comes_up() -> None:
    storm = Storm(random.Random(2))
    for kind in KINDS:
        assert len({kind(storm) for _ in range(20)}) > 3


def test_a_running_gateway_stands_two_thousand_malformed_payloads_and_packets(tmp_path: Path) -> None:
    report = run(tmp_path, messages=1500, packets=500, seed=3)
    assert report.totals["malformed"] > 500
    assert (report.messages >= 1500, report.packets >= 500) == (True, True)
    assert report.healthy > 5
