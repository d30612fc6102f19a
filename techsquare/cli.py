"""The command `techsquare`: what the platform can do so far is to pull a readiness report."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from pydantic import ValidationError

from contract.codec import decode
from contract.errors import WireError
from contract.report import Refusal
from settings.broker import Broker
from settings.errors import ConfigError
from techsquare.pull import PullError, request

if TYPE_CHECKING:
    from collections.abc import Sequence

PASSWORD = "TECHSQUARE_MQTT_PASSWORD"  # noqa: S105 - where it stands


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
        help="default: the environment's TECHSQUARE_BROKER, else 127.0.0.1; port 1883, with TLS 8883",
    )
    report.add_argument("--user", help=f"MQTT user; the password comes from {PASSWORD}, if any")
    report.add_argument("--tls", action="store_true", help="TLS, believing the system's certificate authorities")
    report.add_argument("--ca", metavar="FILE", help="TLS, believing this certificate authority (PEM)")
    report.add_argument("--certificate", metavar="FILE", help="our own certificate (PEM), with --key")
    report.add_argument("--key", metavar="FILE", help="its key (PEM)")
    report.add_argument("--seconds", type=float, default=10, help="how long to wait for the answer")
    args = parser.parse_args(argv)
    broker = _broker(parser, args)
    body = {"machine": args.machine} if args.machine else {}
    try:
        answer = request(broker, args.factory, args.agent, "report.get", body, args.seconds)
    except (ConfigError, PullError, WireError) as exc:
        print(f"techsquare: {exc}", file=sys.stderr)
        return 1
    if refusal := _refusal(answer):
        text = f"{args.factory}/{args.agent} gives no report: {refusal.message} ({refusal.error})"
        print(f"techsquare: {text}", file=sys.stderr)
        return 1
    sys.stdout.write(answer.decode("utf-8", "replace") + "\n")
    return 0


def _broker(parser: argparse.ArgumentParser, args: argparse.Namespace) -> Broker:
    files = {"ca": args.ca, "certificate": args.certificate, "key": args.key}
    given = {name: os.path.abspath(path) for name, path in files.items() if path}  # noqa: PTH100 - of no file yet
    host, _, port = args.broker.partition(":")
    wanted: dict[str, object] = {"host": host, "user": args.user}
    if port:
        wanted["port"] = port
    if args.tls or given:
        wanted["tls"] = given
    if args.user and PASSWORD in os.environ:
        wanted["password"] = f"env:{PASSWORD}"
    try:
        return Broker.model_validate(wanted)
    except ValidationError as exc:
        places = ", ".join(".".join(str(part) for part in error["loc"]) or error["msg"] for error in exc.errors())
        parser.error(
            f"{args.broker!r} is no broker: write HOST or HOST:PORT, and files of TLS that exist ({places})"
        )


def _refusal(answer: bytes) -> Refusal | None:
    try:
        return decode(answer, Refusal)
    except WireError:
        return None


if __name__ == "__main__":
    sys.exit(main())
