"""Jobs as the API shows them: begun with 202 and where to look, answers only to who has asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from techsquare.api import forms as f
from techsquare.api.who import plain_row

if TYPE_CHECKING:
    from fastapi import Response

    from techsquare.api.who import Asking
    from techsquare.registry.people import Job


def begun(asking: Asking, job: Job, response: Response) -> f.JobShown:
    """Return a job that was begun, say where it is looked at, and wake who does it."""
    found = shown(job, whole=True)
    response.headers["Location"] = f"/v1/jobs/{found.id}"
    asking.house.jobs.wake()
    return found


def shown(job: Job, *, whole: bool) -> f.JobShown:
    """Return a job; its answer only where it is told whole."""
    names = ("id", "kind", "state", "progress", "error", *(("answer",) if whole else ()))
    return f.JobShown(**plain_row(job, *names))
