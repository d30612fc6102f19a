"""What an owner says of his factory when he applies, and what the platform says to him."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from techsquare.registry import tables as t
from techsquare.services import assessing, counting, entering, factory, lists, roadmap, said
from techsquare.services.counting import Line
from techsquare.services.refused import RefusedError
from techsquare.simulation.owners import main_tool
from techsquare.simulation.seeds import generator
from techsquare.simulation.terms import BUCKETS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from techsquare.diagnosis.counted import Kind
    from techsquare.diagnosis.terms import Rates
    from techsquare.services.rights import Caller
    from techsquare.simulation.plants import World
    from techsquare.simulation.sink.desk import Desk
    from techsquare.simulation.terms import Plant, Setting
    from techsquare.span import Span

COUNTED = 20
"""Days that somebody counts by hand."""
MINUTE = 60.0
OF_BUCKET: tuple[tuple[Kind, str], ...] = (
    ("setup_min", "setup"), ("fault_min", "fault"), ("standby_min", "standby"), ("off_min", "off"),
)  # fmt: skip


def applied(desk: Desk, plant: Plant) -> None:
    """Say everything that an owner says: when, rates, budget, whom he does not want, and the twenty answers."""

    def work(session: Session, caller: Caller) -> None:
        factory.applied(session, caller, plant.id, desk.clock.day)
        factory.rates(session, caller, plant.id, rates(plant.rates))
        means = plant.means
        factory.budget(
            session, caller, plant.id, cash=[int(won) for won in means.cash], staff_days=list(means.staff_days),
            support=[int(won) for won in means.support], most_measures=means.most_measures,
        )  # fmt: skip
        for name in sorted(plant.excluded):
            if session.get(t.Supplier, name) is not None:
                factory.exclude(session, caller, plant.id, name, None, "이전 거래에서 사후 지원이 없었음")
        entering.answer(session, caller, plant.id, plant.answers, main_tool(plant.tools).id)

    desk.do("owner", plant.id, work)


def rates(told: Rates) -> dict[str, Any]:
    """Return rates as the form takes them: whole won."""
    names = ("contribution_piece", "scrap_piece", "staff_hour", "avoidable_hour", "tariff_kwh")
    spans = {name: _won(getattr(told, name)) for name in names}
    return {**spans, "orders_wait": told.orders_wait, "attended": dict(told.attended)}


def _won(span: Span | None) -> dict[str, int] | None:
    return None if span is None else {"low": round(span.low), "high": round(span.high)}


def counts(desk: Desk, world: World, plant: Plant) -> None:
    """Write into the form what somebody at the main machine has counted on its latest days."""
    tool, stop = main_tool(plant.tools), world.setting.at(desk.clock.day)
    days = world.days(plant.number)
    at = plant.tools.index(tool)
    lines: list[Line] = []
    for day in range(max(0, stop - 2 * COUNTED), stop):
        planned = float(days.planned[at, day])
        if planned <= 0 or len(lines) >= COUNTED * (len(OF_BUCKET) + 5):
            continue
        shares = dict(zip(BUCKETS, world.shares(plant.number, tool.id)[:, day].tolist(), strict=True))
        ran = planned * (1 - sum(shares[bucket] for _, bucket in OF_BUCKET))
        pieces = round((ran - planned * shares["speed"]) / tool.cycle_s)
        told: list[tuple[Kind, float]] = [("planned_min", planned / MINUTE), ("production_min", int(ran / MINUTE))]
        told += [(kind, int(planned * shares[bucket] / MINUTE)) for kind, bucket in OF_BUCKET]
        told += [
            ("pieces", pieces), ("rejects", round(planned * shares["scrap"] / tool.cycle_s)),
            ("ideal_cycle_s", tool.cycle_s),
        ]  # fmt: skip
        lines += [Line(tool.id, world.calendar[day], kind, float(value)) for kind, value in told]
    desk.do("owner", plant.id, lambda s, c: counting.write(s, c, plant.id, lines))


def diagnosed(desk: Desk, plant: Plant) -> None:
    """Ask for the diagnosis of this moment, as the owner."""
    desk.do("owner", plant.id, lambda s, c: assessing.assess(s, c, plant.id))


def asked(desk: Desk, plant: Plant, mentor: str, setting: Setting) -> None:
    """Fill in the mentor's questionnaire, as he does on his visit; some of it nobody knows here."""
    rng = generator(setting.seed, "questionnaire", plant.number)
    levels = {
        one.id: int(rng.integers(0, len(one.scale))) if rng.random() < 0.85 else None
        for one in said.questionnaire().questions
    }
    desk.do("mentor", mentor, lambda s, c: entering.fill_in(s, c, plant.id, levels))


def planned(desk: Desk, plant: Plant, begins: date) -> Sequence[str]:
    """Make the roadmap; return its items in the order of their phases."""

    def work(session: Session, caller: Caller) -> list[str]:
        row = roadmap.compute(session, caller, desk.books.catalogue, plant.id, begins)
        items = session.scalars(select(t.RoadmapItem).where(t.RoadmapItem.roadmap_id == row.id)).all()
        return [one.id for one in sorted(items, key=lambda one: (one.phase, one.measure_id, one.machine_id or ""))]

    return desk.do("owner", plant.id, work)


def looked_up(desk: Desk, plant: Plant, item: str) -> bool:
    """Have the list of an item made at once, with what keeps others from it; False where it cannot be."""
    try:
        desk.do("owner", plant.id, lambda s, c: lists.for_item(s, c, desk.books.catalogue, item))
    except RefusedError:
        return False
    return True
