"""The command `techsquare`: each verb is a module with `add`, which describes it and says what does it.

Only the module of the verb that was asked for is imported: `techsquare report` runs on a machine without the
platform's libraries, and starts in the time of an interpreter. What goes wrong for a reason is an `ExitError`: its
text goes to stderr, in one line, and its code to the shell.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import TYPE_CHECKING, NamedTuple

from service.exits import CONFIG
from techsquare.cli.common import ExitError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Verb(NamedTuple):
    """A module with `add`, and what is said of the verb in the list of all."""

    module: str
    about: str


VERBS: Mapping[str, Verb] = {
    "report": Verb("techsquare.cli.report", "pull the readiness report of a factory's agent and print its JSON"),
    "intake": Verb("techsquare.cli.intake", "take in what agents send, until it is ended"),
    "import": Verb(
        "techsquare.cli.intake",
        "take in files: signed days, an answer of day.get, a manifest, a report (also of assess)",
    ),
    "upgrade": Verb("techsquare.cli.intake", "bring the database's tables to the version of this program"),
    "serve": Verb("techsquare.api.verbs", "serve the API over HTTP"),
    "operator": Verb("techsquare.api.verbs", "make the operator's house and print its first invitation"),
    "night": Verb("techsquare.cli.night", "do now what `serve` does once a day, and tell what was done"),
    "roadmap": Verb(
        "techsquare.cli.roadmap", "make a factory's roadmap and tell it; nothing bought is a plan as well"
    ),
    "match": Verb("techsquare.cli.market", "make the lists of open items: three offers at most, or not to buy now"),
    "round": Verb("techsquare.cli.market", "a round of scarce places: announce, try, open and close, publish"),
    "verify": Verb("techsquare.cli.verify", "verdicts of plans, from the database or from files"),
    "simulate": Verb("techsquare.cli.simulate", "a programme whose truth is known"),
}
PLATFORM = frozenset({"alembic", "fastapi", "ortools", "psycopg", "pwdlib", "scipy", "sqlalchemy", "uvicorn"})
"""Libraries of the extra `platform`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run `techsquare`; return the exit code: 0, 1 for what went wrong, 2 for wrong words, others by verb."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(prog="techsquare", description="The Tech Square platform.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    asked = VERBS.get(words[0]) if words else None
    try:
        if asked is None:
            for name, verb in VERBS.items():
                verbs.add_parser(name, help=verb.about)
        else:
            importlib.import_module(asked.module).add(verbs)
        args = parser.parse_args(words)
        code: int = args.run(args, parser)
    except ExitError as exc:
        print(f"techsquare: {exc}", file=sys.stderr)
        return exc.code
    except ModuleNotFoundError as exc:
        if (exc.name or "").partition(".")[0] not in PLATFORM:
            raise
        text = f"{words[0]} needs the platform's libraries: pip install 'techsquare-edge[platform]' ({exc.name})"
        print(f"techsquare: {text}", file=sys.stderr)
        return CONFIG
    return code
