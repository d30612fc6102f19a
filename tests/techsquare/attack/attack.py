"""What suppliers do who work together to find out a factory's secrets, and what they know then.

They know every rule, and which factory it is. Each version asks one thing: a price, or a protocol, or a consent,
or a need of the tags; else it suits everybody. What it asks is chosen anew whenever a place is free, by dividing
what is left; the rest of the thousand is registered all the same, and waits. In the end they know the exact set of
secrets that would have given the same answers.

A list has one line of a supplier, its best. So each asks for what is hardest with the version that would be worth
the most: the one that is shown says yes, those that would have been better say no, and the others say nothing. The
needs are answered by the fit test itself. Everything else that they may read is kept as a transcript, in which
names that the platform draws are numbered as they come.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

import numpy as np

from techsquare.fit.versions import HOLDS_DAYS
from techsquare.privacy.bands import most_won
from techsquare.registry.policy import models
from techsquare.services.days import DAY_NS, day_of, quarter
from tests.techsquare.attack.target import BASE, Need, Target
from tests.techsquare.privacy.attack import GRID, METRICS, STATES, State, agent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SPOKEN = ("xgt", "opcua", "modbus-tcp", "melsec")
CONSENTS = ("levels", "indicators", "machines", "days")
OTHERS = ("spoken", "needs", "consent")
LINES = 3
YEARLY = 500_000_000
"""Won by which a version is worse than the one before; more than any price."""
_DRAWN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{64}\b")
_MOMENT = re.compile(r"\b1[78]\d{17}\b")
_TOKEN = re.compile(r"tsq_[\w-]+")


@dataclass
class Known:
    """What is left of each secret."""

    one_word: bool = True
    budgets: np.ndarray[Any, Any] = field(default_factory=lambda: np.ones(len(GRID), np.bool_))
    spoken: list[frozenset[str]] = field(default_factory=lambda: _subsets(SPOKEN))
    scopes: list[frozenset[str]] = field(default_factory=lambda: _subsets(CONSENTS))
    tags: list[State] = field(default_factory=lambda: list(STATES))
    words: list[int] = field(default_factory=list)
    """How many tag sets were left after each word of a fit test."""
    answers: Counter[str] = field(default_factory=Counter)
    by_group: Counter[str] = field(default_factory=Counter)

    @property
    def interval(self) -> tuple[int, int]:
        """The lowest and the highest budget that is left."""
        left = GRID[self.budgets]
        return int(left[0]), int(left[-1])


@dataclass
class Probe:
    """A version that asks something."""

    version: str
    supplier: str
    kind: str
    about: Any
    yearly: int
    heard: bool = False


class Attack:
    """A run.

    Args:
        target: What is attacked.
        offers: How many versions are registered, of all suppliers together.
        days: Over which time.
        seen_as: Budget -> what the attackers think that the price constraint looks at.
        all_read: Everything is read in each so many epochs.
        asks: The one thing that is asked; None: all kinds in turn.
    """

    def __init__(
        self, target: Target, offers: int, days: int, *,
        seen_as: Callable[[int], int] = most_won, all_read: int = 4,
        asks: str | None = None,
    ) -> None:  # fmt: skip
        self.asks = asks
        self.target, self.offers, self.days, self.all_read = target, offers, days, all_read
        self.known, self.probes = Known(), dict[str, Probe]()
        self.seen_by = np.array([seen_as(int(one)) for one in GRID])
        self.transcript: list[str] = []
        self._numbers: dict[str, str] = {}
        self._solution: dict[str, str] = {}
        self._proven = set[str]()
        self._made = self._turn = 0
        self.rng = np.random.default_rng(5)

    def run(self) -> Known:
        """Attack, and return what is known then."""
        epochs = self.days // (HOLDS_DAYS + 2) + 1
        each = max(LINES * len(self.target.names), self.offers // epochs)
        for epoch in range(epochs):
            self._register(each)
            for turn in range(2):
                self.target.night()
                self._listen(everything=epoch % self.all_read == 0 and turn == 1)
            self._withdraw()
            self.target.stand.shift += (HOLDS_DAYS - 1) * DAY_NS
        return self.known

    def _register(self, each: int) -> None:
        now = quarter(day_of(self.target.stand.now()))
        for name in self.target.names:
            self.call(name, "PUT", f"/v1/suppliers/{name}/slots/{now}", {"declared": 1 + self._made % 7})
        for at in range(each):
            name = self.target.names[at % len(self.target.names)]
            turn = at // len(self.target.names)
            kind = self.asks or "price"
            if turn % LINES == 1 and self.asks is None:
                self._turn += at < LINES * len(self.target.names)
                kind = OTHERS[self._turn % len(OTHERS)]
            below = LINES * len(self.target.names) - at % (LINES * len(self.target.names))
            self._offer(name, kind, YEARLY * (turn + each * (kind == "needs")), below)

    def _question(self, kind: str, below: int) -> tuple[Any, dict[str, Any]]:
        """Return what to ask, and how a version says it; `below`: how many prices are asked below."""
        if kind == "price":
            left = np.flatnonzero(self.known.budgets)
            steps = np.unique(self.seen_by[left])
            step = steps[len(steps) * below // (1 + LINES * len(self.target.names))]
            price = int(self.rng.choice(GRID[left]) if len(steps) == 1 else step)
            return price, {"price": {"low": price, "high": price}}
        if kind == "spoken":
            word = SPOKEN[int(self.rng.integers(len(SPOKEN)))]
            return word, {"interfaces": [word]}
        if kind == "consent":
            word = CONSENTS[int(self.rng.integers(len(CONSENTS)))]
            return word, {"needs_consent": [word]}
        pairs = [(metric, limit) for metric in ("C01", "V01") for limit in (0.1, 0.4, 0.6)]
        metric, limit = pairs[int(self.rng.integers(len(pairs)))]
        assert metric in METRICS
        return (metric, limit), {"needs": [{"id": "n", "metric": metric, "min": limit}]}

    def _offer(self, name: str, kind: str, yearly: int, below: int) -> None:
        about, said = self._question(kind, below)
        family = self.target.family
        if name not in self._solution:
            made = self.call(name, "POST", f"/v1/suppliers/{name}/solutions", {"family": family, "name": name})
            self._solution[name] = made["id"]
        entry = next(e for e in self.target.catalogue.entries if e.id == family)
        able = {
            c.id: {p.name: {"low": p.low, "high": p.high, "words": list(p.words)} for p in c.properties}
            for c in entry.capabilities
        }
        nothing = {"low": 0, "high": 0}
        form = {
            "version": f"v{self._made}", "processes": ["press"], "interfaces": [], "regions": [], "remote": True,
            "price": nothing, "yearly": {"low": yearly, "high": yearly}, "leaving": nothing, "capabilities": able,
            "continuity": ["store", "tags", "interface", "export"], **said,
        }  # fmt: skip
        made = self.call(name, "POST", f"/v1/solutions/{self._solution[name]}/versions", form)
        self.call(name, "POST", f"/v1/versions/{made['id']}/register")
        self.probes[made["id"]] = Probe(made["id"], name, kind, about, yearly)
        if name not in self._proven:
            self._proven.add(name)
            self.target.proven(made["id"])
        self._made += 1

    def _listen(self, *, everything: bool) -> None:
        placed, shown, words = set[str](), set[str](), dict[str, str]()
        for name in self.target.names:
            tables = sorted(models()) if everything else ("offer", "seen_version", "fit_check", "showing")
            rows = {table: self.call(name, "GET", f"/v1/rows/{table}?limit=500")["rows"] for table in tables}
            placed |= {row["version_id"] for row in rows["seen_version"]}
            today = self.target.stand.now()
            shown |= {row["version_id"] for row in rows["offer"] if row["shown_at"] == today}
            words |= {row["version_id"]: row["result"] for row in rows["fit_check"] if row["result"]}
            if everything:
                self._pry(name, rows)
        for name in self.target.names:
            mine = [p for p in self.probes.values() if p.supplier == name and p.version in placed]
            mine.sort(key=lambda probe: probe.yearly)
            for probe in mine:
                if probe.kind == "needs" and probe.version in words and not probe.heard:
                    self._tags(probe, words[probe.version])
            for probe in mine:
                if probe.kind != "needs" and not probe.heard:
                    self._learn(probe, yes=probe.version in shown)
                if probe.version in shown:
                    break

    def _learn(self, probe: Probe, *, yes: bool) -> None:
        probe.heard = True
        known = self.known
        known.answers[probe.kind] += 1
        known.by_group[probe.supplier] += 1
        if probe.kind == "price":
            known.budgets &= (self.seen_by >= probe.about) == yes
        elif probe.kind == "spoken":
            known.spoken = [one for one in known.spoken if (probe.about in one) == yes]
        else:
            known.scopes = [one for one in known.scopes if (probe.about in one) == yes]

    def _tags(self, probe: Probe, word: str) -> None:
        """Take a word of a fit test: in full where it may be an agent's, a "pass" or a "fail" always."""
        probe.heard = True
        known = self.known
        known.by_group[probe.supplier] += 1
        known.answers["needs"] += 1
        metric, limit = probe.about
        if word != "unknown" or not known.words:
            needs = [Need("n", metric, min=limit)]
            known.tags = [one for one in known.tags if agent(one, needs) == word]
        known.words.append(len(known.tags))

    def _withdraw(self) -> None:
        """Give up all places, and all that wait: what is asked next follows from what was heard."""
        for probe in self.probes.values():
            self.call(probe.supplier, "POST", f"/v1/versions/{probe.version}/withdraw")
        self.probes.clear()

    def _pry(self, name: str, rows: dict[str, list[dict[str, Any]]]) -> None:
        """Read what is no row: shapes, errors, tags of pages, jobs, exports, other people's ids."""
        for path in (
            "/v1/tables", "/v1/me", "/v1/parties/hana/export", f"/v1/parties/{name}/export", "/v1/rows/party/hana",
            "/v1/rows/roadmap_item/x", "/v1/items/x/why-not/ada", "/v1/factories/hana/queue", "/v1/jobs/x",
            "/v1/rows/offer?where=factory_id=hana", "/v1/rows/offer?where=slot=1", "/v1/rows/fit_check?limit=1",
            "/v1/rows/offer?limit=1", "/v1/rows/reason_sum", "/v1/problems/not_there",
        ):  # fmt: skip
            self.call(name, "GET", path)
        for offer in rows["offer"][:2]:
            self.call(name, "GET", f"/v1/offers/{offer['id']}/reasons")
            self.call(name, "POST", f"/v1/offers/{offer['id']}/agree")
            self.call(name, "GET", f"/v1/rows/roadmap_item?where=id={offer['id']}")
        for version in rows["seen_version"][:1]:
            self.call(name, "POST", "/v1/factories/hana/fit-checks", {"version_id": version["version_id"]})
        for method, path, body in (
            ("POST", "/v1/factories/hana/budgets", {name: [1, 1, 1] for name in ("cash", "staff_days", "support")}),
            ("POST", "/v1/matching", None), ("POST", "/v1/factories/hana/roadmaps", {}),
        ):  # fmt: skip
            self.call(name, method, path, body)

    def call(self, name: str, method: str, path: str, body: Any = None) -> Any:
        """Ask, write down what came, and return it."""
        answer = self.target.client(name).request(method, path, json=body)
        assert answer.status_code < 500, answer.text
        heads = [answer.headers.get(head) for head in ("content-type", "location", "retry-after", "cache-control")]
        said = json.dumps([name, method, path, body, answer.status_code, heads, answer.text], ensure_ascii=False)
        self.transcript.append(self._plain(said))
        return answer.json() if answer.content and "json" in str(heads[0]) and "ndjson" not in str(heads[0]) else {}

    def _plain(self, text: str) -> str:
        """Return a text with drawn names numbered, and moments that are not of the world's clock left out."""

        def number(found: re.Match[str]) -> str:
            return self._numbers.setdefault(found[0], f"<{len(self._numbers)}>")

        def moment(found: re.Match[str]) -> str:
            ns = int(found[0])
            return found[0] if ns % 10**9 == 0 and ns >= BASE else "<moment>"

        text = _MOMENT.sub(moment, _DRAWN.sub(number, _TOKEN.sub("<token>", text)))
        return re.sub(r'\\"next\\": \\"[^"\\]+\\"', '"next": "<more>"', text)


def _subsets(words: Sequence[str]) -> list[frozenset[str]]:
    return [frozenset(some) for n in range(len(words) + 1) for some in combinations(words, n)]


def within(known: Known) -> list[tuple[str, ...]]:
    """Return protocols and consents that are still possible together: for the report."""
    return [tuple(sorted(a | b)) for a, b in product(known.spoken, known.scopes)]
