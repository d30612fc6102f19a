"""The command `techsquare`: what the platform can do so far is to pull a readiness report."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from contract.codec import decode
from contract.errors import WireError
from contract.report import Refusal
from techsquare.pull import Broker, PullError, request

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run `techsquare`; return the exit code: 0 with the report on stdout, else 1, or 2 for wrong words."""
    parser = argparse.ArgumentParser(prog="techsquare", description="The Tech Square platform.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    report = verbs.add_parser("report", help="pull the readiness report of a factory's agent and print its JSON")
    report.add_argument("factory")
    report.add_argument("agent")
    report.add_argument("--machine", help="all values of one machine instead of the plant")
    report.add_argument(
        "--broker",
        metavar="HOST[:PORT]",
        default=os.environ.get("TECHSQUARE_BROKER", "127.0.0.1"),
        help="default: the environment's TECHSQUARE_BROKER, else 127.0.0.1; port 1883",
    )
    report.add_argument("--user", help="MQTT user; the password comes from TECHSQUARE_MQTT_PASSWORD")
    report.add_argument("--seconds", type=float, default=10, help="how long to wait for the answer")
    args = parser.parse_args(argv)
    host, _, port = args.broker.partition(":")
    if not host or not (port or "1883").isdecimal() or not 0 < int(port or 1883) < 65536:
        parser.error(f"{args.broker!r} is no broker: write HOST or HOST:PORT")
    broker = Broker(host, int(port or 1883), args.user, os.environ.get("TECHSQUARE_MQTT_PASSWORD"))
    body = {"machine": args.machine} if args.machine else {}
    try:
        answer = request(broker, args.factory, args.agent, "report.get", body, args.seconds)
    except (PullError, WireError) as exc:
        print(f"techsquare: {exc}", file=sys.stderr)
        return 1
    if refusal := _refusal(answer):
        text = f"{args.factory}/{args.agent} gives no report: {refusal.message} ({refusal.error})"
        print(f"techsquare: {text}", file=sys.stderr)
        return 1
    sys.stdout.write(answer.decode("utf-8", "replace") + "\n")
    return 0


def _refusal(answer: bytes) -> Refusal | None:
    try:
        return decode(answer, Refusal)
    except WireError:
        return None


if __name__ == "__main__":
    sys.exit(main())
