"""Parties and their people, machines, what suppliers offer: what is there before the programme begins."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from contract.verbs import Need
from techsquare.catalogue.offer import capabilities
from techsquare.registry import access
from techsquare.registry import tables as t
from techsquare.services import accounts, catalogue, enrolment, escrow, factory, fit, notice, people, supplier
from techsquare.services.days import quarter
from techsquare.services.plain import plain
from techsquare.simulation.seeds import generator
from techsquare.simulation.sink import MARK, boxes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from techsquare.registry.privacy import PartyKind, Role
    from techsquare.services.rights import Caller
    from techsquare.simulation.mentors import Mentor
    from techsquare.simulation.sink.desk import Desk
    from techsquare.simulation.terms import Plant, Setting, Vendor

MAIL = "simulated.example"
"""A name that no mail ever reaches (RFC 2606)."""
COMPARABLE = 0.75
"""Share of owners who let their machines serve others' comparisons."""
NEEDS = 0.3
"""Of versions that say what they need of a machine, so that they can be tested before anybody buys."""
CONTACT = "생산관리팀"
PROCESS = {
    "machining": "절삭", "press": "프레스", "injection": "사출", "assembly": "조립", "casting": "주조",
    "heat-treatment": "열처리",
}  # fmt: skip


def opened(
    desk: Desk, setting: Setting, plants: Sequence[Plant], market: Sequence[Vendor], mentors: Sequence[Mentor]
) -> dict[str, str]:
    """Register everybody; return solution (of the simulation) -> its version in the registry."""
    on = desk.clock.day
    desk.write(lambda s: catalogue.sync(s, desk.books.catalogue, on))
    first = desk.write(lambda s: people.first_operator(s, f"operator@{MAIL}", f"{MARK}운영기관", desk.clock.now()))
    desk.write(lambda s: _enter(s, desk, first.membership))
    risk = desk.do(
        "operator",
        people.HOUSE,
        lambda s, c: people.invite(s, c, people.HOUSE, "risk", f"risk@{MAIL}", f"{MARK}심사역", "ko"),
    )
    desk.write(lambda s: _enter(s, desk, risk.membership))
    for plant in plants:
        about = {"region": plant.province, "industry": "C25", "process": plant.industry}
        _party(desk, "factory", plant.id, f"{MARK}{PROCESS[plant.industry]} 공장 {plant.number:03d}", about)
        _factory(desk, setting, plant)
    for mentor in mentors:
        goes = {"skills": sorted(mentor.skills), "regions": sorted(mentor.regions), "capacity": mentor.capacity}
        _party(desk, "mentor", mentor.id, f"{MARK}멘토 {mentor.id}", {**goes, "state": "active"})
        desk.write(lambda s, m=mentor: _related(s, m))  # type: ignore[misc]
    return {key: value for vendor in market for key, value in _vendor(desk, setting, vendor).items()}


def offer_places(desk: Desk, market: Iterable[Vendor], on: date) -> None:
    """Let suppliers say how many projects they can begin in a quarter."""
    for vendor in market:
        desk.do(
            "supplier",
            vendor.supplier.id,
            lambda s, c, v=vendor: supplier.slots(s, c, v.supplier.id, quarter(on), v.supplier.slots),  # type: ignore[misc]
        )


def _party(desk: Desk, kind: PartyKind, party: str, name: str, about: Mapping[str, Any]) -> None:
    role: Role = people.OWN[kind]

    def work(session: Session, caller: Caller) -> str:
        people.register(session, caller, kind, party, name, about)
        return people.invite(session, caller, party, role, f"{party}@{MAIL}", f"{name} 담당", "ko").membership

    membership = desk.do("operator", people.HOUSE, work)
    desk.write(lambda s: _enter(s, desk, membership))


def _enter(session: Session, desk: Desk, membership: str) -> None:
    """Know who a membership is of; his invitation stays unused until `logins` gives him a password."""
    row = session.get_one(t.Membership, membership)
    desk.users[row.role, row.party_id] = row.user_id


