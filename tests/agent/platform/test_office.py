"""Signed days, manifest and verbs over a real broker: a client that is not ours reads, verifies and asks."""

from __future__ import annotations

import dataclasses
import json
import time
from datetime import date
from datetime import time as time_of_day
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import jsonschema
import numpy as np
import pytest
from msgspec.structs import replace

from agent.clock import SystemClock
from agent.platform.consent import Agreed
from agent.platform.daybook import Daybook
from agent.platform.key import own_key
from agent.platform.office import PER_TURN, Office
from agent.platform.past import Past
from agent.uplink import Uplink
from contract.codec import decode, encode
from contract.consent import SCOPES
from contract.day import Days, SignedDay
from contract.manifest import Head, Manifest
from contract.payload import Status
from contract.schemas import schema
from contract.signing import check, key_id, key_of, open_day, private_key, seal, verify
from contract.verbs import Baseline, Exit, Fit, Mde, Need, Series, SignedBaseline, Solution
from readiness.indicators.base import Shares
from readiness.plant import configured
from readiness.report import assess
from settings.broker import Broker
from tests.agent.test_uplink import BRANCH, Client, eventually
from tests.readiness.plant import CALENDAR, DAY, HOUR, SITE, START, Plant, model, signal, source
from tests.support.brokers import mosquitto
from tests.support.clocks import FakeClock
from tests.support.processes import Child, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agent.clock import Clock
    from readiness.report import Assessment

REGISTER = private_key(b"r" * 32)
SIGNED_DAYS = 14
EVERYTHING = ", ".join(SCOPES)


def bad_now_and_then(of: object, number: int, times: np.ndarray) -> np.ndarray:
    """Return status codes: a different share of bad reads on each day, by the number of the signal."""
    del of
    day = (times - START) // DAY
    return np.where(times // 60_000_000_000 % 20 < day * 7 % 5 + number, 0x80000000, 0)


PLANT = Plant(
    (source("press-1", (signal("press-1", 0), signal("press-1", 1))), source("lathe")),
    status=bad_now_and_then,
    days=28,
)
EVIDENCE = PLANT.evidence()
LAST = max(EVIDENCE)


class Desk:
    """Assesses the plant; days close as they are let."""

    def __init__(self) -> None:
        self.closed = sorted(EVIDENCE)[-SIGNED_DAYS:]
        self.plant = configured(PLANT.sources, PLANT.inventory)
        self.joined = SimpleNamespace(plant=self.plant, calendar=CALENDAR)
        self.config = SimpleNamespace(site="main")
        self.digest = "0123456789abcdef0123456789abcdef"
        self.model = model()
        self.turns: list[Any] = []
        self.retained: Any = None
        self.sooner: Any = None
        self.made: dict[tuple[int, time_of_day], Assessment] = {}
        self.past = Past(self, "edge-1")  # type: ignore[arg-type]
        self.contested: dict[str, list[str]] = {}

    def at(self, now_ns: int) -> Assessment:
        calendar = self.joined.calendar
        key = now_ns, calendar.day_start
        if key not in self.made:
            self.made[key] = assess(
                EVIDENCE, {}, PLANT.sources, self.plant, calendar, now_ns, self.model, SITE
            )  # fmt: skip
        return self.made[key]

    def assessment(self) -> Assessment:
        return self.at(PLANT.end)

    def dates(self) -> list[str]:
        return self.closed

    def day(self, date: str) -> bytes:
        return EVIDENCE[date]

    def tallies(self) -> dict[tuple[str, str], dict[int, int]]:
        return {}


DESK = Desk()


class Rig:
    """An office behind a real uplink."""

    def __init__(
        self, folder: Path, port: int | None, scopes: str = EVERYTHING, clock: FakeClock | None = None
    ) -> None:
        assert port is not None
        folder.mkdir(exist_ok=True)
        (folder / "consent.yaml").write_text(f"version: 1\nserial: 1\nscopes: [{scopes}]\n")
        self.folder = folder
        clock_: Clock = clock or SystemClock(0, trusted=True)
        status = lambda online: Status(online=online, boot="b", time="0", version="0")  # noqa: E731
        self.uplink = Uplink(Broker(host="127.0.0.1", port=port), BRANCH, status)
        self.book = Daybook(folder, BRANCH, own_key(folder))
        self.agreed = Agreed(folder / "consent.yaml", folder, clock_.now, lambda: "2026-11-23", home=False)
        DESK.turns.clear()
        self.office = Office(
            DESK, self.book, self.agreed, self.uplink, BRANCH, clock_, folder, REGISTER.public_key()  # type: ignore[arg-type]
        )  # fmt: skip
        self.uplink.start()
        eventually(lambda: self.uplink.up)

    def turn(self, n: int = 1) -> None:
        """Let the reporter's turns come, the first after a manifest could be heard."""
        self.office._heard = self.office._heard or self.book.head is not None
        eventually(self._began, 30)
        for _ in range(n):
            self.office.turn()

    def _began(self) -> bool:
        self.office.turn()
        return self.office._heard

    def stop(self) -> None:
        self.uplink.stop()


def client(broker: Child, *filters: str) -> Client:
    assert broker.port is not None
    return Client(broker.port, *filters)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    with running(mosquitto(tmp_path_factory.mktemp("broker"))) as child:
        yield child


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, broker: Child) -> Iterator[Rig]:
    made = Rig(tmp_path_factory.mktemp("office") / "state", broker.port)
    reader = client(broker, f"{BRANCH.root}/day/+")
    made.published = reader.got  # type: ignore[attr-defined]
    made.turn(4)
    eventually(lambda: len(reader.got) == SIGNED_DAYS)
    yield made
    reader.close()
    made.stop()


