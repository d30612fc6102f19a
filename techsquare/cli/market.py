"""`techsquare match` and `techsquare round`: lists of open items, and rounds of scarce places, on the database."""

from __future__ import annotations

import json
import re
import sys
import time
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any

from settings.errors import ConfigError
from techsquare.api.words import OF_SERVICES
from techsquare.cli.common import ExitError, add_database, registry
from techsquare.registry.errors import RegistryError
from techsquare.registry.policy import Reader

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from techsquare.catalogue.load import Catalogue
    from techsquare.registry import tables as t
    from techsquare.registry.store import Registry
    from techsquare.services.rights import Caller

_QUARTER = re.compile(r"[12][0-9]{3}-Q[1-4]")


def add(verbs: argparse._SubParsersAction[Any]) -> None:
    """Describe them."""
    match = verbs.add_parser("match")
    what = match.add_mutually_exclusive_group(required=True)
    what.add_argument("--item", metavar="ID", help="of one open item of a roadmap")
    what.add_argument("--all", action="store_true", help="of all open items, whether or not their lists are due")
    what.add_argument("--due", action="store_true", help="of the items whose lists are due, as every night")
    match.set_defaults(run=_match)
    held = verbs.add_parser("round")
    steps = held.add_subparsers(dest="step", required=True)
    prepare = steps.add_parser("prepare", help="announce a round with its rule and its seed")
    prepare.add_argument("quarter", help="whose places are given, as 2027-Q1")
    prepare.add_argument("--opens", type=date.fromisoformat, required=True, metavar="DATE")
    prepare.add_argument("--closes", type=date.fromisoformat, required=True, metavar="DATE")
    several = [match, prepare]
    for name, about in (
        ("simulate", "say what it would give now; nothing is kept"),
        ("forward", "open a planned round, or close an open one, which holds it"),
        ("publish", "publish a closed round: places stand in the offers and take slots"),
    ):
        one = steps.add_parser(name, help=about)
        one.add_argument("round", metavar="ID")
        several.append(one)
    for one in several:
        one.add_argument("--json", action="store_true", help="the result as JSON")
        one.add_argument("--catalogue", metavar="FOLDER", help="measures and programmes; default: the shipped ones")
        add_database(one)
    held.set_defaults(run=_round)


def _match(args: argparse.Namespace, _parser: argparse.ArgumentParser) -> int:
    from techsquare.services import lists, nights  # noqa: PLC0415 - heavy

    with _bench(args) as (found, catalogue, caller):
        if args.item:
            said = found.decide(
                lambda s: lists.make(s, catalogue, args.item, caller.now, nights.ACTOR), nights.ACTOR
            )
        elif args.due:
            said = nights.due(found, catalogue, caller.now)
        else:
            said = nights.every(found, catalogue, caller.now, _progress)
    if args.json:
        _print(said)
    elif args.item:
        print(f"{said['item']}: {_ADVICE[said['advice']]}")
        for offer in said["offers"]:
            print(f"  {offer}")
    else:
        print(f"{said['items']} items, {said['offers']} offers")
        for word, count in said.get("advice", {}).items():
            print(f"  {count} items: {_ADVICE[word]}")
    return 0


_ADVICE = {
    "offers": "there is a list",
    "not_now": "we advise not to buy now",
    "not_known": "nobody can tell what the solutions gain",
    "nobody": "no solution meets all constraints",
}


def _round(args: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from techsquare.services import nights, rounds  # noqa: PLC0415 - heavy

    if args.step == "prepare" and not _QUARTER.fullmatch(args.quarter):
        parser.error(f"{args.quarter!r} is no quarter: write it as 2027-Q1")
    if args.step == "prepare" and args.opens > args.closes:
        parser.error("a round opens before it closes")
    with _bench(args) as (found, catalogue, caller):
        if args.step == "simulate":
            with found.reading() as session:
                said = rounds.simulate(session, caller, catalogue, args.round)
        elif args.step == "prepare":
            row = found.decide(
                lambda s: rounds.prepare(s, caller, args.quarter, args.opens, args.closes), nights.ACTOR
            )
            said = _told(row)
        else:
            step = rounds.forward if args.step == "forward" else rounds.publish
            said = _told(found.decide(lambda s: step(s, caller, catalogue, args.round), nights.ACTOR))
    if args.json:
        _print(said)
        return 0
    if "id" in said:
        print(f"{said['id']}: {said['state']}, {said['quarter']}, seed {said['seed']}")
    result = said if "counts" in said else said.get("result")
    if result:
        counts = result["counts"]
        print(
            f"{counts['factories']} factories: {counts['accepted']} accepted, {counts['leftover']} out of what was "
            f"left, {counts['unplaced']} without a place; {counts['free']} places free; "
            f"{result['blocking']} blocking pairs"
        )
        for one in result.get("lapsed", ()):
            print(f"  lapsed: {one['factory']} at {one['supplier']}")
    return 0


@contextmanager
def _bench(args: argparse.Namespace) -> Iterator[tuple[Registry, Catalogue, Caller]]:
    """Give the database, the catalogue and who acts: the operator's house."""
    from techsquare.catalogue.load import load  # noqa: PLC0415 - heavy
    from techsquare.services.nights import ACTOR  # noqa: PLC0415
    from techsquare.services.people import HOUSE  # noqa: PLC0415
    from techsquare.services.refused import RefusedError  # noqa: PLC0415
    from techsquare.services.rights import Caller  # noqa: PLC0415

    try:
        catalogue = load(args.catalogue)
        caller = Caller(Reader(ACTOR.name, frozenset({("operator", HOUSE)})), time.time_ns())
        with registry(args) as found:
            yield found, catalogue, caller
    except RefusedError as exc:
        raise ExitError(OF_SERVICES[exc.code].en) from None
    except (ConfigError, RegistryError) as exc:
        raise ExitError(str(exc)) from None


def _told(row: t.Round) -> dict[str, Any]:
    names = ("id", "quarter", "state", "seed", "rule", "result")
    return {"opens": row.opens.isoformat(), "closes": row.closes.isoformat()} | {
        name: getattr(row, name) for name in names
    }


def _progress(share: float) -> None:
    print(f"techsquare: {share:.0%}", file=sys.stderr)


def _print(said: object) -> None:
    print(json.dumps(said, ensure_ascii=False, sort_keys=True))
