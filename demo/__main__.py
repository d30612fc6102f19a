"""`python -m demo`: the product on a simulated factory, from an empty state. Ctrl-C ends it."""

from __future__ import annotations

import argparse
import io
import os
import sys
from pathlib import Path

from settings.language import choose


def main() -> int:
    """Run the demo; return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal's encoding stops nobody
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--for", dest="seconds", type=float, metavar="SECONDS", help="end by itself after so long")
    parser.add_argument("--json", action="store_true", help="print what it came to as one JSON object, last")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="work in this empty folder and leave it there")
    parser.add_argument("--own-broker", action="store_true", help="use the packaged broker, not mosquitto")
    parser.add_argument("--lang", choices=("ko", "en"), help="language of the screen; the locale's by default")
    args = parser.parse_args()
    if args.seconds is not None and args.seconds <= 0:
        parser.error("--for: write a number of seconds above 0")
    from demo.launcher import Options, run  # noqa: PLC0415 - wrong words are answered at once

    language = choose(args.lang, os.environ)
    options = Options(
        seconds=args.seconds, json=args.json, keep=args.keep, own_broker=args.own_broker, language=language
    )
    return run(options)


if __name__ == "__main__":
    sys.exit(main())
