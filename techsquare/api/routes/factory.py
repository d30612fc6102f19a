"""What an owner does for his factory, or its mentor with him."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response
from sqlalchemy.orm import Session  # noqa: TC002

from techsquare.api import forms as f
from techsquare.api.who import Known, Matches, Writes, plain_row
from techsquare.api.working import begun, shown
from techsquare.registry.people import Job
from techsquare.registry.policy import allowed
from techsquare.services import factory as service
from techsquare.services import items, jobs, lists, offers, roadmap
from techsquare.services.days import day_of
from techsquare.services.rights import Caller, need, seen

router = APIRouter(prefix="/v1", tags=["factory"])
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.:@-]{1,120}$")]


@router.post("/factories/{factory}/rates", status_code=201)
def say_rates(asking: Writes, factory: Id, form: f.RatesForm) -> f.Made:
    """Say what a piece, an hour and a kilowatt-hour are worth."""
    row = asking.write(lambda s, c: service.rates(s, c, factory, form.model_dump(mode="json")), factory)
    return f.Made(id=row.id, row=plain_row(row, "at", "body"))


@router.post("/factories/{factory}/budgets", status_code=201)
def say_budget(asking: Writes, factory: Id, form: f.BudgetForm) -> f.Made:
    """Say what there is for each of three phases."""
    row = asking.write(lambda s, c: service.budget(s, c, factory, **form.model_dump()), factory)
    return f.Made(id=row.id, row=plain_row(row, "at", "cash", "staff_days", "support", "most_measures"))


@router.post("/factories/{factory}/exclusions", status_code=201)
def exclude(asking: Writes, factory: Id, form: f.Excluding) -> f.Made:
    """Say that a supplier, or a solution, is not wanted. It never learns of it."""
    row = asking.write(
        lambda s, c: service.exclude(s, c, factory, form.supplier_id, form.solution_id, form.why), factory
    )
    return f.Made(id=row.id)


@router.delete("/exclusions/{exclusion}", status_code=204)
def include(asking: Writes, exclusion: Id) -> Response:
    """Take an exclusion back."""
    asking.write(lambda s, c: service.include(s, c, exclusion))
    return Response(status_code=204)


@router.put("/factories/{factory}/machines/{machine}")
def change_machine(
    asking: Writes, factory: Id, machine: Annotated[str, Path(pattern=r"^[a-z0-9_-]{1,48}$")], form: f.MachineForm
) -> f.Made:
    """Say what is known of a machine, or register it by hand."""
    changed = form.model_dump(exclude_none=True)
    row = asking.write(lambda s, c: service.machine(s, c, factory, machine, changed), factory)
    return f.Made(
        id=row.id, row=plain_row(row, "name", "process", "maker", "interfaces", "limits_output", "comparable")
    )


@router.post("/factories/{factory}/application")
def record_application(asking: Writes, factory: Id, form: f.AppliedForm) -> f.Made:
    """Record when the factory asked for help; no baseline begins before."""
    row = asking.write(lambda s, c: service.applied(s, c, factory, form.on), factory)
    return f.Made(id=row.id, row=plain_row(row, "applied_on"))


@router.post("/factories/{factory}/consents", status_code=201)
def record_consent(asking: Writes, factory: Id, form: f.ConsentForm) -> f.Made:
    """Record what the owner agrees to; what he takes back is deleted at once."""
    row, holds, gone = asking.write(
        lambda s, c: service.consent(s, c, factory, form.agent_id, form.scopes, form.until), factory
    )
    return f.Made(id=row.id, row={**plain_row(row, "since", "scopes", "until"), "holds": holds, "deleted": gone})


@router.post("/factories/{factory}/roadmaps", status_code=201)
def make_roadmap(asking: Writes, factory: Id, form: f.RoadmapForm) -> f.Made:
    """Make the plan of the greatest value within the budget; nothing bought is a plan as well."""
    here = asking.house
    begins = form.begins or day_of(asking.caller.now)
    row = asking.write(lambda s, c: roadmap.compute(s, c, here.catalogue, factory, begins, form.excluded), factory)
    return f.Made(id=row.id, row=plain_row(row, "factory_id", "version", "value", "bound", "proven", "body"))


@router.post("/roadmaps/{roadmap_id}/reasons", status_code=202)
def ask_reasons(asking: Writes, roadmap_id: Id, response: Response) -> f.JobShown:
    """Ask for each measure that is not in the plan what would bring it in: a job."""

    def work(session: Session, caller: Caller) -> Job:
        plan = roadmap.reasons_of(session, caller, roadmap_id)
        return jobs.begin(session, caller, "reasons", {"roadmap": roadmap_id}, plan.factory_id)

    return begun(asking, asking.write(work), response)


@router.post("/items/{item}/match")
def match(asking: Writes, item: Id) -> f.Said:
    """Make the list of an open item anew: three offers at most, or the advice not to buy now."""
    here = asking.house
    return f.Said(said=asking.write(lambda s, c: lists.for_item(s, c, here.catalogue, item)))


@router.post("/items/{item}/done")
def item_done(asking: Writes, item: Id) -> f.Made:
    """Say that an open item's measure stands without a supplier: owner or mentor. What waits for it can go on."""
    row = asking.write(lambda s, c: items.stands(s, c, item))
    return f.Made(id=row.id, row=plain_row(row, "measure_id", "machine_id", "state"))


