"""What was said against what is true: the figures of a simulated programme.

advice       offers and "not now" against the true worth of what there was; regret of the first line in won
provable     what could be shown at all, and how often it was
bad_months   by how much a naive before and after overstates, and ours
drift        intervals where machines drift and where they do not
verdicts     words by what is true of them; an "improved" is false when the true effect is not a gain
promise      of true gains at least as large as the promised smallest provable change, how many were shown
won          true worth over three years, with the platform and doing what the supplier says
exposure     suppliers that could have been shown and never were; what fairness cost
calibration  told chances against outcomes, in classes; worth told as a 10 % quantile against the true one
mentors      load, waiting, conflicts
watch        decays found, false alarms
ends         every engagement once
"""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from techsquare.simulation.judged import advice, bad_months, drift
from techsquare.simulation.naive import totals
from techsquare.simulation.terms import ENDS
from techsquare.verdict.terms import DECIDED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from techsquare.simulation.programme import Done
    from techsquare.simulation.terms import Engagement

CLASSES = (0.0, 0.4, 0.5, 0.6, 0.7, 1.0)
"""Edges of classes of told chances."""
ZERO = 1e-9
TOP = 0.15
Json = dict[str, object]


def report(done: Done) -> Json:
    """Return the figures of a programme; numbers are rounded, so that the same programme gives the same bytes."""
    engagements = [done.engagements[name] for name in sorted(done.engagements)]
    told = [one for one in engagements if one.verdict is not None]
    setting = done.setting
    return {
        "setting": {
            "seed": setting.seed,
            "factories": setting.factories,
            "months": setting.months,
            "gain": setting.gain,
            "comparison_machines": setting.beside,
            "begins": setting.begins.isoformat(),
        },
        "factories": _factories(done),
        "ends": {end: sum(one.end == end for one in engagements) for end in ENDS},
        "advice": advice(done.judged),
        "verdicts": _verdicts(told),
        "provable": _provable(engagements, told),
        "bad_months": bad_months(done, told),
        "drift": drift(done, told),
        "promise": _promise(told),
        "won": _won(done, engagements),
        "exposure": _exposure(done),
        "calibration": _calibration(done, told),
        "mentors": _mentors(done),
        "watch": _watch(done, told),
    }


def _factories(done: Done) -> Json:
    cases = list(done.cases.values())
    return {
        "applied": len(cases),
        "with_mentor": sum(case.met is not None for case in cases),
        "roadmaps": done.advice["roadmaps"],
        "roadmap_buys_nothing": done.advice["buy_nothing"],
        "closed": sum(case.closed for case in cases),
        "engagements": len(done.engagements),
        "takeovers": sum(one.takeover for one in done.engagements.values()),
        "items": {word: done.advice[word] for word in ("offers", "not_now", "not_known", "nobody")},
    }


def _verdicts(told: Sequence[Engagement]) -> Json:
    words = Counter(one.end for one in told)
    right = [one for one in told if one.word in DECIDED and _right(one)]
    decided = [one for one in told if one.word in DECIDED]
    false = [one for one in told if one.word == "improved" and not _gains(one)]
    nothing = [one for one in told if not _gains(one)]
    ends = [
        (one.verdict.low, one.effect, one.verdict.high)
        for one in told
        if one.verdict is not None and one.effect is not None and one.verdict.low is not None
    ]
    covered = [low <= effect <= high for low, effect, high in ends if high is not None]
    return {
        "told": len(told),
        "words": dict(sorted(words.items())),
        "decided": len(decided),
        "decided_right": len(right),
        "right_share": _share(len(right), len(decided)),
        "improved_false": len(false),
        "improved_false_share_of_told": _share(len(false), len(told)),
        "without_true_gain": len(nothing),
        "improved_false_share_of_those": _share(len(false), len(nothing)),
        "with_true_gain": len(told) - len(nothing),
        "improved_share_of_those": _share(
            sum(one.word == "improved" for one in told if _gains(one)), len(told) - len(nothing)
        ),
        "intervals": len(covered),
        "interval_covers": _share(sum(covered), len(covered)),
        "with_comparison": sum(one.plan is not None and one.plan.over != "none" for one in told),
        "improved_without_comparison": sum(
            one.word == "improved" and one.plan is not None and one.plan.over == "none" for one in told
        ),
    }