@pytest.fixture(scope="module")
def asker(broker: Child, rig: Rig) -> Iterator[Client]:
    del rig
    made = client(broker, BRANCH.response("+"), BRANCH.manifest)
    yield made
    made.close()


ASKED = iter(range(10**6))


def ask(client: Client, verb: str, body: object, name: str | None = None) -> dict[str, Any]:
    """Return the answer to a request, each asked by a client of its own so that no limit is met by chance."""
    topic = BRANCH.response(name or f"me-{next(ASKED)}")
    before = len([m for m in client.got if m.topic == topic])
    client.request(verb, body if isinstance(body, bytes) else json.dumps(body).encode(), topic)
    eventually(lambda: len([m for m in client.got if m.topic == topic]) > before, 20)
    found: dict[str, Any] = json.loads([m for m in client.got if m.topic == topic][-1].payload)
    return found


def manifest(client: Client) -> Manifest:
    eventually(lambda: any(m.topic == BRANCH.manifest for m in client.got))
    raw = [bytes(m.payload) for m in client.got if m.topic == BRANCH.manifest][-1]
    jsonschema.validate(json.loads(raw), schema("manifest"))
    return decode(raw, Manifest)


def test_days_come_signed_in_a_chain_that_the_manifest_names(rig: Rig, asker: Client) -> None:
    found = manifest(asker)
    keys = {found.key: key_of(found.public_key)}
    messages = [(m.topic, bytes(m.payload)) for m in rig.published]  # type: ignore[attr-defined]
    chain = verify([decode(raw, SignedDay) for _, raw in messages], BRANCH, keys)
    assert found.chain == chain[-1].head
    assert [topic for topic, _ in messages] == [BRANCH.day(one.day.date) for one in chain]
    assert [one.day.date for one in chain] == DESK.closed
    assert found.consent.scopes == list(SCOPES)
    for _, raw in messages:
        jsonschema.validate(json.loads(raw), schema("day"))
        jsonschema.validate(json.loads(json.loads(raw)["record"]), schema("day.record"))


