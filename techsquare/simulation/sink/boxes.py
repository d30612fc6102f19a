"""Agents of simulated factories: what they send goes in by the platform's own intake; asked, they answer.

A manifest when a box is put up, a readiness report now and then, an event where something is not used; each checked
as any other. Values of a report are made up; its scores, dimensions and levels are what the readiness model makes
of them. Keys come from the factory's id: whoever reads this can sign as a simulated box, and nobody trusts one.
Daily records are not among it (`days`): sixty factories would sign some 20,000 of them.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import update

from contract.codec import checksum, decode, encode
from contract.consent import Given, Scope
from contract.event import Event
from contract.manifest import Manifest, ManifestMachine
from contract.report import NOTE, Contradiction, Report, Value, Window
from contract.signing import key_id, key_text, private_key
from contract.topics import AgentTopics
from contract.verbs import Fit, Lacking, Solution
from readiness.conditions import conditions
from readiness.dimensions import dimensions, index
from readiness.indicators import REGISTRY
from readiness.inventory import Machine
from readiness.levels import judge
from readiness.model import parse
from techsquare.catalogue.load import shipped
from techsquare.intake.fits import Fits
from techsquare.intake.intake import Intake
from techsquare.intake.terms import Incoming
from techsquare.registry.factories import Agent
from techsquare.simulation.advice import MEASURED
from techsquare.simulation.seeds import generator

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from contract.signing import PrivateKey
    from readiness.model import Model
    from techsquare.simulation.sink.desk import Desk
    from techsquare.simulation.terms import Plant, Tool

AGENT, SITE = "edge-1", "main"
SCOPES: tuple[Scope, ...] = ("levels", "indicators", "machines", "days", "fit", "fit_missing")
FORMULAS = "simulated"
LOOKS = 28
"""Days of a report's window."""
SYSTEM = "line-view"
"""What plans call what was installed, where its use is looked at."""
FITS = 0.8
"""Of fit tests that a machine passes."""


def public(plant: Plant) -> str:
    """Return the public key of a factory's agent, as it travels."""
    return key_text(_key(plant.id).public_key())


def manifest(desk: Desk, plant: Plant) -> None:
    """Let an agent say what may be asked of it: the platform hears of it for the first time."""
    key, now = _key(plant.id), desk.clock.now()
    said = Manifest(
        factory=plant.id, site=SITE, agent=AGENT, reporter=AGENT, made_at=str(now), key=key_id(key.public_key()),
        public_key=public(plant), formulas=FORMULAS, model=_model().hash, config=_hash(plant, "config"),
        plant=_hash(plant, "plant"), machines=[ManifestMachine(tool.id, tool.id, 1.0) for tool in plant.tools],
        metrics=list(MEASURED), verbs=["report.get", "day.get", "fit.check", "consent.get"],
        consent=Given(str(now), list(SCOPES), 1),
    )  # fmt: skip
    _send(desk, [Incoming(AgentTopics(plant.id, AGENT).manifest, encode(said))])


def reported(desk: Desk, plant: Plant, seed: int) -> None:
    """Let an agent tell its readiness: of each machine, and of the plant, with what does not fit to the answers."""
    model, day = _model(), desk.clock.day
    window = Window(
        (day - timedelta(days=LOOKS)).isoformat(), (day - timedelta(days=1)).isoformat(), "Asia/Seoul", 20
    )
    by_machine = {tool.id: dict(_values(plant, tool, seed, model)) for tool in plant.tools}
    inventory = [Machine(tool.id, tool.id) for tool in plant.tools]
    level, machines, missing = judge(model.gates, inventory, by_machine)
    whole = {name: _mean(name, [one[name] for one in by_machine.values()], model) for name in MEASURED}
    sums = dimensions(model, whole, _hash(plant, "evidence"))
    report = Report(
        factory=plant.id, site=SITE, agent=AGENT, made_at=str(desk.clock.now()), window=window, formulas=FORMULAS,
        model=model.hash, evidence=_hash(plant, "evidence"), confidence=0.9, simulated=1.0, note=NOTE,
        values=[one for _, one in sorted(whole.items())], level=level,
        conditions=[one.name for one in conditions(model.gates.levels)], machines=machines, missing=missing[:8],
        dimensions=sums, index=index(sums), contradictions=list(_contradictions(plant, day.isoformat())),
    )  # fmt: skip
    _send(desk, [Incoming(AgentTopics(plant.id, AGENT).readiness, encode(report))])


