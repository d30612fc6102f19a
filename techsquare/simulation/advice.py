"""What the platform knows of a factory: diagnosis, roadmap, items for matching. Nothing here sees what is true.

Where an agent measures, sixty machine-days are made into accounts and losses, as `diagnosis` does it for records;
where nobody does, the owner's twenty answers are, for the one machine that they are about (`entry.provisional`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from techsquare.catalogue.offer import Factory, Machine, capabilities, offer, programmes
from techsquare.credit import CREDITED
from techsquare.diagnosis.accounts import accounts
from techsquare.diagnosis.ledger import losses as priced
from techsquare.diagnosis.terms import Year
from techsquare.entry.provisional import provisional
from techsquare.matching.terms import Item
from techsquare.roadmap.problem import problem
from techsquare.roadmap.search import best
from techsquare.simulation.owners import WEEKS_A_YEAR, main_tool
from techsquare.simulation.terms import PAST_DAYS
from techsquare.span import Span, total

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from techsquare.catalogue.load import Catalogue
    from techsquare.diagnosis.terms import Account, Loss
    from techsquare.entry.model import Form
    from techsquare.roadmap.terms import Measure, Place
    from techsquare.simulation.plants import World
    from techsquare.simulation.terms import Plant

LOOKED_AT = 60
"""Days."""
MOST_MEASURES = 8
"""With a gain, that a roadmap chooses from here: a factory asks for its worst losses."""
YEARS = 3
MEASURED = ("V01", "V02", "V03", "V04", "V05", "R01", "R02", "R03", "C01", "A01", "T02")
"""What an agent that is there measures, in full."""
Step = tuple[Item, "Sequence[Place]"]


class Books(NamedTuple):
    """What the platform has written down: measures and programmes, and the twenty questions."""

    catalogue: Catalogue
    form: Form


class Found(NamedTuple):
    """A diagnosis: what machines do with their time, and what they lose."""

    accounts: Sequence[Account]
    losses: Sequence[Loss]

    def by_place(self) -> dict[Place, Span]:
        """Return won a year by machine and bucket, where every rate is known."""
        return {(one.machine, one.bucket): one.won_year for one in self.losses if one.won_year is not None}


def year(plant: Plant) -> Year:
    """Return the days of production in a factory's year."""
    return Year(float(WEEKS_A_YEAR * plant.tools[0].days_a_week))


def diagnosis(world: World, form: Form, plant: Plant, until: date) -> Found:
    """Return a factory's diagnosis from the days before one; from the owner's answers where nobody measures."""
    if not plant.wired:
        said = provisional(form, plant.answers, priced, main_tool(plant.tools).id)
        return Found([said.account], said.losses)
    stop = world.setting.at(until)
    days = world.machine_days(plant.number, max(0, stop - LOOKED_AT), stop - 1)
    found = accounts(days, year(plant), world.setting.seed)
    return Found(found, priced(found, plant.rates))


def steps(world: World, books: Books, plant: Plant, begins: date) -> tuple[list[Step], int]:
    """Return the items of a factory's roadmap in its order, and the won that the data costs which they rest on.

    It is the plan that `roadmap.plan` tells; what that adds (firmness, reasons) is solved for forty times a plan
    and decides nothing here. Only what has a gain is an item; data that it needs is set up before it, at the middle
    of its price.
    """
    catalogue = books.catalogue
    lost = diagnosis(world, books.form, plant, begins).by_place()
    about = Factory(
        machines=[Machine(tool.id, tool.id, tool.process, tool.interfaces) for tool in plant.tools],
        losses=lost,
        indicators={(tool.id, name): 1.0 for tool in plant.tools for name in MEASURED} if plant.wired else {},
    )
    offered = offer(catalogue.entries, about, MOST_MEASURES)
    middle = problem(offered, lost, plant.means, programmes(catalogue.programmes), begins, {})
    plan = best(middle)
    measures = {measure.id: measure for measure in offered}
    found, data = [], 0.0
    for start, paid in zip(plan.starts, plan.support, strict=True):
        measure = measures[middle.names[start.measure]]
        if measure.data:
            data += middle.burden(start.measure) - paid
        else:
            found.append((start.phase, start.day, measure.id, plant.means.cash[start.phase] + paid))
    return [_step(catalogue, plant, measures[name], lost, most) for _, _, name, most in sorted(found)], round(data)


def _step(catalogue: Catalogue, plant: Plant, measure: Measure, lost: Mapping[Place, Span], most: float) -> Step:
    entry = next(one for one in catalogue.entries if one.id == measure.kind)
    places = sorted(place for place in measure.gain if place in lost)
    machine = next(tool for tool in plant.tools if tool.id == places[0][0])
    credited = Span(YEARS * CREDITED, YEARS * CREDITED)
    item = Item(
        id=f"{plant.id}:{measure.id}",
        factory=plant.id,
        measure=measure.id,
        family=entry.id,
        capabilities=capabilities(entry),
        process=machine.process,
        interfaces=machine.interfaces,
        region=plant.province,
        most_won=int(most),
        loss=total(lost[place] for place in places).times(credited),
        consents=plant.consents,
        excluded=plant.excluded,
        related=frozenset({plant.group} if plant.group else ()),
    )
    return item, places


assert LOOKED_AT <= PAST_DAYS
