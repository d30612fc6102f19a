"""Fit tests: the owner has a version tested; what came out stands in the rows of `fit_check`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from techsquare.api import forms as f
from techsquare.api.who import Writes, plain_row
from techsquare.services import fit

router = APIRouter(prefix="/v1", tags=["fit"])
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.:@-]{1,120}$")]


class FitForm(f.Form):
    """Which version."""

    version_id: f.Key


@router.post("/factories/{factory}/fit-checks", status_code=202)
def ask_fit(asking: Writes, factory: Id, form: FitForm) -> f.Made:
    """Have a version tested at one's own factory: once; the one answer there is where it was tested before."""
    row = asking.write(lambda s, c: fit.ask(s, c, factory, form.version_id), factory)
    return f.Made(id=row.id, row=plain_row(row, "version_id", "asked", "result", "missing"))
