"""Who gives way, and that two of them always agree about it."""

from __future__ import annotations

import itertools

import pytest

from contract import codec
from contract.payload import Worker
from gateway.peers import LIMIT, Peers


def worker(name: str, since: int | str) -> Worker:
    return Worker(name, str(since), "1")


def beside(me: Worker, *others: Worker, shares: bool) -> Peers:
    peers = Peers(me, shares=shares)
    for other in others:
        peers.seen(other.worker, codec.encode(other))
    return peers


ONES = [worker("a", 5), worker("b", 5), worker("b", 9), worker("c", 1), worker("c", "tomorrow")]


@pytest.mark.parametrize(("one", "two"), list(itertools.permutations(ONES, 2)))
@pytest.mark.parametrize("shares", [True, False])
def test_of_two_that_cannot_work_beside_each_other_exactly_one_gives_way(
    one: Worker, two: Worker, *, shares: bool
) -> None:
    gone = [beside(one, two, shares=shares).give_way(), beside(two, one, shares=shares).give_way()]
    if shares and one.worker != two.worker:
        assert gone == [None, None]
    else:
        assert sum(reason is not None for reason in gone) == 1


@pytest.mark.parametrize(("mine", "theirs", "apart"), [("a", "b", True), ("a", "a", False), ("", "a", False)])
def test_workers_of_two_factories_are_in_nobody_s_way(mine: str, theirs: str, *, apart: bool) -> None:
    me, other = (Worker(f"w-{since}", since, "1", factory) for since, factory in (("2", mine), ("1", theirs)))
    assert (beside(me, other, shares=False).give_way() is None) == apart


def test_of_many_the_oldest_stays() -> None:
    workers = [worker(f"w{i}", (i * 7) % 10) for i in range(10)]
    stay = [me for me in workers if beside(me, *(w for w in workers if w != me), shares=False).give_way() is None]
    assert stay == [worker("w0", 0)]


def test_the_reason_names_what_to_do() -> None:
    same = beside(worker("a", 2), worker("a", 1), shares=True).give_way()
    assert same is not None
    assert "give each its own" in same.en
    second = beside(worker("b", 2), worker("a", 1), shares=False).give_way()
    assert second is not None
    assert "cannot share" in second.en
    assert "worker a" in second.en


def test_a_presence_that_is_cleared_or_senseless_is_nobody() -> None:
    me = worker("a", 1)
    peers = beside(me, worker("b", 0), shares=False)
    assert peers.give_way() is not None
    assert peers.seen("b", b"") is None
    assert peers.give_way() is None
    for payload in (b"{", b"[]", b"\xff", b'{"worker":"b"}', codec.encode(worker("c", 0))):
        assert peers.seen("b", payload) is None
    assert peers.seen("a", codec.encode(me)) is None
    assert peers.give_way() is None
    assert peers.mine("a", codec.encode(me))
    assert not peers.mine("a", codec.encode(worker("a", 2)))


def test_who_is_new_is_told_once() -> None:
    peers = Peers(worker("a", 1), shares=True)
    other = worker("b", 0)
    assert peers.seen("b", codec.encode(other)) == other
    assert peers.seen("b", codec.encode(other)) is None
    again = worker("b", 3)
    assert peers.seen("b", codec.encode(again)) == again
    peers.forget()
    assert peers.seen("b", codec.encode(again)) == again


def test_a_flood_of_names_is_not_remembered() -> None:
    peers = beside(worker("a", 1), *(worker(f"w{i}", 2) for i in range(2 * LIMIT)), shares=True)
    assert len(peers.others) == LIMIT
