"""From the owner's choice to the verdict and the watch, beside what is true.

The plan's metric is the time that the measure is about, as a share of planned time: the sum of its buckets; less is
better. What a machine is changed by, and when, is known to the platform as far as it is its own project
(`touched`); that a gain fades is not.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from techsquare.simulation.advised import SECOND, best
from techsquare.simulation.compared import changed, of
from techsquare.simulation.owners import hours_a_year
from techsquare.simulation.plants import Effect, kept
from techsquare.simulation.seeds import generator
from techsquare.simulation.terms import BUCKETS, Engagement, Truth
from techsquare.verdict import decay
from techsquare.verdict.phases import DAY, windows
from techsquare.verdict.plan import last_baseline_day, refusals
from techsquare.verdict.promise import promise
from techsquare.verdict.terms import DECIDED
from techsquare.verdict.told import verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from techsquare.roadmap.terms import Place
    from techsquare.simulation.compared import Site
    from techsquare.simulation.plants import World
    from techsquare.simulation.terms import Plant, Product
    from techsquare.verdict.terms import Plan, Series

BASELINE = 60
"""Days."""
SEEN_DAYS = 30
"""After an installation without a plan, until its project is over for the platform."""
UNUSED, HARM, FADES = 0.06, 0.25, 0.2
"""Chances: installed and not used; makes it worse where it does not work; half of the gain is lost some day."""
HARM_GAIN = -0.12
YEARS = 3
YEAR = 365
Z = 2.054
"""Half the width of the first look's interval, in standard errors of many comparison machines."""


def drawn(seed: int, name: str, product: Product, places: Sequence[Place], gain: float) -> Truth:
    """Return what an installation of a solution really does; the name makes it its own draw."""
    rng = generator(seed, "truth", name)
    works, used = bool(rng.random() < product.success), bool(rng.random() >= UNUSED)
    spread, harm = float(np.exp(rng.normal(0, 0.2))), bool(rng.random() < HARM)
    level, fades, months = float(rng.random()), bool(rng.random() < FADES), float(rng.uniform(3, 24))
    share = min(0.9, product.factor * spread) if works else HARM_GAIN if harm else 0.0
    price, yearly = product.solution.price, product.solution.yearly
    return Truth(
        works=works,
        used=used,
        gain=dict.fromkeys(sorted({bucket for _, bucket in places}), share * gain if used else 0.0),
        fades_on=round(30 * months) if fades and works else None,
        price=round(price.low + level * (price.high - price.low)),
        yearly=round(yearly.low + level * (yearly.high - yearly.low)),
    )


def sure(product: Product, places: Sequence[Place], gain: float) -> Truth:
    """Return what an installation that works and is used does on average, at no cost of its own."""
    return Truth(
        works=True,
        used=True,
        gain=dict.fromkeys(sorted({bucket for _, bucket in places}), product.factor * gain),
        fades_on=None,
        price=0,
        yearly=0,
    )


def net_of(plant: Plant, engagement: Engagement) -> float:
    """Return what an engagement is truly worth over three years, won; a dropped second stage costs nothing."""
    done = [place for place in engagement.places if place[0] not in engagement.dropped]
    share = len({machine for machine, _ in done}) / len(engagement.machines)
    truth = engagement.truth
    part = replace(truth, price=round(truth.price * share), yearly=round(truth.yearly * share))
    return worth(plant, done, part)


def worth(plant: Plant, places: Sequence[Place], truth: Truth) -> float:
    """Return what an installation is truly worth over three years, won: what it saves of an average year's loss."""
    tools = {tool.id: tool for tool in plant.tools}
    lasting = 1.0
    if truth.fades_on is not None:
        lasting = (1 + min(1.0, truth.fades_on / (YEARS * YEAR))) / 2
    saved = sum(
        truth.gain[bucket]
        * tools[machine].base[BUCKETS.index(bucket)]
        * hours_a_year(tools[machine])
        * tools[machine].won[bucket]
        for machine, bucket in places
    )
    return YEARS * lasting * saved - truth.price - YEARS * truth.yearly


