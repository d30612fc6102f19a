"""Who looks after a factory: mentors, queue, visits, messages, and what all of it costs."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field
from sqlalchemy.orm import Session  # noqa: TC002

from settings.language import Language  # noqa: TC001
from techsquare.api import forms as f
from techsquare.api.who import Known, Matches, Writes, plain_row
from techsquare.api.words import language
from techsquare.mentoring.terms import Kind  # noqa: TC001
from techsquare.registry.people import Job  # noqa: TC001
from techsquare.services import costs, jobs, mentoring, messages, urgent, visits
from techsquare.services.rights import Caller, need

router = APIRouter(prefix="/v1", tags=["mentoring"])
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.:@-]{1,120}$")]
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2200, 1, 1))]
VisitKind = Literal["first", "diagnosis", "installation", "follow_up", "verdict", "takeover"]
CostKind = Literal["diagnosis", "visit", "measure", "verification", "other"]


class LineForm(f.Form):
    """A line of the queue that has been seen to."""

    factory: f.Slug
    kind: Kind
    subject: Annotated[str, Field(min_length=1, max_length=400)]
    note: f.Text | None = None


class VisitForm(f.Form):
    """A visit: what for, and on which day if one is meant. Without a kind: the first, or one for a diagnosis."""

    kind: VisitKind | None = None
    on: Day | None = None


class DayForm(f.Form):
    """A day."""

    on: Day


class DoneForm(f.Form):
    """A visit that took place, and what was found: line of the sheet, or any heading -> words."""

    on: Day
    found: Annotated[dict[f.Name, f.Text], Field(max_length=100, default_factory=dict)]


class WriteForm(f.Form):
    """A message to the mentor (from him: to the owner), or between a factory and the operator."""

    to: Literal["mentor", "operator"] = "mentor"
    text: f.Text


class AboutForm(f.Form):
    """A message about a project."""

    text: f.Text


class CostForm(f.Form):
    """What something has cost; `won` null: nobody has told yet. `instead`: the line of which it was not told."""

    kind: CostKind
    won: f.Won | None = None
    on: Day
    programme: f.Key | None = None
    eligible: f.Won | None = None
    sponsor: Annotated[float, Field(ge=0, le=1)] = 0.0
    note: f.Text | None = None
    instead: f.Key | None = None


def _language(request: Request) -> Language:
    found: Language = "en" if language(request.headers.get("accept-language")) == "en" else "ko"
    return found


# Mentors


@router.put("/factories/{factory}/mentor")
def change_mentor(asking: Writes, factory: Id, form: f.MentorChange) -> f.Made:
    """Give the factory a mentor, or another one: at any time, without penalty. None free: the operator answers."""
    row = asking.write(
        lambda s, c: mentoring.assign(s, c, factory, form.mentor_id, form.reason, form.handover), factory
    )
    if row is None:
        return f.Made(id=factory, row={"factory_id": factory, "mentor_id": None, "since": None})
    return f.Made(id=row.id, row=plain_row(row, "factory_id", "mentor_id", "since"))


@router.get("/factories/{factory}/mentors/{mentor}")
def why_mentor(asking: Known, factory: Id, mentor: Id) -> f.Said:
    """Say what stands between a factory and a mentor, and what it would cost all who wait if he had it."""
    return f.Said(said=asking.read(lambda s, c: mentoring.why(s, c, factory, mentor)))


@router.get("/mentoring/proposal")
def propose_mentors(asking: Known) -> f.Said:
    """Say who would be given whom now, and what stands in the way of the others: the operator."""
    return f.Said(said=asking.read(mentoring.proposal))


@router.post("/mentoring/assignments", status_code=202)
def assign_mentors(asking: Matches, response: Response) -> f.JobShown:
    """Give all factories that wait a mentor: the operator, as a job."""

    def work(session: Session, caller: Caller) -> Job:
        need(caller, "operator")
        return jobs.begin(session, caller, "mentors", {"user": caller.user})

    row = asking.write(work)
    response.headers["Location"] = f"/v1/jobs/{row.id}"
    asking.house.jobs.wake()
    return f.JobShown(**plain_row(row, "id", "kind", "state", "progress", "error", "answer"))


@router.get("/mentors/{mentor}/queue")
def get_queue(asking: Known, mentor: Id) -> f.Said:
    """Give a mentor's queue in the published order."""
    return f.Said(said=asking.read(lambda s, c: urgent.of_mentor(s, c, mentor)))


@router.post("/queue/settled")
def settle_line(asking: Writes, form: LineForm) -> f.Said:
    """Say that a line has been seen to."""
    count = asking.write(
        lambda s, c: urgent.settle(s, c, form.factory, form.kind, form.subject, form.note), form.factory
    )
    said: dict[str, Any] = {"settled": count}
    return f.Said(said=said)