def test_a_day_says_what_the_evidence_says(rig: Rig) -> None:
    for signed, opened in rig.book.records("", "9"):
        del signed
        day = opened.day
        workday = int(day.machines[0].counted) > 0
        found = [m for m in day.metrics if m.metric == "A01"]
        assert bool(found) == workday
        if not workday:
            continue
        (a01,) = found
        assert a01.machines == [0, 1]
        outcomes = DESK.at(int(day.end)).outcomes("A01")
        for at, num, den in zip(a01.machines, a01.num, a01.den, strict=True):
            outcome = outcomes[day.machines[at].id]
            assert (num, den) == (outcome.num[-1], outcome.den[-1])  # type: ignore[union-attr]
        assert not {"name", "person", "author"} & set(json.loads(encode(day)))


def test_missed_days_can_be_fetched_again(rig: Rig, asker: Client) -> None:
    answer = ask(asker, "day.get", {"from": DESK.closed[1], "to": DESK.closed[3]})
    jsonschema.validate(answer, schema("days"))
    days = decode(json.dumps(answer).encode(), Days)
    assert days.days == [rig.book.signed(date) for date in DESK.closed[1:4]]
    assert days.next is None
    assert ask(asker, "day.get", {"from": "2020-01-01", "to": "2020-01-31"})["error"] == "no_data"


def test_a_window_is_the_sum_of_its_days(rig: Rig, asker: Client) -> None:
    body = {"metric": "A01", "from": DESK.closed[0], "to": LAST, "machine": "lathe", "step_s": 7 * 86_400}
    answer = ask(asker, "window.get", body)
    jsonschema.validate(answer, schema("window"))
    found = decode(json.dumps(answer).encode(), Series)
    rows = [
        (m.num[m.machines.index(1)], m.den[m.machines.index(1)])
        for _, opened in rig.book.records("", "9")
        for m in opened.day.metrics
        if m.metric == "A01" and 1 in m.machines
    ]
    assert len(rows) == 10
    for point, week in zip(found.points, (rows[:5], rows[5:]), strict=True):
        assert point.value == pytest.approx(sum(n for n, _ in week) / sum(d for _, d in week), abs=1e-6)
        assert point.days == 5


@pytest.mark.parametrize(
    ("verb", "body", "error"),
    [
        ("window.get", {"metric": "A01", "from": LAST, "to": LAST, "step_s": 3600}, "too_fine"),
        ("window.get", {"metric": "A01", "from": LAST, "to": LAST, "step_s": 100_000}, "bad_request"),
        ("window.get", {"metric": "A01", "from": LAST, "to": "2020-01-01"}, "bad_request"),
        ("window.get", {"metric": "A01", "from": "2026-02-31", "to": LAST}, "bad_request"),
        ("window.get", {"metric": "ZZ9", "from": LAST, "to": LAST}, "no_data"),
        ("window.get", {"metric": "A01", "from": LAST, "to": LAST, "machine": "nobody"}, "no_data"),
        ("window.get", {"metric": "A01"}, "bad_request"),
        ("day.get", {"from": "2020-01-01", "to": "2026-01-01"}, "bad_request"),
        ("day.get", b"nonsense", "bad_request"),
        ("day.get", {"from": "9999-12-31", "to": "9999-12-31"}, "no_data"),
        ("window.get", {"metric": "A01", "from": "9999-01-01", "to": "9999-12-31"}, "no_data"),
        ("mde.get", {"metric": "A01", "from": "0001-01-01", "to": "0001-01-01"}, "no_data"),
        ("day.get", b'{"x": "' + b"x" * 90_000 + b'"}', "bad_request"),
        ("mde.get", {"metric": "X01", "from": LAST, "to": LAST}, "no_data"),
        ("report.get", {"machine": "nobody"}, "no_data"),
        ("fit.check", {"registered": "{}", "key": "0" * 16, "signature": "A" * 86 + "=="}, "bad_request"),
        ("plc.write", {}, "unknown_verb"),
    ],
)
def test_what_cannot_be_answered_has_a_code(asker: Client, verb: str, body: object, error: str) -> None:
    answer = ask(asker, verb, body)
    assert answer["error"] == error, answer
    assert "see its log" not in answer["message"]
    jsonschema.validate(answer, schema("refusal"))


