"""`python -m tests.outage [--hours 72] [--signals demo|float32|float64]`: an outage at length, and its end.

The spool is filled in data time by 1,000 signals at 1 s in 50 sources of 20, then drained through mosquitto and a
gateway into InfluxDB 1.6 while the same plant goes on live.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from tests.outage.drain import drain
from tests.outage.fill import begin_ns, fill
from tests.support.plant import KINDS, Plant

SLOWEST = 20_000  # samples a second: below that the run is given up


def main() -> None:
    """Print what it costs."""
    parser = argparse.ArgumentParser(prog="python -m tests.outage")
    parser.add_argument("--hours", type=float, default=72)
    parser.add_argument("--signals", choices=KINDS, default="demo")
    parser.add_argument("--folder", type=Path, help="where the spool is made; on the disk that is to be measured")
    parser.add_argument("--no-drain", action="store_true")
    args = parser.parse_args()
    seconds = round(args.hours * 3600)
    folder = Path(tempfile.mkdtemp(prefix="tsq-outage-", dir=args.folder))
    try:
        plant = Plant(args.signals, start_ns=begin_ns(seconds), hours=args.hours)
        filled = fill(folder / "spool", plant, seconds)
        print(f"{args.hours:g} h of {args.signals}: {filled.samples:,} samples in {filled.took_s:.0f} s")
        print(f"  filled at {filled.samples / filled.took_s:,.0f} samples/s")
        print(f"  on disk {filled.disk:,} bytes by length, {filled.blocks:,} by blocks:", end=" ")
        print(f"{filled.a_sample():.3f} bytes a sample")
        print(
            f"  written {filled.written:,} bytes, {filled.pages:,} pages: {filled.a_day() / 1e9:.3f} GB a day",
            end=" ",
        )
        print(f"(the machine: {filled.machine / filled.seconds * 86_400 / 1e9:.3f})")
        print(f"  memory grew by {filled.grown / 1e6:.1f} MB")
        if args.no_drain:
            return
        drained = drain(folder, folder / "spool", plant, filled.values, 60 + filled.samples / SLOWEST)
        print(f"drained in {drained.took_s:.1f} s: {drained.rate():,.0f} samples/s")
        live = drained.live
        print(
            f"  live latency p50 {live.quantile(0.5):.2f} p99 {live.quantile(0.99):.2f} max {max(live.found):.2f} s"
        )
        print(f"  {drained.stored:,} values stored of {drained.values:,}")
        for name, spent in drained.cpu_s.items():
            print(f"  {name}: {spent:.1f} s of processor, {spent / drained.samples * 1e6:.2f} us a sample")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
