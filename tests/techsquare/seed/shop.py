"""A shop whose machines' days are known to the second, told by an agent of its own that really signs them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from contract.codec import encode
from contract.day import Day, DayMachine, MetricDay
from contract.signing import key_id
from tests.techsquare.intake.made import HASH, Made

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.techsquare.seed.town import Town

DAY_NS = 86_400 * 10**9
PLANNED_S = 57_600
"""Two shifts of eight hours, on all seven days of a week."""
PRODUCTION_DAYS = 350
"""Of a year of fifty weeks."""


class Ran(NamedTuple):
    """What a machine did on a day; seconds, pieces. What is no stop was production.

    Attributes:
        setup: Being set up.
        fault: Broken.
        standby: It could have run.
        pieces: Made, `rejects` of them thrown away.
        cycle: Ideal time of a piece.
        looked: Whether somebody has looked at the new screen, or acknowledged on it; None: there is none.
    """

    setup: int
    fault: int
    standby: int
    pieces: int
    cycle: float = 10.0
    rejects: int = 0
    looked: bool | None = None


def wave(day: date, mean: int, step: int, lag: int = 0) -> int:
    """Return a number that goes up and down over a week, so that whole weeks have this mean."""
    return mean + step * ((day.toordinal() + lag) * 3 % 7 - 3)


@dataclass
class Shop(Made):
    """An agent that tells what its machines did."""

    ran: Callable[[str, date], Ran] = field(default=lambda _machine, _day: Ran(0, 0, 0, 0))

    def day(self, when: date, number: int, prev: str | None) -> Day:
        """Return a day as it was."""
        every = list(range(self.machines))
        ran = [self.ran(f"m{i}", when) for i in every]
        made = [PLANNED_S - one.setup - one.fault - one.standby for one in ran]
        states = {
            "APT": made, "AUST": [one.setup for one in ran], "ADET": [one.fault for one in ran],
            "ADOT": [one.standby for one in ran], "OFF": [0] * len(ran), "UNK": [0] * len(ran),
        }  # fmt: skip
        whole = [float(PLANNED_S)] * len(ran)
        ideal = [one.pieces * one.cycle for one in ran]
        metrics = [
            MetricDay(n, "1", "ratio", every, [float(s) for s in found], whole) for n, found in states.items()
        ]
        metrics += [
            MetricDay("E", "1", "ratio", every, ideal, [float(s) for s in made]),
            MetricDay("QR", "1", "ratio", every, [(one.pieces - one.rejects) * one.cycle for one in ran], ideal),
            MetricDay("PQ", "1/h", "ratio", every, [float(one.pieces) for one in ran], whole, per=3600.0),
            MetricDay("V01", "1", "ratio", every, [1.0 for _ in ran], [1.0 for _ in ran]),
        ]
        seen = [i for i in every if ran[i].looked is not None]
        if seen:
            looked = [float(bool(ran[i].looked)) for i in seen]
            metrics.append(MetricDay("L04", "1", "ratio", seen, looked, [1.0 for _ in seen]))
        start = (when.toordinal() - date(1970, 1, 1).toordinal()) * DAY_NS
        return Day(
            factory=self.factory, site="main", agent=self.agent, date=when.isoformat(), zone="Asia/Seoul",
            start=str(start), end=str(start + DAY_NS), number=number, made_at=str(start + DAY_NS),
            key=key_id(self.key.public_key()), formulas="2026.11.2", model=HASH, config=HASH * 2, plant=HASH,
            evidence=HASH, simulated=0.0, prev=prev, metrics=metrics,
            machines=[DayMachine(f"m{i}", 1.0, str(PLANNED_S * 10**9)) for i in every],
        )  # fmt: skip

    def connect(self, town: Town) -> None:
        """Have the owner register the agent's key, hand in its manifest, and tell his people what is measured."""
        name = self.factory
        town.post(name, f"/v1/factories/{name}/agents", {"agent_id": self.agent, "public_key": self.public})
        self.made_at = town.stand.now() - DAY_NS
        town.post(name, f"/v1/factories/{name}/notice", {"contact": "생산팀장", "scopes": list(self.scopes)})

    def present(self, town: Town) -> None:
        """Hand in the manifest, over HTTP."""
        answer = town.who[self.factory].post("/v1/intake", content=self.manifest().payload)
        assert answer.status_code == 200, answer.text
        assert answer.json()["kept"], answer.text

    def hand_in(self, town: Town, since: date, last: date) -> None:
        """Sign all days until the last one, and hand them in over HTTP."""
        before = len(self.days)
        first = since if not self.heads else date.fromisoformat(self.heads[-1].date) + timedelta(1)
        self.sign((last - first).days + 1, start=since)
        for n in range(before, len(self.days), 60):
            body = encode({"days": self.days[n : n + 60]})
            headers = {"Content-Type": "application/json"}
            answer = town.who[self.factory].post("/v1/intake", content=body, headers=headers)
            assert answer.status_code == 200, answer.text
            assert {one["fate"] for one in answer.json()["messages"]} == {"stored"}, answer.text
