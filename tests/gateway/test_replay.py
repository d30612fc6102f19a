"""Dead letters come into the store and close their gaps: whole, in part, after a kill, beside running workers."""

from __future__ import annotations

import base64
import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from msgspec.structs import replace

from agent.spool.gaps import Loss
from contract import codec
from contract.payload import Rejected, Stored, WireEvent, WireFacts
from gateway import birthfiles, deadletter, settled
from gateway.births import Births
from gateway.cli import main
from gateway.deadletter import DeadLetters
from gateway.ingest import Ingest
from gateway.letter import DeadLetter
from gateway.points import Dictionary
from gateway.replay import Replay, groups
from gateway.settled import Busy, Settling, waiting
from gateway.stores import open_store
from gateway.stores.base import StoreUnavailable
from gateway.stores.settings import EmbeddedSettings
from tests.gateway.builders import (
    BIRTH,
    BIRTH_HASH,
    BIRTH_JSON,
    BRANCH,
    SOURCE,
    T0,
    FixedClock,
    MemoryStore,
    birth_messages,
    block,
    crc,
    data,
    message,
    row,
    wire,
)
from tests.gateway.peer import Peer, port_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from agent.frame import Event
    from contract.payload import Data
    from gateway.replay import Outcome
    from gateway.stores.base import Point, Refusal
    from tests.support.processes import Child

ZSTD = codec.CONTENT_TYPE_ZSTD


class Site(NamedTuple):
    """A worker whose store refuses the oven, and what it leaves behind."""

    folder: Path
    store: MemoryStore
    clock: FixedClock
    letters: DeadLetters
    ingest: Ingest

    def send(self, payload: Data) -> Stored:
        (outgoing,) = self.ingest.handle(BRANCH.data, wire(payload), ZSTD)
        return codec.decode(outgoing.payload, Stored)

    def mend(self) -> None:
        self.store.refuses = lambda _: None

    def replay(self) -> list[Outcome]:
        """Replay all as the command does."""
        work = Replay(self.store, self.clock, lambda *_: Dictionary(BIRTH), lambda _: "still no message")
        outcomes = []
        with Settling(self.folder) as settling:
            for group in groups(waiting(self.folder), lambda _: True):
                outcomes.append(work.replay(group))
                for kept in group if outcomes[-1].done else ():
                    settling.settle(kept, "replayed", self.clock.now())
        return outcomes

    def gaps(self) -> dict[str, dict[str, Any]]:
        """Return the body of the latest event of each gap."""
        found = {}
        for point in self.store.read("tsq_event", 0, 2**63 - 1):
            if dict(point.tags)["kind"] == "gap":
                body = json.loads(str(point.fields["body_s"]))
                found[body["gap_id"]] = {**body, "from": point.fields["from_i"], "to": point.fields["to_i"]}
        return found


def refuse_oven(point: Point) -> str | None:
    return "field type conflict" if point.measurement == "oven-2" else None


@pytest.fixture
def site(tmp_path: Path) -> Any:
    """Return a worker with a store that refuses the oven."""
    store, clock = MemoryStore(refuse_oven), FixedClock()
    letters = DeadLetters(tmp_path, 10**7, "gw-1", clock)
    ingest = Ingest("gw-1", store, Births(), letters, clock)
    for topic, payload in birth_messages():
        ingest.handle(topic, payload, ZSTD)
    yield Site(tmp_path, store, clock, letters, ingest)
    letters.close()


def oven(seq: int, *times: int) -> Data:
    rows = [row("f64", T0, 1.0), *(row("temp", T0 + time, float(time)) for time in times)]
    return data(block(*rows, seq=seq), seqs=(seq,))


def gap_id(seq: int) -> str:
    """Return how an agent names the gap of a rejected entry."""
    return f"rejected-spool-1-{seq}-{crc(seq)}"


def told_by_the_agent(rejected: Rejected) -> Event:
    """Return the gap as the agent tells it, by its own code."""
    loss = Loss(gap_id(rejected.seq), "rejected", "store", "spool-1", reason=rejected.reason)
    for source, first, last, rows in rejected.rows:
        loss.sources[source] = [int(first), int(last), rows]
        loss.reach(int(first))
        loss.reach(int(last))
    loss.list_entry(rejected.seq, sent=True)
    return loss.event(T0)


