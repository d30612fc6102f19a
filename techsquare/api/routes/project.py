"""What two parties do together: plan, verdict, objection."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from pydantic import Field, model_validator

from techsquare.api import forms as f
from techsquare.api.who import Known, Matches, Writes, plain_row
from techsquare.api.working import begun
from techsquare.registry.verdicts import Outcome
from techsquare.services import plans, programme, promising, verdicts, watching
from techsquare.services.days import day_of
from techsquare.services.plain import plain
from techsquare.services.rights import seen
from techsquare.verdict.objection import About  # noqa: TC001 - likewise
from techsquare.verdict.terms import Use

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from techsquare.registry.verdicts import MeasurementPlan
    from techsquare.services.rights import Caller

router = APIRouter(prefix="/v1", tags=["project"])
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.:@-]{1,120}$")]
Metric = Literal["availability", "setup", "standby", "fault", "effectiveness", "quality", "energy"]
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2200, 1, 1))]


class UseForm(f.Form):
    """A signal that shows use, and how often it has to."""

    system: f.Name
    signal: f.Name
    every_days: Annotated[int, Field(ge=1, le=366)]


class PlanForm(f.Form):
    """What a plan is about."""

    metric: Metric
    machines: Annotated[list[f.Slug], Field(min_length=1, max_length=50)]
    baseline_from: Day
    baseline_to: Day
    installed: Day
    days_after: Annotated[int, Field(ge=1, le=366)] = 60
    extension_days: Annotated[int, Field(ge=1, le=366)] = 30
    least: Annotated[float, Field(gt=0, le=1_000, allow_inf_nan=False)]
    use: UseForm | None = None


class ProvableForm(f.Form):
    """What a project on an item would be about; days that are not said: the latest, and the first possible."""

    metric: Metric
    machines: Annotated[list[f.Slug], Field(min_length=1, max_length=50)]
    baseline_from: Day | None = None
    baseline_to: Day | None = None
    installed: Day | None = None
    days_after: Annotated[int, Field(ge=1, le=366)] = 60
    extension_days: Annotated[int, Field(ge=1, le=366)] = 30

    @model_validator(mode="after")
    def _both(self) -> ProvableForm:
        if (self.baseline_from is None) != (self.baseline_to is None):
            raise ValueError("a baseline has a first and a last day, or neither is said")
        return self


class WithdrawForm(f.Form):
    """Why a plan is withdrawn; both parties read it."""

    why: f.Text


class DaysForm(f.Form):
    """From a day to another, both included."""

    first: Day
    last: Day


class DecisionForm(f.Form):
    """What an operator says of an objection, and what an upheld one changes."""

    decision: Literal["upheld", "rejected"]
    answer: f.Text
    then: verdicts.Then = "again"
    without: Annotated[list[f.Slug], Field(max_length=20, default_factory=list)]
    days: Annotated[list[DaysForm], Field(max_length=50, default_factory=list)]
    installed: Day | None = None


class EffectForm(f.Form):
    """Which metric's effect is asked for."""

    metric: Metric


class ObjectionForm(f.Form):
    """What is wrong with a verdict."""

    about: About
    text: f.Text


@router.post("/engagements/{engagement}/plans", status_code=201)
def draft_plan(asking: Writes, engagement: Id, form: PlanForm) -> f.Made:
    """Draft a measurement plan with the comparison machines of this moment; `job` computes what it can show."""
    use = None if form.use is None else Use(**form.use.model_dump())

    def work(session: Session, caller: Caller) -> tuple[MeasurementPlan, str]:
        drafted = plans.draft(
            session, caller, engagement, metric=form.metric, machines=form.machines,
            baseline=(form.baseline_from, form.baseline_to), installed=form.installed, days_after=form.days_after,
            extension_days=form.extension_days, least=form.least, use=use,
        )  # fmt: skip
        return drafted, promising.begin(session, caller, drafted.id).id

    row, job = asking.write(work)
    asking.house.jobs.wake()
    return f.Made(id=row.id, row=plain_row(row, "metric", "verdict_on", "extended_to", "body") | {"job": job})


