"""`techsquare report`: pull the readiness report of an agent."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from contract.codec import decode
from contract.errors import WireError
from contract.report import Refusal
from settings.errors import ConfigError
from techsquare.cli.common import ExitError, add_broker, broker
from techsquare.pull import PullError, request

if TYPE_CHECKING:
    import argparse


def add(verbs: argparse._SubParsersAction[Any]) -> None:
    """Describe it."""
    report = verbs.add_parser("report")
    report.add_argument("factory")
    report.add_argument("agent")
    report.add_argument("--machine", help="all values of one machine instead of the plant")
    add_broker(report)
    report.add_argument("--seconds", type=float, default=10, help="how long to wait for the answer")
    report.set_defaults(run=run)


def run(args: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Print the report."""
    where = broker(parser, args)
    body = {"machine": args.machine} if args.machine else {}
    try:
        answer = request(where, args.factory, args.agent, "report.get", body, args.seconds)
    except (ConfigError, PullError, WireError) as exc:
        raise ExitError(str(exc)) from exc
    if refusal := _refusal(answer):
        raise ExitError(f"{args.factory}/{args.agent} gives no report: {refusal.message} ({refusal.error})")
    sys.stdout.write(answer.decode("utf-8", "replace") + "\n")
    return 0


def _refusal(answer: bytes) -> Refusal | None:
    try:
        return decode(answer, Refusal)
    except WireError:
        return None
