"""A project from the wanted offer to its end, as its parties move it.

    wanted -> taken, contract drawn up -> plan promised, agreed by both, frozen -> signed, begun -> delivered
           -> drilled, accepted -> first look -> (extension) -> settled -> ended

All of it are calls of services. What is measured is what the mentor advises: one metric, of the bucket in which the
measure is worth most. Where a measure of the whole plant meets a hall of at least seven machines of a process, half
of them are begun with and the others are compared with; they follow after the verdict (decision 123).
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from sqlalchemy import select, update

from techsquare.matching.continuity import asked, unmet
from techsquare.registry import tables as t
from techsquare.services import (
    accounts,
    contracts,
    escrow,
    offers,
    plans,
    projects,
    promising,
    tickets,
    verdicts,
    watching,
)
from techsquare.services.refused import RefusedError
from techsquare.services.work import Bench
from techsquare.simulation.compared import AFTER, EXTENSION
from techsquare.simulation.owners import hours_a_year, main_tool
from techsquare.simulation.plants import Effect
from techsquare.simulation.projects import BASELINE
from techsquare.simulation.sink import boxes
from techsquare.simulation.sink.past import OF_BUCKET
from techsquare.simulation.terms import BUCKETS
from techsquare.verdict.terms import Use

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from techsquare.catalogue.model import Entry
    from techsquare.mentoring.engagement import Event
    from techsquare.mentoring.ticket import Severity
    from techsquare.registry.privacy import Role
    from techsquare.roadmap.terms import Place
    from techsquare.services.rights import Caller
    from techsquare.simulation.plants import World
    from techsquare.simulation.sink.desk import Desk
    from techsquare.simulation.terms import Plant, Product, Tool, Truth
    from techsquare.verdict.objection import About

STAGED = 7
"""Machines of a process from which a measure of the whole plant goes in two stages."""
BESIDE = 5
"""Machines that a first stage leaves to be compared with."""
LONGEST = 120
"""Days of a baseline at most."""
LOOKED_AT = 7
"""Planned days within which somebody has to look at what was installed."""
KEPT = ("store", "tags", "interface", "export")


@dataclass(slots=True, eq=False)
class Project:
    """A project as this programme knows it. `signs`: the day after the baseline's last one."""

    plant: Plant
    offer: str
    measure: str
    vendor: str
    product: Product
    places: Sequence[Place]
    truth: Truth
    baseline: tuple[date, date]
    signs: date
    installs: date
    key: str = ""
    plan: str = ""
    metric: str = ""
    first: Sequence[str] = ()
    word: str = ""
    outcome: str = ""
    looks: int = 0
    standing: bool = False
    over: bool = False
    tickets: list[str] = field(default_factory=list)

    @property
    def machines(self) -> list[str]:
        """The machines that it changes in the end."""
        return sorted({machine for machine, _ in self.places})


def dates(
    applied: date, wanted: date, free: date | None, wait: int, papers: int
) -> tuple[tuple[date, date], date, date]:
    """Return the baseline's first and last day, the day of the signature, and that of the installation.

    Args:
        applied: When help was asked for: the baseline begins after it.
        wanted: When the offer was.
        free: Last day of the factory's project before, if there was one.
        wait: Days from the wish to the installation that the supplier needs at least.
        papers: Days from the wish to the contract.
    """
    first = max(applied, free or applied) + timedelta(days=1)
    # Fifteen days before the installation nothing counts, so the baseline has that many days more than it needs.
    signs = max(wanted + timedelta(days=papers), first + timedelta(days=BASELINE))
    installs = max(wanted + timedelta(days=wait), signs + timedelta(days=15))
    return (max(first, signs - timedelta(days=LONGEST)), signs - timedelta(days=1)), signs, installs


def places(entry: Entry, machine: str | None, plant: Plant) -> list[Place]:
    """Return where a measure works."""
    tools = [tool for tool in plant.tools if not entry.processes or tool.process in entry.processes]
    if machine is not None:
        tools = [tool for tool in plant.tools if tool.id == machine]
    elif not plant.wired:
        tools = [main_tool(plant.tools)]
    buckets = sorted({str(gain.bucket) for gain in entry.gains if gain.bucket != "energy"})
    return [(tool.id, bucket) for tool in tools for bucket in buckets]


