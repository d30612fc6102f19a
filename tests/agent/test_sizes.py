"""What a broker takes, from what it says and does."""

from __future__ import annotations

from agent.sizes import CUTS, PACKET_OVERHEAD, SMALLEST, Sizes

BIG = 400_000


def lost_over(sizes: Sizes, size: int, *, sure: bool = False) -> int | None:
    sizes.connected(None)
    sizes.sent(size)
    return sizes.ended(sure=sure)


def test_what_the_broker_names_holds_for_the_connection() -> None:
    sizes = Sizes()
    sizes.connected(65_536)
    assert sizes.largest == 65_536 - PACKET_OVERHEAD
    sizes.connected(100)
    assert sizes.largest == SMALLEST, "less is no broker"
    sizes.connected(None)
    assert sizes.largest is None


def test_a_refused_message_halves_and_counts_once() -> None:
    sizes = Sizes()
    sizes.connected(None)
    for size in (1000, BIG, 2000):
        sizes.sent(size)
    assert sizes.refused() == BIG
    assert sizes.largest == BIG // 2
    assert sizes.refused() is None
    sizes.sent(BIG // 2)
    assert sizes.refused() == BIG // 2
    assert sizes.largest == BIG // 4
    sizes.connected(None)
    assert sizes.largest is None, "it may have been given more room"


def test_three_connections_lost_over_large_messages_are_a_limit_and_fewer_are_not() -> None:
    sizes = Sizes()
    assert [lost_over(sizes, BIG) for _ in range(CUTS)] == [None] * (CUTS - 1) + [BIG]
    sizes.connected(None)
    assert sizes.largest == BIG // 2, "another try would cost three connections"


def test_an_answer_that_cannot_be_read_is_a_limit_at_once() -> None:
    assert lost_over(Sizes(), BIG, sure=True) == BIG
    assert lost_over(Sizes(), SMALLEST, sure=True) is None


def test_connections_that_end_for_other_reasons_are_no_limit() -> None:
    sizes = Sizes()
    for _ in range(10):
        sizes.connected(None)
        sizes.sent(BIG)
        sizes.acknowledged()
        sizes.sent(BIG)
        assert sizes.ended(sure=False) is None, "one as large has gone through"
    for _ in range(2):
        assert [lost_over(sizes, BIG) for _ in range(CUTS - 1)] == [None] * (CUTS - 1)
        sizes.connected(None)
        assert sizes.ended(sure=False) is None, "one that ends with nothing on its way"
    assert sizes.largest is None