def test_how_restless_a_metric_is(rig: Rig, asker: Client) -> None:
    body = {"metric": "A01", "from": DESK.closed[0], "to": LAST}
    answer = ask(asker, "mde.get", body)
    jsonschema.validate(answer, schema("mde"))
    found = decode(json.dumps(answer).encode(), Mde)
    days = [m for _, opened in rig.book.records("", "9") for m in opened.day.metrics if m.metric == "A01"]
    values = np.array([[n / d for n, d in zip(m.num, m.den, strict=True)] for m in days])
    around = values - values.mean(axis=0)
    assert (found.machines, found.n) == (2, 20)
    assert found.sd.value == pytest.approx(np.sqrt((around**2).sum() / 18), rel=1e-5)
    assert found.sd.lo < found.sd.value < found.sd.hi
    assert ask(asker, "mde.get", {**body, "from": DESK.closed[-5]})["error"] == "no_data"


def registered(*needs: Need, **more: object) -> dict[str, object]:
    text = encode(Solution("press-watch", "1.0", list(needs))).decode()
    signature = seal("tsq/1/fit", text, REGISTER)
    return {"registered": text, "key": key_id(REGISTER.public_key()), "signature": signature, **more}


@pytest.mark.parametrize(
    ("need", "verdict"),
    [
        (Need("n", "A01", min=0.01), "pass"),
        (Need("n", "A01", min=0.9999), "fail"),
        (Need("n", "X01", max=10.0), "fail"),  # does not apply
        (Need("n", "V02", min=0.5), "unknown"),
        (Need("n", "ZZ9", min=0.1), "unknown"),
    ],
)
def test_a_registered_solution_fits_or_does_not_or_nobody_knows(asker: Client, need: Need, verdict: str) -> None:
    for audience in ("supplier", "owner", "mentor"):
        answer = ask(asker, "fit.check", registered(need, machine="lathe", audience=audience))
        jsonschema.validate(answer, schema("fit"))
        found = decode(json.dumps(answer).encode(), Fit)
        assert found.verdict == verdict
        assert bool(found.missing) == (verdict != "pass" and audience != "supplier")


def test_needs_that_nobody_has_registered_are_not_looked_at(asker: Client) -> None:
    body = registered(Need("n", "A01", min=0.5))
    body["registered"] = str(body["registered"]).replace("0.5", "0.6")
    assert ask(asker, "fit.check", body)["error"] == "bad_request"


def test_a_baseline_is_frozen_once_and_rests_on_records_by_hash(rig: Rig, asker: Client) -> None:
    body = {
        "project": "p-7", "from": DESK.closed[0], "to": DESK.closed[4], "metrics": ["A01"], "treated": ["press-1"],
        "controls": ["lathe"],
    }  # fmt: skip
    answer = ask(asker, "baseline.freeze", body)
    signed = decode(json.dumps(answer).encode(), SignedBaseline)
    check(BRANCH.event("baseline_frozen"), signed.baseline, signed.signature, rig.book.public)
    heads = [opened.head.hash for _, opened in rig.book.records(DESK.closed[0], DESK.closed[4])]
    assert [day.hash for day in decode(signed.baseline.encode(), Baseline).days] == heads
    assert ask(asker, "baseline.freeze", body) == answer
    assert ask(asker, "baseline.freeze", {**body, "to": DESK.closed[3]})["error"] == "bad_request"
    twice = {**body, "project": "p-8", "controls": ["press-1"]}
    assert ask(asker, "baseline.freeze", twice)["error"] == "bad_request"


