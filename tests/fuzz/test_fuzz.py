"""The fuzzer's short version: what was found before, the seeds, mutations of them, and random bytes."""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.target import corpus
from tests.fuzz.targets import TARGETS

EXAMPLES = int(os.environ.get("TSQ_EXAMPLES", "100"))


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_found_before_and_the_seeds_stay_mended(name: str) -> None:
    target = TARGETS[name]
    for data in [b"", *corpus(name), *target.seeds()]:
        target.run(data)


@pytest.mark.parametrize("name", TARGETS)
def test_random_bytes(name: str) -> None:
    run = settings(max_examples=EXAMPLES, deadline=None)(given(st.binary(max_size=600))(TARGETS[name].run))
    run()


@pytest.mark.parametrize("name", [name for name, target in TARGETS.items() if target.seeds()])
def test_seeds_with_a_few_bytes_changed(name: str) -> None:
    target, chance = TARGETS[name], random.Random(name)
    seeds = target.seeds()
    for _ in range(EXAMPLES):
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(data) + 1)
            data[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
        target.run(bytes(data))
