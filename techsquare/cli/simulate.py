"""The verb `simulate` of the command, as it reads it: nothing heavy is imported before it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to a command."""
    words = verbs.add_parser("simulate")
    words.add_argument("--seed", type=int, default=1, metavar="N", help="same seed, same figures; default 1")
    words.add_argument("--factories", type=int, metavar="N", help="30 to 100,000; default 200, with --into 60")
    words.add_argument("--months", type=int, metavar="N", help="3 to 60; default 18, with --into 12")
    words.add_argument("--gain", type=float, default=1.0, metavar="X", help="true gains times this; 0: none works")
    words.add_argument("--promised", type=float, default=0.2, metavar="X", help="share of plans with a promise")
    words.add_argument("--no-comparison", action="store_true", help="as if there were no comparison machines")
    words.add_argument("--catalogue", metavar="FOLDER", help="measures.yaml and programmes.yaml; default: ours")
    words.add_argument("--into", metavar="URL", help="fill an empty database instead, ending today")
    words.add_argument("--on", metavar="DATE", help="with --into: the day after its last one; default: today")
    words.add_argument("--json", action="store_true", help="one JSON object on standard output")
    words.set_defaults(run=_run)


def _run(args: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from techsquare.cli import simulating  # noqa: PLC0415 - heavy

    return simulating.run(args, parser)