def test_leaving_is_tried_out(rig: Rig, asker: Client) -> None:
    answer = ask(asker, "exit.test", {})
    jsonschema.validate(answer, schema("exit"))
    found = decode(json.dumps(answer).encode(), Exit)
    assert (found.ok, found.coverage) == (True, 1.0)
    assert {c.id: c.n for c in found.checks} | {"answers": 0} == {
        "chain": SIGNED_DAYS, "evidence": SIGNED_DAYS, "answers": 0, "consent": 1, "key": 1,
    }  # fmt: skip
    path = rig.folder / "days" / f"{DESK.closed[2]}.json"
    kept = path.read_bytes()
    path.write_bytes(kept.replace(b"A01", b"A02"))
    try:
        broken = decode(json.dumps(ask(asker, "exit.test", {})).encode(), Exit)
        assert not broken.ok
        assert [c.id for c in broken.checks if not c.ok] == ["chain"]
    finally:
        path.write_bytes(kept)


def test_who_asks_too_often_is_told_so_and_others_are_not(asker: Client) -> None:
    answers = [ask(asker, "consent.get", {}, "eager") for _ in range(12)]
    assert [("error" in a) for a in answers[:10]] == [False] * 10
    assert answers[-1]["error"] == "busy"
    assert "error" not in ask(asker, "consent.get", {})


def test_nothing_is_said_without_consent_and_what_is_taken_back_is_not_said_any_more(
    tmp_path: Path, broker: Child, rig: Rig, asker: Client
) -> None:
    del tmp_path, broker
    file = rig.folder / "consent.yaml"
    allowed = {
        "report.get": {}, "day.get": {"from": LAST, "to": LAST}, "fit.check": registered(Need("n", "A01", min=0.1)),
        "window.get": {"metric": "A01", "from": LAST, "to": LAST}, "mde.get": {}, "baseline.freeze": {},
    }  # fmt: skip
    try:
        file.write_text("version: 1\nserial: 2\nscopes: []\n")
        rig.office.turn()
        for verb, body in allowed.items():
            assert ask(asker, verb, body)["error"] == "no_consent", verb
        assert rig.office._retained(DESK.assessment()) == b""
        assert ask(asker, "consent.get", {})["now"]["scopes"] == []
        assert rig.office.manifest().machines == []
        file.write_text("version: 1\nserial: 3\nscopes: [levels, days]\n")
        rig.office.turn()
        report = ask(asker, "report.get", {})
        assert report["values"] == []
        assert report["machines"]
        assert json.loads(rig.office._retained(DESK.assessment()))["values"] == []
        assert ask(asker, "report.get", {"machine": "lathe"})["error"] == "no_consent"
        window = {"metric": "A01", "from": DESK.closed[0], "to": LAST}
        assert "points" in ask(asker, "window.get", window)
        for machine in ("lathe", "none-such"):  # nor whether there is one of that name
            assert ask(asker, "window.get", {**window, "machine": machine})["error"] == "no_consent"
            assert ask(asker, "mde.get", {**window, "machines": [machine]})["error"] == "no_consent"
        assert [machine.id for machine in rig.office.manifest().machines] == ["press-1", "lathe"]
        file.write_text("version: 1\nserial: 33\nscopes: [indicators, days]\n")  # no report is made meanwhile
        assert DESK.sooner()
        assert "machines" not in ask(asker, "report.get", {})
        assert rig.office.manifest().machines == []
        rig.office._retained(DESK.assessment())
        assert not DESK.sooner()
        # A signed record holds every machine, so it needs the word that single machines need.
        assert ask(asker, "day.get", {"from": LAST, "to": LAST})["error"] == "no_consent"
    finally:
        file.write_text(f"version: 1\nserial: 4\nscopes: [{EVERYTHING}]\n")
        rig.office.turn()
    assert [entry["serial"] for entry in ask(asker, "consent.get", {})["history"]] == [1, 2, 3, 33, 4]


