"""What a supplier does for what it offers: solutions, versions, slots."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from sqlalchemy.orm import Session  # noqa: TC002

from contract.verbs import Need
from techsquare.api import forms as f
from techsquare.api.who import Writes, plain_row
from techsquare.registry.suppliers import SolutionVersion  # noqa: TC001
from techsquare.services import fit
from techsquare.services import supplier as service
from techsquare.services.rights import Caller  # noqa: TC001 - likewise

router = APIRouter(prefix="/v1", tags=["supplier"])
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.:@-]{1,120}$")]


@router.post("/suppliers/{supplier}/solutions", status_code=201)
def add_solution(asking: Writes, supplier: Id, form: f.SolutionForm) -> f.Made:
    """Register a solution."""
    row = asking.write(lambda s, c: service.solution(s, c, supplier, form.family, form.name), supplier)
    return f.Made(id=row.id, row=plain_row(row, "supplier_id", "family", "name"))


@router.post("/solutions/{solution}/versions", status_code=201)
def add_version(asking: Writes, solution: Id, form: f.VersionForm) -> f.Made:
    """Draft a version with what it can do."""
    about = form.model_dump(exclude={"price", "yearly", "leaving", "capabilities", "needs"})
    for name, span in (("price", form.price), ("yearly", form.yearly), ("exit", form.leaving)):
        about |= {f"{name}_low": span.low, f"{name}_high": span.high}
    able = {name: {n: p.model_dump() for n, p in found.items()} for name, found in form.capabilities.items()}
    needs = [Need(**one.model_dump()) for one in form.needs]
    catalogue = asking.house.catalogue

    def work(session: Session, caller: Caller) -> SolutionVersion:
        kept = fit.checked(session, caller, catalogue, solution, form.version, needs)
        return service.version(session, caller, solution, about, able, kept)

    row = asking.write(work)
    return f.Made(id=row.id, row=plain_row(row, "solution_id", "version", "state"))


@router.post("/versions/{version}/register")
def register_version(asking: Writes, version: Id) -> f.Made:
    """Register a draft: it is offered from now on, and never changed."""
    row = asking.write(lambda s, c: service.register(s, c, version))
    return f.Made(id=row.id, row=plain_row(row, "state", "hash", "registered_at"))


@router.post("/versions/{version}/withdraw")
def withdraw_version(asking: Writes, version: Id) -> f.Made:
    """Take a version off the market."""
    row = asking.write(lambda s, c: service.withdraw(s, c, version))
    return f.Made(id=row.id, row=plain_row(row, "state"))


@router.put("/suppliers/{supplier}/slots/{quarter}")
def declare_slots(
    asking: Writes, supplier: Id, quarter: Annotated[str, Path(pattern=r"^[12][0-9]{3}-Q[1-4]$")], form: f.SlotForm
) -> f.Made:
    """Say how many projects can be begun in a quarter."""
    row = asking.write(lambda s, c: service.slots(s, c, supplier, quarter, form.declared), supplier)
    return f.Made(id=row.quarter, row=plain_row(row, "declared", "used", "most"))
