"""`python -m tests.fuzz [TARGET ...] [--seconds 600]`: atheris over the targets, one process after the other.

`--gateway N` sends N malformed messages through the gateway's decoder instead, in two processes, and `--live N` N
malformed payloads and packets to a running gateway; both may be said at once.

A finding is kept in `corpus/<target>/`; the process ends with 1 when there was any.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import importlib
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.target import CORPUS

PROCESSES = 2

SLOWEST_S = 5  # for one input: a hang


def work(name: str, words: list[str]) -> None:
    """Fuzz one target in this process; atheris ends it."""
    import atheris  # noqa: PLC0415 - not on every machine that runs the tests

    with atheris.instrument_imports(include=["agent", "settings", "contract", "gateway"]):
        targets = importlib.import_module("tests.fuzz.targets")
    atheris.Setup([sys.argv[0], *words], targets.TARGETS[name].run)
    atheris.Fuzz()


def storm(messages: int, live: int, seed: int) -> None:
    """Malformed messages for the gateway: in this process' children, then against a running one."""
    from tests.fuzz.gateway import fuzz  # noqa: PLC0415 - what is imported before atheris is not measured
    from tests.fuzz.live import run  # noqa: PLC0415

    if messages:
        half = -(-messages // PROCESSES)
        with concurrent.futures.ProcessPoolExecutor(PROCESSES) as pool:
            for result in pool.map(fuzz, [half] * PROCESSES, range(seed, seed + PROCESSES)):
                speed = result.inputs / result.seconds
                print(f"decoder: {result.inputs} messages, {speed:.0f}/s, memory +{result.grown_mb:.0f} MB, "
                      f"slowest step {result.slowest_s:.2f} s, {dict(result.counts)}", flush=True)  # fmt: skip
    if live:
        with tempfile.TemporaryDirectory() as folder:
            report = run(Path(folder), live // 2, live - live // 2, seed)
        print(f"live: {report._asdict()}", flush=True)


def main() -> int:
    """Share the time between the targets; return 1 when something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--work", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    parser.add_argument("--gateway", type=int, default=0, metavar="N")
    parser.add_argument("--live", type=int, default=0, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if args.gateway or args.live:
        storm(args.gateway, args.live, args.seed)
        return 0
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