def unused(desk: Desk, plant: Plant) -> None:
    """Let an agent tell that nobody looks at what was installed."""
    now = desk.clock.now()
    event = Event(plant.id, AGENT, "unused", SYSTEM, desk.clock.day.isoformat(), str(now), why="use")
    _send(desk, [Incoming(AgentTopics(plant.id, AGENT).event("unused"), encode(event))])


def heard(desk: Desk, plants: Iterable[Plant]) -> None:
    """Keep that agents were heard at this moment, as a batch of theirs does that brings nothing new."""
    at, here = desk.clock.now(), [plant.id for plant in plants]
    seen = update(Agent).where(Agent.factory_id.in_(here), Agent.id == AGENT).values(seen_at=at)
    desk.registry.load(lambda s: s.execute(seen))


def tested(desk: Desk, seed: int) -> int:
    """Let agents answer the fit tests that wait; return how many."""

    def ask(factory: str, _agent: str, _verb: str, body: Mapping[str, object]) -> bytes:
        asked = decode(str(body["registered"]).encode(), Solution)
        fits = generator(seed, "fits", factory, asked.solution).random() < FITS
        lacking = [] if fits else [Lacking(one.id, "m01", "fail") for one in asked.needs]
        return encode(Fit(asked.solution, asked.version, "pass" if fits else "fail", None, lacking))

    worker, done = Fits(desk.registry, ask, _key("platform"), desk.clock.now), 0
    while worker.run():
        done += 1
    return done


def _send(desk: Desk, messages: list[Incoming]) -> None:
    for said in Intake(desk.registry, desk.clock.now).take(messages):
        assert said.fate == "stored", said


def _values(plant: Plant, tool: Tool, seed: int, model: Model) -> Iterable[tuple[str, Value]]:
    rng = generator(seed, "indicators", plant.number, tool.id)
    for name in MEASURED:
        value = round(0.8 + 0.2 * float(rng.beta(5, 1.5)), 4)
        yield name, _value(name, value, model)


def _mean(name: str, values: list[Value], model: Model) -> Value:
    mean = round(sum(one.value or 0.0 for one in values) / len(values), 4)
    return _value(name, mean, model)


def _value(name: str, value: float, model: Model) -> Value:
    return Value(
        name, REGISTRY[name].unit, "0" * 16, value=value, score=round(model.score(name, value), 1),
        n=20, n_eff=14.0, coverage=0.97, quality="measured",
    )  # fmt: skip


def _contradictions(plant: Plant, when: str) -> Iterable[Contradiction]:
    """Yield what the owner has said otherwise: how long his machine waits, which owners believe least of."""
    said = plant.answers.get("waiting_minutes")
    if isinstance(said, float):
        tool = plant.tools[0]
        seen = round(60 * tool.hours * (tool.base[2] + tool.base[3]))
        if seen > 1.5 * said:
            yield Contradiction("loss_share", "waiting_minutes", f"{said:.0f}", f"{seen}", when, tool.id)


@cache
def _key(name: str) -> PrivateKey:
    return private_key(hashlib.sha256(f"simulated {name}".encode()).digest())


@cache
def _model() -> Model:
    folder = shipped().parent / "readiness"
    return parse({path.name: path.read_bytes() for path in sorted(folder.glob("*.yaml"))})


def _hash(plant: Plant, of: str) -> str:
    return checksum(f"simulated {plant.id} {of}".encode())
