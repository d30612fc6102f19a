"""Who is served next, and who has to go when there is no room."""

from __future__ import annotations

import threading
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from gateway.turns import BEGUN, FIRST_SECONDS, OVERHEAD, Turns, agent_of


class Message(NamedTuple):
    topic: str
    payload: bytes = b""


def data(agent: str, payload: bytes = b"") -> Message:
    return Message(f"tsq/1/f/{agent}/data", payload)


def served(turns: Turns[Message, str], costs: dict[str, float]) -> list[str]:
    """Serve everything; return the agents in order."""
    order = []
    while turn := turns.take(0):
        agent = turn.agent.rpartition("/")[2]
        order.append(agent)
        turns.give(turn.agent, costs[agent])
    return order


def test_one_who_costs_much_waits_for_himself() -> None:
    turns: Turns[Message, str] = Turns(100, 10**6)
    for number in range(3):
        assert turns.put(data("slow", bytes([number]))) is None
    for number in range(6):
        assert turns.put(data("quick", bytes([number]))) is None
    assert served(turns, {"slow": 1.0, "quick": 0.3}) == [
        "slow", "quick", "quick", "quick", "quick", "slow", "quick", "quick", "slow",
    ]  # fmt: skip


def test_a_newcomer_is_served_after_the_step_in_hand_whatever_waits() -> None:
    turns: Turns[Message, str] = Turns(1000, 10**6)
    for number in range(20):
        for message in range(10):
            turns.put(data(f"flood-{number}", bytes([message])))
    for _ in range(50):
        turn = turns.take(0)
        assert turn is not None
        turns.give(turn.agent, 0.2)
    turns.put(data("healthy"))
    before = 0
    while (turn := turns.take(0)) and not turn.agent.endswith("healthy"):
        turns.give(turn.agent, 0.2)
        before += 1
    assert before <= 20  # each flood once at most: all stand at the same virtual time
    assert turn is not None
    turns.give(turn.agent, 0.001)
    turns.put(data("healthy"))
    turn = turns.take(0)
    assert turn is not None
    assert turn.agent.endswith("healthy")


def test_what_is_begun_goes_on_before_what_its_agent_sent_later_and_after_others() -> None:
    turns: Turns[Message, str] = Turns(100, 10**6)
    turns.put(data("poison", b"1"))
    turns.put(data("poison", b"2"))
    turn = turns.take(0)
    assert turn is not None
    assert turn.message == data("poison", b"1")
    turns.put(data("healthy"))
    turns.give(turn.agent, FIRST_SECONDS, "the rest of 1")
    turn = turns.take(0)
    assert turn is not None
    assert turn.agent.endswith("healthy")
    turns.give(turn.agent, 0.1)
    turn = turns.take(0)
    assert turn is not None
    assert (turn.message, turn.begun) == (None, "the rest of 1")
    turns.give(turn.agent, 0.1)
    turn = turns.take(0)
    assert turn is not None
    assert turn.message == data("poison", b"2")


def test_few_are_begun_at_a_time_and_a_short_one_is_done_before_the_next() -> None:
    for cost, most in (FIRST_SECONDS / 10, 1), (FIRST_SECONDS, BEGUN):
        turns: Turns[Message, str] = Turns(1000, 10**6)
        for number in range(3 * BEGUN):
            assert turns.put(data(f"a{number}")) is None
        begun: set[str] = set()
        left: dict[str, int] = {}
        while turn := turns.take(0):
            assert (turn.message is None) == (turn.agent in begun)
            begun.add(turn.agent)
            left[turn.agent] = left.get(turn.agent, 4) - 1
            if not left[turn.agent]:
                begun.remove(turn.agent)
            turns.give(turn.agent, cost, "more" if left[turn.agent] else None)
            assert len(begun) <= most
        assert len(left) == 3 * BEGUN
        assert not any(left.values())


def test_when_there_is_no_room_the_newest_of_who_has_most_goes() -> None:
    turns: Turns[Message, str] = Turns(3, 10**6)
    messages = [data("flood", bytes([i])) for i in range(4)]
    assert [turns.put(message) for message in messages] == [None, None, None, messages[3]]
    assert turns.put(data("healthy")) == messages[2]
    assert turns.put(data("flood", b"more")) == data("flood", b"more")
    assert len(turns) == 3
    assert [turns.take(0) is not None for _ in range(4)] == [True, True, True, False]


def test_bytes_are_bounded_and_given_back() -> None:
    turns: Turns[Message, str] = Turns(100, 3 * (OVERHEAD + 10))
    contents = [bytes([i]) * 10 for i in range(3)]
    for content in contents:
        assert turns.put(data("a", content)) is None
    assert turns.put(data("b", bytes(10))) == data("a", contents[-1])
    assert turns.put(data("c", bytes(3 * (OVERHEAD + 10)))) is not None
    assert served(turns, {"a": 0.1, "b": 0.1}) == ["a", "b", "a"]
    assert len(turns) == 0
    for content in contents:
        assert turns.put(data("a", content)) is None


def test_what_is_sent_again_while_it_waits_does_not_wait_twice() -> None:
    turns: Turns[Message, str] = Turns(100, 10**6)
    assert turns.put(data("a", b"1")) is None
    assert turns.put(data("a", b"1")) == data("a", b"1")
    assert turns.put(data("a", b"2")) is None
    assert turns.put(data("b", b"1")) is None
    assert turns.put(Message("tsq/1/f/a/birth/00/1of1", b"1")) is None
    turn = turns.take(0)
    assert turn is not None
    assert turn.message == data("a", b"1")
    assert turns.put(data("a", b"1")) is None  # in hand it may fail
    turns.give(turn.agent, 0.0)
    assert len(turns) == 4


def test_waiting_ends_when_something_comes_or_somebody_wakes_it() -> None:
    turns: Turns[Message, str] = Turns(10, 10**6)
    threading.Timer(0.05, lambda: turns.put(data("a"))).start()
    turn = turns.take(30)
    assert turn is not None
    turns.give(turn.agent, 0.0)
    threading.Timer(0.05, turns.wake).start()
    assert turns.take(30) is None
    assert turns.take(0) is None


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 50), st.integers(0, 3)), max_size=80))
def test_nothing_waits_that_was_refused_and_everything_else_comes_out_once(
    steps: list[tuple[int, int, int]],
) -> None:
    turns: Turns[Message, str] = Turns(8, 8 * OVERHEAD + 200)
    inside: list[Message] = []
    for number, (agent, size, takes) in enumerate(steps):
        message = data(f"a{agent}", bytes([number % 256]) * size + number.to_bytes(2))
        gone = turns.put(message)
        inside.append(message)
        if gone is not None:
            inside.remove(gone)
        assert len(turns) == len(inside) <= 8
        assert sum(len(m.payload) + OVERHEAD for m in inside) <= 8 * OVERHEAD + 200
        for _ in range(takes):
            if turn := turns.take(0):
                assert turn.message is not None
                inside.remove(turn.message)
                turns.give(turn.agent, size / 10)
    rest = []
    while turn := turns.take(0):
        assert turn.message is not None
        rest.append(turn.message)
        turns.give(turn.agent, 0.1)
    assert sorted(rest) == sorted(inside)


def test_any_topic_belongs_to_somebody() -> None:
    assert (
        agent_of("tsq/1/hanil/edge-1/birth/00/1of1") == agent_of("tsq/1/hanil/edge-1/data") == "tsq/1/hanil/edge-1"
    )
    assert agent_of("") == ""
    assert len(agent_of("x" * 60_000)) == 200
