"""The test vectors verify with the contract's own code, and with a program in another language that shares none."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from contract.codec import decode
from contract.day import Days
from contract.errors import WireError
from contract.manifest import Head, Manifest
from contract.signing import check, follows, key_of, open_day, verify
from contract.topics import split
from tests.golden import TOPICS
from tests.golden.vectors import FOLDER, SUMS, files

PROGRAM = Path(__file__).parents[1] / "peers" / "wire" / "verify.mjs"
INDEX: dict[str, Any] = json.loads((FOLDER / "vectors.json").read_bytes())
MANIFEST = decode((FOLDER / "manifest.json").read_bytes(), Manifest)
KEYS = {MANIFEST.key: key_of(MANIFEST.public_key)}


def test_the_vectors_are_final() -> None:
    sums = {name: digest for digest, name in (line.split() for line in SUMS.read_text("ascii").splitlines())}
    assert sums == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in FOLDER.iterdir()}
    assert files() == {path.name: path.read_bytes() for path in FOLDER.iterdir()}


@pytest.mark.parametrize("one", INDEX["right"], ids=lambda one: one["file"])
def test_a_right_record_verifies_and_ends_where_it_says(one: dict[str, Any]) -> None:
    opened = open_day((FOLDER / one["file"]).read_bytes(), split(one["topic"])[0], KEYS)
    before = None if one["before"] is None else Head(one["number"] - 1, "2026-11-01", one["before"])
    assert follows(opened, before) is None
    assert (opened.head.number, opened.head.hash) == (one["number"], one["head"])
    assert TOPICS.day(opened.day.date) == one["topic"]


@pytest.mark.parametrize("one", INDEX["wrong"], ids=lambda one: one["file"])
def test_a_wrong_record_is_refused_for_its_reason(one: dict[str, Any]) -> None:
    raw, (topics, levels) = (FOLDER / one["file"]).read_bytes(), split(one["topic"])
    texts = {"signature": "signature is wrong|in the branch", "key": "unknown key"}
    if one["why"] == "chain":
        opened = open_day(raw, topics, KEYS)
        assert follows(opened, Head(one["number"] - 1, "2026-11-01", one["before"])) is not None
    elif (FOLDER / one["file"]).name == "wrong-topic.json":  # what it is good for stands in the record
        assert open_day(raw, topics, KEYS).day.date != levels[1]
    else:
        with pytest.raises(WireError, match=texts[one["why"]]):
            open_day(raw, topics, KEYS)


def test_the_whole_chain_ends_at_the_head_of_the_manifest() -> None:
    days = decode((FOLDER / "days.json").read_bytes(), Days).days
    assert verify(days, TOPICS, KEYS)[-1].head == MANIFEST.chain
    for name in ("baseline", "solution"):
        topic, _, text = (FOLDER / f"{name}.signed").read_bytes().decode().partition("\n")
        assert topic == INDEX[name]["topic"]
        check(topic, text, INDEX[name]["signature"], KEYS[MANIFEST.key])


def test_a_program_in_another_language_comes_to_the_same() -> None:
    node = shutil.which("node")
    assert node, "Node.js is not installed: run `make test`, it installs what the tests need"
    done = subprocess.run([node, PROGRAM, FOLDER], capture_output=True, text=True, check=True, timeout=60)
    found = json.loads(done.stdout)
    expected: dict[str, object] = {one["file"]: one["head"] for one in INDEX["right"]}
    expected |= {one["file"]: one["why"] for one in INDEX["wrong"]}
    expected |= {f"{one['file']} bytes": True for one in INDEX["right"]}
    expected |= {"key": INDEX["key"], "days.json": INDEX["right"][-1]["head"]}
    expected |= {"baseline": True, "solution": True, "baseline.json": True}
    assert found == expected


@pytest.mark.parametrize("name", ["days.json", "baseline.json"])
def test_the_other_program_can_say_no(tmp_path: Path, name: str) -> None:
    node = shutil.which("node")
    assert node, "Node.js is not installed: run `make test`, it installs what the tests need"
    folder = tmp_path / "vectors"
    shutil.copytree(FOLDER, folder)
    raw = (folder / name).read_bytes()
    (folder / name).write_bytes(raw.replace("프레스".encode(), "프레소".encode()))
    done = subprocess.run([node, PROGRAM, folder], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout)[name] in ("signature", False)