def first_stage(project: Project) -> list[str]:
    """Return the machines that are begun with, and measured: of one process, the worst of them first."""
    tools = [tool for tool in project.plant.tools if tool.id in project.machines]
    process, _ = min(Counter(tool.process for tool in tools).items(), key=lambda one: (-one[1], one[0]))
    alike = [tool for tool in tools if tool.process == process]
    if len(project.machines) == 1 or len(alike) < STAGED:
        return sorted(tool.id for tool in alike)
    worst = sorted(alike, key=lambda one: (-_lost(one, project), one.id))
    return sorted(tool.id for tool in worst[: min(len(worst) // 2, len(worst) - BESIDE)])


def _lost(tool: Tool, project: Project) -> float:
    buckets = {bucket for _, bucket in project.places}
    return sum(
        tool.base[BUCKETS.index(bucket)] * hours_a_year(tool) * tool.won[bucket] for bucket in sorted(buckets)
    )


def metric_of(entry: Entry, plant: Plant) -> str:
    """Return the metric of the bucket in which a measure takes most hours away."""
    tool = main_tool(plant.tools)
    gains = [gain for gain in entry.gains if gain.bucket != "energy"]
    best = max(gains, key=lambda one: (one.mean * tool.base[BUCKETS.index(str(one.bucket))], str(one.bucket)))
    return OF_BUCKET[str(best.bucket)]


def row(desk: Desk, project: Project) -> t.Engagement:
    """Return a project as it stands."""
    with desk.registry.reading() as session:
        return session.get_one(t.Engagement, project.key)


def wanted(desk: Desk, project: Project) -> None:
    """Want an offer, and let its supplier get in touch."""

    def work(session: Session, caller: Caller) -> str:
        offers.answer(session, caller, project.offer, "wanted", contact=True)
        return session.scalars(select(t.Engagement.id).where(t.Engagement.offer_id == project.offer)).one()

    project.key = desk.do("owner", project.plant.id, work)


def taken(desk: Desk, project: Project) -> bool:
    """Let the supplier say yes; False where its slots are gone by now, or the offer is."""
    try:
        desk.do("supplier", project.vendor, lambda s, c: projects.take(s, c, project.offer))
    except RefusedError:
        return False
    return True


def papers(desk: Desk, project: Project) -> None:
    """Let the supplier draw up the contract: it agrees to everything that is asked and not met already."""

    def work(session: Session, caller: Caller) -> None:
        found = session.get_one(t.Engagement, project.key)
        version = session.get_one(t.SolutionVersion, found.version_id)
        wants = asked(accounts.risk(session, found.supplier_id, desk.clock.day))
        agreed = unmet(wants, version.continuity, escrow.level(session, found), ())
        others = session.scalars(
            select(t.Supplier.id)
            .where(t.Supplier.state == "active", t.Supplier.id != found.supplier_id)
            .order_by(t.Supplier.id)
        ).all()
        second = others[:1] if "second_supplier" in agreed else []
        won = min(project.truth.price, version.price_high)
        contracts.draft(session, caller, project.key, won=won, agreed=agreed, second=second, funding=None)

    desk.do("supplier", project.vendor, work)


def planned(desk: Desk, project: Project, entry: Entry, least: float) -> bool:
    """Draft a plan, let both read what it can show and agree, and freeze it; False where there can be none."""
    project.first = first_stage(project)
    project.metric = metric_of(entry, project.plant)
    use = Use(boxes.SYSTEM, "L04", LOOKED_AT)

    def draft(session: Session, caller: Caller) -> tuple[str, str, dict[str, str]]:
        made = plans.draft(
            session, caller, project.key, metric=project.metric, machines=project.first, baseline=project.baseline,
            installed=project.installs, days_after=AFTER, extension_days=EXTENSION, least=least, use=use,
        )  # fmt: skip
        job = promising.begin(session, caller, made.id)
        return made.id, job.id, dict(job.asked["of"])

    try:
        plan, job, of = desk.do("owner", project.plant.id, draft)
        promised(desk, job, of)
        desk.do("owner", project.plant.id, lambda s, c: plans.agree(s, c, plan))
        desk.do("supplier", project.vendor, lambda s, c: plans.agree(s, c, plan))
        desk.do("owner", project.plant.id, lambda s, c: plans.freeze(s, c, plan))
    except RefusedError:
        desk.do("owner", project.plant.id, lambda s, c: projects.unmeasured(s, c, project.key))
        return False
    project.plan = plan
    return True


def promised(desk: Desk, job: str, of: dict[str, str]) -> None:
    """Do the job that says what a plan can show, as a thread of the server does."""
    said = promising.of_plan(Bench(desk.registry, desk.books.catalogue, desk.clock.now), of, lambda _: None)
    at = desk.clock.now()

    done = update(t.Job).where(t.Job.id == job)
    values = {"state": "done", "progress": 1.0, "answer": said, "begun_at": at, "ended_at": at}
    desk.registry.load(lambda s: s.execute(done.values(**values)))


def say(desk: Desk, project: Project, role: Role, event: Event) -> bool:
    """Say that something has happened with a project; False where it cannot be said now."""
    party = project.vendor if role == "supplier" else project.plant.id
    try:
        desk.do(role, party, lambda s, c: projects.say(s, c, project.key, event))
    except RefusedError:
        return False
    return True


def installed(desk: Desk, world: World, project: Project) -> bool:
    """Deliver: in the world the first stage works from now on; False where nobody is there to deliver."""
    if row(desk, project).state == "signed":
        say(desk, project, "supplier", "begin")
    if not say(desk, project, "supplier", "deliver"):
        return False
    change(world, project, project.first or project.machines, desk.clock.day)
    project.standing = True
    return True


def change(world: World, project: Project, machines: Sequence[str], on: date) -> None:
    """Let a project change machines in the world, from a day on."""
    since = world.setting.at(on)
    fades = None if project.truth.fades_on is None else since + project.truth.fades_on
    for machine in machines:
        effects = [
            Effect(bucket, since, project.truth.gain[bucket], fades)
            for place, bucket in project.places
            if place == machine
        ]
        world.change(project.plant.number, machine, effects)


def accepted(desk: Desk, project: Project) -> bool:
    """Show that the data stays with the factory, and accept the functions."""
    desk.do("owner", project.plant.id, lambda s, c: projects.drilled(s, c, project.key, KEPT, None))
    return say(desk, project, "owner", "accept")


def followed(desk: Desk, project: Project) -> str:
    """Let come what comes by itself; return the project's state."""
    at = desk.clock.now()

    def work(session: Session) -> str:
        found = session.get_one(t.Engagement, project.key)
        projects.follow(session, found, at)
        return found.state

    return desk.write(work)


def looked(desk: Desk, project: Project) -> None:
    """Compute the verdict that is due, as the night does, and let the project move by it."""
    with suppress(RefusedError):  # the night was faster; or what was told was withdrawn, and nothing follows
        watching.judge(desk.registry, project.plan, desk.clock.now())
    followed(desk, project)
    with desk.registry.reading() as session:
        told = session.scalars(
            select(t.Outcome).where(t.Outcome.plan_id == project.plan).order_by(t.Outcome.look.desc())
        ).first()
    assert told is not None
    project.outcome, project.word, project.looks = told.id, told.word, told.look


def second_stage(world: World, project: Project, on: date) -> None:
    """Let the other machines follow where the verdict is not against it."""
    rest = [machine for machine in project.machines if machine not in project.first]
    if rest and project.word not in {"worse", "no_change"}:
        change(world, project, rest, on)


def objected(desk: Desk, project: Project, role: Literal["owner", "supplier"], about: About, text: str) -> str:
    """Object to the verdict, as the factory or the supplier; return the objection."""
    party = project.vendor if role == "supplier" else project.plant.id
    found = desk.do(role, party, lambda s, c: verdicts.object_to(s, c, project.outcome, about, text))
    key: str = found.id
    return key


def answered(desk: Desk, project: Project, objection: str, house: str, *, upheld: bool) -> None:
    """Decide an objection, as the operator, and let the project move by it."""
    text = (
        "비교 설비의 가동 조건이 달랐음을 확인하여 판정을 철회합니다."
        if upheld
        else "자료를 다시 확인했으나 판정은 그대로입니다."
    )
    desk.do(
        "operator", house,
        lambda s, c: verdicts.decide(s, c, objection, upheld=upheld, answer=text, then="withdrawn"),
    )  # fmt: skip
    followed(desk, project)


def ticket(desk: Desk, project: Project, severity: Severity, text: str) -> str:
    """Open a ticket, as the factory."""
    key: str = desk.do("owner", project.plant.id, lambda s, c: tickets.begin(s, c, project.key, severity, text)).id
    project.tickets.append(key)
    return key


def paid(desk: Desk, project: Project) -> None:
    """Pay the parts that are due, as the owner."""
    on = desk.clock.day

    def work(session: Session, caller: Caller) -> None:
        for part in session.scalars(
            select(t.Milestone)
            .join(t.Contract, t.Contract.id == t.Milestone.contract_id)
            .where(t.Contract.engagement_id == project.key, t.Milestone.reached_on.is_not(None),
                   t.Milestone.paid_on.is_(None))
            .order_by(t.Milestone.id)
        ):  # fmt: skip
            contracts.paid(session, caller, part.id, on)

    desk.do("owner", project.plant.id, work)
