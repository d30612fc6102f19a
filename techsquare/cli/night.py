"""`techsquare night`: what is done once a day, by hand. Where no server runs, a timer may call it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from techsquare.cli.common import add_database

if TYPE_CHECKING:
    import argparse


def add(verbs: argparse._SubParsersAction[Any]) -> None:
    """Describe it."""
    night = verbs.add_parser("night")
    add_database(night)
    night.add_argument("--catalogue", metavar="FOLDER", help="measures and programmes; default: the shipped ones")
    night.add_argument("--json", action="store_true", help="one JSON object: what each task has done")
    night.set_defaults(run=_run)


def _run(args: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from techsquare.cli import byhand  # noqa: PLC0415 - heavy

    return byhand.run(args, parser)