def _provable(engagements: Sequence[Engagement], told: Sequence[Engagement]) -> Json:
    """Return what could be shown at all: as a share of the loss, of what was bought, and how often it then was."""
    looked = [one for one in engagements if one.way is not None]
    shares = [one.way.share for one in looked if one.way is not None and one.way.provable is not None]
    sure = [
        one
        for one in told
        if one.way is not None and one.way.provable is not None and -(one.effect or 0.0) >= one.way.provable
    ]
    pairs = [
        (one.way.provable, one.promise.likely)
        for one in looked
        if one.way is not None and one.way.provable and one.promise is not None and one.promise.likely
    ]
    return {
        "projects": len(looked),
        "plans": sum(one.plan is not None for one in looked),
        "in_two_stages": sum(bool(one.second) for one in looked),
        "provable_share_of_loss_median": _median(shares),
        "expected_share_of_loss_median": _median([one.share for one in looked]),
        "provable_of_promise_median": _median([ours / theirs for ours, theirs in pairs]),
        "true_gain_above": len(sure),
        "shown_of_those": _share(sum(one.word == "improved" for one in sure), len(sure)),
    }


def _promise(told: Sequence[Engagement]) -> Json:
    sure, within = [], []
    for one in told:
        if one.promise is None or one.promise.low is None or one.promise.high is None or one.effect is None:
            continue
        if -one.effect >= one.promise.high:
            sure.append(one)
        elif -one.effect >= one.promise.low:
            within.append(one)
    promised = [one.promise for one in told if one.promise is not None and one.promise.low is not None]
    return {
        "promised": len(promised),
        "smallest_provable_median": _median([p.high for p in promised if p.high is not None]),
        "gain_above_range": len(sure),
        "shown_above_range": _share(sum(one.word == "improved" for one in sure), len(sure)),
        "gain_within_range": len(within),
        "shown_within_range": _share(sum(one.word == "improved" for one in within), len(within)),
    }


def _won(done: Done, engagements: Sequence[Engagement]) -> Json:
    ended = [one for one in engagements if one.end not in ("supplier_gone", "not_frozen")]
    net = sum(one.net for one in ended) - done.data_won
    price = sum(one.truth.price for one in ended)
    naive = totals(done.bought)
    served = max(1, sum(case.met is not None for case in done.cases.values()))
    return {
        "platform": {
            "installed": len(ended),
            "paid": price,
            "data": done.data_won,
            "expected": round(sum(one.expected.mean for one in ended)),
            "net": round(net),
            "net_a_factory": round(net / served),
            "loss_making_share": _share(sum(one.net < 0 for one in ended), len(ended)),
        },
        "supplier_says": {
            "bought": round(naive["bought"]),
            "paid": round(naive["paid"]),
            "expected": round(naive["promised"]),
            "net": round(naive["net"]),
            "net_a_factory": round(naive["net"] / served),
            "loss_making_share": _share(sum(one.net < 0 for one in done.bought), len(done.bought)),
        },
        "more_with_platform": round(net - naive["net"]),
    }


def _exposure(done: Done) -> Json:
    never = [name for name in sorted(done.could) if done.shown[name] == 0]
    by_weight = sorted(done.market, key=lambda one: (-one.weight, one.supplier.id))
    top = {one.supplier.id for one in by_weight[: max(1, round(TOP * len(by_weight)))]}
    shown = sum(done.shown.values())
    score, best = (sum(column) for column in zip(*done.merit, strict=True)) if done.merit else (0, 0)
    return {
        "suppliers": len(done.market),
        "could_be_shown": len(done.could),
        "never_shown": len(never),
        "never_shown_share": _share(len(never), len(done.could)),
        "showings": shown,
        "top_share_of_market": _round(sum(one.weight for one in done.market if one.supplier.id in top)),
        "top_share_of_showings": _share(sum(done.shown[name] for name in top), shown),
        "merit_kept": _share(score, best),
        "closed_suppliers": sum(one.closes is not None for one in done.market),
    }


