"""The work of `techsquare night`, whose engines are loaded when it runs."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from service.exits import CLEAN, FAULT
from settings.errors import ConfigError
from techsquare.api.verbs import AT
from techsquare.catalogue.load import load
from techsquare.cli.common import ExitError, registry
from techsquare.registry.people import Job
from techsquare.services import nightly
from techsquare.services.jobs import Jobs
from techsquare.services.work import KINDS, Bench

if TYPE_CHECKING:
    import argparse

    from techsquare.registry.store import Registry

WAIT_S = 1.0


def run(args: argparse.Namespace, _parser: argparse.ArgumentParser) -> int:
    """Do the night; return the exit code: 1 where a task has failed."""
    with registry(args) as found:
        try:
            bench = Bench(found, load(args.catalogue), time.time_ns)
        except ConfigError as exc:
            raise ExitError(str(exc)) from exc
        name = nightly.by_hand(found, bench.clock, AT)
        jobs = Jobs(bench, {"night": KINDS["night"]}, 0)
        while not _over(found, name):
            if not jobs.step():
                time.sleep(WAIT_S)  # a server was faster: it is done there
        row = _row(found, name)
    if row.answer is None:
        raise ExitError(f"the night has not come to an end: {row.error or row.state}")
    if args.json:
        print(json.dumps(row.answer, ensure_ascii=False))
    else:
        for task, done in row.answer.items():
            words = done if isinstance(done, str) else ", ".join(f"{n} {what}" for what, n in done.items())
            print(f"{task}: {words or 'nothing to do'}")
    return FAULT if "failed" in row.answer.values() else CLEAN


def _row(found: Registry, name: str) -> Job:
    with found.reading() as session:
        return session.get_one(Job, name)


def _over(found: Registry, name: str) -> bool:
    return _row(found, name).ended_at is not None
