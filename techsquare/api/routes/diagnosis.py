"""What is known of a factory and what follows: answers, hand counts, diagnosis, others' quartiles."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path
from pydantic import Field

from techsquare.api import forms as f
from techsquare.api.who import Anyone, Known, Writes, plain_row
from techsquare.diagnosis.counted import Kind  # noqa: TC001 - pydantic reads it
from techsquare.entry.model import QuestionId  # noqa: TC001 - pydantic reads it
from techsquare.services import assessing, counting, entering, peering, standing
from techsquare.services.plain import plain

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from techsquare.registry.advice import Assessment
    from techsquare.services.counting import ByHand
    from techsquare.services.rights import Caller

router = APIRouter(prefix="/v1", tags=["diagnosis"])
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.:@-]{1,120}$")]
Number = Annotated[float, Field(ge=-1e12, le=1e12, allow_inf_nan=False)]
SHOWN = (
    "factory_id", "at", "kind", "state", "window_from", "window_to", "formulas", "model", "coverage", "hash",
    "body",
)  # fmt: skip


class AnswersForm(f.Form):
    """Answers to some of the twenty questions; null is "모름". What is left out stays as it was."""

    answers: Annotated[dict[QuestionId, Number | f.Word | None], Field(min_length=1)]
    machine: f.Slug | None = Field(None, description="the machine that deliveries hang on, once it has an id")


class LevelsForm(f.Form):
    """Entries of the scales of the mentor's questionnaire, from 0; null: nobody knows here."""

    levels: Annotated[dict[f.Key, Annotated[int, Field(ge=0, le=9)] | None], Field(min_length=1, max_length=100)]


class LineForm(f.Form):
    """A hand count, minutes of a day, or a meter."""

    machine: f.Slug
    day: Annotated[date, Field(ge=date(2000, 1, 1), le=date(2199, 12, 31))]
    kind: Kind
    value: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


class LinesForm(f.Form):
    """Lines of the form; a later one of the same machine, day and kind counts in place of an earlier one."""

    lines: Annotated[list[LineForm], Field(min_length=1, max_length=500)]


@router.get("/entry/questions")
def list_questions(asking: Anyone) -> f.Said:  # noqa: ARG001 - its limits hold
    """Say the twenty questions with their choices, in Korean and English, and what can be measured by hand."""
    return f.Said(said=entering.questions())


@router.get("/entry/questionnaire")
def list_questionnaire(asking: Anyone) -> f.Said:  # noqa: ARG001 - likewise
    """Say the mentor's questionnaire with its scales, in Korean and English."""
    return f.Said(said=entering.questionnaire())


@router.post("/factories/{factory}/answers", status_code=201)
def say_answers(asking: Writes, factory: Id, form: AnswersForm) -> f.Said:
    """Answer some of the twenty questions; what follows is told at once, marked as answers."""
    answers = {str(name): value for name, value in form.answers.items()}

    def work(session: Session, caller: Caller) -> dict[str, Any]:
        row = entering.answer(session, caller, factory, answers, form.machine)
        return {
            "assessment": None if row is None else {"id": row.id, **_shown(row)},
            "standings": plain(standing.of(session, caller, factory)),
        }

    return f.Said(said=asking.write(work, factory))


@router.post("/factories/{factory}/questionnaire", status_code=201)
def say_levels(asking: Writes, factory: Id, form: LevelsForm) -> f.Said:
    """Answer some of the mentor's questionnaire."""
    rows = asking.write(lambda s, c: entering.fill_in(s, c, factory, form.levels), factory)
    return f.Said(said={"answers": [row.id for row in rows]})


@router.post("/factories/{factory}/readings", status_code=201)
def write_readings(asking: Writes, factory: Id, form: LinesForm) -> f.Said:
    """Write down what was counted, clocked or read; say which days it makes, and what cannot be true."""
    lines = [counting.Line(one.machine, one.day, one.kind, one.value) for one in form.lines]
    rows, made = asking.write(lambda s, c: counting.write(s, c, factory, lines), factory)
    return f.Said(said={"readings": [row.id for row in rows], **_by_hand(made)})


@router.delete("/readings/{reading}")
def take_reading_back(asking: Writes, reading: Id) -> f.Said:
    """Take a line back that was written for a wrong machine or day."""
    return f.Said(said=_by_hand(asking.write(lambda s, c: counting.take_back(s, c, reading))))


@router.post("/factories/{factory}/assessments", status_code=201)
def assess(asking: Writes, factory: Id) -> f.Made:
    """Make the diagnosis of this moment; the latest one where nothing has changed since."""
    row = asking.write(lambda s, c: assessing.assess(s, c, factory), factory)
    return f.Made(id=row.id, row=_shown(row))


@router.get("/factories/{factory}/standings")
def list_standings(asking: Known, factory: Id) -> f.Said:
    """Say where each result stands, why it is no better, and what to do next."""
    return f.Said(said={"standings": plain(asking.read(lambda s, c: standing.of(s, c, factory)))})


@router.get("/factories/{factory}/peers")
def list_peers(asking: Known, factory: Id) -> f.Said:
    """Say the quartiles of others in the last frozen quarter, and where the factory stands."""
    return f.Said(said={"peers": asking.read(lambda s, c: peering.shown_to(s, c, factory))})


def _shown(row: Assessment) -> dict[str, Any]:
    return plain_row(row, *SHOWN)


def _by_hand(made: ByHand) -> dict[str, Any]:
    """Return the days that all lines make, and the lines that cannot be true."""
    return {"days": plain(made.days), "refused": plain(made.refused)}
