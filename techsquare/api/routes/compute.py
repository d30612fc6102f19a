"""The engines alone, for an existing platform: what is sent along is computed on, and nothing of it is kept.

Two problems are computed at a time (`Settings.engines`); who comes then is told to try again. Searches end after a
number of nodes, so an answer takes seconds at most.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter

from techsquare.api import forms as f
from techsquare.api import given, market
from techsquare.api.problems import ProblemError
from techsquare.api.who import Computes  # noqa: TC001 - FastAPI reads it
from techsquare.diagnosis.accounts import accounts
from techsquare.diagnosis.energy import energies
from techsquare.diagnosis.gaps import gaps
from techsquare.diagnosis.ledger import losses
from techsquare.diagnosis.terms import Year
from techsquare.matching.night import matched
from techsquare.matching.whynot import Reasons
from techsquare.roadmap import plan as planning
from techsquare.services.plain import plain
from techsquare.services.refused import RefusedError
from techsquare.verdict import told
from techsquare.verdict.plan import refusals
from techsquare.verdict.terms import DECIDED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from techsquare.matching.night import Night

router = APIRouter(prefix="/v1/compute", tags=["compute"])


@contextmanager
def _engine(asking: Computes) -> Iterator[None]:
    """Take one of the places; what an engine cannot work on is the caller's to mend.

    Raises:
        ProblemError: `busy`.
        RefusedError: `engine_refused`, with why.
    """
    places = asking.house.engines
    if not places.acquire(blocking=False):
        raise ProblemError("busy", {"Retry-After": "2"})
    try:
        yield
    except (ValueError, KeyError) as exc:
        raise RefusedError("engine_refused", why=str(exc)[:300]) from None
    finally:
        places.release()


@router.post("/roadmap")
def compute_roadmap(asking: Computes, form: given.RoadmapProblem) -> f.Said:
    """Make the plan of the greatest value within the means. Reasons for what is not in it: by the command."""
    with _engine(asking):
        found = planning.roadmap(
            [one.term() for one in form.measures], form.losses_term(), form.means.term(), form.programmes_term(),
            form.begins, reasons=False, nodes=form.nodes,
        )  # fmt: skip
    return f.Said(said=plain(found))


@router.post("/diagnosis")
def compute_diagnosis(asking: Computes, form: given.DiagnosisProblem) -> f.Said:
    """Say what machines lose in a year, by exclusive buckets that add up to planned time, and in won where told."""
    with _engine(asking):
        days, rates, year = form.days_term(), form.rates.term(), Year(form.production_days, form.hours)
        found = accounts(days, year, form.seed)
        lost, power = losses(found, rates), energies(days, rates, year, (), form.seed)
        said = {"accounts": found, "losses": lost, "energy": power, "gaps": gaps(lost, found, power)}
    return f.Said(said={name: plain(rows) for name, rows in said.items()})


@router.post("/matching")
def compute_matching(asking: Computes, form: market.MatchingProblem) -> f.Said:
    """Make a list of three for each item, with reasons; and say why a named solution is on none."""
    with _engine(asking):
        night = matched(
            [one.term() for one in form.items], [one.term() for one in form.solutions], form.suppliers_term(),
            counts=form.counts_term(), priors={name: (one.mean, one.sd) for name, one in form.priors.items()},
            ledger=form.ledger_term(), on=form.on, seed=form.seed,
        )  # fmt: skip
        said = {"items": _items(night), "why_not": _why(night, form)}
    return f.Said(said=said)


@router.post("/verdict")
def compute_verdict(asking: Computes, form: given.VerdictProblem) -> f.Said:
    """Say one of five words of a plan on one of its dates; the extension is asked about where the first is open."""
    with _engine(asking):
        plan, days = form.plan.term(), [one.term() for one in form.days]
        why = refusals(plan)
        if why:
            raise RefusedError("plan_refused", why=list(why))
        found = told.verdict(plan, days, None, form.installed)
        if form.look == 2 and found.word not in DECIDED:
            found = told.verdict(plan, days, found, form.installed)
    return f.Said(said=plain(found))


def _items(night: Night) -> list[dict[str, Any]]:
    offers: dict[str, list[dict[str, Any]]] = {row.id: [] for row in night.columns.items}
    for one in night.offers():
        shown = {"slot": one.slot, "by": one.by, "cost": one.cost}
        offers[one.item].append({**shown, **plain(night.match(one.item, one.solution))})
    said = []
    for item, rows in sorted(offers.items()):
        word, best = night.advice(item)
        said.append({"item": item, "advice": word, "best": best, "offers": rows})
    return said


def _why(night: Night, form: market.MatchingProblem) -> list[dict[str, Any]]:
    if not form.why_not:
        return []
    reasons = Reasons(night.lists, night.values)
    return [{**one.model_dump(), **plain(reasons.why_not(one.item, one.solution))} for one in form.why_not]
