"""`techsquare verify`: verdicts of plans in the database, or of a plan and days in files, by the same engine.

    techsquare verify [PLAN ...] [--due]                    plans of the database
    techsquare verify --plan FILE --days FILE ... [--promise]    an existing platform that uses this part alone
    techsquare verify --schema                              what a plan in a file has to be, as JSON Schema

What files hold, and what is wrong with them, is `cli.plan_file`'s. Offline nothing is stored: the same files give
the same verdict, and the plan's hash is printed with it, so that both parties can keep it beforehand.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from service.exits import CLEAN, CONFIG, FAULT
from techsquare.cli.common import ExitError, add_database, registry
from techsquare.cli.plan_file import FileError, PlanFile, read_days, read_plan
from techsquare.registry import tables as t
from techsquare.services import watching
from techsquare.services.days import day_of
from techsquare.services.plain import plain
from techsquare.services.refused import RefusedError
from techsquare.verdict import told
from techsquare.verdict.promise import promise
from techsquare.verdict.terms import DECIDED, Plan, Promise, Verdict

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from techsquare.verdict.terms import Series

WORDS = {
    "improved": "improved",
    "worse": "worse",
    "no_change": "no change larger than {larger_than}",
    "cannot_tell": "cannot tell yet",
    "cause_not_shown": "changed, cause not shown",
}
WHY = {
    "short_baseline": "fewer than 40 days of baseline",
    "few_controls": "too few comparison machines",
    "still": "the comparison machines do not move",
}


def add(verbs: argparse._SubParsersAction[Any]) -> None:
    """Describe it."""
    verify = verbs.add_parser("verify")
    verify.add_argument("plans", nargs="*", metavar="PLAN", help="ids of plans; default: all that are frozen")
    verify.add_argument("--due", action="store_true", help="compute what is due now, of these plans")
    verify.add_argument("--plan", metavar="FILE", help="a plan as JSON, instead of the database")
    verify.add_argument("--days", metavar="FILE", nargs="+", default=[], help="CSV: machine,day,num,den,coverage")
    verify.add_argument("--on", metavar="DATE", help="with --plan: as if it were this day; default: today")
    verify.add_argument("--promise", action="store_true", help="with --plan: what it can show, before anyone buys")
    verify.add_argument("--schema", action="store_true", help="print the JSON Schema of a plan in a file")
    verify.add_argument("--json", action="store_true", help="one JSON object a plan, a line each")
    add_database(verify)
    verify.set_defaults(run=run)


def run(args: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Say what was told, or is told now."""
    if args.schema:
        print(json.dumps(PlanFile.model_json_schema(), ensure_ascii=False, indent=1))
        return CLEAN
    if args.plan is None:
        if args.days or args.on or args.promise:
            parser.error("--days, --on and --promise are of a plan in a file: name it with --plan FILE")
        return _of_database(args)
    if args.plans or args.due:
        parser.error("a plan is in the database (PLAN, --due) or in a file (--plan), not in both")
    if not args.days:
        parser.error("--plan needs the machines' days: --days FILE [FILE ...]")
    return _of_files(args, parser)