def dates(applied: date, accepted: date, free: date | None, wait: int) -> tuple[tuple[date, date], date]:
    """Return the days of the baseline and of the installation.

    Args:
        applied: When help was asked for: the baseline begins after it.
        accepted: When the offer was.
        free: Last day of the factory's project before, if there was one.
        wait: Days that the supplier needs at least.
    """
    first = max(applied, free or applied) + DAY
    installed = max(accepted + timedelta(days=wait), first + timedelta(days=BASELINE + 15))
    last = last_baseline_day(installed)
    return (max(first, last - timedelta(days=120)), last), installed


def freeze(site: Site, engagement: Engagement, applied: date) -> Engagement:
    """Give an engagement the plan that is advised, from the days of the baseline alone.

    Without one where what is expected could not be shown (and plans are made only then), or where it is refused.
    """
    world = site.world
    site.forget(engagement, engagement.machines)
    way = best(site, engagement, applied, _least(engagement))
    engagement.way = way
    engagement.loss = way.level
    expected = engagement.share * (way.level or 0.0)
    told = world.setting.only_provable and (way.provable is None or way.provable > expected)
    if told or refusals(way.plan):
        site.plan(engagement, engagement.machines, engagement.installed)
        if not told:
            site.forget(engagement, engagement.machines)
            engagement.end, engagement.ended = "not_frozen", way.plan.frozen
        return engagement
    engagement.plan = plan = way.plan
    first = {name.partition("/")[2] for name in plan.treated}
    site.plan(engagement, first, engagement.installed)
    site.plan(engagement, engagement.second, engagement.installed + SECOND)
    if generator(world.setting.seed, "promise", engagement.id).random() < world.setting.promised:
        buckets = sorted({bucket for _, bucket in engagement.places})
        past = [of(world, name, buckets, world.setting.at(engagement.baseline[1]) + 1) for name in plan.controls]
        engagement.promise = promise(plan, past, world.setting.seed)
    return engagement


def install(world: World, engagement: Engagement) -> None:
    """Let the installation change the machines that it begins with."""
    first = [machine for machine in engagement.machines if machine not in engagement.second]
    _change(world, engagement, first, engagement.installed)
    engagement.began = True


def follow(site: Site, engagement: Engagement) -> None:
    """Install on the rest where the verdict is not against it; otherwise it is neither bought nor done."""
    if not engagement.second or engagement.verdict is None:
        return
    if engagement.verdict.word in ("worse", "no_change"):
        site.forget(engagement, engagement.second)
        engagement.dropped = engagement.second
    else:
        _change(site.world, engagement, engagement.second, engagement.installed + SECOND)


def _change(world: World, engagement: Engagement, machines: Sequence[str], on: date) -> None:
    since, truth = world.setting.at(on), engagement.truth
    fades = None if truth.fades_on is None else world.setting.at(engagement.installed) + truth.fades_on
    for machine, effects in _effects(engagement, since, fades).items():
        if machine in machines:
            world.change(engagement.plant, machine, effects)


def look(site: Site, engagement: Engagement, today: date) -> bool:
    """Look at an engagement when one of its two dates has come; return whether its verdict stands now."""
    plan = engagement.plan
    if plan is None:
        # Nothing that is expected could be shown: there is no verdict, and functions are accepted as they are.
        if engagement.way is not None and engagement.installed + timedelta(days=SEEN_DAYS) <= today:
            engagement.end, engagement.ended = "not_provable", engagement.installed + timedelta(days=SEEN_DAYS)
        return False
    if engagement.verdict is not None:
        return False
    if engagement.first is None and plan.verdict_on <= today:
        found = verdict(plan, _seen(site, engagement, plan, plan.verdict_on))
        engagement.first = found
        if found.word in DECIDED:
            engagement.verdict, engagement.ended = found, plan.verdict_on
    if engagement.verdict is None and engagement.first is not None and plan.extended_to <= today:
        days = _seen(site, engagement, plan, plan.extended_to)
        engagement.verdict = verdict(plan, days, engagement.first)
        engagement.ended = plan.extended_to
    if engagement.verdict is None:
        return False
    engagement.end = engagement.verdict.word
    engagement.effect = true_effect(site.world, engagement, plan, engagement.verdict.look)
    follow(site, engagement)
    return True


def measured(engagement: Engagement) -> tuple[float, float] | None:
    """Return the gain that a verdict "improved" showed, as a share of the loss before, with its standard error."""
    told, level = engagement.verdict, engagement.loss
    if told is None or told.word != "improved" or told.estimate is None or not level:
        return None
    assert told.low is not None
    assert told.high is not None
    return -told.estimate / level, (told.high - told.low) / 2 / Z / level