def _factory(desk: Desk, setting: Setting, plant: Plant) -> None:
    """Register a factory's machines, as its owner does; where there is an agent its key, notice and consent."""
    comparable = bool(generator(setting.seed, "comparable", plant.number).random() < COMPARABLE)

    def owner(session: Session, caller: Caller) -> None:
        session.get_one(t.Party, plant.id).owner_group = plant.group
        for at, tool in enumerate(plant.tools):
            limits = plant.rates.limits[tool.id]
            changed = {"name": f"{PROCESS[tool.process]} {at + 1}호기", "process": tool.process}
            said = {**changed, "limits_output": limits, "comparable": comparable and plant.wired}
            factory.machine(session, caller, plant.id, tool.id, said)
        if plant.wired:
            enrolment.register(session, caller, plant.id, boxes.AGENT, boxes.public(plant))
            factory.consent(session, caller, plant.id, boxes.AGENT, boxes.SCOPES, None)
            notice.record(session, caller, plant.id, CONTACT, None, None, None)

    desk.do("owner", plant.id, owner)
    if plant.wired:
        boxes.manifest(desk, plant)


def _related(session: Session, mentor: Mentor) -> None:
    session.get_one(t.Mentor, mentor.id).related = sorted(mentor.parties)


def _vendor(desk: Desk, setting: Setting, vendor: Vendor) -> dict[str, str]:
    one, on = vendor.supplier, desk.clock.day
    regions = sorted(frozenset().union(*(product.solution.regions for product in vendor.products)))
    about = {"size": one.size, "regions": regions, "industries": [], "state": "active", "joined_on": on}
    _party(desk, "supplier", one.id, f"{MARK}공급기업 {one.id}", about)
    entries = {entry.id: entry for entry in desk.books.catalogue.entries}
    found: dict[str, str] = {}

    def work(session: Session, caller: Caller) -> None:
        session.get_one(t.Supplier, one.id).parties = sorted(one.parties)
        for product in vendor.products:
            told, entry = product.solution, entries[product.entry]
            name = f"{entry.ko} ({one.id})"
            row = supplier.solution(session, caller, one.id, told.family, name)
            said = {
                "version": told.version, "processes": sorted(told.processes),
                "interfaces": sorted(told.interfaces), "regions": sorted(told.regions), "remote": told.remote,
                "price_low": int(told.price.low), "price_high": int(told.price.high),
                "yearly_low": int(told.yearly.low), "yearly_high": int(told.yearly.high),
                "exit_low": int(told.exit_cost.low), "exit_high": int(told.exit_cost.high),
                "needs_consent": sorted(told.needs_consent), "requires": {},
                "continuity": sorted(told.continuity),
            }  # fmt: skip
            able = capabilities(entry) if told.capabilities else {}
            needs = _needs(session, caller, desk, setting, row.id, told.version)
            version = supplier.version(session, caller, row.id, said, plain(able), needs)
            supplier.register(session, caller, version.id)
            found[told.id] = version.id
            if told.escrow != "none":
                digest = hashlib.sha256(f"simulated {told.id}".encode()).hexdigest()
                laid = escrow.deposit(session, caller, version.id, f"{MARK}임치기관", digest, None)
                built.update({laid.id} if told.escrow == "verified" else ())
        accounts.file(session, caller, one.id, setting.begins.year - 1, vendor.accounts)

    built: set[str] = set()
    desk.do("supplier", one.id, work)
    for key in sorted(built):
        desk.do("operator", people.HOUSE, lambda s, c, k=key: escrow.verify(s, c, k, people.HOUSE))  # type: ignore[misc]
    return found


def _needs(
    session: Session, caller: Caller, desk: Desk, setting: Setting, solution: str, version: str
) -> list[dict[str, Any]]:  # fmt: skip
    """Return what a version needs of a machine: a share of planned time in which its state is known."""
    row = session.get_one(t.Solution, solution)
    if generator(setting.seed, "needs", row.supplier_id, row.family).random() >= NEEDS:
        return []
    return fit.checked(session, caller, desk.books.catalogue, solution, version, [Need("state", "V01", min=0.8)])


def logins(desk: Desk, chosen: Mapping[Role, str], password: Mapping[Role, str]) -> dict[Role, str]:
    """Give one user of each role a password; return their addresses."""
    found: dict[Role, str] = {}

    def work(session: Session) -> None:
        for role, party in sorted(chosen.items()):
            user = session.get_one(t.User, desk.users[role, party])
            access.set_password(user, password[role])
            found[role] = user.email or ""

    desk.write(work)
    return found
