"""Publish requests: a subscription that says nothing is noticed, and one that the server has ended."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest
from asyncua import ua

from agent.collectors.opcua.decode import Publication
from agent.collectors.opcua.publisher import Publisher
from agent.errors import Unreachable
from tests.support.clocks import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable

GRANTED = ua.CreateSubscriptionResult(
    SubscriptionId=7, RevisedPublishingInterval=500.0, RevisedLifetimeCount=60, RevisedMaxKeepAliveCount=4
)  # fmt: skip
SILENCE_S = (4 + 1) * 0.5 + 2  # one keep-alive more than the server may leave out, and the margin


class Server:
    """Answers publish requests with what is put into it."""

    def __init__(self) -> None:
        self.answers: asyncio.Queue[Publication] = asyncio.Queue()

    async def publish(self, _acknowledge: object) -> Publication:
        return await self.answers.get()


def play(story: Callable[[Publisher, FakeClock, Server], Any]) -> None:
    async def main() -> None:
        clock, server = FakeClock(), Server()
        publisher = Publisher(cast("Any", server), clock, asyncio.Event(), "cnc")
        publisher.add(GRANTED)
        try:
            await story(publisher, clock, server)
        finally:
            await publisher.pause()

    asyncio.run(asyncio.wait_for(main(), 10))


async def settle(publisher: Publisher) -> None:
    publisher.request()
    for _ in range(5):
        await asyncio.sleep(0)


def test_a_subscription_that_dies_while_its_session_lives_is_noticed() -> None:
    async def story(publisher: Publisher, clock: FakeClock, server: Server) -> None:
        await settle(publisher)
        clock.advance(SILENCE_S)
        assert publisher.take() == []
        server.answers.put_nowait(Publication(7, 1, keep_alive=True, items=[], ended=None))
        await settle(publisher)
        assert [a.items for a in publisher.take()] == [[]]
        clock.advance(SILENCE_S)
        assert publisher.take() == [], "a keep-alive is a sign of life"
        assert publisher.silent_at_ns() == clock.monotonic()
        clock.advance(0.001)
        with pytest.raises(Unreachable, match="silent for 5 s while its session lives"):
            publisher.take()

    play(story)


def test_a_subscription_that_the_server_has_ended_is_made_anew() -> None:
    async def story(publisher: Publisher, _clock: FakeClock, server: Server) -> None:
        server.answers.put_nowait(Publication(7, 1, keep_alive=False, items=[], ended=0x800A_0000))
        await settle(publisher)
        with pytest.raises(Unreachable, match="the server ended the subscription: BadTimeout"):
            publisher.take()

    play(story)
