"""A factory without hardware: the twenty questions, and the mentor's questionnaire.

Answers are kept beside those before them; the latest of each question holds. They make a diagnosis at once, which
is marked as answers (`kind`), and everything that can be done with one can be done with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from techsquare.entry.terms import MAIN
from techsquare.registry import tables as t
from techsquare.registry.ids import new_id
from techsquare.registry.store import add
from techsquare.services import assessing, said
from techsquare.services.days import day_of
from techsquare.services.factory import machine as machine_of
from techsquare.services.refused import RefusedError
from techsquare.services.rights import for_factory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from techsquare.services.rights import Caller

MAIN_NAME = "주력 설비"
"""What the machine that nobody has named is called, until somebody does."""
NO_PROCESS = "other"


def questions() -> dict[str, Any]:
    """Return the twenty questions and what can be measured without hardware, in Korean and English."""
    return said.form().model_dump(mode="json")


def questionnaire() -> dict[str, Any]:
    """Return the mentor's questionnaire, in Korean and English."""
    return said.questionnaire().model_dump(mode="json")


def answer(
    session: Session, caller: Caller, factory: str, answers: Mapping[str, float | str | None], machine: str | None
) -> t.Assessment | None:
    """Keep answers to some of the twenty questions, and return the diagnosis that follows; None: nobody knew any.

    Args:
        session: Inside `Registry.decide`.
        caller: Owner or mentor.
        factory: Its id.
        answers: By question; None is "모름". What is not in it stays as it was.
        machine: Which one is meant; None: the one that was meant before, or one that is registered for it.

    Raises:
        RefusedError: `not_there`: also a machine that is not registered.
    """
    for_factory(session, caller, factory)
    if machine is not None and session.get(t.Machine, (factory, machine)) is None:
        raise RefusedError("not_there")
    meant = machine or said.told(session, factory).machine
    rows = [
        t.Answer(
            id=new_id(), factory_id=factory, question=name, machine_id=meant, value={"value": value}, at=caller.now,
            by_user=caller.reader.user,
        )
        for name, value in sorted(answers.items())
    ]  # fmt: skip
    add(session, *rows)
    _meant(session, caller, factory, meant, answers.get("process"))
    return assessing.stored(session, factory, caller.now)


def _meant(session: Session, caller: Caller, factory: str, machine: str, process: float | str | None) -> None:
    """Have a row of the machine that was meant, so that measures can be for it; what stood in its place goes."""
    if session.get(t.Machine, (factory, machine)) is None:
        machine_of(session, caller, factory, machine, {"name": MAIN_NAME})
    row, place = session.get_one(t.Machine, (factory, machine)), session.get_one(t.Factory, factory)
    if isinstance(process, str) and process != NO_PROCESS and process in _processes():
        row.process = row.process or process
        place.process = place.process or process
    stood = session.get(t.Machine, (factory, MAIN))
    if machine == MAIN:
        row.retired_on = None
    elif stood is not None and stood.name == MAIN_NAME:
        stood.retired_on = stood.retired_on or day_of(caller.now)
    session.flush()


def _processes() -> frozenset[str]:
    return frozenset(choice.id for q in said.form().questions if q.id == "process" for choice in q.choices)


def fill_in(session: Session, caller: Caller, factory: str, levels: Mapping[str, int | None]) -> list[t.Answer]:
    """Keep answers to the mentor's questionnaire: an entry of each scale from 0; None: nobody knows here.

    Raises:
        RefusedError: `not_there`; `off_scale`, with the questions.
    """
    for_factory(session, caller, factory)
    known = {q.id: q for q in said.questionnaire().questions}
    wrong = sorted(
        name
        for name, level in levels.items()
        if name not in known or (level is not None and not 0 <= level < len(known[name].scale))
    )
    if wrong:
        raise RefusedError("off_scale", questions=wrong)
    rows = [
        t.Answer(
            id=new_id(), factory_id=factory, question=name, value={"level": level}, metric=known[name].band,
            at=caller.now, by_user=caller.reader.user,
        )
        for name, level in sorted(levels.items())
    ]  # fmt: skip
    add(session, *rows)
    return rows
