"""Owners whose machine is known, and who say numbers that are off by less than each question's spread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from techsquare.entry.provisional import WEEKS

if TYPE_CHECKING:
    import numpy as np

    from techsquare.entry.model import Form


def owner(form: Form, rng: np.random.Generator) -> tuple[dict[str, float | str | None], dict[str, float]]:
    """Return what an owner says, and hours a year by bucket and pieces an hour of production as they are."""
    real = {
        "hours_day": rng.uniform(8, 20), "days_week": rng.uniform(5, 6), "fault_minutes": rng.uniform(0, 60),
        "changeovers": rng.uniform(0, 3), "setup_minutes": rng.uniform(10, 45),
        "waiting_minutes": rng.uniform(0, 80),
        "pace_percent": rng.uniform(66, 97), "rejects_percent": rng.uniform(0.3, 7.5),
        "pieces_day": rng.uniform(100, 5000),
    }  # fmt: skip
    answers: dict[str, float | str | None] = {}
    for question in form.questions:
        if question.id not in real or question.spread is None or question.limits is None:
            continue
        said = real[question.id] * question.spread.factor ** rng.uniform(-1, 1)
        said = min(max(said, question.limits.low), question.limits.high)
        answers[question.id] = None if question.prior is not None and rng.random() < 0.3 else float(said)
    hours, days = real["hours_day"], real["days_week"] * WEEKS
    stops = {
        "fault": real["fault_minutes"] / 60,
        "setup": real["changeovers"] * real["setup_minutes"] / 60,
        "standby": real["waiting_minutes"] / 60,
    }
    made = hours - sum(stops.values())
    pace, reject = real["pace_percent"] / 100, real["rejects_percent"] / 100
    truth = {name: value * days for name, value in stops.items()}
    truth |= {"speed": made * (1 - pace) * days, "scrap": made * pace * reject * days}
    pieces = real["pieces_day"] * days
    truth |= {"speed pieces": pieces * (1 / pace - 1), "scrap pieces": pieces * reject}
    return answers, truth | {"made_hour": real["pieces_day"] / made}