@router.post("/plans/{plan}/promise", status_code=202)
def promise_plan(asking: Writes, plan: Id, response: Response) -> f.JobShown:
    """Ask anew what a drafted plan can show; the plan has it when the job is done."""
    return begun(asking, asking.write(lambda s, c: promising.begin(s, c, plan)), response)


@router.post("/items/{item}/provable", status_code=202)
def ask_provable(asking: Writes, item: Id, form: ProvableForm, response: Response) -> f.JobShown:
    """Ask what a project on an item could show, before anything is bought: a job, whose answer is a range."""
    first, last = form.baseline_from, form.baseline_to
    asked = form.model_dump() | {"baseline": None if first is None or last is None else (first, last)}
    return begun(asking, asking.write(lambda s, c: promising.ask(s, c, item, asked)), response)


@router.post("/plans/{plan}/agree")
def agree_plan(asking: Writes, plan: Id) -> f.Made:
    """Agree to a plan, as one of its two parties."""
    row = asking.write(lambda s, c: plans.agree(s, c, plan))
    return f.Made(id=row.id, row=plain_row(row, "owner_at", "supplier_at"))


@router.post("/plans/{plan}/freeze")
def freeze_plan(asking: Writes, plan: Id) -> f.Made:
    """Freeze a plan: nothing of it changes after this."""
    row = asking.write(lambda s, c: plans.freeze(s, c, plan))
    return f.Made(id=row.id, row=plain_row(row, "hash", "frozen_at"))


@router.post("/plans/{plan}/withdraw")
def withdraw_plan(asking: Writes, plan: Id, form: WithdrawForm) -> f.Made:
    """Withdraw a plan: either party before it is frozen, the operator before its verdict."""
    row = asking.write(lambda s, c: plans.withdraw(s, c, plan, form.why))
    return f.Made(id=row.id, row=plain_row(row, "withdrawn_at"))


@router.get("/plans/{plan}/use")
def get_use(asking: Known, plan: Id) -> f.Said:
    """Say whether what was installed is used; "not_assessed" where the plan names no signal."""
    return f.Said(said=plain(asking.read(lambda s, c: watching.use_of(s, c, plan))))


@router.post("/plans/{plan}/verdict", status_code=201)
def say_verdict(asking: Writes, plan: Id) -> f.Made:
    """Compute the verdict that is due."""
    row = asking.write(lambda s, c: verdicts.verdict(s, c, plan))
    return f.Made(id=row.id, row=plain_row(row, "look", "on_date", "word", "estimate", "low", "high"))


@router.post("/outcomes/{outcome}/objections", status_code=201)
def object_to(asking: Writes, outcome: Id, form: ObjectionForm) -> f.Made:
    """Say that a verdict is wrong, within ten days."""
    row = asking.write(lambda s, c: verdicts.object_to(s, c, outcome, form.about, form.text))
    return f.Made(id=row.id)


@router.get("/outcomes/{outcome}/standing")
def get_standing(asking: Known, outcome: Id) -> f.Said:
    """Say what counts of a verdict now: its word, whether somebody objects, and until when one may."""

    def work(session: Session, caller: Caller) -> dict[str, Any]:
        found = verdicts.standing(session, seen(session, caller, Outcome, outcome), day_of(caller.now))
        said: dict[str, Any] = plain(found)
        del said["verdict"]
        return said

    return f.Said(said=asking.read(work))


@router.post("/objections/{objection}/decision")
def decide_objection(asking: Writes, objection: Id, form: DecisionForm) -> f.Made:
    """Uphold or reject an objection: the operator. An upheld one has the verdict withdrawn or computed again."""
    row = asking.write(
        lambda s, c: verdicts.decide(
            s, c, objection, upheld=form.decision == "upheld", answer=form.answer, then=form.then,
            without=form.without, days=[(one.first, one.last) for one in form.days], installed=form.installed,
        )
    )  # fmt: skip
    return f.Made(id=row.id, row=plain_row(row, "decision", "decided_at"))


@router.post("/programme-effect", status_code=202)
def ask_effect(asking: Matches, form: EffectForm, response: Response) -> f.JobShown:
    """Ask what the programme does for its factories, of one metric: the operator, as a job."""
    return begun(asking, asking.write(lambda s, c: programme.ask(s, c, form.metric)), response)
