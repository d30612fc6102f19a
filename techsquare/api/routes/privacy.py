"""The notice to the people who work at the machines; how long what is kept; deletion of what came under a scope."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field

from techsquare.api import forms as f
from techsquare.api.who import Admin, Anyone, Known, Writes, plain_row
from techsquare.api.words import language
from techsquare.privacy import retention
from techsquare.registry.privacy import ConsentScope
from techsquare.services import leaving, notice

router = APIRouter(prefix="/v1", tags=["privacy"])
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.:@-]{1,120}$")]
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2200, 1, 1))]
Scopes = Annotated[list[ConsentScope | Literal["raw_hosted"]], Field(max_length=7)]


class NoticeForm(f.Form):
    """Whom to ask, the day on which the notice was given, and what it names."""

    contact: f.Name
    on: Day | None = None
    begins: Day | None = None
    scopes: Scopes | None = None


class EndForm(f.Form):
    """Scopes under which everything is deleted; `confirm` is the factory's id, written once more."""

    scopes: Annotated[list[ConsentScope | Literal["entry", "advice"]], Field(min_length=1, max_length=8)]
    confirm: f.Key


@router.get("/factories/{factory}/notice")
def get_notice(
    asking: Known,
    factory: Id,
    contact: Annotated[f.Name, Query()],
    begins: Annotated[Day | None, Query()] = None,
    scopes: Annotated[Scopes | None, Query()] = None,
) -> f.Said:
    """Give the notice in Korean and English, as it would be given today, and what is on record."""
    return f.Said(said=asking.read(lambda s, c: notice.text(s, c, factory, contact, begins, scopes)))


@router.post("/factories/{factory}/notice")
def record_notice(asking: Writes, factory: Id, form: NoticeForm) -> f.Made:
    """Record that the people working there have been told what is measured: the owner."""
    row = asking.write(
        lambda s, c: notice.record(s, c, factory, form.contact, form.on, form.begins, form.scopes), factory
    )
    return f.Made(id=row.id, row=plain_row(row, "notice_at", "notice_scopes", "notice_hash", "notice_body"))


@router.post("/factories/{factory}/end-scopes")
def end_scopes(asking: Admin, factory: Id, form: EndForm) -> f.Said:
    """Delete everything that came under some scopes; for ever."""
    gone = asking.write(lambda s, c: leaving.end(s, c, factory, form.scopes, form.confirm), factory)
    return f.Said(said={"deleted": gone})


@router.get("/retention")
def get_retention(asking: Anyone, request: Request) -> list[str]:
    """Say what is kept how long, and why."""
    del asking
    return retention.told("en" if language(request.headers.get("accept-language")) == "en" else "ko")
