"""What holds when a supplier is gone: its accounts, deposits, the takeover; and maintenance until then."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response
from pydantic import Field, StringConstraints

from techsquare.api import forms as f
from techsquare.api.who import Known, Matches, Writes, plain_row
from techsquare.matching.continuity import Accounts
from techsquare.services import accounts, escrow, projects, takeovers, tickets
from techsquare.services.takeovers import Step  # noqa: TC001 - FastAPI reads it

router = APIRouter(prefix="/v1", tags=["continuity"])
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.:@-]{1,120}$")]
Amount = Annotated[int, Field(ge=-(10**15), le=10**15)]
Positive = Annotated[int, Field(ge=0, le=10**15)]


class AccountsForm(f.Form):
    """A year's accounts in whole won, and the consent to what they are used for: conditions of contracts."""

    year: Annotated[int, Field(ge=2000, le=2200)]
    current_assets: Positive
    current_liabilities: Positive
    assets: Positive
    liabilities: Positive
    retained_earnings: Amount
    ebit: Amount
    equity: Amount
    consent: Literal[True]


class DepositForm(f.Form):
    """Where source, build recipe, database and interface design and manual were laid down, and their SHA-256."""

    place: f.Name
    hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    engagement: f.Key | None = None


class BuiltForm(f.Form):
    """Who has built the software from a deposit."""

    built_by: f.Key


class SuccessorForm(f.Form):
    """Who is asked to go on."""

    supplier: f.Key


class SucceedingForm(f.Form):
    """With which version the successor goes on, where it replaces what there was."""

    version: f.Key | None = None


class StepsForm(f.Form):
    """Steps of the checklist that are done."""

    done: Annotated[list[Step], Field(max_length=10)]


class TicketForm(f.Form):
    """What does not work."""

    severity: Literal["low", "high", "stopped"]
    text: f.Text


class AnswerForm(f.Form):
    """What the supplier says of it."""

    text: f.Text


@router.post("/suppliers/{supplier}/accounts", status_code=201)
def file_accounts(asking: Writes, supplier: Id, form: AccountsForm) -> f.Made:
    """File a year's accounts: the supplier itself. They set conditions of contracts, never a rank."""
    figures = Accounts(**form.model_dump(exclude={"year", "consent"}))
    row = asking.write(lambda s, c: accounts.file(s, c, supplier, form.year, figures), supplier)
    return f.Made(id=row.id, row=plain_row(row, "year", "figures", "z2", "zone", "filed_at"))


@router.delete("/accounts/{account}", status_code=204)
def take_accounts_back(asking: Writes, account: Id) -> Response:
    """Take a year's accounts back: they are deleted."""
    asking.write(lambda s, c: accounts.take_back(s, c, account))
    return Response(status_code=204)


@router.post("/suppliers/{supplier}/close")
def close_supplier(asking: Matches, supplier: Id) -> f.Made:
    """Write down that a supplier has closed: the operator. Its projects ask for a successor."""
    row = asking.write(lambda s, c: projects.close(s, c, supplier))
    return f.Made(id=row.id, row=plain_row(row, "state"))


@router.get("/suppliers/{supplier}/service")
def supplier_service(asking: Known, supplier: Id) -> f.Said:
    """Say how soon a supplier answers its tickets; nothing below five of them."""
    return f.Said(said=asking.read(lambda s, c: tickets.service(s, c, supplier)))


@router.post("/versions/{version}/deposits", status_code=201)
def deposit(asking: Writes, version: Id, form: DepositForm) -> f.Made:
    """Write down what was laid down of a version: the supplier."""
    row = asking.write(lambda s, c: escrow.deposit(s, c, version, form.place, form.hash, form.engagement))
    return f.Made(id=row.id, row=plain_row(row, "version_id", "engagement_id", "level", "place", "hash"))


@router.post("/deposits/{deposit_id}/verify")
def verify_deposit(asking: Matches, deposit_id: Id, form: BuiltForm) -> f.Made:
    """Write down who has built the software from a deposit: the operator."""
    row = asking.write(lambda s, c: escrow.verify(s, c, deposit_id, form.built_by))
    return f.Made(id=row.id, row=plain_row(row, "level", "verified_at", "built_by"))


