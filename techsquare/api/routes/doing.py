"""What people say of what they were told."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from techsquare.api import forms as f
from techsquare.api.who import Writes, plain_row
from techsquare.services import doing

router = APIRouter(prefix="/v1", tags=["people"])
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.:@-]{1,120}$")]


class DoneForm(f.Form):
    """What was done, if there is anything to say."""

    note: f.Text | None = None


@router.post("/tasks/{task}/done")
def task_done(asking: Writes, task: Id, form: DoneForm) -> f.Made:
    """Say that a task of one's own is done."""
    row = asking.write(lambda s, c: doing.done(s, c, task, form.note))
    return f.Made(id=row.id, row=plain_row(row, "kind", "state", "ended_at", "note"))


@router.post("/notifications/{notification}/read")
def read_notification(asking: Writes, notification: Id) -> f.Made:
    """Mark a notification as read."""
    row = asking.write(lambda s, c: doing.read(s, c, notification))
    return f.Made(id=row.id, row=plain_row(row, "kind", "read_at"))
