"""The command's list of verbs: each is where it is looked for, and none brings what another one needs."""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys

import pytest

from techsquare.cli import PLATFORM, VERBS, main


def test_each_verb_is_described_by_its_module() -> None:
    for module in {verb.module for verb in VERBS.values()}:
        verbs = argparse.ArgumentParser().add_subparsers()
        importlib.import_module(module).add(verbs)
        assert set(verbs.choices) == {name for name, verb in VERBS.items() if verb.module == module}


def test_the_list_of_verbs_is_told_without_any_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    said = capsys.readouterr().out
    assert all(f"    {name}" in said for name in VERBS)
    with pytest.raises(SystemExit, match="2"):
        main(["nothing"])
    assert "'simulate'" in capsys.readouterr().err


WITHOUT = """
import sys
from importlib.abc import MetaPathFinder
class Bare(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Bare())
from techsquare.cli import main
raise SystemExit(main({words!r}))
"""


def without(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command as on a machine that has no library of the platform."""
    code = WITHOUT.format(names=set(PLATFORM), words=list(words))
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)


def test_a_report_needs_nothing_of_the_platform_and_the_rest_says_what_it_needs() -> None:
    told = without("report", "--help")
    assert told.returncode == 0, told.stderr
    missing = without("verify", "--schema")
    assert missing.returncode == 78
    assert missing.stderr.startswith("techsquare: verify needs the platform's libraries: pip install")
    assert missing.stderr.count("\n") == 1
