"""A served platform with one factory that is worth attacking, and suppliers that know everything but its secrets.

All is in the attacker's favour: the factory is the only one with open items of its families, what is lost there is
so much that any price is worth it, nobody else offers, and the attacker reads every night what it may read. The
clock is the test's, so that two worlds that differ in a secret differ in nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contract.codec import decode, encode
from contract.verbs import Fit, Need
from contract.verbs import Solution as Needs
from readiness.fit import fit as fitting
from techsquare.intake.fits import Fits
from techsquare.registry import tables as t
from techsquare.registry.audit import Actor
from techsquare.registry.store import add
from techsquare.services import night, nights
from techsquare.services.days import DAY_NS
from tests.agent.platform import test_office as office
from tests.techsquare.api.stand import Stand
from tests.techsquare.api.story import Story
from tests.techsquare.privacy.attack import Plant, State

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from techsquare.catalogue.load import Catalogue
    from techsquare.registry.store import Registry

BASE = 1_796_000_000 * 10**9
"""The first moment: whole seconds, as all that the platform's clock gives here."""
LOST = 600_000_000_000
"""Won a year: no price is too high for a list."""
TEST = Actor("test")
SCOPES = ["fit", "levels", "indicators", "machines", "days"]


@dataclass(frozen=True)
class Secret:
    """What is to be found out. `cash`: won a phase; `tags`: see `privacy.attack`."""

    cash: int = 60_000_000
    tags: State = (0.8, 0.5, None, 0.2, 0.5)
    spoken: tuple[str, ...] = ("xgt", "opcua")
    scopes: tuple[str, ...] = ("fit", "levels")


class Fixed(Stand):
    """A stand whose clock is moved by hand."""

    def now(self) -> int:
        """Return the time of this world."""
        return BASE + self.shift


class Target:
    """The platform with `hana` in it, whose item is of `family`.

    Args:
        registry: Empty, but for its tables.
        catalogue: The shipped one.
        secret: Of hana.
        suppliers: Attackers, who work together.
        exact: Lets the price constraint look at the budget itself: what the platform does not do.
    """

    def __init__(
        self, registry: Registry, catalogue: Catalogue, secret: Secret, suppliers: int = 1, *, exact: bool = False
    ) -> None:
        self.registry, self.catalogue, self.secret = registry, catalogue, secret
        self.stand = Fixed(registry, catalogue).__enter__()
        self.story = Story(self.stand)
        self.names = ("ada", "bori", "choi")[:suppliers]
        if suppliers > 2:
            self._third()
        plan = self.story.planned("hana", secret.cash, LOST)
        rows = self.story.who["hana"].get("/v1/rows/roadmap_item?limit=100").json()["rows"]
        gains = {e.id for e in catalogue.entries if e.gains}
        about = plan["row"]["body"]["items"]
        free = [r for r in rows if r["measure_id"] in gains and not about[_named(r)]["needs"]]
        item = min(free, key=lambda r: (r["measure_id"], r["id"]))
        self.chosen = tuple(sorted(_named(r) for r in rows))
        self.family: str = item["measure_id"]
        self.pays: int = secret.cash * (item["phase"] + 1)
        registry.decide(lambda s: self._told(s, item["id"], exact=exact), TEST)
        self.clients: dict[str, httpx.Client] = {}

    def close(self) -> None:
        """End the server."""
        self.stand.__exit__(None, None, None)

    def _third(self) -> None:
        op = self.story.who["op"]
        form = {
            "kind": "supplier", "id": "choi", "name": "최", "size": "small", "regions": ["busan"], "industries": [],
            "joined_on": "2026-01-01",
        }  # fmt: skip
        assert op.post("/v1/parties", json=form).status_code == 201
        who = {"party": "choi", "role": "supplier", "email": "choi@example.kr", "name": "최"}
        self.story.enter("choi", op.post("/v1/invitations", json=who).json()["token"])

    def _told(self, session: Any, item: str, *, exact: bool) -> None:
        session.get_one(t.Machine, ("hana", "press-1")).interfaces = list(self.secret.spoken)
        if exact:
            session.get_one(t.RoadmapItem, item).most_won = self.pays
        add(
            session,
            t.Agent(factory_id="hana", id="edge-1", reporter=True, public_key=None),
            t.Consent(
                factory_id="hana", agent_id="edge-1", source="manifest", since=1, serial=1, recorded_at=1,
                scopes=list(self.secret.scopes),
            ),
        )  # fmt: skip

    def client(self, name: str) -> httpx.Client:
        """Return a supplier with a token that holds: tokens last ninety days, and this takes longer."""
        key = f"{name} {self.stand.shift // (60 * DAY_NS)}"
        if key not in self.clients:
            with self.registry.reading() as session:
                member = session.scalars(
                    t.Membership.__table__.select()
                    .with_only_columns(t.Membership.id)
                    .where(t.Membership.party_id == name)
                ).one()
            self.clients[key] = self.stand.client(self.stand.token(member))
        return self.clients[key]

    def proven(self, version: str) -> None:
        """Give a version's supplier a record, so that what it offers is worth something."""
        self.story.proven(version, self.family)

    def night(self) -> None:
        """Let a night pass: everything that the platform does in it, the agent's answers, all lists anew."""
        self.stand.shift += DAY_NS
        now = self.stand.now()
        done = night.run(self.registry, self.catalogue, now, lambda _: None)
        assert "failed" not in done.values(), done
        asked = Fits(self.registry, self._agent, office.REGISTER, self.stand.now)
        while asked.run():
            pass
        nights.every(self.registry, self.catalogue, now, lambda _: None)

    def _agent(self, _factory: str, _agent: str, _verb: str, body: Mapping[str, object]) -> bytes:
        """Answer as the factory's agent does: `readiness.fit` over its tags."""
        solution = decode(str(body["registered"]).encode(), Needs)
        found = fitting(Plant(self.secret.tags), solution, None, missing=False)
        assert found is not None
        return encode(Fit(solution.solution, solution.version, found.verdict))


def _named(row: Mapping[str, Any]) -> str:
    return str(row["measure_id"]) if row["machine_id"] is None else f"{row['measure_id']}@{row['machine_id']}"


__all__ = ["BASE", "LOST", "SCOPES", "TEST", "Fixed", "Need", "Secret", "Target"]