def true_effect(world: World, engagement: Engagement, plan: Plan, which: int) -> float:
    """Return the true change of the metric over a look's days: with the project minus without it.

    Where nobody measures, over all days of the window.
    """
    after = windows(plan, 1 if which == 1 else 2)[1]
    first, last = world.setting.at(after.first), min(world.setting.at(after.last), world.setting.days - 1)
    since, truth = world.setting.at(engagement.installed), engagement.truth
    fades = None if truth.fades_on is None else since + truth.fades_on
    plant, found = world.plants[engagement.plant], []
    days = world.days(engagement.plant)
    for machine, effects in _effects(engagement, since, fades).items():
        if machine in engagement.second:
            continue
        at = next(i for i, tool in enumerate(plant.tools) if tool.id == machine)
        part = slice(first, last + 1)
        weights = days.planned[at, part] * (days.coverage[at, part] >= 0.8)
        shares, change = world.shares(engagement.plant, machine)[:, part], np.zeros(last + 1 - first)
        for effect in effects:
            # Other projects multiply the same share, so the world without this one is the share divided by its own.
            row = shares[BUCKETS.index(effect.bucket)]
            change += row - row / kept(effect, last + 1)[part]
        found.append(float((change * weights).sum() / weights.sum()) if weights.sum() else 0.0)
    return float(np.mean(found))


def watch(site: Site, engagement: Engagement, until: date) -> None:
    """Watch over a gain from its verdict to a day, and keep where the watch stands."""
    plan, told = engagement.plan, engagement.verdict
    if plan is None or told is None or told.word != "improved" or told.estimate is None:
        return
    buckets = sorted({bucket for _, bucket in engagement.places})
    before, after = windows(plan, told.look)
    # The next project on one of its machines is a new baseline, and the end of the watch.
    later = [
        day
        for name in plan.treated
        for other, day in site.changes[engagement.plant, name.partition("/")[2]].items()
        if other != engagement.id
    ]
    until = min([until, *(day for day in later if day > engagement.installed)])
    names = [*plan.treated, *plan.controls]
    days = [
        one
        for one in (of(site.world, name, buckets, site.world.setting.at(until)) for name in names)
        if not changed(site, one, plan.frozen, until) or one.machine in plan.treated
    ]
    guard = decay.start(plan, days, before, after, abs(told.estimate), site.world.setting.seed)
    if guard is not None:
        engagement.seen = decay.look(guard, plan, days, after.last + DAY, until - DAY)


def _effects(engagement: Engagement, since: int, fades: int | None) -> dict[str, list[Effect]]:
    found: dict[str, list[Effect]] = {machine: [] for machine in engagement.machines}
    for machine, bucket in engagement.places:
        found[machine].append(Effect(bucket, since, engagement.truth.gain[bucket], fades))
    return found


def _seen(site: Site, engagement: Engagement, plan: Plan, until: date) -> list[Series]:
    """Return the days that a verdict looks at; of a comparison machine that was changed since, none."""
    buckets = sorted({bucket for _, bucket in engagement.places})
    stop = site.world.setting.at(until)
    found = [of(site.world, name, buckets, stop) for name in (*plan.treated, *plan.controls)]
    return [one for one in found if one.machine in plan.treated or not changed(site, one, plan.baseline[0], until)]


def _least(engagement: Engagement) -> float:
    """Return the share of the loss that pays for the solution in three years, between a tenth and a half."""
    solution, loss = engagement.product.solution, engagement.item.loss
    cost = sum(solution.price) / 2 + YEARS * sum(solution.yearly) / 2
    share = cost / (sum(loss) / 2) if sum(loss) > 0 else 0.5
    return min(0.5, max(0.1, share))


def without_vendor(engagement: Engagement, on: date) -> Engagement:
    """Return what becomes of an engagement whose supplier has closed: taken over when it stands, else ended."""
    if engagement.began:
        engagement.takeover = True
    else:
        engagement.end, engagement.ended = "supplier_gone", on
        nothing = dict.fromkeys(engagement.truth.gain, 0.0)
        engagement.truth = replace(engagement.truth, gain=nothing, price=0, yearly=0)
    return engagement
