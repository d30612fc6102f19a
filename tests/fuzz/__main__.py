"""`python -m tests.fuzz [TARGET ...] [--seconds 600]`: atheris over the targets, one process after the other.

A finding is kept in `corpus/<target>/`; the process ends with 1 when there was any.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.target import CORPUS

SLOWEST_S = 5  # for one input: a hang


def work(name: str, words: list[str]) -> None:
    """Fuzz one target in this process; atheris ends it."""
    import atheris  # noqa: PLC0415 - not on every machine that runs the tests

    with atheris.instrument_imports(include=["agent", "settings", "contract", "gateway"]):
        targets = importlib.import_module("tests.fuzz.targets")
    atheris.Setup([sys.argv[0], *words], targets.TARGETS[name].run)
    atheris.Fuzz()


def main() -> int:
    """Share the time between the targets; return 1 when something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--work", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.work:
        work(args.work[0], args.work[1:])
        return 0
    targets = importlib.import_module("tests.fuzz.targets").TARGETS
    chosen = args.targets or list(targets)
    total = sum(targets[name].share for name in chosen)
    found = False
    for name in chosen:
        seconds = max(1, round(args.seconds * targets[name].share / total))
        with tempfile.TemporaryDirectory() as folder:
            for number, seed in enumerate(targets[name].seeds()):
                (Path(folder) / f"seed-{number}").write_bytes(seed)
            kept = CORPUS / name
            kept.mkdir(parents=True, exist_ok=True)
            command = [
                sys.executable, "-m", "tests.fuzz", "--work", name, f"-max_total_time={seconds}", "-max_len=4096",
                f"-timeout={SLOWEST_S}", "-rss_limit_mb=2048", "-print_final_stats=1",
                f"-artifact_prefix={kept}/", folder, str(kept),
            ]  # fmt: skip
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        runs = next((line for line in done.stderr.splitlines() if "number_of_executed_units" in line), "no count")
        verdict = "FOUND" if done.returncode else "ok"
        print(f"{name:10} {seconds:4} s  {runs.rpartition(' ')[2]:>10} inputs  {verdict}")
        if done.returncode:
            found = True
            print(done.stdout[-2000:] + done.stderr[-4000:])
        if not any(kept.iterdir()):
            kept.rmdir()
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
