"""The command `tsq-gateway`.

    run --config FILE                 take data until SIGTERM or SIGINT
    check FILE                        is the file right; touches neither the network nor a secret
    dead-letters list|show|replay|drop   what could not be stored, see `gateway.verbs.dead_letters`
    carry STICK --config FILE         what agents without a line sent by stick, see `gateway.verbs.carry`
    access LIST --out FOLDER          a broker's access rules, see `gateway.verbs.access`
    probe --config FILE               what the broker can do, see `gateway.verbs.probe`

Exit codes: 0 done, 1 something is not good, 2 wrong words, 69 another worker is in the way, 78 the file is wrong or
a secret cannot be read.
"""

from __future__ import annotations

import argparse
import io
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from gateway import config
from gateway.verbs import access, carry, dead_letters, probe
from service import exits, logs
from settings.errors import ConfigError
from settings.language import Text, choose

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from settings.language import Language

EXTRA = frozenset({"influxdb_client", "urllib3"})
"""What `techsquare-edge[gateway]` installs and `techsquare-edge` alone does not."""


def _parser(language: Language) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tsq-gateway", description="MQTT into a time-series store, confirmed")
    parser.add_argument("--lang", choices=("ko", "en"), help="language of messages; the locale's by default")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="take data until SIGTERM or SIGINT")
    run.add_argument("--config", type=Path, required=True, metavar="FILE")
    check = commands.add_parser("check", help="check a configuration without touching the network")
    check.add_argument("file", type=Path, metavar="FILE")
    dead_letters.arguments(commands.add_parser("dead-letters", help="what could not be stored"), language)
    carry.arguments(commands.add_parser("carry", help="store what a stick brings, and confirm it there"), language)
    access.arguments(commands.add_parser("access", help="access rules of a broker, from a list"), language)
    probe.arguments(commands.add_parser("probe", help="what the broker can do"), language)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    for stream in (sys.stdout, sys.stderr):  # a terminal that cannot show a letter must not stop us
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    options = _parser(choose(None, os.environ)).parse_args(arguments)
    language = choose(options.lang, os.environ)
    try:
        return _done(options, language)
    except ConfigError as exc:
        print(exc, file=sys.stderr)
        return exits.CONFIG
    except ModuleNotFoundError as exc:
        if exc.name not in EXTRA:
            raise
        print(f"tsq-gateway: {exc.name} is not installed: pip install 'techsquare-edge[gateway]'", file=sys.stderr)
        return 1


def _done(options: argparse.Namespace, language: Language) -> int:
    if options.command == "access":  # it concerns a broker, and no gateway's file
        return access.main(options, language)
    path: Path = options.file if options.command == "check" else options.config
    settings = config.load(path, language)
    match options.command:
        case "run":
            return _run(settings)
        case "dead-letters":
            return dead_letters.main(options, settings, language)
        case "carry":
            return carry.main(options, settings, language)
        case "probe":
            return probe.main(settings, language)
    for text in _summary(settings, path):
        print(text(language))
    return 0


def _summary(settings: config.GatewayConfig, path: Path) -> Iterator[Text]:
    store, broker = settings.store.type, f"{settings.mqtt.host}:{settings.mqtt.port}"
    yield Text(
        f"{path}: no mistakes found: {store} store, broker {broker}",
        f"{path}: 이상 없음: 저장소 {store}, 브로커 {broker}",
    )
    yield from settings.mqtt.notes("mqtt")


def _run(settings: config.GatewayConfig) -> int:
    from gateway.app import Gateway  # noqa: PLC0415 - `check` loads no broker or database library
    from gateway.stores.base import StoreUnavailable  # noqa: PLC0415

    logs.configure()
    os.umask(0o077)  # neither the store nor a dead letter is for other users of this machine
    for text in settings.mqtt.notes("mqtt"):
        logging.getLogger(__name__).warning("%s", text.en)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        gateway = Gateway(settings)
    except (StoreUnavailable, OSError) as exc:
        logging.getLogger(__name__).error("cannot start: %s", exc)  # noqa: TRY400 - a person reads this
        return 1
    return gateway.run(stop)
