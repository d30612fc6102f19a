"""Use cases by theme. A route checks the scope of a token, calls one service, and says what came out."""

from __future__ import annotations

from techsquare.api.routes import (
    compute,
    continuity,
    diagnosis,
    doing,
    factory,
    fit,
    intake,
    mentoring,
    people,
    privacy,
    project,
    projects,
    rounds,
    rows,
    supplier,
    words,
)

ROUTERS = tuple(
    theme.router
    for theme in (
        people,
        rows,
        factory,
        diagnosis,
        supplier,
        project,
        projects,
        continuity,
        rounds,
        mentoring,
        fit,
        privacy,
        doing,
        intake,
        compute,
        words,
    )
)
"""In the order of the schema."""