def test_a_turn_signs_few_days_and_a_box_with_anothers_manifest_none(tmp_path: Path) -> None:
    with running(mosquitto(tmp_path / "own")) as broker:
        writer = client(broker, "none")
        theirs = private_key(b"o" * 32).public_key()
        one = Rig(tmp_path / "one", broker.port)
        one.turn(0)
        assert len(one.book.dates()) == PER_TURN
        mine = one.office.manifest()
        one.stop()
        foreign = replace(mine, key=key_id(theirs), chain=Head(40, DESK.closed[5], "f" * 64))
        writer.client.publish(BRANCH.manifest, encode(foreign), qos=1, retain=True).wait_for_publish(5)
        again = Rig(tmp_path / "one", broker.port)
        eventually(lambda: again.office._heard)
        for _ in range(3):
            again.office.turn()
        assert len(again.book.dates()) == PER_TURN
        assert "reporter take" in again.book.trouble
        assert again.book.take()
        again.turn(2)
        assert again.book.dates()[PER_TURN:] == DESK.closed[6:]
        last = again.book.signed(DESK.closed[6])
        assert last is not None
        opened = open_day(encode(last), BRANCH, {again.book.key: again.book.public})
        assert (opened.day.number, opened.day.prev) == (41, "f" * 64)
        reader = client(broker, BRANCH.manifest)
        eventually(lambda: any(decode(bytes(m.payload), Manifest).key == again.book.key for m in reader.got))
        for one_of in (reader, writer):
            one_of.close()
        again.stop()


def test_no_day_is_signed_that_is_not_over_or_under_a_clock_that_nobody_vouches_for(tmp_path: Path) -> None:
    over = DESK.closed[-3]
    ends = CALENDAR.bounds(date.fromisoformat(over))[1]
    clock = FakeClock(ends - 1_000_000_000, trusted=False)
    with running(mosquitto(tmp_path / "own")) as broker:
        one = Rig(tmp_path / "one", broker.port, clock=clock)
        one.office._heard = True
        for _ in range(4):
            one.office.turn()
        assert one.book.dates() == []
        clock.trusted = True
        for _ in range(4):
            one.office.turn()
        assert one.book.dates() == DESK.closed[:-3]
        clock.advance(2)
        one.office.turn()
        assert one.book.dates() == DESK.closed[:-2]
        assert one.office.about()["trouble"] == ""
        clock.step(-5 * 86_400)  # it had been wrong, and whoever vouched for it as well
        one.office.turn()
        assert f"the last record is of {over}" in str(one.office.about()["trouble"])
        clock.trusted = False
        assert one.office.about()["trouble"] == "", "nobody knows"
        one.stop()


def test_a_record_holds_its_own_day_after_the_days_start_was_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = dataclasses.replace(CALENDAR, day_start=time_of_day(10))
    monkeypatch.setattr(DESK, "joined", SimpleNamespace(plant=DESK.plant, calendar=moved))
    with running(mosquitto(tmp_path / "own")) as broker:
        one = Rig(tmp_path / "one", broker.port)
        one.office._heard = True
        for _ in range(4):
            one.office.turn()
        found = {opened.day.date: opened.day for _, opened in one.book.records("", "9")}
        one.stop()
    assert sorted(found) == DESK.closed
    for day, record in found.items():
        at = date.fromisoformat(day)
        assert (int(record.machines[0].counted) >= 10 * HOUR) == (at.weekday() < 5), day
        outcome = DESK.at(moved.bounds(at)[1]).outcomes("A01")["press-1"]
        assert isinstance(outcome, Shares)
        own = [m for m in record.metrics if m.metric == "A01" and 0 in m.machines]
        assert [m.num[0] for m in own] == [outcome.num[-1]] * bool(outcome.den[-1] > 0)


def test_what_has_waited_too_long_is_not_answered(rig: Rig, asker: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = rig.uplink.desk.gate
    assert gate is not None
    real = gate.arrived
    monkeypatch.setattr(gate, "arrived", lambda: real() - 61 * 10**9)
    topic = BRANCH.response("patient")
    asker.request("consent.get", b"{}", topic)
    time.sleep(0.5)
    monkeypatch.undo()
    assert "now" in ask(asker, "consent.get", {})
    assert not [m for m in asker.got if m.topic == topic]
