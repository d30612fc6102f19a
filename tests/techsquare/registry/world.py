"""A registry full of rows: every table has rows of several parties, drawn by seed, and all constraints hold.

Who has to do with whom is drawn: mentors come and go, suppliers are shown, asked, engaged and replaced, plans count
machines of other factories. One thing is certain: `mina` looks after `alpha`, which has a project with `ada`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from techsquare.registry import tables as t
from techsquare.registry.ids import Ids
from techsquare.registry.policy import Reader

if TYPE_CHECKING:
    from techsquare.registry.base import Base

NOW = 1_790_000_000_000_000_000
DAY = date(2026, 9, 1)
FACTORIES = ("alpha", "beta", "gamma", "delta")
SUPPLIERS = ("ada", "bori", "choi")
STRANGER = "dara"  # a supplier that nobody has to do with
MENTORS = ("mina", "moon", "former")


@dataclass
class World:
    """Rows by party, and the people who look at them."""

    seed: int
    rows: list[Base] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        clock = iter(range(NOW, NOW + 10**15, 1_000_000))
        self.ids = Ids(lambda: next(clock), self.rng.getrandbits)
        self._parties()
        self._catalogue()
        for name in FACTORIES:
            self._factory(name)
        for name in (*SUPPLIERS, STRANGER):
            self._supplier(name)
        self._assignments()
        for name in FACTORIES:
            self._advice(name)
        self._projects()

    def put(self, model: Any, **values: Any) -> Any:
        """Make a row; its id is ours unless it is given."""
        if "id" in model.__table__.c and "id" not in values:
            values["id"] = self.ids()
        row = model(**values)
        self.rows.append(row)
        return row

    def some(self, *values: Any) -> Any:
        """Draw one of them."""
        return self.rng.choice(values)

    def _parties(self) -> None:
        groups = {"gamma": "g1", "delta": "g1", "ada": "g2"}
        kinds = (
            ("factory", FACTORIES),
            ("supplier", (*SUPPLIERS, STRANGER)),
            ("mentor", MENTORS),
            ("operator", ("house",)),
        )
        for kind, names in kinds:
            for name in names:
                self.put(
                    t.Party, id=name, kind=kind, name=name.upper(), owner_group=groups.get(name), created_at=NOW
                )
        self.roles: dict[str, list[tuple[str, str]]] = {}
        people = [(f"u-{n}", "owner", n) for n in FACTORIES]
        people += [(f"u-{n}", "supplier", n) for n in (*SUPPLIERS, STRANGER)]
        people += [(f"u-{n}", "mentor", n) for n in MENTORS]
        people += [(f"u-{r}", r, "house") for r in ("operator", "risk", "service")]
        people += [("u-both", "owner", "beta"), ("u-both", "supplier", "ada"), ("u-none", "", "")]
        for name in dict.fromkeys(p[0] for p in people):
            self.put(
                t.User,
                id=name,
                email=f"{name}@example.kr",
                name=name,
                language="ko",
                password="$argon2id$x",
                created_at=NOW,
            )
            self.put(t.Notification, user_id=name, kind="hello", body={"n": name}, created_at=NOW)
            about = {**{f"u-{one}": one for one in FACTORIES}, "u-mina": "alpha"}
            self.put(
                t.Job, user_id=name, factory_id=about.get(name), kind="match", state="running",
                progress=0.5, asked={"of": name}, created_at=NOW,
            )  # fmt: skip
            self.put(
                t.Audit,
                at=NOW,
                actor=name,
                factory_id=self.some(None, *FACTORIES),
                action="insert",
                table_name="x",
                row_key="1",
                salt="00",
                after="00",
            )
        kind_of = {"owner": "factory", "supplier": "supplier", "mentor": "mentor"}
        for name, role, party in people:
            self.roles.setdefault(name, [])
            if role:
                self.roles[name].append((role, party))
                member = self.put(
                    t.Membership,
                    user_id=name,
                    party_id=party,
                    party_kind=kind_of.get(role, "operator"),
                    role=role,
                    since=NOW,
                )
                self.put(
                    t.Token,
                    membership_id=member.id,
                    name="t",
                    hash=self.ids(),
                    scopes=["read"],
                    created_at=NOW,
                    expires_at=NOW + 1,
                )

    def readers(self) -> dict[str, Reader]:
        """Return whoever looks, by name; `anonymous` has not logged in."""
        apart = ("u-gamma", "u-delta", "u-choi")  # like others that are here
        found = {n: Reader(n, frozenset(r)) for n, r in self.roles.items() if n not in apart}  # type: ignore[arg-type]
        return found | {"anonymous": Reader()}

    def _catalogue(self) -> None:
        self.measures = [
            self.put(
                t.Measure,
                id=f"m-{i}",
                family=f"f{i}",
                title_ko="측정",
                title_en="meter",
                cost_low=1,
                cost_high=2,
                body={},
                source="x",
            )
            for i in range(2)
        ]
        self.put(t.Capability, id="cap", iri="https://example.kr/cap", label_ko="가", label_en="a")
        for measure in self.measures:
            self.put(t.MeasureCapability, measure_id=measure.id, capability_id="cap", needed={})
        self.put(
            t.Funding,
            id="fund",
            title_ko="지원",
            title_en="aid",
            share=0.5,
            cap=10**7,
            opens=DAY,
            closes=DAY,
            upfront=0.3,
            eligible=["m-0"],
            source="x",
        )
        self.put(
            t.Round,
            id="round",
            quarter="2026-Q3",
            opens=DAY,
            closes=DAY,
            state="open",
            rule="r",
            seed="s",
            result={"a": 1},
        )
        self.put(
            t.Peer,
            quarter="2026-Q3",
            metric="A01",
            process="press",
            formulas="1",
            step=0.05,
            companies=12,
            heaviest=0.2,
            q25=1,
            q50=2,
            q75=3,
            frozen_at=NOW,
        )

    def _factory(self, name: str) -> None:
        self.put(
            t.Factory, id=name, region="busan", industry="C29", process="press", staff_band="10-19", applied_on=DAY
        )
        for machine in ("press-1", "cnc-1"):
            self.put(
                t.Machine, factory_id=name, id=machine, name="프레스", process="press", limits_output="unknown"
            )
            self.put(t.TagSet, factory_id=name, machine_id=machine, at=NOW, hash="h", tags=["a"])
            self.put(
                t.Reading,
                factory_id=name,
                machine_id=machine,
                day=DAY,
                kind="kwh",
                value=1.5,
                unit="kWh",
                at=NOW,
                by_user=f"u-{name}",
            )
        self.put(t.Agent, factory_id=name, id="edge-1", reporter=True, public_key="k", seen_at=NOW)
        self.put(
            t.Consent,
            factory_id=name,
            agent_id="edge-1",
            source="manifest",
            since=NOW,
            serial=1,
            scopes=["days"],
            recorded_at=NOW,
        )
        self.put(t.AgentEvent, factory_id=name, agent_id="edge-1", kind="unused", at=NOW, hash="h", body={})
        self.put(
            t.Report,
            factory_id=name,
            agent_id="edge-1",
            made_at=NOW,
            received_at=NOW,
            level="EL2",
            hash="h",
            body="{}",
        )
        for i in range(3):
            day, head = DAY + timedelta(i), f"{name}-{i}"
            self.put(
                t.DayRecord,
                factory_id=name,
                agent_id="edge-1",
                day=day,
                number=i + 1,
                key="k",
                head=head,
                record="{}",
                signature="s",
                received_at=NOW,
            )
            for machine in ("press-1", "cnc-1"):
                self.put(
                    t.MetricDay,
                    factory_id=name,
                    machine_id=machine,
                    day=day,
                    source="measured",
                    head=head,
                    planned_s=9.0,
                    known_s=8.0,
                    metrics={"A01": [1.0, 2.0]},
                )
        self.put(t.Exclusion, factory_id=name, supplier_id=self.some(*SUPPLIERS), since=NOW)
        self.put(
            t.Budget, factory_id=name, at=NOW, cash=[1, 2, 3], staff_days=[1] * 3, support=[0] * 3, most_measures=3
        )
        self.put(t.Rates, factory_id=name, at=NOW, body={"piece": 100})
        self.put(t.Answer, factory_id=name, question="q1", value={"v": 1}, at=NOW, by_user=f"u-{name}")
        self.put(t.Cost, factory_id=name, kind="visit", won=300_000, payer="house", on_date=DAY, note="x")

    def _supplier(self, name: str) -> None:
        self.put(
            t.Supplier,
            id=name,
            size="small",
            regions=["busan"],
            industries=["C29"],
            state="active",
            joined_on=DAY,
            parties=["x"],
            contact={"tel": "1"},
        )
        self.put(
            t.FiledAccount,
            supplier_id=name,
            year=2025,
            figures={"ebit": 1},
            consented_at=NOW,
            filed_at=NOW,
            z2=1.9,
            zone="grey",
        )
        solution = self.put(t.Solution, supplier_id=name, family="f0", name="S")
        self.put(
            t.SolutionVersion,
            id=f"v-{name}",
            solution_id=solution.id,
            supplier_id=name,
            version="1",
            state="registered",
            processes=["press"],
            interfaces=["modbus"],
            regions=["busan"],
            remote=True,
            price_low=1,
            price_high=2,
            yearly_low=0,
            yearly_high=0,
            exit_low=0,
            exit_high=0,
            needs_consent=[],
            requires={"a": 1},
            continuity=["store"],
            registered_at=NOW,
        )
        self.put(t.VersionCapability, version_id=f"v-{name}", capability_id="cap", properties={})
        self.put(t.SeenVersion, version_id=f"v-{name}", owner_group=name, family="m-0", since=DAY)
        self.put(t.Slot, supplier_id=name, quarter="2026-Q3", declared=3, used=1)
        self.put(
            t.Record,
            supplier_id=name,
            family="f0",
            at=NOW,
            improved=1,
            decided=2,
            cannot_tell=0,
            cause_not_shown=0,
            mean=0.5,
            low=0.1,
            high=0.9,
        )
        self.put(t.Showing, day=DAY, supplier_id=name, shown=3)
        self.put(t.ReasonSum, supplier_id=name, month=DAY, reason="price", factories=11, made_at=NOW)

    def _assignments(self) -> None:
        for name in MENTORS:
            self.put(
                t.Mentor,
                id=name,
                firm_id=None,
                skills=["plc"],
                regions=["busan"],
                capacity=5,
                state="active",
                related=["x"],
            )
        for name in FACTORIES:
            now = "mina" if name == "alpha" else "moon" if name == "beta" else self.some(None, "mina", "moon")
            self.put(
                t.Assignment,
                factory_id=name,
                mentor_id="former" if name == "alpha" else self.some(*MENTORS),
                since=NOW - 9,
                until=NOW - 5,
                reason="wanted another",
                handover={"a": 1},
            )
            if now:
                self.put(t.Assignment, factory_id=name, mentor_id=now, since=NOW - 4, reason="first")
            for mentor in MENTORS[:2]:
                self.put(
                    t.Visit,
                    factory_id=name,
                    mentor_id=mentor,
                    kind="first",
                    state="done",
                    planned_on=DAY,
                    done_on=DAY,
                    sheet={"s": 1},
                    created_at=NOW,
                )
            for party in (None, self.some(*SUPPLIERS), "house", name):
                self.put(
                    t.Message, factory_id=name, party_id=party, from_user=f"u-{name}", at=NOW, text="안녕하세요"
                )
            for party in (name, self.some(*SUPPLIERS), "mina", "house"):
                self.put(t.Task, factory_id=name, party_id=party, kind="call", state="open", created_at=NOW)

    def _advice(self, name: str) -> None:
        said = self.put(
            t.Assessment, factory_id=name, at=NOW, kind="measured", state="day28", coverage=0.9, body={}, hash="h"
        )
        self.put(
            t.Loss,
            assessment_id=said.id,
            machine_id="press-1",
            bucket="fault",
            share_low=0.1,
            share_high=0.2,
            won_low=1,
            won_high=2,
            coverage=0.9,
            days=20,
            lacking=[],
        )
        self.put(t.Gap, assessment_id=said.id, dimension="A", confidence="low", why=[])
        plan = self.put(
            t.Roadmap,
            factory_id=name,
            assessment_id=said.id,
            version=1,
            at=NOW,
            value=1.0,
            bound=1.0,
            proven=True,
            body={},
        )
        self.items = {**getattr(self, "items", {}), name: []}
        self.offers: dict[tuple[str, str], Any] = getattr(self, "offers", {})
        for i, measure in enumerate(self.measures):
            item = self.put(
                t.RoadmapItem,
                roadmap_id=plan.id,
                factory_id=name,
                measure_id=measure.id,
                phase=i,
                solid=True,
                depends=[],
                state="offered",
                most_won=5_000_000,
            )
            self.items[name].append(item)
            certain = name == "alpha" and i == 0
            drawn = ("ada", "bori") if certain else self.rng.sample(SUPPLIERS, 2)
            for slot, supplier in enumerate(drawn, start=1):
                answer = "wanted" if certain else self.some(None, "wanted", "wanted", "declined")
                asked = NOW if answer == "wanted" and (certain or self.rng.random() < 0.6) else None
                offer = self.put(
                    t.Offer,
                    item_id=item.id,
                    factory_id=name,
                    version_id=f"v-{supplier}",
                    supplier_id=supplier,
                    measure_id=measure.id,
                    round_id=self.some(None, "round"),
                    slot=slot,
                    shown_by="merit",
                    cost=0.0,
                    q10=1.0,
                    mean=2.0,
                    q90=3.0,
                    terms={},
                    reasons={"why": 1},
                    shown_at=NOW,
                    answer=answer,
                    answered_at=NOW if answer else None,
                    contacted_at=asked,
                )
                self.offers[name, supplier] = offer
            self.put(
                t.Failed,
                item_id=item.id,
                factory_id=name,
                version_id=f"v-{self.some(*SUPPLIERS)}",
                at=NOW,
                failed=["price"],
                evidence={},
            )
        for supplier in ("ada", self.some("bori", "choi")):
            self.put(
                t.FitCheck,
                factory_id=name,
                version_id=f"v-{supplier}",
                month=DAY,
                at=NOW,
                by="platform",
                asked=True,
                result="fail",
                missing=["x"],
            )

    def _projects(self) -> None:
        states = ("agreed", "signed", "installed", "accepted", "decided", "ended")
        for name in FACTORIES:
            for i, item in enumerate(self.items[name]):
                certain = name == "alpha" and i == 0
                supplier = "ada" if certain else self.some(*SUPPLIERS)
                self._project(
                    name, supplier, "accepted" if certain else self.some(*states), item.id, certain=certain
                )

    def _project(self, name: str, supplier: str, state: str, item: str, *, certain: bool) -> None:
        done = self.put(
            t.Engagement,
            factory_id=name,
            supplier_id=supplier,
            version_id=f"v-{supplier}",
            measure_id="m-0",
            item_id=item,
            state=state,
            agreed_on=DAY,
            signed_on=DAY,
            installed_on=DAY,
            accepted_on=DAY,
            ended_on=DAY if state == "ended" else None,
        )
        paper = self.put(
            t.Contract, engagement_id=done.id, won=10**7, funding_id="fund", conditions={"escrow": True}, hash="h"
        )
        self.put(t.Milestone, contract_id=paper.id, kind="delivery", share=0.4, won=4 * 10**6, due=DAY)
        for of in (done.id, None):
            self.put(
                t.EscrowDeposit,
                supplier_id=supplier,
                version_id=f"v-{supplier}",
                engagement_id=of,
                level="deposited",
                place="kibo",
                hash="h",
                deposited_at=NOW,
            )
        other = self.some(*(s for s in SUPPLIERS if s != supplier))
        self.put(
            t.Takeover,
            engagement_id=done.id,
            from_supplier=supplier,
            to_supplier=None if certain else other,
            state="offered",
            why="unwanted",
            begun_at=NOW,
            checklist={"a": 1},
        )
        self.put(t.Ticket, engagement_id=done.id, state="open", severity="low", text="안 됩니다", opened_at=NOW)
        self.put(t.Message, factory_id=name, party_id=supplier, engagement_id=done.id, at=NOW, text="네")
        plan = self.put(
            t.MeasurementPlan,
            engagement_id=done.id,
            metric="A01",
            applied_on=DAY,
            baseline_from=DAY,
            baseline_to=DAY + timedelta(1),
            verdict_on=DAY + timedelta(1),
            extended_to=DAY + timedelta(1),
            least=1.0,
            body={},
        )
        self.put(t.PlanMachine, plan_id=plan.id, factory_id=name, machine_id="press-1", part="treated", alias="t1")
        for n, control in enumerate(self.rng.sample([f for f in FACTORIES if f != name], 2), 1):
            self.put(
                t.PlanMachine, plan_id=plan.id, factory_id=control, machine_id="press-1", part="control",
                alias=f"c{n}",
            )  # fmt: skip
        said = self.put(
            t.Outcome,
            plan_id=plan.id,
            look=1,
            on_date=DAY,
            word="improved",
            estimate=2.0,
            low=1.0,
            high=3.0,
            body={"p": 1},
            at=NOW,
        )
        self.put(t.Objection, outcome_id=said.id, party_id=self.some(name, supplier), at=NOW, text="아닙니다")