def _calibration(done: Done, told: Sequence[Engagement]) -> Json:
    rows = []
    for low, high in itertools.pairwise(CLASSES):
        inside = [one for one in told if low <= one.expected.p < high]
        rows.append(
            {
                "from": low,
                "to": high,
                "n": len(inside),
                "told": _mean(one.expected.p for one in inside),
                "works": _mean(float(one.truth.works and one.truth.used) for one in inside),
                "true_chance": _mean(one.product.success for one in inside),
            }
        )
    brier = _mean((one.expected.p - float(one.truth.works and one.truth.used)) ** 2 for one in told)
    errors = [(one.expected.p - one.product.success) ** 2 for one in told]
    return {
        "chances": rows,
        "brier": brier,
        "rmse_of_chance": _round(float(np.sqrt(np.mean(errors)))) if errors else None,
        "first_lines": len(done.expected),
        "worth_below_q10_share": _share(sum(true < q10 for q10, true in done.expected), len(done.expected)),
    }


def _mentors(done: Done) -> Json:
    return {
        "mentors": len(done.mentors),
        "capacity": sum(one.capacity for one in done.mentors),
        "most_at_once": max(one.most for one in done.mentors),
        "over_capacity": sum(one.most > one.capacity for one in done.mentors),
        "now": sum(len(one.looks_after) for one in done.mentors),
        "waited_months_mean": _mean(float(one) for one in done.waited),
        "still_waiting": sum(case.met is None for case in done.cases.values()),
        "conflicts_avoided": done.conflicts,
    }


def _watch(done: Done, told: Sequence[Engagement]) -> Json:
    watched = [one for one in told if one.seen is not None]
    fading = [one for one in watched if _fades(done, one)]
    alarms = [one for one in watched if one.seen is not None and one.seen.state == "decay"]
    return {
        "improved": sum(one.word == "improved" for one in told),
        "watched": len(watched),
        "fading": len(fading),
        "fading_found": sum(one in alarms for one in fading),
        "alarms_without_fading": sum(one not in fading for one in alarms),
    }


def _fades(done: Done, one: Engagement) -> bool:
    """Tell whether half of a gain was lost within the days of the watch."""
    if one.truth.fades_on is None:
        return False
    return done.setting.at(one.installed) + one.truth.fades_on < done.setting.days


def _gains(one: Engagement) -> bool:
    return one.effect is not None and one.effect < -ZERO


def _right(one: Engagement) -> bool:
    """Tell whether a decided word is true: a gain, a loss, or no change larger than what was told."""
    assert one.verdict is not None
    assert one.effect is not None
    if one.word == "no_change":
        return one.verdict.larger_than is not None and abs(one.effect) <= one.verdict.larger_than
    return one.effect < -ZERO if one.word == "improved" else one.effect > ZERO


def _share(part: float, whole: float) -> float | None:
    return _round(part / whole) if whole else None


def _mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return _round(float(np.mean(found))) if found else None


def _median(values: Sequence[float]) -> float | None:
    return _round(float(np.median(values))) if values else None


def _round(value: float) -> float:
    return round(value, 6)


def lines(figures: Mapping[str, object], indent: int = 0) -> list[str]:
    """Return the figures as lines to read."""
    found: list[str] = []
    for name, value in figures.items():
        label = " " * indent + name.replace("_", " ")
        if isinstance(value, dict):
            found += [label, *lines(value, indent + 2)]
        elif isinstance(value, list):
            found.append(label)
            found += ["  " * (indent + 1) + "  ".join(f"{k} {v}" for k, v in row.items()) for row in value]
        else:
            found.append(f"{label:<44}{'not known' if value is None else value}")
    return found
