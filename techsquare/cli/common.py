"""What verbs have in common: where the broker is, where the database is, and how to say that something is wrong."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

from pydantic import ValidationError

from service.exits import CONFIG, FAULT
from settings.broker import Broker

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from techsquare.registry.store import Registry

PASSWORD = "TECHSQUARE_MQTT_PASSWORD"  # noqa: S105 - where it stands
DATABASE = "TECHSQUARE_DATABASE"
_HERE = "sqlite:///techsquare.db"


class ExitError(Exception):
    """The verb ends; the text says why and what to do. `code` goes to the shell."""

    def __init__(self, text: str, code: int = FAULT) -> None:
        super().__init__(text)
        self.code = code


def add_broker(parser: argparse.ArgumentParser) -> None:
    """Describe where the broker is."""
    parser.add_argument(
        "--broker",
        metavar="HOST[:PORT]",
        default=os.environ.get("TECHSQUARE_BROKER", "127.0.0.1"),
        help="default: the environment's TECHSQUARE_BROKER, else 127.0.0.1; port 1883, with TLS 8883",
    )
    parser.add_argument("--user", help=f"MQTT user; the password comes from {PASSWORD}, if any")
    parser.add_argument("--tls", action="store_true", help="TLS, believing the system's certificate authorities")
    parser.add_argument("--ca", metavar="FILE", help="TLS, believing this certificate authority (PEM)")
    parser.add_argument("--certificate", metavar="FILE", help="our own certificate (PEM), with --key")
    parser.add_argument("--key", metavar="FILE", help="its key (PEM)")


def broker(parser: argparse.ArgumentParser, args: argparse.Namespace) -> Broker:
    """Return the broker that the words name; ends the program when they name none."""
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


def add_database(parser: argparse.ArgumentParser) -> None:
    """Describe where the database is. A URL with a password belongs into the environment: `ps` does not show it."""
    parser.add_argument(
        "--database",
        metavar="URL",
        default=os.environ.get(DATABASE, _HERE),
        help=f"sqlite:///FILE or postgresql://HOST/NAME; default: the environment's {DATABASE}, else {_HERE}",
    )


@contextlib.contextmanager
def registry(args: argparse.Namespace, *, pool: int = 5, checked: bool = True) -> Iterator[Registry]:
    """Give the database that the words name.

    Args:
        args: With `database`.
        pool: Connections that are kept.
        checked: Whether its tables have to be those of this program.

    Raises:
        ExitError: it is none, or its tables are not ours.
    """
    from techsquare.registry import migrate  # noqa: PLC0415 - not every verb has the platform's libraries
    from techsquare.registry.errors import BadUrlError, WrongVersionError  # noqa: PLC0415 - likewise
    from techsquare.registry.store import Registry  # noqa: PLC0415 - likewise

    try:
        found = Registry(args.database, pool=pool)
    except BadUrlError as exc:
        raise ExitError(str(exc), CONFIG) from None
    try:
        if checked:
            migrate.check(found)
        yield found
    except WrongVersionError as exc:
        raise ExitError(str(exc), CONFIG) from None
    finally:
        found.close()


@contextlib.contextmanager
def own_channel() -> Iterator[int]:
    """Put standard output aside; yield it, while whatever else is written to it goes to standard error."""
    sys.stdout.flush()
    aside = os.dup(1)
    try:
        os.dup2(2, 1)
        yield aside
        sys.stdout.flush()
    finally:
        os.dup2(aside, 1)
        os.close(aside)