@router.delete("/items/{item}/done")
def item_not_done(asking: Writes, item: Id) -> f.Made:
    """Take back that it stands."""
    row = asking.write(lambda s, c: items.falls(s, c, item))
    return f.Made(id=row.id, row=plain_row(row, "measure_id", "machine_id", "state"))


@router.get("/items/{item}/why-not/{supplier}")
def why_not(asking: Known, item: Id, supplier: Id) -> list[f.Said]:
    """Say why a named supplier's solutions are not on an item's list."""
    here = asking.house
    found = asking.read(lambda s, c: lists.why_not(s, c, here.catalogue, item, supplier))
    return [f.Said(said=one) for one in found]


@router.get("/offers/{offer}/reasons")
def explain_offer(asking: Known, offer: Id) -> f.Said:
    """Say why an offer stands on its list: what it passed, its worth, the record behind it."""
    here = asking.house
    return f.Said(said=asking.read(lambda s, c: lists.explained(s, c, here.catalogue, offer)))


@router.post("/matching", status_code=202)
def match_all(asking: Matches, response: Response) -> f.JobShown:
    """Make the lists of all open items: the operator, as a job."""

    def work(session: Session, caller: Caller) -> Job:
        need(caller, "operator")
        return jobs.begin(session, caller, "matching", {"user": asking.caller.user})

    return begun(asking, asking.write(work), response)


@router.post("/offers/{offer}/answer")
def answer_offer(asking: Writes, offer: Id, form: f.AnswerForm) -> f.Made:
    """Say whether an offer is wanted, and whether its supplier may get in touch."""
    row = asking.write(lambda s, c: offers.answer(s, c, offer, form.answer, contact=form.contact))
    return f.Made(id=row.id, row=plain_row(row, "answer", "answered_at", "contacted_at", "ended_at"))


@router.get("/jobs/{job}")
def get_job(asking: Known, job: Id) -> f.JobShown:
    """Say how far a job is."""

    def work(session: Session, caller: Caller) -> f.JobShown:
        row = seen(session, caller, Job, job)
        return shown(row, whole="answer" in allowed(session, row, caller.reader))

    return asking.read(work)


@router.post("/jobs/{job}/stop")
def stop_job(asking: Writes, job: Id) -> f.JobShown:
    """Stop a job of one's own."""
    return shown(asking.write(lambda s, c: jobs.stop(s, c, job)), whole=False)
