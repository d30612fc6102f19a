"""`techsquare roadmap`: a factory's plan out of the database, or of a problem in a file, for owners to read."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from techsquare.cli.common import add_database

if TYPE_CHECKING:
    import argparse


def add(verbs: argparse._SubParsersAction[Any]) -> None:
    """Describe it."""
    words = verbs.add_parser("roadmap")
    words.add_argument("factory", nargs="?", help="of the database; its plan is stored as the API's is")
    words.add_argument(
        "--problem", metavar="FILE", help="measures, losses, means and programmes as JSON: no database"
    )
    words.add_argument("--schema", action="store_true", help="print the JSON schema of a problem, and end")
    words.add_argument(
        "--begins", type=date.fromisoformat, metavar="DAY", help="first day; default: today in Korea"
    )
    words.add_argument("--exclude", action="append", default=[], metavar="MEASURE", help="that you do not want")
    words.add_argument("--reasons", action="store_true", help="what would bring in each measure that is not in it")
    words.add_argument("--json", action="store_true", help="one JSON object")
    words.add_argument("--lang", metavar="LANG", help="ko or en; default: the locale's")
    words.add_argument("--catalogue", metavar="FOLDER", help="measures and programmes; default: the shipped ones")
    add_database(words)
    words.set_defaults(run=_run)


def _run(args: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from techsquare.cli import planning  # noqa: PLC0415 - heavy

    return planning.run(args, parser)
