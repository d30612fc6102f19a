"""The delivery protocol's clockwork, step by step."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from agent.bucket import Bucket
from agent.delivery import LIVE_NS, WINDOW, Delivery, Entry, Message
from contract import codec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WALL = 1_763_769_600_000_000_000


class Shelf:
    """Entries as the spool would show them."""

    def __init__(self, *entries: Entry) -> None:
        self.entries = list(entries)

    def unconfirmed(self, after: int, before: int | None, limit: int) -> Sequence[Entry]:
        """Return those between."""
        return [e for e in self.entries if e.seq > after and (before is None or e.seq < before)][:limit]

    def last_before(self, committed_ns: int) -> int:
        """Return the last older one."""
        return max((e.seq for e in self.entries if e.committed_ns < committed_ns), default=0)


def new(seq: int, age_s: float = 0, *, spool: str = "a", birth: str = "b", size: int = 1000) -> Entry:
    return Entry(spool, seq, f"{seq:016x}", birth, size, WALL - int(age_s * 1e9))


def open_delivery() -> Delivery:
    delivery = Delivery()
    delivery.connected(0)
    delivery.workers_changed(0)
    return delivery


def take_all(delivery: Delivery, shelf: Shelf, now: float) -> list[Message]:
    out = []
    while message := delivery.take(shelf, now, WALL):
        out.append(message)
    return out


def seqs(messages: list[Message]) -> list[list[int]]:
    return [[e.seq for e in m.entries] for m in messages]


def test_nothing_is_sent_before_the_connection_is_up_and_a_worker_known() -> None:
    delivery, shelf = Delivery(), Shelf(new(1))
    assert delivery.due(0) is None
    assert delivery.take(shelf, 0, WALL) is None
    delivery.connected(5)
    assert delivery.take(shelf, 5.5, WALL) is None
    assert delivery.due(5.5) == 6
    delivery.workers_changed(5.6)
    assert delivery.take(shelf, 5.6, WALL) is not None


def test_without_word_of_a_worker_it_sends_after_a_second_all_the_same() -> None:
    delivery, shelf = Delivery(), Shelf(new(1))
    delivery.connected(5)
    assert delivery.take(shelf, 6, WALL) is not None


def test_new_entries_go_before_the_backlog_which_is_historical() -> None:
    old = [new(i, age_s=3600, size=300_000) for i in range(1, 4)]
    shelf = Shelf(*old, new(4, age_s=59), new(5))
    delivery = open_delivery()
    messages = take_all(delivery, shelf, 1)
    assert seqs(messages) == [[4, 5], [1], [2], [3]]
    assert [m.historical for m in messages] == [False, True, True, True]


def test_a_backlog_leaves_slots_to_what_is_new() -> None:
    shelf = Shelf(*(new(i, age_s=3600, size=400_000) for i in range(1, 10)))
    delivery = open_delivery()
    assert len(take_all(delivery, shelf, 1)) == WINDOW - 1
    shelf.entries += [new(10, size=400_000), new(11, size=400_000)]
    assert seqs(take_all(delivery, shelf, 2)) == [[10]]
    assert delivery.in_flight == WINDOW


def test_a_suspect_leaves_the_last_slot_to_what_is_new() -> None:
    shelf = Shelf(new(1, birth="poison"))
    delivery = open_delivery()
    take_all(delivery, shelf, 0)
    shelf.entries += [new(i, age_s=3600, size=400_000) for i in range(2, 10)]
    delivery.revisit()
    assert seqs(take_all(delivery, shelf, 10)) == [[1], [2], [3]]
    shelf.entries += [new(20)]
    assert seqs(take_all(delivery, shelf, 11)) == [[20]]


def test_a_backlog_keeps_its_rate_and_new_data_does_not_wait_for_it() -> None:
    shelf = Shelf(*(new(i, age_s=3600, size=400_000) for i in range(1, 100)))
    delivery = Delivery(backlog=Bucket(100_000))
    delivery.connected(0)
    delivery.workers_changed(0)
    now, sent = 0.0, 0
    while now < 60:
        if now == 30:
            shelf.entries.append(new(200))
        for message in take_all(delivery, shelf, now):
            sent += message.historical
            assert message.historical or now == 30
            if message.historical:
                delivery.backlog.spend(150_000)
            delivery.stored([e.key for e in message.entries], now)
        due = delivery.due(now)
        assert due is not None
        assert due > now
        now = min(due, 30) if now < 30 else due
    assert sent == pytest.approx(60 / 1.5, abs=2)


def test_what_was_new_when_the_line_went_down_is_backlog_when_it_comes_back() -> None:
    delivery, shelf = open_delivery(), Shelf(new(1))
    assert seqs(take_all(delivery, shelf, 1)) == [[1]]
    delivery.disconnected()
    shelf.entries += [new(2, age_s=LIVE_NS / 1e9 + 5), new(3)]
    delivery.connected(100)
    delivery.workers_changed(100)
    assert seqs(take_all(delivery, shelf, 100)) == [[1], [3], [2]]


def test_at_most_four_messages_are_unconfirmed() -> None:
    shelf = Shelf(*(new(i, size=400_000) for i in range(1, 10)))
    delivery = open_delivery()
    assert len(take_all(delivery, shelf, 1)) == WINDOW == delivery.in_flight
    delivery.stored([shelf.entries[2].key], 2)
    assert seqs(take_all(delivery, shelf, 2)) == [[5]]


def test_a_message_holds_entries_of_one_spool_and_one_birth_and_keeps_the_limit() -> None:
    shelf = Shelf(
        new(1), new(2, birth="c"), new(3, birth="c"), new(4, spool="z", birth="c"), new(5, spool="z", birth="c")
    )
    assert seqs(take_all(open_delivery(), shelf, 1)) == [[1], [2, 3], [4, 5]]
    many = Shelf(*(new(i, size=100_000) for i in range(1, 11)))
    for message in take_all(open_delivery(), many, 1):
        assert sum(e.size for e in message.entries) < codec.DATA_LIMIT
        assert len(message.entries) == 5


def test_an_entry_as_large_as_a_message_goes_alone() -> None:
    shelf = Shelf(new(1, size=codec.DATA_LIMIT), new(2))
    assert seqs(take_all(open_delivery(), shelf, 1)) == [[1], [2]]


def run(
    delivery: Delivery, shelf: Shelf, until: float, confirm: Callable[[Entry], bool], begin: float = 0
) -> list[tuple[float, list[int]]]:
    """Send whenever something is due; what `confirm` takes is confirmed at once. Return when what was sent."""
    sent: list[tuple[float, list[int]]] = []
    now = begin
    while now <= until:
        while message := delivery.take(shelf, now, WALL):
            sent.append((now, [e.seq for e in message.entries]))
            good = [e for e in message.entries if confirm(e)]
            if len(good) == len(message.entries):  # a message is confirmed whole or not at all
                delivery.stored([e.key for e in good], now)
                shelf.entries = [e for e in shelf.entries if e not in good]
        due = delivery.due(now)
        if due is None:
            break
        assert due > now, "nothing is due that `take` does not give"
        now = due
    return sent


def test_unconfirmed_messages_are_sent_again_ever_more_slowly() -> None:
    sent = [now for now, _ in run(open_delivery(), Shelf(new(1)), 1300, lambda _: False)]
    assert [after - before for before, after in pairwise(sent)] == [10, 20, 40, 80, 160, 300, 300, 300]


def test_poison_leaves_its_slots_to_the_others() -> None:
    """Ten messages in a row that can never be confirmed, and nothing new: the others are found all the same."""
    poison = {f"{i:032x}" for i in range(1, 11)}
    shelf = Shelf(*(new(i, birth=f"{i:032x}") for i in range(1, 40)))
    delivery = open_delivery()
    sent = run(delivery, shelf, 1000, lambda e: e.birth not in poison)
    first = {seq: now for now, seqs in reversed(sent) for seq in seqs}
    assert max(first.values()) <= 240
    assert {e.seq for e in shelf.entries} == set(range(1, 11))
    times = [now for now, seqs in sent if seqs == [3]]
    assert max(after - before for before, after in pairwise(times)) <= 420, "it is still tried"


def test_a_batch_that_fails_while_others_go_is_halved_until_the_guilty_entry_is_alone() -> None:
    shelf = Shelf(*(new(i) for i in range(1, 29)))
    delivery = open_delivery()
    delivery.take(shelf, 0, WALL)
    guilty = shelf.entries[16]
    others = iter(range(100, 10_000))
    now = 0.0
    while len(shelf.entries) > 1 and now < 300:
        now += 1
        shelf.entries.append(new(next(others)))
        for message in take_all(delivery, shelf, now):
            if guilty not in message.entries:
                delivery.stored([e.key for e in message.entries], now)
                shelf.entries = [e for e in shelf.entries if e not in message.entries]
    assert shelf.entries == [guilty]
    assert now < 120


def test_while_nothing_is_confirmed_one_new_message_tries_the_way_ever_more_slowly() -> None:
    """A database that is away for an hour: little is sent, little is remembered, and then all of it goes."""
    shelf = Shelf(*(new(i, size=400_000) for i in range(1, 200)))
    delivery = open_delivery()
    sent = run(delivery, shelf, 3600, lambda _: False)
    assert len(sent) < 200
    assert delivery.suspects + delivery.in_flight <= WINDOW + 1
    delivery.workers_changed(3700)
    assert {now for now, _ in run(delivery, shelf, 3700, lambda _: True, 3700)} == {3700}
    assert not shelf.entries


def test_a_message_that_the_broker_does_not_take_is_made_smaller() -> None:
    shelf = Shelf(*(new(i, size=40_000) for i in range(1, 30)))
    delivery = open_delivery()
    sizes: list[int] = []
    while message := delivery.take(shelf, 0, WALL):
        size = 8_000 * len(message.entries)
        if size > 30_000:
            assert delivery.too_large(message, size, 30_000)
        else:
            sizes.append(len(message.entries))
            delivery.stored([e.key for e in message.entries], 0)
            shelf.entries = [e for e in shelf.entries if e not in message.entries]
    assert not shelf.entries
    assert max(sizes) == 3
    assert len(sizes) < 12


def test_an_entry_that_is_too_large_alone_waits_and_holds_nobody_up() -> None:
    shelf = Shelf(new(1, size=400_000), new(2, size=400_000))
    delivery = open_delivery()
    message = delivery.take(shelf, 0, WALL)
    assert message is not None
    assert not delivery.too_large(message, 200_000, 100_000)
    assert delivery.in_flight == 0
    assert seqs(take_all(delivery, shelf, 0)) == [[2]]
    assert delivery.suspects == 1


def test_entries_that_appear_among_those_passed_over_are_found() -> None:
    """What was held until the clock could be trusted has numbers before what was sent meanwhile."""
    shelf = Shelf(new(5), new(6))
    delivery = open_delivery()
    assert seqs(take_all(delivery, shelf, 0)) == [[5, 6]]
    shelf.entries = [*(new(i, age_s=500) for i in range(1, 5)), *shelf.entries]
    delivery.revisit()
    assert seqs(take_all(delivery, shelf, 1)) == [[1, 2, 3, 4]]


def test_patience_follows_the_usual_time_to_confirm() -> None:
    delivery, shelf = open_delivery(), Shelf()
    for i in range(1, 60):
        shelf.entries = [new(i)]
        take_all(delivery, shelf, i * 100)
        delivery.stored([new(i).key], i * 100 + 5)
    assert delivery.usual_s == pytest.approx(5)
    shelf.entries = [new(100)]
    take_all(delivery, shelf, 10_000)
    assert delivery.due(10_000) == pytest.approx(10_020)


def test_a_message_sent_twice_says_nothing_about_the_usual_time() -> None:
    delivery, shelf = open_delivery(), Shelf(new(1))
    take_all(delivery, shelf, 0)
    take_all(delivery, shelf, 10)
    assert delivery.stored([new(1).key], 60) == frozenset()
    assert delivery.usual_s == 0


def test_when_a_worker_comes_or_goes_everything_unconfirmed_is_sent_again_at_once() -> None:
    delivery, shelf = open_delivery(), Shelf(new(1), new(2, birth="c"))
    take_all(delivery, shelf, 0)
    for now in (10, 20, 30):
        take_all(delivery, shelf, now)
    delivery.workers_changed(31)
    assert sorted(seqs(take_all(delivery, shelf, 31))) == [[1], [2]] or delivery.in_flight == 1
    due = delivery.due(31)
    assert due is not None
    assert due <= 41, "the back-off starts anew"


def test_a_worker_that_crashes_again_and_again_beside_another_costs_a_repetition_in_ten_seconds() -> None:
    delivery, shelf = open_delivery(), Shelf(new(1))
    take_all(delivery, shelf, 0)
    sent = 0
    for second in range(1, 61):
        delivery.workers_changed(second, "looping", here=bool(second % 2))
        due = delivery.due(second)
        assert due is not None
        assert due <= second + 10, "and is never held back for longer"
        sent += len(take_all(delivery, shelf, second))
    assert 6 <= sent <= 7


def test_after_a_restart_of_the_broker_the_first_worker_that_is_back_gets_everything_at_once() -> None:
    delivery, shelf = open_delivery(), Shelf(new(1))
    take_all(delivery, shelf, 0)
    delivery.workers_changed(1, "a", here=False)  # its last repetition before the broker went, too
    assert seqs(take_all(delivery, shelf, 1)) == [[1]]
    delivery.disconnected()
    for worker in ("a", "b"):
        delivery.worker_known(worker, 14)  # as the broker remembers them
    delivery.connected(14)
    assert seqs(take_all(delivery, shelf, 14)) == [[1]], "which meets nobody"
    delivery.workers_changed(15, "a")
    assert seqs(take_all(delivery, shelf, 15)) == [[1]]
    delivery.workers_changed(16, "b")
    assert take_all(delivery, shelf, 16) == []


def test_what_met_nobody_goes_as_soon_as_a_worker_is_there() -> None:
    delivery, shelf = Delivery(), Shelf(new(1))
    delivery.connected(0)
    delivery.workers_changed(0, "only")
    take_all(delivery, shelf, 0)
    for second in (1, 3, 5):
        delivery.workers_changed(second, "only", here=False)
        take_all(delivery, shelf, second)
        delivery.workers_changed(second + 1, "only")
        assert seqs(take_all(delivery, shelf, second + 1)) == [[1]]


def test_a_birth_that_is_asked_for_brings_back_what_needs_it() -> None:
    delivery, shelf = open_delivery(), Shelf(new(1), new(2, birth="c"))
    take_all(delivery, shelf, 0)
    delivery.birth_needed("c", 1)
    assert seqs(take_all(delivery, shelf, 1)) == [[2]]


def test_only_what_is_not_confirmed_of_a_message_is_sent_again() -> None:
    delivery, shelf = open_delivery(), Shelf(new(1), new(2), new(3))
    take_all(delivery, shelf, 0)
    assert delivery.stored([new(2).key, ("a", 1, "other")], 1) == {("a", 2)}
    assert seqs(take_all(delivery, shelf, 10)) == [[1, 3]]


def test_only_what_was_sent_once_and_live_is_clean() -> None:
    delivery, shelf = open_delivery(), Shelf(new(1, age_s=3600), new(2), new(3, birth="c"))
    take_all(delivery, shelf, 0)
    delivery.birth_needed("c", 1)
    take_all(delivery, shelf, 1)
    keys = [e.key for e in shelf.entries]
    assert delivery.stored([*keys, ("other", 9, "x")], 2) == {("a", 2)}
    assert delivery.in_flight == 0
    assert delivery.stored(keys, 3) == frozenset()


def test_entries_that_the_spool_gave_up_leave_their_place() -> None:
    delivery, shelf = open_delivery(), Shelf(*(new(i, size=400_000) for i in range(1, 6)))
    take_all(delivery, shelf, 0)
    delivery.gone(shelf.entries[:2])
    assert seqs(take_all(delivery, shelf, 1)) == [[5]]
    assert delivery.in_flight == 3


def test_a_fresh_file_starts_anew() -> None:
    delivery = open_delivery()
    take_all(delivery, Shelf(new(70, age_s=100), new(99)), 0)
    delivery.restart()
    assert seqs(take_all(delivery, Shelf(new(1)), 1)) == [[1]]


def test_a_long_backlog_is_walked_through_once_in_order() -> None:
    shelf = Shelf(*(new(i, age_s=10_000 - i, size=200_000) for i in range(1, 1001)))
    delivery = open_delivery()
    sent: list[int] = []
    for now in range(1, 2000):
        for message in take_all(delivery, shelf, now):
            sent += [e.seq for e in message.entries]
            delivery.stored([e.key for e in message.entries], now)
            done = {e.seq for e in message.entries}
            shelf.entries = [e for e in shelf.entries if e.seq not in done]
        if not shelf.entries:
            break
    assert sent == list(range(1, 1001))