@router.post("/deposits/{deposit_id}/hand-out")
def hand_out_deposit(asking: Writes, deposit_id: Id) -> f.Made:
    """Say that a deposit may be handed out to those whose contract names it: the supplier."""
    row = asking.write(lambda s, c: escrow.hand_out(s, c, deposit_id))
    return f.Made(id=row.id, row=plain_row(row, "released_at"))


@router.get("/engagements/{engagement}/deposit")
def get_deposit(asking: Known, engagement: Id) -> f.Said:
    """Say whether the deposit of what was bought is free, or what it waits for until when: owner or mentor."""
    return f.Said(said=asking.read(lambda s, c: escrow.told(s, c, engagement)))


@router.get("/engagements/{engagement}/takeover")
def get_takeover(asking: Known, engagement: Id) -> f.Said:
    """Say what stays, what is unpaid, and who can go on, best first: owner or mentor."""
    return f.Said(said=asking.read(lambda s, c: takeovers.told(s, c, engagement)))


@router.post("/takeovers/{takeover}/offer")
def offer_takeover(asking: Writes, takeover: Id, form: SuccessorForm) -> f.Made:
    """Ask a candidate to go on: owner or mentor."""
    row = asking.write(lambda s, c: takeovers.offer(s, c, takeover, form.supplier))
    return f.Made(id=row.id, row=plain_row(row, "state", "to_supplier"))


@router.post("/takeovers/{takeover}/agree")
def agree_takeover(asking: Writes, takeover: Id, form: SucceedingForm) -> f.Made:
    """Agree to go on: the supplier that is asked."""
    row = asking.write(lambda s, c: takeovers.agree(s, c, takeover, form.version))
    return f.Made(id=row.id, row=plain_row(row, "state", "checklist"))


@router.post("/takeovers/{takeover}/decline")
def decline_takeover(asking: Writes, takeover: Id) -> f.Made:
    """Decline: the supplier that is asked. Nothing follows from it."""
    row = asking.write(lambda s, c: takeovers.decline(s, c, takeover))
    return f.Made(id=row.id, row=plain_row(row, "state"))


@router.put("/takeovers/{takeover}/steps")
def tick_takeover(asking: Writes, takeover: Id, form: StepsForm) -> f.Made:
    """Say which steps of the checklist are done: owner or mentor."""
    row = asking.write(lambda s, c: takeovers.tick(s, c, takeover, frozenset(form.done)))
    return f.Made(id=row.id, row=plain_row(row, "state", "checklist"))


@router.post("/engagements/{engagement}/tickets", status_code=201)
def open_ticket(asking: Writes, engagement: Id, form: TicketForm) -> f.Made:
    """Say that something does not work: owner or mentor."""
    row = asking.write(lambda s, c: tickets.begin(s, c, engagement, form.severity, form.text))
    return f.Made(id=row.id, row=plain_row(row, "state", "severity", "opened_at"))


@router.get("/engagements/{engagement}/tickets")
def list_tickets(asking: Known, engagement: Id) -> list[f.Said]:
    """Say where each ticket stands by working days: when its answer and its end are due, and what is late."""
    return [f.Said(said=one) for one in asking.read(lambda s, c: tickets.standings(s, c, engagement))]


@router.post("/tickets/{ticket}/answer")
def answer_ticket(asking: Writes, ticket: Id, form: AnswerForm) -> f.Made:
    """Answer a ticket: the supplier."""
    row = asking.write(lambda s, c: tickets.answer(s, c, ticket, form.text))
    return f.Made(id=row.id, row=plain_row(row, "state", "answered_at"))


@router.post("/tickets/{ticket}/close")
def close_ticket(asking: Writes, ticket: Id) -> f.Made:
    """Close a ticket: owner or mentor, with an answer or without."""
    row = asking.write(lambda s, c: tickets.close(s, c, ticket))
    return f.Made(id=row.id, row=plain_row(row, "state", "closed_at"))


@router.post("/tickets/{ticket}/reopen")
def reopen_ticket(asking: Writes, ticket: Id) -> f.Made:
    """Open a ticket anew: owner or mentor, because it was not done."""
    row = asking.write(lambda s, c: tickets.reopen(s, c, ticket))
    return f.Made(id=row.id, row=plain_row(row, "state", "reopened"))
