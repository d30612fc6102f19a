"""The operator's rounds of scarce places."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from techsquare.api import forms as f
from techsquare.api.who import Matches, plain_row
from techsquare.services import rounds

router = APIRouter(prefix="/v1", tags=["rounds"])
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.:@-]{1,120}$")]
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2200, 1, 1))]


class RoundForm(f.Form):
    """A round of a quarter."""

    quarter: f.Quarter
    opens: Day
    closes: Day


@router.post("/rounds", status_code=201)
def prepare_round(asking: Matches, form: RoundForm) -> f.Made:
    """Announce a round with its rule and its seed: the operator."""
    row = asking.write(lambda s, c: rounds.prepare(s, c, form.quarter, form.opens, form.closes))
    return f.Made(id=row.id, row=plain_row(row, "quarter", "state", "rule", "seed"))


@router.post("/rounds/{round_id}/simulate")
def simulate_round(asking: Matches, round_id: Id) -> f.Said:
    """Say what the round would give now; nothing is kept."""
    here = asking.house
    return f.Said(said=asking.read(lambda s, c: rounds.simulate(s, c, here.catalogue, round_id)))


@router.post("/rounds/{round_id}/forward")
def forward_round(asking: Matches, round_id: Id) -> f.Made:
    """Open a planned round, or close an open one, which holds it."""
    here = asking.house
    row = asking.write(lambda s, c: rounds.forward(s, c, here.catalogue, round_id))
    return f.Made(id=row.id, row=plain_row(row, "state"))


@router.post("/rounds/{round_id}/publish")
def publish_round(asking: Matches, round_id: Id) -> f.Made:
    """Publish a closed round."""
    here = asking.house
    row = asking.write(lambda s, c: rounds.publish(s, c, here.catalogue, round_id))
    return f.Made(id=row.id, row=plain_row(row, "state", "published_at", "result"))