def test_a_gap_of_more_sources_than_fit_sums_up_the_others_as_the_agent_does(site: Site) -> None:
    blocks = [block(row("f64", T0 + n, 1.0), source=f"p{n}") for n in range(4800)]
    (outgoing,) = site.ingest.handle(BRANCH.data, wire(data(*blocks, block(row("temp", T0, 1.0)))), ZSTD)
    (rejected,) = codec.decode(outgoing.payload, Stored).rejected
    assert rejected.rows[-1] == ("*", str(T0), str(T0 + 4799), 4801 - 1000)
    site.mend()
    (outcome,) = site.replay()
    assert (outcome.stored, outcome.missing) == (1, 4800)
    left = site.gaps()[gap_id(1)]
    assert (len(left["sources"]), left["rows"]) == (1001, 4800)
    assert left["sources"]["*"] == {"first": str(T0 + 1000), "last": str(T0 + 4799), "rows": 3800}


def test_after_the_store_is_mended_every_row_is_there_once_and_the_gap_is_closed(site: Site) -> None:
    (rejected,) = site.send(oven(1, 5, 6)).rejected
    event = told_by_the_agent(rejected)
    assert event.body["rows"] == 2
    site.mend()
    site.clock.advance(60)
    (outcome,) = site.replay()
    assert (outcome.stored, outcome.missing, outcome.done) == (2, 0, True)
    assert [(p.time_ns - T0, p.fields) for p in site.store.read("oven-2", 0, T0 + 9)] == [
        (5, {"temp_f": 5.0}),
        (6, {"temp_f": 6.0}),
    ]
    (gap,) = site.gaps().values()
    assert {*event.body} | {"replayed", "from", "to"} == gap.keys()
    assert gap["gap_id"] == event.body["gap_id"]
    assert (gap["cause"], gap["stage"], gap["rows"], gap["sources"], gap["entries"]) == (
        "rejected", "store", 0, {}, [],
    )  # fmt: skip
    assert gap["from"] == gap["to"] == event.from_ns
    assert list(waiting(site.folder)) == []
    assert not list(site.folder.glob("*.jsonl"))
    (archive,) = (site.folder / settled.FOLDER).glob("*.jsonl")
    assert json.loads(archive.read_bytes())["letter"]["points"][0]["time"] == T0 + 5
    before = site.store.writes
    assert site.replay() == []
    assert site.store.writes == before


def test_what_is_refused_again_stays_and_the_gap_says_how_much(site: Site) -> None:
    site.send(oven(1, 5, 6, 7))
    site.store.refuses = lambda point: "points beyond retention policy" if point.time_ns == T0 + 6 else None
    (outcome,) = site.replay()
    assert (outcome.stored, outcome.missing, outcome.done) == (2, 1, False)
    assert outcome.why == ["points beyond retention policy"]
    gap = site.gaps()[gap_id(1)]
    assert (gap["rows"], gap["entries"], gap["from"], gap["to"]) == (1, [[1, 1, "yes"]], T0 + 6, T0 + 6)
    assert gap["sources"] == {SOURCE: {"first": str(T0 + 6), "last": str(T0 + 6), "rows": 1}}
    assert len(list(waiting(site.folder))) == 1
    site.mend()
    site.clock.advance(1)
    (outcome,) = site.replay()
    assert outcome.done
    assert site.gaps()[gap_id(1)]["rows"] == 0
    assert len(list(site.store.read("oven-2", 0, T0 + 9))) == 3


def test_while_nothing_is_mended_nothing_changes(site: Site) -> None:
    site.send(oven(1, 5))
    (outcome,) = site.replay()
    assert (outcome.stored, outcome.missing, outcome.done) == (0, 1, False)
    assert site.gaps() == {}
    assert len(list(waiting(site.folder))) == 1


def test_letters_of_one_entry_are_replayed_together_because_they_share_its_gap(site: Site) -> None:
    site.send(oven(1, 5))
    site.send(oven(1, 5, 6))  # by another worker, say, whose store refused more
    site.send(oven(2, 8))
    site.store.refuses = lambda point: "no" if point.time_ns == T0 + 6 else None
    first, second = site.replay()
    assert (len(first.letters), first.stored, first.missing) == (2, 1, 1)
    assert (len(second.letters), second.stored, second.done) == (1, 1, True)
    assert site.gaps()[gap_id(1)]["rows"] == 1
    names = [kept.name for kept in waiting(site.folder)]
    assert len(names) == 2
    chosen = list(groups(waiting(site.folder), lambda kept: kept.name == names[1]))
    assert [len(group) for group in chosen] == [2]


class Dies(MemoryStore):
    """Takes some writes, then is away in the middle of the replay, as if the process were killed there."""

    lives = 0

    def write(self, points: Sequence[Point]) -> Sequence[Refusal]:
        """Count down."""
        if self.lives <= 0:
            raise StoreUnavailable("killed")
        self.lives -= 1
        return super().write(points)


