"""What `techsquare simulate` does: a programme whose truth is known, and its figures.

The optimiser's library may write lines of its own to the process's standard output. So the figures get a channel
of their own: standard output is put aside while engines run, what they say goes to standard error, and the figures
alone are written to what was put aside.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from settings.errors import ConfigError
from techsquare.catalogue.load import load
from techsquare.cli.common import ExitError, own_channel
from techsquare.cli.common import registry as database
from techsquare.entry.load import load as questions
from techsquare.services.days import day_of
from techsquare.simulation.advice import Books
from techsquare.simulation.programme import simulate
from techsquare.simulation.report import lines, report
from techsquare.simulation.sink.fill import NotEmptyError, fill
from techsquare.simulation.terms import MONTH_DAYS, Setting

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

MOST_FACTORIES, MOST_INTO, MOST_MONTHS = 100_000, 1_000, 60


def run(args: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Run the verb; return the exit code."""
    into = args.into is not None
    factories = args.factories if args.factories is not None else 60 if into else 200
    months = args.months if args.months is not None else 12 if into else 18
    most = MOST_INTO if into else MOST_FACTORIES
    within = 30 <= factories <= most and 3 <= months <= MOST_MONTHS and 0 <= args.gain <= 2
    if not within:
        text = f"30 to {most} factories, 3 to {MOST_MONTHS} months, gains times 0 to 2 can be simulated"
        print(f"techsquare: {text}", file=sys.stderr)
        return 2
    beside = not args.no_comparison
    promised = min(1.0, max(0.0, args.promised))
    setting = Setting(args.seed, factories, months, args.gain, beside, promised)
    if into:
        setting = replace(setting, begins=_end(args, parser) - timedelta(days=MONTH_DAYS * months))
    with own_channel() as channel:
        try:
            books = Books(load(args.catalogue), questions())
        except ConfigError as exc:
            print(f"techsquare: {exc}", file=sys.stderr)
            return 1
        if into:
            text = _fill(args, books, setting)
        else:
            figures = report(simulate(setting, books, _tell(months)))
            text = json.dumps(figures, ensure_ascii=False, indent=1) if args.json else "\n".join(lines(figures))
        _write(channel, f"{text}\n".encode())
    return 0


def _end(args: argparse.Namespace, parser: argparse.ArgumentParser) -> date:
    """Return the day after a filled programme's last one."""
    if args.on is None:
        return day_of(time.time_ns())
    try:
        return date.fromisoformat(args.on)
    except ValueError:
        parser.error(f"--on {args.on}: write a date as 2027-01-31")


def _fill(args: argparse.Namespace, books: Books, setting: Setting) -> str:
    """Fill the database that the words name; return who can log in."""
    args.database = args.into
    with database(args, checked=False) as registry:
        try:
            logins, counts = fill(registry, books, setting, _tell(setting.months))
        except NotEmptyError:
            text = "somebody is in this database already; a simulated programme needs an empty one of its own"
            raise ExitError(text) from None
    if args.json:
        told = {"logins": [one._asdict() for one in logins], "counts": dict(counts)}
        return json.dumps(told, ensure_ascii=False, indent=1)
    rows = [f"{name:<16}{number:>8}" for name, number in counts.items()]
    people = [f"{one.role:<10}{one.email:<36}{one.password:<16}{one.party}" for one in logins]
    return "\n".join([*rows, "", "logins, told once:", *people])


def _write(channel: int, raw: bytes) -> None:
    while raw:
        raw = raw[os.write(channel, raw) :]


def _tell(months: int) -> Callable[[int], None] | None:
    def tell(month: int) -> None:
        print(f"month {month + 1} of {months}", file=sys.stderr, flush=True)

    return tell if sys.stderr.isatty() else None