def _of_files(args: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    try:
        today = date.fromisoformat(args.on) if args.on else datetime.now().astimezone().date()
    except ValueError:
        parser.error(f"--on {args.on!r}: write a day as 2026-05-01")
    try:
        plan, sites, installed = read_plan(Path(args.plan))
        series = read_days([Path(name) for name in args.days], sites)
    except FileError as exc:
        raise ExitError(str(exc), CONFIG) from None
    if args.promise:
        return _print_promise(promise(plan, series), plan, as_json=args.json)
    if today < plan.verdict_on:
        raise ExitError(
            f"{args.plan}: its verdict's day is {plan.verdict_on}, and it is {today}: wait for it, or look at what "
            "it will show with --promise"
        )
    missing = sorted(set(plan.treated) - {one.machine for one in series})
    if missing:
        raise ExitError(f"{args.plan}: no day of its machine {missing[0]!r} in {', '.join(args.days)}", CONFIG)
    looks = _looks(plan, series, today, installed)
    for found in looks:
        print(json.dumps(plain(found), ensure_ascii=False) if args.json else _line(found, plan.unit))
    if not args.json:
        print(f"plan {plan.hash}")
        if looks[-1].word not in DECIDED and len(looks) == 1:
            print(f"the extension's day is {plan.extended_to}")
    return CLEAN


def _looks(plan: Plan, series: Sequence[Series], today: date, installed: date | None) -> list[Verdict]:
    first = told.verdict(plan, _until(series, plan.verdict_on), None, installed)
    if first.word in DECIDED or today < plan.extended_to:
        return [first]
    return [first, told.verdict(plan, _until(series, plan.extended_to), first, installed)]


def _until(series: Sequence[Series], end: date) -> list[Series]:
    """Return the days before an end: what comes later is no part of a look."""
    found = []
    for one in series:
        n = sum(day < end for day in one.days)
        found.append(replace(one, days=one.days[:n], num=one.num[:n], den=one.den[:n], coverage=one.coverage[:n]))
    return found


def _line(found: Verdict, unit: str) -> str:
    word = WORDS[found.word].format(larger_than=f"{found.larger_than or 0:.4g} {unit}")
    parts = [f"look {found.look}: {word}"]
    if found.estimate is not None and found.low is not None and found.high is not None:
        parts.append(f"{found.estimate:+.4g} {unit}, {found.low:+.4g} to {found.high:+.4g} ({1 - found.alpha:.0%})")
    parts.append(f"{found.controls} comparison machines on {found.sites} sites")
    parts.append(f"{found.days[0]} + {found.days[1]} days, {sum(found.dropped)} left out")
    if found.placebo is not None:
        parts.append(f"{found.placebo:.0%} of {len(found.placebos)} placebo dates as large")
    if found.why:
        parts.append(", ".join(found.why))
    return "; ".join(parts)


def _print_promise(said: Promise, plan: Plan, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps({**plain(said), "plan": plan.hash}, ensure_ascii=False))
    elif said.low is None or said.high is None:
        print(
            f"nothing can be promised: {WHY[said.reason or 'still']} ({said.days} days, {said.controls} machines)"
        )
    else:
        likely = "" if said.likely is None else f", most likely {said.likely:.4g}"
        print(
            f"shown in four of five cases: changes from {said.low:.4g} to {said.high:.4g} {plan.unit}{likely}; "
            f"{said.days} days, {said.controls} comparison machines, by {said.by}"
        )
    return CLEAN


def _of_database(args: argparse.Namespace) -> int:
    code = CLEAN
    with registry(args) as found:
        now = int(datetime.now().astimezone().timestamp()) * 10**9
        with found.reading() as session:
            wanted = args.plans or list(_frozen(session))
            unknown = [key for key in wanted if session.get(t.MeasurementPlan, key) is None]
            due = set(watching.due_plans(session, day_of(now)))
        if unknown:
            raise ExitError(f"there is no plan {unknown[0]!r}: ids are those of GET /v1/rows/measurement_plan")
        for key in wanted if args.due else ():
            if key in due:
                try:
                    watching.judge(found, key, now)
                except RefusedError as exc:
                    code = FAULT
                    print(f"{key}: is due and has no verdict: {exc.code}")
        for key in wanted:
            with found.reading() as session:
                said = _said(session, key, day_of(now))
            print(json.dumps(said, ensure_ascii=False) if args.json else _told(said))
    return code


def _frozen(session: Session) -> Sequence[str]:
    return session.scalars(
        select(t.MeasurementPlan.id)
        .where(t.MeasurementPlan.frozen_at.is_not(None), t.MeasurementPlan.withdrawn_at.is_(None))
        .order_by(t.MeasurementPlan.verdict_on, t.MeasurementPlan.id)
    ).all()


def _said(session: Session, key: str, today: date) -> dict[str, Any]:
    """Return where a plan stands, and what was told of it."""
    row = session.get_one(t.MeasurementPlan, key)
    looks = session.scalars(select(t.Outcome).where(t.Outcome.plan_id == key).order_by(t.Outcome.look)).all()
    over = len(looks) == 2 or any(one.word in DECIDED or one.body.get("withdrawn") for one in looks)
    state = (
        "withdrawn" if row.withdrawn_at is not None
        else "draft" if row.frozen_at is None
        else "told" if over
        else "due" if today >= (row.extended_to if looks else row.verdict_on)
        else "waiting"
    )  # fmt: skip
    return {
        "plan": key, "metric": row.metric, "state": state, "hash": row.hash, "promise": row.promise,
        "next": (row.extended_to if looks else row.verdict_on).isoformat() if state in {"waiting", "due"} else None,
        "looks": [
            {
                "look": one.look, "on": one.on_date.isoformat(), "word": one.word, "estimate": one.estimate,
                "low": one.low, "high": one.high, "decayed_on": plain(one.decayed_on),
            }
            for one in looks
        ],
    }  # fmt: skip


def _told(said: dict[str, Any]) -> str:
    lines = [f"{said['plan']} ({said['metric']}): {said['state']}" + (f", {said['next']}" if said["next"] else "")]
    for one in said["looks"]:
        word = WORDS[one["word"]].split(" larger")[0]
        ends = (
            "" if one["estimate"] is None else f" {one['estimate']:+.4g}, {one['low']:+.4g} to {one['high']:+.4g}"
        )
        gone = f"; going away since {one['decayed_on']}" if one["decayed_on"] else ""
        lines.append(f"  look {one['look']} of {one['on']}: {word}{ends}{gone}")
    return "\n".join(lines)