# Visits


@router.post("/factories/{factory}/visits", status_code=201)
def ask_visit(asking: Writes, factory: Id, form: VisitForm) -> f.Made:
    """Ask for a visit: the owner; the mentor plans one at once."""
    row = asking.write(lambda s, c: visits.ask(s, c, factory, form.kind, form.on), factory)
    return f.Made(id=row.id, row=plain_row(row, "kind", "state", "planned_on"))


@router.post("/visits/{visit}/plan")
def plan_visit(asking: Writes, visit: Id, form: DayForm) -> f.Made:
    """Put a visit on a day: the mentor."""
    row = asking.write(lambda s, c: visits.plan(s, c, visit, form.on))
    return f.Made(id=row.id, row=plain_row(row, "kind", "state", "planned_on"))


@router.get("/visits/{visit}/sheet")
def get_sheet(asking: Known, visit: Id, request: Request) -> f.Said:
    """Give the sheet of a visit: of this moment, or as it was kept."""
    return f.Said(said=asking.read(lambda s, c: visits.sheet(s, c, visit, _language(request))))


@router.post("/visits/{visit}/done")
def finish_visit(asking: Writes, visit: Id, form: DoneForm, request: Request) -> f.Made:
    """Keep that a visit took place, with what was found: the mentor."""
    row = asking.write(lambda s, c: visits.done(s, c, visit, form.on, form.found, _language(request)))
    return f.Made(id=row.id, row=plain_row(row, "kind", "state", "done_on", "sheet"))


@router.post("/visits/{visit}/missed")
def miss_visit(asking: Writes, visit: Id) -> f.Made:
    """Keep that a visit did not take place."""
    row = asking.write(lambda s, c: visits.ended(s, c, visit, missed=True))
    return f.Made(id=row.id, row=plain_row(row, "kind", "state"))


@router.post("/visits/{visit}/drop")
def drop_visit(asking: Writes, visit: Id) -> f.Made:
    """Keep that a visit is not wanted any more."""
    row = asking.write(lambda s, c: visits.ended(s, c, visit, missed=False))
    return f.Made(id=row.id, row=plain_row(row, "kind", "state"))


# Messages


@router.post("/factories/{factory}/messages", status_code=201)
def write_message(asking: Writes, factory: Id, form: WriteForm) -> f.Made:
    """Write between a factory and its mentor, or the operator; without a mentor the operator answers."""
    row = asking.write(lambda s, c: messages.write(s, c, factory, form.to, form.text), factory)
    return f.Made(id=row.id, row=plain_row(row, "factory_id", "party_id", "at"))


@router.post("/engagements/{engagement}/messages", status_code=201)
def write_about(asking: Writes, engagement: Id, form: AboutForm) -> f.Made:
    """Write about a project: owner, mentor or supplier of it."""
    row = asking.write(lambda s, c: messages.about_project(s, c, engagement, form.text))
    return f.Made(id=row.id, row=plain_row(row, "factory_id", "party_id", "engagement_id", "at"))


@router.post("/messages/{message}/read")
def read_message(asking: Writes, message: Id) -> f.Made:
    """Mark a message read that is for oneself."""
    row = asking.write(lambda s, c: messages.read(s, c, message))
    return f.Made(id=row.id, row=plain_row(row, "read_at"))


# The sponsor's ledger


@router.post("/factories/{factory}/costs", status_code=201)
def add_cost(asking: Writes, factory: Id, form: CostForm) -> list[f.Made]:
    """Keep what something has cost, a line a payer: the operator."""
    share = Fraction(form.sponsor).limit_denominator(10_000)
    rows = asking.write(
        lambda s, c: costs.spend(
            s, c, factory, form.kind, form.won, form.on, programme=form.programme, eligible=form.eligible,
            sponsor=share, note=form.note, instead=form.instead,
        )
    )  # fmt: skip
    return [f.Made(id=row.id, row=plain_row(row, "kind", "won", "payer", "on_date", "funding_id")) for row in rows]


@router.get("/factories/{factory}/ledger")
def get_ledger(asking: Known, factory: Id) -> f.Said:
    """Give the sums of what was spent on a factory, by payer: its owner, its mentor, the operator."""
    return f.Said(said=asking.read(lambda s, c: costs.of_factory(s, c, factory)))


@router.get("/ledger")
def get_whole_ledger(asking: Known, since: Day | None = None, until: Day | None = None) -> f.Said:
    """Give the sums of all factories: the operator."""
    return f.Said(said=asking.read(lambda s, c: costs.of_all(s, c, since, until)))
