"""`techsquare serve`, `import` and `upgrade`: what agents send goes into the database."""

from __future__ import annotations

import json
import logging
import re
import signal
import socket
import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import SQLAlchemyError

from contract.errors import WireError
from contract.signing import private_key
from service import logs
from service.exits import CLEAN, CONFIG, FAULT, UNAVAILABLE
from service.notify import Notifier
from settings.errors import ConfigError
from techsquare.cli.common import ExitError, add_broker, add_database, broker, registry
from techsquare.intake.handed import MOST
from techsquare.intake.intake import Intake
from techsquare.intake.terms import NOT_KEPT
from techsquare.intake.worker import Worker
from techsquare.registry import migrate
from techsquare.registry.errors import RegistryError

if TYPE_CHECKING:
    import argparse

    from contract.signing import PrivateKey

STATS_S = 60.0
_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")


def add(verbs: argparse._SubParsersAction[Any]) -> None:
    """Describe them."""
    serve = verbs.add_parser("intake")
    add_database(serve)
    add_broker(serve)
    serve.add_argument("--name", help="of this worker, its own for each of several; default: the host's name")
    serve.add_argument(
        "--register", type=Path, metavar="FILE",
        help="key that signs registered solutions (64 hex digits); without it no fit test is put to an agent",
    )  # fmt: skip
    serve.set_defaults(run=_serve)
    bring = verbs.add_parser("import")
    bring.add_argument("files", nargs="+", metavar="FILE")
    bring.add_argument("--json", action="store_true", help="what became of each message, as JSON lines")
    add_database(bring)
    bring.set_defaults(run=_import)
    upgrade = verbs.add_parser("upgrade")
    add_database(upgrade)
    upgrade.set_defaults(run=_upgrade)


def _serve(args: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    logs.configure()
    name = args.name or re.sub(r"[^A-Za-z0-9_-]", "-", socket.gethostname())[:40]
    if not _NAME.fullmatch(name):
        parser.error("--name: 1 to 40 of A-Z, a-z, 0-9, - and _")
    where, stop = broker(parser, args), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with registry(args) as found:
        try:
            worker = Worker(found, where, name, register=_register(args.register))
        except ConfigError as exc:
            raise ExitError(str(exc), CONFIG) from exc
        notifier = Notifier()
        worker.start()
        notifier.ready()
        told: dict[str, int] = {}
        last = 0.0
        while worker.alive and not stop.wait(1.0):
            last += 1.0
            notifier.feed()
            counts = dict(worker.intake.counts)
            if last >= STATS_S and counts != told:
                logging.getLogger(__name__).info("so far: %s", counts)
                last, told = 0.0, counts
        notifier.stopping()
        gone, broken = worker.link.gone, not worker.alive
        worker.stop()
    return UNAVAILABLE if gone else FAULT if broken else CLEAN


def _register(path: Path | None) -> PrivateKey | None:
    if path is None:
        return None
    try:
        return private_key(bytes.fromhex(path.read_text("ascii").strip()))
    except (OSError, ValueError) as exc:
        why = exc.strerror if isinstance(exc, OSError) else "it is not 64 hex digits"
        raise ExitError(f"--register {path}: {why}", CONFIG) from None


def _import(args: argparse.Namespace, _parser: argparse.ArgumentParser) -> int:
    code = CLEAN
    with registry(args) as found:
        intake = Intake(found)
        for name in args.files:
            try:
                raw = _read(Path(name))
                told = intake.hand(raw)
            except (OSError, WireError, RegistryError) as exc:
                raise ExitError(f"{name}: {exc}") from exc
            except SQLAlchemyError as exc:
                raise ExitError(f"{name}: the database takes nothing ({type(exc).__name__})") from None
            fates = Counter(outcome.fate for _, outcome in told)
            if any(fate in NOT_KEPT for fate in fates):
                code = FAULT
            if args.json:
                for message, outcome in told:
                    line = {"file": name, "topic": message.topic, "fate": outcome.fate, "why": outcome.why}
                    print(json.dumps(line, ensure_ascii=False))
                continue
            print(f"{name}: {', '.join(f'{n} {fate}' for fate, n in sorted(fates.items()))}")
            for message, outcome in told:
                if outcome.fate in NOT_KEPT:
                    print(f"  {message.topic}: {outcome.fate}: {outcome.why}")
    return code


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        raw = file.read(MOST + 1)
    if len(raw) > MOST:
        raise WireError(f"more than {MOST} bytes")
    return raw


def _upgrade(args: argparse.Namespace, _parser: argparse.ArgumentParser) -> int:
    with registry(args, checked=False) as found:
        try:
            before = migrate.version(found)
            migrate.upgrade(found)
            after = migrate.version(found)
        except SQLAlchemyError as exc:
            raise ExitError(f"the database cannot be upgraded ({type(exc).__name__})") from None
    print(f"the tables are of version {after}" + (", as before" if before == after else ""))
    return CLEAN