@pytest.mark.parametrize("lives", [0, 1, 2, 3])
def test_broken_off_anywhere_nothing_is_lost_and_the_next_run_ends_it(site: Site, lives: int) -> None:
    for seq in (1, 2):
        site.send(oven(seq, 10 * seq, 10 * seq + 1))
    dying = Dies()
    dying.lives = lives
    dying.held = site.store.held
    with pytest.raises(StoreUnavailable):
        site._replace(store=dying).replay()
    # each letter is in exactly one of the two places, whole
    marks = (site.folder / settled.FOLDER).glob("*.jsonl")
    done = [json.loads(line) for path in marks for line in path.read_bytes().splitlines()]
    assert len(done) + len(list(waiting(site.folder))) == 2
    site.mend()
    assert all(outcome.done for outcome in site.replay())
    assert [p.time_ns - T0 for p in site.store.read("oven-2", 0, T0 + 99)] == [10, 11, 20, 21]
    assert {name: gap["rows"] for name, gap in site.gaps().items()} == {gap_id(1): 0, gap_id(2): 0}


def test_killed_before_it_tidied_up_the_letter_is_settled_all_the_same(site: Site) -> None:
    site.send(oven(1, 5))
    site.send(oven(2, 6))
    kept = list(waiting(site.folder))
    dead = Settling(site.folder)
    dead.settle(kept[0], "replayed", T0)
    mark = next((site.folder / settled.FOLDER).glob("*.jsonl"))
    with mark.open("ab") as file:
        file.write(b'{"key": "torn by the ki')
    dead._lock.close()
    assert [one.raw for one in waiting(site.folder)] == [kept[1].raw]
    with Settling(site.folder) as again:
        again.settle(kept[1], "dropped", T0)
    assert list(waiting(site.folder)) == []
    assert not list(site.folder.glob("*.jsonl"))


def test_workers_go_on_writing_while_letters_leave_their_files(site: Site, tmp_path: Path) -> None:
    other = DeadLetters(tmp_path, 10**6, "gw-2", site.clock)
    second = Ingest("gw-2", site.store, site.ingest._births, other, site.clock)
    for seq in range(1, 31):
        worker = second if seq % 2 else site.ingest
        worker.handle(BRANCH.data, wire(oven(seq, seq)), ZSTD)
        if seq % 10 == 0:
            site.mend()
            assert all(outcome.done for outcome in site.replay())
            site.store.refuses = refuse_oven
            site.clock.advance(1)
    other.close()
    assert list(waiting(site.folder)) == []
    assert [p.time_ns - T0 for p in site.store.read("oven-2", 0, T0 + 99)] == list(range(1, 31))
    assert {gap["rows"] for gap in site.gaps().values()} == {0}
    assert len(site.gaps()) == 30


def test_two_replays_at_a_time_are_one_too_many(site: Site) -> None:
    with Settling(site.folder), pytest.raises(Busy):
        Settling(site.folder)
    with Settling(site.folder):
        pass


def test_rows_that_contradicted_their_birth_are_read_anew(site: Site) -> None:
    """A newer version may understand what this one does not; here the letters are made as if it did."""
    rows = block(row("f64", T0, 1.0), row("f64", T0 + 3, 4.0, 0x4000_0000, 2 * 10**9))
    event = WireEvent(seq=1, kind="link_up", time=str(T0), from_=str(T0 - 5), to=str(T0))
    facts = WireFacts(seq=1, kind="health", time=str(T0), subject="plc", body={"a": 1})
    one_row = {"signal": 8, "value": 7.5, "status": 0, "source_time": None}
    twice = {"signal": 8, "value": 9.5, "status": 0, "source_time": None}
    letter = DeadLetter(
        at=T0, topic=BRANCH.data, reason="new", spool="spool-1", birth=codec.digest(codec.encode(BIRTH)),
        rejected=[Rejected(1, crc(1), "new", [(SOURCE, str(T0), str(T0 + 9), 4)])],
        faults=[
            fault(SOURCE, "new", json.loads(codec.encode(rows))),
            fault(SOURCE, "new", one_row, T0 + 9),
            fault(SOURCE, "two rows of one signal at one time", twice, T0 + 9),
            fault("tsq_event", "new", {name: getattr(event, name) for name in event.__struct_fields__}),
            fault("tsq_event", "new", {name: getattr(facts, name) for name in facts.__struct_fields__}),
        ],
    )  # fmt: skip
    site.letters.append(letter)
    (outcome,) = site.replay()
    assert (outcome.stored, outcome.missing, outcome.done) == (5, 1, False)
    assert [(p.time_ns - T0, p.fields) for p in site.store.read("press-1", 0, T0 + 99)] == [
        (0, {"f64_f": 1.0}),
        (3, {"f64_f": 4.0, "f64_q": 0x4000_0000, "f64_src": T0 + 3 + 2 * 10**9}),
        (9, {"f64_f": 7.5}),
    ]
    kinds = {dict(p.tags)["kind"]: p.fields for p in site.store.read("tsq_event", 0, T0 + 1)}
    assert kinds["link_up"] == {"body_s": "{}", "from_i": T0 - 5, "to_i": T0}
    assert kinds["facts.health"] == {"subject_s": "plc", "body_s": '{"a":1}'}
    assert site.gaps()[gap_id(1)]["rows"] == 1


