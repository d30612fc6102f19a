"""Agents whose days are made up and really signed, of the size of real ones."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from contract.codec import decode, encode
from contract.consent import SCOPES, Given
from contract.day import Day, DayMachine, MetricDay, SignedDay
from contract.manifest import Head, Manifest, ManifestMachine
from contract.signing import head_hash, key_id, key_text, private_key, seal_head, sign_day
from contract.topics import AgentTopics
from techsquare.intake.terms import Incoming
from techsquare.registry import tables as t
from techsquare.registry.store import add
from techsquare.services.days import DAY_NS
from tests.techsquare.registry.test_store import ME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contract.signing import PrivateKey
    from techsquare.registry.store import Registry

NOW = 1_795_500_000 * 10**9  # 2026-11-24
START = date(2026, 8, 3)
ALL = ("levels", "indicators", "machines", "days")
HASH = "0123456789abcdef"
PBT = 57_600.0


def register(registry: Registry, *factories: str) -> None:
    """Register factories as an operator does."""

    def work(session: object) -> None:
        for name in factories:
            add(
                session,  # type: ignore[arg-type]
                t.Party(id=name, kind="factory", name=name, created_at=1),
                t.Factory(
                    id=name, region="", industry="", notice_at=1, notice_scopes=list(SCOPES), notice_hash="h"
                ),
            )

    registry.decide(work, ME)


@dataclass
class Made:
    """An agent.

    Attributes:
        factory: Its factory.
        agent: Its id.
        machines: How many it has.
        metrics: Ratios beside the elements.
        seed: Of its key.
        scopes: What its owner agrees to.
        serial: Of his file.
        reporter: Whom its manifest names.
        days: Every record so far.
    """

    factory: str
    agent: str = "edge-1"
    machines: int = 3
    metrics: int = 2
    seed: str = ""
    scopes: Sequence[str] = ALL
    serial: int = 1
    since: int = 1
    until: str | None = None
    reporter: str = ""
    days: list[SignedDay] = field(default_factory=list)
    heads: list[Head] = field(default_factory=list)
    made_at: int = NOW - DAY_NS

    @property
    def topics(self) -> AgentTopics:
        return AgentTopics(self.factory, self.agent)

    @property
    def key(self) -> PrivateKey:
        return private_key(hashlib.sha256(f"{self.factory}/{self.agent}/{self.seed}".encode()).digest())

    @property
    def public(self) -> str:
        return key_text(self.key.public_key())

    def sign(self, count: int = 1, *, skip: int = 0, start: date = START) -> list[Incoming]:
        """Sign further days and return their messages."""
        found = []
        for _ in range(count):
            before = self.heads[-1] if self.heads else None
            when = start if before is None else date.fromisoformat(before.date) + timedelta(1 + skip)
            number = 1 if before is None else before.number + 1
            found.append(self.add(self.day(when, number, None if before is None else before.hash)))
        return found

    def add(self, day: Day) -> Incoming:
        """Sign a day and let the chain go on behind it."""
        raw = sign_day(day, self.topics, self.key)
        signed = decode(raw, SignedDay)
        topic = self.topics.day(day.date)
        self.days.append(signed)
        self.heads.append(Head(day.number, day.date, head_hash(topic, signed.record)))
        return Incoming(topic, raw)

    def day(self, when: date, number: int, prev: str | None) -> Day:
        """Return a day whose numbers are drawn by factory and date."""
        rng = random.Random(f"{self.factory} {when}")
        every = list(range(self.machines))

        def drawn(top: float) -> list[float]:
            return [round(rng.random() * top, 3) for _ in every]

        cuts = [sorted(rng.random() * PBT for _ in range(5)) for _ in every]
        parts = [[b - a for a, b in zip([0.0, *c], [*c, PBT], strict=True)] for c in cuts]
        names = ("APT", "AUST", "ADET", "ADOT", "OFF", "UNK")
        metrics = [
            MetricDay(name, "1", "ratio", every, [p[i] for p in parts], [PBT] * self.machines)
            for i, name in enumerate(names)
        ]
        some = every[:-1]
        metrics += [
            MetricDay(
                "E", "1", "ratio", some, drawn(9e3)[:-1], drawn(9e3)[:-1], apart={"NA_NO_EVIDENCE": every[-1:]}
            ),
            MetricDay(
                "QR", "1", "ratio", some, drawn(9e3)[:-1], drawn(9e3)[:-1], apart={"NA_FEW_EVENTS": every[-1:]}
            ),
            MetricDay("PQ", "1/h", "ratio", every, drawn(900), [PBT] * self.machines, per=3600.0),
            MetricDay("EC", "kWh/d", "ratio", every, drawn(90), [1.0] * self.machines),
            MetricDay("E01", "kW.h", "ratio", every, drawn(90), drawn(90), per=100.0),
        ]
        metrics += [
            MetricDay(f"A{i:02}", "1", "ratio", every, drawn(PBT), [PBT] * self.machines)
            for i in range(self.metrics)
        ]
        start = (when.toordinal() - date(1970, 1, 1).toordinal()) * DAY_NS
        return Day(
            factory=self.factory, site="main", agent=self.agent, date=when.isoformat(), zone="Asia/Seoul",
            start=str(start), end=str(start + DAY_NS), number=number, made_at=str(start + DAY_NS),
            key=key_id(self.key.public_key()), formulas="2026.11.2", model=HASH, config=HASH * 2, plant=HASH,
            evidence=HASH, simulated=1.0,
            machines=[DayMachine(f"m{i}", 1.0, str(16 * 3600 * 10**9)) for i in every], metrics=metrics, prev=prev,
        )  # fmt: skip

    def manifest(self, *, chain: bool = True, proof: bool = True) -> Incoming:
        """Return its manifest as it is now; each later than the one before."""
        self.made_at += 1_000
        head = self.heads[-1] if chain and self.heads else None
        names = {"levels", "machines", "fit"} & set(self.scopes)
        found = Manifest(
            factory=self.factory, site="main", agent=self.agent, reporter=self.reporter or self.agent,
            made_at=str(self.made_at), key=key_id(self.key.public_key()), public_key=self.public,
            formulas="2026.11.2", model=HASH, config=HASH * 2, plant=HASH,
            machines=[ManifestMachine(f"m{i}", f"설비 {i}", 1.0) for i in range(self.machines)] if names else [],
            metrics=["A00"], verbs=["day.get"],
            consent=Given(str(self.since), list(self.scopes), self.serial, self.until),  # type: ignore[arg-type]
            chain=head, proof=None if head is None or not proof else seal_head(head, self.topics, self.key),
        )  # fmt: skip
        return Incoming(self.topics.manifest, encode(found))
