"""What makes a newer diagnosis worth storing, one thing at a time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from techsquare.services.changes import MONTH_DAYS, worth

if TYPE_CHECKING:
    from collections.abc import Callable


def body() -> dict[str, Any]:
    loss = {
        "machine": "press",
        "bucket": "fault",
        "share": {"low": 0.1, "high": 0.2},
        "won_year": {"low": 100, "high": 200},
    }
    return {
        "version": 1, "kind": "measured", "state": "day28", "standings": [{"result": "losses", "state": "firm"}],
        "formulas": ["1"], "rates": {"press": {"staff_hour": None}},
        "report": {"level": {"low": 1, "high": 2}, "model": "m"},
        "contradictions": [{"code": "band", "subject": "skills", "seen": "1", "said": "3"}],
        "gaps": [{"id": f"g{i}", "machine": "press", "confidence": "high"} for i in range(5)],
        "losses": [loss, {**loss, "bucket": "setup", "won_year": None}],
    }  # fmt: skip


def changed(how: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    new: dict[str, Any] = json.loads(json.dumps(body()))
    how(new)
    return new


CASES: list[tuple[str | None, Callable[[dict[str, Any]], Any]]] = [
    (None, lambda b: b.copy()),
    (None, lambda b: b["losses"][0].update(won_year={"low": 120, "high": 220})),
    (None, lambda b: b["losses"][1].update(share={"low": 0.12, "high": 0.22})),
    (None, lambda b: b["contradictions"][0].update(seen="2")),
    (None, lambda b: b["gaps"].insert(0, b["gaps"].pop(1))),
    ("first", lambda b: b.update(version=2)),
    ("kind", lambda b: b.update(kind="counted")),
    ("kind", lambda b: b.update(state="day7")),
    ("standing", lambda b: b["standings"][0].update(state="measured")),
    ("formulas", lambda b: b.update(formulas=["2"])),
    ("rates", lambda b: b["rates"].update(press={"staff_hour": {"low": 1, "high": 2}})),
    ("level", lambda b: b["report"].update(level={"low": 2, "high": 2})),
    ("level", lambda b: b.update(report=None)),
    ("contradictions", lambda b: b["contradictions"].clear()),
    ("gaps", lambda b: b["gaps"].insert(0, b["gaps"].pop(4))),
    ("gaps", lambda b: b["gaps"][4].update(confidence="low")),
    ("losses", lambda b: b["losses"].pop()),
    ("losses", lambda b: b["losses"][0].update(won_year={"low": 100, "high": 140})),
    ("losses", lambda b: b["losses"][0].update(won_year={"low": 160, "high": 400})),
    ("losses", lambda b: b["losses"][0].update(won_year=None)),
    ("losses", lambda b: b["losses"][1].update(share={"low": 0.3, "high": 0.4})),
]  # fmt: skip


@pytest.mark.parametrize(("why", "how"), CASES)
def test_one_thing_that_changed_is_the_reason(why: str | None, how: Callable[[dict[str, Any]], Any]) -> None:
    assert worth(body(), changed(how), 7) == why


def test_the_first_one_and_one_a_month_are_stored_whatever_they_say() -> None:
    assert worth(None, body(), 0) == "first"
    assert worth(body(), body(), MONTH_DAYS - 1) is None
    assert worth(body(), body(), MONTH_DAYS) == "month"
    assert worth({"indicators": []}, body(), 0) == "first"  # written by another program
