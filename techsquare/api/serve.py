"""`techsquare serve` and `techsquare operator`: the API on a database, and the first of those who run it."""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import uvicorn
from sqlalchemy.exc import SQLAlchemyError

from service.exits import CONFIG, FAULT
from service.notify import Notifier
from settings.errors import ConfigError
from techsquare.api.app import create
from techsquare.api.settings import ListenError, Settings, listen
from techsquare.api.verbs import DATABASE
from techsquare.api.who import now_ns
from techsquare.catalogue.load import load
from techsquare.registry import migrate
from techsquare.registry.audit import Actor
from techsquare.registry.errors import RegistryError
from techsquare.registry.store import Registry
from techsquare.services import catalogue, people
from techsquare.services.days import day_of
from techsquare.services.refused import RefusedError

if TYPE_CHECKING:
    import argparse
    import socket


def run(args: argparse.Namespace) -> int:
    """Serve until somebody ends it; return the exit code."""
    if bool(args.certificate) != bool(args.key):
        _say("techsquare: --certificate and --key belong together")
        return 2
    try:
        host, port = listen(args.listen, covered=bool(args.certificate or args.proxy))
    except ListenError as exc:
        _say(f"techsquare: {exc}")
        return 2
    registry = _open(args.database)
    if isinstance(registry, int):
        return registry
    try:
        measures = load(args.catalogue)
    except ConfigError as exc:
        _say(f"techsquare: {exc}")
        registry.close()
        return CONFIG
    now = now_ns()
    registry.decide(lambda s: catalogue.sync(s, measures, day_of(now)), Actor("techsquare"))
    settings = uvicorn.Config(
        create(registry, measures, Settings(night=args.night)),
        host=host,
        port=port,
        ssl_certfile=args.certificate,
        ssl_keyfile=args.key,
        proxy_headers=bool(args.proxy),
        forwarded_allow_ips=args.proxy or "",
        server_header=False,
        date_header=False,
        access_log=False,  # addresses of paths hold ids
        log_level="warning",
    )
    sys.stdout.write(f"techsquare: serving http{'s' if args.certificate else ''}://{host}:{port}\n")
    sys.stdout.flush()
    signal.signal(signal.SIGTERM, lambda *_: None)  # uvicorn ends by it, and raises it once more when it has
    try:
        with suppress(KeyboardInterrupt):  # that is how it is ended
            _Server(settings).run()
    finally:
        registry.close()
    return 0


def invite(args: argparse.Namespace) -> int:
    """Print the first operator's invitation, or one for who has lost his password; return the exit code."""
    registry = _open(args.database)
    if isinstance(registry, int):
        return registry
    now = now_ns()
    try:
        if args.reset:
            shown = registry.decide(lambda s: people.lost(s, args.email, now), Actor("techsquare"))
        else:
            shown = registry.decide(
                lambda s: people.first_operator(s, args.email, args.name, now), Actor("techsquare")
            )
    except RefusedError:
        _say(
            "techsquare: no operator has this address"
            if args.reset
            else "techsquare: there is an operator already, who can invite others; lost password: --reset"
        )
        return 1
    finally:
        registry.close()
    sys.stdout.write(shown.token + "\n")
    return 0


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


def _open(url: str | None) -> Registry | int:
    """Return the database, or the exit code: a person has to mend the address or the tables, or it is away."""
    if not url:
        _say(f"techsquare: give --database URL, or {DATABASE} in the environment")
        return CONFIG
    try:
        registry = Registry(url)
        migrate.check(registry)
    except RegistryError as exc:
        _say(f"techsquare: {exc}")
        return CONFIG
    except SQLAlchemyError as exc:
        _say(f"techsquare: the database does not answer ({type(exc).__name__})")
        return FAULT
    return registry


class _Server(uvicorn.Server):
    """A server that tells the service manager when it listens and when it ends."""

    notifier = Notifier()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen."""
        await super().startup(sockets)
        if self.started:
            self.notifier.ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what is at work."""
        self.notifier.stopping()
        await super().shutdown(sockets)
