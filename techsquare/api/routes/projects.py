"""A project over its whole life: the supplier's yes, the contract, each event, the parts of the price."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import Field

from techsquare.api import forms as f
from techsquare.api.who import Known, Writes, plain_row
from techsquare.matching.continuity import Condition
from techsquare.services import contracts, projects

if TYPE_CHECKING:
    from collections.abc import Callable

    from techsquare.mentoring.engagement import Event

router = APIRouter(prefix="/v1", tags=["project"])
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.:@-]{1,120}$")]
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2200, 1, 1))]
Keep = Literal["store", "tags", "interface", "export"]
Conditions = Annotated[list[Condition], Field(max_length=8)]
Keys = Annotated[list[f.Key], Field(max_length=10)]
SHOWN = ("state", "agreed_on", "signed_on", "installed_on", "accepted_on", "ended_on", "life")


class DayForm(f.Form):
    """The day on which it was; today where it is not said."""

    on: Day | None = None


class ContractForm(f.Form):
    """A contract as the supplier draws it up.

    `agreed`: conditions that it takes on by the contract, beside what the solution and a deposit already meet.
    `second`: suppliers that are trained to take over.
    """

    won: f.Won
    agreed: Conditions = Field(default_factory=list)
    second: Keys = Field(default_factory=list)
    funding: f.Key | None = None


class DrillForm(f.Form):
    """What an exit drill with the new system has shown: its software off, everything else still there."""

    proved: Annotated[list[Keep], Field(max_length=4)]
    on: Day | None = None


class PaidForm(f.Form):
    """The day of a payment."""

    on: Day


@router.post("/offers/{offer}/agree", status_code=201)
def agree(asking: Writes, offer: Id) -> f.Made:
    """Say yes to a factory that has asked to get in touch: the supplier, within five working days."""
    row = asking.write(lambda s, c: projects.take(s, c, offer))
    return f.Made(id=row.id, row=plain_row(row, "factory_id", "version_id", "state", "agreed_on"))


@router.get("/engagements/{engagement}/next")
def project_next(asking: Known, engagement: Id) -> f.Said:
    """Say where a project stands, what the caller could say next, and what stands against each."""
    return f.Said(said=asking.read(lambda s, c: projects.possible(s, c, engagement)))


@router.put("/engagements/{engagement}/contract")
def draft_contract(asking: Writes, engagement: Id, form: ContractForm) -> f.Made:
    """Draw up the contract and stand by it: the supplier. What has to hold when it is gone stands in it."""
    row = asking.write(
        lambda s, c: contracts.draft(
            s, c, engagement, won=form.won, agreed=frozenset(form.agreed), second=frozenset(form.second),
            funding=form.funding,
        )
    )  # fmt: skip
    return f.Made(id=row.id, row=plain_row(row, "won", "funding_id", "conditions", "hash", "supplier_signed_at"))


@router.get("/engagements/{engagement}/contract")
def get_contract(asking: Known, engagement: Id) -> f.Said:
    """Show the contract to its parties: price, conditions and those that are open, parts with our advice."""
    return f.Said(said=asking.read(lambda s, c: contracts.told(s, c, engagement)))


@router.post("/milestones/{milestone}/paid")
def record_payment(asking: Writes, milestone: Id, form: PaidForm) -> f.Made:
    """Write down that a part of the price was paid: the owner."""
    row = asking.write(lambda s, c: contracts.paid(s, c, milestone, form.on))
    return f.Made(id=row.id, row=plain_row(row, "kind", "won", "reached_on", "paid_on"))


@router.post("/engagements/{engagement}/unmeasured")
def project_unmeasured(asking: Writes, engagement: Id) -> f.Made:
    """Write down that nothing is to be measured: the owner. The last part of the price waits for no verdict."""
    row = asking.write(lambda s, c: projects.unmeasured(s, c, engagement))
    return f.Made(id=row.id, row=plain_row(row, "unmeasured_at"))


@router.post("/engagements/{engagement}/drill")
def project_drill(asking: Writes, engagement: Id, form: DrillForm) -> f.Made:
    """Write down what an exit drill has shown: owner or mentor."""
    row = asking.write(lambda s, c: projects.drilled(s, c, engagement, frozenset(form.proved), form.on))
    return f.Made(id=row.id, row=plain_row(row, "drill"))


EVENTS: dict[Event, str] = {
    "refuse": "Do not take the project: the supplier, before it is signed.",
    "sign": "Sign the contract that the supplier has drawn up: the owner.",
    "begin": "Begin to install, when the days before are measured: either party, or the mentor.",
    "deliver": "Say that it is installed: the supplier.",
    "accept": "Accept its functions, when the exit drill has passed: the owner.",
    "part": "Part from the supplier: the owner at any time; the operator from one that is gone.",
    "take_over": "Let the successor who has agreed go on: the owner.",
    "finish": "End a project whose time of watching is over: the owner.",
    "end": "End a project: the owner, at any time, without a reason and without penalty.",
}
"""What people say of a project; a refusal names everything that is lacking."""


def _saying(event: Event) -> Callable[[Writes, Id, DayForm | None], f.Made]:
    def said(asking: Writes, engagement: Id, form: DayForm | None = None) -> f.Made:
        on = None if form is None else form.on
        row = asking.write(lambda s, c: projects.say(s, c, engagement, event, on))
        return f.Made(id=row.id, row=plain_row(row, *SHOWN))

    said.__doc__ = EVENTS[event]
    return said


for _event in EVENTS:
    router.add_api_route(
        f"/engagements/{{engagement}}/{_event.replace('_', '-')}", _saying(_event), methods=["POST"],
        name=f"project_{_event}",
    )  # fmt: skip
