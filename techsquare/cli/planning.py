"""The work of `techsquare roadmap`, whose solver is loaded when it runs."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from service.exits import CLEAN
from settings.errors import ConfigError
from settings.language import choose
from techsquare.api.given import RoadmapProblem
from techsquare.api.words import WORDS
from techsquare.catalogue.load import load
from techsquare.cli.common import ExitError, own_channel, registry
from techsquare.cli.told import Teller
from techsquare.registry.audit import Actor
from techsquare.registry.factories import Factory
from techsquare.registry.policy import Reader
from techsquare.roadmap import plan as planning
from techsquare.roadmap.search import NODES
from techsquare.services import roadmap as service
from techsquare.services.days import day_of
from techsquare.services.plain import plain
from techsquare.services.refused import RefusedError
from techsquare.services.rights import Caller

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence
    from datetime import date

    from settings.language import Language

MOST = 2_000_000


class _Made(NamedTuple):
    """A plan, and what is needed to tell it."""

    id: str | None
    plan: Mapping[str, Any]
    not_now: Sequence[Mapping[str, Any]]
    titles: Mapping[str, Mapping[str, str]]
    begins: date


def run(args: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Make the plan and tell it."""
    language = choose(args.lang, os.environ)
    if args.schema:
        print(json.dumps(RoadmapProblem.model_json_schema(), ensure_ascii=False, indent=1))
        return CLEAN
    if (args.factory is None) == (args.problem is None):
        parser.error("roadmap: name a factory of the database, or --problem FILE")
    with own_channel():  # the solver may write to standard output
        made = _of_file(args) if args.problem else _of_database(args, language)
    if args.json:
        said = {"roadmap": made.id, "begins": made.begins.isoformat(), **made.plan, "not_now": made.not_now}
        print(json.dumps(said, ensure_ascii=False))
    else:
        teller = Teller(made.titles, made.begins, language)
        print("\n".join(teller.lines(made.plan, made.not_now, reasons=args.reasons)))
    return CLEAN


def _of_file(args: argparse.Namespace) -> _Made:
    form = _problem(Path(args.problem))
    begins = args.begins or form.begins
    means = form.means.model_copy(update={"excluded": [*form.means.excluded, *args.exclude]})
    try:
        found = planning.roadmap(
            [one.term() for one in form.measures], form.losses_term(), means.term(), form.programmes_term(), begins,
            reasons=args.reasons, nodes=form.nodes if "nodes" in form.model_fields_set else NODES,
        )  # fmt: skip
    except ValueError as exc:
        raise ExitError(f"{args.problem}: {exc}") from exc
    plan = plain(found)
    titles = {one.id: one.title.model_dump() for one in form.measures}
    return _Made(None, plan, plan["not_now"], titles, begins)


def _problem(path: Path) -> RoadmapProblem:
    try:
        with path.open("rb") as file:
            raw = file.read(MOST + 1)
    except OSError as exc:
        raise ExitError(f"{path}: {exc.strerror}") from exc
    if len(raw) > MOST:
        raise ExitError(f"{path}: more than {MOST} bytes")
    try:
        return RoadmapProblem.model_validate_json(raw)
    except ValidationError as exc:
        wrong = [f"{'.'.join(map(str, one['loc'])) or 'the file'}: {one['msg']}" for one in exc.errors()]
        raise ExitError(f"{path}: " + "\n  ".join(wrong[:20])) from exc


def _of_database(args: argparse.Namespace, language: Language) -> _Made:
    factory, now = args.factory, time.time_ns()
    caller = Caller(Reader(None, frozenset({("owner", factory)})), now)  # whoever has the database may do it all
    begins = args.begins or day_of(now)
    try:
        catalogue = load(args.catalogue)
    except ConfigError as exc:
        raise ExitError(str(exc)) from exc
    with registry(args) as found:
        with found.reading() as session:
            if session.get(Factory, factory) is None:
                raise ExitError(f"no factory {factory} is registered here")
        try:
            row = found.decide(
                lambda s: service.compute(s, caller, catalogue, factory, begins, args.exclude),
                Actor("techsquare", factory),
            )
            not_now = row.body["roadmap"]["not_now"]
            if args.reasons:
                with found.reading() as session:
                    unpriced = {one["measure"]: one["unpriced"] for one in not_now}
                    told = service.reasons(session, catalogue, row.id, lambda _share: None)["not_now"]
                    not_now = [{**one, "unpriced": unpriced.get(one["measure"], [])} for one in told]
        except RefusedError as exc:
            words = WORDS[exc.code]
            raise ExitError(words.ko if language == "ko" else words.en) from exc
    titles = {entry.id: {"ko": entry.ko, "en": entry.en} for entry in catalogue.entries}
    return _Made(row.id, row.body["roadmap"], not_now, titles, begins)
