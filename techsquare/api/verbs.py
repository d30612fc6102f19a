"""The verbs `serve` and `operator` of the command, as it reads them: nothing heavy is imported before one runs."""

from __future__ import annotations

import argparse
import os
from datetime import datetime, time

LOOPBACK = "127.0.0.1:8770"
DATABASE = "TECHSQUARE_DATABASE"
AT = time(2, 0)
"""When the night's job begins, local time in Korea: shifts are long over, and nobody waits for a list."""


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verbs to a command."""
    serve = verbs.add_parser("serve")
    operator = verbs.add_parser("operator")
    for one in (serve, operator):
        one.add_argument(
            "--database", metavar="URL", default=os.environ.get(DATABASE),
            help=f"sqlite:///FILE or postgresql://...; default: the environment's {DATABASE}",
        )  # fmt: skip
    serve.add_argument("--listen", metavar="HOST:PORT", default=LOOPBACK, help=f"default: {LOOPBACK}")
    serve.add_argument("--certificate", metavar="FILE", help="TLS: our certificate (PEM), with --key")
    serve.add_argument("--key", metavar="FILE", help="its key (PEM)")
    serve.add_argument(
        "--proxy", metavar="ADDRESS", help="of a proxy with TLS in front, whose word on clients is taken"
    )
    serve.add_argument(
        "--night", type=_night, default=AT, metavar="HH:MM",
        help=f"when the night's job begins, local time in Korea, or never; default: {AT:%H:%M}",
    )  # fmt: skip
    serve.add_argument("--catalogue", metavar="FOLDER", help="measures and programmes; default: the shipped ones")
    serve.set_defaults(run=_serve)
    operator.add_argument("email")
    operator.add_argument("--name", default="Operator", help="of the house")
    operator.add_argument(
        "--reset", action="store_true", help="of an operator who has lost his password: prints a new invitation"
    )
    operator.set_defaults(run=_operator)


def _night(text: str) -> time | None:
    if text == "never":
        return None
    try:
        return datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 - a time of every day
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: write HH:MM, or never") from None


def _serve(args: argparse.Namespace, _parser: argparse.ArgumentParser) -> int:
    from techsquare.api import serve  # noqa: PLC0415 - heavy

    return serve.run(args)


def _operator(args: argparse.Namespace, _parser: argparse.ArgumentParser) -> int:
    from techsquare.api import serve  # noqa: PLC0415 - heavy

    return serve.invite(args)
