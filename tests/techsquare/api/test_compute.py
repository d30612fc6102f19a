"""The engines alone: what a route says is what the engine says; nothing is kept; sizes and places are limited."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from techsquare.diagnosis.accounts import accounts
from techsquare.diagnosis.ledger import losses
from techsquare.diagnosis.terms import Rates
from techsquare.matching.exposure import Ledger
from techsquare.matching.night import matched
from techsquare.roadmap.plan import roadmap
from techsquare.services.plain import plain
from techsquare.span import Span
from techsquare.verdict import told
from tests.techsquare.api.story import Story
from tests.techsquare.api.test_rights import contents
from tests.techsquare.diagnosis.made import YEAR, truth
from tests.techsquare.matching.market import market as market_of
from tests.techsquare.roadmap.made import case
from tests.techsquare.verdict.shop import plan_of, series_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from techsquare.roadmap.terms import Place
    from tests.techsquare.api.stand import Stand

RATES = Rates(
    contribution_piece=Span(700.0, 800.0), avoidable_hour=Span(20_000.0, 30_000.0), limits={"press": "yes"},
    orders_wait="unknown",
)  # fmt: skip


def places(of: Mapping[Place, Span]) -> list[dict[str, Any]]:
    return [{"machine": m, "bucket": b, "low": span.low, "high": span.high} for (m, b), span in of.items()]


def roadmap_problem(seed: int, count: int) -> tuple[Any, dict[str, Any]]:
    made = case(np.random.default_rng(seed), count)
    measures = [
        {**plain(one), "gain": places(one.gain), "kind": one.kind or None, "source": one.source or None}
        for one in made.measures
    ]
    body = {
        "measures": measures, "losses": places(made.losses), "means": plain(made.means),
        "programmes": [plain(one) for one in made.programmes], "begins": made.begins.isoformat(),
    }  # fmt: skip
    return made, body


def sent(thing: Any) -> Any:
    """Return it as it arrives: numbers of numpy as numbers."""
    return json.loads(json.dumps(plain(thing), default=lambda number: number.item()))


def asks(client: httpx.Client, engine: str, body: Any) -> Any:
    told_ = client.post(f"/v1/compute/{engine}", json=sent(body))
    assert told_.status_code == 200, told_.text
    return told_.json()["said"]


def test_each_engine_says_what_it_says_at_home(stand: Stand) -> None:
    owner = Story(stand).who["hana"]
    before = contents(stand.registry)

    made, body = roadmap_problem(5, 10)
    mine = roadmap(made.measures, made.losses, made.means, made.programmes, made.begins, reasons=False, nodes=500)
    assert asks(owner, "roadmap", body) == sent(mine)
    assert mine.chosen

    days = truth(np.random.default_rng(1), 30)
    fields = [{k: v for k, v in plain(day).items() if k not in {"reasons", "simulated"}} for day in days]
    given = plain(RATES)
    problem = {"days": fields, "rates": given, "production_days": YEAR.production_days}
    said = asks(owner, "diagnosis", problem)
    found = accounts(days, YEAR)
    assert said["accounts"] == sent(found)
    assert said["losses"] == sent(losses(found, RATES))
    assert said["gaps"]

    market = market_of(30, 20, 2)
    on = made.begins
    night = matched(
        market.items, market.solutions, market.suppliers, counts=market.counts, priors=market.priors,
        ledger=Ledger(), on=on, seed="s",
    )  # fmt: skip
    offers = [(one.item, one.solution, one.slot) for one in night.offers()]
    problem = market_problem(market, on.isoformat())
    listed = {solution for item, solution, _ in offers if item == offers[0][0]}
    absent = next(one.id for one in market.solutions if one.id not in listed)
    problem["why_not"] = [{"item": offers[0][0], "solution": absent}]
    said = asks(owner, "matching", problem)
    assert {(one["item"], o["solution"], o["slot"]) for one in said["items"] for o in one["offers"]} == set(offers)
    assert len(said["items"]) == len(market.items)
    assert all(offer["passed"] for one in said["items"] for offer in one["offers"])
    assert said["why_not"][0]["failed"] or said["why_not"][0]["gap"] is not None

    rng = np.random.default_rng(3)
    plan = plan_of([f"c{i}" for i in range(6)])
    series = [series_of(rng.normal(70, 2, 200), name) for name in (*plan.treated, *plan.controls)]
    first = told.verdict(plan, series)
    verdicts = [asks(owner, "verdict", verdict_problem(plan, series, look)) for look in (1, 2)]
    assert verdicts[0] == sent(first)
    assert verdicts[0]["word"] == "cannot_tell" or verdicts[0] == verdicts[1]
    assert contents(stand.registry) == before


def verdict_problem(plan: Any, series: Any, look: int) -> dict[str, Any]:
    rows = [
        {
            "machine": one.machine,
            "site": one.site,
            "days": [
                {"day": day.isoformat(), "num": float(n), "den": float(d), "coverage": float(c)}
                for day, n, d, c in zip(one.days, one.num, one.den, one.coverage, strict=True)
            ],
        }
        for one in series
    ]
    return {"plan": plain(plan), "days": rows[::-1], "look": look}


def market_problem(market: Any, on: str) -> dict[str, Any]:
    counts = [
        {"supplier": supplier, "family": family, **plain(one), "gains": [list(pair) for pair in one.gains]}
        for (supplier, family), one in market.counts.items()
    ]
    return {
        "items": [plain(one) for one in market.items], "solutions": [plain(one) for one in market.solutions],
        "suppliers": [plain(one) for one in market.suppliers], "counts": counts, "on": on, "seed": "s",
        "priors": {name: {"mean": mean, "sd": sd} for name, (mean, sd) in market.priors.items()},
    }  # fmt: skip


def test_what_cannot_be_computed_is_told_as_a_problem(stand: Stand) -> None:
    owner = Story(stand).who["hana"]
    _, body = roadmap_problem(5, 6)

    def refused(engine: str, changed: Any, code: str) -> Any:
        answer = owner.post(f"/v1/compute/{engine}", json=sent(changed))
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        assert answer.json()["code"] == code, answer.text
        return answer.json()

    circle = [dict(one, needs=[]) for one in body["measures"][:2]]
    circle[0]["needs"], circle[1]["needs"] = [circle[1]["id"]], [circle[0]["id"]]
    assert (
        "need one another" in refused("roadmap", {**body, "measures": circle}, "engine_refused")["details"]["why"]
    )
    refused("roadmap", {**body, "losses": body["losses"] + body["losses"][:1]}, "engine_refused")
    refused("roadmap", {**body, "measures": body["measures"] * 6}, "invalid")  # 36: too many
    refused("roadmap", {**body, "nodes": 10**6}, "invalid")
    refused("roadmap", {**body, "password": "hunter2"}, "invalid")
    plan = plan_of([f"c{i}" for i in range(6)])
    series = [series_of(np.full(200, 70.0), name) for name in (*plan.treated, *plan.controls)]
    problem = verdict_problem(plan, series, 1)
    changed = {**problem, "plan": {**problem["plan"], "least": 3.0}}
    assert refused("verdict", changed, "plan_refused")["details"]["why"] == ["wrong_hash"]
    assert asks(owner, "verdict", {**changed, "plan": {**changed["plan"], "hash": None}})["word"]  # hashed anew
    refused("verdict", {**problem, "days": problem["days"][:-1]}, "engine_refused")  # no day of the treated one
    twice = [dict(problem["days"][0], days=problem["days"][0]["days"][:1] * 2)]
    refused("verdict", {**problem, "days": twice}, "engine_refused")
    early = (plan.applied + timedelta(days=5)).isoformat()
    why = refused(
        "verdict", {**problem, "plan": {**problem["plan"], "applied": early, "hash": None}}, "plan_refused"
    )
    assert why["details"]["why"] == ["baseline_before_application"]


def test_so_many_at_a_time_and_by_a_token_that_is_for_it(stand: Stand) -> None:
    story = Story(stand)
    _, body = roadmap_problem(5, 2)
    member = story.who["hana"].get("/v1/me").json()["roles"][0]["id"]
    assert stand.client().post("/v1/compute/roadmap", json=body).status_code == 401
    reads = stand.client(stand.token(member, "read"))
    assert reads.post("/v1/compute/roadmap", json=body).json()["code"] == "scope"
    own = stand.client(stand.token(member, "compute"))
    places_ = stand.app.state.house.engines
    assert places_.acquire(blocking=False)
    assert asks(own, "roadmap", body)  # one place is left
    assert places_.acquire(blocking=False)
    answer = own.post("/v1/compute/roadmap", json=body)
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "busy", "2")
    places_.release()
    places_.release()
    assert asks(own, "roadmap", body)
    assert own.post("/v1/compute/roadmap", json={}).status_code == 422
    assert asks(own, "roadmap", body)  # nor does a refusal keep a place