def contradicting(seq: int, *times: int) -> Data:
    rows = [row("f64", T0, 1.0), *(row("b", T0 + time, 5) for time in times)]
    return data(block(*rows, seq=seq), seqs=(seq,))


def births_of(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / birthfiles.FOLDER).glob("*") if path.name != "lock")


def test_a_birth_that_rows_contradict_lies_beside_their_letters_and_goes_with_the_last(site: Site) -> None:
    for seq in (1, 2):
        assert site.send(contradicting(seq, seq)).rejected
    (path,) = births_of(site.folder)
    assert path.stat().st_mode & 0o777 == 0o600
    found = birthfiles.read(site.folder, BRANCH, BIRTH_HASH)
    assert found is not None
    assert (found.factory, found.agent, list(found.sources)) == ("hanil", "edge-1", [SOURCE])
    assert birthfiles.read(site.folder, BRANCH, "../" + BIRTH_HASH) is None
    (path.parent / "torn.new").touch()
    for left in (1, 0):
        with Settling(site.folder) as settling:
            settling.settle(next(waiting(site.folder)), "dropped", T0)
        assert births_of(site.folder) == [path][:left]
    site.send(oven(3, 5))
    assert births_of(site.folder) == []  # lines that the store refuses are whole without it


def test_a_birth_is_on_the_disk_before_the_letter_that_needs_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        real(handle)
        synced.append(os.path.basename(os.readlink(f"/proc/self/fd/{handle}")))  # noqa: PTH115, PTH119 - a name

    monkeypatch.setattr(os, "fsync", fsync)
    site.send(contradicting(1, 1))
    (kept,) = waiting(site.folder)
    name = f"hanil.edge-1.{BIRTH_HASH}.zst"
    assert [synced[0], *synced[2:]] == [site.folder.name, "births", site.folder.name, kept.path.name]
    assert synced[1].startswith(f"{name}.")
    assert synced[1].endswith(".new")
    synced.clear()
    site.send(contradicting(2, 2))
    assert synced == [kept.path.name]


def test_rows_are_read_anew_with_the_birth_beside_them_when_no_broker_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    letters = DeadLetters(tmp_path / "letters", 10**6, "gw-1", FixedClock())
    content = {"signal": 8, "value": 7.5, "status": 0, "source_time": None}
    letter = DeadLetter(
        at=T0, topic=BRANCH.data, reason="new", spool="spool-1", birth=BIRTH_HASH,
        rejected=[Rejected(1, crc(1), "new", [(SOURCE, str(T0), str(T0), 1)])],
        faults=[fault(SOURCE, "new", content)],
    )  # fmt: skip
    letters.append(letter, lambda: BIRTH_JSON)
    letters.close()
    assert run(config(tmp_path, 1), "replay", "--all") == 0
    assert "1 rows stored, 0 refused again" in capsys.readouterr().out
    assert births_of(tmp_path / "letters") == []


def test_a_birth_that_a_worker_asks_for_while_others_sweep_stays(site: Site) -> None:
    site.send(contradicting(1, 1))
    (path,) = births_of(site.folder)

    def letters() -> Iterator[DeadLetter | None]:
        site.send(
            contradicting(2, 2)
        )  # after the first look at the births, and too late to be seen among the letters
        yield None

    birthfiles.sweep(site.folder, letters)
    assert births_of(site.folder) == [path]
    birthfiles.sweep(site.folder, lambda: iter(()))
    assert births_of(site.folder) == []


