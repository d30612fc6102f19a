"""`tsq-gateway`: run, check a configuration, look at dead letters."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from gateway import config, deadletter

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_CONFIG = 78  # EX_CONFIG: the service manager does not try again


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="tsq-gateway", description="MQTT into a time-series store, confirmed")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="take data until SIGTERM or SIGINT")
    run.add_argument("--config", type=Path, required=True, metavar="FILE")
    check = commands.add_parser("check", help="check a configuration without touching the network")
    check.add_argument("file", type=Path, metavar="FILE")
    letters = commands.add_parser("dead-letters", help="what could not be stored").add_subparsers(
        dest="action", required=True
    )
    listing = letters.add_parser("list", help="one line each")
    listing.add_argument("--config", type=Path, required=True, metavar="FILE")
    options = parser.parse_args(arguments)
    path: Path = options.file if options.command == "check" else options.config
    try:
        settings = config.load(path)
    except config.ConfigError as exc:
        _say(str(exc), file=sys.stderr)
        return EXIT_CONFIG
    match options.command:
        case "run":
            return _run(settings)
        case "check":
            _say(f"{path}: good: {settings.store.type} store, broker {settings.mqtt.host}:{settings.mqtt.port}")
            return 0
        case _:
            return _list(settings)


def _run(settings: config.GatewayConfig) -> int:
    from gateway.app import Gateway  # noqa: PLC0415 - `check` loads no broker or database library
    from gateway.stores.base import StoreUnavailable  # noqa: PLC0415

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        gateway = Gateway(settings)
    except (StoreUnavailable, OSError) as exc:
        logging.getLogger(__name__).error("cannot start: %s", exc)  # noqa: TRY400 - a person reads this
        return 1
    return gateway.run(stop)


def _list(settings: config.GatewayConfig) -> int:
    count = 0
    for path, number, letter in deadletter.read(settings.dead_letters.directory):
        count += 1
        if letter is None:
            _say(f"{path.name}:{number}: a damaged line, perhaps torn by a power cut")
            continue
        when = datetime.fromtimestamp(letter.at // 10**9, UTC).isoformat()
        what = "cannot be read" if letter.payload is not None else _rows(letter)
        _say(f"{when} {letter.topic} {what}: {letter.reason} ({path.name}:{number})")
    _say(f"{count} dead letters in {settings.dead_letters.directory}")
    return 0


def _rows(letter: deadletter.DeadLetter) -> str:
    rows: dict[str, int] = {}
    for rejected in letter.rejected:
        for source, _, _, n in rejected.rows:
            rows[source] = rows.get(source, 0) + n
    return ", ".join(f"{n} rows of {source}" for source, n in rows.items())


def _say(text: str, file: TextIO | None = None) -> None:
    print(text, file=file)