def test_births_take_room_of_the_folder_and_with_none_left_the_entry_waits(tmp_path: Path) -> None:
    clock = FixedClock()
    letters = DeadLetters(tmp_path, 1000, "gw-1", clock)
    ingest = Ingest("gw-1", MemoryStore(), Births(), letters, clock)
    for topic, payload in birth_messages():
        ingest.handle(topic, payload, ZSTD)
    assert ingest.handle(BRANCH.data, wire(contradicting(1, 1)), ZSTD) == []
    assert ingest.counts["dead_letters_full"] == 1
    assert list(waiting(tmp_path)) == []
    assert births_of(tmp_path) == []
    letters.close()


def fault(source: str, reason: str, content: object, first: int = T0) -> dict[str, object]:
    return {"seq": 1, "source": source, "first": first, "last": first, "reason": reason, "content": content}


def test_a_letter_that_makes_no_sense_stays_and_stops_no_other(site: Site) -> None:
    site.letters.append(DeadLetter(at=T0, topic="x", reason="?", spool="s", points=[{"no": "point"}]))
    path = deadletter.files(site.folder)[0]
    with path.open("ab") as file:
        file.write(b'{"at": 1, "topic": "torn\n')
    site.send(oven(1, 5))
    site.mend()
    outcomes = site.replay()
    assert [outcome.done for outcome in outcomes] == [False, False, True]
    assert len(list(waiting(site.folder))) == 2


# The command


def config(folder: Path, port: int) -> Path:
    path = folder / "gateway.yaml"
    path.write_text(
        f"mqtt: {{host: 127.0.0.1, port: {port}}}\nstore: {{type: embedded, path: {folder}/store.db}}\n"
        f"dead_letters: {{directory: {folder}/letters, max_size: 1MB}}\n"
    )
    return path


def run(path: Path, *words: str) -> int:
    return main(["--lang", "en", "dead-letters", *words, "--config", str(path)])


def test_a_message_that_could_not_be_read_is_stored_and_confirmed_by_a_version_that_can(
    tmp_path: Path, broker: Child, agent: Peer, capsys: pytest.CaptureFixture[str]
) -> None:
    agent.birth()
    path = config(tmp_path, port_of(broker))
    letters = DeadLetters(tmp_path / "letters", 10**6, "gw-1", FixedClock())
    base = DeadLetter(at=T0, topic=BRANCH.data, reason="a field of tomorrow", content_type=ZSTD)
    readable = base64.b64encode(wire(message(1))).decode()
    letters.append(replace(base, payload=readable))
    letters.append(replace(base, payload=base64.b64encode(b"for ever nonsense").decode()))
    letters.close()
    assert run(path, "replay", "--all") == 1
    assert agent.confirmed().stored == [(1, crc(1))]
    assert "not zstd" in capsys.readouterr().out
    store = open_store(EmbeddedSettings(path=tmp_path / "store.db"))
    assert [(p.time_ns - T0, p.fields) for p in store.read("press-1", 0, 2**63 - 1)] == [(1, {"f64_f": 1.0})]
    store.close()
    (left,) = waiting(tmp_path / "letters")
    assert left.letter is not None
    assert left.letter.payload != readable


def test_letters_are_chosen_shown_and_dropped_by_name_reason_agent_and_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = config(tmp_path, 1)
    letters = DeadLetters(tmp_path / "letters", 10**6, "gw-1", FixedClock())
    for agent in ("edge-1", "edge-2"):
        for reason in ("too old", "conflict\x1b[31m"):
            topic = f"tsq/1/hanil/{agent}/data"
            letters.append(
                DeadLetter(at=T0, topic=topic, reason=reason, rejected=[Rejected(1, crc(1), reason, [])])
            )
    letters.close()

    def listed(*words: str) -> list[str]:
        assert run(path, "list", *words) == 0
        return capsys.readouterr().out.splitlines()[:-1]

    assert len(listed()) == 4
    assert len(listed("--agent", "hanil/edge-1")) == 2
    assert not any("\x1b" in line for line in listed("--reason", "conflict"))
    (line,) = listed("--reason", "too", "--agent", "hanil/edge-2")
    name = line.split()[0]
    assert run(path, "show", name) == 0
    assert json.loads(capsys.readouterr().out)["topic"] == "tsq/1/hanil/edge-2/data"
    assert run(path, "drop") == 2
    assert run(path, "drop", name) == 0
    capsys.readouterr()
    assert len(listed()) == 3
    assert run(path, "drop", "--file", deadletter.files(tmp_path / "letters")[0].name) == 0
    capsys.readouterr()
    assert listed() == []
    assert run(path, "replay", "--all") == 0
